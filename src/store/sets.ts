/**
 * Sets in their three forms behind one set of operations. The smaller forms are inline in the entry:
 *
 *   INTEGERS    sorted integers (integer-set.ts), while all members are integers and no more than `setIntegers`
 *   PACKED      a run of strings (packed-run.ts), up to `setEntries` members of at most `setValueBytes` each
 *   STRUCTURE   a dictionary (big-set.ts), from then on
 *
 * A set never goes back to a smaller form, as in Redis. One without members exists only for a moment, while a checkpoint is
 * read: it is PACKED then, and the first member decides.
 *
 * A member is named by a handle, good until the set changes: its index, its offset in the run, its address in the structure.
 * Operations that change take the entry that the database found last, and answer it, perhaps moved; 0: the set is gone, since
 * its last member is.
 */
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { BigSet } from "./big-set.ts";
import type { CollectionHost, CollectionLimits } from "./collections.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT } from "./database-record.ts";
import { SEGMENT_SLOTS } from "./dictionary.ts";
import type { ElementPart } from "./element-part.ts";
import {
  encodingOf,
  INTEGERS,
  MAX_RUN_BYTES,
  MAX_RUN_COUNT,
  PACKED,
  runBytes,
  runCount,
  SET,
  STRUCTURE,
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
import { StructureEdit } from "./structure.ts";
import type { Elements, ValueType } from "./value-types.ts";

const PACKED_KIND = SET | (PACKED << 4);
const INTEGERS_KIND = SET | (INTEGERS << 4);
const STRUCTURE_KIND = SET | (STRUCTURE << 4);

const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);

/** A member as bytes[start, end): where it lies, or the text of an integer. Good until the set changes. */
export class Member {
  bytes: ReadonlyBytes = NO_BYTES;
  start = 0;
  end = 0;
  handle = 0;
  readonly text = Buffer.alloc(MAX_INTEGER_BYTES);
}

export class Sets implements ValueType {
  /** Whether the last operation that could change the set did. */
  hasChanged = false;
  readonly big: BigSet;
  readonly limits: CollectionLimits;
  readonly #arena: Arena;
  readonly #edit: StructureEdit;
  readonly #integer = new Integer();
  readonly #member = new Member();
  readonly #found = new Int32Array(SEGMENT_SLOTS);
  /** Where a run is put together that takes the place of another. */
  #scratch = Buffer.alloc(0);

  constructor(host: CollectionHost) {
    this.#arena = host.arena;
    this.limits = host.limits;
    this.big = new BigSet(host.arena, host.hashKey0, host.hashKey1);
    this.#edit = new StructureEdit(host.arena);
  }

  // ---- reading ----

