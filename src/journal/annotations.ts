/**
 * Lines in a record for what Redis has no word for. A payload is the text of an append-only file of Redis, which skips
 * lines that begin with #:
 *
 *   #kvdb-json\r\n            the SET that follows makes a document of its value; for Redis it is a string. It is complete:
 *                             `SET key text` or `SET key text PXAT milliseconds`, whatever the key was before
 *   #kvdb-expired\r\n         the DEL or HDEL that follows is no client's: the time of the key, or of the field, was over
 *   #kvdb-evicted\r\n         the DEL that follows made room
 *   #kvdb-do command\r\n      a command that kvdb alone runs. Words stand between single spaces, as redis-cli quotes them
 *   #kvdb-and text\r\n        a long one goes on, behind a line of 127 bytes and only there: its text is that of all its
 *                             lines, one behind the other. So one that was cut between two lines is known for damaged
 *   #kvdb-stream 120\r\n      of a record that is a stretch of the stream of replication: that is the 120 bytes behind the line
 *   #kvdb-passed 120\r\n      the same, but nothing of it is to run
 *   #kvdb-beside\r\n          what follows is no part of that stream (stream-form.ts)
 *   #TS:1700000000\r\n        Redis's own: when the command behind it was written (aof-timestamp-enabled). It says nothing
 *
 *   #kvdb-json\r\n*3\r\n$3\r\nSET\r\n$3\r\ncar\r\n$10\r\n{"doors":5}\r\n
 *   #kvdb-do HPEXPIREAT session 1790000000000 FIELDS 1 "the token"\r\n
 *
 * Invariant: a line has at most 127 bytes with its end, which a person can read, and any Redis: 7.0 takes what is beyond
 * its buffer of 1024 for the next command. What is no such line is damage: nobody can know what it was to do.
 */
import type { Arguments } from "../commands/arguments.ts";
import { splitWords } from "../resp/decoder.ts";
import { copyBytes, type ReadonlyBytes, sameBytes } from "../store/arena.ts";
import type { CommandWriter } from "./effects.ts";

const LONGEST_LINE = 127;
/** What the lines begin with; files for other readers have the same words (transfer/value-commands.ts). */
export const DOCUMENT_NOTE = "#kvdb-json";
export const DO_NOTE = "#kvdb-do ";
export const AND_NOTE = "#kvdb-and ";
const DOCUMENT = Buffer.from(DOCUMENT_NOTE);
const DO = Buffer.from(DO_NOTE);
const AND = Buffer.from(AND_NOTE);
/** Why something was deleted that no command named. */
export type DeletionCause = "expired" | "evicted";
const CAUSES: readonly (readonly [DeletionCause, Buffer])[] = (["expired", "evicted"] as const).map(
  (cause) => [cause, Buffer.from(`#kvdb-${cause}`)],
);
/** What the lines of stream-form.ts begin with; `alone`: of the text of a PING that is a command by itself. */
export const STREAM_NOTES = {
  stream: "#kvdb-stream",
  passed: "#kvdb-passed",
  beside: "#kvdb-beside",
  alone: DO_NOTE,
} as const;
const STREAM = Buffer.from(`${STREAM_NOTES.stream} `);
const PASSED = Buffer.from(`${STREAM_NOTES.passed} `);
const BESIDE = Buffer.from(STREAM_NOTES.beside);
const TIME = Buffer.from("#TS:");
const LINE_END = Buffer.from("\r\n");

const HASH = 0x23;
const SPACE = 0x20;
const TILDE = 0x7e;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BACKSLASH = 0x5c;
const CR = 13;
const LF = 10;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

// ---- writing ----

const DOCUMENT_LINE = Buffer.concat([DOCUMENT, LINE_END]);

export function writeDocumentLine(writer: CommandWriter): void {
  writer.encoded(DOCUMENT_LINE, 0, DOCUMENT_LINE.length);
}

const CAUSE_LINES = new Map(
  CAUSES.map(([cause, line]) => [cause, Buffer.concat([line, LINE_END])]),
);

/** Says of the deletion that is written next that nobody asked for it. */
export function writeCauseLine(writer: CommandWriter, cause: DeletionCause): void {
  const line = CAUSE_LINES.get(cause) as Buffer;
  writer.encoded(line, 0, line.length);
}

/** Of a control or a byte beyond ASCII: \xff. */
const LONGEST_ESCAPE = 4;
/** Beyond it the buffer of a text is not kept: one huge command must not take memory for ever. */
const MAX_KEPT_TEXT = 1 << 20;
const FIRST_CAPACITY = 1024;

