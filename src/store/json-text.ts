/**
 * JSON as text (RFC 8259): checks that bytes are one JSON value, and writes it compactly, that is without the whitespace
 * between its parts. Nothing else changes: lexemes of numbers, escapes and the order of keys stay as they are, which a
 * parser and a writer would not keep. A key that comes twice in an object is refused. Not a parser: no value is built.
 *
 * One scanner serves all; after `scan` its fields say what it found, or what is wrong and where, until the next `scan`.
 */
import { isUtf8 } from "node:buffer";
import { MAX_JSON_DEPTH } from "../limits.ts";
import { ObjectKeys } from "./object-keys.ts";

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const MAX_ASCII = 0x7f;

/** Bytes of a key that an error quotes. */
const MAX_SHOWN_KEY = 80;

/** What may stand behind a backslash, besides `u` and four digits, by byte. */
const ESCAPES = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

export class JsonScanner {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  /** For each level around the position, whether it is an object. */
  readonly #isObject = new Uint8Array(MAX_JSON_DEPTH + 1);
  readonly #keys = new ObjectKeys();
  #depth = 0;
  #whitespace = 0;
  /** Bits of all bytes of strings; elsewhere nothing but ASCII is right. */
  #seen = 0;
  /** Whether the string that was read last has an escape. */
  #hasEscape = false;

  /**
   * Lets a key come twice in an object: a record of the journal was right when it was written, whatever the rules are now.
   */
  allowsDuplicates = false;

  /** The value's first byte says what it is: `{`, `[`, `"`, `t`, `f`, `n`, else a number. */
  kind = 0;
  /** Where the value stands, without the whitespace around it. */
  start = 0;
  end = 0;
  /** Bytes of the compact text. */
  compactSize = 0;
  /** Objects and arrays within one another, at the deepest place. */
  deepest = 0;
  /** What is wrong, and at which byte. */
  problem = "";
  problemAt = 0;

