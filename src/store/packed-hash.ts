/**
 * A small hash: the packed run inline in its entry (packed-run.ts), (field value)* or, once a field has had a deadline,
 * (field value deadline)*. In the order in which fields came. Every look-up goes through the run, which is as short as
 * the limits say (collections.ts).
 *
 * Operations take what `database.find` answered last and answer the entry, perhaps moved. Not when a run is too long for
 * its limits, and not what becomes of reminders: hashes.ts.
 */
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import type { Database } from "./database.ts";
import {
  encodingOf,
  entryUnits,
  HASH,
  kindOf,
  LONG_KEY,
  runBytes,
  runCount,
  TIMED,
  valueAt,
  valueWord,
} from "./entry.ts";
import { HashField } from "./hash-field.ts";
import {
  afterString,
  findInRun,
  NUMBER_BYTES,
  numberAt,
  stringSpan,
  writeNumber,
  writeString,
} from "./packed-run.ts";

const TIMED_KIND = HASH | (TIMED << 4);

export class PackedHash {
  readonly #arena: Arena;
  readonly #field = new HashField();
  /** Where a run is made that takes the place of another one. */
  #scratch = Buffer.alloc(0);

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  run(entry: number): Buffer {
    return this.#arena.bytes[entry >>> CHUNK_SHIFT] as Buffer;
  }

  end(entry: number): number {
    return valueAt(this.#arena, entry) + runBytes(valueWord(this.#arena, entry));
  }

  count(entry: number): number {
    return runCount(valueWord(this.#arena, entry));
  }

  /** Where the group with this field begins in the chunk of the entry, or -1. */
  find(entry: number, bytes: ReadonlyBytes, start: number, end: number): number {
    const arena = this.#arena;
    const at = valueAt(arena, entry);
    const runEnd = at + runBytes(valueWord(arena, entry));
    return findInRun(this.run(entry), at, runEnd, 2, this.#tail(entry), bytes, start, end);
  }

  #tail(entry: number): number {
    return encodingOf(this.#arena, entry) === TIMED ? NUMBER_BYTES : 0;
  }

  /** The bytes that the entry lies in, to write what `splice` has just made room for. */
  #edit(entry: number): Buffer {
    return this.#arena.edit(entry, entryUnits(this.#arena, entry));
  }

  /** Adds a field that is not there, without a deadline. */
  add(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    value: ReadonlyBytes,
    valueStart: number,
    valueEnd: number,
  ): number {
    const size = runBytes(valueWord(this.#arena, entry));
    const tail = this.#tail(entry);
    const added = stringSpan(end - start) + stringSpan(valueEnd - valueStart) + tail;
    const kind = kindOf(this.#arena, entry);
    const target = database.splice(entry, kind, size, 0, added, this.count(entry) + 1);
    const run = this.#edit(target);
    const at = writeString(run, database.valueStart + size, bytes, start, end);
    const last = writeString(run, at, value, valueStart, valueEnd);
    if (tail !== 0) writeNumber(run, last, 0);
    return target;
  }

  /** Gives the field of the group at `at` another value. */
  replace(
    database: Database,
    entry: number,
    at: number,
    value: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const run = this.run(entry);
    const from = afterString(run, at);
    const offset = from - valueAt(this.#arena, entry);
    const removed = afterString(run, from) - from;
    const size = stringSpan(end - start);
    const kind = kindOf(this.#arena, entry);
    const target = database.splice(entry, kind, offset, removed, size, this.count(entry));
    writeString(this.#edit(target), database.valueStart + offset, value, start, end);
    return target;
  }

  /**
   * The most frequent change: writes a value over one of the same short length, and touches nothing else. False when it is
   * not that, or the field may have a deadline.
   */
  overwrite(entry: number, at: number, value: ReadonlyBytes, start: number, end: number): boolean {
    const run = this.run(entry);
    const size = end - start;
    const from = afterString(run, at);
    if (run[from] !== size || size >= LONG_KEY || this.#tail(entry) !== 0) return false;
    const unit = from >>> 3;
    const address = (entry & ~UNIT_MASK) | unit | 0;
    const bytes = this.#arena.edit(address, ((from + size + 8) >>> 3) - unit);
    copyBytes(value, start, bytes, from + 1, size);
    return true;
  }

  /** Takes the group at `at` out; the last one of a hash goes with its key. Answers the entry, 0: it is gone. */
  remove(database: Database, entry: number, at: number): number {
    const count = this.count(entry);
    if (count === 1) {
      database.remove(entry);
      return 0;
    }
    const size = this.#field.readRun(this.run(entry), at, this.#tail(entry) !== 0) - at;
    const offset = at - valueAt(this.#arena, entry);
    return database.splice(entry, kindOf(this.#arena, entry), offset, size, 0, count - 1);
  }

  // ---- deadlines ----

  /** Of the group at `at`; 0: none. */
  deadline(entry: number, at: number): number {
    if (this.#tail(entry) === 0) return 0;
    const run = this.run(entry);
    return numberAt(run, afterString(run, afterString(run, at)));
  }

  /** The earliest deadline, 0: there is none. */
  firstDeadline(entry: number): number {
    if (this.#tail(entry) === 0) return 0;
    const run = this.run(entry);
    const end = this.end(entry);
    let first = 0;
    for (let at = valueAt(this.#arena, entry); at < end; ) {
      at = this.#field.readRun(run, at, true);
      const { deadlineMs } = this.#field;
      if (deadlineMs !== 0 && (first === 0 || deadlineMs < first)) first = deadlineMs;
    }
    return first;
  }

  /** The first group whose deadline is not after `nowMs`, or -1. */
  findOver(entry: number, nowMs: number): number {
    const run = this.run(entry);
    const end = this.end(entry);
    for (let at = valueAt(this.#arena, entry); at < end; ) {
      const next = this.#field.readRun(run, at, true);
      if (this.#field.deadlineMs !== 0 && this.#field.deadlineMs <= nowMs) return at;
      at = next;
    }
    return -1;
  }

  /** Gives the group at `at` of a timed run a deadline. */
  setDeadline(database: Database, entry: number, at: number, deadlineMs: number): number {
    const run = this.run(entry);
    const offset = afterString(run, afterString(run, at)) - valueAt(this.#arena, entry);
    const count = this.count(entry);
    const target = database.splice(entry, TIMED_KIND, offset, NUMBER_BYTES, NUMBER_BYTES, count);
    writeNumber(this.#edit(target), database.valueStart + offset, deadlineMs);
    return target;
  }

  /** Makes room for a deadline behind each field. */
  makeTimed(database: Database, entry: number): number {
    const run = this.run(entry);
    const size = runBytes(valueWord(this.#arena, entry));
    const count = this.count(entry);
    const timedSize = size + count * NUMBER_BYTES;
    if (this.#scratch.length < timedSize) this.#scratch = Buffer.alloc(2 * timedSize);
    let to = 0;
    const end = this.end(entry);
    for (let at = valueAt(this.#arena, entry); at < end; ) {
      const next = afterString(run, afterString(run, at));
      to += run.copy(this.#scratch, to, at, next);
      to = writeNumber(this.#scratch, to, 0);
      at = next;
    }
    const target = database.splice(entry, TIMED_KIND, 0, size, timedSize, count);
    this.#scratch.copy(this.#edit(target), database.valueStart, 0, timedSize);
    return target;
  }
}
