/**
 * Reads a file of RDB (rdb-file.ts draws it) and hands on each of its keys as entries of a checkpoint. Between two of them, and
 * between the steps of a long one, the event loop may have its turn; a string that is longer than what was read ahead is read
 * at once.
 *
 * What is damaged is an error that names path and offset. The checksum stands at the end: what was handed on counts when the
 * reading resolves, and is thrown away when it rejects.
 */
import { assert } from "../assert.ts";
import { KvdbError } from "../errors.ts";
import type { OpenFile } from "../platform/files.ts";
import type { Revision, StoredEntry } from "../plugin.ts";
import { AuxFields } from "./aux-fields.ts";
import { EntryParts } from "./entry-parts.ts";
import { FileWindow } from "./file-window.ts";
import { moduleName } from "./module-name.ts";
import { RdbDamage } from "./rdb-damage.ts";
import {
  AUX_FIELDS,
  CHECKSUM_BYTES,
  CHECKSUM_SINCE,
  MAGIC,
  MAX_DATABASE,
  VERSION_DIGITS,
} from "./rdb-file.ts";
import {
  RDB_AUX,
  RDB_DATABASE,
  RDB_END,
  RDB_EXPIRES_MS,
  RDB_EXPIRES_S,
  RDB_FREQUENCY,
  RDB_FUNCTION,
  RDB_FUNCTION_PREVIEW,
  RDB_IDLE,
  RDB_MODULE,
  RDB_MODULE_2,
  RDB_MODULE_AUX,
  RDB_SIZES,
  RDB_SLOT_INFO,
  RDB_STRING,
} from "./rdb-types.ts";
import { beginValue, type Steps } from "./value-decoder.ts";

/** What a note with deadlines begins with: its name is written in this one way. */
const DEADLINES = Buffer.from(`\xfa\x0b${AUX_FIELDS}`, "latin1");

/** The loop has its turn at least so often. */
const PROGRESS_BYTES = 1 << 17;

export interface RdbReading {
  readonly file: OpenFile;
  /** Where the RDB begins, and where the file counts as ended: an AOF may have an RDB in front. Default: the whole file. */
  readonly start?: number;
  readonly end?: number;
  /** Takes each key with its value, and each definition of an index, as entries of a checkpoint: LoadSink.entry is one. */
  entry(entry: Readonly<StoredEntry>): void;
  /** Told between entries and parts of long ones, each 128 KiB, how many bytes of all were read; a promise that it answers is awaited. */
  progress(done: number, total: number): void | Promise<void>;
  /** What entries get as their version when the file states none. Default: 1. */
  readonly revision?: Revision;
  /** How much is read at once. Default: 256 KiB. */
  readonly sliceBytes?: number;
}

export interface RdbReport {
  /** Of RDB. */
  readonly version: number;
  /** Offset behind all of it. */
  readonly end: number;
  /** Without those that had no elements. */
  readonly keys: number;
  /** The notes in front, by name, as text. */
  readonly aux: ReadonlyMap<string, string>;
  /** Everything up to here is in it; 0: it does not say. */
  readonly revision: Revision;
  /** When it was made, in milliseconds since 1970; 0: it does not say. */
  readonly timeMs: number;
  /** What was left out, for somebody to know. */
  readonly notes: readonly string[];
  /** False: whether the bytes are those that were written nobody can tell. */
  readonly hasChecksum: boolean;
}

/** Rejects with a KvdbError("DAMAGE") for what is no RDB, or has what kvdb does not know. */
export async function readRdb(reading: RdbReading): Promise<RdbReport> {
  const { file, start = 0 } = reading;
  const end = reading.end ?? (await file.size());
  const { sliceBytes } = reading;
  const range = sliceBytes === undefined ? { start, end } : { start, end, sliceBytes };
  const window = new FileWindow({ file, ...range });
  try {
    return await new FileReader(reading, window, { start, end }).run();
  } finally {
    await window.settled();
  }
}

/** What was left out, and where the first of it stood. */
interface Skipped {
  count: number;
  offset: number;
}

