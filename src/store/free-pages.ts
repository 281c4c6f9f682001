/**
 * The pages of an arena that hold nothing at this moment: a snapshot leaves them out. Whole pages only, and only those that
 * are found quickly: what is not found is written to the image for nothing, which harms nobody.
 */
import {
  type Arena,
  CHUNK_SHIFT,
  CLASS_COUNT,
  I_BUMP,
  I_BUMP_END,
  I_FREE,
  PAGE_BYTES,
  PAGE_SHIFT,
  UNIT_BYTES,
  UNIT_MASK,
  UNITS_OF_CLASS,
} from "./arena.ts";

const PAGE_UNITS = PAGE_BYTES / UNIT_BYTES;
const PAGES_OF_CHUNK = 1 << (CHUNK_SHIFT - PAGE_SHIFT);
/** From 32 pages on: smaller blocks are many, and their lists lie all over the memory. */
const SMALLEST_UNITS = 32 * PAGE_UNITS;
/** Most blocks that are looked at, each a wait for memory: less than half a millisecond. */
const MOST_BLOCKS = 4096;

/** Calls `visit` with runs of such pages; none comes twice. */
export function eachFreeRun(arena: Arena, visit: (firstPage: number, count: number) => void): void {
  const head = arena.ints[0];
  visitInside(head[I_BUMP] >>> 0, head[I_BUMP_END] >>> 0, visit);
  visitFreeBlocks(arena, visit);
  for (let chunk = 0; chunk < arena.bytes.length; chunk++) {
    // Of a chunk number that is not in use nothing is there; of the first, and of the last one of a giant, not all.
    const pages = Math.min(Math.ceil(arena.bytes[chunk].length / PAGE_BYTES), PAGES_OF_CHUNK);
    const rest = PAGES_OF_CHUNK - pages;
    if (rest > 0) visit(chunk * PAGES_OF_CHUNK + pages, rest);
  }
}

function visitFreeBlocks(arena: Arena, visit: (firstPage: number, count: number) => void): void {
  let left = MOST_BLOCKS;
  for (let index = CLASS_COUNT - 1; UNITS_OF_CLASS[index] >= SMALLEST_UNITS; index--) {
    let block = arena.ints[0][I_FREE + index];
    while (block !== 0 && left-- > 0) {
      // The first unit is in use: it is the link to the next block.
      visitInside((block >>> 0) + 1, (block >>> 0) + UNITS_OF_CLASS[index], visit);
      block = arena.ints[block >>> CHUNK_SHIFT][(block & UNIT_MASK) << 1];
    }
  }
}

/** The pages that lie wholly between two addresses. */
function visitInside(
  start: number,
  end: number,
  visit: (firstPage: number, count: number) => void,
): void {
  const first = Math.ceil(start / PAGE_UNITS);
  const count = Math.floor(end / PAGE_UNITS) - first;
  if (count > 0) visit(first, count);
}