  /** Whether bytes[start, end) is one JSON value with nothing but whitespace around it. */
  scan(bytes: Buffer, start: number, end: number): boolean {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#depth = 0;
    this.deepest = 0;
    this.#seen = 0;
    this.#keys.begin(bytes);
    this.problem = "";
    this.#skipWhitespace();
    this.start = this.#at;
    this.kind = this.#at < end ? bytes[this.#at] : 0;
    this.#whitespace = 0;
    this.#value();
    this.end = this.#at;
    this.compactSize = this.end - this.start - this.#whitespace;
    this.#skipWhitespace();
    if (this.problem === "" && this.#at < end) this.#fail("unexpected text behind the value");
    if (this.problem === "" && this.#seen > MAX_ASCII) this.#requireUtf8();
    this.#keys.end();
    return this.problem === "";
  }

  /** The first problem counts; the scan ends there. */
  #fail(problem: string, at = this.#at): void {
    if (this.problem !== "") return;
    this.problem = at >= this.#end ? "unexpected end" : problem;
    this.problemAt = at;
  }

  #skipWhitespace(): void {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    for (; at < this.#end; at++) {
      const byte = bytes[at];
      if (byte !== SPACE && byte !== LF && byte !== CR && byte !== TAB) break;
    }
    this.#at = at;
    this.#whitespace += at - from;
  }

  /** A value with all that is in it. Levels are kept in `#isObject`, not on the stack: depth costs no recursion. */
  #value(): void {
    for (;;) {
      if (!this.#beginValue()) return;
      while (this.problem === "" && this.#endsLevel()) this.#close();
      if (this.problem !== "" || this.#depth === 0) return;
    }
  }

  /**
   * Reads up to the end of a scalar or of an empty object or array; an opening bracket leads to the first value within.
   * False on a problem.
   */
  #beginValue(): boolean {
    for (;;) {
      this.#skipWhitespace();
      const byte = this.#at < this.#end ? this.#bytes[this.#at] : 0;
      if (byte !== OPEN_OBJECT && byte !== OPEN_ARRAY) {
        this.#scalar(byte);
        return this.problem === "";
      }
      this.#open(byte === OPEN_OBJECT);
      if (this.problem !== "") return false;
      if (this.#closes()) {
        this.#at++;
        this.#close();
        return true;
      }
      if (byte === OPEN_OBJECT && !this.#key()) return false;
    }
  }

  #open(isObject: boolean): void {
    if (this.#depth === MAX_JSON_DEPTH) {
      this.#fail(`nested deeper than ${MAX_JSON_DEPTH} levels`);
      return;
    }
    const depth = ++this.#depth;
    this.#isObject[depth] = isObject ? 1 : 0;
    if (depth > this.deepest) this.deepest = depth;
    if (isObject) this.#keys.open(depth);
    this.#at++;
    this.#skipWhitespace();
  }

  #close(): void {
    if (this.#isObject[this.#depth] === 1) this.#keys.close(this.#depth);
    this.#depth--;
  }

  /** Whether the bracket that closes this level stands here. */
  #closes(): boolean {
    if (this.#at >= this.#end) return false;
    const closing = this.#isObject[this.#depth] === 1 ? CLOSE_OBJECT : CLOSE_ARRAY;
    return this.#bytes[this.#at] === closing;
  }

  /** Behind a value: true when its level closes here; else a comma, and in an object the next key, lead to the next one. */
  #endsLevel(): boolean {
    if (this.#depth === 0) return false;
    this.#skipWhitespace();
    if (this.#closes()) {
      this.#at++;
      return true;
    }
    const isObject = this.#isObject[this.#depth] === 1;
    if (this.#at >= this.#end || this.#bytes[this.#at] !== COMMA) {
      this.#fail(isObject ? "expected ',' or '}'" : "expected ',' or ']'");
      return false;
    }
    this.#at++;
    if (isObject) this.#key();
    return false;
  }

  /** A key and its colon. */
  #key(): boolean {
    this.#skipWhitespace();
    if (this.#at >= this.#end || this.#bytes[this.#at] !== QUOTE) {
      this.#fail("expected a key in double quotes");
      return false;
    }
    const start = this.#at + 1;
    this.#string();
    if (this.problem !== "") return false;
    const end = this.#at - 1;
    if (!this.#keys.add(this.#depth, start, end, this.#hasEscape) && !this.allowsDuplicates) {
      this.#fail(`the key ${this.#shownKey(start, end)} comes twice`, start - 1);
      return false;
    }
    this.#skipWhitespace();
    if (this.#at >= this.#end || this.#bytes[this.#at] !== COLON) this.#fail("expected ':'");
    else this.#at++;
    return this.problem === "";
  }

  /** A key as errors tell it, cut when it is long. */
  #shownKey(start: number, end: number): string {
    const text = this.#bytes.toString("utf8", start, Math.min(end, start + MAX_SHOWN_KEY));
    return end - start > MAX_SHOWN_KEY ? `"${text}…"` : `"${text}"`;
  }

  #scalar(first: number): void {
    if (first === QUOTE) this.#string();
    else if (first === 0x74) this.#word("true");
    else if (first === 0x66) this.#word("false");
    else if (first === 0x6e) this.#word("null");
    else if (first === MINUS || (first >= ZERO && first <= NINE)) this.#number();
    else this.#fail("expected a value");
  }

  #word(word: string): void {
    const start = this.#at;
    for (let i = 0; i < word.length; i++) {
      if (start + i >= this.#end) this.#fail("", this.#end);
      else if (this.#bytes[start + i] !== word.charCodeAt(i)) this.#fail("expected a value", start);
    }
    this.#at += word.length;
  }

  #string(): void {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at + 1;
    let seen = 0;
    this.#hasEscape = false;
    while (at < end) {
      const byte = bytes[at];
      seen |= byte;
      if (byte === QUOTE) {
        this.#at = at + 1;
        this.#seen |= seen;
        return;
      }
      if (byte < SPACE) {
        this.#fail("a control character in a string must be escaped", at);
        return;
      }
      if (byte === BACKSLASH) {
        this.#hasEscape = true;
        at = this.#escape(at);
        if (at < 0) return;
      } else at++;
    }
    this.#fail("", end);
  }

  /** The offset behind the escape that begins at `at`, -1 when it is none. */
  #escape(at: number): number {
    const byte = at + 1 < this.#end ? this.#bytes[at + 1] : 0;
    if (byte === LOWER_U) {
      for (let i = at + 2; i < at + 6; i++) {
        if (i < this.#end && isHexDigit(this.#bytes[i])) continue;
        this.#fail("expected four hexadecimal digits behind '\\u'", Math.min(i, this.#end));
        return -1;
      }
      return at + 6;
    }
    if (ESCAPES[byte] === 1) return at + 2;
    this.#fail("unknown escape in a string", at + 1);
    return -1;
  }

  /** -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
  #number(): void {
    if (this.#bytes[this.#at] === MINUS) this.#at++;
    if (this.#peek() === ZERO) this.#at++;
    else this.#digits();
    if (this.#peek() === DOT) {
      this.#at++;
      this.#digits();
    }
    if ((this.#peek() | 0x20) === LOWER_E) {
      this.#at++;
      if (this.#peek() === PLUS || this.#peek() === MINUS) this.#at++;
      this.#digits();
    }
  }

  /** At least one digit. */
  #digits(): void {
    const from = this.#at;
    while (this.#peek() >= ZERO && this.#peek() <= NINE) this.#at++;
    if (this.#at === from) this.#fail("expected a digit");
  }

  /** The byte at the position, 0 at the end. */
  #peek(): number {
    return this.#at < this.#end ? this.#bytes[this.#at] : 0;
  }

  #requireUtf8(): void {
    if (isUtf8(this.#bytes.subarray(this.start, this.end))) return;
    this.#fail("bytes that are not UTF-8", invalidUtf8At(this.#bytes, this.start, this.end));
  }
}

function isHexDigit(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= ZERO && byte <= NINE) || (lower >= 0x61 && lower <= 0x66);
}

/** The first byte of what is no UTF-8. */
function invalidUtf8At(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; ) {
    const lead = bytes[at];
    const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size > 1 && !isUtf8(bytes.subarray(at, Math.min(at + size, end)))) return at;
    at += size;
  }
  return end;
}

/** Writes the JSON value bytes[start, end), which a scan has found right, without whitespace between its parts. */
export function writeCompact(
  bytes: Buffer,
  start: number,
  end: number,
  target: Uint8Array,
  targetAt: number,
): void {
  let inString = false;
  let to = targetAt;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === BACKSLASH) target[to++] = bytes[at++];
    else if (byte === QUOTE) inString = !inString;
    else if (byte <= SPACE && !inString) continue;
    target[to++] = bytes[at];
  }
}

/** Where byte `at` of bytes[start, …) is, as a person counts: characters from 1, and lines when there are several. */
export function placeInText(bytes: Buffer, start: number, at: number): string {
  let line = 1;
  let column = 1;
  for (let i = start; i < at; i++) {
    if (bytes[i] === LF) {
      line++;
      column = 1;
    } else if ((bytes[i] & 0xc0) !== 0x80) column++;
  }
  return line === 1 ? `column ${column}` : `line ${line}, column ${column}`;
}
