/**
 * Cuts a stream of bytes into commands: RESP arrays of bulk strings, and inline commands. It fills spans over the input
 * and copies nothing (an inline command with quotes excepted). Incomplete and malformed are different results, and the
 * words for malformed input are Redis's.
 *
 * `decode` may be called again with the same bytes and more behind them: it keeps no state, but says in `needed` how
 * many bytes the command has at least, so that a caller asks again only when that many are there.
 */
import { MAX_ARGUMENTS, MAX_BULK_BYTES, MAX_INLINE_BYTES } from "../limits.ts";

/** What the decoder fills; commands/arguments.ts is one. */
export interface Spans {
  buffer: Buffer;
  readonly start: Int32Array;
  readonly end: Int32Array;
  count: number;
  rawStart: number;
  rawEnd: number;
  reserve(count: number): void;
}

/** Results of `decode` other than an offset. */
export const INCOMPLETE = -1;
export const MALFORMED = -2;
/** Result of #header for `*-1`: an array that holds no command. */
const EMPTY = -3;

/** What a client may send before it has authenticated: enough for AUTH and HELLO. */
const RESTRICTED_ARGUMENTS = 10;
const RESTRICTED_BULK_BYTES = 16384;

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;
/** Shortest possible argument: `$0\r\n\r\n`. */
const SHORTEST_ARGUMENT = 6;
/** Digits and sign of the longest header that can be right: `*1048576`, `$536870912`; more is malformed anyway. */
const LONGEST_NUMBER = 20;

export class Decoder {
  /** After MALFORMED: the text of the error, without its code. */
  problem = "";
  /** After INCOMPLETE: how many bytes from the start of the command must be there before it can be complete. */
  needed = 0;
  /** Position after the last header that was read. */
  #after = 0;
  maxBulkBytes = MAX_BULK_BYTES;
  /** The client has still to give a password: Redis's small limits hold. */
  restricted = false;

  /**
   * Reads the command at `position` of buffer[0, limit) into `spans`. Answers the offset after it, INCOMPLETE or
   * MALFORMED. A command of no arguments (an empty line, `*0`) has count 0 and is to be skipped.
   */
  decode(spans: Spans, buffer: Buffer, position: number, limit: number): number {
    spans.buffer = buffer;
    if (buffer[position] !== STAR) return this.#inline(spans, buffer, position, limit);
    const count = this.#header(buffer, position + 1, limit, "invalid multibulk length");
    if (count < 0) return this.#notAnArray(spans, count, position);
    if (count > MAX_ARGUMENTS) return this.#malformed("invalid multibulk length");
    if (this.restricted && count > RESTRICTED_ARGUMENTS) {
      return this.#malformed("unauthenticated multibulk length");
    }
    spans.reserve(count);
    const start = spans.start;
    const end = spans.end;
    let at = this.#after;
    for (let i = 0; i < count; i++) {
      if (at >= limit) return this.#incomplete(at - position + (count - i) * SHORTEST_ARGUMENT);
      if (buffer[at] !== DOLLAR) return this.#expectedBulk(buffer[at]);
      // Lengths of one or two digits, which is nearly all of them, are read here.
      let size = at + 5 < limit ? buffer[at + 1] - 48 : -1;
      const second = buffer[at + 2] - 48;
      if (size >= 0 && size <= 9 && second === CR - 48) at += 4;
      else if (size > 0 && size <= 9 && second >= 0 && second <= 9 && buffer[at + 3] === CR) {
        size = size * 10 + second;
        at += 5;
      } else {
        size = this.#header(buffer, at + 1, limit, "invalid bulk length");
        if (size === INCOMPLETE) {
          return this.#incomplete(limit + 1 - position + (count - i - 1) * SHORTEST_ARGUMENT);
        }
        if (size < 0 || size > this.maxBulkBytes) return this.#malformed("invalid bulk length");
        if (this.restricted && size > RESTRICTED_BULK_BYTES) {
          return this.#malformed("unauthenticated bulk length");
        }
        at = this.#after;
      }
      start[i] = at;
      at += size;
      end[i] = at;
      at += 2;
      if (at > limit) {
        return this.#incomplete(at - position + (count - i - 1) * SHORTEST_ARGUMENT);
      }
    }
    spans.count = count;
    spans.rawStart = position;
    spans.rawEnd = at;
    return at;
  }

