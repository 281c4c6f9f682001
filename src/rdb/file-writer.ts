/**
 * Writes all entries of a checkpoint as a file of RDB (rdb-file.ts draws it), by the types that every Redis from 5.0 on reads.
 * Memory is bounded by a buffer and what is said in stream-encoder.ts and field-notes.ts, however long a value is: collections
 * are written part by part, long strings from where they lie.
 */
import { version as kvdbVersion } from "../../package.json";
import { assert } from "../assert.ts";
import type { EntryReader, EntryType, StoredEntry } from "../plugin.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import { ElementReader } from "../store/element-reader.ts";
import { ENTRY_TYPES } from "../store/entry.ts";
import { StreamReader } from "../store/stream-reader.ts";
import { Crc64 } from "./crc64.ts";
import { FieldNotes } from "./field-notes.ts";
import {
  AUX_ENTRY,
  AUX_FIELDS,
  AUX_INDEX,
  AUX_REVISION,
  AUX_VERSION,
  CHECKSUM_BYTES,
  ENTRY_DOCUMENT,
  MAGIC,
  VERSION_DIGITS,
} from "./rdb-file.ts";
import { RdbOutput } from "./rdb-output.ts";
import {
  RDB_AUX,
  RDB_DATABASE,
  RDB_END,
  RDB_EXPIRES_MS,
  RDB_HASH,
  RDB_LIST,
  RDB_SET,
  RDB_STREAM_2,
  RDB_STRING,
  RDB_VERSION,
  RDB_ZSET_2,
} from "./rdb-types.ts";
import { StreamEncoder } from "./stream-encoder.ts";

/** So much is written at once. */
const FULL_BYTES = 1 << 17;
/** A string of more is not copied. */
const LONG_BYTES = 1 << 15;
/** How often it is asked whether the file is still wanted; also the most that is written at once. */
const PROCEED_BYTES = 1 << 20;

/** The redis-server whose files these are like: tools show it. */
export const REDIS_OF_FILES = "7.0.15";

/** Where the bytes go, in order: a file, a compressor. They do not change until what is returned resolves. */
export interface RdbTarget {
  write(bytes: Buffer, start: number, end: number): void | Promise<void>;
}

export interface RdbWriting {
  /** Further notes for the head. */
  readonly aux?: Readonly<Record<string, string>>;
  /** The file is the base of an AOF. */
  readonly isPreamble?: boolean;
  /** Asked each MiB: throws when the file is no longer wanted. */
  proceed(): void;
}

export interface WrittenRdb {
  readonly bytes: number;
  readonly keys: number;
}

export async function writeRdb(
  entries: EntryReader,
  target: RdbTarget,
  writing: RdbWriting,
): Promise<WrittenRdb> {
  const writer = new FileWriter(entries, target, writing);
  await writer.run();
  return { bytes: writer.bytes, keys: writer.keys };
}

const DOCUMENT = Buffer.from(ENTRY_DOCUMENT);
const FIELDS = Buffer.from(AUX_FIELDS);

const CODES: Readonly<Record<EntryType, number>> = {
  string: RDB_STRING,
  json: RDB_STRING,
  list: RDB_LIST,
  set: RDB_SET,
  zset: RDB_ZSET_2,
  hash: RDB_HASH,
  stream: RDB_STREAM_2,
  index: RDB_AUX,
};

class FileWriter {
  bytes = 0;
  keys = 0;
  readonly #entries: EntryReader;
  readonly #target: RdbTarget;
  readonly #writing: RdbWriting;
  readonly #output = new RdbOutput();
  readonly #checksum = new Crc64();
  readonly #elements = new ElementReader();
  readonly #items = new StreamReader();
  readonly #stream = new StreamEncoder(this.#output);
  readonly #fields = new FieldNotes();
  /** The database that was written last. */
  #database = -1;
  /** Elements of the value in hand that are still to come. */
  #left = 0;
  /** The entry in hand goes on one that came before. */
  #goesOn = false;
  /** `bytes` when it was asked last whether the file is wanted. */
  #askedAt = 0;

  constructor(entries: EntryReader, target: RdbTarget, writing: RdbWriting) {
    this.#entries = entries;
    this.#target = target;
    this.#writing = writing;
  }

  async run(): Promise<void> {
    this.#writeHead();
    const { entry } = this.#entries;
    while (this.#entries.next()) {
      if (!this.#goesOn) this.#begin(entry);
      // Most entries are short strings: nothing is waited for because of them.
      const written = this.#writeValue(entry);
      if (written !== undefined) await written;
      this.#goesOn = entry.isContinued;
      if (this.#output.end >= FULL_BYTES) await this.#flush();
    }
    this.#output.byte(RDB_END);
    await this.#flush();
    const end = Buffer.alloc(CHECKSUM_BYTES);
    this.#checksum.write(end, 0);
    await this.#put(end, 0, end.length);
  }

  #writeHead(): void {
    const { revision, timeMs } = this.#entries;
    const { aux = {}, isPreamble = false } = this.#writing;
    const version = String(RDB_VERSION).padStart(VERSION_DIGITS, "0");
    this.#output.raw(Buffer.from(`${MAGIC}${version}`, "latin1"));
    const notes = {
      "redis-ver": REDIS_OF_FILES,
      "redis-bits": "64",
      ctime: String(Math.floor(timeMs / 1000)),
      "aof-base": isPreamble ? "1" : "0",
      [AUX_VERSION]: kvdbVersion,
      [AUX_REVISION]: String(revision),
      ...aux,
    };
    for (const [name, text] of Object.entries(notes)) this.#writeNote(name, Buffer.from(text));
  }

  #writeNote(name: string, text: Buffer): void {
    this.#output.byte(RDB_AUX);
    for (const bytes of [Buffer.from(name), text]) this.#output.string(bytes, 0, bytes.length);
  }

