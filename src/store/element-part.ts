/**
 * A part of the elements of a value on their way out of the engine, in the form of packed-run.ts: what fits in some 64 KiB, or
 * one element that is longer. It is used again for the next part, and remembers where in the value that begins.
 */
import type { ReadonlyBytes } from "./arena.ts";
import { NUMBER_BYTES, stringSpan, writeNumber, writeString } from "./packed-run.ts";

/** Longer ones are given out a part at a time. */
const FULL_BYTES = 1 << 16;
/** Room at first: nearly all values are short, and whoever reads one of them makes a part of its own. */
const FIRST_BYTES = 1 << 10;

export class ElementPart {
  /** The part is run[start, end): its own buffer, or the entry's where the elements lie there as they are. */
  run: Buffer;
  start = 0;
  end = 0;
  /** Each field of the hash has a deadline behind it. */
  isTimed = false;
  /** Where the next part begins: two numbers that mean something to the type alone, zero at first. */
  place = 0;
  subplace = 0;
  #own: Buffer = Buffer.allocUnsafe(FIRST_BYTES);

  constructor() {
    this.run = this.#own;
  }

  /** The first part of another value follows. */
  beginValue(): void {
    this.place = 0;
    this.subplace = 0;
    this.isTimed = false;
    this.beginPart();
  }

  beginPart(): void {
    this.run = this.#own;
    this.start = 0;
    this.end = 0;
  }

  /** All elements, where they are. */
  borrow(run: Buffer, start: number, end: number): void {
    this.run = run;
    this.start = start;
    this.end = end;
  }

  get isFull(): boolean {
    return this.end >= FULL_BYTES;
  }

  string(bytes: ReadonlyBytes, start: number, end: number): void {
    this.#reserve(stringSpan(end - start));
    this.end = writeString(this.run, this.end, bytes, start, end);
  }

  number(value: number): void {
    this.#reserve(NUMBER_BYTES);
    this.end = writeNumber(this.run, this.end, value);
  }

  #reserve(bytes: number): void {
    if (this.end + bytes <= this.run.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.end + bytes));
    this.run.copy(larger, 0, 0, this.end);
    this.#own = larger;
    this.run = larger;
  }
}
