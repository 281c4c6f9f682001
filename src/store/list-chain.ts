/**
 * A big list: a root and a chain of nodes (list-blocks.ts, list-node.ts). Here is the whole, and its ends: pushes and pops work on
 * the nodes there, in place. Changes in the middle are list-middle.ts.
 *
 * Invariant: no node is empty.
 */
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { I_ELEMENTS, I_HEAD, I_NODES, I_TAIL, type ListBlocks, ROOT_UNITS } from "./list-blocks.ts";
import {
  contentBytes,
  DOWN,
  dataSize,
  EVEN,
  I_COUNT,
  I_DATA,
  I_LENGTHS,
  I_NEXT,
  I_PREVIOUS,
  I_SHAPE,
  LARGE,
  LONG,
  NODE_HEADER_BYTES,
  NODE_HEADER_UNITS,
  NodeReader,
  nodeUnits,
  nodeWord,
  UNITS_OF_SHAPE,
} from "./list-node.ts";
import { StructureEdit } from "./structure.ts";

const LOW = 0xffff;
/**
 * The first node of a list begins so small; a further one, at an end that grows, is likely to be filled. That of a long list is
 * as large at once as its neighbour has become: what may stay free is little beside the rest, and nothing is copied.
 */
const FIRST_UNITS = 8;
const LATER_UNITS = 129;
const NODES_OF_LONG = 16;
/** A call of `reap` takes some 20 µs at most. */
const NODES_PER_REAP = 128;
const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);

export class ListChain {
  readonly #arena: Arena;
  readonly #blocks: ListBlocks;
  readonly #edit: StructureEdit;
  readonly #reader: NodeReader;
  /** The element that `peek` found: its node, and bytes[start, end) of it. */
  node = 0;
  bytes: ReadonlyBytes = NO_BYTES;
  start = 0;
  end = 0;

  constructor(arena: Arena, blocks: ListBlocks) {
    this.#arena = arena;
    this.#blocks = blocks;
    this.#edit = new StructureEdit(arena);
    this.#reader = new NodeReader(arena);
  }

  // ---- the whole ----

  /** Makes a list of the elements run[at, end), perhaps none yet. `account`: of the database. */
  create(account: number, run: ReadonlyBytes, at: number, end: number): number {
    const arena = this.#arena;
    this.#edit.begin(account);
    const root = arena.allocate(ROOT_UNITS);
    const words = arena.editInts(root, ROOT_UNITS);
    const r = (root & UNIT_MASK) << 1;
    words.fill(0, r, r + 2 * ROOT_UNITS);
    this.#blocks.build(root, 0, run, at, end);
    this.#edit.end(root);
    return root;
  }

