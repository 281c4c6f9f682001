/**
 * Numbers in strings and in JSON: INCR and its kin. The number is kept as its decimal text, so GET answers it as it is,
 * and a JSON number stays one. Plain arithmetic while both numbers are exact in a double; beyond 2^53 by BigInt, up to
 * Redis's 64 bits; floats in the 80 bits of long-double.ts.
 *
 * Record: INCRBYFLOAT becomes the SET of its result; integers are added again.
 */
import type { Session } from "../session/session.ts";
import { type Arena, CHUNK_SHIFT, UNIT_MASK } from "../store/arena.ts";
import { KEEP_DEADLINE } from "../store/database.ts";
import { FLOAT, JSON_TEXT, STRING, typeOf, valueAt, valueWord } from "../store/entry.ts";
import { integerLength, parseInt64, parseInteger, writeInteger } from "../store/number-text.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAFloat, notAnInteger, wrongType } from "./command-error.ts";
import { writeDocument } from "./document-value.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import {
  addLongDouble,
  formatLongDouble,
  type LongDouble,
  parseLongDouble,
} from "./long-double.ts";
import type { Reply } from "./reply.ts";
import { recordValue, SET, VALUE_SET } from "./string-effects.ts";
import { bytesOf, storeBytes } from "./string-value.ts";

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const MINUS = 45;
const DIGIT_0 = 48;
const DIGIT_9 = 57;

/** What a float that was computed is kept as: Redis never answers int for its encoding. */
const FLOAT_STRING = STRING | (FLOAT << 4);

/** The type of an entry that may hold a number: a string, or a JSON number; throws WRONGTYPE for others. */
function numberType(arena: Arena, entry: number): number {
  const type = typeOf(arena, entry);
  if (type === STRING) return STRING;
  if (type !== JSON_TEXT) throw wrongType();
  const first = bytesOf(arena, entry)[valueAt(arena, entry)];
  if (first !== MINUS && (first < DIGIT_0 || first > DIGIT_9)) throw wrongType();
  return JSON_TEXT;
}

/** Adds a safe integer. */
function addInteger(session: Session, args: Arguments, by: number, reply: Reply): void {
  const database = session.database;
  const arena = database.arena;
  const entry = database.find(args.buffer, args.start[1], args.end[1]);
  let value = by;
  let kind = STRING;
  if (entry !== 0) {
    kind = numberType(arena, entry);
    const at = database.valueStart;
    const bytes = arena.bytes[entry >>> CHUNK_SHIFT] as Buffer;
    const old = parseInteger(bytes, at, at + valueWord(arena, entry));
    value += old;
    // Nearly all are small; the general question costs a call.
    if ((value | 0) === value && (old | 0) === old && kind === STRING) {
      storeInteger(session, args, entry, value | 0);
      tellKey(session, keyEvents.incrby, args);
      reply.integer(value | 0);
      return;
    }
    if (!Number.isSafeInteger(value) || !Number.isSafeInteger(old)) {
      addExactly(session, args, entry, BigInt(by), reply);
      return;
    }
  }
  if (kind === STRING) storeInteger(session, args, entry, value);
  else storeNumber(session, args, entry, kind, Buffer.from(String(value)));
  tellKey(session, keyEvents.incrby, args);
  reply.integer(value);
}

/** Stores a safe integer as its digits, a string, under argument 1, whose look-up answered `entry`. */
function storeInteger(session: Session, args: Arguments, entry: number, value: number): void {
  const database = session.database;
  const size = integerLength(value);
  const start = args.start[1];
  const end = args.end[1];
  const target = database.put(entry, args.buffer, start, end, STRING, size, KEEP_DEADLINE);
  const at = database.valueStart;
  const units = (at - ((target & UNIT_MASK) << 3) + size + 7) >>> 3;
  writeInteger(database.arena.edit(target, units), at, value);
}

/** Stores a number as text: a string, or a document, of `kind` (type and encoding). */
function storeNumber(
  session: Session,
  args: Arguments,
  entry: number,
  kind: number,
  bytes: Buffer,
): void {
  const text = { bytes, start: 0, end: bytes.length };
  if (kind === JSON_TEXT) writeDocument(session, args, 1, entry, text, KEEP_DEADLINE);
  else storeBytes(session, args, 1, entry, { ...text, kind, deadlineMs: KEEP_DEADLINE });
}

