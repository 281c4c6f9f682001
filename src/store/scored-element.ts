/**
 * One member of a big sorted set with its score: an entry of the set's dictionary (dictionary.ts), and what its tree
 * (ordered-tree.ts) puts in order.
 *
 *   byte  0     length of the member; 255: long, then a 32-bit length stands at byte 12 and the member follows it
 *   bytes 1-3   zero
 *   bytes 4-11  score: a double, in two words since it is not aligned
 *   byte  12    member
 *
 *   Example: member "ab", score 1: 2 units
 *   02 00 00 00  00 00 00 00  00 00 f0 3f  61 62 …
 */
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { LONG_KEY } from "./entry.ts";

/** As the dictionary wants to know it. */
export const MEMBER_OFFSET = 12;
const LENGTH_BYTES = 4;

const float = new Float64Array(1);
const words = new Int32Array(float.buffer);

function unitsFor(size: number): number {
  return (MEMBER_OFFSET + (size < LONG_KEY ? 0 : LENGTH_BYTES) + size + 7) >>> 3;
}

/** Makes an element with the member bytes[start, end), on the arena's account. */
export function newElement(
  arena: Arena,
  score: number,
  bytes: ReadonlyBytes,
  start: number,
  end: number,
): number {
  const size = end - start;
  const units = unitsFor(size);
  const element = arena.allocate(units);
  const ints = arena.editInts(element, units);
  const at = (element & UNIT_MASK) << 1;
  float[0] = score;
  ints[at] = size < LONG_KEY ? size : LONG_KEY;
  ints[at + 1] = words[0];
  ints[at + 2] = words[1];
  let target = (at << 2) + MEMBER_OFFSET;
  if (size >= LONG_KEY) {
    ints[at + 3] = size;
    target += LENGTH_BYTES;
  }
  copyBytes(bytes, start, arena.edit(element, units), target, size);
  return element;
}

export function freeElement(arena: Arena, element: number): void {
  arena.release(element, unitsFor(memberSize(arena, element)));
}

export function scoreOf(arena: Arena, element: number): number {
  const ints = arena.ints[element >>> CHUNK_SHIFT];
  const at = (element & UNIT_MASK) << 1;
  words[0] = ints[at + 1];
  words[1] = ints[at + 2];
  return float[0];
}

export function setScore(arena: Arena, element: number, score: number): void {
  const ints = arena.editInts(element, 2);
  const at = (element & UNIT_MASK) << 1;
  float[0] = score;
  ints[at + 1] = words[0];
  ints[at + 2] = words[1];
}

export function memberSize(arena: Arena, element: number): number {
  const ints = arena.ints[element >>> CHUNK_SHIFT];
  const at = (element & UNIT_MASK) << 1;
  const size = ints[at] & 255;
  return size < LONG_KEY ? size : ints[at + 3];
}

/** Offset of the member's first byte within the chunk of the element. */
export function memberAt(arena: Arena, element: number): number {
  const at = (element & UNIT_MASK) << 3;
  const isLong = arena.bytes[element >>> CHUNK_SHIFT][at] === LONG_KEY;
  return at + MEMBER_OFFSET + (isLong ? LENGTH_BYTES : 0);
}
