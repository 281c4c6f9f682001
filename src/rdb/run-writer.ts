/**
 * Writes the parts of elements, as a value that is read from an RDB tells of them, into a run in the form in which elements go
 * into the engine (packed-run.ts). Whether the elements are right together is the business of who extends it.
 */
import { copyBytes } from "../store/arena.ts";
import { integerLength, writeInteger } from "../store/number-text.ts";
import { NUMBER_BYTES, stringSpan, writeNumber, writeString } from "../store/packed-run.ts";
import { RdbDamage } from "./rdb-damage.ts";

/** A string of fewer bytes has its length in one. */
const SHORT_STRING = 255;
/** What one buffer can have. */
const MOST_BYTES = 2 ** 32 - 1;

export class RunWriter {
  /** The run is run[0, size). */
  run: Buffer;
  size = 0;

  constructor(bytes: number) {
    this.run = Buffer.allocUnsafeSlow(bytes);
  }

  string(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    this.reserve(stringSpan(length));
    if (length < SHORT_STRING) {
      this.run[this.size] = length;
      copyBytes(bytes, start, this.run, this.size + 1, length);
      this.size += 1 + length;
    } else this.size = writeString(this.run, this.size, bytes, start, end);
  }

  integer(value: number): void {
    const length = integerLength(value);
    this.reserve(1 + length);
    this.run[this.size] = length;
    this.size = writeInteger(this.run, this.size + 1, value);
  }

  number(value: number): void {
    this.reserve(NUMBER_BYTES);
    this.size = writeNumber(this.run, this.size, value);
  }

  /** Takes over bytes of another run. */
  copy(run: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    copyBytes(run, start, this.run, this.size, end - start);
    this.size += end - start;
  }

  protected reserve(bytes: number): void {
    const needed = this.size + bytes;
    if (needed <= this.run.length) return;
    if (needed > MOST_BYTES) throw new RdbDamage("a value is longer than 4 GiB");
    const larger = Buffer.allocUnsafeSlow(Math.min(2 * needed, MOST_BYTES));
    this.run.copy(larger, 0, 0, this.size);
    this.run = larger;
  }
}
