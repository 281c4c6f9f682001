/**
 * Cuts a stream of bytes into commands: RESP arrays of bulk strings, and inline commands. It fills spans over the input
 * and copies nothing (an inline command with quotes excepted). Incomplete and malformed are different results, and the
 * words for malformed input are Redis's.
 *
 * `decode` keeps nothing of the input: when a command is INCOMPLETE, the caller keeps its bytes and asks again once more
 * are there. What makes that cheap is in `needed` (when another look pays) and `resumeAt`, `resumeCount` (where `skim`
 * goes on), so that a command in many pieces costs time linear in its size, and is told malformed as soon as it is.
 */
import { MAX_ARGUMENTS, MAX_BULK_BYTES, MAX_INLINE_BYTES } from "../limits.ts";
import { parseInt64 } from "../store/number-text.ts";

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
/** Result of #number for a number below zero: an array that holds no command. */
const NEGATIVE = -3;

/** What a client may send before it has authenticated: enough for AUTH and HELLO. */
const RESTRICTED_ARGUMENTS = 10;
const RESTRICTED_BULK_BYTES = 16384;

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;
const MINUS = 45;
/** Shortest possible argument: `$0\r\n\r\n`. */
const SHORTEST_ARGUMENT = 6;
/** Sign and digits of the longest number that can be right: those of -2^63. */
const LONGEST_NUMBER = 20;

/** The words for a line that is no number, and for one that does not end. */
interface Line {
  readonly invalid: string;
  readonly tooBig: string;
}
const ARRAY_LINE: Line = {
  invalid: "invalid multibulk length",
  tooBig: "too big mbulk count string",
};
const BULK_LINE: Line = { invalid: "invalid bulk length", tooBig: "too big bulk count string" };

export class Decoder {
  /** After MALFORMED: the text of the error, without its code. */
  problem = "";
  /** After INCOMPLETE: how many bytes of the command must be there before another look can tell more. */
  needed = 0;
  /** After INCOMPLETE: where `skim` goes on, from the start of the command (0: nowhere, `decode` anew). */
  resumeAt = 0;
  /** How many arguments come from there on. */
  resumeCount = 0;
  /** Position after the last line that was read. */
  #after = 0;
  maxBulkBytes = MAX_BULK_BYTES;
  /** The client has still to give a password: Redis's small limits hold. */
  restricted = false;

  /**
   * Reads the command at `position` of buffer[0, limit) into `spans`. Answers the offset after it, INCOMPLETE or
   * MALFORMED. A command of no arguments (an empty line, `*0`) has count 0 and is to be skipped. Longer than other
   * functions: the loop over the arguments is the hottest of the server, and calls nothing for a short one.
   */
  decode(spans: Spans, buffer: Buffer, position: number, limit: number): number {
    spans.buffer = buffer;
    if (buffer[position] !== STAR) return this.#inline(spans, buffer, position, limit);
    // Nearly every command has one to nine arguments: that line is read here.
    let count =
      position + 4 <= limit && buffer[position + 2] === CR ? buffer[position + 1] - 48 : 0;
    let at = position + 4;
    if (count < 1 || count > 9) {
      count = this.#number(buffer, position, limit, ARRAY_LINE);
      at = this.#after;
    }
    if (count <= 0) return this.#noArguments(spans, count, limit - position);
    if (count > MAX_ARGUMENTS) return this.#malformed(ARRAY_LINE.invalid);
    if (this.restricted && count > RESTRICTED_ARGUMENTS) {
      return this.#malformed("unauthenticated multibulk length");
    }
    // So many arguments cannot be there yet: a client that only announces them gets no room for their spans.
    if (count * SHORTEST_ARGUMENT > limit - at) {
      this.resumeAt = at - position;
      this.resumeCount = count;
      return this.skim(buffer, position, limit);
    }
    spans.reserve(count);
    const start = spans.start;
    const end = spans.end;
    for (let i = 0; i < count; i++) {
      if (at >= limit) return this.#suspend(at + 1 - position, at - position, count - i);
      if (buffer[at] !== DOLLAR) {
        return this.#noBulk(buffer, at, limit) === MALFORMED
          ? MALFORMED
          : this.#suspend(limit + 1 - position, at - position, count - i);
      }
      // Lengths of one or two digits, which is nearly all of them, are read here.
      let size = at + 5 < limit ? buffer[at + 1] - 48 : -1;
      const second = buffer[at + 2] - 48;
      if (size >= 0 && size <= 9 && second === CR - 48) at += 4;
      else if (size > 0 && size <= 9 && second >= 0 && second <= 9 && buffer[at + 3] === CR) {
        size = size * 10 + second;
        at += 5;
      } else {
        size = this.#bulkSize(buffer, at, limit);
        if (size === MALFORMED) return MALFORMED;
        if (size < 0) return this.#suspend(limit + 1 - position, at - position, count - i);
        at = this.#after;
      }
      start[i] = at;
      at += size;
      end[i] = at;
      at += 2;
      if (at > limit) return this.#suspend(at - position, at - position, count - i - 1);
    }
    spans.count = count;
    spans.rawStart = position;
    spans.rawEnd = at;
    return at;
  }

