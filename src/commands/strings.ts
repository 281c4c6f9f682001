/**
 * Strings as whole values, one key at a time; several keys are in multiple-strings.ts, parts of strings in
 * string-ranges.ts, numbers in counters.ts, bits in bits.ts. A JSON value reads as its text here, and SET replaces it.
 *
 * Records: a time becomes SET … PXAT; SET with GET, IFEQ or a condition of kvdb's becomes what it did; GETEX becomes PEXPIREAT, PERSIST or DEL.
 */
import type { KeyEvent } from "../pubsub/event-names.ts";
import type { Session } from "../session/session.ts";
import { sameBytes } from "../store/arena.ts";
import { deadlineOf, valueAt, valueWord } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { wrongType } from "./command-error.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import { holdsLock } from "./locks.ts";
import type { Reply } from "./reply.ts";
import { recordDeadline, recordPersist, recordRemoval, recordSet, SET } from "./string-effects.ts";
import {
  ALWAYS,
  deadlineFrom,
  IF_EQUAL,
  IF_MISSING,
  IF_VERSION,
  IN_MILLISECONDS,
  IN_SECONDS,
  StringOptions,
} from "./string-options.ts";
import { bytesOf, isText, replyText, storeString } from "./string-value.ts";

const options = new StringOptions();

function get(session: Session, args: Arguments, reply: Reply): void {
  replyText(session, session.database.read(args.buffer, args.start[1], args.end[1]), reply);
}

function set(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 3) {
    setWithOptions(session, args, reply);
    return;
  }
  const entry = session.database.find(args.buffer, args.start[1], args.end[1]);
  storeString(session, args, 1, 2, entry, 0);
  tellKey(session, keyEvents.set, args);
  reply.ok();
}

function setWithOptions(session: Session, args: Arguments, reply: Reply): void {
  options.readForSet(args);
  const deadlineMs = options.deadline(session, args, "set");
  const { database } = session;
  const [start, end] = [args.start[1], args.end[1]];
  const isHeld = options.token === 0 || holdsLock(session, args, options.token);
  const entry = options.get
    ? database.read(args.buffer, start, end)
    : database.find(args.buffer, start, end);
  if (options.get) replyText(session, entry, reply);
  if (!isHeld || !isAllowed(session, args, entry)) {
    if (!options.get) reply.null();
    return;
  }
  if (isOver(session, deadlineMs)) {
    removeAndRecord(session, args, entry);
    tellOver(session, args, entry, keyEvents.set);
  } else {
    storeString(session, args, 1, 2, entry, deadlineMs);
    tellKey(session, keyEvents.set, args);
    if (options.hasTime) tellKey(session, keyEvents.expire, args);
    const isAsked = options.condition === IF_EQUAL || options.hasOwnCondition;
    if (options.hasTime || options.get || isAsked) {
      recordSet(session, args, SET, 2, deadlineMs);
    }
  }
  if (!options.get) reply.ok();
}

/** Whether the condition of SET holds for the entry that there is. */
function isAllowed(session: Session, args: Arguments, entry: number): boolean {
  if (options.condition === ALWAYS) return true;
  if (options.condition === IF_MISSING) return entry === 0;
  if (options.condition === IF_VERSION) return options.fitsVersion(session.database, args, entry);
  if (entry === 0 || options.condition !== IF_EQUAL) return entry !== 0;
  const { arena } = session.database;
  if (!isText(arena, entry)) throw wrongType();
  const size = args.size(options.comparison);
  if (valueWord(arena, entry) !== size) return false;
  const start = args.start[options.comparison];
  return sameBytes(bytesOf(arena, entry), valueAt(arena, entry), args.buffer, start, size);
}

/**
 * Whether a key with this deadline would be gone at once. Redis stores it nevertheless and counts it until somebody looks;
 * here it never appears. While loading nothing expires: a later record may prolong its life.
 */
export function isOver(session: Session, deadlineMs: number): boolean {
  const { nowMs, expiring } = session.server.keyspace;
  return deadlineMs > 0 && deadlineMs <= nowMs && expiring;
}

/** To those who listen it seems as in Redis: the key got its value, and at once its time was over. */
export function tellOver(session: Session, args: Arguments, entry: number, event: KeyEvent): void {
  if (entry === 0) tellKey(session, keyEvents.new, args);
  tellKey(session, event, args);
  tellKey(session, keyEvents.expire, args);
  tellKey(session, keyEvents.expired, args);
}

/** Removes the entry that was just found under argument 1, if any, and records its deletion. */
export function removeAndRecord(session: Session, args: Arguments, entry: number): void {
  if (entry === 0) return;
  session.database.remove(entry);
  recordRemoval(session, args);
}

