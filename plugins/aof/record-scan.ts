/**
 * Finds the records in the text of an AOF: what one command, one transaction or one line of kvdb's
 * own is, and where it ends. It runs nothing and copies nothing.
 *
 *   record   #kvdb-json line, then a command      a document: Redis takes it for a string
 *            #kvdb-expired or -evicted, the same  a deletion that no client asked for
 *            a command                            *3 $3 SET $1 k $1 v, as RESP arrays
 *            #kvdb-do line, then #kvdb-and lines  a command that Redis does not know
 *            #kvdb-stream <n> line, or -passed,   a stretch of the stream of replication, with whatever
 *            then n bytes of commands             stands in it: SELECT, MULTI, PING with a text
 *            MULTI, then any of these, then EXEC  several of them, whole or not at all
 *   between  SELECT                               the database of the records that follow
 *            #TS:<seconds>                        Redis's annotation: when they were made
 *            #kvdb-at <ms>, #kvdb-ms <ms>         kvdb's: a batch's time, a record's offset from it
 *            # …                                  whatever else: skipped
 *
 * The payload of a record is what stands between MULTI and EXEC, or the whole of it: that is what
 * the journal had made, byte for byte.
 */
import { beginsWith, MAX_LINE_BYTES } from "./group-line.ts";

/** Arguments of one command, and bytes of one: Redis's own bounds. */
const MAX_ARGUMENTS = 1024 * 1024;
const MAX_ARGUMENT_BYTES = 512 * 1024 * 1024;

/** Each is the first part of the command behind it. */
const FRONT_LINES = ["#kvdb-json\r\n", "#kvdb-expired\r\n", "#kvdb-evicted\r\n"].map((text) =>
  Buffer.from(text),
);
/** The record is so many bytes longer as the line says. */
const STREAM_LINES = ["#kvdb-stream ", "#kvdb-passed "].map((text) => Buffer.from(text));
export const DO_LINE = Buffer.from("#kvdb-do ");
export const AND_LINE = Buffer.from("#kvdb-and ");
const AT_LINE = Buffer.from("#kvdb-at ");
const OFFSET_LINE = Buffer.from("#kvdb-ms ");
const STAMP_LINE = Buffer.from("#TS:");
/** Of the frame of groups, and so in the middle of text a sign that something is wrong. */
const FRAME_LINES = ["#kvdb-file ", "#kvdb-group ", "#kvdb-part ", "#kvdb-end "].map((text) =>
  Buffer.from(text),
);

/**
 * `end`: the text ends here, between two records. `incomplete`: it ends within one, or within a
 * line. `malformed`: no AOF has such bytes, whatever may follow.
 */
export type Scanned = "record" | "end" | "incomplete" | "malformed";

export class RecordScan {
  /** Of the record found last: its payload is [payloadStart, payloadEnd). */
  payloadStart = 0;
  payloadEnd = 0;
  /** It, or what was skipped, begins here; the next one is looked for at `next`. */
  start = 0;
  next = 0;
  /** The database before it. */
  database: number;
  /** When its batch began, milliseconds since 1970, and how much later it was made. */
  timeMs: number;
  offsetMs = 0;
  /** What is wrong, when something is malformed. */
  problem = "";
  /** A database was selected within the record, which holds from then on. */
  #selected = -1;
  readonly #command = new CommandScan();

  readonly #heedsStamps: boolean;

  /** `heedsStamps`: nothing else says when a record was made, as in what Redis has written. */
  constructor(database: number, timeMs: number, heedsStamps: boolean) {
    this.database = database;
    this.timeMs = timeMs;
    this.#heedsStamps = heedsStamps;
  }

  /** Whether the record found last is one command with this name, given in capitals. */
  isNamed(bytes: Buffer, name: Buffer): boolean {
    if (bytes[this.payloadStart] !== STAR) return false;
    const command = this.#command;
    // A transaction has set the command to its EXEC.
    return command.end === this.payloadEnd && command.hasName(bytes, name);
  }

  /** Looks for the next record in bytes[at, end). */
  scan(bytes: Buffer, at: number, end: number): Scanned {
    if (this.#selected >= 0) this.database = this.#selected;
    this.#selected = -1;
    for (;;) {
      this.start = at;
      this.next = at;
      if (at === end) return "end";
      const outcome = this.#item(bytes, at, end);
      if (outcome !== "between") return outcome;
      at = this.next;
    }
  }

  #item(bytes: Buffer, at: number, end: number): Scanned | "between" {
    if (bytes[at] === HASH) return this.#line(bytes, at, end);
    const command = this.#command;
    const outcome = command.scan(bytes, at, end);
    if (outcome !== "command") return this.#fail(outcome, command.problem);
    if (command.is(bytes, MULTI, 1)) return this.#transaction(bytes, command.end, end);
    if (command.is(bytes, SELECT, 2)) {
      this.database = command.lastNumber(bytes);
      if (this.database < 0) return this.#fail("malformed", "SELECT of no database");
      this.next = command.end;
      return "between";
    }
    return this.#found(at, command.end, command.end);
  }

