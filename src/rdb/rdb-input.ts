/**
 * The small parts that all of an RDB is made of, read from bytes that lie before the reader. All integers of RDB itself are
 * little endian, but for those of a length.
 *
 *   length   00LLLLLL · 01LLLLLL LLLLLLLL · 10000000 u32 · 10000001 u64 (big endian)
 *   string   length, then its bytes; or
 *            11000000 i8 · 11000001 i16 · 11000010 i32: the integer's text
 *            11000011 length compressed, length, then LZF (lzf.ts)
 *
 *   Example: the string "hi": 02 68 69; the string "12": c0 0c
 *
 * Whoever reads a file in slices overrides `refill`. Spans that were given out stay: a refill takes a new buffer.
 */
import { MAX_BULK_BYTES } from "../limits.ts";
import { writeInteger } from "../store/number-text.ts";
import { decompressLzf, requireLzfSize } from "./lzf.ts";
import { RdbDamage } from "./rdb-damage.ts";

/** A string: bytes[start, end). */
export interface Span {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export function wholeOf(bytes: Buffer): Span {
  return { bytes, start: 0, end: bytes.length };
}

const LENGTH_32 = 0x80;
const LENGTH_64 = 0x81;
const INT_8 = 0xc0;
const INT_16 = 0xc1;
const INT_32 = 0xc2;
const LZF = 0xc3;

/** No integer of 32 bits has more digits. */
const DIGITS = 11;
/** A string of more is decompressed into a buffer of its own, which then goes. */
const LARGEST_SCRATCH_BYTES = 1 << 20;

export class RdbInput {
  bytes: Buffer;
  at: number;
  end: number;
  /** The string that `readString` went over: text[from, to). */
  text: Buffer;
  from = 0;
  to = 0;
  /** Where strings lie that are not in the input as they are. */
  #scratch = Buffer.alloc(256);

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.text = bytes;
  }

  /** Has `count` bytes lie at bytes[at, end), or throws RdbDamage. */
  protected refill(count: number): void {
    throw new RdbDamage(`it ends ${count - (this.end - this.at)} bytes too early`);
  }

  /** Goes over `count` bytes; answers where they begin. */
  take(count: number): number {
    if (!(this.at + count <= this.end)) this.refill(count);
    const at = this.at;
    this.at += count;
    return at;
  }

  byte(): number {
    const at = this.take(1);
    return this.bytes[at];
  }

  double(): number {
    const at = this.take(8);
    return this.bytes.readDoubleLE(at);
  }

  /** A moment in milliseconds since 1970. */
  moment(): number {
    const at = this.take(8);
    const value = Number(this.bytes.readBigInt64LE(at));
    if (!Number.isSafeInteger(value)) throw new RdbDamage("a moment is too far away");
    return value;
  }

  /** A length or a count; it may be more than what follows. */
  length(): number {
    const first = this.byte();
    if (first < 0x40) return first;
    if (first < 0x80) return ((first & 63) << 8) | this.byte();
    return this.#longLength(first);
  }

  #longLength(first: number): number {
    if (first === LENGTH_32) {
      const at = this.take(4);
      return this.bytes.readUInt32BE(at);
    }
    if (first !== LENGTH_64) throw new RdbDamage(`${first} begins no length`);
    const at = this.take(8);
    const value = Number(this.bytes.readBigUInt64BE(at));
    if (!Number.isSafeInteger(value)) throw new RdbDamage("a length is beyond 2^53");
    return value;
  }

  /** A length that may need all of its 64 bits: half of an ID. */
  length64(): bigint {
    if (this.byte() !== LENGTH_64) {
      this.at--;
      return BigInt(this.length());
    }
    const at = this.take(8);
    return this.bytes.readBigUInt64BE(at);
  }

  /** A string that stays. */
  string(): Span {
    this.readString();
    const { text, from, to } = this;
    if (text === this.#scratch) return wholeOf(Buffer.from(text.subarray(from, to)));
    return { bytes: text, start: from, end: to };
  }

  /**
   * Goes over a string, which is text[from, to) afterwards. Does not stay when `isScratch`, but until the next one is read.
   */
  readString(): void {
    const first = this.byte();
    if (first < 0x40) this.#plain(first);
    else if (first >= INT_8) this.#encoded(first);
    else {
      this.at--;
      this.#plain(this.length());
    }
  }

  /** The string lies where the next one may lie too. */
  get isScratch(): boolean {
    return this.text === this.#scratch;
  }

  #plain(length: number): void {
    if (length > MAX_BULK_BYTES) throw new RdbDamage("a string is longer than 512 MB");
    this.from = this.take(length);
    this.to = this.at;
    this.text = this.bytes;
  }

  /** The next `length` bytes as they are. */
  span(length: number): Span {
    this.#plain(length);
    return { bytes: this.text, start: this.from, end: this.to };
  }

  #encoded(first: number): void {
    if (first === LZF) {
      this.#compressed();
      return;
    }
    const size = first === INT_8 ? 1 : first === INT_16 ? 2 : first === INT_32 ? 4 : 0;
    if (size === 0) throw new RdbDamage(`${first} begins no string`);
    const at = this.take(size);
    this.text = this.#scratchOf(DIGITS);
    this.from = 0;
    const { bytes } = this;
    const value =
      size === 1
        ? (bytes[at] << 24) >> 24
        : size === 2
          ? bytes.readInt16LE(at)
          : bytes.readInt32LE(at);
    this.to = writeInteger(this.text, 0, value);
  }

  #compressed(): void {
    const compressed = this.length();
    const size = this.length();
    if (size > MAX_BULK_BYTES) throw new RdbDamage("a string is longer than 512 MB");
    this.#plain(compressed);
    const { text, from, to } = this;
    requireLzfSize(to - from, size);
    this.text = this.#scratchOf(size);
    decompressLzf({ bytes: text, start: from, end: to }, this.text, size);
    this.from = 0;
    this.to = size;
  }

  #scratchOf(size: number): Buffer {
    if (size > LARGEST_SCRATCH_BYTES) return Buffer.allocUnsafe(size);
    if (size > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(2 * size);
    return this.#scratch;
  }
}
