/**
 * The one hash table, by extendible hashing: for the keyspace, big hashes, sets, members of sorted sets. Nothing larger
 * than one segment is ever rehashed at once, so there is no pause while it grows or shrinks.
 *
 *   root (two units, inside the owner's block)
 *              i0 entries   i1 depth   i2 the directory (depth > 0) or the only segment (depth 0)
 *              i3 segments whose own depth equals the directory's
 *   directory  2^depth words: addresses of segments, found by the TOP bits of the hash
 *   segment    i0 used | own depth << 16 | slot bits << 24,   i1 free
 *              then 2^bits slots of two words: entry, hash. Home slot: the LOW bits of the hash. Linear probing, deletion
 *              by backward shift, no tombstones. At most 2^9 slots (513 units); a table starts with one segment of
 *              8 slots that doubles up to that; then segments split in two, and neighbours a quarter full merge.
 *   entry      byte 0 key length (255: long), byte 2 bit 0: a deadline of 8 bytes stands before the key; the key is at
 *              `keyOffset`, as drawn in entry.ts
 *
 * A find leaves where it ended in `segment` and `slot`: the entry's slot, or the empty one to insert at. They hold until
 * the next call that inserts or removes. This file is longer than usual: it is one structure and its hot loops.
 */
import {
  type Arena,
  CHUNK_SHIFT,
  type ReadonlyBytes,
  roundUnits,
  UNIT_BYTES,
  UNIT_MASK,
} from "./arena.ts";
import { FLAG_DEADLINE, LONG_KEY } from "./entry.ts";
import type { EntrySample } from "./entry-sample.ts";

const SEGMENT_BITS = 9;
const FIRST_BITS = 3;
export const SEGMENT_SLOTS = 1 << SEGMENT_BITS;
const FULL_MASK = SEGMENT_SLOTS - 1;
/** Four fifths full: beyond it, probing costs more than the memory saved. */
const FILL = 0.8;
const LIMITS = Int32Array.from({ length: SEGMENT_BITS + 1 }, (_, bits) =>
  Math.floor((1 << bits) * FILL),
);

export const ROOT_UNITS = 2;
const COUNT = 0;
const DEPTH = 1;
const TOP = 2;
const DEEPEST = 3;

const usedOf = (head: number) => head & 0xffff;
const depthOf = (head: number) => (head >>> 16) & 255;
const bitsOf = (head: number) => head >>> 24;
const segmentUnits = (bits: number) => 1 + (1 << bits);
const directoryUnits = (depth: number) => Math.max(1, 1 << (depth - 1));

/** One step of SCAN: where to go on (0: done), and the entries it found in `found[0, count)`. */
export interface ScanStep {
  cursor: number;
  count: number;
}

export class Dictionary {
  readonly #arena: Arena;
  /** The arena's view: the same array, one step nearer. */
  readonly #ints: Arena["ints"];
  /** Words from an entry's start to its key, when it has no deadline. */
  readonly #keyOffset: number;
  segment = 0;
  slot = 0;
  /**
   * Changes of its tables. Until there is another, what a find answered holds, `segment` and `slot` too. Who empties a table
   * or puts one in the place of another counts that as well.
   */
  changes = 0;
  /** How many entries the last `entriesOfSegment` found. */
  foundCount = 0;

  constructor(arena: Arena, keyOffset: number) {
    this.#arena = arena;
    this.#ints = arena.ints;
    this.#keyOffset = keyOffset >> 2;
  }

  /** Makes an empty table in the two units at `root`. */
  create(root: number): void {
    const ints = this.#arena.editInts(root, ROOT_UNITS);
    const at = (root & UNIT_MASK) << 1;
    ints[at + COUNT] = 0;
    ints[at + DEPTH] = 0;
    ints[at + TOP] = 0;
    ints[at + DEEPEST] = 0;
  }

  count(root: number): number {
    return this.#ints[root >>> CHUNK_SHIFT][(root & UNIT_MASK) << 1];
  }

  // ---- finding ----

