/**
 * LZF, in which Redis keeps long strings of an RDB: read only, since RDB does not demand that strings be compressed. A byte
 * below 32 announces so many bytes and one more as they are; any other a copy of what was written before:
 *
 *   000LLLLL                       L + 1 bytes follow
 *   LLLooooo oooooooo              L + 2 bytes (L 1 to 6), which were written o + 1 bytes ago
 *   111ooooo LLLLLLLL oooooooo     L + 9 bytes
 */
import { RdbDamage } from "./rdb-damage.ts";
import type { Span } from "./rdb-input.ts";

/** No three bytes of input become more. */
const MOST_GROWTH = 264 / 3;

/** Before memory is taken: RdbDamage when no `compressed` bytes become `size`. */
export function requireLzfSize(compressed: number, size: number): void {
  if (size > compressed * MOST_GROWTH) throw new RdbDamage("a compressed string is too short");
}

/** Decompresses to target[0, size); RdbDamage when it is none of that size. */
export function decompressLzf({ bytes, start, end }: Span, target: Buffer, size: number): void {
  let at = start;
  let to = 0;
  while (at < end) {
    const control = bytes[at++];
    let count = control + 1;
    if (control < 32) {
      if (at + count > end || to + count > size) throw broken();
      for (; count > 0; count--) target[to++] = bytes[at++];
      continue;
    }
    count = (control >>> 5) + 2;
    if (count === 9) count += bytes[at++];
    // Behind the end of the input the last byte is NaN, and so is what is made of it.
    const back = ((control & 31) << 8) + (at < end ? bytes[at++] : Number.NaN) + 1;
    if (!(back <= to && to + count <= size)) throw broken();
    for (; count > 0; count--, to++) target[to] = target[to - back]; // the two may overlap
  }
  if (to !== size) throw new RdbDamage("a compressed string has another length");
}

function broken(): RdbDamage {
  return new RdbDamage("a compressed string is broken");
}