  #line(bytes: Buffer, at: number, end: number): Scanned | "between" {
    const lineEnd = endOfLine(bytes, at, end);
    if (lineEnd < 0) return this.#lineFailure(bytes, at, end);
    this.next = lineEnd;
    if (bytes[at + 1] === T && beginsWith(bytes, at, end, STAMP_LINE)) {
      if (!this.#heedsStamps) return "between";
      this.timeMs = numberIn(bytes, at + STAMP_LINE.length, lineEnd) * 1000;
      this.offsetMs = 0;
      return Number.isSafeInteger(this.timeMs) ? "between" : this.#badLine();
    }
    if (streamLineAt(bytes, at, end)) return this.#stretch(bytes, at, lineEnd, end);
    const front = FRONT_LINES.find((line) => beginsWith(bytes, at, end, line));
    if (front !== undefined) return this.#behind(front, bytes, at, end);
    if (beginsWith(bytes, at, end, DO_LINE)) {
      const next = endOfDo(bytes, lineEnd, end);
      return next < 0 ? this.#lineFailure(bytes, lineEnd, end) : this.#found(at, next, next);
    }
    if (beginsWith(bytes, at, end, AT_LINE)) {
      this.timeMs = numberIn(bytes, at + AT_LINE.length, lineEnd);
      this.offsetMs = 0;
      return Number.isNaN(this.timeMs) ? this.#badLine() : "between";
    }
    if (beginsWith(bytes, at, end, OFFSET_LINE)) {
      this.offsetMs = numberIn(bytes, at + OFFSET_LINE.length, lineEnd);
      return this.offsetMs >= 0 && this.offsetMs <= MAX_OFFSET_MS ? "between" : this.#badLine();
    }
    const isFrame = FRAME_LINES.some((frame) => beginsWith(bytes, at, end, frame));
    return isFrame ? this.#fail("malformed", "a line of kvdb's that is not intact") : "between";
  }

  /** The line is the first part of the command behind it. */
  #behind(line: Buffer, bytes: Buffer, at: number, end: number): Scanned {
    const command = this.#command;
    const outcome = command.scan(bytes, at + line.length, end);
    if (outcome !== "command") return this.#fail(outcome, command.problem);
    return this.#found(at, command.end, command.end);
  }

  /** The bytes behind the line at `at`, which ends at `from`: so many as it says, and whole commands. */
  #stretch(bytes: Buffer, at: number, from: number, end: number): Scanned {
    const stretchEnd = from + numberIn(bytes, bytes.indexOf(SPACE, at) + 1, from);
    if (!(stretchEnd > from)) return this.#badLine();
    if (stretchEnd > end) return "incomplete";
    const command = this.#command;
    for (let next = from; next < stretchEnd; next = command.end) {
      if (command.scan(bytes, next, stretchEnd) !== "command") {
        return this.#fail("malformed", "a stretch of the stream that is no commands");
      }
      if (command.is(bytes, SELECT, 2)) this.#selected = command.lastNumber(bytes);
    }
    return this.#found(at, stretchEnd, stretchEnd);
  }

  #transaction(bytes: Buffer, from: number, end: number): Scanned {
    const command = this.#command;
    for (let at = from; ; ) {
      if (at === end) return "incomplete";
      if (bytes[at] === HASH) {
        const lineEnd = endOfLine(bytes, at, end);
        if (lineEnd < 0) return this.#lineFailure(bytes, at, end);
        at = lineEnd;
        continue;
      }
      const outcome = command.scan(bytes, at, end);
      if (outcome !== "command") return this.#fail(outcome, command.problem);
      if (command.is(bytes, EXEC, 1)) return this.#found(from, at, command.end);
      if (command.is(bytes, MULTI, 1)) return this.#fail("malformed", "a MULTI within a MULTI");
      if (command.is(bytes, SELECT, 2)) this.#selected = command.lastNumber(bytes);
      at = command.end;
    }
  }

  #found(payloadStart: number, payloadEnd: number, next: number): Scanned {
    this.payloadStart = payloadStart;
    this.payloadEnd = payloadEnd;
    this.next = next;
    return "record";
  }

  #lineFailure(bytes: Buffer, at: number, end: number): Scanned {
    const isLong = end - at > MAX_LINE_BYTES && bytes.indexOf(0x0a, at) > at + MAX_LINE_BYTES;
    if (isLong || end - at > MAX_STRANGE_LINE_BYTES) return this.#fail("malformed", "a long line");
    return "incomplete";
  }

  #badLine(): Scanned {
    return this.#fail("malformed", "a line without the number that it should have");
  }

  #fail(outcome: "incomplete" | "malformed", problem: string): Scanned {
    this.problem = problem;
    return outcome;
  }
}

/** The largest that the frame of a record has room for. */
const MAX_OFFSET_MS = 0xffff;
/** A line that somebody wrote by hand may be somewhat longer than Redis would read it. */
const MAX_STRANGE_LINE_BYTES = 4096;

