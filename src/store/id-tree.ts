/**
 * An ordered map from stream IDs to a few words each, as a B+ tree in the arena: the nodes of a stream by their first ID, the
 * pending entries of a group and of a consumer. Finding, adding and removing are O(log n); IDs that only grow fill each leaf
 * to the last item, since the last leaf is left full when it splits.
 *
 *   block  i0 items | level << 16 (leaves have level 0)    i1 items that there is room for
 *          i2 leaf before    i3 leaf behind (leaves alone; 0: none)
 *          then the items, in order
 *   item   the four words of its ID, then `payload` words; in a block above the leaves, the address of the child that has
 *          the IDs from this one on (the first child has all smaller ones too)
 *
 *   Example, payload 1, IDs 1-0 and 2-0: i0 2, i1 4, i2 0, i3 0, (0 1 0 0 payload) (0 2 0 0 payload), room for two more
 *
 * The tree has no record of its own: its owner keeps the address of the topmost block (0: an empty tree), and takes the one
 * that each change answers. Where a look-up ended is the position, `leaf` and `index`, until the tree changes.
 *
 * Invariant: no leaf is empty; all leaves have the same depth; blocks are allocated on the arena's account.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyNumbers, roundUnits, UNIT_MASK } from "./arena.ts";
import { compareWords, StreamId } from "./stream-id.ts";

/** Items of a full block: 640 bytes of the children of one block. */
const FULL = 32;
/** The only leaf of a small tree starts with so many, and doubles. */
const FIRST = 4;
/** A block with fewer is joined with a neighbour, if both are no more than this together. */
const SPARSE = FULL / 4;
const JOINED = (FULL * 3) / 4;
const HEADER_WORDS = 4;
const ID_WORDS = 4;
/** Levels of 2^32 items when all blocks are as sparse as they may be. */
const MAX_LEVELS = 16;

export class IdTree {
  readonly #arena: Arena;
  readonly #payload: number;
  /** The position; leaf 0: behind the last item, or before the first. */
  leaf = 0;
  index = 0;
  /** The blocks from the topmost down to the leaf of the last look-up, by level, and the child taken in each. */
  readonly #path = new Int32Array(MAX_LEVELS);
  readonly #taken = new Int32Array(MAX_LEVELS);

  /** `payload`: words of each item besides its ID. */
  constructor(arena: Arena, payload: number) {
    this.#arena = arena;
    this.#payload = payload;
  }

  // ---- blocks ----

