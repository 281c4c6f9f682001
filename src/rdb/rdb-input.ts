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
import { decompressLzf } from "./lzf.ts";
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

/** An integer as the string that it stands for. */
export function integerSpan(value: number | bigint): Span {
  return wholeOf(Buffer.from(String(value), "latin1"));
}

const LENGTH_32 = 0x80;
const LENGTH_64 = 0x81;
const INT_8 = 0xc0;
const INT_16 = 0xc1;
const INT_32 = 0xc2;
const LZF = 0xc3;

export class RdbInput {
  bytes: Buffer;
  at: number;
  end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
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

  string(): Span {
    const first = this.byte();
    if (first >= INT_8) return this.#encoded(first);
    this.at--;
    return this.span(this.length());
  }

  /** The next `length` bytes as they are. */
  span(length: number): Span {
    if (length > MAX_BULK_BYTES) throw new RdbDamage("a string is longer than 512 MB");
    const start = this.take(length);
    return { bytes: this.bytes, start, end: this.at };
  }

  #encoded(first: number): Span {
    if (first === LZF) return this.#compressed();
    const size = first === INT_8 ? 1 : first === INT_16 ? 2 : first === INT_32 ? 4 : 0;
    if (size === 0) throw new RdbDamage(`${first} begins no string`);
    const at = this.take(size);
    return integerSpan(this.bytes.readIntLE(at, size));
  }

  #compressed(): Span {
    const compressed = this.length();
    const size = this.length();
    if (size > MAX_BULK_BYTES) throw new RdbDamage("a string is longer than 512 MB");
    const { bytes, start, end } = this.span(compressed);
    return wholeOf(decompressLzf(bytes, start, end, size));
  }
}