class FileReader {
  readonly #reading: RdbReading;
  readonly #window: FileWindow;
  readonly #start: number;
  readonly #total: number;
  readonly #parts: EntryParts;
  readonly #aux: AuxFields;
  #version = 0;
  #keys = 0;
  /** Where the part in hand begins. */
  #partAt: number;
  /** The last offset that was told of. */
  #told: number;
  /** Where keys lie that are not in the window as they are. */
  #keyBytes = Buffer.alloc(256);
  /** The rest of the value in hand, when it is a long one. */
  #long: Steps | undefined;
  readonly #functions: Skipped = { count: 0, offset: 0 };
  readonly #empty: Skipped = { count: 0, offset: 0 };
  #hasChecksum = false;

  constructor(
    reading: RdbReading,
    window: FileWindow,
    { start, end }: { start: number; end: number },
  ) {
    this.#reading = reading;
    this.#window = window;
    this.#start = start;
    this.#total = end - start;
    this.#partAt = start;
    this.#told = start;
    this.#parts = new EntryParts((entry) => reading.entry(entry));
    this.#parts.entry.version = reading.revision ?? 1;
    this.#aux = new AuxFields(this.#parts);
  }

  async run(): Promise<RdbReport> {
    try {
      await this.#window.advance();
      this.#readFront();
      while (await this.#readSlice());
    } catch (error) {
      throw this.#placed(error);
    }
    const { revision, timeMs, fields } = this.#aux;
    return {
      version: this.#version,
      end: this.#window.offset,
      keys: this.#keys,
      aux: fields,
      revision,
      timeMs,
      notes: this.#notes(),
      hasChecksum: this.#hasChecksum,
    };
  }

  #readFront(): void {
    const window = this.#window;
    const at = window.take(MAGIC.length + VERSION_DIGITS);
    const text = window.bytes.toString("latin1", at, window.at);
    const digits = text.slice(MAGIC.length);
    this.#version = /^\d{4}$/.test(digits) ? Number(digits) : 0;
    if (!text.startsWith(MAGIC) || this.#version === 0) throw new RdbDamage("it is no RDB file");
  }

  /** Reads as far as the window goes, or until somebody is to be told of it. False: that was the end. */
  async #readSlice(): Promise<boolean> {
    const window = this.#window;
    if (window.isLow) await window.advance();
    do {
      if (!this.#readPart()) return false;
      if (this.#long !== undefined) await this.#readLong(this.#long);
    } while (!window.isLow && !this.#isTime);
    if (this.#isTime) await this.#tell();
    return true;
  }

  get #isTime(): boolean {
    return this.#window.offset - this.#told >= PROGRESS_BYTES;
  }

  async #tell(): Promise<void> {
    this.#told = this.#window.offset;
    await this.#reading.progress(this.#told - this.#start, this.#total);
  }

  /** False: that was the end. */
  #readPart(): boolean {
    const window = this.#window;
    this.#partAt = window.offset;
    const code = window.byte();
    if (code < RDB_SLOT_INFO) this.#readKey(code);
    else if (code === RDB_END) {
      this.#readEnd();
      return false;
    } else this.#readMark(code);
    return true;
  }

  // ---- keys ----

  #readKey(type: number): void {
    const parts = this.#parts;
    this.#readName();
    if (parts.isDocument && type !== RDB_STRING) throw new RdbDamage("a document is no string");
    if (type === RDB_MODULE || type === RDB_MODULE_2) throw this.#ofModule("a value");
    parts.count = 0;
    this.#long = beginValue(type, this.#window, parts);
    if (this.#long === undefined) this.#endKey();
  }

  /** A long value: between its steps all is as it is between two keys. */
  async #readLong(steps: Steps): Promise<void> {
    this.#keepKey();
    while (steps.next().done !== true) {
      if (this.#window.isLow) await this.#window.advance();
      if (this.#isTime) await this.#tell();
    }
    this.#long = undefined;
    this.#endKey();
  }

  #endKey(): void {
    const parts = this.#parts;
    if (parts.isHeld) this.#readDeadlines();
    if (parts.end()) this.#keys++;
    else skip(this.#empty, this.#partAt);
    parts.entry.deadlineMs = 0;
    parts.isDocument = false;
  }

  #readName(): void {
    const window = this.#window;
    const { entry } = this.#parts;
    window.readString();
    entry.keyBytes = window.text;
    entry.keyStart = window.from;
    entry.keyEnd = window.to;
    if (window.isScratch) this.#keepKey();
  }

  /** The key is where nothing that is read takes its place. */
  #keepKey(): void {
    const { entry } = this.#parts;
    const size = entry.keyEnd - entry.keyStart;
    if (entry.keyBytes === this.#keyBytes) return;
    if (size > this.#keyBytes.length) this.#keyBytes = Buffer.allocUnsafe(2 * size);
    entry.keyBytes.copy(this.#keyBytes, 0, entry.keyStart, entry.keyEnd);
    entry.keyBytes = this.#keyBytes;
    entry.keyStart = 0;
    entry.keyEnd = size;
  }

  /** Those of the hash that was read, if they follow it. */
  #readDeadlines(): void {
    const window = this.#window;
    if (!window.startsWith(DEADLINES)) return;
    const deadlines = this.#parts.beginDeadlines();
    while (window.startsWith(DEADLINES)) {
      this.#partAt = window.offset;
      window.take(DEADLINES.length);
      window.readString();
      deadlines.read(window.text, window.from, window.to);
    }
    deadlines.end();
  }

  // ---- what is no key ----

  #readMark(code: number): void {
    const window = this.#window;
    const { entry } = this.#parts;
    if (code === RDB_AUX) this.#aux.read(window);
    else if (code === RDB_EXPIRES_MS) entry.deadlineMs = deadline(window.moment(), -1);
    else if (code === RDB_EXPIRES_S) {
      entry.deadlineMs = deadline(1000 * window.bytes.readInt32LE(window.take(4)), -1000);
    } else if (code === RDB_DATABASE) entry.database = database(window.length());
    else if (code === RDB_SIZES) skipLengths(window, 2);
    else if (code === RDB_IDLE) skipLengths(window, 1);
    else if (code === RDB_FREQUENCY) window.take(1);
    else if (code === RDB_SLOT_INFO) skipLengths(window, 3);
    else if (code === RDB_MODULE_AUX) throw this.#ofModule("data");
    else this.#readFunctions(code);
  }

  #readFunctions(code: number): void {
    const window = this.#window;
    skip(this.#functions, this.#partAt);
    window.readString();
    if (code === RDB_FUNCTION) return;
    assert(code === RDB_FUNCTION_PREVIEW, "the last of the codes");
    window.readString();
    if (window.length() !== 0) window.readString();
    window.readString();
  }

  /** Redis refuses it too, unless it has the module: what the module has kept would be lost. */
  #ofModule(what: string): RdbDamage {
    return new RdbDamage(`it has ${what} of the module "${moduleName(this.#window.length64())}"`);
  }