/** A command that kvdb alone runs, while its text is made: word by word, then `writeTo`. */
export class OwnCommand {
  #text = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #size = 0;

  /** Adds bytes[start, end). As redis-cli's sdscatrepr quotes it, but for a word that is the same without quotes. */
  word(bytes: ReadonlyBytes, start: number, end: number): this {
    this.#reserve(LONGEST_ESCAPE * (end - start) + 3);
    if (this.#size > 0) this.#text[this.#size++] = SPACE;
    if (needsQuotes(bytes, start, end)) this.#quote(bytes, start, end);
    else {
      copyBytes(bytes, start, this.#text, this.#size, end - start);
      this.#size += end - start;
    }
    return this;
  }

  #quote(bytes: ReadonlyBytes, start: number, end: number): void {
    const text = this.#text;
    text[this.#size++] = QUOTE;
    for (let i = start; i < end; i++) {
      const byte = bytes[i];
      if (isPlain(byte) && byte !== QUOTE && byte !== BACKSLASH) text[this.#size++] = byte;
      else this.#size += text.write(ESCAPES[byte] as string, this.#size, "latin1");
    }
    text[this.#size++] = QUOTE;
  }

  #reserve(bytes: number): void {
    if (this.#size + bytes <= this.#text.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#size + bytes));
    this.#text.copy(larger, 0, 0, this.#size);
    this.#text = larger;
  }

  /** The text in one piece, for a place where lines may be long; a new one begins. */
  take(): Buffer {
    const text = Buffer.from(this.#text.subarray(0, this.#size));
    this.#clear();
    return text;
  }

  /** Writes the lines; a new text begins. */
  writeTo(writer: CommandWriter): void {
    let front = DO;
    // A full line is not the last one, so an empty one may have to follow.
    for (let at = 0; at <= this.#size; ) {
      const room = LONGEST_LINE - front.length - LINE_END.length;
      writer.encoded(front, 0, front.length);
      writer.encoded(this.#text, at, Math.min(at + room, this.#size));
      writer.encoded(LINE_END, 0, LINE_END.length);
      at += room;
      front = AND;
    }
    this.#clear();
  }

  #clear(): void {
    this.#size = 0;
    if (this.#text.length > MAX_KEPT_TEXT) this.#text = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  }
}

function needsQuotes(bytes: ReadonlyBytes, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte <= SPACE || byte > TILDE || isQuoting(byte)) return true;
  }
  return start === end;
}

function isQuoting(byte: number): boolean {
  return byte === QUOTE || byte === APOSTROPHE || byte === BACKSLASH;
}

/** By byte. */
const ESCAPES: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const short = '\n\r\t\b\x07"\\'.indexOf(String.fromCharCode(byte));
  return short < 0 ? `\\x${byte.toString(16).padStart(2, "0")}` : `\\${'nrtba"\\'[short]}`;
});

// ---- reading ----

export function isAnnotation(byte: number): boolean {
  return byte === HASH;
}

/** What a line says. */
export type AnnotationKind =
  | "document"
  | "time"
  | "command"
  | "stream"
  | "passed"
  | "beside"
  | "damaged"
  | DeletionCause;

/** Reads a line, or the lines of one command. */
export class AnnotationReader {
  /** Where what was read ends: of `passed` the bytes behind the line, too. */
  end = 0;
  /** Of the line that was read last: where it ends, without CR and LF, and whether a word in it may be quoted. */
  #lineEnd = 0;
  #isQuoting = false;

  /** Reads what begins at `at`, where a # stands. Of a command the words are in `args` then. */
  read(bytes: Buffer, at: number, limit: number, args: Arguments): AnnotationKind {
    if (!this.#readLine(bytes, at, limit)) return "damaged";
    const lineEnd = this.#lineEnd;
    if (begins(bytes, at, lineEnd, DO)) {
      return this.#readCommand(bytes, at + DO.length, limit, args) ? "command" : "damaged";
    }
    if (begins(bytes, at, lineEnd, DOCUMENT)) {
      return lineEnd - at === DOCUMENT.length ? "document" : "damaged";
    }
    for (const [cause, line] of CAUSES) {
      if (lineEnd - at === line.length && begins(bytes, at, lineEnd, line)) return cause;
    }
    const isTime = begins(bytes, at, lineEnd, TIME) && areDigits(bytes, at + TIME.length, lineEnd);
    return isTime ? "time" : this.#readStream(bytes, at, limit);
  }

  /** The lines of a record of the stream, which is as long as it says. */
  #readStream(bytes: Buffer, at: number, limit: number): AnnotationKind {
    const lineEnd = this.#lineEnd;
    if (begins(bytes, at, lineEnd, BESIDE) && lineEnd - at === BESIDE.length) return "beside";
    const isPassed = begins(bytes, at, lineEnd, PASSED);
    if (!isPassed && !begins(bytes, at, lineEnd, STREAM)) return "damaged";
    const digits = at + STREAM.length;
    const size = areDigits(bytes, digits, lineEnd)
      ? Number(bytes.toString("latin1", digits, lineEnd))
      : Number.NaN;
    if (this.end + size !== limit) return "damaged";
    if (isPassed) this.end = limit;
    return isPassed ? "passed" : "stream";
  }

  /** The text that begins at `at`, of all its lines together, without their fronts but the first; null: it is damaged. */
  text(bytes: Buffer, at: number, limit: number): Buffer | null {
    if (!this.#readLine(bytes, at, limit)) return null;
    if (!begins(bytes, at, this.#lineEnd, DO)) return bytes.subarray(at, this.#lineEnd);
    return this.#joinLines(bytes, at, at, limit);
  }

  /** The words of `text`, which is that of a PING; "time": it says nothing. */
  readText(text: Buffer, args: Arguments): AnnotationKind {
    if (begins(text, 0, text.length, DO)) {
      const words = splitWords(text, DO.length, text.length);
      if (words === null || words.length === 0) return "damaged";
      args.assign(words);
      return "command";
    }
    if (text.equals(DOCUMENT)) return "document";
    for (const [cause, line] of CAUSES) if (text.equals(line)) return cause;
    return "time";
  }

  /** The text of a command begins at `from`, in the line that was read last. */
  #readCommand(bytes: Buffer, from: number, limit: number, args: Arguments): boolean {
    const isFull = this.end - from + DO.length === LONGEST_LINE;
    if (!isFull && !this.#isQuoting) return takePlainWords(bytes, from, this.#lineEnd, args);
    const text = this.#joinLines(bytes, from - DO.length, from, limit);
    const words = text === null ? null : splitWords(text, 0, text.length);
    if (words === null || words.length === 0) return false;
    args.assign(words);
    return true;
  }

  /** The first line, which begins at `at` and was read, from `from` on, and those that go on with it. */
  #joinLines(bytes: Buffer, at: number, from: number, limit: number): Buffer | null {
    const parts = [bytes.subarray(from, this.#lineEnd)];
    for (let goesOn = this.end - at === LONGEST_LINE; goesOn; ) {
      const next = this.end;
      const isNext = this.#readLine(bytes, next, limit) && begins(bytes, next, this.#lineEnd, AND);
      if (!isNext) return null;
      parts.push(bytes.subarray(next + AND.length, this.#lineEnd));
      goesOn = this.end - next === LONGEST_LINE;
    }
    return Buffer.concat(parts);
  }

  /** False: it is too long, has no end, or has anything in it that is never written. */
  #readLine(bytes: Buffer, at: number, limit: number): boolean {
    const last = Math.min(limit, at + LONGEST_LINE);
    this.#isQuoting = false;
    let end = at;
    while (end < last && isPlain(bytes[end] as number)) {
      if (isQuoting(bytes[end] as number)) this.#isQuoting = true;
      end++;
    }
    this.#lineEnd = end;
    this.end = end + LINE_END.length;
    return this.end <= last && bytes[end] === CR && bytes[end + 1] === LF;
  }
}

/** Words with nothing quoted, between single spaces, stay where they are. */
function takePlainWords(bytes: Buffer, from: number, end: number, args: Arguments): boolean {
  let count = 0;
  args.buffer = bytes;
  args.rawStart = -1;
  for (let at = from; at <= end; at++) {
    let wordEnd = at;
    while (wordEnd < end && bytes[wordEnd] !== SPACE) wordEnd++;
    if (wordEnd === at) return false;
    args.reserve(count + 1);
    args.start[count] = at;
    args.end[count] = wordEnd;
    count++;
    at = wordEnd;
  }
  args.count = count;
  return true;
}

function isPlain(byte: number): boolean {
  return byte >= SPACE && byte <= TILDE;
}

function begins(bytes: Buffer, at: number, end: number, text: Buffer): boolean {
  return end - at >= text.length && sameBytes(bytes, at, text, 0, text.length);
}

function areDigits(bytes: Buffer, from: number, end: number): boolean {
  for (let i = from; i < end; i++) {
    if ((bytes[i] as number) < DIGIT_0 || (bytes[i] as number) > DIGIT_9) return false;
  }
  return from < end;
}
