/**
 * The blocks of a big list: makes nodes, links them into the chain, fills them. What an operation of a list makes of them is
 * list-chain.ts and list-middle.ts; list-node.ts draws a node.
 *
 *   root   d0 units of the list    i2 head    i3 tail    i4 elements    i5 nodes
 *
 * Whoever calls this to allocate or release has begun a StructureEdit.
 *
 * Invariant: the root's counts are the sums of the nodes'.
 */
import { type Arena, copyBytes, type ReadonlyBytes, roundUnits, UNIT_MASK } from "./arena.ts";
import type { CollectionLimits } from "./collections.ts";
import {
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
  largeUnits,
  NODE_HEADER_BYTES,
  NODE_HEADER_UNITS,
  nodeUnits,
  nodeWord,
} from "./list-node.ts";
import { afterString, contentAt, lengthAt } from "./packed-run.ts";

export const ROOT_UNITS = 3;
export const I_HEAD = 2;
export const I_TAIL = 3;
export const I_ELEMENTS = 4;
export const I_NODES = 5;
const LOW = 0xffff;
/** By -list-max-listpack-size, and for a size in elements at 0: 4 to 64 KiB, offsets being 16 bits. */
const MAX_UNITS = [1025, 513, 1025, 2049, 4097, 8191] as const;
/** More for the first of several nodes made of one, than their equal share. */
const SHARE_SLACK_BYTES = 64;

export class ListBlocks {
  readonly #arena: Arena;
  readonly #limits: CollectionLimits;

  constructor(arena: Arena, limits: CollectionLimits) {
    this.#arena = arena;
    this.#limits = limits;
  }

  // ---- sizes ----

  get maxUnits(): number {
    const { listSize } = this.#limits;
    return MAX_UNITS[listSize >= 0 ? 0 : Math.min(-listSize, 5)];
  }

  get maxCount(): number {
    const { listSize } = this.#limits;
    return listSize >= 0 ? Math.max(1, listSize) : LOW;
  }

  /** Units of a node of so many bytes: all that a block of its class has. */
  unitsFor(bytes: number): number {
    return Math.min(roundUnits((bytes + 7) >>> 3), this.maxUnits);
  }

  // ---- one node ----

  /** An empty node; even, if elements of this length can be. */
  allocate(units: number, isDown: boolean, length: number): number {
    const arena = this.#arena;
    const node = arena.allocate(units);
    const words = arena.editInts(node, NODE_HEADER_UNITS);
    const k = (node & UNIT_MASK) << 1;
    const size = units << 3;
    const start = isDown ? size : NODE_HEADER_BYTES;
    const lengths = isDown ? NODE_HEADER_BYTES : size;
    words[k + I_DATA] = start | (start << 16);
    words[k + I_LENGTHS] = length < LONG ? length : lengths | (lengths << 16);
    words[k + I_SHAPE] = units | (isDown ? DOWN : 0) | (length < LONG ? EVEN : 0);
    words[k + I_COUNT] = 0;
    return node;
  }

  allocateLarge(length: number): number {
    const node = this.#arena.allocate(largeUnits(length));
    const words = this.#arena.editInts(node, NODE_HEADER_UNITS);
    const k = (node & UNIT_MASK) << 1;
    words[k + I_DATA] = length;
    words[k + I_LENGTHS] = 0;
    words[k + I_SHAPE] = LARGE;
    words[k + I_COUNT] = 0;
    return node;
  }

  /** Writes the element into a node with room for it, or into a new one of its own. */
  place(node: number, atHead: boolean, b: ReadonlyBytes, start: number, end: number): void {
    const arena = this.#arena;
    const length = end - start;
    const size = length < LONG ? length : dataSize(length);
    const words = arena.editInts(node, NODE_HEADER_UNITS);
    const k = (node & UNIT_MASK) << 1;
    const shape = words[k + I_SHAPE];
    words[k + I_COUNT]++;
    if ((shape & LARGE) !== 0) {
      const target = arena.edit(node, largeUnits(length));
      copyBytes(b, start, target, (k << 2) + NODE_HEADER_BYTES, length);
      return;
    }
    const data = words[k + I_DATA];
    const at = atHead ? (data & LOW) - size : data >>> 16;
    words[k + I_DATA] = atHead ? data - size : data + (size << 16);
    const target = arena.edit(node + (at >>> 3), ((at & 7) + size + 7) >>> 3);
    if (length < LONG) copyBytes(b, start, target, (k << 2) + at, length);
    else writeLong(target, (k << 2) + at, b, start, length);
    if ((shape & EVEN) !== 0) return;
    const lengths = words[k + I_LENGTHS];
    const lengthAt = atHead ? lengths >>> 16 : (lengths & LOW) - 1;
    words[k + I_LENGTHS] = atHead ? lengths + (1 << 16) : lengths - 1;
    arena.edit(node + (lengthAt >>> 3), 1)[(k << 2) + lengthAt] = length < LONG ? length : LONG;
  }