  #readEnd(): void {
    if (this.#version < CHECKSUM_SINCE) return;
    const window = this.#window;
    window.sum();
    const at = window.take(CHECKSUM_BYTES);
    const { bytes } = window;
    this.#hasChecksum = bytes.readBigUInt64LE(at) !== 0n;
    if (this.#hasChecksum && !window.checksum.isAt(bytes, at)) {
      throw new RdbDamage("the checksum is another one: it is not what was written");
    }
  }

  // ---- what is told ----

  #notes(): string[] {
    const notes: string[] = [];
    const add = ({ count, offset }: Skipped, what: string) => {
      if (count > 0) notes.push(`${count} ${what}, the first at offset ${offset}`);
    };
    add(this.#functions, "libraries of functions are left out");
    add(this.#empty, "keys without elements are left out");
    return notes;
  }

  /** What is thrown says where it happened; what the system said has its path already. */
  #placed(error: unknown): unknown {
    const { path } = this.#reading.file;
    const place = `${path}: the RDB at offset ${this.#partAt}`;
    if (error instanceof RdbDamage) {
      const { offset } = this.#window;
      const reached = offset > this.#partAt ? ` (read up to ${offset})` : "";
      return new KvdbError("DAMAGE", `${place}${reached}: ${error.message}`, { cause: error });
    }
    const isOfEntry =
      error instanceof KvdbError && (error.code === "DAMAGE" || error.code === "CONFIG");
    return isOfEntry ? error.prefix(place) : error;
  }
}

function skip(skipped: Skipped, offset: number): void {
  if (skipped.count++ === 0) skipped.offset = offset;
}

/** As entries have it, where 0 says that the key stays: as `never` does here. What was over before 1970 still is. */
function deadline(ms: number, never: number): number {
  return ms === never ? 0 : Math.max(ms, 1);
}

function database(number: number): number {
  if (number > MAX_DATABASE) throw new RdbDamage(`there is no database ${number}`);
  return number;
}

function skipLengths(window: FileWindow, count: number): void {
  for (; count > 0; count--) window.length64();
}
