/**
 * The items of a stream one after the other, as stream-elements.ts draws them, read from the parts that the stream writes of
 * itself: for digests, DUMP and RDB. Items of a stream come whole and right; whoever has them from outside gives them to
 * `readPart`, which checks them.
 */
import { ElementPart } from "./element-part.ts";
import { STREAM } from "./entry.ts";
import { afterString, contentAt } from "./packed-run.ts";
import type { ValueType, ValueTypes } from "./value-types.ts";

export const STREAM_HEAD = 0x53;
export const STREAM_ENTRY = 0x45;
export const STREAM_GROUP = 0x47;
export const STREAM_CONSUMER = 0x43;
export const STREAM_PENDING = 0x50;

const ID_BYTES = 16;

export class StreamReader {
  /** One of the above. */
  tag = 0;
  /** Where all of the item is. */
  bytes: Buffer = Buffer.alloc(0);
  /** Behind the tag: the item's first byte of content. */
  at = 0;
  /** The string that `string` went over: bytes[start, end). */
  start = 0;
  end = 0;
  readonly #part = new ElementPart();
  #type: ValueType | undefined;
  #entry = 0;
  #next = 0;
  #end = 0;
  #isLast = true;

  /** The items of an entry follow, which must not change until the last one was read. */
  begin(types: ValueTypes, entry: number): void {
    this.#type = types.of(STREAM);
    this.#entry = entry;
    this.#part.beginValue();
    this.#take();
  }

  /** The items in run[start, end) follow: whole ones, as a stream has written them. */
  beginRun(run: Buffer, start: number, end: number): void {
    this.#isLast = true;
    this.bytes = run;
    this.#next = start;
    this.#end = end;
  }

  #take(): void {
    this.#part.beginPart();
    this.#isLast = (this.#type as ValueType).writePart(this.#entry, this.#part);
    this.bytes = this.#part.run;
    this.#next = this.#part.start;
    this.#end = this.#part.end;
  }

  /** Goes to the next item, from behind the strings of the last one; false: there is none. */
  next(): boolean {
    while (this.#next === this.#end) {
      if (this.#isLast) return false;
      this.#take();
    }
    this.string();
    this.tag = this.bytes[this.start];
    this.at = this.start + 1;
    return true;
  }

  /** Goes over the next of the strings that belong to the item. */
  string(): void {
    this.start = contentAt(this.bytes, this.#next);
    this.#next = afterString(this.bytes, this.#next);
    this.end = this.#next;
  }

  /** Goes over all of the item's strings. */
  skipStrings(): void {
    for (let left = stringsBehind(this.bytes, this.at - 1); left > 0; left--) this.string();
  }

  /** The two halves of an ID that is so many bytes behind the tag. */
  milliseconds(offset = 0): bigint {
    return this.bytes.readBigUInt64LE(this.at + offset);
  }

  sequence(offset = 0): bigint {
    return this.bytes.readBigUInt64LE(this.at + offset + ID_BYTES / 2);
  }

  uint32(offset: number): number {
    return this.bytes.readUInt32LE(this.at + offset);
  }

  double(offset: number): number {
    return this.bytes.readDoubleLE(this.at + offset);
  }
}

/** How many strings belong to the item whose tag stands at bytes[at]. */
export function stringsBehind(bytes: Buffer, at: number): number {
  if (bytes[at] === STREAM_ENTRY) return 2 * bytes.readUInt32LE(at + 1 + ID_BYTES);
  return bytes[at] === STREAM_GROUP || bytes[at] === STREAM_CONSUMER ? 1 : 0;
}
