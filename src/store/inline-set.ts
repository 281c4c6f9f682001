/**
 * The small forms of a set, inline in its entry: sorted integers (integer-set.ts), or a run of strings (packed-run.ts). What
 * they may hold is for sets.ts to say; here each operation works on the form that the entry has.
 *
 * A handle names a member until the set changes: the index of an integer, the offset of a string in the run.
 */
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import type { Database } from "./database.ts";
import {
  encodingOf,
  INTEGERS,
  PACKED,
  runBytes,
  runCount,
  SET,
  valueAt,
  valueWord,
} from "./entry.ts";
import { Integer, MAX_INTEGER_BYTES, widen } from "./integer-set.ts";
import {
  afterString,
  contentAt,
  findInRun,
  lengthAt,
  stringSpan,
  writeString,
} from "./packed-run.ts";
import { Member } from "./set-member.ts";

const PACKED_KIND = SET | (PACKED << 4);
const INTEGERS_KIND = SET | (INTEGERS << 4);

export class InlineSet {
  readonly #arena: Arena;
  /** The one in hand: what `takeInteger` read. */
  readonly #integer = new Integer();
  readonly #member = new Member();
  /** Where a run is put together that takes the place of another. */
  #scratch = Buffer.alloc(0);

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  // ---- reading ----

