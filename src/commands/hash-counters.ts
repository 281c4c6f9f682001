/**
 * Numbers in fields of hashes: HINCRBY in 64 bits, by plain arithmetic while that is exact; HINCRBYFLOAT in the 80 bits of
 * long-double.ts. A field keeps its deadline.
 *
 * Record: HINCRBYFLOAT becomes the HSET of its result, or HSETEX … KEEPTTL for a field with a deadline; integers are added
 * again.
 */
import type { Session } from "../session/session.ts";
import { parseInt64, parseInteger, writeInteger } from "../store/number-text.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAFloat, notAnInteger } from "./command-error.ts";
import { beginRecord, findHash, hasField, hashesOf } from "./hash-value.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import { addLongDouble, formatLongDouble, parseLongDouble } from "./long-double.ts";
import type { Reply } from "./reply.ts";

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** Of a longer text it is known that it is no number that Redis reads. */
const LONGEST_FLOAT_TEXT = 5 * 1024;

const digits = Buffer.alloc(32);

function hincrby(session: Session, args: Arguments, reply: Reply): void {
  const by = args.integer(3);
  if (Number.isNaN(by)) throw notAnInteger();
  const entry = findHash(session, args);
  const hashes = hashesOf(session);
  const has = hasField(session, args, entry, 2);
  const { bytes, valueStart, valueEnd } = hashes.field;
  const old = has ? parseInteger(bytes, valueStart, valueEnd) : 0;
  if (Number.isNaN(old)) throw new CommandError("ERR", "hash value is not an integer");
  const sum = old + by;
  if (Number.isSafeInteger(by) && Number.isSafeInteger(old) && Number.isSafeInteger(sum)) {
    storeNumber(session, args, entry, digits, writeInteger(digits, 0, sum));
    tellKey(session, keyEvents.hincrby, args);
    reply.integer(sum);
    return;
  }
  const exact = (has ? (parseInt64(bytes, valueStart, valueEnd) as bigint) : 0n) + exactBy(args);
  if (exact > INT64_MAX || exact < INT64_MIN) {
    throw new CommandError("ERR", "increment or decrement would overflow");
  }
  const text = Buffer.from(String(exact));
  storeNumber(session, args, entry, text, text.length);
  tellKey(session, keyEvents.hincrby, args);
  reply.integer(exact);
}

function exactBy(args: Arguments): bigint {
  return args.int64(3) as bigint;
}

/** Stores text[0, size) under the field in argument 2; `entry` 0: the hash is new. Answers the entry. */
function storeNumber(
  session: Session,
  args: Arguments,
  entry: number,
  text: Buffer,
  size: number,
): number {
  const { database } = session;
  const { hashes } = database.keyspace.collections;
  const { buffer, start, end } = args;
  const target = entry === 0 ? hashes.create(database, buffer, start[1], end[1]) : entry;
  return hashes.set(database, target, buffer, start[2], end[2], text, 0, size, true);
}

function hincrbyfloat(session: Session, args: Arguments, reply: Reply): void {
  const by = parseLongDouble(args.latin(3));
  if (by === null) throw notAFloat();
  if (by.kind !== "finite") throw new CommandError("ERR", "value is NaN or Infinity");
  const entry = findHash(session, args);
  const { field } = hashesOf(session);
  const has = hasField(session, args, entry, 2);
  const deadlineMs = has ? field.deadlineMs : 0;
  const { bytes, valueStart, valueEnd } = field;
  const textEnd = Math.min(valueEnd, valueStart + LONGEST_FLOAT_TEXT);
  const old = parseLongDouble(has ? bytes.toString("latin1", valueStart, textEnd) : "0");
  if (old === null) throw new CommandError("ERR", "hash value is not a float");
  const sum = addLongDouble(old, by);
  if (sum.kind !== "finite") {
    throw new CommandError("ERR", "increment would produce NaN or Infinity");
  }
  const text = Buffer.from(formatLongDouble(sum));
  storeNumber(session, args, entry, text, text.length);
  tellKey(session, keyEvents.hincrbyfloat, args);
  recordNumber(session, args, text, deadlineMs !== 0);
  reply.bulk(text, 0, text.length);
}

const HSET = Buffer.from("HSET");
const HSETEX = Buffer.from("HSETEX");
const KEEPTTL = Buffer.from("KEEPTTL");
const FIELDS = Buffer.from("FIELDS");

function recordNumber(session: Session, args: Arguments, text: Buffer, isTimed: boolean): void {
  const { effects } = session.server;
  if (isTimed) {
    beginRecord(session, args, HSETEX, 7);
    effects.bytes(KEEPTTL, 0, KEEPTTL.length);
    effects.bytes(FIELDS, 0, FIELDS.length);
    effects.integer(1);
  } else beginRecord(session, args, HSET, 4);
  effects.bytes(args.buffer, args.start[2], args.end[2]);
  effects.bytes(text, 0, text.length);
}

/** What both commands have in common. */
const HASH_COUNTER = {
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  group: "hash",
  keys: [1, 1, 1],
  syntax: "key field increment",
} as const satisfies Partial<Command>;

export const hashCounterCommands: readonly Command[] = [
  {
    ...HASH_COUNTER,
    name: "HINCRBY",
    since: "2.0.0",
    summary: "Increments the integer in a field of a hash by a number.",
    run: hincrby,
  },
  {
    ...HASH_COUNTER,
    name: "HINCRBYFLOAT",
    since: "2.6.0",
    summary: "Increments the number in a field of a hash by a floating point number.",
    run: hincrbyfloat,
  },
];