  // ---- entries ----

  /** What stands in front of the value. */
  #begin(entry: Readonly<StoredEntry>): void {
    const output = this.#output;
    const { database, type, deadlineMs } = entry;
    if (database !== this.#database) {
      output.byte(RDB_DATABASE);
      output.length(database);
      this.#database = database;
    }
    if (type === "index") {
      this.#writeDefinition(entry);
      return;
    }
    this.keys++;
    if (type === "json") this.#writeNote(AUX_ENTRY, DOCUMENT);
    if (deadlineMs !== 0) {
      output.byte(RDB_EXPIRES_MS);
      output.moment(deadlineMs);
    }
    output.byte(CODES[type]);
    output.string(entry.keyBytes, entry.keyStart, entry.keyEnd);
    this.#left = this.#entries.elementCount;
    if (type === "stream") this.#stream.begin(this.#left);
    else if (this.#left > 0) output.length(this.#left);
  }

  #writeDefinition(entry: Readonly<StoredEntry>): void {
    const name = entry.keyBytes.toString("latin1", entry.keyStart, entry.keyEnd);
    const text = entry.valueBytes.toString("utf8", entry.valueStart, entry.valueEnd);
    this.#writeNote(AUX_INDEX, Buffer.from(`${name} ${text}`));
  }

  // ---- values ----

  #writeValue(entry: Readonly<StoredEntry>): Promise<void> | undefined {
    const { type } = entry;
    if (type === "index") return undefined;
    if (type === "stream") return this.#writeItems(entry);
    if (type !== "string" && type !== "json") return this.#writeElements(entry);
    return this.#string(entry.valueBytes, entry.valueStart, entry.valueEnd);
  }

  async #writeElements(entry: Readonly<StoredEntry>): Promise<void> {
    const elements = this.#elements;
    const { type, valueBytes, valueStart, valueEnd, isTimed } = entry;
    elements.beginRun(ENTRY_TYPES.indexOf(type), isTimed, valueBytes, valueStart, valueEnd);
    for (; elements.next(); this.#left--) {
      const { bytes, start, end, number } = elements;
      const written = this.#string(bytes, start, end);
      if (written !== undefined) await written;
      if (type === "zset") this.#output.double(number);
      else if (type === "hash") {
        this.#fields.add(number);
        const value = this.#string(bytes, elements.valueStart, elements.valueEnd);
        if (value !== undefined) await value;
      }
    }
    if (!entry.isContinued) await this.#endElements(type);
  }

  async #endElements(type: EntryType): Promise<void> {
    assert(this.#left === 0, "a value has as many elements as it says");
    if (type !== "hash") return;
    const output = this.#output;
    for (const note of this.#fields.take()) {
      output.byte(RDB_AUX);
      output.string(FIELDS, 0, FIELDS.length);
      output.length(note.end);
      await this.#writeRaw(note.bytes, 0, note.end);
    }
  }

  async #writeItems(entry: Readonly<StoredEntry>): Promise<void> {
    const items = this.#items;
    items.beginRun(entry.valueBytes as Buffer, entry.valueStart, entry.valueEnd);
    while (items.next()) this.#stream.add(items);
    if (entry.isContinued) return;
    assert(this.#stream.missing === 0, "a stream has as many entries as it says");
    const groups = this.#stream.end();
    await this.#writeRaw(groups.bytes, 0, groups.end);
  }

  // ---- bytes ----

  /** A promise when it is long: then it is not copied. */
  #string(bytes: ReadonlyBytes, start: number, end: number): Promise<void> | undefined {
    if (end - start <= LONG_BYTES) {
      this.#output.string(bytes, start, end);
      return undefined;
    }
    this.#output.length(end - start);
    return this.#writeRaw(bytes as Buffer, start, end);
  }

  async #writeRaw(bytes: Buffer, start: number, end: number): Promise<void> {
    if (end - start <= LONG_BYTES) {
      this.#output.raw(bytes.subarray(start, end));
      return;
    }
    await this.#flush();
    for (let at = start; at < end; at += PROCEED_BYTES) {
      await this.#put(bytes, at, Math.min(end, at + PROCEED_BYTES));
    }
  }

  async #flush(): Promise<void> {
    const { bytes, end } = this.#output;
    if (end === 0) return;
    await this.#put(bytes, 0, end);
    this.#output.end = 0;
  }

  async #put(bytes: Buffer, start: number, end: number): Promise<void> {
    this.#checksum.add(bytes, start, end);
    await this.#target.write(bytes, start, end);
    this.bytes += end - start;
    if (this.bytes - this.#askedAt < PROCEED_BYTES) return;
    this.#askedAt = this.bytes;
    this.#writing.proceed();
  }
}
