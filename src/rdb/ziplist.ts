/**
 * The packed forms of Redis before 7.0, as they lie in an RDB: ziplists and zipmaps, and the intset, which is still in use.
 *
 *   ziplist   u32 bytes of all · u32 offset of the last entry · u16 entries (65535: more than it can say) · entry* · ff
 *   entry     length of the one before it: u8, or fe u32
 *             00LLLLLL · 01LLLLLL LLLLLLLL · 80 u32 (big endian)      then L bytes       a string
 *             c0 i16 · d0 i32 · e0 i64 · f0 i24 · fe i8 · 1111vvvv (v 1 to 13: v - 1)    an integer
 *   zipmap    u8 · (length key length u8 unused, value, unused bytes)* · ff; a length is u8, or fe u32
 *   intset    u32 bytes of an integer (2, 4, 8) · u32 integers · integers, in order
 */
import { PackedCursor } from "./packed-cursor.ts";
import { RdbDamage } from "./rdb-damage.ts";

const HEADER_BYTES = 10;
const END = 0xff;
const LONG = 0xfe;
const COUNT_UNKNOWN = 0xffff;

/** What ziplists and zipmaps have in common. */
abstract class ZipCursor extends PackedCursor {
  /** Goes over `count` bytes; answers where they begin. */
  protected take(count: number): number {
    const { at } = this;
    if (at + count > this.end) throw new RdbDamage(`${this.name} ends in the middle of an entry`);
    this.at += count;
    return at;
  }

  protected abstract readonly name: string;

  /** u8, or fe u32. */
  protected length(): number {
    const first = this.pack[this.take(1)];
    if (first === END) throw new RdbDamage(`${this.name} ends too early`);
    return first === LONG ? this.pack.readUInt32LE(this.take(4)) : first;
  }

  protected string(length: number): void {
    const start = this.take(length);
    this.showString(this.pack, start, this.at);
  }
}

export class ZiplistCursor extends ZipCursor {
  protected readonly name = "a ziplist";
  #said = 0;
  #lastSaid = 0;
  #count = 0;
  /** Where the entry before began. */
  #last = 0;
  #lengthBefore = 0;

  begin(bytes: Buffer, start: number, end: number): void {
    const isWhole = end - start > HEADER_BYTES && bytes.readUInt32LE(start) === end - start;
    if (!isWhole || bytes[end - 1] !== END) throw new RdbDamage("a ziplist has another length");
    this.#said = bytes.readUInt16LE(start + 8);
    this.#lastSaid = start + bytes.readUInt32LE(start + 4);
    this.#count = 0;
    this.#lengthBefore = 0;
    this.pack = bytes;
    this.at = start + HEADER_BYTES;
    this.end = end - 1;
    this.#last = this.at;
  }

  next(): boolean {
    if (this.at >= this.end) {
      this.#checkEnd();
      return false;
    }
    this.#count++;
    this.#last = this.at;
    if (this.length() !== this.#lengthBefore) throw new RdbDamage("a ziplist is no chain");
    this.#content();
    this.#lengthBefore = this.at - this.#last;
    return true;
  }

  #content(): void {
    const { pack } = this;
    const first = pack[this.take(1)];
    if (first < 0x40) this.string(first);
    else if (first < 0x80) this.string(((first & 63) << 8) | pack[this.take(1)]);
    else if (first === 0x80) this.string(pack.readUInt32BE(this.take(4)));
    else if (first === 0xe0) this.showInt64(pack.readBigInt64LE(this.take(8)));
    else if (first > 0xf0 && first < 0xfe) this.showInteger((first & 15) - 1);
    else {
      const size = INTEGER_BYTES[first] ?? 0;
      if (size === 0) throw new RdbDamage("a ziplist has an entry that is none");
      this.showInteger(pack.readIntLE(this.take(size), size));
    }
  }

  #checkEnd(): void {
    if (this.#said !== COUNT_UNKNOWN && this.#said !== this.#count) {
      throw new RdbDamage("a ziplist has another number of entries");
    }
    if (this.#lastSaid !== this.#last) throw new RdbDamage("a ziplist is no chain");
  }
}

const INTEGER_BYTES: Readonly<Record<number, number>> = { 192: 2, 208: 4, 240: 3, 254: 1 };

/** Fields and values in turn. */
export class ZipmapCursor extends ZipCursor {
  protected readonly name = "a zipmap";
  #isValue = false;

  begin(bytes: Buffer, start: number, end: number): void {
    if (end - start < 2 || bytes[end - 1] !== END) throw new RdbDamage("a zipmap does not end");
    this.pack = bytes;
    this.at = start + 1;
    this.end = end - 1;
    this.#isValue = false;
  }

  next(): boolean {
    if (!this.#isValue && this.at >= this.end) return false;
    const length = this.length();
    const unused = this.#isValue ? this.pack[this.take(1)] : 0;
    this.string(length);
    this.take(unused);
    this.#isValue = !this.#isValue;
    return true;
  }
}

export class IntsetCursor extends PackedCursor {
  /** Bytes of an integer. */
  #size = 0;
  #isFirst = true;
  #before = 0n;

  begin(bytes: Buffer, start: number, end: number): void {
    const size = end - start < 8 ? 0 : bytes.readUInt32LE(start);
    const isSize = size === 2 || size === 4 || size === 8;
    if (!isSize || bytes.readUInt32LE(start + 4) * size !== end - start - 8) {
      throw new RdbDamage("a set of integers has another length");
    }
    this.#size = size;
    this.#isFirst = true;
    this.pack = bytes;
    this.at = start + 8;
    this.end = end;
  }

  next(): boolean {
    if (this.at >= this.end) return false;
    if (this.#size === 8) this.#next64();
    else this.#nextShort();
    this.#isFirst = false;
    this.at += this.#size;
    return true;
  }

  #next64(): void {
    const value = this.pack.readBigInt64LE(this.at);
    if (!this.#isFirst && value <= this.#before) throw outOfOrder();
    this.#before = value;
    this.showInt64(value);
  }

  #nextShort(): void {
    const { pack, at } = this;
    const value = this.#size === 2 ? pack.readInt16LE(at) : pack.readInt32LE(at);
    if (!this.#isFirst && value <= this.integer) throw outOfOrder();
    this.showInteger(value);
  }
}

function outOfOrder(): RdbDamage {
  return new RdbDamage("integers are out of order");
}
