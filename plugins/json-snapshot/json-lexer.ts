/**
 * Splits JSON (RFC 8259) into tokens, one slice of the file after another: a token may begin in one
 * slice and end many slices later, so the file is never in memory. It knows the inside of tokens
 * (escapes, numbers, UTF-8) and nothing of their order: that is snapshot-parser.ts.
 *
 * While it reads a token it keeps of it what `keep` says in `kept`, which whoever asks for the next
 * token has set before.
 */
import { Base64Decoder } from "./base64-decoder.ts";
import type { ByteBuilder } from "./byte-builder.ts";
import { JsonProblem } from "./json-problem.ts";
import { firstStateOfNumber, NUMBER_ENDS, NUMBER_STEPS, NUMBER_WRONG } from "./number-grammar.ts";
import { Utf8Check } from "./utf8.ts";

/** What `next` answers: a token by its first byte, or one of these. */
export const NEED_MORE = 0;
/** None begins where `tokenAt` is. Nothing can be read behind it. */
export const NO_TOKEN = 1;
export const STRING = 0x22;
export const COMMA = 0x2c;
export const NUMBER = 0x30;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
/** `true`, `false` or `null`. */
export const WORD = 0x74;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

/** Nothing. */
export const KEEP_NOTHING = 0;
/**
 * Everything but white space as it is written. It is kept a run at a time: `kept` has all of it only
 * after `keepText`.
 */
export const KEEP_TEXT = 1;
/** Of a string what it says, of numbers and words the text. */
export const KEEP_CONTENT = 2;
/** Of a string the bytes that it says in base64. */
export const KEEP_BASE64 = 3;

const LF = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;

const IN_STRING = 1;
const IN_NUMBER = 2;
const IN_WORD = 3;

/** Of each byte, the token that begins with it. */
const TOKENS = new Uint8Array(256).fill(NO_TOKEN);
for (const token of [STRING, COMMA, COLON, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT]) {
  TOKENS[token] = token;
}
for (const byte of Buffer.from("-0123456789")) TOKENS[byte] = NUMBER;
for (const byte of Buffer.from("tfn")) TOKENS[byte] = WORD;

/** Bytes of a string that stand for themselves, but for UTF-8. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= SPACE && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/** What the byte behind a backslash stands for. */
const ESCAPES = new Uint8Array(256);
for (const [letter, meaning] of ['""', "\\\\", "//", "b\b", "f\f", "n\n", "r\r", "t\t"]) {
  ESCAPES[letter.charCodeAt(0)] = meaning.charCodeAt(0);
}

const WORDS = [Buffer.from("true"), Buffer.from("false"), Buffer.from("null")] as const;

export class JsonLexer {
  keep = KEEP_NOTHING;
  kept: ByteBuilder;
  /** Where the last token began, in bytes from the front of the file. */
  tokenAt = 0;
  /** Set at a line break between two tokens. Whoever wants to know clears it before. */
  sawLineBreak = false;

  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  /** What #bytes[0] is in the file. */
  #base = 0;
  /** With KEEP_TEXT: #bytes[#textAt, #at) is still to be kept. */
  #textAt = 0;
  /** The token that the last slice ended in; 0: none. */
  #inside = 0;

  readonly #utf8 = new Utf8Check();
  readonly #base64 = new Base64Decoder();
  /** A backslash was read, and not yet all that belongs to it. */
  #inEscape = false;
  #hexDigitsLeft = 0;
  #codeUnit = 0;
  /** The first half of a surrogate pair, which the second must follow; 0: none. */
  #highSurrogate = 0;
  /** Where the escape in hand, or the half of a pair, began. */
  #escapeAt = 0;
  #numberState = 0;
  #word: Buffer = WORDS[0];
  #wordAt = 0;

  constructor(kept: ByteBuilder) {
    this.kept = kept;
  }

  /** Where reading stands, in bytes from the front of the file. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** Whether a token was begun and is not complete. */
  get isInside(): boolean {
    return this.#inside !== 0;
  }

  /** Goes on with bytes[start, end), the first of which is at `offset` in the file. */
  feed(bytes: Buffer, start: number, end: number, offset: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#textAt = start;
    this.#end = end;
    this.#base = offset - start;
  }

  /** The slice that was fed is at its end, and is about to be overwritten. */
  endSlice(): void {
    if (this.keep === KEEP_TEXT) this.keepText();
  }

