/**
 * The groups of a stream, the consumers of a group: blocks with a name each, listed in the order of their names, as Redis
 * answers them. A look-up is a binary search over the names; adding moves four bytes for each block behind.
 *
 *   owner   three words somewhere in it: address of the list (0: none), how many are listed, how many there is room for
 *   list    the addresses of the blocks
 *   block   i0 units    i1 bytes of the name    i2 offset of the name in the block
 */
import {
  type Arena,
  CHUNK_SHIFT,
  copyBytes,
  type ReadonlyBytes,
  roundUnits,
  UNIT_MASK,
} from "./arena.ts";

const FIRST_ROOM = 2;

/** Bytes as memcmp orders them; of equal beginnings the shorter comes first. */
export class StreamNames {
  readonly #arena: Arena;
  /** Index of the owner's three words, from its first one. */
  readonly #at: number;

  constructor(arena: Arena, at: number) {
    this.#arena = arena;
    this.#at = at;
  }

  #word(block: number, index: number): number {
    return this.#arena.ints[block >>> CHUNK_SHIFT][((block & UNIT_MASK) << 1) + index];
  }

  count(owner: number): number {
    return this.#word(owner, this.#at + 1);
  }

  /** The block with this index in the order of names. */
  block(owner: number, index: number): number {
    return this.#word(this.#word(owner, this.#at), index);
  }

  /** Index of the first whose name is not below bytes[start, end). */
  lowerBound(owner: number, bytes: ReadonlyBytes, start: number, end: number): number {
    let low = 0;
    let high = this.count(owner);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.block(owner, middle), bytes, start, end) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The block of this name, 0: there is none. */
  find(owner: number, bytes: ReadonlyBytes, start: number, end: number): number {
    const index = this.lowerBound(owner, bytes, start, end);
    if (index === this.count(owner)) return 0;
    const block = this.block(owner, index);
    return this.#compare(block, bytes, start, end) === 0 ? block : 0;
  }

  #compare(block: number, bytes: ReadonlyBytes, start: number, end: number): number {
    const own = this.#arena.bytes[block >>> CHUNK_SHIFT];
    const at = nameAt(this.#arena, block);
    const length = nameSize(this.#arena, block);
    const common = Math.min(length, end - start);
    for (let i = 0; i < common; i++) {
      if (own[at + i] !== bytes[start + i]) return own[at + i] - bytes[start + i];
    }
    return length - (end - start);
  }

  /**
   * Makes a block of this name, which is not there: `head` bytes, all zero but for the three words above, then the name.
   */
  insert(
    owner: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    headBytes: number,
  ): number {
    const index = this.lowerBound(owner, bytes, start, end);
    const block = this.#create(bytes, start, end, headBytes);
    const count = this.count(owner);
    if (count === this.#word(owner, this.#at + 2)) this.#enlarge(owner);
    const list = this.#word(owner, this.#at);
    const words = this.#arena.editInts(list, this.#listUnits(this.#word(owner, this.#at + 2)));
    const first = (list & UNIT_MASK) << 1;
    words.copyWithin(first + index + 1, first + index, first + count);
    words[first + index] = block;
    this.#edit(owner)[((owner & UNIT_MASK) << 1) + this.#at + 1] = count + 1;
    return block;
  }

  #create(bytes: ReadonlyBytes, start: number, end: number, headBytes: number): number {
    const arena = this.#arena;
    const units = roundUnits((headBytes + end - start + 7) >>> 3);
    const block = arena.allocate(units);
    const words = arena.editInts(block, units);
    const at = (block & UNIT_MASK) << 1;
    words.fill(0, at, at + (headBytes >>> 2));
    words[at] = units;
    words[at + 1] = end - start;
    words[at + 2] = headBytes;
    copyBytes(bytes, start, arena.edit(block, units), (at << 2) + headBytes, end - start);
    return block;
  }

  #edit(owner: number): Int32Array {
    const from = this.#at >>> 1;
    return this.#arena.editInts((owner + from) | 0, 3);
  }

  #listUnits(room: number): number {
    return (room + 1) >>> 1;
  }

  #enlarge(owner: number): void {
    const arena = this.#arena;
    const count = this.count(owner);
    const list = this.#word(owner, this.#at);
    const room = Math.max(FIRST_ROOM, 2 * count);
    const larger = arena.allocate(this.#listUnits(room));
    const words = arena.editInts(larger, this.#listUnits(room));
    for (let i = 0; i < count; i++) words[((larger & UNIT_MASK) << 1) + i] = this.#word(list, i);
    if (list !== 0) arena.release(list, this.#listUnits(this.#word(owner, this.#at + 2)));
    const own = this.#edit(owner);
    own[((owner & UNIT_MASK) << 1) + this.#at] = larger;
    own[((owner & UNIT_MASK) << 1) + this.#at + 2] = room;
  }

  /** Takes the block, which is listed, off the list and frees it; what it refers to is the caller's. */
  remove(owner: number, block: number): void {
    const arena = this.#arena;
    const bytes = arena.bytes[block >>> CHUNK_SHIFT];
    const from = nameAt(arena, block);
    const index = this.lowerBound(owner, bytes, from, from + nameSize(arena, block));
    const count = this.count(owner) - 1;
    const room = this.#word(owner, this.#at + 2);
    const list = this.#word(owner, this.#at);
    const own = this.#edit(owner);
    own[((owner & UNIT_MASK) << 1) + this.#at + 1] = count;
    if (count === 0) {
      arena.release(list, this.#listUnits(room));
      own[((owner & UNIT_MASK) << 1) + this.#at] = 0;
      own[((owner & UNIT_MASK) << 1) + this.#at + 2] = 0;
    } else {
      const words = arena.editInts(list, this.#listUnits(room));
      const first = (list & UNIT_MASK) << 1;
      words.copyWithin(first + index, first + index + 1, first + count + 1);
    }
    arena.release(block, this.#word(block, 0));
  }

  /** Units of the list and of the blocks. For tests and checks. */
  unitsOf(owner: number): number {
    let units = roundUnits(this.#listUnits(this.#word(owner, this.#at + 2)));
    for (let i = 0; i < this.count(owner); i++) units += this.#word(this.block(owner, i), 0);
    return units;
  }
}

/** Offset of the first byte of the block's name within its chunk. */
export function nameAt(arena: Arena, block: number): number {
  const at = (block & UNIT_MASK) << 1;
  return (at << 2) + arena.ints[block >>> CHUNK_SHIFT][at + 2];
}

export function nameSize(arena: Arena, block: number): number {
  return arena.ints[block >>> CHUNK_SHIFT][((block & UNIT_MASK) << 1) + 1];
}