  #words(block: number): ReadonlyNumbers {
    return this.#arena.ints[block >>> CHUNK_SHIFT];
  }

  #count(block: number): number {
    return this.#words(block)[(block & UNIT_MASK) << 1] & 0xffff;
  }

  #level(block: number): number {
    return this.#words(block)[(block & UNIT_MASK) << 1] >>> 16;
  }

  #room(block: number): number {
    return this.#words(block)[((block & UNIT_MASK) << 1) + 1];
  }

  #itemWords(level: number): number {
    return ID_WORDS + (level === 0 ? this.#payload : 1);
  }

  #unitsFor(level: number, room: number): number {
    return (HEADER_WORDS + room * this.#itemWords(level) + 1) >>> 1;
  }

  /** Index of the item's first word in the chunk of the block. */
  #at(block: number, level: number, index: number): number {
    return ((block & UNIT_MASK) << 1) + HEADER_WORDS + index * this.#itemWords(level);
  }

  #child(block: number, level: number, index: number): number {
    return this.#words(block)[this.#at(block, level, index) + ID_WORDS];
  }

  #edit(block: number): Int32Array {
    return this.#arena.editInts(block, this.#unitsFor(this.#level(block), this.#room(block)));
  }

  #setCount(block: number, count: number): void {
    const words = this.#arena.editInts(block, 1);
    const at = (block & UNIT_MASK) << 1;
    words[at] = (words[at] & ~0xffff) | count;
  }

  #create(level: number, room: number): number {
    const units = this.#unitsFor(level, room);
    const block = this.#arena.allocate(units);
    const words = this.#arena.editInts(block, 2);
    const at = (block & UNIT_MASK) << 1;
    words[at] = level << 16;
    words[at + 1] = room;
    words[at + 2] = 0;
    words[at + 3] = 0;
    return block;
  }

  #free(block: number): void {
    this.#arena.release(block, this.#unitsFor(this.#level(block), this.#room(block)));
  }

  // ---- looking ----

  /** How many items of the block have IDs below this one, or, with `orEqual`, up to it. */
  #countBelow(block: number, level: number, id: StreamId, orEqual: boolean): number {
    const words = this.#words(block);
    const itemWords = this.#itemWords(level);
    const first = this.#at(block, level, 0);
    let low = 0;
    let high = this.#count(block);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareWords(words, first + middle * itemWords, id);
      if (order < 0 || (orEqual && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Descends to the leaf where this ID is or would be. */
  #descend(root: number, id: StreamId): number {
    let block = root;
    for (let level = this.#level(root); level > 0; level--) {
      const below = this.#countBelow(block, level, id, true);
      const taken = below === 0 ? 0 : below - 1;
      this.#path[level] = block;
      this.#taken[level] = taken;
      block = this.#child(block, level, taken);
    }
    this.#path[0] = block;
    return block;
  }

  /** Goes to this ID; false: it is not there, and the position is the next greater one. */
  seek(root: number, id: StreamId): boolean {
    this.leaf = 0;
    if (root === 0) return false;
    this.leaf = this.#descend(root, id);
    this.index = this.#countBelow(this.leaf, 0, id, false);
    if (this.index === this.#count(this.leaf)) {
      this.leaf = this.#words(this.leaf)[((this.leaf & UNIT_MASK) << 1) + 3];
      this.index = 0;
      return false;
    }
    return compareWords(this.#words(this.leaf), this.#at(this.leaf, 0, this.index), id) === 0;
  }

  /** Goes to the greatest ID that is not above this one; false: there is none. */
  seekBack(root: number, id: StreamId): boolean {
    this.leaf = 0;
    if (root === 0) return false;
    this.leaf = this.#descend(root, id);
    this.index = this.#countBelow(this.leaf, 0, id, true);
    return this.previous();
  }

  first(root: number): boolean {
    this.leaf = root;
    this.index = 0;
    if (root === 0) return false;
    for (let level = this.#level(root); level > 0; level--) {
      this.#path[level] = this.leaf;
      this.#taken[level] = 0;
      this.leaf = this.#child(this.leaf, level, 0);
    }
    this.#path[0] = this.leaf;
    return true;
  }

  last(root: number): boolean {
    this.leaf = root;
    if (root === 0) return false;
    for (let level = this.#level(root); level > 0; level--) {
      const taken = this.#count(this.leaf) - 1;
      this.#path[level] = this.leaf;
      this.#taken[level] = taken;
      this.leaf = this.#child(this.leaf, level, taken);
    }
    this.#path[0] = this.leaf;
    this.index = this.#count(this.leaf) - 1;
    return true;
  }

  /** Goes on to the next item; false: there is none. */
  next(): boolean {
    if (++this.index < this.#count(this.leaf)) return true;
    this.leaf = this.#words(this.leaf)[((this.leaf & UNIT_MASK) << 1) + 3];
    this.index = 0;
    return this.leaf !== 0;
  }

  previous(): boolean {
    if (--this.index >= 0) return true;
    this.leaf = this.#words(this.leaf)[((this.leaf & UNIT_MASK) << 1) + 2];
    if (this.leaf === 0) return false;
    this.index = this.#count(this.leaf) - 1;
    return true;
  }

  /** The ID at the position. */
  readId(into: StreamId): StreamId {
    const words = this.#words(this.leaf);
    const at = this.#at(this.leaf, 0, this.index);
    return into.set(words[at], words[at + 1], words[at + 2], words[at + 3]);
  }

  /** A word of the payload at the position. */
  word(index: number): number {
    return this.#words(this.leaf)[this.#at(this.leaf, 0, this.index) + ID_WORDS + index];
  }

  /** Words of the chunk of the position's leaf, to write the payload that begins at `payloadAt`. */
  editPayload(): Int32Array {
    const from = (this.payloadAt - ((this.leaf & UNIT_MASK) << 1)) >>> 1;
    const units = (this.#payload >>> 1) + 1;
    return this.#arena.editInts((this.leaf + from) | 0, units);
  }

  get payloadAt(): number {
    return this.#at(this.leaf, 0, this.index) + ID_WORDS;
  }

  // ---- adding ----

  /**
   * Adds an ID that is not there; the position is its item then, whose payload is for the caller to write. Answers the
   * topmost block.
   */
  insert(root: number, id: StreamId): number {
    if (root === 0) {
      const leaf = this.#create(0, FIRST);
      this.#path[0] = leaf;
      this.#put(leaf, 0, 0, id, 0);
      this.leaf = leaf;
      this.index = 0;
      return leaf;
    }
    const leaf = this.#descend(root, id);
    const index = this.#countBelow(leaf, 0, id, false);
    return this.#insertAt(root, 0, index, id, 0);
  }

  /** Adds an item to the block of the path at this level; `child` for those above the leaves. */
  #insertAt(root: number, level: number, index: number, id: StreamId, child: number): number {
    const block = this.#path[level];
    const count = this.#count(block);
    let top = root;
    let target = block;
    let at = index;
    if (count === this.#room(block)) {
      if (count < FULL) {
        // Only the topmost block is that small: no other one refers to it.
        target = this.#enlarge(block);
        top = target;
      } else {
        const isLast = index === count && this.#isRightmost(level, root);
        const kept = isLast ? FULL : FULL / 2;
        const right = this.#split(block, level, kept);
        if (isLast || index > kept) {
          target = right;
          at = index - kept;
        }
        this.#put(target, level, at, id, child);
        if (level === 0) {
          this.leaf = target;
          this.index = at;
        }
        return this.#adopt(root, block, right, level + 1);
      }
    }
    this.#put(target, level, at, id, child);
    if (level === 0) {
      this.leaf = target;
      this.index = at;
    }
    return top;
  }

  /** Whether the path's block of this level has none to its right. */
  #isRightmost(level: number, root: number): boolean {
    for (let above = level + 1; above <= this.#level(root); above++) {
      if (this.#taken[above] !== this.#count(this.#path[above]) - 1) return false;
    }
    return true;
  }

  #put(block: number, level: number, index: number, id: StreamId, child: number): void {
    const words = this.#edit(block);
    const itemWords = this.#itemWords(level);
    const at = this.#at(block, level, index);
    const count = this.#count(block);
    if (index < count) words.copyWithin(at + itemWords, at, this.#at(block, level, count));
    words[at] = id.msHigh;
    words[at + 1] = id.msLow;
    words[at + 2] = id.seqHigh;
    words[at + 3] = id.seqLow;
    if (level > 0) words[at + ID_WORDS] = child;
    this.#setCount(block, count + 1);
  }

  #enlarge(block: number): number {
    const larger = this.#create(0, this.#room(block) * 2);
    this.#append(larger, block, 0, 0);
    this.#free(block);
    return larger;
  }

  /** Copies the items of `source` from `from` on behind those of `target`. */
  #append(target: number, source: number, level: number, from: number): void {
    const words = this.#edit(target);
    const have = this.#count(target);
    const more = this.#count(source) - from;
    const sourceWords = this.#words(source);
    let to = this.#at(target, level, have);
    let at = this.#at(source, level, from);
    for (let left = more * this.#itemWords(level); left > 0; left--)
      words[to++] = sourceWords[at++];
    this.#setCount(target, have + more);
  }

  /** A new block behind this one takes its items from `kept` on. */
  #split(block: number, level: number, kept: number): number {
    const right = this.#create(level, FULL);
    this.#append(right, block, level, kept);
    this.#setCount(block, kept);
    if (level === 0) this.#link(block, right, this.#words(block)[((block & UNIT_MASK) << 1) + 3]);
    return right;
  }

  /** `leaf` comes between the other two; 0: there is none on that side. */
  #link(before: number, leaf: number, behind: number): void {
    const words = this.#arena.editInts(leaf, 2);
    words[((leaf & UNIT_MASK) << 1) + 2] = before;
    words[((leaf & UNIT_MASK) << 1) + 3] = behind;
    if (before !== 0) this.#arena.editInts(before, 2)[((before & UNIT_MASK) << 1) + 3] = leaf;
    if (behind !== 0) this.#arena.editInts(behind, 2)[((behind & UNIT_MASK) << 1) + 2] = leaf;
  }

  readonly #separator = new StreamId();

  /** Enters `right`, which was split off `left`, into the block above. */
  #adopt(root: number, left: number, right: number, level: number): number {
    const id = this.#firstId(right, level - 1);
    if (left !== root) return this.#insertAt(root, level, this.#taken[level] + 1, id, right);
    const top = this.#create(level, FULL);
    this.#put(top, level, 0, id, right);
    this.#put(top, level, 0, this.#firstId(left, level - 1), left);
    return top;
  }

  #firstId(block: number, level: number): StreamId {
    const words = this.#words(block);
    const at = this.#at(block, level, 0);
    return this.#separator.set(words[at], words[at + 1], words[at + 2], words[at + 3]);
  }

  // ---- removing ----

  /** Removes the item at the position, where `seek`, `first` or `last` has just gone. Answers the topmost block. */
  remove(root: number): number {
    return this.#removeAt(root, 0, this.index);
  }

  #removeAt(root: number, level: number, index: number): number {
    const block = this.#path[level];
    const count = this.#count(block) - 1;
    if (count === 0) {
      if (level === 0) this.#unlink(block);
      this.#free(block);
      return block === root ? 0 : this.#removeAt(root, level + 1, this.#taken[level + 1]);
    }
    const words = this.#edit(block);
    const at = this.#at(block, level, index);
    const next = at + this.#itemWords(level);
    words.copyWithin(at, next, this.#at(block, level, count + 1));
    this.#setCount(block, count);
    if (block === root) return level > 0 && count === 1 ? this.#lower(root) : root;
    return count < SPARSE ? this.#join(root, level) : root;
  }

  /** The only child of the topmost block takes its place. */
  #lower(root: number): number {
    let top = root;
    for (let level = this.#level(top); level > 0 && this.#count(top) === 1; level--) {
      const child = this.#child(top, level, 0);
      this.#free(top);
      top = child;
    }
    return top;
  }

  #unlink(leaf: number): void {
    const words = this.#words(leaf);
    const before = words[((leaf & UNIT_MASK) << 1) + 2];
    const behind = words[((leaf & UNIT_MASK) << 1) + 3];
    if (before !== 0) this.#arena.editInts(before, 2)[((before & UNIT_MASK) << 1) + 3] = behind;
    if (behind !== 0) this.#arena.editInts(behind, 2)[((behind & UNIT_MASK) << 1) + 2] = before;
  }

  /** Joins the path's block of this level with a neighbour below the same block, if both fit well in one. */
  #join(root: number, level: number): number {
    const above = this.#path[level + 1];
    const taken = this.#taken[level + 1];
    const isLast = taken === this.#count(above) - 1;
    if (isLast && taken === 0) return root;
    const leftIndex = isLast ? taken - 1 : taken;
    const left = this.#child(above, level + 1, leftIndex);
    const right = this.#child(above, level + 1, leftIndex + 1);
    if (this.#count(left) + this.#count(right) > JOINED) return root;
    this.#append(left, right, level, 0);
    if (level === 0) this.#unlink(right);
    this.#free(right);
    return this.#removeAt(root, level + 1, leftIndex + 1);
  }

  // ---- freeing ----

  /**
   * Frees the last leaf, after `visit` was called for it with the position at each of its items, last first. Answers the
   * topmost block, 0 when all is freed. The account of the arena is charged; nothing else may be asked in between.
   */
  reap(root: number, visit: () => void): number {
    this.last(root);
    const { leaf } = this;
    for (; this.index >= 0; this.index--) visit();
    this.leaf = leaf;
    this.#free(leaf);
    for (let level = 1; leaf !== root; level++) {
      const block = this.#path[level];
      const count = this.#count(block) - 1;
      if (count > 0) {
        this.#setCount(block, count);
        return root;
      }
      this.#free(block);
      if (block === root) break;
    }
    return 0;
  }

  /** Units of all blocks. For tests and checks: it walks everything. */
  unitsOf(root: number): number {
    if (root === 0) return 0;
    return this.#unitsBelow(root);
  }

  #unitsBelow(block: number): number {
    const level = this.#level(block);
    let units = this.#roundedUnits(block);
    if (level === 0) return units;
    for (let i = 0; i < this.#count(block); i++) {
      units += this.#unitsBelow(this.#child(block, level, i));
    }
    return units;
  }

  #roundedUnits(block: number): number {
    return roundUnits(this.#unitsFor(this.#level(block), this.#room(block)));
  }
}