function getset(session: Session, args: Arguments, reply: Reply): void {
  const entry = session.database.read(args.buffer, args.start[1], args.end[1]);
  replyText(session, entry, reply);
  storeString(session, args, 1, 2, entry, 0);
  tellKey(session, keyEvents.set, args);
}

function getdel(session: Session, args: Arguments, reply: Reply): void {
  const entry = session.database.read(args.buffer, args.start[1], args.end[1]);
  replyText(session, entry, reply);
  if (entry === 0) return;
  removeAndRecord(session, args, entry);
  tellKey(session, keyEvents.del, args);
}

function getex(session: Session, args: Arguments, reply: Reply): void {
  options.readForGetex(args);
  const { database } = session;
  const entry = database.read(args.buffer, args.start[1], args.end[1]);
  replyText(session, entry, reply);
  if (entry === 0) return;
  const deadlineMs = options.deadline(session, args, "getex");
  if (isOver(session, deadlineMs)) {
    removeAndRecord(session, args, entry);
    tellKey(session, keyEvents.del, args);
  } else if (deadlineMs > 0) {
    database.setDeadline(entry, deadlineMs);
    tellKey(session, keyEvents.expire, args);
    recordDeadline(session, args, deadlineMs);
  } else if (options.persists && deadlineOf(database.arena, entry) !== 0) {
    database.setDeadline(entry, 0);
    tellKey(session, keyEvents.persist, args);
    recordPersist(session, args);
  }
}

function setnx(session: Session, args: Arguments, reply: Reply): void {
  const entry = session.database.find(args.buffer, args.start[1], args.end[1]);
  if (entry === 0) {
    storeString(session, args, 1, 2, 0, 0);
    tellKey(session, keyEvents.set, args);
  }
  reply.integer(entry === 0 ? 1 : 0);
}

/** SETEX and PSETEX: key, time, value. */
function setWithTime(unit: number, name: string) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const deadlineMs = deadlineFrom(session, args, 2, unit, name);
    const entry = session.database.find(args.buffer, args.start[1], args.end[1]);
    storeString(session, args, 1, 3, entry, deadlineMs);
    tellKey(session, keyEvents.set, args);
    tellKey(session, keyEvents.expire, args);
    recordSet(session, args, SET, 3, deadlineMs);
    reply.ok();
  };
}

/** What all commands of this file have in common. */
const STRING_COMMAND = {
  group: "string",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;

export const stringCommands: readonly Command[] = [
  {
    ...STRING_COMMAND,
    name: "GET",
    arity: 2,
    flags: ["readonly", "fast"],
    since: "1.0.0",
    summary: "Returns the string value of a key.",
    syntax: "key",
    run: get,
  },
  {
    ...STRING_COMMAND,
    name: "SET",
    arity: -3,
    flags: ["write", "denyoom"],
    since: "1.0.0",
    summary: "Sets the string value of a key.",
    syntax:
      "key value [NX | XX | IFEQ comparison-value | IFVERSION revision] [IFTOKEN token] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
    run: set,
  },
  {
    ...STRING_COMMAND,
    name: "GETSET",
    arity: 3,
    flags: ["write", "denyoom", "fast"],
    since: "1.0.0",
    summary: "Sets the string value of a key and returns the old one.",
    syntax: "key value",
    run: getset,
  },
  {
    ...STRING_COMMAND,
    name: "GETDEL",
    arity: 2,
    flags: ["write", "fast"],
    since: "6.2.0",
    summary: "Returns the string value of a key and deletes the key.",
    syntax: "key",
    run: getdel,
  },
  {
    ...STRING_COMMAND,
    name: "GETEX",
    arity: -2,
    flags: ["write", "fast"],
    since: "6.2.0",
    summary: "Returns the string value of a key and sets or removes its time to live.",
    syntax:
      "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
    run: getex,
  },
  {
    ...STRING_COMMAND,
    name: "SETNX",
    arity: 3,
    flags: ["write", "denyoom", "fast"],
    since: "1.0.0",
    summary: "Sets the string value of a key that does not exist.",
    syntax: "key value",
    run: setnx,
  },
  {
    ...STRING_COMMAND,
    name: "SETEX",
    arity: 4,
    flags: ["write", "denyoom"],
    since: "2.0.0",
    summary: "Sets the string value of a key that lives for so many seconds.",
    syntax: "key seconds value",
    run: setWithTime(IN_SECONDS, "setex"),
  },
  {
    ...STRING_COMMAND,
    name: "PSETEX",
    arity: 4,
    flags: ["write", "denyoom"],
    since: "2.6.0",
    summary: "Sets the string value of a key that lives for so many milliseconds.",
    syntax: "key milliseconds value",
    run: setWithTime(IN_MILLISECONDS, "psetex"),
  },
];
