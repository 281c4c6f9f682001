/**
 * The time a key has to live: EXPIRE and its kin, TTL and its kin, PERSIST. All of it is one deadline in milliseconds
 * since 1970, kept exactly in a double (MAX_DEADLINE_MS).
 *
 * Records: a time counted from now becomes PEXPIREAT, a time that is over becomes DEL; moments are recorded as they came.
 */
import { MAX_DEADLINE_MS } from "../limits.ts";
import type { Session } from "../session/session.ts";
import { deadlineOf } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, shownArgument } from "./command-error.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";

const SECOND_MS = 1000;
/** Redis counts in 64 bits: fewer seconds than this do not fit. More than 2^53, so it is compared as a bigint. */
const LEAST_SECONDS = -(2n ** 63n) / 1000n;

const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;

const DEL = Buffer.from("DEL");
const PEXPIREAT = Buffer.from("PEXPIREAT");

function conditionsOf(args: Arguments): number {
  let conditions = 0;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "NX")) conditions |= NX;
    else if (args.is(i, "XX")) conditions |= XX;
    else if (args.is(i, "GT")) conditions |= GT;
    else if (args.is(i, "LT")) conditions |= LT;
    else throw unsupportedOption(args, i);
  }
  if ((conditions & NX) !== 0 && conditions !== NX) {
    throw new CommandError(
      "ERR",
      "NX and XX, GT or LT options at the same time are not compatible",
    );
  }
  if ((conditions & GT) !== 0 && (conditions & LT) !== 0) {
    throw new CommandError("ERR", "GT and LT options at the same time are not compatible");
  }
  return conditions;
}

function unsupportedOption(args: Arguments, index: number): CommandError {
  return new CommandError("ERR", `Unsupported option ${shownArgument(args, index)}`);
}

/** `current`: the deadline there is, 0: none, which counts as never. */
function allows(conditions: number, current: number, deadlineMs: number): boolean {
  if ((conditions & NX) !== 0) return current === 0;
  if ((conditions & XX) !== 0 && current === 0) return false;
  if ((conditions & GT) !== 0) return current !== 0 && deadlineMs > current;
  if ((conditions & LT) !== 0) return current === 0 || deadlineMs < current;
  return true;
}

/** The moment that argument 2 means; in the past is fine, too far ahead is not. */
function deadlineAt(args: Arguments, unitMs: number, baseMs: number, name: string): number {
  const value = args.integer(2);
  if (Number.isNaN(value)) throw notAnInteger();
  const deadlineMs = value * unitMs + baseMs;
  const overflows =
    unitMs !== 1 && value < Number.MIN_SAFE_INTEGER && (args.int64(2) as bigint) < LEAST_SECONDS;
  if (deadlineMs > MAX_DEADLINE_MS || overflows) {
    throw new CommandError("ERR", `invalid expire time in '${name}' command`);
  }
  return deadlineMs;
}

interface ExpireForm {
  readonly name: string;
  readonly unitMs: number;
  readonly isRelative: boolean;
}

function expire(form: ExpireForm, session: Session, args: Arguments, reply: Reply): void {
  const { database, server } = session;
  const { nowMs, expiring } = server.keyspace;
  const conditions = args.count === 3 ? 0 : conditionsOf(args);
  const deadlineMs = deadlineAt(args, form.unitMs, form.isRelative ? nowMs : 0, form.name);
  const entry = database.find(args.buffer, args.start[1], args.end[1]);
  if (entry === 0 || !allows(conditions, deadlineOf(database.arena, entry), deadlineMs)) {
    reply.integer(0);
    return;
  }
  if (deadlineMs > nowMs || !expiring) {
    // While loading, one that is over waits for the end of loading; 0 would mean none.
    database.setDeadline(entry, Math.max(deadlineMs, 1));
    tellKey(session, keyEvents.expire, args);
    if (form.isRelative) recordDeadline(session, args, deadlineMs);
  } else {
    database.remove(entry);
    tellKey(session, keyEvents.del, args);
    recordRemoval(session, args);
  }
  reply.integer(1);
}

