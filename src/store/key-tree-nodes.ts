/**
 * The nodes of a key tree: entries in order, each a key of bytes with some words. What all keys of a node begin with is kept
 * once; when the rests are equally long, their places are computed, else each record says where its rest ends.
 *
 *   node    i0 entries   i1 bytes of the common prefix P   i2 length of each rest, or -1: they vary
 *           i3 level (0: a leaf) | units of the block << 8
 *           then the records, upwards   then free space   then the rests, downwards   then the prefix, up to the block's end
 *
 *   record  of a leaf         number [end]
 *           of an inner node  number, child, pairs below the child [end]
 *           `end`, when rests vary: bytes of the rests up to this one, so rest n is the end[n] - end[n - 1] bytes which begin
 *           end[n] before the prefix
 *
 *   Example: a leaf of 8 units with ("ab1", 7), ("ab2", 9):
 *   02 00 00 00  02 00 00 00  01 00 00 00  00 08 00 00   07 00 00 00  09 00 00 00   … 36 free …   32 31  61 62
 *
 * An inner node's key n is a separator: no pair below child n - 1 is behind it, none below child n before it. It need not be a
 * key of any pair, and that of child 0 means nothing. Which node, and what becomes of the tree, is key-tree.ts.
 */
import {
  type Arena,
  CHUNK_SHIFT,
  copyBytes,
  type ReadonlyBytes,
  roundUnits,
  sameBytes,
  UNIT_BYTES,
  UNIT_MASK,
} from "./arena.ts";

/** Bytes of the longest key. */
export const MAX_KEY_BYTES = 1024;
/** Units of a node, if nothing speaks against it: a class of the arena, 90 pairs of digests, 60 children. */
export const NODE_UNITS = 129;

export const COUNT = 0;
export const PREFIX = 1;
export const STRIDE = 2;
export const SHAPE = 3;
export const HEADER_WORDS = 4;
export const HEADER_BYTES = 4 * HEADER_WORDS;
/** STRIDE when the rests vary. */
export const VARYING = -1;

/** Words of a record. */
export const NUMBER = 0;
export const CHILD = 1;
export const BELOW = 2;

export function recordWords(level: number, stride: number): number {
  return (level > 0 ? 3 : 1) + (stride === VARYING ? 1 : 0);
}

/** A key with a number, to look for. */
export interface KeyProbe {
  readonly bytes: ReadonlyBytes;
  readonly start: number;
  readonly end: number;
  readonly number: number;
}

const LINE_WORDS = 16;
const LOADED_WORDS = 2 * NODE_UNITS;
/** Keeps what is read ahead within the chunk: a node may be smaller than that. */
const CHUNK_WORDS_MASK = 2 * UNIT_MASK + 1;