const STAR = 0x2a;
const DOLLAR = 0x24;
const HASH = 0x23;
const CR = 0x0d;
const LF = 0x0a;
const T = 0x54;
const SPACE = 0x20;

const MULTI = Buffer.from("MULTI");
const EXEC = Buffer.from("EXEC");
export const SELECT = Buffer.from("SELECT");

/** One RESP array of bulk strings, in the strict form in which Redis and kvdb write it. */
export class CommandScan {
  end = 0;
  problem = "";
  #count = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #lastStart = 0;
  #lastEnd = 0;
  /** Behind the number that was read last. */
  #at = 0;

  /** Of bytes[at, limit). */
  scan(bytes: Buffer, at: number, limit: number): "command" | "incomplete" | "malformed" {
    const count = this.#number(bytes, at, limit, STAR);
    if (count < 0) return this.#outcome(count);
    if (count === 0 || count > MAX_ARGUMENTS) return this.#wrong(`${count} arguments`);
    this.#count = count;
    for (let i = 0; i < count; i++) {
      const size = this.#number(bytes, this.#at, limit, DOLLAR);
      if (size < 0) return this.#outcome(size);
      if (size > MAX_ARGUMENT_BYTES) return this.#wrong(`an argument of ${size} bytes`);
      const start = this.#at;
      const end = start + size;
      if (end + 2 > limit) return "incomplete";
      if (bytes[end] !== CR || bytes[end + 1] !== LF)
        return this.#wrong("a string without its end");
      if (i === 0) {
        this.#nameStart = start;
        this.#nameEnd = end;
      }
      this.#lastStart = start;
      this.#lastEnd = end;
      this.#at = end + 2;
    }
    this.end = this.#at;
    return "command";
  }

  /** Whether the command found last has this name, given in capitals, and so many words. */
  is(bytes: Buffer, name: Buffer, count: number): boolean {
    return this.#count === count && this.hasName(bytes, name);
  }

  hasName(bytes: Buffer, name: Buffer): boolean {
    if (this.#nameEnd - this.#nameStart !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if ((bytes[this.#nameStart + i] & 0xdf) !== name[i]) return false;
    }
    return true;
  }

  /** The last word as a whole number; -1: it is none. */
  lastNumber(bytes: Buffer): number {
    const text = bytes.toString("latin1", this.#lastStart, this.#lastEnd);
    return /^\d{1,5}$/.test(text) ? Number(text) : -1;
  }

  /** `<sign><digits>\r\n` at `at`; INCOMPLETE or MALFORMED. */
  #number(bytes: Buffer, at: number, limit: number, sign: number): number {
    if (at >= limit) return INCOMPLETE;
    if (bytes[at] !== sign) return this.#unexpected(bytes[at]);
    let value = 0;
    let digits = 0;
    for (let i = at + 1; i < limit; i++) {
      const digit = bytes[i] - 0x30;
      if (digit >= 0 && digit <= 9) {
        value = value * 10 + digit;
        if (++digits > MAX_DIGITS) break;
        continue;
      }
      if (digits === 0 || bytes[i] !== CR) break;
      if (i + 1 >= limit) return INCOMPLETE;
      if (bytes[i + 1] !== LF) break;
      this.#at = i + 2;
      return value;
    }
    if (digits <= MAX_DIGITS && at + 1 + digits >= limit) return INCOMPLETE;
    this.problem = "a length that is no number";
    return MALFORMED;
  }

  #unexpected(byte: number): number {
    this.problem = `the byte 0x${byte.toString(16).padStart(2, "0")} where a command should begin`;
    return MALFORMED;
  }

  #outcome(failure: number): "incomplete" | "malformed" {
    return failure === INCOMPLETE ? "incomplete" : "malformed";
  }

  #wrong(problem: string): "malformed" {
    this.problem = problem;
    return "malformed";
  }
}

const INCOMPLETE = -1;
const MALFORMED = -2;
const MAX_DIGITS = 10;

export function streamLineAt(bytes: Buffer, at: number, end: number): boolean {
  return STREAM_LINES.some((line) => beginsWith(bytes, at, end, line));
}

/** Behind the end of the line at `at`; -1: it does not end in time. */
function endOfLine(bytes: Buffer, at: number, end: number): number {
  const limit = Math.min(end, at + MAX_STRANGE_LINE_BYTES);
  for (let i = at; i < limit; i++) if (bytes[i] === LF) return i + 1;
  return -1;
}

/** Behind the lines that go on with a `#kvdb-do`; -1: the last one does not end. */
function endOfDo(bytes: Buffer, at: number, end: number): number {
  while (at < end && beginsWith(bytes, at, end, AND_LINE)) {
    const next = endOfLine(bytes, at, end);
    if (next < 0) return -1;
    at = next;
  }
  return at;
}

/** The number that a line ends with; NaN: none. */
function numberIn(bytes: Buffer, start: number, lineEnd: number): number {
  const text = bytes.toString("latin1", start, lineEnd).trimEnd();
  return text === "" ? Number.NaN : Number(text);
}
