/**
 * LZF, in which Redis keeps long strings of an RDB: read only, since RDB does not demand that strings be compressed. A byte
 * below 32 announces so many bytes and one more as they are; any other a copy of what was written before:
 *
 *   000LLLLL                       L + 1 bytes follow
 *   LLLooooo oooooooo              L + 2 bytes (L 1 to 6), which were written o + 1 bytes ago
 *   111ooooo LLLLLLLL oooooooo     L + 9 bytes
 */
import { RdbDamage } from "./rdb-damage.ts";

/** No three bytes of input become more. */
const MOST_GROWTH = 264 / 3;

/** Decompresses bytes[start, end) to exactly `size` bytes; RdbDamage when they are none of that size. */
export function decompressLzf(bytes: Buffer, start: number, end: number, size: number): Buffer {
  if (size > (end - start) * MOST_GROWTH) throw new RdbDamage("a compressed string is too short");
  const target = Buffer.allocUnsafe(size);
  let at = start;
  let to = 0;
  while (at < end) {
    const control = bytes[at++];
    let count = control < 32 ? control + 1 : (control >>> 5) + 2;
    let from = 0;
    if (control >= 32) {
      if (count === 9) count += bytes[at++];
      // Behind the end of the input it is NaN, which is no place.
      from = to - ((control & 31) << 8) - (at < end ? bytes[at++] : Number.NaN) - 1;
    }
    const fits = to + count <= size && from >= 0 && (control >= 32 || at + count <= end);
    if (!fits) throw new RdbDamage("a compressed string is broken");
    if (control < 32) {
      bytes.copy(target, to, at, at + count);
      at += count;
      to += count;
    } else for (; count > 0; count--) target[to++] = target[from++]; // the two may overlap
  }
  if (to !== size) throw new RdbDamage("a compressed string has another length");
  return target;
}
