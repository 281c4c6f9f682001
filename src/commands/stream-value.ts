/**
 * How commands reach the stream under a key, and what they have in common about IDs and entries. The commands are in
 * streams.ts, stream-ranges.ts, stream-reading.ts, stream-groups.ts, stream-pending.ts, stream-info.ts.
 *
 * An ID is `ms-seq`, or `ms` alone; each part is read as leniently as Redis reads it (strtoull): spaces and a plus in front,
 * leading zeros.
 */
import type { Session } from "../session/session.ts";
import { STREAM, typeOf, valueWord } from "../store/entry.ts";
import { nearestInt64, parseInteger, writeInteger } from "../store/number-text.ts";
import { afterString, contentAt } from "../store/packed-run.ts";
import type { StreamCursor } from "../store/stream-cursor.ts";
import { type StreamId, wordsNumber } from "../store/stream-id.ts";
import type { Streams } from "../store/streams.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, notAnInteger, wrongType } from "./command-error.ts";
import type { Reply } from "./reply.ts";

export function streamsOf(session: Session): Streams {
  return session.database.keyspace.collections.streams;
}

/** The entry of the stream under argument `key`, to change it; 0: none. */
export function findStream(session: Session, args: Arguments, key: number): number {
  const entry = session.database.find(args.buffer, args.start[key], args.end[key]);
  return requireStream(session, entry);
}

/** The same for commands that only read: counts a hit or a miss. */
export function readStream(session: Session, args: Arguments, key: number): number {
  const entry = session.database.read(args.buffer, args.start[key], args.end[key]);
  return requireStream(session, entry);
}

/** Throws WRONGTYPE unless there is no entry or it is a stream. */
export function requireStream(session: Session, entry: number): number {
  if (entry !== 0 && typeOf(session.database.arena, entry) !== STREAM) throw wrongType();
  return entry;
}

/** The address by which the store knows the stream of the entry. */
export function rootOf(session: Session, entry: number): number {
  return valueWord(session.database.arena, entry);
}

/** Wakes who waits for entries of the stream under argument `key`. */
export function signalStream(session: Session, args: Arguments, key: number): void {
  const { database } = session;
  database.keyspace.signal(database, args.buffer, args.start[key], args.end[key]);
}

/** A 64-bit integer, NaN never: throws when it is none. Beyond 2^53 it is the nearest double. */
export function integerAt(args: Arguments, index: number): number {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw notAnInteger();
  return value;
}

// ---- reading IDs ----

const ZERO = 48;
const DASH = 45;
const STAR = 42;
const PLUS = 43;
const OPEN = 40;
/** Redis copies an ID into a buffer of 128 bytes. */
const MAX_ID_BYTES = 127;
const LENIENT = /^[ \t-\r]*([+-]?)(\d+)$/;
const MAX_UINT64 = 2n ** 64n - 1n;

export const invalidId = () =>
  new CommandError("ERR", "Invalid stream ID specified as stream command argument");

/** What stands for the sequence where none is given. */
export const FIRST = 0;
export const LAST = -1;
export type MissingSequence = typeof FIRST | typeof LAST;

let high = 0;
let low = 0;

/** Reads an unsigned number of 64 bits into `high` and `low`; false: it is none. */
function readPart(args: Arguments, start: number, end: number): boolean {
  const value = parseInteger(args.buffer, start, end);
  if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
    high = Math.floor(value / 2 ** 32) | 0;
    low = value | 0;
    return true;
  }
  return value < 0 ? false : readLenient(args.buffer.toString("latin1", start, end));
}

/** As strtoull does: a minus means the distance from 2^64, although string2ll has refused a plain one before. */
function readLenient(text: string): boolean {
  const zero = text.indexOf("\0");
  const [, sign, digits] = LENIENT.exec(zero < 0 ? text : text.slice(0, zero)) ?? [];
  if (digits === undefined) return false;
  const magnitude = BigInt(digits);
  if (magnitude > MAX_UINT64) return false;
  const value = BigInt.asUintN(64, sign === "-" ? -magnitude : magnitude);
  high = Number(value >> 32n) | 0;
  low = Number(value & 0xffffffffn) | 0;
  return true;
}

/** The sequence was `*`: it is to be chosen. */
let isOpenSequence = false;

function readIdBetween(
  args: Arguments,
  start: number,
  end: number,
  missing: MissingSequence,
  into: StreamId,
): boolean {
  isOpenSequence = false;
  if (end - start > MAX_ID_BYTES) return false;
  const { buffer } = args;
  let dash = start;
  while (dash < end && buffer[dash] !== DASH) dash++;
  if (!readPart(args, start, dash)) return false;
  into.msHigh = high;
  into.msLow = low;
  into.seqHigh = missing;
  into.seqLow = missing;
  if (dash === end) return true;
  if (end - dash === 2 && buffer[dash + 1] === STAR) {
    isOpenSequence = true;
    into.seqHigh = 0;
    into.seqLow = 0;
    return true;
  }
  if (!readPart(args, dash + 1, end)) return false;
  into.seqHigh = high;
  into.seqLow = low;
  return true;
}