  count(root: number): number {
    return nodeWord(this.#arena, root, I_ELEMENTS);
  }

  /** Frees some nodes of a list that nobody uses; true when all of it is gone. */
  reap(root: number): boolean {
    const arena = this.#arena;
    let node = nodeWord(arena, root, I_HEAD);
    for (let i = 0; i < NODES_PER_REAP && node !== 0; i++) {
      const next = nodeWord(arena, node, I_NEXT);
      arena.release(node, nodeUnits(arena, node));
      node = next;
    }
    if (node === 0) {
      arena.release(root, ROOT_UNITS);
      return true;
    }
    arena.editInts(root, ROOT_UNITS)[((root & UNIT_MASK) << 1) + I_HEAD] = node;
    return false;
  }

  // ---- pushing ----

  /** Adds the element b[start, end), which does not lie in the arena, at an end. */
  push(
    account: number,
    root: number,
    atHead: boolean,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    const arena = this.#arena;
    const length = end - start;
    const size = length < LONG ? length : dataSize(length);
    const r = (root & UNIT_MASK) << 1;
    let node = arena.ints[root >>> CHUNK_SHIFT][r + (atHead ? I_HEAD : I_TAIL)];
    if (node === 0 || !this.#hasRoom(node, atHead, length, size)) {
      this.#edit.begin(account);
      node = this.#makeRoom(root, node, atHead, length, size);
      this.#edit.end(root);
    }
    this.#blocks.place(node, atHead, b, start, end);
    arena.editInts(root, ROOT_UNITS)[r + I_ELEMENTS]++;
  }

  /** Whether the node takes an element at this end as it is. */
  #hasRoom(node: number, atHead: boolean, length: number, size: number): boolean {
    const ints = this.#arena.ints[node >>> CHUNK_SHIFT];
    const k = (node & UNIT_MASK) << 1;
    const shape = ints[k + I_SHAPE];
    if ((shape & LARGE) !== 0 || ((shape & DOWN) !== 0) !== atHead) return false;
    if (ints[k + I_COUNT] >= this.#blocks.maxCount) return false;
    const data = ints[k + I_DATA];
    const lengths = ints[k + I_LENGTHS];
    if ((shape & EVEN) !== 0) {
      if (lengths !== length) return false;
      if (atHead) return (data & LOW) - NODE_HEADER_BYTES >= length;
      return ((shape & UNITS_OF_SHAPE) << 3) - (data >>> 16) >= length;
    }
    return atHead ? (data & LOW) - (lengths >>> 16) > size : (lengths & LOW) - (data >>> 16) > size;
  }

  /** A node at the end with room for such an element: the one that is there, larger, or a new one. */
  #makeRoom(root: number, node: number, atHead: boolean, length: number, size: number): number {
    const maxBytes = this.#blocks.maxUnits << 3;
    if (NODE_HEADER_BYTES + size + 1 > maxBytes) {
      return this.#blocks.linkAtEnd(root, this.#blocks.allocateLarge(length), atHead);
    }
    const shape = node === 0 ? LARGE : nodeWord(this.#arena, node, I_SHAPE);
    const isSameWay = (shape & LARGE) === 0 && ((shape & DOWN) !== 0) === atHead;
    if (isSameWay && nodeWord(this.#arena, node, I_COUNT) < this.#blocks.maxCount) {
      const spreads = (shape & EVEN) !== 0 && nodeWord(this.#arena, node, I_LENGTHS) !== length;
      const count = nodeWord(this.#arena, node, I_COUNT);
      const lengths = (shape & EVEN) === 0 ? 1 : spreads ? count + 1 : 0;
      const total = NODE_HEADER_BYTES + contentBytes(this.#arena, node) + size + lengths;
      const units = shape & UNITS_OF_SHAPE;
      // Half of it is free at the other end, or there is room for the lengths: then it need not grow.
      if (total <= units << 2 || (spreads && total <= units << 3)) {
        return this.#remake(root, node, units, spreads);
      }
      if (total <= maxBytes && units < this.#blocks.maxUnits) {
        return this.#remake(root, node, this.#blocks.unitsFor(total + (total >> 1)), spreads);
      }
    }
    const least = NODE_HEADER_BYTES + size + 1;
    const units = Math.max(this.#startingUnits(root, node), (least + 7) >>> 3);
    return this.#blocks.linkAtEnd(
      root,
      this.#blocks.allocate(this.#blocks.unitsFor(units << 3), atHead, length),
      atHead,
    );
  }

  /** Of a new node at the end where `node` is, 0: there is none yet. */
  #startingUnits(root: number, node: number): number {
    if (node === 0) return FIRST_UNITS;
    const shape = nodeWord(this.#arena, node, I_SHAPE);
    const isLarge = (shape & LARGE) !== 0;
    if (this.#blocks.maxCount < LOW) {
      // So few elements fill it that nothing is known of it but what its neighbour has.
      const bytes = isLarge ? 0 : NODE_HEADER_BYTES + contentBytes(this.#arena, node);
      return Math.max(FIRST_UNITS, (bytes + 7) >>> 3);
    }
    const isLong = nodeWord(this.#arena, root, I_NODES) >= NODES_OF_LONG;
    return isLong && !isLarge ? Math.max(LATER_UNITS, shape & UNITS_OF_SHAPE) : LATER_UNITS;
  }

  /**
   * Moves the node's content to a block of so many units, all free space on the side where it grows; `spreads` writes out the
   * lengths of an even one.
   */
  #remake(root: number, node: number, units: number, spreads: boolean): number {
    const arena = this.#arena;
    const target = arena.allocate(units);
    const shape = nodeWord(arena, node, I_SHAPE);
    const count = nodeWord(arena, node, I_COUNT);
    const data = nodeWord(arena, node, I_DATA);
    const lengths = nodeWord(arena, node, I_LENGTHS);
    const size = (data >>> 16) - (data & LOW);
    const isEven = (shape & EVEN) !== 0;
    const lengthBytes = isEven && !spreads ? 0 : count;
    const isDown = (shape & DOWN) !== 0;
    const start = isDown ? (units << 3) - size : NODE_HEADER_BYTES;
    const lengthStart = isDown ? NODE_HEADER_BYTES : (units << 3) - lengthBytes;
    const words = arena.editInts(target, units);
    const bytes = arena.edit(target, units);
    const k = (target & UNIT_MASK) << 1;
    words[k + I_DATA] = start | ((start + size) << 16);
    words[k + I_LENGTHS] =
      lengthBytes === 0 && isEven ? lengths : lengthStart | ((lengthStart + lengthBytes) << 16);
    words[k + I_SHAPE] = units | (shape & DOWN) | (isEven && !spreads ? EVEN : 0);
    words[k + I_COUNT] = count;
    const source = arena.bytes[node >>> CHUNK_SHIFT];
    const from = (node & UNIT_MASK) << 3;
    const to = k << 2;
    copyBytes(source, from + (data & LOW), bytes, to + start, size);
    if (!isEven) copyBytes(source, from + (lengths & LOW), bytes, to + lengthStart, lengthBytes);
    else if (spreads) bytes.fill(lengths, to + lengthStart, to + lengthStart + lengthBytes);
    this.#blocks.takePlace(root, node, target);
    return target;
  }

  // ---- popping ----

  /** Finds the element at an end: `bytes`, `start`, `end`. */
  peek(root: number, atHead: boolean): void {
    const arena = this.#arena;
    const node = nodeWord(arena, root, atHead ? I_HEAD : I_TAIL);
    this.node = node;
    const ints = arena.ints[node >>> CHUNK_SHIFT];
    const k = (node & UNIT_MASK) << 1;
    if ((ints[k + I_SHAPE] & EVEN) === 0) {
      this.#peekUneven(node, atHead);
      return;
    }
    const data = ints[k + I_DATA];
    const length = ints[k + I_LENGTHS];
    this.bytes = arena.bytes[node >>> CHUNK_SHIFT];
    this.start = (k << 2) + (atHead ? data & LOW : (data >>> 16) - length);
    this.end = this.start + length;
  }

  #peekUneven(node: number, atHead: boolean): void {
    const reader = this.#reader;
    if (atHead) {
      reader.enterFront(node);
      reader.next();
    } else {
      reader.enterBack(node);
      reader.previous();
    }
    this.bytes = reader.bytes;
    this.start = reader.start;
    this.end = reader.end;
  }

  /** Removes the element that `peek` has just found at this end. One element is left at least: the last goes with the list. */
  drop(account: number, root: number, atHead: boolean): void {
    const { node } = this;
    const arena = this.#arena;
    const k = (node & UNIT_MASK) << 1;
    const count = arena.ints[node >>> CHUNK_SHIFT][k + I_COUNT];
    if (count === 1) {
      this.#edit.begin(account);
      this.#blocks.unlink(root, node);
      this.#edit.end(root);
      return;
    }
    arena.editInts(root, ROOT_UNITS)[((root & UNIT_MASK) << 1) + I_ELEMENTS]--;
    const words = arena.editInts(node, NODE_HEADER_UNITS);
    const length = this.end - this.start;
    const size = length < LONG ? length : dataSize(length);
    words[k + I_DATA] += atHead ? size : -(size << 16);
    words[k + I_COUNT] = count - 1;
    if ((words[k + I_SHAPE] & EVEN) === 0) words[k + I_LENGTHS] += atHead ? -(1 << 16) : 1;
    const units = words[k + I_SHAPE] & UNITS_OF_SHAPE;
    if (units > LATER_UNITS && words[k + I_PREVIOUS] === 0 && words[k + I_NEXT] === 0) {
      this.#shrink(account, root, node, units);
    }
  }

  /** A list that was long does not keep a node of 8 KiB for what is left in it. */
  #shrink(account: number, root: number, node: number, units: number): void {
    const total = NODE_HEADER_BYTES + contentBytes(this.#arena, node);
    if (total << 2 > units << 3) return;
    this.#edit.begin(account);
    this.#remake(root, node, this.#blocks.unitsFor(2 * total), false);
    this.#edit.end(root);
  }

  /** Removes `count` elements at an end, fewer than there are. */
  trim(account: number, root: number, atHead: boolean, count: number): void {
    const arena = this.#arena;
    let left = count;
    while (left > 0) {
      const node = nodeWord(arena, root, atHead ? I_HEAD : I_TAIL);
      const held = nodeWord(arena, node, I_COUNT);
      if (held > left) break;
      this.#edit.begin(account);
      this.#blocks.unlink(root, node);
      this.#edit.end(root);
      left -= held;
    }
    for (; left > 0; left--) {
      this.peek(root, atHead);
      this.drop(account, root, atHead);
    }
  }
}