  // ---- the chain ----

  linkAtEnd(root: number, node: number, atHead: boolean): number {
    if (atHead) this.#link(root, node, 0, nodeWord(this.#arena, root, I_HEAD));
    else this.#link(root, node, nodeWord(this.#arena, root, I_TAIL), 0);
    return node;
  }

  /** Puts the node between two neighbours, 0 being the list's end. */
  #link(root: number, node: number, previous: number, next: number): void {
    this.setWord(node, I_PREVIOUS, previous);
    this.setWord(node, I_NEXT, next);
    this.#join(root, previous, node);
    this.#join(root, node, next);
    this.setWord(root, I_NODES, nodeWord(this.#arena, root, I_NODES) + 1);
  }

  /** Lets two nodes follow one another; 0 is the list's end. */
  #join(root: number, previous: number, next: number): void {
    if (previous === 0) this.setWord(root, I_HEAD, next);
    else this.setWord(previous, I_NEXT, next);
    if (next === 0) this.setWord(root, I_TAIL, previous);
    else this.setWord(next, I_PREVIOUS, previous);
  }

  /** Lets `target` stand where `node` stands in the chain, which is released. */
  takePlace(root: number, node: number, target: number): void {
    const previous = nodeWord(this.#arena, node, I_PREVIOUS);
    const next = nodeWord(this.#arena, node, I_NEXT);
    this.#join(root, previous, target);
    this.#join(root, target, next);
    this.#arena.release(node, nodeUnits(this.#arena, node));
  }

  /** Takes the node, with its elements, out of the list. */
  unlink(root: number, node: number): void {
    const arena = this.#arena;
    this.setWord(
      root,
      I_ELEMENTS,
      nodeWord(this.#arena, root, I_ELEMENTS) - nodeWord(arena, node, I_COUNT),
    );
    this.#join(root, nodeWord(arena, node, I_PREVIOUS), nodeWord(arena, node, I_NEXT));
    arena.release(node, nodeUnits(arena, node));
    this.setWord(root, I_NODES, nodeWord(arena, root, I_NODES) - 1);
  }

  setWord(unit: number, index: number, value: number): void {
    this.#arena.editInts(unit + (index >>> 1), 1)[((unit & UNIT_MASK) << 1) + index] = value;
  }

  // ---- nodes from runs ----

  /** Makes nodes of run[at, end), behind `previous` (0: at the head); answers the last of them, or `previous`. */
  build(root: number, previous: number, run: ReadonlyBytes, at: number, end: number): number {
    const most = (this.maxUnits << 3) - NODE_HEADER_BYTES;
    const parts = Math.ceil((end - at) / most);
    // Equal shares, with a little more in the first, so that the last is no splinter.
    const share =
      parts < 2 ? most : Math.min(most, Math.ceil((end - at) / parts) + SHARE_SLACK_BYTES);
    let last = previous;
    for (let from = at; from < end; ) {
      let [data, count, to] = [0, 0, from];
      const first = lengthAt(run, from);
      let isEven = first < LONG;
      while (to < end && count < this.maxCount) {
        const length = lengthAt(run, to);
        const size = dataSize(length);
        if (count > 0 && data + size + count + 1 > share) break;
        data += size;
        count++;
        isEven &&= length === first;
        to = afterString(run, to);
      }
      const isLarge = count === 1 && data + 1 > most;
      const units = this.unitsFor(NODE_HEADER_BYTES + data + (isEven ? 0 : count));
      const node = isLarge
        ? this.allocateLarge(first)
        : this.allocate(units, false, isEven ? first : LONG);
      this.#linkBehind(root, node, last);
      this.#fill(node, run, from, to);
      this.setWord(root, I_ELEMENTS, nodeWord(this.#arena, root, I_ELEMENTS) + count);
      last = node;
      from = to;
    }
    return last;
  }

  #linkBehind(root: number, node: number, previous: number): void {
    const arena = this.#arena;
    const next = previous === 0 ? nodeWord(arena, root, I_HEAD) : nodeWord(arena, previous, I_NEXT);
    this.#link(root, node, previous, next);
  }

  #fill(node: number, run: ReadonlyBytes, from: number, to: number): void {
    for (let at = from; at < to; at = afterString(run, at)) {
      const start = contentAt(run, at);
      this.place(node, false, run, start, start + lengthAt(run, at));
    }
  }
}

/** A long element: its length, its bytes, its length. */
function writeLong(
  target: Buffer,
  at: number,
  b: ReadonlyBytes,
  start: number,
  length: number,
): void {
  target.writeUInt32LE(length, at);
  copyBytes(b, start, target, at + 4, length);
  target.writeUInt32LE(length, at + 4 + length);
}
