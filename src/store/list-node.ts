/**
 * A node of a big list: a block of 64 bytes to some 8 KiB with elements one behind the other, their lengths apart from them.
 *
 *   i0 previous node    i1 next node
 *   i2 data start | data end << 16, in bytes from the node's first
 *   i3 lengths start | lengths end << 16; of an even node the one length of all its elements
 *   i4 units of the block | flags: EVEN 1 << 16, DOWN 1 << 17, LARGE 1 << 18
 *   i5 elements
 *   then, of 24 bytes on, data and lengths, with all free space between them:
 *
 *   up (grows at the tail)     data →        ← lengths     the lengths of later elements stand first
 *   down (grows at the head)   lengths →        ← data     the same order: a length that is added stands last
 *
 *   Example, up, elements a, bcd:   61 62 63 64 …free… 03 01
 *
 * A push or a pop at either end moves no other element, and both ends are found at once. As long as all elements have one
 * length there are no length bytes at all (EVEN). A length of 255 or more is a byte 255, and the length as a 32-bit word on
 * both sides of the bytes. An element that is too long for a node has one of its own (LARGE): i2 is its length.
 *
 * Here is what reads one node; list-chain.ts changes them.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";

export const I_PREVIOUS = 0;
export const I_NEXT = 1;
export const I_DATA = 2;
export const I_LENGTHS = 3;
export const I_SHAPE = 4;
export const I_COUNT = 5;
export const NODE_HEADER_BYTES = 24;
export const NODE_HEADER_UNITS = NODE_HEADER_BYTES / 8;
export const UNITS_OF_SHAPE = 0xffff;
export const EVEN = 1 << 16;
export const DOWN = 1 << 17;
export const LARGE = 1 << 18;
export const LONG = 255;
const WORD_BYTES = 4;
/** What a long element takes besides its bytes. */
export const LONG_EXTRA_BYTES = 2 * WORD_BYTES;
const LOW = 0xffff;

/** A word of a node's, or a root's, header. */
export function nodeWord(arena: Arena, node: number, index: number): number {
  return arena.ints[node >>> CHUNK_SHIFT][((node & UNIT_MASK) << 1) + index];
}

/** Units that the node was allocated with. */
export function nodeUnits(arena: Arena, node: number): number {
  const shape = nodeWord(arena, node, I_SHAPE);
  if ((shape & LARGE) === 0) return shape & UNITS_OF_SHAPE;
  return largeUnits(nodeWord(arena, node, I_DATA));
}

export function largeUnits(length: number): number {
  return NODE_HEADER_UNITS + ((length + 7) >>> 3);
}

/** Bytes that an element of this length takes among the data. */
export function dataSize(length: number): number {
  return length < LONG ? length : length + LONG_EXTRA_BYTES;
}

/** Bytes of the node's data and lengths. */
export function contentBytes(arena: Arena, node: number): number {
  const data = nodeWord(arena, node, I_DATA);
  const shape = nodeWord(arena, node, I_SHAPE);
  if ((shape & LARGE) !== 0) return data;
  const size = (data >>> 16) - (data & LOW);
  return (shape & EVEN) !== 0 ? size : size + nodeWord(arena, node, I_COUNT);
}

export function readWord(bytes: ReadonlyBytes, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

/** Walks the elements of one node, from either end, one direction at a time. */
export class NodeReader {
  readonly #arena: Arena;
  node = 0;
  /** The element that was read last is bytes[start, end). */
  bytes: ReadonlyBytes = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** Elements that are not read yet. */
  left = 0;
  #at = 0;
  #lengths = 0;
  /** The length of all elements; negative: each has its own. */
  #even = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Before the first element: `next` goes on from here. */
  enterFront(node: number): void {
    this.#enter(node);
    if ((nodeWord(this.#arena, node, I_SHAPE) & LARGE) !== 0) return;
    const base = (node & UNIT_MASK) << 3;
    this.#at = base + (nodeWord(this.#arena, node, I_DATA) & LOW);
    this.#lengths = base + (nodeWord(this.#arena, node, I_LENGTHS) >>> 16);
  }

  /** Behind the last element: `previous` goes on from here. */
  enterBack(node: number): void {
    this.#enter(node);
    if ((nodeWord(this.#arena, node, I_SHAPE) & LARGE) !== 0) {
      this.#at += this.#even;
      return;
    }
    const base = (node & UNIT_MASK) << 3;
    this.#at = base + (nodeWord(this.#arena, node, I_DATA) >>> 16);
    this.#lengths = base + (nodeWord(this.#arena, node, I_LENGTHS) & LOW);
  }

  #enter(node: number): void {
    const arena = this.#arena;
    const shape = nodeWord(arena, node, I_SHAPE);
    this.node = node;
    this.bytes = arena.bytes[node >>> CHUNK_SHIFT];
    this.left = nodeWord(arena, node, I_COUNT);
    this.#at = ((node & UNIT_MASK) << 3) + NODE_HEADER_BYTES;
    if ((shape & LARGE) !== 0) this.#even = nodeWord(arena, node, I_DATA);
    else this.#even = (shape & EVEN) !== 0 ? nodeWord(arena, node, I_LENGTHS) : -1;
  }

  /** Passes `count` elements. */
  skipNext(count: number): void {
    if (this.#even >= 0) {
      this.#at += count * this.#even;
      this.left -= count;
      return;
    }
    for (let i = 0; i < count; i++) this.next();
  }

  skipPrevious(count: number): void {
    if (this.#even >= 0) {
      this.#at -= count * this.#even;
      this.left -= count;
      return;
    }
    for (let i = 0; i < count; i++) this.previous();
  }

  next(): void {
    this.left--;
    const at = this.#at;
    let length = this.#even;
    if (length < 0) length = this.bytes[--this.#lengths];
    else if (length >= LONG) {
      this.start = at;
      this.end = at + length;
      return;
    }
    if (length < LONG) {
      this.start = at;
      this.end = at + length;
      this.#at = at + length;
      return;
    }
    this.start = at + WORD_BYTES;
    this.end = this.start + readWord(this.bytes, at);
    this.#at = this.end + WORD_BYTES;
  }

  /** Puts where the next `count` elements begin and end into `spans`; no more than are left. */
  take(spans: Int32Array, count: number): void {
    const even = this.#even;
    if (even < 0 || even >= LONG) {
      for (let i = 0; i < count; i++) {
        this.next();
        spans[2 * i] = this.start;
        spans[2 * i + 1] = this.end;
      }
      return;
    }
    let at = this.#at;
    for (let i = 0; i < count; i++) {
      spans[2 * i] = at;
      at += even;
      spans[2 * i + 1] = at;
    }
    this.#at = at;
    this.left -= count;
  }

  previous(): void {
    this.left--;
    const at = this.#at;
    let length = this.#even;
    if (length < 0) length = this.bytes[this.#lengths++];
    else if (length >= LONG) {
      this.start = at - length;
      this.end = at;
      return;
    }
    if (length < LONG) {
      this.start = at - length;
      this.end = at;
      this.#at = at - length;
      return;
    }
    this.end = at - WORD_BYTES;
    this.start = this.end - readWord(this.bytes, this.end);
    this.#at = this.start - WORD_BYTES;
  }
}
