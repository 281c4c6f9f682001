/**
 * A packed form of a small collection (listpack, ziplist, intset) that is gone through entry by entry: what all of them answer.
 * One object serves for all packs of a file.
 */
import { parseFloatText, parseInt64 } from "../store/number-text.ts";
import { RdbDamage } from "./rdb-damage.ts";
import type { ValueVisitor } from "./value-visitor.ts";

const NO_BYTES = Buffer.alloc(0);

export abstract class PackedCursor {
  /** The pack: bytes[at, end) of it is still to come. */
  protected pack: Buffer = NO_BYTES;
  protected at = 0;
  protected end = 0;
  /** The entry: an integer; else the string text[from, to). */
  isInteger = false;
  integer = 0;
  text: Buffer = NO_BYTES;
  from = 0;
  to = 0;

  /** Stands before the first entry of bytes[start, end); RdbDamage when that is no such pack. */
  abstract begin(bytes: Buffer, start: number, end: number): void;

  /** Goes to the next entry; false: there is none. RdbDamage when the rest is none. */
  abstract next(): boolean;

  /** Goes to an entry that belongs to the one before. */
  require(): void {
    if (!this.next()) throw new RdbDamage("an element is without what belongs to it");
  }

  tell(visitor: ValueVisitor): void {
    if (this.isInteger) visitor.integer(this.integer);
    else visitor.string(this.text, this.from, this.to);
  }

  /** The entry as a number with a fraction; NaN: it is none. */
  float(): number {
    return this.isInteger ? this.integer : parseFloatText(this.text, this.from, this.to);
  }

  /** The entry as an integer of 64 bits. */
  int64(): bigint {
    const value = this.isInteger ? BigInt(this.integer) : parseInt64(this.text, this.from, this.to);
    if (value === null) throw new RdbDamage("text stands where a number should");
    return value;
  }

  protected showInteger(value: number): void {
    this.isInteger = true;
    this.integer = value;
  }

  /** Beyond 2^53 it is its digits: a number would be another one. */
  protected showInt64(value: bigint): void {
    const number = Number(value);
    if (Number.isSafeInteger(number)) this.showInteger(number);
    else {
      const digits = Buffer.from(String(value), "latin1");
      this.showString(digits, 0, digits.length);
    }
  }

  protected showString(bytes: Buffer, start: number, end: number): void {
    this.isInteger = false;
    this.text = bytes;
    this.from = start;
    this.to = end;
  }
}