function recordDeadline(session: Session, args: Arguments, deadlineMs: number): void {
  const effects = session.server.effects;
  effects.command(3);
  effects.bytes(PEXPIREAT, 0, PEXPIREAT.length);
  effects.bytes(args.buffer, args.start[1], args.end[1]);
  effects.integer(deadlineMs);
}

function recordRemoval(session: Session, args: Arguments): void {
  const effects = session.server.effects;
  effects.command(2);
  effects.bytes(DEL, 0, DEL.length);
  effects.bytes(args.buffer, args.start[1], args.end[1]);
}

/** -2: no such key, -1: it lives for ever; else milliseconds since 1970. */
function deadlineOfKey(session: Session, args: Arguments): number {
  const database = session.database;
  const entry = database.look(args.buffer, args.start[1], args.end[1]);
  if (entry === 0) return -2;
  return deadlineOf(database.arena, entry) || -1;
}

/** Redis rounds half seconds up. */
function inSeconds(ms: number): number {
  return ms < 0 ? ms : Math.floor((ms + SECOND_MS / 2) / SECOND_MS);
}

function timeToLive(session: Session, args: Arguments): number {
  const deadlineMs = deadlineOfKey(session, args);
  if (deadlineMs < 0) return deadlineMs;
  return Math.max(deadlineMs - session.server.keyspace.nowMs, 0);
}

function persist(session: Session, args: Arguments, reply: Reply): void {
  const database = session.database;
  const entry = database.find(args.buffer, args.start[1], args.end[1]);
  const has = entry !== 0 && deadlineOf(database.arena, entry) !== 0;
  if (has) {
    database.setDeadline(entry, 0);
    tellKey(session, keyEvents.persist, args);
  }
  reply.integer(has ? 1 : 0);
}

function expireCommand(form: ExpireForm, since: string, summary: string): Command {
  const unit = form.unitMs === 1 ? "milliseconds" : "seconds";
  return {
    name: form.name.toUpperCase(),
    arity: -3,
    flags: ["write", "fast"],
    group: "generic",
    keys: [1, 1, 1],
    since,
    summary,
    syntax: `key ${form.isRelative ? unit : `unix-time-${unit}`} [NX | XX | GT | LT]`,
    run: (session, args, reply) => expire(form, session, args, reply),
  };
}

function timeCommand(
  name: string,
  since: string,
  summary: string,
  answer: (session: Session, args: Arguments) => number,
): Command {
  return {
    name,
    arity: 2,
    flags: ["readonly", "fast"],
    group: "generic",
    keys: [1, 1, 1],
    since,
    summary,
    syntax: "key",
    run: (session, args, reply) => reply.integer(answer(session, args)),
  };
}

export const expiryCommands: readonly Command[] = [
  expireCommand(
    { name: "expire", unitMs: SECOND_MS, isRelative: true },
    "1.0.0",
    "Lets a key live for so many seconds from now.",
  ),
  expireCommand(
    { name: "pexpire", unitMs: 1, isRelative: true },
    "2.6.0",
    "Lets a key live for so many milliseconds from now.",
  ),
  expireCommand(
    { name: "expireat", unitMs: SECOND_MS, isRelative: false },
    "1.2.0",
    "Lets a key live until a moment in seconds since 1970.",
  ),
  expireCommand(
    { name: "pexpireat", unitMs: 1, isRelative: false },
    "2.6.0",
    "Lets a key live until a moment in milliseconds since 1970.",
  ),
  timeCommand("TTL", "1.0.0", "Returns the seconds that a key has to live.", (session, args) =>
    inSeconds(timeToLive(session, args)),
  ),
  timeCommand("PTTL", "2.6.0", "Returns the milliseconds that a key has to live.", timeToLive),
  timeCommand(
    "EXPIRETIME",
    "7.0.0",
    "Returns when a key expires, in seconds since 1970.",
    (session, args) => inSeconds(deadlineOfKey(session, args)),
  ),
  timeCommand(
    "PEXPIRETIME",
    "7.0.0",
    "Returns when a key expires, in milliseconds since 1970.",
    deadlineOfKey,
  ),
  {
    name: "PERSIST",
    arity: 2,
    flags: ["write", "fast"],
    group: "generic",
    keys: [1, 1, 1],
    since: "2.2.0",
    summary: "Lets a key live for ever.",
    syntax: "key",
    run: persist,
  },
];