/** Adds where doubles are not exact, or the old value is no integer at all. */
function addExactly(
  session: Session,
  args: Arguments,
  entry: number,
  by: bigint,
  reply: Reply,
): void {
  const { arena } = session.database;
  let old: bigint | null = 0n;
  let kind = STRING;
  if (entry !== 0) {
    kind = numberType(arena, entry);
    const at = valueAt(arena, entry);
    old = parseInt64(bytesOf(arena, entry), at, at + valueWord(arena, entry));
  }
  if (old === null) throw notAnInteger();
  const sum = old + by;
  if (sum > INT64_MAX || sum < INT64_MIN) {
    throw new CommandError("ERR", "increment or decrement would overflow");
  }
  storeNumber(session, args, entry, kind, Buffer.from(String(sum)));
  tellKey(session, keyEvents.incrby, args);
  reply.integer(sum);
}

/** INCRBY and DECRBY: `sign` times argument 2. */
function addArgument(sign: 1 | -1) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const by = args.integer(2);
    if (Number.isNaN(by)) throw notAnInteger();
    if (Number.isSafeInteger(by)) {
      addInteger(session, args, sign > 0 ? by : 0 - by, reply);
      return;
    }
    const exact = args.int64(2) as bigint;
    if (sign < 0 && exact === INT64_MIN) {
      throw new CommandError("ERR", "decrement would overflow");
    }
    const entry = session.database.find(args.buffer, args.start[1], args.end[1]);
    addExactly(session, args, entry, BigInt(sign) * exact, reply);
  };
}

function incrbyfloat(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const entry = database.find(args.buffer, args.start[1], args.end[1]);
  const type = entry === 0 ? STRING : numberType(database.arena, entry);
  const old = entry === 0 ? "0" : textOf(database.arena, entry);
  const sum = addLongDouble(requireFloat(old), requireFloat(args.latin(2)));
  if (sum.kind !== "finite") {
    throw new CommandError("ERR", "increment would produce NaN or Infinity");
  }
  const bytes = Buffer.from(formatLongDouble(sum));
  const kind = type === STRING ? FLOAT_STRING : JSON_TEXT;
  storeNumber(session, args, entry, kind, bytes);
  tellKey(session, keyEvents.incrbyfloat, args);
  const command = type === STRING ? SET : VALUE_SET;
  recordValue(session, args, command, KEEP_DEADLINE, bytes, 0, bytes.length);
  reply.bulk(bytes, 0, bytes.length);
}

/** Of a longer text it is known that it is no number that Redis reads. */
const LONGEST_FLOAT_TEXT = 5 * 1024;

function textOf(arena: Arena, entry: number): string {
  const at = valueAt(arena, entry);
  const size = Math.min(valueWord(arena, entry), LONGEST_FLOAT_TEXT);
  return bytesOf(arena, entry).toString("latin1", at, at + size);
}

function requireFloat(text: string): LongDouble {
  const value = parseLongDouble(text);
  if (value === null) throw notAFloat();
  return value;
}

/** What all commands of this file have in common. */
const COUNTER = {
  flags: ["write", "denyoom", "fast"],
  group: "string",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;

export const counterCommands: readonly Command[] = [
  {
    ...COUNTER,
    name: "INCR",
    arity: 2,
    since: "1.0.0",
    summary: "Increments the integer value of a key by one.",
    syntax: "key",
    run: (session, args, reply) => addInteger(session, args, 1, reply),
  },
  {
    ...COUNTER,
    name: "DECR",
    arity: 2,
    since: "1.0.0",
    summary: "Decrements the integer value of a key by one.",
    syntax: "key",
    run: (session, args, reply) => addInteger(session, args, -1, reply),
  },
  {
    ...COUNTER,
    name: "INCRBY",
    arity: 3,
    since: "1.0.0",
    summary: "Increments the integer value of a key by a number.",
    syntax: "key increment",
    run: addArgument(1),
  },
  {
    ...COUNTER,
    name: "DECRBY",
    arity: 3,
    since: "1.0.0",
    summary: "Decrements the integer value of a key by a number.",
    syntax: "key decrement",
    run: addArgument(-1),
  },
  {
    ...COUNTER,
    name: "INCRBYFLOAT",
    arity: 3,
    since: "2.6.0",
    summary: "Increments the number of a key by a floating point number.",
    syntax: "key increment",
    run: incrbyfloat,
  },
];
