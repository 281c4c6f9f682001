/**
 * DUMP and RESTORE: one value as bytes that any Redis of version 7.0 or later takes, and the other way round
 * (rdb/dump-payload.ts). A payload is read to its end before anything changes.
 *
 * Record: RESTORE with its time to live as a moment (ABSTTL); what is over when it comes is a deletion, or nothing.
 */
import { MAX_DEADLINE_MS } from "../limits.ts";
import { hasIntactFooter, readPayload, sealPayload } from "../rdb/dump-payload.ts";
import { RdbDamage } from "../rdb/rdb-damage.ts";
import type { Span } from "../rdb/rdb-input.ts";
import { RdbOutput } from "../rdb/rdb-output.ts";
import { ValueCollector } from "../rdb/value-collector.ts";
import { ValueEncoder } from "../rdb/value-encoder.ts";
import type { Session } from "../session/session.ts";
import { FIRST_FREQUENCY } from "../store/access-clock.ts";
import type { Database } from "../store/database.ts";
import { JSON_TEXT, PACKED, STRING, typeOf } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import { scanDocument, writeDocument } from "./document-value.ts";
import { collectedBytes, requireGrowth } from "./growth.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { storeBytes } from "./string-value.ts";

const RESTORE = Buffer.from("RESTORE");
const REPLACE = Buffer.from("REPLACE");
const ABSTTL = Buffer.from("ABSTTL");
const DEL = Buffer.from("DEL");

function dump(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const entry = database.read(args.buffer, args.start[1], args.end[1]);
  if (entry === 0) {
    reply.null();
    return;
  }
  const { arena, keyspace } = database;
  const output = new RdbOutput();
  const isTimed = new ValueEncoder(arena, keyspace.collections.types).encode(entry, output);
  sealPayload(output, { isDocument: typeOf(arena, entry) === JSON_TEXT, isTimed });
  reply.bulk(output.bytes, 0, output.end);
}

interface RestoreOptions {
  replaces: boolean;
  isAbsolute: boolean;
  /** Seconds without use; -1: not given, the key counts as just used. */
  idleSeconds: number;
  /** -1: not given. */
  frequency: number;
}

function restoreOptions(args: Arguments): RestoreOptions {
  const options = { replaces: false, isAbsolute: false, idleSeconds: -1, frequency: -1 };
  for (let i = 4; i < args.count; i++) {
    const isLast = i + 1 === args.count;
    if (args.is(i, "REPLACE")) options.replaces = true;
    else if (args.is(i, "ABSTTL")) options.isAbsolute = true;
    else if (args.is(i, "IDLETIME") && !isLast && options.frequency < 0) {
      const what = "IDLETIME value, must be >= 0";
      options.idleSeconds = requireWithin(args, ++i, what, Number.POSITIVE_INFINITY);
    } else if (args.is(i, "FREQ") && !isLast && options.idleSeconds < 0) {
      options.frequency = requireWithin(args, ++i, "FREQ value, must be >= 0 and <= 255", 255);
    } else throw syntaxError();
  }
  return options;
}

function requireWithin(args: Arguments, index: number, what: string, most: number): number {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw notAnInteger();
  if (value < 0 || value > most) throw new CommandError("ERR", `Invalid ${what}`);
  return value;
}

/** As in Redis, only what the policy at hand looks at has an effect; what the key had before counts no more. */
function setUse(database: Database, args: Arguments, options: RestoreOptions): void {
  const { access } = database.keyspace;
  const entry = database.peek(args.buffer, args.start[1], args.end[1]);
  if (entry === 0) return;
  const { idleSeconds, frequency } = options;
  if (!access.countsFrequency) {
    access.setIdleSeconds(database.arena, entry, Math.max(0, idleSeconds));
  } else {
    access.setFrequency(database.arena, entry, frequency < 0 ? FIRST_FREQUENCY : frequency);
  }
}

/** The moment that argument 2 means; 0: the key stays. */
function deadlineAt(session: Session, args: Arguments, isAbsolute: boolean): number {
  const value = args.integer(2);
  if (Number.isNaN(value)) throw notAnInteger();
  if (value < 0) throw new CommandError("ERR", "Invalid TTL value, must be >= 0");
  return value === 0 || isAbsolute ? value : value + session.server.keyspace.nowMs;
}

