/**
 * The run of a set whose members are all integers: sorted, each as wide as the widest one needs, so that a look-up is a
 * binary search. The encoding INTEGERS of an entry; the width is the bytes of the run divided by its elements.
 *
 *   run    n integers of 2, 4 or 8 bytes each, signed, little endian, in ascending order
 *
 *   Example: -1, 5, 300:   ff ff  05 00  2c 01
 *
 * An integer has 64 bits, which no number of the language holds: here it is two halves, `high` signed and `low`. Only the
 * few whose text is longer than 15 digits are read and written through a bigint.
 */
import type { ReadonlyBytes } from "./arena.ts";
import { parseInt64, parseInteger, writeInteger } from "./number-text.ts";

/** Text of so many bytes, sign included, is an integer below 2^53. */
const SAFE_BYTES = 15;
/** The longest text of an integer: -9223372036854775808. */
export const MAX_INTEGER_BYTES = 20;
const MINUS = 0x2d;
const ZERO = 0x30;
const TWO_32 = 2 ** 32;

export class Integer {
  high = 0;
  low = 0;

  /** Takes the integer whose text bytes[start, end) is; false when it is none as `writeText` would write it. */
  readText(bytes: ReadonlyBytes, start: number, end: number): boolean {
    const size = end - start;
    if (size === 0 || size > MAX_INTEGER_BYTES) return false;
    const first = bytes[start];
    if (first !== MINUS && (first < ZERO || first > ZERO + 9)) return false;
    if (size > SAFE_BYTES) return this.#readLong(bytes, start, end);
    const value = parseInteger(bytes as Buffer, start, end);
    if (Number.isNaN(value)) return false;
    this.low = value | 0;
    this.high = Math.floor(value / TWO_32);
    return true;
  }

  #readLong(bytes: ReadonlyBytes, start: number, end: number): boolean {
    const value = parseInt64(bytes as Buffer, start, end);
    if (value === null) return false;
    this.low = Number(BigInt.asIntN(32, value));
    this.high = Number(value >> 32n);
    return true;
  }

  /** Writes the text at `at`; answers where it ended. */
  writeText(target: Buffer, at: number): number {
    if (this.high === this.low >> 31) return writeInteger(target, at, this.low);
    const value = this.high * TWO_32 + (this.low >>> 0);
    if (Number.isSafeInteger(value)) return writeInteger(target, at, value);
    const text = String((BigInt(this.high) << 32n) | BigInt(this.low >>> 0));
    return at + target.write(text, at, "latin1");
  }

  /** The bytes that it needs. */
  get width(): number {
    if (this.high !== this.low >> 31) return 8;
    return this.low === (this.low << 16) >> 16 ? 2 : 4;
  }

  /** Takes the integer of `width` bytes at `at`. */
  read(run: ReadonlyBytes, at: number, width: number): void {
    this.low = width === 2 ? word16(run, at) : word32(run, at);
    this.high = width === 8 ? word32(run, at + 4) : this.low >> 31;
  }

  write(target: Buffer, at: number, width: number): void {
    writeWord(target, at, this.low, width === 2 ? 2 : 4);
    if (width === 8) writeWord(target, at + 4, this.high, 4);
  }

  /**
   * In `count` integers of `width` bytes from `at` on: its index, or when it is not there -1 - n, n being the index at which
   * it belongs.
   */
  search(run: ReadonlyBytes, at: number, count: number, width: number): number {
    let from = 0;
    let to = count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const order = this.#compare(run, at + middle * width, width);
      if (order === 0) return middle;
      if (order < 0) to = middle;
      else from = middle + 1;
    }
    return -1 - from;
  }

  #compare(run: ReadonlyBytes, at: number, width: number): number {
    const low = width === 2 ? word16(run, at) : word32(run, at);
    const high = width === 8 ? word32(run, at + 4) : low >> 31;
    if (this.high !== high) return this.high < high ? -1 : 1;
    if (this.low === low) return 0;
    return this.low >>> 0 < low >>> 0 ? -1 : 1;
  }
}

const widened = new Integer();

/** Writes `count` integers of `width` bytes as ones of `wider` bytes. The two stretches do not overlap. */
export function widen(
  from: { readonly run: ReadonlyBytes; readonly at: number; readonly width: number },
  to: { readonly run: Buffer; readonly at: number; readonly width: number },
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    widened.read(from.run, from.at + i * from.width, from.width);
    widened.write(to.run, to.at + i * to.width, to.width);
  }
}

function word16(run: ReadonlyBytes, at: number): number {
  return ((run[at] | (run[at + 1] << 8)) << 16) >> 16;
}

function word32(run: ReadonlyBytes, at: number): number {
  return run[at] | (run[at + 1] << 8) | (run[at + 2] << 16) | (run[at + 3] << 24);
}

function writeWord(target: Buffer, at: number, word: number, bytes: number): void {
  for (let i = 0; i < bytes; i++) target[at + i] = word >> (i << 3);
}
