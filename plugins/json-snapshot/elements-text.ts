/**
 * A value with elements as it stands in its line of the file, part by part as the reader of entries gives them. Elements are a
 * line's text like any other; elements-parser.ts reads them: change both.
 *
 *       "queue": {"$list": ["a", "b", {"$base64": "/w=="}]}
 *       "tags": {"$set": ["new", "red"]}
 *       "scores": {"$zset": [["Ada", 1.5], ["Bob", "inf"]]}
 *       "user": {"$hash": {"name": "Ada", "$$price": "5"}}
 *       "session": {"$hash": {"token": {"$value": "a1", "$expires": "2030-01-01T00:00:00.000Z"}}}
 *       "log": {"$stream": [["stream", "1-1", "0-0", "1"], ["entry", "1-1", "field", "value"]]}
 *       "until": {"$expires": "2030-01-01T00:00:00.000Z", "$value": {"$list": ["a"]}}
 *
 * The moment comes first, so that whoever reads a long value knows it with the first part. One part is held as text; an element is
 * held whole, as in the entry that it comes in.
 */
import { KvdbError, momentText, type StoredEntry, streamItemAt } from "kvdb";
import {
  EXPIRES,
  HASH_FORM,
  LIST_FORM,
  SET_FORM,
  STREAM_FORM,
  VALUE,
  ZSET_FORM,
} from "./entry-names.ts";
import { type Dress, dressOfKey, dressOfName, dressOfString, growthOf, put } from "./entry-text.ts";

type Bytes = StoredEntry["keyBytes"];

const FORMS: Readonly<Record<string, readonly [open: string, close: string]>> = {
  list: [`{"${LIST_FORM}": [`, "]}"],
  set: [`{"${SET_FORM}": [`, "]}"],
  zset: [`{"${ZSET_FORM}": [`, "]}"],
  hash: [`{"${HASH_FORM}": {`, "}}"],
  stream: [`{"${STREAM_FORM}": [`, "]}"],
};
/** All that is written besides the bytes of a string is shorter. */
const LONGEST_DRESS = 256;
const LONG = 255;

export class ElementsText {
  /** The text of the part: bytes[0, length). */
  bytes = Buffer.allocUnsafeSlow(1 << 16);
  length = 0;
  /** Where the name ends in the text of a first part, without its quote. */
  nameEnd = 0;
  #isFirstElement = true;
  #at = 0;

  /** Makes the text of a part. */
  write(entry: Readonly<StoredEntry>, isFirst: boolean): void {
    const [open, close] = FORMS[entry.type] ?? [];
    if (open === undefined || close === undefined) {
      throw new KvdbError("INTERNAL", `a ${entry.type} has no elements`);
    }
    this.length = 0;
    if (isFirst) this.#begin(entry, open);
    this.#at = entry.valueStart;
    while (this.#at < entry.valueEnd) this.#element(entry);
    if (!entry.isContinued) this.#ascii(entry.deadlineMs === 0 ? close : `${close}}`);
  }

  #begin(entry: Readonly<StoredEntry>, open: string): void {
    const { keyBytes, keyStart, keyEnd, deadlineMs } = entry;
    this.#isFirstElement = true;
    this.length = 0;
    const key = dressOfKey(entry);
    this.#string(key, keyBytes, keyStart, keyEnd);
    this.nameEnd = this.length - key.back.length;
    if (deadlineMs !== 0) this.#ascii(`{"${EXPIRES}": ${momentText(deadlineMs)}, "${VALUE}": `);
    this.#ascii(open);
  }

  #element({ type, valueBytes, isTimed }: Readonly<StoredEntry>): void {
    if (!this.#isFirstElement) this.#ascii(", ");
    this.#isFirstElement = false;
    if (type === "stream") this.#item(valueBytes);
    else if (type === "hash") this.#field(valueBytes, isTimed);
    else if (type === "zset") this.#member(valueBytes);
    else this.#next(valueBytes, dressOfString);
  }

  #item(bytes: Bytes): void {
    const { texts, end } = streamItemAt(bytes as Buffer, this.#at);
    this.#ascii("[");
    for (const [index, text] of texts.entries()) {
      if (index > 0) this.#ascii(", ");
      if (typeof text === "string") this.#ascii(`"${text}"`);
      else this.#string(dressOfString(bytes, text.start, text.end), bytes, text.start, text.end);
    }
    this.#ascii("]");
    this.#at = end;
  }

  #member(bytes: Bytes): void {
    this.#ascii("[");
    this.#next(bytes, dressOfString);
    this.#ascii(`, ${scoreText(this.#number(bytes))}]`);
  }

  #field(bytes: Bytes, isTimed: boolean): void {
    this.#next(bytes, dressOfName);
    if (!isTimed) {
      this.#next(bytes, dressOfString);
      return;
    }
    const at = this.#at;
    this.#skip(bytes);
    const deadlineMs = this.#number(bytes);
    const end = this.#at;
    this.#at = at;
    if (deadlineMs !== 0) this.#ascii(`{"${VALUE}": `);
    this.#next(bytes, dressOfString);
    if (deadlineMs !== 0) this.#ascii(`, "${EXPIRES}": ${momentText(deadlineMs)}}`);
    this.#at = end;
  }

  /** Writes the string at hand, and goes behind it. */
  #next(bytes: Bytes, dressOf: (bytes: Bytes, start: number, end: number) => Dress): void {
    const start = contentAt(bytes, this.#at);
    this.#skip(bytes);
    this.#string(dressOf(bytes, start, this.#at), bytes, start, this.#at);
  }

  #skip(bytes: Bytes): void {
    const at = this.#at;
    this.#at = contentAt(bytes, at) + lengthAt(bytes, at);
  }

  #number(bytes: Bytes): number {
    const at = this.#at;
    this.#at += 8;
    return (bytes as Buffer).readDoubleLE(at);
  }

  #string(dress: Dress, bytes: Bytes, start: number, end: number): void {
    this.#reserve(Math.ceil((end - start) * growthOf(dress)) + LONGEST_DRESS);
    this.length += dress.front.copy(this.bytes, this.length);
    this.length = put(dress.encoding, bytes, start, end, this.bytes, this.length);
    this.length += dress.back.copy(this.bytes, this.length);
  }

  #ascii(text: string): void {
    this.#reserve(text.length);
    this.length += this.bytes.write(text, this.length, "latin1");
  }

  #reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.length + count));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

/** As JSON: the shortest text that reads as the same number; JSON has none for infinity. */
function scoreText(score: number): string {
  if (score === Number.POSITIVE_INFINITY) return '"inf"';
  if (score === Number.NEGATIVE_INFINITY) return '"-inf"';
  return Object.is(score, -0) ? "-0" : String(score);
}

function lengthAt(bytes: Bytes, at: number): number {
  return bytes[at] < LONG ? bytes[at] : (bytes as Buffer).readUInt32LE(at + 1);
}

function contentAt(bytes: Bytes, at: number): number {
  return at + (bytes[at] < LONG ? 1 : 5);
}
