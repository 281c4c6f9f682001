/**
 * How commands reach the hash under argument 1, and what those that are about single fields write into their record. The
 * commands are in hash-fields.ts, hash-walks.ts, hash-random.ts, hash-counters.ts, hash-expiry.ts, hash-lifetimes.ts.
 */
import type { Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import { FLAG_FIELDS, flagsOf, HASH, typeOf } from "../store/entry.ts";
import type { HashField } from "../store/hash-field.ts";
import type { Hashes } from "../store/hashes.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, wrongType } from "./command-error.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";

export function hashesOf(session: Session): Hashes {
  return session.database.keyspace.collections.hashes;
}

/** The entry of the hash, to change it; 0: none. Fields whose time is over expire on the way. */
export function findHash(session: Session, args: Arguments): number {
  const { database } = session;
  const found = database.find(args.buffer, args.start[1], args.end[1]);
  const entry = liveHash(database, found, args.count);
  // Its last field has expired just now, and the table has closed the gap: where a new one goes is to be found again.
  return entry === 0 && found !== 0
    ? database.find(args.buffer, args.start[1], args.end[1])
    : entry;
}

/** The same for commands that only read: counts a hit or a miss. */
export function readHash(session: Session, args: Arguments): number {
  const { database } = session;
  return liveHash(database, database.read(args.buffer, args.start[1], args.end[1]));
}

/** `changed`: so many fields at most are set or removed next. */
function liveHash(database: Database, entry: number, changed = 0): number {
  if (entry === 0) return 0;
  if (typeOf(database.arena, entry) !== HASH) throw wrongType();
  if ((flagsOf(database.arena, entry) & FLAG_FIELDS) === 0) return entry;
  const { hashes } = database.keyspace.collections;
  const live = hashes.expireOver(database, entry);
  return changed === 0 || live === 0 ? live : hashes.expireRest(database, live, changed);
}

/** Whether the hash has the field in argument `index`; it is in `hashes.field` then. */
export function hasField(session: Session, args: Arguments, entry: number, index: number): boolean {
  if (entry === 0) return false;
  const { database } = session;
  const { hashes } = database.keyspace.collections;
  return hashes.find(database, entry, args.buffer, args.start[index], args.end[index]);
}

/** Gives the field in argument `index` the value in the one behind it. Answers the entry; 0 before: there is a new hash. */
export function setField(
  session: Session,
  args: Arguments,
  entry: number,
  index: number,
  keepsDeadline: boolean,
): number {
  const { database } = session;
  const { hashes } = database.keyspace.collections;
  const { buffer, start, end } = args;
  const value = index + 1;
  return hashes.set(
    database,
    entry === 0 ? hashes.create(database, buffer, start[1], end[1]) : entry,
    buffer,
    start[index],
    end[index],
    buffer,
    start[value],
    end[value],
    keepsDeadline,
  );
}

/** Removes the field in argument `index`; `hashes.wasRemoved` says whether it was there. Answers the entry, 0: it is gone. */
export function removeField(
  session: Session,
  args: Arguments,
  entry: number,
  index: number,
): number {
  const { database } = session;
  const { hashes } = database.keyspace.collections;
  return hashes.remove(database, entry, args.buffer, args.start[index], args.end[index]);
}

export function replyName({ bytes, fieldStart, fieldEnd }: HashField, reply: Reply): void {
  reply.bulk(bytes, fieldStart, fieldEnd);
}

export function replyValue({ bytes, valueStart, valueEnd }: HashField, reply: Reply): void {
  reply.bulk(bytes, valueStart, valueEnd);
}

// ---- FIELDS count field … ----

const NOT_POSITIVE = "Number of fields must be a positive integer";

/** Reads `FIELDS count` at argument `at`, which all other arguments must follow; answers where the first field is. */
export function firstField(args: Arguments, at: number, notPositive = NOT_POSITIVE): number {
  if (at >= args.count || !args.is(at, "FIELDS")) {
    throw new CommandError(
      "ERR",
      "Mandatory argument FIELDS is missing or not at the right position",
    );
  }
  const count = at + 1 < args.count ? args.integer(at + 1) : Number.NaN;
  if (!(count >= 1)) throw new CommandError("ERR", notPositive);
  if (count !== args.count - at - 2) {
    throw new CommandError("ERR", "The `numfields` parameter must match the number of arguments");
  }
  return at + 2;
}

// ---- events ----

/** Fields of the hash under argument 1 are gone; `left` is its entry, 0 when with the last one the key is gone. */
export function tellRemovedFields(session: Session, args: Arguments, left: number): void {
  tellKey(session, keyEvents.hdel, args);
  if (left === 0) tellKey(session, keyEvents.del, args);
}

// ---- records ----

const HDEL = Buffer.from("HDEL");
const HPERSIST = Buffer.from("HPERSIST");
const HPEXPIREAT = Buffer.from("HPEXPIREAT");
const FIELDS = Buffer.from("FIELDS");

/** Records HDEL of the fields in the arguments `fields`; of none nothing. */
export function recordRemovedFields(
  session: Session,
  args: Arguments,
  fields: readonly number[],
): void {
  if (fields.length === 0) return;
  beginRecord(session, args, HDEL, 2 + fields.length);
  recordFields(session, args, fields);
}

/** Records the deadline that these fields have now: HPEXPIREAT, or HPERSIST for 0. */
export function recordFieldDeadlines(
  session: Session,
  args: Arguments,
  fields: readonly number[],
  deadlineMs: number,
): void {
  if (fields.length === 0) return;
  const { effects } = session.server;
  if (deadlineMs === 0) beginRecord(session, args, HPERSIST, 4 + fields.length);
  else {
    beginRecord(session, args, HPEXPIREAT, 5 + fields.length);
    effects.integer(deadlineMs);
  }
  effects.bytes(FIELDS, 0, FIELDS.length);
  effects.integer(fields.length);
  recordFields(session, args, fields);
}

/** Begins a command of so many arguments with its name and the key. */
export function beginRecord(
  session: Session,
  args: Arguments,
  command: Buffer,
  count: number,
): void {
  const { effects } = session.server;
  effects.command(count);
  effects.bytes(command, 0, command.length);
  effects.bytes(args.buffer, args.start[1], args.end[1]);
}

function recordFields(session: Session, args: Arguments, fields: readonly number[]): void {
  for (const index of fields) {
    session.server.effects.bytes(args.buffer, args.start[index], args.end[index]);
  }
}
