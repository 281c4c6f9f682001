/**
 * Values as bytes whose order, byte by byte, is the order of the values (value.ts); equal bytes are
 * equal values. A key of a compound index is the parts one behind the other. No part is the
 * beginning of another part, so that parts divide by themselves, and bytes turned over (255 - byte)
 * give the reverse order.
 *
 *   nothing  07   the path leads to no value and not even to "missing"; in the keys of documents
 *   []       08   an empty array at the end of the path; in the keys of documents
 *   null     10   also a missing field
 *   number   20   the nearest double in 8 bytes, big endian: the sign bit set if positive, else all
 *                 bits turned over; from ±2^53 on also what the integer is above or below that
 *                 double: 80 for nothing, 80+n and n bytes big endian when above, 80-n and n bytes
 *                 turned over when below
 *   string   30   UTF-8, with 00 as 01 01 and 01 as 01 02; then 00. Half of a pair that stands
 *                 alone: three bytes as if it were a code point
 *   object   40   for each field: the type of its value (10 to 60), its name as a string's bytes,
 *                 the value; then 00
 *   array    50   the elements; then 00
 *   boolean  60   00 or 01
 *
 *   Example, the parts "Oslo" and 30:   30 4f 73 6c 6f 00  20 c0 3e 00 00 00 00 00 00
 *
 * A key has at most a given number of bytes. A longer one is cut, and no more exact: keys stay in
 * order, but different values may have the same.
 */
import type { ReadonlyBytes } from "../store/arena.ts";
import { hasEscape } from "./json-walk.ts";
import {
  isArray,
  type ObjectValue,
  parseNumber,
  parseString,
  parseValue,
  typeRank,
  type Value,
} from "./value.ts";

export const NOTHING_TAG = 0x07;
export const EMPTY_ARRAY_TAG = 0x08;
/** The tags of the types, in the order of VALUE_TYPES. */
export const TYPE_TAGS: readonly number[] = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60];
export const [NULL_TAG, NUMBER_TAG, STRING_TAG, OBJECT_TAG, ARRAY_TAG, BOOLEAN_TAG] = TYPE_TAGS as [
  number,
  number,
  number,
  number,
  number,
  number,
];
/** Above every byte that a part begins with. */
export const AFTER_ALL = 0xff;

const QUOTE = 0x22;
const END = 0x00;
const ESCAPE = 0x01;
const EXACT_TAIL = 0x80;
/** From here on a double may stand for several integers. */
const INEXACT_FROM = 2 ** 53;
const FIRST_BYTES = 64;

const scratch = new DataView(new ArrayBuffer(8));

export class IndexKeyWriter {
  /** The key is bytes[0, size). */
  bytes: Buffer = Buffer.alloc(FIRST_BYTES);
  size = 0;
  /** The key was longer than it may be. */
  isCut = false;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  begin(): void {
    this.size = 0;
    this.isCut = false;
  }

  /** A copy of the key. */
  key(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.size));
  }

  tag(tag: number): void {
    this.#put(tag);
  }

  value(value: Value): void {
    if (value === null) this.#put(NULL_TAG);
    else if (typeof value === "string") this.#string(value);
    else if (typeof value === "boolean") this.#boolean(value);
    else if (typeof value !== "object") this.#number(value);
    else if (isArray(value)) this.#array(value);
    else this.#object(value);
  }

  /** The value whose JSON text is bytes[start, end). */
  json(bytes: ReadonlyBytes, start: number, end: number): void {
    const first = bytes[start];
    if (first === QUOTE) {
      if (hasEscape(bytes, start, end)) this.#string(parseString(bytes, start, end));
      else this.text(bytes, start + 1, end - 1);
    } else if (first === 0x2d || (first >= 0x30 && first <= 0x39)) {
      this.#number(parseNumber(bytes, start, end));
    } else this.value(parseValue(bytes, start, end));
  }

  /**
   * The string whose UTF-8 is bytes[start, end). Other bytes are taken as they are: a key of the
   * database may be any.
   */
  text(bytes: ReadonlyBytes, start: number, end: number): void {
    this.#put(STRING_TAG);
    this.#textBytes(bytes, start, end);
  }

  /** A part of another key. */
  part(bytes: ReadonlyBytes, start: number, end: number): void {
    for (let at = start; at < end && !this.isCut; at++) this.#put(bytes[at]);
  }

  #put(byte: number): void {
    if (this.size === this.#maxBytes) {
      this.isCut = true;
      return;
    }
    if (this.size === this.bytes.length) this.#grow();
    this.bytes[this.size++] = byte;
  }

  #grow(): void {
    const larger = Buffer.alloc(Math.min(this.#maxBytes, this.bytes.length * 2));
    larger.set(this.bytes);
    this.bytes = larger;
  }

  #textBytes(bytes: ReadonlyBytes, start: number, end: number): void {
    for (let at = start; at < end && !this.isCut; at++) {
      const byte = bytes[at];
      if (byte <= ESCAPE) {
        this.#put(ESCAPE);
        this.#put(byte + 1);
      } else this.#put(byte);
    }
    this.#put(END);
  }

  #string(text: string): void {
    this.#put(STRING_TAG);
    this.#characters(text);
  }

  #characters(text: string): void {
    const bytes = utf8(text);
    this.#textBytes(bytes, 0, bytes.length);
  }

  #boolean(value: boolean): void {
    this.#put(BOOLEAN_TAG);
    this.#put(value ? 1 : 0);
  }

  #number(value: number | bigint): void {
    this.#put(NUMBER_TAG);
    const nearest = Number(value);
    scratch.setFloat64(0, nearest);
    const turn = nearest < 0 ? 0xff : 0;
    this.#put(scratch.getUint8(0) ^ (turn | 0x80));
    for (let at = 1; at < 8; at++) this.#put(scratch.getUint8(at) ^ turn);
    if (Math.abs(nearest) < INEXACT_FROM) return;
    this.#tail(typeof value === "bigint" ? value - BigInt(nearest) : 0n);
  }

  #tail(difference: bigint): void {
    const isBelow = difference < 0n;
    const digits = (isBelow ? -difference : difference).toString(16);
    const size = difference === 0n ? 0 : (digits.length + 1) >> 1;
    const bytes = Buffer.from(digits.padStart(size * 2, "0"), "hex");
    this.#put(isBelow ? EXACT_TAIL - size : EXACT_TAIL + size);
    for (let at = 0; at < size; at++) this.#put(isBelow ? bytes[at] ^ 0xff : bytes[at]);
  }

  #object(fields: ObjectValue): void {
    this.#put(OBJECT_TAG);
    for (const [name, field] of fields) {
      if (this.isCut) return;
      this.#put(TYPE_TAGS[typeRank(field)]);
      this.#characters(name);
      this.value(field);
    }
    this.#put(END);
  }

  #array(elements: readonly Value[]): void {
    this.#put(ARRAY_TAG);
    for (const element of elements) {
      if (this.isCut) return;
      this.value(element);
    }
    this.#put(END);
  }
}

/**
 * UTF-8, in which half of a pair that stands alone keeps its number: Buffer would write U+FFFD for
 * each.
 */
export function utf8(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isHalf = code >= 0xd800 && code <= 0xdfff;
    parts.push(
      isHalf
        ? Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)])
        : Buffer.from(character),
    );
  }
  return Buffer.concat(parts);
}
