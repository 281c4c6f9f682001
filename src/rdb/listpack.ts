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
import { PackedCursor } from "./packed-cursor.ts";
import { RdbDamage } from "./rdb-damage.ts";

export const LISTPACK_HEADER_BYTES = 6;
const END = 0xff;
const COUNT_UNKNOWN = 0xffff;

export class ListpackCursor extends PackedCursor {
  #said = 0;
  #count = 0;

  begin(bytes: Buffer, start: number, end: number): void {
    const isWhole =
      end - start > LISTPACK_HEADER_BYTES && bytes.readUInt32LE(start) === end - start;
    if (!isWhole || bytes[end - 1] !== END) throw new RdbDamage("a listpack has another length");
    this.#said = bytes.readUInt16LE(start + 4);
    this.#count = 0;
    this.pack = bytes;
    this.at = start + LISTPACK_HEADER_BYTES;
    this.end = end - 1;
  }

  next(): boolean {
    const { pack, at } = this;
    if (at >= this.end) {
      this.#checkCount();
      return false;
    }
    this.#count++;
    const first = pack[at];
    // The two forms of nearly all entries, without a call.
    if (first < 0xc0) {
      this.isInteger = first < 0x80;
      this.integer = first;
      this.text = pack;
      this.from = at + 1;
      this.to = this.isInteger ? at + 1 : at + 1 + (first & 63);
      if (this.to >= this.end) throw cut();
      if (pack[this.to] !== this.to - at) throw otherLength();
      this.at = this.to + 1;
      return true;
    }
    this.at = this.#long(first, at);
    this.#skipBackwardLength(this.at - at);
    return true;
  }

  /** Answers where the entry's content ends. */
  #long(first: number, at: number): number {
    const { pack } = this;
    if (first < 0xe0) {
      const end = this.#within(at, 2);
      const value = ((first & 31) << 8) | pack[at + 1];
      this.showInteger(value < 4096 ? value : value - 8192);
      return end;
    }
    if (first < 0xf0) {
      const length = ((first & 15) << 8) | pack[this.#within(at, 2) - 1];
      return this.#string(at + 2, length);
    }
    if (first === 0xf0) return this.#string(at + 5, pack.readUInt32LE(this.#within(at, 5) - 4));
    if (first > 0xf4) throw new RdbDamage("a listpack has an entry that is none");
    const size = first === 0xf4 ? 8 : first - 0xf0 + 1;
    const end = this.#within(at, 1 + size);
    if (size === 8) this.showInt64(pack.readBigInt64LE(at + 1));
    else this.showInteger(pack.readIntLE(at + 1, size));
    return end;
  }

  #string(start: number, length: number): number {
    const end = this.#within(start, length);
    this.showString(this.pack, start, end);
    return end;
  }

  #skipBackwardLength(size: number): void {
    const count = backwardBytes(size);
    const end = this.#within(this.at, count);
    let said = 0;
    for (let at = end - 1, factor = 1; at >= this.at; at--, factor *= 128) {
      said += (this.pack[at] & 127) * factor;
    }
    if (said !== size) throw otherLength();
    this.at = end;
  }

  #within(at: number, count: number): number {
    if (at + count > this.end) throw cut();
    return at + count;
  }

  #checkCount(): void {
    if (this.#said === COUNT_UNKNOWN || this.#said === this.#count) return;
    throw new RdbDamage("a listpack has another number of entries");
  }
}

function cut(): RdbDamage {
  return new RdbDamage("a listpack ends in the middle of an entry");
}

function otherLength(): RdbDamage {
  return new RdbDamage("an entry of a listpack has another length");
}

/** Bytes of the length that is read backwards. */
export function backwardBytes(size: number): number {
  if (size <= 127) return 1;
  if (size < 16_383) return 2;
  if (size < 2_097_151) return 3;
  return size < 268_435_455 ? 4 : 5;
}
