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
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes } from "./arena.ts";
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
import { InlineSet } from "./inline-set.ts";
import { afterString, contentAt, stringSpan } from "./packed-run.ts";
import { SetElements } from "./set-elements.ts";
import { Member } from "./set-member.ts";
import { StructureEdit } from "./structure.ts";
import type { Elements, InlineValue, ValueType } from "./value-types.ts";

const PACKED_KIND = SET | (PACKED << 4);
const STRUCTURE_KIND = SET | (STRUCTURE << 4);

export class Sets implements ValueType {
  /** Whether the last operation that could change the set did. */
  hasChanged = false;
  readonly big: BigSet;
  readonly limits: CollectionLimits;
  readonly #arena: Arena;
  readonly #edit: StructureEdit;
  readonly #inline: InlineSet;
  readonly #elements: SetElements;
  readonly #member = new Member();
  readonly #found = new Int32Array(SEGMENT_SLOTS);

  constructor(host: CollectionHost) {
    this.#arena = host.arena;
    this.limits = host.limits;
    this.big = new BigSet(host.arena, host.hashKey0, host.hashKey1);
    this.#edit = new StructureEdit(host.arena);
    this.#inline = new InlineSet(host.arena);
    this.#elements = new SetElements(host.limits);
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
    return this.#inline.find(entry, bytes, start, end) >= 0;
  }

  /** Lets `member` be the one with this handle. */
  read(entry: number, handle: number, member: Member): void {
    if (encodingOf(this.#arena, entry) === STRUCTURE) this.readBig(handle, member);
    else this.#inline.read(entry, handle, member);
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
    const inline = this.#inline;
    inline.read(entry, inline.handleAt(entry, below(runCount(word))), member);
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
    const inline = this.#inline;
    if (limits.setIntegers > 0 && inline.takeInteger(bytes, start, end)) {
      return inline.createIntegers(database, key, keyStart, keyEnd);
    }
    const span = stringSpan(end - start);
    if (limits.setEntries === 0 || end - start > limits.setValueBytes || span > MAX_RUN_BYTES) {
      const empty = database.create(key, keyStart, keyEnd, PACKED_KIND, 0, 0);
      return this.#addBig(database, this.#toStructure(database, empty), bytes, start, end);
    }
    return inline.createPacked(database, key, keyStart, keyEnd, bytes, start, end);
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
    if (this.limits.setIntegers === 0 || !this.#inline.takeInteger(bytes, start, end)) {
      return this.#addPacked(database, entry, bytes, start, end);
    }
    this.hasChanged = true;
    return this.#inline.insertInteger(database, entry, 0);
  }

  #addInteger(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const inline = this.#inline;
    const isInteger = inline.takeInteger(bytes, start, end);
    const place = isInteger ? inline.searchIntegers(entry) : -1;
    this.hasChanged = place < 0;
    if (!this.hasChanged) return entry;
    const count = runCount(valueWord(this.#arena, entry));
    if (!isInteger || count >= Math.min(this.limits.setIntegers, MAX_RUN_COUNT)) {
      const left = this.#leaveIntegers(database, entry, end - start);
      return this.add(database, left, bytes, start, end);
    }
    return inline.insertInteger(database, entry, -1 - place);
  }

  /** Makes the set of integers a packed one, or a structure when that has no room for one member more, of so many bytes. */
  #leaveIntegers(database: Database, entry: number, added: number): number {
    const { setEntries, setValueBytes } = this.limits;
    const count = runCount(valueWord(this.#arena, entry));
    const longest = Math.max(added, this.#inline.longestText(entry));
    const isSmall = count < Math.min(setEntries, MAX_RUN_COUNT) && longest <= setValueBytes;
    return isSmall ? this.#inline.toPacked(database, entry) : this.#toStructure(database, entry);
  }

  #addPacked(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    this.hasChanged = this.#inline.find(entry, bytes, start, end) < 0;
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
    return this.#inline.append(database, entry, bytes, start, end);
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
    const handle = this.#inline.find(entry, bytes, start, end);
    this.hasChanged = handle >= 0;
    return this.hasChanged ? this.removeFound(database, entry, handle) : entry;
  }

  /** Removes the member that was looked up or picked last. */
  removeFound(database: Database, entry: number, handle: number): number {
    const word = valueWord(this.#arena, entry);
    return encodingOf(this.#arena, entry) === STRUCTURE
      ? this.#removeBig(database, entry, word, handle)
      : this.#inline.remove(database, entry, handle);
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

  toInline(elements: Elements, value: InlineValue): boolean {
    return this.#elements.toInline(elements, value);
  }

  readPart(database: Database, entry: number, elements: Elements): number {
    const { run, end, isCopy } = elements;
    let { at } = elements;
    let target = entry;
    while (at < end) {
      const after = afterString(run, at);
      if (after > end) throw new RangeError("a member is longer than its run");
      target = this.add(database, target, run, contentAt(run, at), after, isCopy !== true);
      if (!this.hasChanged) throw new RangeError("a member of a set appears twice");
      at = after;
    }
    return target;
  }
}
