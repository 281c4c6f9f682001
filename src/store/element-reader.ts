/**
 * Elements one after the other, as spans over the run that they lie in (packed-run.ts), whatever keeps them: those of an
 * entry, part by part, or those of one run that came from outside. For digests, comparisons, DUMP, SORT. The elements of a
 * stream have a form of their own and are not read here.
 *
 * Invariant: nothing beyond the end of a run is read; a run that is none is a RangeError.
 */
import type { Arena, ReadonlyBytes } from "./arena.ts";
import { ElementPart } from "./element-part.ts";
import { HASH, STREAM, typeOf, ZSET } from "./entry.ts";
import { afterString, contentAt, NUMBER_BYTES, numberAt } from "./packed-run.ts";
import type { ValueType, ValueTypes } from "./value-types.ts";

const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);
/** In front of a string are at most so many bytes: what is read of it before its length is known. */
const LONGEST_FRONT = 5;

export class ElementReader {
  /** The element, the member, the field: bytes[start, end). */
  bytes: ReadonlyBytes = NO_BYTES;
  start = 0;
  end = 0;
  /** Of a hash the field's value: bytes[valueStart, valueEnd). */
  valueStart = 0;
  valueEnd = 0;
  /** The score of a member; the deadline of a field, 0: none. */
  number = 0;
  /** The fields of the hash have deadlines. */
  isTimed = false;
  readonly #part = new ElementPart();
  #source: ValueType | undefined;
  #entry = 0;
  #type = 0;
  #hasNumber = false;
  #at = 0;
  #runEnd = 0;
  #isLast = true;

  /** The elements of an entry follow. It must not change until the last one was read. */
  begin(types: ValueTypes, arena: Arena, entry: number): void {
    this.#type = typeOf(arena, entry);
    this.#source = types.of(this.#type);
    this.#entry = entry;
    this.#part.beginValue();
    this.#take();
  }

  /** The elements in run[at, end) follow, those of an entry of `type`. */
  beginRun(type: number, isTimed: boolean, run: ReadonlyBytes, at: number, end: number): void {
    this.#type = type;
    this.#isLast = true;
    this.bytes = run;
    this.#at = at;
    this.#runEnd = end;
    this.#describe(isTimed);
  }

  #take(): void {
    const part = this.#part;
    part.beginPart();
    this.#isLast = (this.#source as ValueType).writePart(this.#entry, part);
    this.bytes = part.run;
    this.#at = part.start;
    this.#runEnd = part.end;
    this.#describe(part.isTimed);
  }

  #describe(isTimed: boolean): void {
    const type = this.#type;
    if (type === STREAM) throw new RangeError("a stream's elements are none of strings");
    this.isTimed = isTimed;
    this.#hasNumber = type === ZSET || (type === HASH && isTimed);
  }

  /** Goes to the next element; false: there is none. */
  next(): boolean {
    while (this.#at === this.#runEnd) {
      if (this.#isLast) return false;
      this.#take();
    }
    this.start = this.#string();
    this.end = this.#at;
    if (this.#type === HASH) {
      this.valueStart = this.#string();
      this.valueEnd = this.#at;
    }
    if (this.#hasNumber) {
      this.#require(this.#at + NUMBER_BYTES);
      this.number = numberAt(this.bytes, this.#at);
      this.#at += NUMBER_BYTES;
    } else this.number = 0;
    return true;
  }

  /** Goes behind the string at hand; answers where its bytes begin. */
  #string(): number {
    const { bytes } = this;
    const at = this.#at;
    this.#require(at + (bytes[at] < 255 ? 1 : LONGEST_FRONT));
    const after = afterString(bytes, at);
    this.#require(after);
    this.#at = after;
    return contentAt(bytes, at);
  }

  #require(end: number): void {
    if (end > this.#runEnd) throw new RangeError("its elements end in the middle of one");
  }
}