  /** `*0`, `*-1` and below are empty commands; the negative results of #header are passed on. */
  #notAnArray(spans: Spans, result: number, position: number): number {
    if (result === INCOMPLETE) return this.#incomplete(this.needed - position);
    if (result === MALFORMED) return MALFORMED;
    spans.count = 0;
    return this.#after;
  }

  #incomplete(needed: number): number {
    this.needed = needed;
    return INCOMPLETE;
  }

  #malformed(problem: string): number {
    this.problem = `Protocol error: ${problem}`;
    return MALFORMED;
  }

  #expectedBulk(byte: number): number {
    return this.#malformed(`expected '$', got '${String.fromCharCode(byte)}'`);
  }

  /**
   * The number up to CR LF, as Redis's string2ll reads it. Answers it (below zero: EMPTY for an array that is no
   * command), INCOMPLETE or MALFORMED; `#after` is then the position after the line.
   */
  #header(buffer: Buffer, from: number, limit: number, problem: string): number {
    let at = from;
    const negative = at < limit && buffer[at] === 45;
    if (negative) at++;
    const digits = at;
    let value = 0;
    while (at < limit && buffer[at] !== CR) {
      const digit = buffer[at] - 48;
      if (digit < 0 || digit > 9 || at - from > LONGEST_NUMBER) return this.#badLine(buffer, from, limit, problem);
      value = value * 10 + digit;
      at++;
    }
    if (at + 1 >= limit) {
      this.needed = limit + 1;
      return INCOMPLETE;
    }
    if (at === digits || (buffer[digits] === 48 && at - digits > 1)) return this.#malformed(problem);
    this.#after = at + 2;
    if (negative) return value === 0 ? this.#malformed(problem) : EMPTY;
    return value;
  }

  /** A line that is no number: malformed once it is complete, or too long to ever be right. */
  #badLine(buffer: Buffer, from: number, limit: number, problem: string): number {
    const cr = buffer.indexOf(CR, from);
    if (cr >= 0 && cr + 1 < limit) return this.#malformed(problem);
    if (limit - from > MAX_INLINE_BYTES) {
      return this.#malformed(problem.includes("multi") ? "too big mbulk count string" : "too big bulk count string");
    }
    this.needed = limit + 1;
    return INCOMPLETE;
  }

  // ---- inline commands ----

  #inline(spans: Spans, buffer: Buffer, position: number, limit: number): number {
    const newline = buffer.subarray(0, limit).indexOf(LF, position);
    if (newline < 0) {
      if (limit - position > MAX_INLINE_BYTES) return this.#malformed("too big inline request");
      return this.#incomplete(limit + 1 - position);
    }
    const end = newline > position && buffer[newline - 1] === CR ? newline - 1 : newline;
    const words = splitWords(buffer, position, end);
    if (words === null) return this.#malformed("unbalanced quotes in request");
    spans.reserve(words.length);
    spans.count = words.length;
    spans.rawStart = -1;
    spans.buffer = Buffer.concat(words);
    let at = 0;
    words.forEach((word, i) => {
      spans.start[i] = at;
      at += word.length;
      spans.end[i] = at;
    });
    return newline + 1;
  }
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, a: 7 };
const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13) || byte === 0;

/**
 * Splits a line as Redis's sdssplitargs does: words between spaces; "…" with escapes \n \r \t \b \a \\ \" \xHH; '…' with
 * \' only. A closing quote must be followed by a space or the end. Null when quotes do not match.
 */
export function splitWords(line: Uint8Array, start: number, end: number): Buffer[] | null {
  const words: Buffer[] = [];
  let at = start;
  for (;;) {
    while (at < end && isSpace(line[at])) at++;
    if (at >= end) return words;
    const word: number[] = [];
    const next = readWord(line, at, end, word);
    if (next < 0) return null;
    words.push(Buffer.from(word));
    at = next;
  }
}

/** One word from `at` on; answers where it ended, or -1 for quotes that do not match. */
function readWord(line: Uint8Array, from: number, end: number, word: number[]): number {
  let at = from;
  while (at < end && !isSpace(line[at])) {
    const byte = line[at];
    if (byte !== 34 && byte !== 39) {
      word.push(byte);
      at++;
      continue;
    }
    at = byte === 34 ? readDouble(line, at + 1, end, word) : readSingle(line, at + 1, end, word);
    if (at < 0 || (at < end && !isSpace(line[at]))) return -1;
  }
  return at;
}

function readSingle(line: Uint8Array, from: number, end: number, word: number[]): number {
  for (let at = from; at < end; at++) {
    if (line[at] === 39) return at + 1;
    if (line[at] === 92 && line[at + 1] === 39 && at + 1 < end) at++;
    word.push(line[at]);
  }
  return -1;
}

function readDouble(line: Uint8Array, from: number, end: number, word: number[]): number {
  for (let at = from; at < end; at++) {
    if (line[at] === 34) return at + 1;
    if (line[at] !== 92 || at + 1 >= end) {
      word.push(line[at]);
      continue;
    }
    const hex = at + 3 < end && line[at + 1] === 120 ? hexByte(line, at + 2) : -1;
    if (hex >= 0) {
      word.push(hex);
      at += 3;
    } else {
      const letter = String.fromCharCode(line[at + 1]);
      word.push(ESCAPES[letter] ?? line[at + 1]);
      at++;
    }
  }
  return -1;
}

function hexByte(line: Uint8Array, at: number): number {
  const text = String.fromCharCode(line[at], line[at + 1]);
  return /^[0-9a-fA-F]{2}$/.test(text) ? Number.parseInt(text, 16) : -1;
}