  /**
   * Another look at the command at `position`, for which `decode` answered INCOMPLETE with a `resumeAt`, now that it has
   * grown: goes on from there. Anything but INCOMPLETE says that `decode` will now answer something else, too.
   */
  skim(buffer: Buffer, position: number, limit: number): number {
    let at = position + this.resumeAt;
    for (let left = this.resumeCount; left > 0; left--) {
      if (at >= limit) return this.#suspend(at + 1 - position, at - position, left);
      const size =
        buffer[at] === DOLLAR ? this.#bulkSize(buffer, at, limit) : this.#noBulk(buffer, at, limit);
      if (size === MALFORMED) return MALFORMED;
      if (size < 0) return this.#suspend(limit + 1 - position, at - position, left);
      at = this.#after + size + 2;
      if (at > limit) return this.#suspend(at - position, at - position, left - 1);
    }
    return at;
  }

  /** `*0`, `*-1` and below are empty commands; the other negative results of #number are passed on. */
  #noArguments(spans: Spans, result: number, present: number): number {
    if (result === MALFORMED) return MALFORMED;
    if (result === INCOMPLETE) return this.#suspend(present + 1, 0, 0);
    spans.count = 0;
    return this.#after;
  }

  #suspend(needed: number, resumeAt: number, resumeCount: number): number {
    this.needed = needed;
    this.resumeAt = resumeAt;
    this.resumeCount = resumeCount;
    return INCOMPLETE;
  }

  #malformed(problem: string): number {
    this.problem = `Protocol error: ${problem}`;
    return MALFORMED;
  }

  /** The size that the line `$…` at `from` announces, INCOMPLETE or MALFORMED. */
  #bulkSize(buffer: Buffer, from: number, limit: number): number {
    const size = this.#number(buffer, from, limit, BULK_LINE);
    if (size === INCOMPLETE || size === MALFORMED) return size;
    if (size < 0 || size > this.maxBulkBytes) return this.#malformed(BULK_LINE.invalid);
    if (this.restricted && size > RESTRICTED_BULK_BYTES) {
      return this.#malformed("unauthenticated bulk length");
    }
    return size;
  }

  /** Where `$` should stand is something else: as in Redis, that is told once its line is complete. */
  #noBulk(buffer: Buffer, from: number, limit: number): number {
    const byte = String.fromCharCode(buffer[from]);
    return this.#badLine(buffer, from, limit, {
      invalid: `expected '$', got '${byte}'`,
      tooBig: BULK_LINE.tooBig,
    });
  }

  /**
   * The number after the byte at `from`, up to CR and one byte more, as Redis's string2ll reads it. Answers it (NEGATIVE
   * for any below zero), INCOMPLETE or MALFORMED; `#after` is then the position after the line.
   */
  #number(buffer: Buffer, from: number, limit: number, line: Line): number {
    let at = from + 1;
    const negative = at < limit && buffer[at] === MINUS;
    if (negative) at++;
    const digits = at;
    let value = 0;
    while (at < limit && buffer[at] !== CR) {
      const digit = buffer[at] - 48;
      if (digit < 0 || digit > 9 || at - from > LONGEST_NUMBER) {
        return this.#badLine(buffer, from, limit, line);
      }
      value = value * 10 + digit;
      at++;
    }
    if (at + 1 >= limit) return INCOMPLETE;
    if (at === digits) return this.#malformed(line.invalid);
    if (buffer[digits] === 48 && (negative || at - digits > 1)) {
      return this.#malformed(line.invalid);
    }
    this.#after = at + 2;
    if (!negative) return value;
    return parseInt64(buffer, from + 1, at) === null ? this.#malformed(line.invalid) : NEGATIVE;
  }

  /** A line that is no number: malformed once it is complete, or too long to be waited for. */
  #badLine(buffer: Buffer, from: number, limit: number, line: Line): number {
    const last = Math.min(limit, from + MAX_INLINE_BYTES + 1);
    const cr = buffer.subarray(from, last).indexOf(CR);
    if (cr >= 0) return from + cr + 1 < limit ? this.#malformed(line.invalid) : INCOMPLETE;
    return limit - from > MAX_INLINE_BYTES ? this.#malformed(line.tooBig) : INCOMPLETE;
  }

  // ---- inline commands ----

  #inline(spans: Spans, buffer: Buffer, position: number, limit: number): number {
    const last = Math.min(limit, position + MAX_INLINE_BYTES + 1);
    const length = buffer.subarray(position, last).indexOf(LF);
    if (length < 0) {
      if (limit - position > MAX_INLINE_BYTES) return this.#malformed("too big inline request");
      return this.#suspend(limit + 1 - position, 0, 0);
    }
    const newline = position + length;
    const end = length > 0 && buffer[newline - 1] === CR ? newline - 1 : newline;
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
/** Between words: C's isspace, and NUL, at which Redis would stop. */
const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13) || byte === 0;
/** Ends a word that is not quoted. Not vertical tab and form feed: Redis takes those as part of it. */
const endsWord = (byte: number) =>
  byte === 32 || byte === 9 || byte === LF || byte === CR || byte === 0;

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

/** One word from `at` on; answers where it ended, or -1 for quotes that do not match. A closing quote ends a word. */
function readWord(line: Uint8Array, from: number, end: number, word: number[]): number {
  for (let at = from; at < end; at++) {
    const byte = line[at];
    if (endsWord(byte)) return at;
    if (byte === 34 || byte === 39) {
      const next =
        byte === 34 ? readDouble(line, at + 1, end, word) : readSingle(line, at + 1, end, word);
      return next < 0 || (next < end && !isSpace(line[next])) ? -1 : next;
    }
    word.push(byte);
  }
  return end;
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
