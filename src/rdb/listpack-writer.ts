/** Writes a listpack (listpack.ts draws it), entry by entry, into a buffer that is used again for the next one. */
import type { ReadonlyBytes } from "../store/arena.ts";
import { backwardBytes, LISTPACK_HEADER_BYTES } from "./listpack.ts";

const COUNT_UNKNOWN = 0xffff;
/** In front of a string stand at most five bytes, behind it five. */
const MOST_AROUND = 10;

export class ListpackWriter {
  bytes = Buffer.allocUnsafe(1024);
  end = LISTPACK_HEADER_BYTES;
  #count = 0;

  clear(): void {
    this.end = LISTPACK_HEADER_BYTES;
    this.#count = 0;
  }

  integer(value: bigint): void {
    this.#reserve(0);
    const begin = this.end;
    if (value >= 0n && value < 128n) this.bytes[this.end++] = Number(value);
    else {
      this.bytes[this.end++] = 0xf4;
      this.end = this.bytes.writeBigInt64LE(value, this.end);
    }
    this.#endEntry(begin);
  }

  string(bytes: ReadonlyBytes, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    const begin = this.end;
    if (length < 64) this.bytes[this.end++] = 0x80 | length;
    else if (length < 4096) this.end = this.bytes.writeUInt16BE(0xe000 | length, this.end);
    else {
      this.bytes[this.end++] = 0xf0;
      this.end = this.bytes.writeUInt32LE(length, this.end);
    }
    this.end += bytes.copy(this.bytes, this.end, start, end);
    this.#endEntry(begin);
  }

  /** Nothing follows: the listpack is bytes[0, end). */
  seal(): void {
    this.#reserve(0);
    this.bytes[this.end++] = 0xff;
    this.bytes.writeUInt32LE(this.end, 0);
    this.bytes.writeUInt16LE(Math.min(this.#count, COUNT_UNKNOWN), 4);
  }

  #endEntry(begin: number): void {
    this.#count++;
    const size = this.end - begin;
    const count = backwardBytes(size);
    for (let i = count - 1, left = size; i >= 0; i--, left = Math.floor(left / 128)) {
      this.bytes[this.end + i] = (left & 127) | (i === 0 ? 0 : 128);
    }
    this.end += count;
  }

  #reserve(length: number): void {
    const needed = this.end + length + MOST_AROUND + 1;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * needed);
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}