export class KeyNodes {
  readonly #arena: Arena;
  readonly #ints: Arena["ints"];
  readonly #bytes: Arena["bytes"];
  /** What was read ahead, for nobody: kept, so that the reading is not optimized away. */
  sink = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#ints = arena.ints;
    this.#bytes = arena.bytes;
  }

  /** An empty node with room for so many bytes. */
  create(level: number, sizeBytes: number): number {
    const units = roundUnits(Math.ceil(sizeBytes / UNIT_BYTES));
    const node = this.#arena.allocate(units);
    const ints = this.#arena.editInts(node, 2);
    const at = (node & UNIT_MASK) << 1;
    ints[at + COUNT] = 0;
    ints[at + PREFIX] = 0;
    ints[at + STRIDE] = 0;
    ints[at + SHAPE] = level | (units << 8);
    return node;
  }

  free(node: number): void {
    this.#arena.release(node, this.unitsOf(node));
  }

  // ---- reading ----

  #word(node: number, index: number): number {
    return this.#ints[node >>> CHUNK_SHIFT][((node & UNIT_MASK) << 1) + index];
  }

  count(node: number): number {
    return this.#word(node, COUNT);
  }

  prefix(node: number): number {
    return this.#word(node, PREFIX);
  }

  stride(node: number): number {
    return this.#word(node, STRIDE);
  }

  level(node: number): number {
    return this.#word(node, SHAPE) & 255;
  }

  unitsOf(node: number): number {
    return this.#word(node, SHAPE) >>> 8;
  }

  capacity(node: number): number {
    return this.unitsOf(node) * UNIT_BYTES;
  }

  /** Where the prefix begins in its chunk; the rests end there. */
  prefixAt(node: number): number {
    return ((node & UNIT_MASK) << 3) + this.capacity(node) - this.prefix(node);
  }

  /** Word of the node where the record begins. */
  #recordAt(node: number, index: number): number {
    return HEADER_WORDS + index * recordWords(this.level(node), this.stride(node));
  }

  /** NUMBER, CHILD or BELOW of an entry. */
  get(node: number, index: number, word: number): number {
    return this.#word(node, this.#recordAt(node, index) + word);
  }

  set(node: number, index: number, word: number, value: number): void {
    this.#setWord(node, this.#recordAt(node, index) + word, value);
  }

  #setWord(node: number, index: number, value: number): void {
    const unit = (node + (index >> 1)) | 0;
    this.#arena.editInts(unit, 1)[((unit & UNIT_MASK) << 1) + (index & 1)] = value;
  }

  /** Of a node that is taken apart. */
  setCount(node: number, count: number): void {
    this.#setWord(node, COUNT, count);
  }

  /** Bytes of the rests of the entries ahead of `index`. */
  restsBefore(node: number, index: number): number {
    const stride = this.stride(node);
    if (stride !== VARYING) return index * stride;
    if (index === 0) return 0;
    return this.#word(node, this.#recordAt(node, index) - 1);
  }

  /** Bytes of the block that are not free. */
  usedBytes(node: number): number {
    const count = this.count(node);
    const records = this.#recordAt(node, count) << 2;
    return records + this.restsBefore(node, count) + this.prefix(node);
  }

  /** Writes the key of an entry; answers its length. */
  copyKey(node: number, index: number, target: Buffer): number {
    const bytes = this.#bytes[node >>> CHUNK_SHIFT];
    const prefix = this.prefix(node);
    const at = this.prefixAt(node);
    const end = this.restsBefore(node, index + 1);
    const length = end - this.restsBefore(node, index);
    copyBytes(bytes, at, target, 0, prefix);
    copyBytes(bytes, at - end, target, prefix, length);
    return prefix + length;
  }

  /** How many bytes of the node's prefix this key begins with. */
  sharedPrefix(node: number, bytes: ReadonlyBytes, start: number, end: number): number {
    const own = this.#bytes[node >>> CHUNK_SHIFT];
    const at = this.prefixAt(node);
    const most = Math.min(this.prefix(node), end - start);
    let shared = 0;
    while (shared < most && own[at + shared] === bytes[start + shared]) shared++;
    return shared;
  }

  /** Pairs below the children ahead of `end`. */
  belowBefore(node: number, end: number): number {
    const ints = this.#ints[node >>> CHUNK_SHIFT];
    const words = recordWords(1, this.stride(node));
    let word = ((node & UNIT_MASK) << 1) + HEADER_WORDS + BELOW;
    let sum = 0;
    for (let i = 0; i < end; i++, word += words) sum += ints[word] >>> 0;
    return sum;
  }

  /** Pairs in the node or below it. */
  pairs(node: number): number {
    const count = this.count(node);
    return this.level(node) === 0 ? count : this.belowBefore(node, count);
  }

  // ---- searching ----

  /**
   * Index of the first entry, at `low` or behind it, that is not before the probe; `isPast`: that is behind it. This is where
   * the time goes, so it reads the node itself; and first a word of each of its cache lines, for all these loads are under way
   * at once, while those of a search wait for one another.
   */
  bisect(node: number, low: number, probe: KeyProbe, isPast: boolean): number {
    const ints = this.#ints[node >>> CHUNK_SHIFT];
    const bytes = this.#bytes[node >>> CHUNK_SHIFT];
    const at = (node & UNIT_MASK) << 1;
    let sink = 0;
    for (let word = 0; word < LOADED_WORDS; word += LINE_WORDS) {
      sink ^= ints[(at + word) & CHUNK_WORDS_MASK];
    }
    this.sink = sink;
    const prefix = ints[at + PREFIX];
    const stride = ints[at + STRIDE];
    const base = (at << 2) + ((ints[at + SHAPE] >>> 8) << 3) - prefix;
    const { bytes: key, start } = probe;
    const length = probe.end - start;
    let high = ints[at + COUNT];
    for (let i = 0; i < prefix; i++) {
      if (i === length) return low;
      const difference = bytes[base + i] - key[start + i];
      if (difference !== 0) return difference < 0 ? high : low;
    }
    const words = recordWords(ints[at + SHAPE] & 255, stride);
    const records = at + HEADER_WORDS;
    const number = probe.number >>> 0;
    const rest = start + prefix;
    const restLength = length - prefix;
    let size = stride;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const record = records + middle * words;
      let from = base - (middle + 1) * stride;
      if (stride === VARYING) {
        const end = ints[record + words - 1];
        size = middle === 0 ? end : end - ints[record - 1];
        from = base - end;
      }
      const common = size < restLength ? size : restLength;
      let i = 0;
      while (i < common && bytes[from + i] === key[rest + i]) i++;
      let difference = i < common ? bytes[from + i] - key[rest + i] : size - restLength;
      if (difference === 0) difference = (ints[record] >>> 0) - number;
      if (difference < 0 || (isPast && difference === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether the entry is the probe's key with its number. */
  isProbe(node: number, index: number, probe: KeyProbe): boolean {
    if (this.get(node, index, NUMBER) !== (probe.number | 0)) return false;
    const prefix = this.prefix(node);
    const at = this.prefixAt(node);
    const end = this.restsBefore(node, index + 1);
    const rest = end - this.restsBefore(node, index);
    const { bytes, start } = probe;
    const own = this.#bytes[node >>> CHUNK_SHIFT];
    return (
      probe.end - start === prefix + rest &&
      sameBytes(own, at, bytes, start, prefix) &&
      sameBytes(own, at - end, bytes, start + prefix, rest)
    );
  }

  // ---- changing ----

  /**
   * Puts an entry in at `index`, if it can stand there without moving the others into another form: it has the prefix, its
   * rest is as long as the others' where they do not vary, and there is room.
   */
  put(node: number, index: number, probe: KeyProbe, child: number, below: number): boolean {
    const count = this.count(node);
    const prefix = this.prefix(node);
    const stride = this.stride(node);
    const { bytes, start, end } = probe;
    const length = end - start - prefix;
    if (count === 0 || length < 0 || (stride !== VARYING && stride !== length)) return false;
    const base = this.prefixAt(node);
    if (!sameBytes(this.#bytes[node >>> CHUNK_SHIFT], base, bytes, start, prefix)) return false;
    const level = this.level(node);
    const words = recordWords(level, stride);
    if (this.usedBytes(node) + words * 4 + length > this.capacity(node)) return false;
    const before = this.restsBefore(node, index);
    const all = this.restsBefore(node, count);
    const units = this.unitsOf(node);
    const target = this.#arena.edit(node, units);
    if (index < count) target.copyWithin(base - all - length, base - all, base - before);
    copyBytes(bytes, start + prefix, target, base - before - length, length);
    const ints = this.#arena.editInts(node, units);
    const records = ((node & UNIT_MASK) << 1) + HEADER_WORDS;
    const record = records + index * words;
    if (index < count) ints.copyWithin(record + words, record, records + count * words);
    ints[record + NUMBER] = probe.number;
    if (level > 0) {
      ints[record + CHILD] = child;
      ints[record + BELOW] = below;
    }
    if (stride === VARYING) {
      ints[record + words - 1] = before + length;
      for (let i = index + 1; i <= count; i++) ints[records + (i + 1) * words - 1] += length;
    }
    ints[records - HEADER_WORDS + COUNT] = count + 1;
    return true;
  }

  /** Takes an entry out. */
  take(node: number, index: number): void {
    const count = this.count(node) - 1;
    const stride = this.stride(node);
    const words = recordWords(this.level(node), stride);
    const base = this.prefixAt(node);
    const before = this.restsBefore(node, index);
    const end = this.restsBefore(node, index + 1);
    const all = this.restsBefore(node, count + 1);
    const units = this.unitsOf(node);
    if (index < count && end > before) {
      this.#arena.edit(node, units).copyWithin(base - all + end - before, base - all, base - end);
    }
    const ints = this.#arena.editInts(node, units);
    const records = ((node & UNIT_MASK) << 1) + HEADER_WORDS;
    const record = records + index * words;
    if (index < count) ints.copyWithin(record, record + words, records + (count + 1) * words);
    if (stride === VARYING) {
      for (let i = index; i < count; i++) ints[records + (i + 1) * words - 1] -= end - before;
    }
    ints[records - HEADER_WORDS + COUNT] = count;
  }
}