  #segmentOf(root: number, hash: number): number {
    const ints = this.#ints[root >>> CHUNK_SHIFT];
    const at = (root & UNIT_MASK) << 1;
    const depth = ints[at + DEPTH];
    const top = ints[at + TOP];
    if (depth === 0) return top;
    return this.#ints[top >>> CHUNK_SHIFT][((top & UNIT_MASK) << 1) + (hash >>> (32 - depth))];
  }

  /** The entry with this key, or 0. */
  find(root: number, hash: number, key: ReadonlyBytes, start: number, end: number): number {
    const head = this.#ints[root >>> CHUNK_SHIFT];
    const rootAt = (root & UNIT_MASK) << 1;
    const depth = head[rootAt + DEPTH];
    let segment = head[rootAt + TOP];
    let mask = FULL_MASK;
    if (depth !== 0) {
      // Below a directory every segment has the full size: its header, another cache line, is not read.
      const directory = this.#ints[segment >>> CHUNK_SHIFT];
      segment = directory[((segment & UNIT_MASK) << 1) + (hash >>> (32 - depth))];
    }
    this.segment = segment;
    if (segment === 0) return 0;
    const ints = this.#ints[segment >>> CHUNK_SHIFT];
    const base = ((segment & UNIT_MASK) << 1) + 2;
    if (depth === 0) mask = (1 << bitsOf(ints[base - 2])) - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = base + (slot << 1);
      const entry = ints[at];
      if (entry === 0 || (ints[at + 1] === hash && this.#hasKey(entry, key, start, end))) {
        this.slot = slot;
        return entry;
      }
    }
  }

  #hasKey(entry: number, key: ReadonlyBytes, start: number, end: number): boolean {
    const words = this.#ints[entry >>> CHUNK_SHIFT];
    const at = (entry & UNIT_MASK) << 1;
    const head = words[at];
    const size = end - start;
    let from = at + this.#keyOffset + (((head >>> 16) & FLAG_DEADLINE) << 1);
    if ((head & 255) === LONG_KEY) {
      if (words[from++] !== size) return false;
    } else if ((head & 255) !== size) return false;
    // The stored key begins at a word, so it is compared by words, which halves the loads.
    let i = start;
    for (const last = start + (size & ~3); i < last; i += 4) {
      const word = key[i] | (key[i + 1] << 8) | (key[i + 2] << 16) | (key[i + 3] << 24);
      if (words[from++] !== word) return false;
    }
    const rest = size & 3;
    if (rest === 0) return true;
    let tail = key[i];
    if (rest > 1) tail |= key[i + 1] << 8;
    if (rest > 2) tail |= key[i + 2] << 16;
    return (words[from] ^ tail) << (32 - (rest << 3)) === 0;
  }

  /** The addresses of the home slots of these hashes (prefetch.ts); 0 in a table too small to need it. */
  slotsOf(root: number, hashes: Int32Array, count: number, slots: Int32Array): void {
    const ints = this.#ints[root >>> CHUNK_SHIFT];
    const at = (root & UNIT_MASK) << 1;
    const depth = ints[at + DEPTH];
    const top = ints[at + TOP];
    const directory = this.#ints[top >>> CHUNK_SHIFT];
    const base = (top & UNIT_MASK) << 1;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i];
      const segment = depth === 0 ? 0 : directory[base + (hash >>> (32 - depth))];
      slots[i] = depth === 0 ? 0 : segment + 1 + (hash & FULL_MASK);
    }
  }

  /** The first entry with this hash, from its home slot (an address of slotsOf) on; 0 when there is none. */
  probe(homeSlot: number, hash: number): number {
    if (homeSlot === 0) return 0;
    const ints = this.#ints[homeSlot >>> CHUNK_SHIFT];
    const home = hash & FULL_MASK;
    const base = ((homeSlot & UNIT_MASK) - home) << 1;
    for (let slot = home; ; slot = (slot + 1) & FULL_MASK) {
      const at = base + (slot << 1);
      if (ints[at + 1] === hash || ints[at] === 0) return ints[at];
    }
  }

  /** Sets `segment` and `slot` to those of an entry that is in the table. */
  locate(root: number, hash: number, entry: number): void {
    const segment = this.#segmentOf(root, hash);
    const ints = this.#ints[segment >>> CHUNK_SHIFT];
    const base = ((segment & UNIT_MASK) << 1) + 2;
    const mask = (1 << bitsOf(ints[base - 2])) - 1;
    let slot = hash & mask;
    while (ints[base + (slot << 1)] !== entry) slot = (slot + 1) & mask;
    this.segment = segment;
    this.slot = slot;
  }

  /** Calls `visit` for each entry with this hash until it answers true. */
  eachWithHash(root: number, hash: number, visit: (entry: number) => boolean): void {
    const segment = this.#segmentOf(root, hash);
    if (segment === 0) return;
    const ints = this.#ints[segment >>> CHUNK_SHIFT];
    const base = ((segment & UNIT_MASK) << 1) + 2;
    const mask = (1 << bitsOf(ints[base - 2])) - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = ints[base + (slot << 1)];
      if (entry === 0) return;
      if (ints[base + (slot << 1) + 1] === hash && visit(entry)) return;
    }
  }

  /** The hash of the entry that was found last. */
  get hash(): number {
    const ints = this.#ints[this.segment >>> CHUNK_SHIFT];
    return ints[((this.segment & UNIT_MASK) << 1) + 3 + (this.slot << 1)];
  }

  /** Bytes of the segment of the entry that was found last, divided among the entries in it. */
  get shareBytes(): number {
    const ints = this.#arena.ints[this.segment >>> CHUNK_SHIFT];
    const head = ints[(this.segment & UNIT_MASK) << 1];
    return Math.ceil((segmentUnits(bitsOf(head)) * UNIT_BYTES) / usedOf(head));
  }

  /** Bytes of the table: its segments and the directory. Costs a walk over the directory. */
  tableBytes(root: number): number {
    const ints = this.#ints[root >>> CHUNK_SHIFT];
    const at = (root & UNIT_MASK) << 1;
    const depth = ints[at + DEPTH];
    const top = ints[at + TOP];
    if (top === 0) return 0;
    const words = this.#ints[top >>> CHUNK_SHIFT];
    const base = (top & UNIT_MASK) << 1;
    if (depth === 0) return roundUnits(segmentUnits(bitsOf(words[base]))) * UNIT_BYTES;
    // The words of one segment are neighbours.
    let segments = 1;
    for (let i = 1; i < 1 << depth; i++) if (words[base + i] !== words[base + i - 1]) segments++;
    const units = segments * segmentUnits(SEGMENT_BITS) + roundUnits(directoryUnits(depth));
    return units * UNIT_BYTES;
  }

  // ---- changing ----

  /** The entry that was found last has moved to `entry`. */
  replace(entry: number): void {
    this.changes++;
    const unit = (this.segment + 1 + this.slot) | 0;
    this.#arena.editInts(unit, 1)[(unit & UNIT_MASK) << 1] = entry;
  }

  /** Puts an entry in after a find that missed. */
  insert(root: number, hash: number, entry: number): void {
    this.changes++;
    for (;;) {
      const segment = this.segment;
      if (segment !== 0) {
        const ints = this.#arena.editInts(segment, 1);
        const at = (segment & UNIT_MASK) << 1;
        const head = ints[at];
        if (usedOf(head) < LIMITS[bitsOf(head)]) {
          ints[at] = head + 1;
          this.#fill(segment, this.slot, entry, hash);
          this.#addToCount(root, 1);
          return;
        }
      }
      this.#makeRoom(root, segment, hash);
      this.#findEmpty(root, hash);
    }
  }

  #fill(segment: number, slot: number, entry: number, hash: number): void {
    const unit = (segment + 1 + slot) | 0;
    const ints = this.#arena.editInts(unit, 1);
    ints[(unit & UNIT_MASK) << 1] = entry;
    ints[((unit & UNIT_MASK) << 1) + 1] = hash;
  }

  #addToCount(root: number, by: number): void {
    this.#arena.editInts(root, ROOT_UNITS)[(root & UNIT_MASK) << 1] += by;
  }

  #findEmpty(root: number, hash: number): void {
    this.locate(root, hash, 0);
  }

  /** Removes the entry that was found last; the caller frees its block. */
  remove(root: number): void {
    this.changes++;
    const segment = this.segment;
    const head = this.#ints[segment >>> CHUNK_SHIFT][(segment & UNIT_MASK) << 1];
    const bits = bitsOf(head);
    const ints = this.#arena.editInts(segment, segmentUnits(bits));
    const at = (segment & UNIT_MASK) << 1;
    const base = at + 2;
    const hash = ints[base + (this.slot << 1) + 1];
    closeGap(ints, base, (1 << bits) - 1, this.slot);
    ints[at] = head - 1;
    this.#addToCount(root, -1);
    const used = usedOf(head) - 1;
    if (used <= LIMITS[bits] >> 2) this.#shrink(root, segment, used, hash);
  }

  // ---- growing ----

  #newSegment(bits: number, depth: number): number {
    const segment = this.#arena.allocate(segmentUnits(bits));
    const ints = this.#arena.editInts(segment, segmentUnits(bits));
    const at = (segment & UNIT_MASK) << 1;
    ints.fill(0, at, at + 2 + (2 << bits));
    ints[at] = (depth << 16) | (bits << 24);
    return segment;
  }

  #releaseSegment(segment: number): void {
    const head = this.#ints[segment >>> CHUNK_SHIFT][(segment & UNIT_MASK) << 1];
    this.#arena.release(segment, segmentUnits(bitsOf(head)));
  }

  /** Puts into segment `to` what `from` holds: all, or with `bit` ≥ 0 only the hashes whose bit equals `want`. */
  #pour(from: number, to: number, bit: number, want: number): void {
    const source = this.#ints[from >>> CHUNK_SHIFT];
    const sourceBase = ((from & UNIT_MASK) << 1) + 2;
    const slots = 1 << bitsOf(source[sourceBase - 2]);
    const target = this.#arena.editInts(to, segmentUnits(SEGMENT_BITS));
    const base = ((to & UNIT_MASK) << 1) + 2;
    const mask = (1 << bitsOf(target[base - 2])) - 1;
    let poured = 0;
    for (let i = 0; i < slots; i++) {
      const entry = source[sourceBase + (i << 1)];
      if (entry === 0) continue;
      const hash = source[sourceBase + (i << 1) + 1];
      if (bit >= 0 && ((hash >>> bit) & 1) !== want) continue;
      let slot = hash & mask;
      while (target[base + (slot << 1)] !== 0) slot = (slot + 1) & mask;
      target[base + (slot << 1)] = entry;
      target[base + (slot << 1) + 1] = hash;
      poured++;
    }
    target[base - 2] += poured;
  }

  /** The segment is full: the first one doubles, a full-sized one splits in two. */
  #makeRoom(root: number, segment: number, hash: number): void {
    if (segment === 0) {
      const first = this.#newSegment(FIRST_BITS, 0);
      this.#arena.editInts(root, ROOT_UNITS)[((root & UNIT_MASK) << 1) + TOP] = first;
      return;
    }
    const head = this.#ints[segment >>> CHUNK_SHIFT][(segment & UNIT_MASK) << 1];
    if (bitsOf(head) < SEGMENT_BITS) {
      this.#resizeOnly(root, segment, bitsOf(head) + 1);
      return;
    }
    const depth = depthOf(head);
    if (depth === this.#ints[root >>> CHUNK_SHIFT][((root & UNIT_MASK) << 1) + DEPTH]) {
      this.#doubleDirectory(root);
    }
    this.#split(root, segment, depth, hash);
  }

  /** Only the single segment of a small table has other than the full size. */
  #resizeOnly(root: number, segment: number, bits: number): void {
    const other = this.#newSegment(bits, 0);
    this.#pour(segment, other, -1, 0);
    this.#releaseSegment(segment);
    this.#arena.editInts(root, ROOT_UNITS)[((root & UNIT_MASK) << 1) + TOP] = other;
  }

  #split(root: number, segment: number, depth: number, hash: number): void {
    const left = this.#newSegment(SEGMENT_BITS, depth + 1);
    const right = this.#newSegment(SEGMENT_BITS, depth + 1);
    this.#pour(segment, left, 31 - depth, 0);
    this.#pour(segment, right, 31 - depth, 1);
    this.#releaseSegment(segment);
    const ints = this.#arena.editInts(root, ROOT_UNITS);
    const at = (root & UNIT_MASK) << 1;
    const rootDepth = ints[at + DEPTH];
    const span = 1 << (rootDepth - depth - 1);
    const prefix = depth === 0 ? 0 : hash >>> (32 - depth);
    this.#point(ints[at + TOP], rootDepth, prefix << (rootDepth - depth), span, left);
    this.#point(ints[at + TOP], rootDepth, (prefix << (rootDepth - depth)) + span, span, right);
    if (depth + 1 === rootDepth) ints[at + DEEPEST] += 2;
  }

  /** Lets `span` words of the directory from `index` on point to the segment. */
  #point(directory: number, depth: number, index: number, span: number, segment: number): void {
    const words = this.#arena.editInts(directory, directoryUnits(depth));
    const from = ((directory & UNIT_MASK) << 1) + index;
    words.fill(segment, from, from + span);
  }

  #doubleDirectory(root: number): void {
    const ints = this.#ints[root >>> CHUNK_SHIFT];
    const at = (root & UNIT_MASK) << 1;
    const depth = ints[at + DEPTH];
    const old = ints[at + TOP];
    const directory = this.#arena.allocate(directoryUnits(depth + 1));
    const words = this.#arena.editInts(directory, directoryUnits(depth + 1));
    const to = (directory & UNIT_MASK) << 1;
    if (depth === 0) {
      words[to] = old;
      words[to + 1] = old;
    } else {
      const source = this.#ints[old >>> CHUNK_SHIFT];
      const from = (old & UNIT_MASK) << 1;
      for (let i = 0; i < 1 << depth; i++) {
        words[to + 2 * i] = source[from + i];
        words[to + 2 * i + 1] = source[from + i];
      }
      this.#arena.release(old, directoryUnits(depth));
    }
    const edited = this.#arena.editInts(root, ROOT_UNITS);
    edited[at + TOP] = directory;
    edited[at + DEPTH] = depth + 1;
    edited[at + DEEPEST] = 0;
  }

  // ---- shrinking ----

  #shrink(root: number, segment: number, used: number, hash: number): void {
    const ints = this.#ints[root >>> CHUNK_SHIFT];
    const at = (root & UNIT_MASK) << 1;
    const rootDepth = ints[at + DEPTH];
    const head = this.#ints[segment >>> CHUNK_SHIFT][(segment & UNIT_MASK) << 1];
    if (rootDepth === 0) {
      if (bitsOf(head) > FIRST_BITS) this.#resizeOnly(root, segment, bitsOf(head) - 1);
      else if (used === 0) this.#dropOnly(root, segment);
      return;
    }
    const depth = depthOf(head);
    const directory = ints[at + TOP];
    const prefix = hash >>> (32 - depth);
    const mateIndex = (prefix ^ 1) << (rootDepth - depth);
    const mate = this.#ints[directory >>> CHUNK_SHIFT][((directory & UNIT_MASK) << 1) + mateIndex];
    const mateHead = this.#ints[mate >>> CHUNK_SHIFT][(mate & UNIT_MASK) << 1];
    if (depthOf(mateHead) !== depth) return;
    if (usedOf(mateHead) + used > LIMITS[SEGMENT_BITS] >> 1) return;
    this.#merge(root, segment, mate, depth, prefix);
  }

  /** An empty table has no segment at all. */
  #dropOnly(root: number, segment: number): void {
    this.#releaseSegment(segment);
    this.#arena.editInts(root, ROOT_UNITS)[((root & UNIT_MASK) << 1) + TOP] = 0;
  }

  #merge(root: number, segment: number, mate: number, depth: number, prefix: number): void {
    const one = this.#newSegment(SEGMENT_BITS, depth - 1);
    this.#pour(segment, one, -1, 0);
    this.#pour(mate, one, -1, 0);
    this.#releaseSegment(segment);
    this.#releaseSegment(mate);
    const ints = this.#arena.editInts(root, ROOT_UNITS);
    const at = (root & UNIT_MASK) << 1;
    const rootDepth = ints[at + DEPTH];
    const span = 2 << (rootDepth - depth);
    this.#point(ints[at + TOP], rootDepth, (prefix & ~1) << (rootDepth - depth), span, one);
    if (depth === rootDepth) ints[at + DEEPEST] -= 2;
    while (ints[at + DEPTH] > 0 && ints[at + DEEPEST] === 0) this.#halveDirectory(root);
  }

  #halveDirectory(root: number): void {
    const ints = this.#arena.editInts(root, ROOT_UNITS);
    const at = (root & UNIT_MASK) << 1;
    const depth = ints[at + DEPTH];
    const old = ints[at + TOP];
    const source = this.#ints[old >>> CHUNK_SHIFT];
    const from = (old & UNIT_MASK) << 1;
    ints[at + DEPTH] = depth - 1;
    if (depth === 1) {
      ints[at + TOP] = source[from];
      ints[at + DEEPEST] = 0;
      this.#arena.release(old, directoryUnits(1));
      return;
    }
    const directory = this.#arena.allocate(directoryUnits(depth - 1));
    const words = this.#arena.editInts(directory, directoryUnits(depth - 1));
    const to = (directory & UNIT_MASK) << 1;
    let deepest = 0;
    for (let i = 0; i < 1 << (depth - 1); i++) {
      const segment = source[from + 2 * i];
      words[to + i] = segment;
      const head = this.#ints[segment >>> CHUNK_SHIFT][(segment & UNIT_MASK) << 1];
      if (depthOf(head) === depth - 1) deepest++;
    }
    ints[at + TOP] = directory;
    ints[at + DEEPEST] = deepest;
    this.#arena.release(old, directoryUnits(depth));
  }

  // ---- walking ----

  /** The segment that holds this hash, and the index after its last one in the directory. */
  #walk(root: number, index: number): { segment: number; next: number } {
    const ints = this.#ints[root >>> CHUNK_SHIFT];
    const at = (root & UNIT_MASK) << 1;
    const depth = ints[at + DEPTH];
    const top = ints[at + TOP];
    if (depth === 0) return { segment: top, next: 1 };
    const words = this.#ints[top >>> CHUNK_SHIFT];
    const segment = words[((top & UNIT_MASK) << 1) + index];
    const head = this.#ints[segment >>> CHUNK_SHIFT][(segment & UNIT_MASK) << 1];
    const span = 1 << (depth - depthOf(head));
    return { segment, next: (index & ~(span - 1)) + span };
  }

  #directorySize(root: number): number {
    return 1 << this.#ints[root >>> CHUNK_SHIFT][((root & UNIT_MASK) << 1) + DEPTH];
  }

  /** Calls `visit` for each entry, in no order. The table must not change meanwhile. */
  each(root: number, visit: (entry: number) => void): void {
    for (let index = 0; index < this.#directorySize(root); ) {
      const { segment, next } = this.#walk(root, index);
      this.#eachOf(segment, visit);
      index = next;
    }
  }

  /**
   * A step of a walk through a table that does not change meanwhile: puts the entries of the segment at `index` of the
   * directory (0 at first) into `found`, which has room for SEGMENT_SLOTS, leaves their number in `foundCount`, and answers
   * the index of the next segment; 0: that was the last.
   */
  entriesOfSegment(root: number, index: number, found: Int32Array): number {
    const { segment, next } = this.#walk(root, index);
    let count = 0;
    if (segment !== 0) {
      const ints = this.#ints[segment >>> CHUNK_SHIFT];
      const base = ((segment & UNIT_MASK) << 1) + 2;
      const last = base + (2 << bitsOf(ints[base - 2]));
      for (let at = base; at < last; at += 2) if (ints[at] !== 0) found[count++] = ints[at];
    }
    this.foundCount = count;
    return next < this.#directorySize(root) ? next : 0;
  }

  #eachOf(segment: number, visit: (entry: number) => void): void {
    if (segment === 0) return;
    const ints = this.#ints[segment >>> CHUNK_SHIFT];
    const base = ((segment & UNIT_MASK) << 1) + 2;
    const slots = 1 << bitsOf(ints[base - 2]);
    for (let i = 0; i < slots; i++) {
      const entry = ints[base + (i << 1)];
      if (entry !== 0) visit(entry);
    }
  }

  /**
   * A step of a walk in hash order: about `wanted` entries from hash `cursor` on (unsigned) are put into `found`. An
   * entry that is in the table during the whole walk is answered, whatever splits or merges in between, because the
   * cursor names a place in the order of hashes, not in the table. Entries of one hash are answered together.
   */
  scan(root: number, cursor: number, wanted: number, found: number[]): number {
    found.length = 0;
    const ints = this.#ints[root >>> CHUNK_SHIFT];
    const depth = ints[((root & UNIT_MASK) << 1) + DEPTH];
    const size = 1 << depth;
    for (let index = depth === 0 ? 0 : cursor >>> (32 - depth); index < size; ) {
      const { segment, next } = this.#walk(root, index);
      const end = next * 2 ** (32 - depth);
      for (let ask = wanted - found.length; cursor < end; ) {
        const before = found.length;
        cursor = this.#scanSegment(segment, cursor, end, ask, found);
        if (found.length >= wanted) return cursor === 2 ** 32 ? 0 : cursor;
        // Twice as far after a stretch without any, so that hashes in a heap cost few rounds.
        ask = found.length === before ? 2 * ask : wanted - found.length;
      }
      index = next;
    }
    return 0;
  }

  /**
   * Adds about `wanted` entries by hash from `cursor` on; answers the hash up to which it went. Where that is follows
   * from how many there are, since hashes are evenly spread: sorting them took ten times as long.
   */
  #scanSegment(
    segment: number,
    cursor: number,
    end: number,
    wanted: number,
    found: number[],
  ): number {
    if (segment === 0) return end;
    const ints = this.#ints[segment >>> CHUNK_SHIFT];
    const base = ((segment & UNIT_MASK) << 1) + 2;
    const last = base + (2 << bitsOf(ints[base - 2]));
    let rest = 0;
    for (let at = base; at < last; at += 2) {
      if (ints[at] !== 0 && ints[at + 1] >>> 0 >= cursor) rest++;
    }
    const bound = rest <= wanted ? end : cursor + Math.ceil(((end - cursor) * wanted) / rest);
    for (let at = base; at < last; at += 2) {
      const hash = ints[at + 1] >>> 0;
      if (ints[at] !== 0 && hash >= cursor && hash < bound) found.push(ints[at]);
    }
    return bound;
  }

  /**
   * A uniformly random entry of a table that is not empty. A directory index is taken only if it is the first of its
   * segment, which makes all segments equally likely whatever their depth; then a random slot; an empty one starts over.
   */
  random(root: number, below: (n: number) => number): number {
    const ints = this.#ints[root >>> CHUNK_SHIFT];
    const depth = ints[((root & UNIT_MASK) << 1) + DEPTH];
    for (;;) {
      const index = depth === 0 ? 0 : below(1 << depth);
      const { segment, next } = this.#walk(root, index);
      const words = this.#ints[segment >>> CHUNK_SHIFT];
      const base = ((segment & UNIT_MASK) << 1) + 2;
      const own = depthOf(words[base - 2]);
      if (next - index !== 1 << (depth - own)) continue;
      const slot = below(1 << bitsOf(words[base - 2]));
      const entry = words[base + (slot << 1)];
      if (entry === 0) continue;
      this.segment = segment;
      this.slot = slot;
      return entry;
    }
  }

  /**
   * Fills the sample from a table that is not empty: from a random slot on, segment by segment. Hashes have nothing to do with
   * the use of keys, so neighbours are as good a choice as any, and one wait for memory brings several of them.
   */
  sample(root: number, below: (n: number) => number, sample: EntrySample): void {
    this.random(root, below);
    const ints = this.#ints[root >>> CHUNK_SHIFT];
    const depth = ints[((root & UNIT_MASK) << 1) + DEPTH];
    const first = depth === 0 ? 0 : this.hash >>> (32 - depth);
    this.#sampleSegment(this.segment, this.slot, sample);
    let { next } = this.#walk(root, first);
    for (let index = next % (1 << depth); !sample.isDone; index = next % (1 << depth)) {
      const step = this.#walk(root, index);
      if (step.segment === this.segment) return;
      this.#sampleSegment(step.segment, 0, sample);
      next = step.next;
    }
  }

  #sampleSegment(segment: number, start: number, sample: EntrySample): void {
    const ints = this.#ints[segment >>> CHUNK_SHIFT];
    const base = ((segment & UNIT_MASK) << 1) + 2;
    const slots = 1 << bitsOf(ints[base - 2]);
    for (let i = 0; i < slots && !sample.isDone; i++) {
      const at = base + (((start + i) & (slots - 1)) << 1);
      const entry = ints[at];
      if (entry === 0) continue;
      sample.left--;
      if (!sample.onlyExpiring || this.#hasDeadline(entry)) sample.add(entry, ints[at + 1]);
    }
  }

  #hasDeadline(entry: number): boolean {
    const head = this.#ints[entry >>> CHUNK_SHIFT][(entry & UNIT_MASK) << 1];
    return ((head >>> 16) & FLAG_DEADLINE) !== 0;
  }

  /**
   * Moves what of the segment at `hash`, the segment itself included, lies where `holds` says. Entries are `move`d by whoever
   * knows their size, found as if by `find`. Answers the hash at which the next segment begins; 2^32: that was the last.
   */
  relocate(
    root: number,
    hash: number,
    holds: (address: number) => boolean,
    move: (entry: number) => void,
  ): number {
    const ints = this.#ints[root >>> CHUNK_SHIFT];
    const at = (root & UNIT_MASK) << 1;
    const depth = ints[at + DEPTH];
    if (ints[at + TOP] === 0) return 2 ** 32;
    if (depth > 0 && holds(ints[at + TOP])) this.#moveDirectory(root, depth);
    const index = depth === 0 ? 0 : Math.floor(hash / 2 ** (32 - depth));
    const { segment, next } = this.#walk(root, index);
    this.segment = holds(segment) ? this.#moveSegment(root, segment, index) : segment;
    const words = this.#ints[this.segment >>> CHUNK_SHIFT];
    const base = ((this.segment & UNIT_MASK) << 1) + 2;
    const slots = 1 << bitsOf(words[base - 2]);
    for (this.slot = 0; this.slot < slots; this.slot++) {
      const entry = words[base + (this.slot << 1)];
      if (entry !== 0 && holds(entry)) move(entry);
    }
    return next * 2 ** (32 - depth);
  }

  #moveDirectory(root: number, depth: number): void {
    const units = directoryUnits(depth);
    const at = (root & UNIT_MASK) << 1;
    const old = this.#ints[root >>> CHUNK_SHIFT][at + TOP];
    const copy = this.#copyBlock(old, units);
    this.#arena.editInts(root, ROOT_UNITS)[at + TOP] = copy;
    this.#arena.release(old, units);
  }

  #moveSegment(root: number, segment: number, index: number): number {
    const head = this.#ints[segment >>> CHUNK_SHIFT][(segment & UNIT_MASK) << 1];
    const copy = this.#copyBlock(segment, segmentUnits(bitsOf(head)));
    const ints = this.#arena.editInts(root, ROOT_UNITS);
    const at = (root & UNIT_MASK) << 1;
    const depth = ints[at + DEPTH];
    if (depth === 0) ints[at + TOP] = copy;
    else {
      const span = 1 << (depth - depthOf(head));
      this.#point(ints[at + TOP], depth, index & ~(span - 1), span, copy);
    }
    this.#releaseSegment(segment);
    return copy;
  }

  #copyBlock(from: number, units: number): number {
    this.changes++;
    const copy = this.#arena.allocate(units);
    const source = this.#ints[from >>> CHUNK_SHIFT];
    const target = this.#arena.editInts(copy, units);
    const fromAt = (from & UNIT_MASK) << 1;
    const at = (copy & UNIT_MASK) << 1;
    for (let i = 0; i < 2 * units; i++) target[at + i] = source[fromAt + i];
    return copy;
  }

  /**
   * Frees a table that nobody uses any more, one segment a call: its entries by `freeEntry`, then the segment. True when
   * nothing is left but the root. Meanwhile i3 counts how far the directory is freed, and i0 is -1.
   */
  reap(root: number, freeEntry: (entry: number) => void): boolean {
    const ints = this.#arena.editInts(root, ROOT_UNITS);
    const at = (root & UNIT_MASK) << 1;
    if (ints[at + COUNT] >= 0) {
      ints[at + COUNT] = -1;
      ints[at + DEEPEST] = 0;
    }
    const depth = ints[at + DEPTH];
    const { segment, next } = this.#walk(root, ints[at + DEEPEST]);
    if (segment !== 0) {
      this.#eachOf(segment, freeEntry);
      this.#releaseSegment(segment);
    }
    ints[at + DEEPEST] = next;
    if (next < 1 << depth) return false;
    if (depth > 0) this.#arena.release(ints[at + TOP], directoryUnits(depth));
    this.create(root);
    return true;
  }
}

/** Empties a slot and moves those back that had been pushed past it. */
function closeGap(ints: Int32Array, base: number, mask: number, gap: number): void {
  let hole = gap;
  for (let i = (gap + 1) & mask; ; i = (i + 1) & mask) {
    const at = base + (i << 1);
    const entry = ints[at];
    if (entry === 0) break;
    const hash = ints[at + 1];
    if (((i - hash) & mask) >= ((i - hole) & mask)) {
      ints[base + (hole << 1)] = entry;
      ints[base + (hole << 1) + 1] = hash;
      hole = i;
    }
  }
  ints[base + (hole << 1)] = 0;
  ints[base + (hole << 1) + 1] = 0;
}