  /** The handle of the member bytes[start, end); negative: it is none. */
  find(entry: number, bytes: ReadonlyBytes, start: number, end: number): number {
    if (encodingOf(this.#arena, entry) === INTEGERS) {
      return this.takeInteger(bytes, start, end) ? this.searchIntegers(entry) : -1;
    }
    const run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const at = valueAt(this.#arena, entry);
    const runEnd = at + runBytes(valueWord(this.#arena, entry));
    const found = findInRun(run, at, runEnd, 1, 0, bytes, start, end);
    return found < 0 ? -1 : found - at;
  }

  /** The handle of the member that is `index` members from the first. */
  handleAt(entry: number, index: number): number {
    if (encodingOf(this.#arena, entry) === INTEGERS) return index;
    const run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const start = valueAt(this.#arena, entry);
    let at = start;
    for (let i = 0; i < index; i++) at = afterString(run, at);
    return at - start;
  }

  /** Lets `member` be the one with this handle. */
  read(entry: number, handle: number, member: Member): void {
    const run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const at = valueAt(this.#arena, entry);
    member.handle = handle;
    if (encodingOf(this.#arena, entry) === PACKED) {
      member.bytes = run;
      member.start = contentAt(run, at + handle);
      member.end = afterString(run, at + handle);
      return;
    }
    const word = valueWord(this.#arena, entry);
    const width = runBytes(word) / runCount(word);
    this.#integer.read(run, at + handle * width, width);
    member.bytes = member.text;
    member.start = 0;
    member.end = this.#integer.writeText(member.text, 0);
  }

  // ---- integers ----

  /** Whether the text is an integer, which then is the one in hand. */
  takeInteger(bytes: ReadonlyBytes, start: number, end: number): boolean {
    return this.#integer.readText(bytes, start, end);
  }

  /** See Integer.search: the place of the integer in hand. */
  searchIntegers(entry: number): number {
    const run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const word = valueWord(this.#arena, entry);
    const count = runCount(word);
    return this.#integer.search(run, valueAt(this.#arena, entry), count, runBytes(word) / count);
  }

  /** Makes a set of the integer in hand for the key, which the database has just missed. */
  createIntegers(database: Database, key: ReadonlyBytes, start: number, end: number): number {
    const { width } = this.#integer;
    const entry = database.create(key, start, end, INTEGERS_KIND, width, 1);
    this.#writeInteger(entry, database.valueStart, width);
    return entry;
  }

  /** Puts the integer in hand in front of that with the index `index`; all are as wide as the widest. */
  insertInteger(database: Database, entry: number, index: number): number {
    const word = valueWord(this.#arena, entry);
    const count = runCount(word);
    const wanted = this.#integer.width;
    let width = count === 0 ? wanted : runBytes(word) / count;
    let target = entry;
    if (wanted > width) {
      target = this.#widen(database, entry, width, wanted);
      width = wanted;
    }
    target = database.splice(target, INTEGERS_KIND, index * width, 0, width, count + 1);
    this.#writeInteger(target, database.valueStart + index * width, width);
    return target;
  }

  #widen(database: Database, entry: number, width: number, wider: number): number {
    const arena = this.#arena;
    const count = runCount(valueWord(arena, entry));
    const scratch = this.#reserve(count * wider);
    const from = { run: arena.bytes[entry >>> CHUNK_SHIFT], at: valueAt(arena, entry), width };
    widen(from, { run: scratch, at: 0, width: wider }, count);
    return this.#replaceRun(database, entry, INTEGERS_KIND, count * wider, count);
  }

  /** The longest text is that of the least or of the greatest. */
  longestText(entry: number): number {
    this.read(entry, 0, this.#member);
    const first = this.#member.end;
    this.read(entry, runCount(valueWord(this.#arena, entry)) - 1, this.#member);
    return Math.max(first, this.#member.end);
  }

  /** Makes strings of the integers. */
  toPacked(database: Database, entry: number): number {
    const count = runCount(valueWord(this.#arena, entry));
    const scratch = this.#reserve(count * (MAX_INTEGER_BYTES + 1));
    let size = 0;
    for (let i = 0; i < count; i++) {
      this.read(entry, i, this.#member);
      size = writeString(scratch, size, this.#member.text, 0, this.#member.end);
    }
    return this.#replaceRun(database, entry, PACKED_KIND, size, count);
  }

  // ---- strings ----

  /** Makes a set of one string for the key, which the database has just missed. */
  createPacked(
    database: Database,
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const span = stringSpan(end - start);
    const entry = database.create(key, keyStart, keyEnd, PACKED_KIND, span, 1);
    this.#writeString(entry, database.valueStart, bytes, start, end);
    return entry;
  }

  append(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const word = valueWord(this.#arena, entry);
    const size = runBytes(word);
    const span = stringSpan(end - start);
    const target = database.splice(entry, PACKED_KIND, size, 0, span, runCount(word) + 1);
    this.#writeString(target, database.valueStart + size, bytes, start, end);
    return target;
  }

  // ---- removing ----

  /** Removes the member with this handle; answers the entry, 0 when that was the last. */
  remove(database: Database, entry: number, handle: number): number {
    const arena = this.#arena;
    const word = valueWord(arena, entry);
    const count = runCount(word);
    if (count === 1) {
      database.remove(entry);
      return 0;
    }
    if (encodingOf(arena, entry) === PACKED) {
      const run = arena.bytes[entry >>> CHUNK_SHIFT];
      const span = stringSpan(lengthAt(run, valueAt(arena, entry) + handle));
      return database.splice(entry, PACKED_KIND, handle, span, 0, count - 1);
    }
    const width = runBytes(word) / count;
    return database.splice(entry, INTEGERS_KIND, handle * width, width, 0, count - 1);
  }

  // ---- writing runs ----

  #reserve(bytes: number): Buffer {
    if (this.#scratch.length < bytes) this.#scratch = Buffer.alloc(bytes);
    return this.#scratch;
  }

  /** Lets the run be the first bytes of the scratch. */
  #replaceRun(
    database: Database,
    entry: number,
    kind: number,
    size: number,
    count: number,
  ): number {
    const old = runBytes(valueWord(this.#arena, entry));
    const target = database.splice(entry, kind, 0, old, size, count);
    const at = database.valueStart;
    copyBytes(this.#scratch, 0, this.#editRun(target, at, size), at, size);
    return target;
  }

  #writeInteger(entry: number, at: number, width: number): void {
    this.#integer.write(this.#editRun(entry, at, width), at, width);
  }

  #writeString(entry: number, at: number, bytes: ReadonlyBytes, start: number, end: number): void {
    const span = stringSpan(end - start);
    writeString(this.#editRun(entry, at, span), at, bytes, start, end);
  }

  /** The chunk of the entry, to write `size` bytes at `at` of it. */
  #editRun(entry: number, at: number, size: number): Buffer {
    const first = at >>> 3;
    return this.#arena.edit((entry & ~UNIT_MASK) | first, ((at + size + 7) >>> 3) - first);
  }
}
