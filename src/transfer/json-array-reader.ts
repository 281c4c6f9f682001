/**
 * Reads one array of JSON, element by element (json-item.ts): a file of any size in the memory of its longest element. Here
 * elements are only told apart, by brackets and quotes; what is in one is json-item.ts's matter. An element that is wrong costs
 * itself alone, while what stands between elements is wrong for good.
 */
import { KvdbError } from "../errors.ts";
import { MAX_BULK_BYTES } from "../limits.ts";
import { type FileItem, type FilePlace, type FileReader, ItemProblem } from "./entry.ts";
import { type ItemOptions, readItem } from "./json-item.ts";
import { columnAt } from "./json-lines-reader.ts";

const LF = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const MARK = [0xef, 0xbb, 0xbf];

// What must come.
const ARRAY = 0;
const FIRST_OR_END = 1;
const ELEMENT = 2;
const IN_ELEMENT = 3;
const END = 4;
/** What came was no array: the rest means nothing. */
const BROKEN = 5;

export class JsonArrayReader implements FileReader {
  readonly #options: ItemOptions;
  #step = ARRAY;
  #line = 1;
  /** Offset in the file, and where the line in hand would begin if all characters had one byte. */
  #offset = 0;
  #lineOffset = 0;
  /** The element in hand: what of it came in chunks before, and where in the file it begins. */
  #parts: Buffer[] = [];
  #size = 0;
  #place: Required<Omit<FilePlace, "record">> = { line: 1, column: 1 };
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  constructor(options: ItemOptions) {
    this.#options = options;
  }

  *push(chunk: Uint8Array): Generator<FileItem> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let at = 0; at < bytes.length && this.#step !== BROKEN; at++) {
      const byte = bytes[at];
      // Columns are counted in characters: what continues one takes no place.
      if ((byte & 0xc0) === 0x80) this.#lineOffset++;
      if (this.#step === IN_ELEMENT) {
        if (this.#goesOn(byte)) {
          if (byte === LF) this.#beginLine(at);
          continue;
        }
        yield this.#read(bytes.subarray(start, at));
        this.#step = byte === COMMA ? ELEMENT : END;
        continue;
      }
      if (this.#offset + at < MARK.length && byte === MARK[this.#offset + at]) {
        if (byte === MARK[0]) this.#lineOffset++;
        continue;
      }
      if (byte === LF) this.#beginLine(at);
      if (byte <= 0x20 && isSpace(byte)) continue;
      const problem = this.#between(byte, at);
      if (problem !== undefined) yield problem;
      start = at;
    }
    if (this.#step === IN_ELEMENT) this.#keep(Buffer.from(bytes.subarray(start)));
    this.#offset += bytes.length;
  }

  *finish(): Generator<FileItem> {
    if (this.#step === END || this.#step === BROKEN) return;
    const message =
      this.#step === ARRAY ? EXPECTED_ARRAY : "the file ends before the array does: it was cut";
    yield { kind: "problem", message, place: this.#placeAt(0) };
  }

  /** What stands outside of elements; what is wrong with it. */
  #between(byte: number, at: number): FileItem | undefined {
    const isEnd = byte === 0x5d;
    if (this.#step === ARRAY && byte === 0x5b) this.#step = FIRST_OR_END;
    else if (this.#step === FIRST_OR_END && isEnd) this.#step = END;
    else if (this.#step === FIRST_OR_END || this.#step === ELEMENT) {
      if (isEnd || byte === COMMA) return this.#broken("expected an element", at);
      this.#place = this.#placeAt(at);
      this.#step = IN_ELEMENT;
      this.#depth = 0;
      this.#isInString = false;
      this.#goesOn(byte);
    } else {
      const message = this.#step === ARRAY ? EXPECTED_ARRAY : "unexpected text behind the array";
      return this.#broken(message, at);
    }
    return undefined;
  }

  /** Whether the byte belongs to the element: all do up to a comma or a bracket on its own level. */
  #goesOn(byte: number): boolean {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) this.#isInString = false;
      return true;
    }
    if (byte === QUOTE) this.#isInString = true;
    else if (byte === 0x5b || byte === 0x7b) this.#depth++;
    else if (byte === 0x5d || byte === 0x7d) return --this.#depth >= 0;
    else if (byte === COMMA) return this.#depth > 0;
    return true;
  }

  #read(end: Buffer): FileItem {
    const bytes = this.#parts.length === 0 ? end : Buffer.concat([...this.#parts, end]);
    this.#parts = [];
    this.#size = 0;
    const place = this.#place;
    try {
      return { kind: "entry", entry: readItem(bytes, this.#options), place: { line: place.line } };
    } catch (error) {
      if (!(error instanceof ItemProblem)) throw error;
      const { message, at = 0 } = error;
      return { kind: "problem", message, place: placeWithin(bytes, at, place) };
    }
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
    if (this.#size <= 2 * MAX_BULK_BYTES - (1 << 20)) return;
    throw new KvdbError(
      "COMMAND",
      `line ${this.#place.line}: an element is longer than one may be`,
    );
  }

  #beginLine(at: number): void {
    this.#line++;
    this.#lineOffset = this.#offset + at + 1;
  }

  #placeAt(at: number): Required<Omit<FilePlace, "record">> {
    return { line: this.#line, column: this.#offset + at - this.#lineOffset + 1 };
  }

  #broken(message: string, at: number): FileItem {
    this.#step = BROKEN;
    return { kind: "problem", message, place: this.#placeAt(at) };
  }
}

const EXPECTED_ARRAY = "expected an array of JSON; for one element a line: --format jsonl";

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === LF || byte === 0x0d || byte === 0x09;
}

/** Of what is at bytes[at], when bytes[0] is at `from`. */
function placeWithin(bytes: Buffer, at: number, from: { line: number; column: number }): FilePlace {
  const before = bytes.subarray(0, at);
  const last = before.lastIndexOf(LF);
  if (last < 0) return { line: from.line, column: from.column + columnAt(bytes, at) - 1 };
  let lines = 0;
  for (const byte of before) if (byte === LF) lines++;
  return { line: from.line + lines, column: columnAt(bytes, at, last + 1) };
}
