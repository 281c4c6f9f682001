/**
 * Sorted sets: members with scores, in order. A small one is a packed run in its entry (packed-sorted-set.ts), any other a
 * structure (big-sorted-set.ts); this file makes one set of operations of the two.
 *
 * An operation takes the entry that `database.find` answered last. What changes a member works on the one that `find` of this
 * file looked for last. Each change answers the entry, perhaps moved; 0 when its last member is gone, and so the key.
 *
 * A range of scores or members is a range of ranks: `countBelow` of its two ends.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes } from "./arena.ts";
import { BigSortedSets } from "./big-sorted-set.ts";
import type { CollectionHost, CollectionLimits } from "./collections.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT } from "./database-record.ts";
import type { ElementPart } from "./element-part.ts";
import {
  hasStructure,
  inlineSize,
  kindOf,
  MAX_RUN_BYTES,
  MAX_RUN_COUNT,
  PACKED,
  runCount,
  STRUCTURE,
  valueAt,
  valueWord,
  ZSET,
} from "./entry.ts";
import {
  afterString,
  contentAt,
  findInRun,
  numberAt,
  stringSpan,
  writeNumber,
  writeString,
} from "./packed-run.ts";
import {
  afterElement,
  countBelow,
  countBelowMember,
  placeFor,
  placeOfRank,
  rankAt,
  SCORE_BYTES,
  scoreAt,
} from "./packed-sorted-set.ts";
import { memberAt, memberSize, scoreOf } from "./scored-element.ts";
import { SortedSetElements } from "./sorted-set-elements.ts";
import { StructureEdit } from "./structure.ts";
import type { Elements, InlineValue, ValueType } from "./value-types.ts";

const PACKED_KIND = ZSET | (PACKED << 4);
const BIG_KIND = ZSET | (STRUCTURE << 4);

export class SortedSets implements ValueType {
  readonly #arena: Arena;
  readonly #limits: CollectionLimits;
  readonly #big: BigSortedSets;
  readonly #edit: StructureEdit;
  readonly #elements: SortedSetElements;
  /** The score of the member that `find` found; and with `next` and `previous`, of the one they answer. */
  score = 0;
  /** The member that `next` or `previous` answered: bytes[start, end). */
  bytes: ReadonlyBytes = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** What `find` found: the offset within the run, or the element. */
  #found = 0;
  /** Where `seek` stands: the walk is through a run from `#at` on, or through a tree. */
  #isPacked = true;
  #at = 0;
  /** Of a packed run that is walked backwards: where its elements begin. */
  readonly #places = new Int32Array(MAX_RUN_COUNT);
  #place = 0;

  constructor(host: CollectionHost) {
    this.#arena = host.arena;
    this.#limits = host.limits;
    this.#big = new BigSortedSets(host.arena, host.hashKey0, host.hashKey1);
    this.#edit = new StructureEdit(host.arena);
    this.#elements = new SortedSetElements(host.arena, this);
  }

  // ---- finding ----

  isPacked(entry: number): boolean {
    return !hasStructure(kindOf(this.#arena, entry));
  }

  count(entry: number): number {
    const word = valueWord(this.#arena, entry);
    return this.isPacked(entry) ? runCount(word) : this.#big.count(word);
  }

  /** Whether bytes[start, end) is a member; its score is left in `score`. */
  find(entry: number, bytes: ReadonlyBytes, start: number, end: number): boolean {
    if (!this.isPacked(entry)) {
      const element = this.#big.find(valueWord(this.#arena, entry), bytes, start, end);
      this.#found = element;
      if (element === 0) return false;
      this.score = scoreOf(this.#arena, element);
      return true;
    }
    const run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const from = valueAt(this.#arena, entry);
    const to = from + inlineSize(this.#arena, entry);
    const at = findInRun(run, from, to, 1, SCORE_BYTES, bytes, start, end);
    if (at < 0) return false;
    this.#found = at - from;
    this.score = scoreAt(run, at);
    return true;
  }

  /** How many members are before the one that `find` found. */
  rank(entry: number): number {
    if (!this.isPacked(entry)) return this.#big.rankOf(valueWord(this.#arena, entry), this.#found);
    const from = valueAt(this.#arena, entry);
    return rankAt(this.#arena.bytes[entry >>> CHUNK_SHIFT], from, from + this.#found);
  }

  /** How many members have a score below this one, or up to this one. */
  countBelow(entry: number, score: number, orEqual: boolean): number {
    const arena = this.#arena;
    if (!this.isPacked(entry)) return this.#big.countBelow(valueWord(arena, entry), score, orEqual);
    const run = arena.bytes[entry >>> CHUNK_SHIFT];
    const from = valueAt(arena, entry);
    return countBelow(run, from, from + inlineSize(arena, entry), score, orEqual);
  }

  /** How many members are before bytes[start, end), or up to it, in a set whose scores are all the same. */
  countBelowMember(
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    orEqual: boolean,
  ): number {
    const arena = this.#arena;
    if (!this.isPacked(entry)) {
      return this.#big.countBelowMember(valueWord(arena, entry), bytes, start, end, orEqual);
    }
    const run = arena.bytes[entry >>> CHUNK_SHIFT];
    const from = valueAt(arena, entry);
    const to = from + inlineSize(arena, entry);
    return countBelowMember(run, from, to, bytes, start, end, orEqual);
  }

  // ---- walking ----

  /** Stands on the member of a rank, which exists, to walk on by `next`. Nothing may change meanwhile. */
  seek(entry: number, rank: number): void {
    this.#isPacked = this.isPacked(entry);
    if (!this.#isPacked) {
      this.#big.seek(valueWord(this.#arena, entry), rank);
      return;
    }
    this.bytes = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    this.#at = placeOfRank(this.bytes, valueAt(this.#arena, entry), rank);
  }

  /** The same to walk on by `previous`. */
  seekBack(entry: number, rank: number): void {
    this.#isPacked = this.isPacked(entry);
    if (!this.#isPacked) {
      this.#big.seek(valueWord(this.#arena, entry), rank);
      return;
    }
    this.bytes = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    let at = valueAt(this.#arena, entry);
    for (let i = 0; i <= rank; i++) {
      this.#places[i] = at;
      at = afterElement(this.bytes, at);
    }
    this.#place = rank;
  }

  /** Answers the member it stands on, then steps to the following one. */
  next(): void {
    if (!this.#isPacked) {
      this.#show(this.#big.next());
      return;
    }
    this.#showAt(this.#at);
    this.#at = this.end + SCORE_BYTES;
  }

  /** Answers the member it stands on, then steps to the one before. */
  previous(): void {
    if (this.#isPacked) this.#showAt(this.#places[this.#place--]);
    else this.#show(this.#big.previous());
  }

  #show(element: number): void {
    const start = memberAt(this.#arena, element);
    this.bytes = this.#arena.bytes[element >>> CHUNK_SHIFT];
    this.start = start;
    this.end = start + memberSize(this.#arena, element);
    this.score = scoreOf(this.#arena, element);
  }

  #showAt(at: number): void {
    this.start = contentAt(this.bytes, at);
    this.end = afterString(this.bytes, at);
    this.score = numberAt(this.bytes, this.end);
  }

  /**
   * A step of a walk that survives changes: calls `visit` for some members, as `next` shows them, and answers the cursor of the
   * next step, 0 when that was the last. A packed set comes whole.
   */
  scan(entry: number, cursor: number, wanted: number, visit: () => void): number {
    if (this.isPacked(entry)) {
      this.seek(entry, 0);
      for (let left = this.count(entry); left > 0; left--) {
        this.next();
        visit();
      }
      return 0;
    }
    const found: number[] = [];
    const next = this.#big.scan(valueWord(this.#arena, entry), cursor, wanted, found);
    for (const element of found) {
      this.#show(element);
      visit();
    }
    return next;
  }

  // ---- changing ----

  /** Whether a member of so many bytes may be in a packed run of so many elements. */
  fitsPacked(count: number, memberBytes: number): boolean {
    return (
      count <= this.#limits.sortedSetEntries &&
      count <= MAX_RUN_COUNT &&
      memberBytes <= this.#limits.sortedSetValueBytes
    );
  }

  /** An empty set for the key that `database.find` has just missed; a member follows at once. */
  create(database: Database, key: ReadonlyBytes, start: number, end: number): number {
    return database.create(key, start, end, PACKED_KIND, 0, 0);
  }

  /** Adds the member bytes[start, end), which `find` has just missed. */
  add(
    database: Database,
    entry: number,
    score: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    if (!this.isPacked(entry)) {
      const root = valueWord(this.#arena, entry);
      this.#edit.begin(database.record + D_ACCOUNT);
      this.#big.add(root, score, bytes, start, end);
      this.#edit.end(root);
      database.touch(entry);
      return entry;
    }
    const count = this.count(entry) + 1;
    const span = stringSpan(end - start) + SCORE_BYTES;
    const isSmall = inlineSize(this.#arena, entry) + span <= MAX_RUN_BYTES;
    if (isSmall && this.fitsPacked(count, end - start)) {
      return this.#addPacked(database, entry, score, bytes, start, end);
    }
    const target = this.enlarge(database, entry);
    this.#big.find(valueWord(this.#arena, target), bytes, start, end);
    return this.add(database, target, score, bytes, start, end);
  }

  #addPacked(
    database: Database,
    entry: number,
    score: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const arena = this.#arena;
    const from = valueAt(arena, entry);
    const to = from + inlineSize(arena, entry);
    const run = arena.bytes[entry >>> CHUNK_SHIFT];
    const at = placeFor(run, from, to, score, bytes, start, end) - from;
    const span = stringSpan(end - start) + SCORE_BYTES;
    const target = database.splice(entry, PACKED_KIND, at, 0, span, this.count(entry) + 1);
    const written = arena.bytes[target >>> CHUNK_SHIFT] as Buffer;
    this.#writeElement(written, database.valueStart + at, score, bytes, start, end);
    return target;
  }

  /** Writes into a run that `splice` has made ready. */
  #writeElement(
    run: Buffer,
    at: number,
    score: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    // As Redis's listpack keeps it, minus zero is zero there.
    writeNumber(run, writeString(run, at, bytes, start, end), score + 0);
  }

  /** Makes a structure of a packed set. */
  enlarge(database: Database, entry: number): number {
    this.#edit.begin(database.record + D_ACCOUNT);
    const root = this.#big.create();
    this.seek(entry, 0);
    for (let left = this.count(entry); left > 0; left--) {
      this.next();
      this.#big.find(root, this.bytes, this.start, this.end);
      this.#big.add(root, this.score, this.bytes, this.start, this.end);
    }
    this.#edit.end(root);
    return database.setStructure(entry, BIG_KIND, root);
  }

  /** Gives the member bytes[start, end), which `find` has just found, another score. */
  rescore(
    database: Database,
    entry: number,
    score: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    if (!this.isPacked(entry)) {
      const root = valueWord(this.#arena, entry);
      this.#edit.begin(database.record + D_ACCOUNT);
      this.#big.rescore(root, this.#found, score);
      this.#edit.end(root);
      database.touch(entry);
      return entry;
    }
    return this.#rescorePacked(database, entry, score, bytes, start, end);
  }

  #rescorePacked(
    database: Database,
    entry: number,
    score: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const size = inlineSize(this.#arena, entry);
    const span = stringSpan(end - start) + SCORE_BYTES;
    const target = database.splice(entry, PACKED_KIND, 0, 0, 0, this.count(entry));
    const run = this.#arena.bytes[target >>> CHUNK_SHIFT] as Buffer;
    const from = database.valueStart;
    const at = from + this.#found;
    const place = placeFor(run, from, from + size, score, bytes, start, end);
    if (place <= at) {
      run.copyWithin(place + span, place, at);
      this.#writeElement(run, place, score, bytes, start, end);
    } else {
      run.copyWithin(at, at + span, place);
      this.#writeElement(run, place - span, score, bytes, start, end);
    }
    return target;
  }

  /** Removes the member that `find` has just found. */
  remove(database: Database, entry: number): number {
    if (this.count(entry) === 1) {
      database.remove(entry);
      return 0;
    }
    if (this.isPacked(entry)) {
      const at = valueAt(this.#arena, entry) + this.#found;
      const span = afterElement(this.#arena.bytes[entry >>> CHUNK_SHIFT], at) - at;
      return database.splice(entry, PACKED_KIND, this.#found, span, 0, this.count(entry) - 1);
    }
    const root = valueWord(this.#arena, entry);
    this.#edit.begin(database.record + D_ACCOUNT);
    this.#big.remove(root, this.#found);
    this.#edit.end(root);
    database.touch(entry);
    return entry;
  }

  /** Removes `count` members from a rank on; all of them exist. */
  removeRanks(database: Database, entry: number, rank: number, count: number): number {
    const total = this.count(entry);
    if (count === 0) return entry;
    if (count === total) {
      database.remove(entry);
      return 0;
    }
    if (this.isPacked(entry)) {
      const run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
      const from = valueAt(this.#arena, entry);
      const at = placeOfRank(run, from, rank);
      const span = placeOfRank(run, at, count) - at;
      return database.splice(entry, PACKED_KIND, at - from, span, 0, total - count);
    }
    const root = valueWord(this.#arena, entry);
    this.#edit.begin(database.record + D_ACCOUNT);
    for (let left = count; left > 0; left--) this.#big.removeRank(root, rank);
    this.#edit.end(root);
    database.touch(entry);
    return entry;
  }

  // ---- of any type ----

  reap(root: number): boolean {
    return this.#big.reap(root);
  }

  writePart(entry: number, part: ElementPart): boolean {
    return this.#elements.write(entry, part);
  }

  toInline(elements: Elements, value: InlineValue): boolean {
    return this.#elements.toInline(elements, value);
  }

  readPart(database: Database, entry: number, elements: Elements): number {
    return this.#elements.read(database, entry, elements);
  }
}