  /** Members of the entry's set; 0 for no entry. */
  count(entry: number): number {
    if (entry === 0) return 0;
    const word = valueWord(this.#arena, entry);
    return encodingOf(this.#arena, entry) === STRUCTURE ? this.big.count(word) : runCount(word);
  }

  has(entry: number, bytes: ReadonlyBytes, start: number, end: number): boolean {
    const encoding = encodingOf(this.#arena, entry);
    if (encoding === STRUCTURE) {
      return this.big.find(valueWord(this.#arena, entry), bytes, start, end) !== 0;
    }
    if (encoding === PACKED) return this.#findPacked(entry, bytes, start, end) >= 0;
    return this.#findInteger(entry, bytes, start, end) >= 0;
  }

  /** Offset in the run of the member, or -1. */
  #findPacked(entry: number, bytes: ReadonlyBytes, start: number, end: number): number {
    const run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const at = valueAt(this.#arena, entry);
    const runEnd = at + runBytes(valueWord(this.#arena, entry));
    const found = findInRun(run, at, runEnd, 1, 0, bytes, start, end);
    return found < 0 ? -1 : found - at;
  }

  /** See Integer.search: of the integer that was read last. */
  #searchIntegers(entry: number): number {
    const run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const word = valueWord(this.#arena, entry);
    const count = runCount(word);
    return this.#integer.search(run, valueAt(this.#arena, entry), count, runBytes(word) / count);
  }

  /** Lets `member` be the one with this handle. */
  read(entry: number, handle: number, member: Member): void {
    const encoding = encodingOf(this.#arena, entry);
    member.handle = handle;
    if (encoding === STRUCTURE) {
      this.readBig(handle, member);
      return;
    }
    const run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const at = valueAt(this.#arena, entry);
    if (encoding === PACKED) {
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

  /** The same of a member of a structure, whatever set that is. */
  readBig(handle: number, member: Member): void {
    member.handle = handle;
    member.bytes = this.#arena.bytes[handle >>> CHUNK_SHIFT];
    member.start = this.big.startOf(handle);
    member.end = member.start + this.big.size(handle);
  }

  /** Lets `member` be one that is picked uniformly at random. */
  pick(entry: number, below: (bound: number) => number, member: Member): void {
    const encoding = encodingOf(this.#arena, entry);
    const word = valueWord(this.#arena, entry);
    if (encoding === STRUCTURE) {
      this.readBig(this.big.random(word, below), member);
      return;
    }
    const index = below(runCount(word));
    this.read(entry, encoding === PACKED ? this.#offsetOf(entry, index) : index, member);
  }

  #offsetOf(entry: number, index: number): number {
    const run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const start = valueAt(this.#arena, entry);
    let at = start;
    for (let i = 0; i < index; i++) at = afterString(run, at);
    return at - start;
  }

  // ---- adding ----

  /** Makes a set of one member for the key, which the database has just missed. */
  create(
    database: Database,
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    this.hasChanged = true;
    const { limits } = this;
    if (limits.setIntegers > 0 && this.#integer.readText(bytes, start, end)) {
      const { width } = this.#integer;
      const entry = database.create(key, keyStart, keyEnd, INTEGERS_KIND, width, 1);
      this.#writeInteger(entry, database.valueStart, width);
      return entry;
    }
    const span = stringSpan(end - start);
    if (limits.setEntries === 0 || end - start > limits.setValueBytes || span > MAX_RUN_BYTES) {
      const empty = database.create(key, keyStart, keyEnd, PACKED_KIND, 0, 0);
      return this.#addBig(database, this.#toStructure(database, empty), bytes, start, end);
    }
    const entry = database.create(key, keyStart, keyEnd, PACKED_KIND, span, 1);
    this.#writeString(entry, database.valueStart, bytes, start, end);
    return entry;
  }

  add(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    mayBeIntegers = true,
  ): number {
    const encoding = encodingOf(this.#arena, entry);
    if (encoding === STRUCTURE) return this.#addBig(database, entry, bytes, start, end);
    if (encoding === INTEGERS) return this.#addInteger(database, entry, bytes, start, end);
    if (runCount(valueWord(this.#arena, entry)) === 0 && mayBeIntegers) {
      return this.#addFirst(database, entry, bytes, start, end);
    }
    return this.#addPacked(database, entry, bytes, start, end);
  }

  #addBig(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const root = valueWord(this.#arena, entry);
    this.#edit.begin(database.record + D_ACCOUNT);
    this.hasChanged = this.big.add(root, bytes, start, end);
    this.#edit.end(root);
    if (this.hasChanged) database.touch(entry);
    return entry;
  }

  #addFirst(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    if (this.limits.setIntegers === 0 || !this.#integer.readText(bytes, start, end)) {
      return this.#addPacked(database, entry, bytes, start, end);
    }
    return this.#insertInteger(database, entry, 0, this.#integer.width);
  }

  #addInteger(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const word = valueWord(this.#arena, entry);
    const count = runCount(word);
    let width = runBytes(word) / count;
    const isInteger = this.#integer.readText(bytes, start, end);
    const place = isInteger ? this.#searchIntegers(entry) : 0;
    this.hasChanged = !isInteger || place < 0;
    if (!this.hasChanged) return entry;
    if (!isInteger || count >= Math.min(this.limits.setIntegers, MAX_RUN_COUNT)) {
      const left = this.#leaveIntegers(database, entry, end - start);
      return this.add(database, left, bytes, start, end);
    }
    let target = entry;
    if (this.#integer.width > width) {
      target = this.#widen(database, entry, width, this.#integer.width);
      ({ width } = this.#integer);
    }
    return this.#insertInteger(database, target, -1 - place, width);
  }

  #insertInteger(database: Database, entry: number, index: number, width: number): number {
    this.hasChanged = true;
    const count = runCount(valueWord(this.#arena, entry));
    const target = database.splice(entry, INTEGERS_KIND, index * width, 0, width, count + 1);
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

  /** Makes the set of integers a packed one, or a structure when that has no room for one member more, of so many bytes. */
  #leaveIntegers(database: Database, entry: number, added: number): number {
    const { setEntries, setValueBytes } = this.limits;
    const count = runCount(valueWord(this.#arena, entry));
    const longest = Math.max(added, this.#longestText(entry));
    const isSmall = count < Math.min(setEntries, MAX_RUN_COUNT) && longest <= setValueBytes;
    if (!isSmall) return this.#toStructure(database, entry);
    const scratch = this.#reserve(count * (MAX_INTEGER_BYTES + 1));
    let size = 0;
    for (let i = 0; i < count; i++) {
      this.read(entry, i, this.#member);
      size = writeString(scratch, size, this.#member.text, 0, this.#member.end);
    }
    return this.#replaceRun(database, entry, PACKED_KIND, size, count);
  }

  /** The longest text is that of the least or of the greatest. */
  #longestText(entry: number): number {
    this.read(entry, 0, this.#member);
    const first = this.#member.end;
    this.read(entry, runCount(valueWord(this.#arena, entry)) - 1, this.#member);
    return Math.max(first, this.#member.end);
  }

  #addPacked(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    this.hasChanged = this.#findPacked(entry, bytes, start, end) < 0;
    if (!this.hasChanged) return entry;
    const { setEntries, setValueBytes } = this.limits;
    const word = valueWord(this.#arena, entry);
    const count = runCount(word);
    const size = runBytes(word);
    const span = stringSpan(end - start);
    const fits = count < Math.min(setEntries, MAX_RUN_COUNT) && size + span <= MAX_RUN_BYTES;
    if (!fits || end - start > setValueBytes) {
      return this.#addBig(database, this.#toStructure(database, entry), bytes, start, end);
    }
    const target = database.splice(entry, PACKED_KIND, size, 0, span, count + 1);
    this.#writeString(target, database.valueStart + size, bytes, start, end);
    return target;
  }

  /** Makes the inline set a structure. */
  #toStructure(database: Database, entry: number): number {
    const word = valueWord(this.#arena, entry);
    const isPacked = encodingOf(this.#arena, entry) === PACKED;
    const last = isPacked ? runBytes(word) : runCount(word);
    const member = this.#member;
    this.#edit.begin(database.record + D_ACCOUNT);
    const root = this.big.create();
    for (let handle = 0; handle < last; ) {
      this.read(entry, handle, member);
      this.big.add(root, member.bytes, member.start, member.end);
      handle += isPacked ? stringSpan(member.end - member.start) : 1;
    }
    this.#edit.end(root);
    return database.setStructure(entry, STRUCTURE_KIND, root);
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

  // ---- removing ----

  remove(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const encoding = encodingOf(this.#arena, entry);
    if (encoding === STRUCTURE) {
      const root = valueWord(this.#arena, entry);
      const member = this.big.find(root, bytes, start, end);
      this.hasChanged = member !== 0;
      return this.hasChanged ? this.#removeBig(database, entry, root, member) : entry;
    }
    const handle =
      encoding === PACKED
        ? this.#findPacked(entry, bytes, start, end)
        : this.#findInteger(entry, bytes, start, end);
    this.hasChanged = handle >= 0;
    return this.hasChanged ? this.removeFound(database, entry, handle) : entry;
  }

  #findInteger(entry: number, bytes: ReadonlyBytes, start: number, end: number): number {
    return this.#integer.readText(bytes, start, end) ? this.#searchIntegers(entry) : -1;
  }

  /** Removes the member that was looked up or picked last. */
  removeFound(database: Database, entry: number, handle: number): number {
    const arena = this.#arena;
    const word = valueWord(arena, entry);
    const encoding = encodingOf(arena, entry);
    if (encoding === STRUCTURE) return this.#removeBig(database, entry, word, handle);
    const count = runCount(word);
    if (count === 1) {
      database.remove(entry);
      return 0;
    }
    if (encoding === PACKED) {
      const span = stringSpan(
        lengthAt(arena.bytes[entry >>> CHUNK_SHIFT], valueAt(arena, entry) + handle),
      );
      return database.splice(entry, PACKED_KIND, handle, span, 0, count - 1);
    }
    const width = runBytes(word) / count;
    return database.splice(entry, INTEGERS_KIND, handle * width, width, 0, count - 1);
  }

  #removeBig(database: Database, entry: number, root: number, member: number): number {
    this.#edit.begin(database.record + D_ACCOUNT);
    this.big.removeFound(root, member);
    this.#edit.end(root);
    if (this.big.count(root) === 0) {
      database.remove(entry);
      return 0;
    }
    database.touch(entry);
    return entry;
  }

  /** Gives the key, which `find` just answered with `entry`, an empty set; members are added next. */
  replace(
    database: Database,
    entry: number,
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
  ): number {
    return database.put(entry, key, keyStart, keyEnd, PACKED_KIND, 0, 0, 0);
  }

  // ---- for those who do not know the type ----

  reap(root: number): boolean {
    return this.big.reap(root);
  }

  writePart(entry: number, part: ElementPart): boolean {
    const arena = this.#arena;
    const word = valueWord(arena, entry);
    const encoding = encodingOf(arena, entry);
    if (encoding === STRUCTURE) return this.#writeBigPart(word, part);
    if (encoding === PACKED) {
      const at = valueAt(arena, entry);
      part.borrow(arena.bytes[entry >>> CHUNK_SHIFT] as Buffer, at, at + runBytes(word));
      return true;
    }
    const count = runCount(word);
    while (part.place < count && !part.isFull) {
      this.read(entry, part.place++, this.#member);
      part.string(this.#member.text, 0, this.#member.end);
    }
    return part.place === count;
  }

  /** `place` is the index of a segment in the directory, `subplace` of a member in the segment. */
  #writeBigPart(root: number, part: ElementPart): boolean {
    const member = this.#member;
    while (!part.isFull) {
      const next = this.big.membersOfSegment(root, part.place, this.#found);
      const count = this.big.foundCount;
      while (part.subplace < count && !part.isFull) {
        this.readBig(this.#found[part.subplace++], member);
        part.string(member.bytes, member.start, member.end);
      }
      if (part.subplace < count) return false;
      if (next === 0) return true;
      part.place = next;
      part.subplace = 0;
    }
    return false;
  }

  readPart(database: Database, entry: number, elements: Elements): number {
    const { run, end, isCopy } = elements;
    let { at } = elements;
    let target = entry;
    while (at < end) {
      const after = afterString(run, at);
      if (after > end) throw new RangeError("a member is longer than its run");
      target = this.add(database, target, run, contentAt(run, at), after, isCopy !== true);
      at = after;
    }
    return target;
  }
}
