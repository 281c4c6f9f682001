/** What an EntryReader gives, copied: for comparing images with what the store held when they were taken. */
import { expect } from "bun:test";
import type { EntryReader } from "../../../src/plugin.ts";
import type { Arena, ReadonlyBytes } from "../../../src/store/arena.ts";
import { CHUNK_BYTES } from "../../../src/store/arena.ts";

interface Stored {
  readonly type: string;
  readonly value: Buffer;
  readonly deadlineMs: number;
  readonly version: number;
}

/** By database and key, the key's bytes as latin1: "0 key"; of an index "0 index name". */
export type StoredEntries = Map<string, Stored>;

export function readEntries(reader: EntryReader): StoredEntries {
  const entries: StoredEntries = new Map();
  const { entry } = reader;
  while (reader.next()) {
    const { database, type, deadlineMs, version } = entry;
    const name = slice(entry.keyBytes, entry.keyStart, entry.keyEnd).toString("latin1");
    const key = type === "index" ? `index ${name}` : name;
    const value = slice(entry.valueBytes, entry.valueStart, entry.valueEnd);
    if (entries.has(`${database} ${key}`)) throw new Error(`"${key}" comes twice`);
    entries.set(`${database} ${key}`, { type, value, deadlineMs, version });
  }
  return entries;
}

function slice(bytes: ReadonlyBytes, start: number, end: number): Buffer {
  const copy = Buffer.alloc(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

/** As toEqual, but in no time: it names the first difference. */
export function requireSameEntries(found: StoredEntries, expected: StoredEntries): void {
  for (const [key, { value, ...rest }] of expected) {
    const other = found.get(key);
    if (other === undefined) throw new Error(`"${key}" is missing`);
    if (!other.value.equals(value)) throw new Error(`"${key}" has another value`);
    const { value: _, ...otherRest } = other;
    expect({ key, ...otherRest }).toEqual({ key, ...rest });
  }
  expect(found.size).toBe(expected.size);
}

/** The same in short, to send from one thread to another. */
export function digestEntries(entries: StoredEntries): Map<string, string> {
  const digests = new Map<string, string>();
  for (const [key, { type, value, deadlineMs, version }] of entries) {
    digests.set(key, `${type} ${value.length} ${Bun.hash(value)} ${deadlineMs} ${version}`);
  }
  return digests;
}

/** The image of an arena that rests: its chunks, one after the other. */
export function copyImage(arena: Arena): Uint8Array {
  const image = new Uint8Array(arena.bytes.length * CHUNK_BYTES);
  arena.bytes.forEach((bytes, chunk) => {
    bytes.copy(image, chunk * CHUNK_BYTES, 0, CHUNK_BYTES);
  });
  return image;
}
