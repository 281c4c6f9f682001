/**
 * Entries of a checkpoint in tests: made from short descriptions, read as `writeCheckpoint` reads
 * them from an image, and kept in a form that compares. Like an image, the reader uses one object
 * and one buffer for all of them, so that a persistence which keeps either is found out.
 */

import type { EntryReader, EntryType, Revision, StoredEntry } from "../../src/plugin.ts";
import { ElementReader } from "../../src/store/element-reader.ts";
import { ENTRY_TYPES } from "../../src/store/entry.ts";
import { STREAM_ENTRY, StreamReader } from "../../src/store/stream-reader.ts";

export interface EntryShape {
  readonly key: string | Uint8Array;
  readonly value: string | Uint8Array;
  /** Default: a string. */
  readonly type?: EntryType;
  readonly database?: number;
  /** Milliseconds since 1970. Default: it stays. */
  readonly deadlineMs?: number;
  /** Default: 1; of an index 0. */
  readonly version?: Revision;
  readonly isTimed?: boolean;
  /** Elements that come in entries of their own behind those of `value`. */
  readonly furtherParts?: readonly Uint8Array[];
}

/** Elements as entries have them: strings, and the numbers behind them. */
export function elementRun(...elements: readonly (string | Uint8Array | number)[]): Buffer {
  const parts = elements.map((element) => {
    if (typeof element === "number") {
      const number = Buffer.alloc(8);
      number.writeDoubleLE(element);
      return number;
    }
    const bytes = Buffer.from(element);
    if (bytes.length < 255) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
    const front = Buffer.from([255, 0, 0, 0, 0]);
    front.writeUInt32LE(bytes.length, 1);
    return Buffer.concat([front, bytes]);
  });
  return Buffer.concat(parts);
}

/** One key as a sink got it, its elements together; bytes in hex. */
export interface ReadEntry {
  readonly database: number;
  readonly type: EntryType;
  readonly key: string;
  readonly value: string;
  readonly deadlineMs: number;
  readonly version: Revision;
  /** Absent: false. */
  readonly isTimed?: true;
}

/** The state at one moment. */
export interface State {
  readonly revision: Revision;
  readonly entries: readonly EntryShape[];
}

const TAKEN_MS = Date.UTC(2026, 0, 2);

export function readEntryOf(shape: EntryShape): ReadEntry {
  return {
    database: shape.database ?? 0,
    type: shape.type ?? "string",
    key: Buffer.from(shape.key).toString("hex"),
    value: Buffer.concat(partsOf(shape)).toString("hex"),
    deadlineMs: shape.deadlineMs ?? 0,
    version: shape.version ?? (shape.type === "index" ? 0 : 1),
    ...(shape.isTimed && { isTimed: true }),
  };
}

function partsOf({ value, furtherParts = [] }: EntryShape): Buffer[] {
  return [value, ...furtherParts].map((part) => Buffer.from(part));
}

/** Keeps the entries that it is given: a value in parts as one. */
export class EntryCollector {
  readonly entries: ReadEntry[] = [];
  #isContinued = false;

  /** Throws when a part is none of the value that goes on. */
  add(entry: Readonly<StoredEntry>): void {
    const read = copyEntry(entry);
    if (this.#isContinued) this.#join(read);
    else this.entries.push(read);
    this.#isContinued = entry.isContinued;
  }

  /** False: the value that was added last should go on. */
  get isWhole(): boolean {
    return !this.#isContinued;
  }

  #join(part: ReadEntry): void {
    const first = this.entries.pop() as ReadEntry;
    const { value, ...rest } = part;
    const { value: before, ...wanted } = first;
    if (JSON.stringify(rest) !== JSON.stringify(wanted)) {
      throw new Error(`a part of ${JSON.stringify(rest)} came behind ${JSON.stringify(wanted)}`);
    }
    this.entries.push({ ...first, value: before + value });
  }
}

/** What a sink keeps of an entry it was given. */
export function copyEntry(entry: Readonly<StoredEntry>): ReadEntry {
  const { database, type, deadlineMs, version } = entry;
  return {
    database,
    type,
    key: entry.keyBytes.toString("hex", entry.keyStart, entry.keyEnd),
    value: entry.valueBytes.toString("hex", entry.valueStart, entry.valueEnd),
    deadlineMs,
    version,
    ...(entry.isTimed && { isTimed: true }),
  };
}

/** In the order of their keys, indexes first: a checkpoint has none but by database. */
export function sortedEntries(entries: readonly ReadEntry[]): ReadEntry[] {
  const rank = ({ type, key }: ReadEntry) => `${type === "index" ? 0 : 1} ${key}`;
  return [...entries].sort((a, b) => a.database - b.database || (rank(a) < rank(b) ? -1 : 1));
}

export function createEntryReader({ revision, entries }: State): EntryReader {
  const inOrder = [...entries].sort((a, b) => (a.database ?? 0) - (b.database ?? 0));
  const entry = createStoredEntry();
  let index = 0;
  let part = 0;
  return {
    revision,
    timeMs: TAKEN_MS,
    entryCount: entries.length,
    keyCount: entries.filter(({ type }) => type !== "index").length,
    entry,
    get elementCount() {
      return elementCountOf(inOrder[part === 0 ? index - 1 : index] as EntryShape);
    },
    next() {
      const shape = inOrder[index];
      if (shape === undefined) return false;
      const parts = partsOf(shape);
      fill(entry, shape, parts[part++] as Buffer);
      entry.isContinued = part < parts.length;
      if (entry.isContinued) return true;
      index++;
      part = 0;
      return true;
    },
  };
}

function elementCountOf(shape: EntryShape): number {
  const { type = "string", isTimed = false } = shape;
  if (type === "string" || type === "json" || type === "index") return 0;
  let count = 0;
  const elements = new ElementReader();
  const items = new StreamReader();
  for (const part of partsOf(shape)) {
    if (type === "stream") {
      for (items.beginRun(part, 0, part.length); items.next(); items.skipStrings()) {
        if (items.tag === STREAM_ENTRY) count++;
      }
    } else {
      elements.beginRun(ENTRY_TYPES.indexOf(type), isTimed, part, 0, part.length);
      while (elements.next()) count++;
    }
  }
  return count;
}

function createStoredEntry(): StoredEntry {
  return {
    database: 0,
    type: "string",
    keyBytes: Buffer.alloc(1000),
    keyStart: 0,
    keyEnd: 0,
    valueBytes: Buffer.alloc(1000),
    valueStart: 0,
    valueEnd: 0,
    deadlineMs: 0,
    version: 0,
    isTimed: false,
    isContinued: false,
  };
}

function fill(entry: StoredEntry, shape: EntryShape, value: Buffer): void {
  const key = Buffer.from(shape.key);
  const bytes = entry.keyBytes as Buffer;
  const isRoomy = 7 + key.length + value.length <= bytes.length;
  const whole = isRoomy ? bytes : Buffer.alloc(7 + key.length + value.length);
  key.copy(whole, 3);
  value.copy(whole, 7 + key.length);
  Object.assign(entry, {
    database: shape.database ?? 0,
    type: shape.type ?? "string",
    keyBytes: whole,
    keyStart: 3,
    keyEnd: 3 + key.length,
    valueBytes: whole,
    valueStart: 7 + key.length,
    valueEnd: 7 + key.length + value.length,
    deadlineMs: shape.deadlineMs ?? 0,
    version: shape.version ?? (shape.type === "index" ? 0 : 1),
    isTimed: shape.isTimed ?? false,
    isContinued: false,
  } satisfies StoredEntry);
}
