/**
 * Listpacks, Redis 7's packed form of small collections, as they lie in an RDB:
 *
 *   u32 bytes of all · u16 entries (65535: more than it can say) · entry* · ff
 *
 *   entry   0vvvvvvv · 110vvvvv vvvvvvvv · f1 i16 · f2 i24 · f3 i32 · f4 i64           an integer
 *           10LLLLLL · 1110LLLL LLLLLLLL · f0 u32      then L bytes                    a string
 *           then its own length once more, to be read backwards: seven bits a byte, the top bit set in all but the first
 *
 * Integers of more than a byte are little endian, but for those within the first byte.
 */
import { RdbDamage } from "./rdb-damage.ts";
import { integerSpan, type Span } from "./rdb-input.ts";

export const LISTPACK_HEADER_BYTES = 6;
const END = 0xff;
const COUNT_UNKNOWN = 0xffff;

/** Calls `visit` for each entry; RdbDamage when the span is no listpack. Answers how many there were. */
export function eachOfListpack(pack: Span, visit: (entry: Span) => void): number {
  const { bytes, start, end } = pack;
  const isWhole = end - start > LISTPACK_HEADER_BYTES && bytes.readUInt32LE(start) === end - start;
  if (!isWhole || bytes[end - 1] !== END) throw new RdbDamage("a listpack has another length");
  const reader = new ListpackReader(bytes, start + LISTPACK_HEADER_BYTES, end - 1);
  let count = 0;
  for (; reader.at < reader.end; count++) visit(reader.next());
  const said = bytes.readUInt16LE(start + 4);
  if (said !== COUNT_UNKNOWN && said !== count) {
    throw new RdbDamage("a listpack has another number of entries");
  }
  return count;
}

class ListpackReader {
  readonly #bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.end = end;
  }

  next(): Span {
    const begin = this.at;
    const entry = this.#content();
    const size = this.at - begin;
    this.#skipBackwardLength(size);
    return entry;
  }

  #content(): Span {
    const first = this.#bytes[this.#take(1)];
    if (first < 0x80) return integerSpan(first);
    if (first < 0xc0) return this.#string(first & 63);
    if (first < 0xe0) {
      const value = ((first & 31) << 8) | this.#bytes[this.#take(1)];
      return integerSpan(value < 4096 ? value : value - 8192);
    }
    if (first < 0xf0) return this.#string(((first & 15) << 8) | this.#bytes[this.#take(1)]);
    if (first === 0xf0) return this.#string(this.#bytes.readUInt32LE(this.#take(4)));
    if (first === 0xf4) return integerSpan(this.#bytes.readBigInt64LE(this.#take(8)));
    if (first > 0xf4) throw new RdbDamage("a listpack has an entry that is none");
    const size = first - 0xf0 + 1;
    return integerSpan(this.#bytes.readIntLE(this.#take(size), size));
  }

  #string(length: number): Span {
    const start = this.#take(length);
    return { bytes: this.#bytes, start, end: this.at };
  }

  #skipBackwardLength(size: number): void {
    const count = backwardBytes(size);
    let at = this.#take(count) + count - 1;
    let said = 0;
    let factor = 1;
    for (let i = 0; i < count; i++, at--, factor *= 128) said += (this.#bytes[at] & 127) * factor;
    if (said !== size) throw new RdbDamage("an entry of a listpack has another length");
  }

  #take(count: number): number {
    const at = this.at;
    if (at + count > this.end) throw new RdbDamage("a listpack ends in the middle of an entry");
    this.at += count;
    return at;
  }
}

/** Bytes of the length that is read backwards. */
export function backwardBytes(size: number): number {
  if (size <= 127) return 1;
  if (size < 16_383) return 2;
  if (size < 2_097_151) return 3;
  return size < 268_435_455 ? 4 : 5;
}