  /** Forgets a token that was begun: what is fed next begins anew. */
  reset(): void {
    this.#inside = 0;
  }

  /** From the token that was read last, a bracket, all is kept as it is written. */
  beginTextAtBracket(): void {
    this.keep = KEEP_TEXT;
    this.#textAt = this.#at - 1;
  }

  /** From the next token on, all is kept as it is written. */
  beginText(): void {
    this.keep = KEEP_TEXT;
    this.#textAt = this.#at;
  }

  /** Up to here. */
  keepText(): void {
    if (this.#at > this.#textAt) this.kept.append(this.#bytes, this.#textAt, this.#at);
    this.#textAt = this.#at;
  }

  next(): number {
    if (this.#inside !== 0) return this.#goOn();
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    if (at < end && bytes[at] <= SPACE) {
      if (this.keep === KEEP_TEXT) this.keepText();
      for (; at < end && isSpace(bytes[at]); at++) if (bytes[at] === LF) this.sawLineBreak = true;
      this.#at = at;
      this.#textAt = at;
    }
    if (at === end) return NEED_MORE;
    this.tokenAt = this.#base + at;
    const token = TOKENS[bytes[at]];
    if (token === STRING) {
      this.#at++;
      this.#beginString();
      return this.#string();
    }
    if (token === NUMBER) {
      this.#inside = IN_NUMBER;
      this.#numberState = firstStateOfNumber(bytes[at]);
      this.#keepByte(bytes[at]);
      this.#at++;
      return this.#number();
    }
    if (token === WORD) {
      this.#inside = IN_WORD;
      this.#word = WORDS.find((word) => word[0] === bytes[at]) as Buffer;
      this.#wordAt = 0;
      return this.#restOfWord();
    }
    if (token === NO_TOKEN) return NO_TOKEN;
    this.#at++;
    return token;
  }

  #goOn(): number {
    if (this.#inside === IN_STRING) return this.#string();
    return this.#inside === IN_NUMBER ? this.#number() : this.#restOfWord();
  }

  // ---- strings ----

  #beginString(): void {
    this.#inside = IN_STRING;
    this.#inEscape = false;
    this.#highSurrogate = 0;
    this.#utf8.reset();
    if (this.keep === KEEP_BASE64) this.#base64.reset();
  }

  #string(): number {
    if (this.#inEscape && !this.#escape()) return NEED_MORE;
    for (;;) {
      this.#runOfCharacters();
      if (this.#at === this.#end) return NEED_MORE;
      const byte = this.#bytes[this.#at];
      if (byte === QUOTE) return this.#endString();
      if (byte !== BACKSLASH) {
        throw this.#problem("the end of the string, or an escape for the control character");
      }
      this.#escapeAt = this.#highSurrogate === 0 ? this.offset : this.#escapeAt;
      this.#inEscape = true;
      this.#hexDigitsLeft = 0;
      this.#at++;
      if (!this.#escape()) return NEED_MORE;
    }
  }

  /** Up to the first quote, backslash or control character. */
  #runOfCharacters(): void {
    const bytes = this.#bytes;
    const end = this.#end;
    const utf8 = this.#utf8;
    let at = this.#at;
    for (;;) {
      if (utf8.missing === 0) {
        while (at < end && PLAIN[bytes[at]] === 1) at++;
        if (at === end || bytes[at] < 0x80) break;
      }
      while (at < end && (utf8.missing > 0 || bytes[at] >= 0x80)) {
        if (!utf8.accept(bytes[at])) throw new JsonProblem(this.#base + at, "UTF-8");
        at++;
      }
      if (at === end) break;
    }
    if (at > this.#at) this.#keepRun(this.#at, at);
    this.#at = at;
  }

  #keepRun(from: number, to: number): void {
    if (this.#highSurrogate !== 0) throw this.#loneSurrogate();
    if (this.keep === KEEP_CONTENT) this.kept.append(this.#bytes, from, to);
    if (this.keep !== KEEP_BASE64) return;
    const stop = this.#base64.run(this.#bytes, from, to, this.kept);
    if (stop < to) throw new JsonProblem(this.#base + stop, "base64");
  }

  #endString(): number {
    if (this.#highSurrogate !== 0) throw this.#loneSurrogate();
    if (this.keep === KEEP_BASE64 && !this.#base64.isWhole) {
      throw this.#problem("base64, padded with '=' to a multiple of four characters");
    }
    this.#at++;
    this.#inside = 0;
    return STRING;
  }

  /** Behind a backslash; false when the slice ends within the escape. */
  #escape(): boolean {
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at];
      if (this.#hexDigitsLeft > 0) {
        this.#hexDigit(byte);
        this.#at++;
        if (this.#hexDigitsLeft > 0) continue;
        this.#inEscape = false;
        this.#keepCodeUnit(this.#codeUnit);
        return true;
      }
      if (byte !== LOWER_U && ESCAPES[byte] === 0) {
        throw this.#problem(`one of " \\ / b f n r t u behind the backslash`);
      }
      this.#at++;
      if (byte === LOWER_U) {
        this.#hexDigitsLeft = 4;
        this.#codeUnit = 0;
        continue;
      }
      this.#inEscape = false;
      this.#keepCodeUnit(ESCAPES[byte]);
      return true;
    }
    return false;
  }

  #hexDigit(byte: number): void {
    const lower = byte | 0x20;
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (!isDigit && (lower < 0x61 || lower > 0x66)) {
      throw this.#problem("four hexadecimal digits behind \\u");
    }
    this.#codeUnit = this.#codeUnit * 16 + (isDigit ? byte - 0x30 : lower - 0x57);
    this.#hexDigitsLeft--;
  }

  /** A document keeps its escapes as they are; elsewhere halves of a pair say nothing. */
  #keepCodeUnit(unit: number): void {
    const { keep, kept } = this;
    if (keep === KEEP_TEXT || keep === KEEP_NOTHING) return;
    if (keep === KEEP_BASE64) {
      const isRight = unit < 0x80 && this.#base64.accept(unit, kept);
      if (!isRight) throw new JsonProblem(this.#escapeAt, "base64");
    } else if (this.#highSurrogate !== 0) {
      if (unit < 0xdc00 || unit > 0xdfff) throw this.#loneSurrogate();
      const point = 0x10000 + ((this.#highSurrogate - 0xd800) << 10) + (unit - 0xdc00);
      this.#highSurrogate = 0;
      kept.push(0xf0 | (point >> 18));
      kept.push(0x80 | ((point >> 12) & 0x3f));
      kept.push(0x80 | ((point >> 6) & 0x3f));
      kept.push(0x80 | (point & 0x3f));
    } else if (unit < 0x80) {
      kept.push(unit);
    } else if (unit < 0x800) {
      kept.push(0xc0 | (unit >> 6));
      kept.push(0x80 | (unit & 0x3f));
    } else if (unit < 0xd800 || unit > 0xdfff) {
      kept.push(0xe0 | (unit >> 12));
      kept.push(0x80 | ((unit >> 6) & 0x3f));
      kept.push(0x80 | (unit & 0x3f));
    } else if (unit < 0xdc00) {
      this.#highSurrogate = unit;
    } else throw this.#loneSurrogate();
  }

  // ---- numbers and words ----

  #number(): number {
    const bytes = this.#bytes;
    const end = this.#end;
    const from = this.#at;
    let at = from;
    let state = this.#numberState;
    for (; at < end; at++) {
      const step = NUMBER_STEPS[state * 256 + bytes[at]];
      if (step === NUMBER_ENDS) break;
      if (step === NUMBER_WRONG) throw new JsonProblem(this.#base + at, "a digit");
      state = step;
    }
    this.#numberState = state;
    if (this.keep >= KEEP_CONTENT) this.kept.append(bytes, from, at);
    this.#at = at;
    if (at === end) return NEED_MORE;
    this.#inside = 0;
    return NUMBER;
  }

  #restOfWord(): number {
    const word = this.#word;
    while (this.#wordAt < word.length) {
      if (this.#at === this.#end) return NEED_MORE;
      const byte = this.#bytes[this.#at];
      if (byte !== word[this.#wordAt]) {
        this.#inside = 0;
        return NO_TOKEN;
      }
      this.#keepByte(byte);
      this.#at++;
      this.#wordAt++;
    }
    this.#inside = 0;
    return WORD;
  }

  #keepByte(byte: number): void {
    if (this.keep >= KEEP_CONTENT) this.kept.push(byte);
  }

  #problem(expected: string): JsonProblem {
    return new JsonProblem(this.offset, expected);
  }

  #loneSurrogate(): JsonProblem {
    return new JsonProblem(this.#escapeAt, "both halves of a surrogate pair");
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === LF || byte === 0x0d || byte === 0x09;
}