/** Argument `index` as an ID; false: it is none. A sequence `*` is none either. */
export function tryId(args: Arguments, index: number, into: StreamId): boolean {
  return readIdBetween(args, args.start[index], args.end[index], FIRST, into) && !isOpenSequence;
}

/** Argument `index` as an ID; throws when it is none. */
export function readId(args: Arguments, index: number, into: StreamId): StreamId {
  if (!tryId(args, index, into)) throw invalidId();
  return into;
}

/** The ID of a new entry; true: its sequence is to be chosen. */
export function readNewId(args: Arguments, index: number, into: StreamId): boolean {
  if (!readIdBetween(args, args.start[index], args.end[index], FIRST, into)) throw invalidId();
  return isOpenSequence;
}

/** An ID, `-` for the least, `+` for the greatest. */
export function readBound(
  args: Arguments,
  index: number,
  missing: MissingSequence,
  into: StreamId,
): StreamId {
  const start = args.start[index];
  if (args.size(index) === 1 && args.buffer[start] === DASH) return into.setLeast();
  if (args.size(index) === 1 && args.buffer[start] === PLUS) return into.setGreatest();
  if (!readIdBetween(args, start, args.end[index], missing, into) || isOpenSequence) {
    throw invalidId();
  }
  return into;
}

/** The same, where `(` in front excludes the ID itself. */
function readExclusive(
  args: Arguments,
  index: number,
  missing: MissingSequence,
  into: StreamId,
): boolean {
  const start = args.start[index];
  if (args.size(index) < 2 || args.buffer[start] !== OPEN) {
    readBound(args, index, missing, into);
    return false;
  }
  const is = readIdBetween(args, start + 1, args.end[index], missing, into);
  if (!is || isOpenSequence) throw invalidId();
  return true;
}

/** The first ID of an interval. */
export function readStart(args: Arguments, index: number, into: StreamId): StreamId {
  if (readExclusive(args, index, FIRST, into) && !into.increment()) {
    throw new CommandError("ERR", "invalid start ID for the interval");
  }
  return into;
}

/** The last ID of an interval. */
export function readEnd(args: Arguments, index: number, into: StreamId): StreamId {
  if (readExclusive(args, index, LAST, into) && !into.decrement()) {
    throw new CommandError("ERR", "invalid end ID for the interval");
  }
  return into;
}

// ---- writing ----

const LONGEST_ID = 41;
const idText = Buffer.alloc(LONGEST_ID);
/** The milliseconds that `idText` begins with: IDs one behind the other often have the same. */
let shownHigh = 0;
let shownLow = 0;
let shownSize = 0;

/** Writes the ID as text into a buffer that is used again for the next one; answers its length. */
function formatId(id: StreamId): number {
  if (id.msLow !== shownLow || id.msHigh !== shownHigh || shownSize === 0) formatMs(id);
  const at = shownSize;
  idText[at] = DASH;
  return formatPart(id.seqHigh, id.seqLow, at + 1);
}

/** The last six digits of a moment differ from those of the one before, the others seldom. */
const MILLION = 1e6;
const MOST_DIGITS = 6;
let millions = -1;

function formatMs(id: StreamId): void {
  const ms = wordsNumber(id.msHigh, id.msLow);
  shownHigh = id.msHigh;
  shownLow = id.msLow;
  const rest = (ms - millions) | 0;
  if (millions > 0 && ms >= millions && ms < millions + MILLION) {
    let left = rest;
    for (let at = shownSize - 1; at >= shownSize - MOST_DIGITS; at--) {
      const next = (left / 10) | 0;
      idText[at] = ZERO + left - next * 10;
      left = next;
    }
    return;
  }
  millions = ms >= MILLION ? Math.floor(ms / MILLION) * MILLION : -1;
  shownSize = formatPart(id.msHigh, id.msLow, 0);
}

function formatPart(upper: number, lower: number, at: number): number {
  const number = wordsNumber(upper, lower);
  if (!Number.isNaN(number)) return writeInteger(idText, at, number);
  return at + idText.write(String((BigInt(upper >>> 0) << 32n) | BigInt(lower >>> 0)), at);
}

export function replyId(id: StreamId, reply: Reply): void {
  reply.bulk(idText, 0, formatId(id));
}

/** A count that a client may have set, up to 2^63 - 1: what no double holds exactly is shown as the nearest one. */
export function replyCount(count: number, reply: Reply): void {
  reply.integer(Number.isSafeInteger(count) ? count : nearestInt64(count));
}

/** As a part of the record. */
export function recordId(session: Session, id: StreamId): void {
  session.server.effects.bytes(idText, 0, formatId(id));
}

/** The entry that the cursor is at: its ID, and its fields with their values. */
export function replyEntry(cursor: StreamCursor, reply: Reply): void {
  const { entry } = cursor;
  cursor.open();
  reply.array(2);
  replyId(entry.id, reply);
  reply.array(2 * entry.fieldCount);
  const { bytes } = entry;
  for (let left = entry.fieldCount; left > 0; left--) {
    reply.bulk(bytes, contentAt(bytes, entry.fieldAt), afterString(bytes, entry.fieldAt));
    reply.bulk(bytes, contentAt(bytes, entry.valueAt), afterString(bytes, entry.valueAt));
    if (left > 1) entry.nextPair();
  }
}
