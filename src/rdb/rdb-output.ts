/** The small parts that all of an RDB is made of (rdb-input.ts draws them), written into a buffer that grows. */
import type { ReadonlyBytes } from "../store/arena.ts";
import { parseInteger } from "../store/number-text.ts";

/** A text of more is no integer of 32 bits. */
const LONGEST_INTEGER = 11;

export class RdbOutput {
  bytes = Buffer.allocUnsafe(256);
  end = 0;

  /** Room for `count` more bytes. */
  reserve(count: number): void {
    if (this.end + count <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.end + count));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.end++] = value;
  }

  double(value: number): void {
    this.reserve(8);
    this.end = this.bytes.writeDoubleLE(value, this.end);
  }

  moment(ms: number): void {
    this.reserve(8);
    this.end = this.bytes.writeBigInt64LE(BigInt(ms), this.end);
  }

  /** A length that may need all of its 64 bits. */
  length64(value: bigint): void {
    if (value < 0x100000000n) {
      this.length(Number(value));
      return;
    }
    this.reserve(9);
    this.bytes[this.end++] = 0x81;
    this.end = this.bytes.writeBigUInt64BE(value, this.end);
  }

  /** Bytes without a length before them. */
  raw(bytes: Buffer): void {
    this.reserve(bytes.length);
    this.end += bytes.copy(this.bytes, this.end);
  }

  /** What another one has written. */
  append({ bytes, end }: RdbOutput): void {
    this.reserve(end);
    this.end += bytes.copy(this.bytes, this.end, 0, end);
  }

  length(value: number): void {
    this.reserve(9);
    const { bytes } = this;
    if (value < 0x40) bytes[this.end++] = value;
    else if (value < 0x4000) this.end = bytes.writeUInt16BE(0x4000 | value, this.end);
    else if (value < 2 ** 32) {
      bytes[this.end++] = 0x80;
      this.end = bytes.writeUInt32BE(value, this.end);
    } else {
      bytes[this.end++] = 0x81;
      this.end = bytes.writeBigUInt64BE(BigInt(value), this.end);
    }
  }

  string(bytes: ReadonlyBytes, start: number, end: number): void {
    if (end - start <= LONGEST_INTEGER && this.#integer(bytes as Buffer, start, end)) return;
    this.length(end - start);
    this.reserve(end - start);
    this.end += bytes.copy(this.bytes, this.end, start, end);
  }

  /** Writes a string that is an integer's text as the integer; false: it is none of 32 bits. */
  #integer(bytes: Buffer, start: number, end: number): boolean {
    const value = parseInteger(bytes, start, end);
    if (value !== (value | 0)) return false;
    this.reserve(5);
    const size = value === (value << 24) >> 24 ? 1 : value === (value << 16) >> 16 ? 2 : 4;
    this.bytes[this.end++] = 0xc0 + (size >> 1);
    this.end = this.bytes.writeIntLE(value, this.end, size);
    return true;
  }
}