function restore(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const { keyspace } = database;
  const options = restoreOptions(args);
  let entry = database.find(args.buffer, args.start[1], args.end[1]);
  if (entry !== 0 && !options.replaces) {
    throw new CommandError("BUSYKEY", "Target key name already exists.");
  }
  const deadlineMs = deadlineAt(session, args, options.isAbsolute);
  const payload = { bytes: args.buffer, start: args.start[3], end: args.end[3] };
  if (!hasIntactFooter(payload)) {
    throw new CommandError("ERR", "DUMP payload version or checksum are wrong");
  }
  if (deadlineMs > MAX_DEADLINE_MS) {
    throw new CommandError("ERR", "invalid expire time in 'restore' command");
  }
  const { value, isDocument } = readValue(session, payload);
  if (deadlineMs !== 0 && deadlineMs <= keyspace.nowMs && keyspace.expiring) {
    if (entry !== 0) {
      database.remove(entry);
      tellKey(session, keyEvents.del, args);
      recordRemoval(session, args);
    }
    reply.ok();
    return;
  }
  requireGrowth(session, collectedBytes(value));
  // A structure that is replaced goes before the new elements come.
  if (entry !== 0 && value.type !== STRING) {
    database.remove(entry);
    entry = database.find(args.buffer, args.start[1], args.end[1]);
  }
  // One that is replaced is new as well, as in Redis.
  if (entry !== 0) tellKey(session, keyEvents.new, args);
  if (value.type === STRING) {
    if (isDocument) writeDocument(session, args, 1, entry, value.plain, deadlineMs);
    else storeBytes(session, args, 1, entry, { ...value.plain, kind: STRING, deadlineMs });
  } else storeElements(session, args, 1, value, deadlineMs);
  setUse(database, args, options);
  tellKey(session, keyEvents.restore, args);
  if (deadlineMs !== 0 && !options.isAbsolute) recordRestore(session, args, deadlineMs, options);
  reply.ok();
}

/** What a payload with an intact footer says; a document is a string of which `isDocument` is true. */
export function readValue(
  session: Session,
  payload: Span,
): { value: ValueCollector; isDocument: boolean } {
  const { hashKey0, hashKey1 } = session.server.keyspace;
  const value = new ValueCollector([hashKey0, hashKey1]);
  try {
    const isDocument = readPayload(payload, value);
    value.end();
    if (isDocument) requireDocument(session, value.plain);
    return { value, isDocument };
  } catch (error) {
    if (error instanceof RdbDamage) throw new CommandError("ERR", "Bad data format");
    throw error;
  }
}

function requireDocument(session: Session, { bytes, start, end }: Span): void {
  const { problem, compactSize } = scanDocument(session, bytes, start, end);
  const isRight = problem === "" && compactSize === end - start;
  if (!isRight) throw new RdbDamage("a document is none");
}

/** Under argument `key`, which `find` has just missed. */
export function storeElements(
  session: Session,
  args: Arguments,
  key: number,
  value: ValueCollector,
  deadlineMs: number,
): void {
  const { database } = session;
  const { type, run, isTimed } = value;
  const [start, end] = [args.start[key], args.end[key]];
  const kind = type | (PACKED << 4);
  let entry = database.put(0, args.buffer, start, end, kind, 0, deadlineMs, 0);
  const valueType = database.keyspace.collections.types.of(type);
  value.eachPart((at, partEnd) => {
    entry = valueType.readPart(database, entry, { run, at, end: partEnd, isTimed });
  });
}

function recordRestore(
  session: Session,
  args: Arguments,
  deadlineMs: number,
  { replaces }: RestoreOptions,
): void {
  const { effects } = session.server;
  const { buffer, start, end } = args;
  effects.command(replaces ? 6 : 5);
  effects.bytes(RESTORE, 0, RESTORE.length);
  effects.bytes(buffer, start[1], end[1]);
  effects.integer(deadlineMs);
  effects.bytes(buffer, start[3], end[3]);
  effects.bytes(ABSTTL, 0, ABSTTL.length);
  if (replaces) effects.bytes(REPLACE, 0, REPLACE.length);
}

function recordRemoval(session: Session, args: Arguments): void {
  const { effects } = session.server;
  effects.command(2);
  effects.bytes(DEL, 0, DEL.length);
  effects.bytes(args.buffer, args.start[1], args.end[1]);
}

export const dumpCommands: readonly Command[] = [
  {
    name: "DUMP",
    arity: 2,
    flags: ["readonly"],
    group: "generic",
    keys: [1, 1, 1],
    since: "2.6.0",
    summary: "Returns a value as bytes that RESTORE takes, here or on a Redis server.",
    syntax: "key",
    run: dump,
  },
  {
    name: "RESTORE",
    arity: -4,
    flags: ["write", "denyoom"],
    group: "generic",
    keys: [1, 1, 1],
    since: "2.6.0",
    summary: "Creates a key from what DUMP returned, here or on a Redis server.",
    syntax: "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
    run: restore,
  },
];
