/**
 * Locks on keys, and versions of keys: what a client needs that decides on a write by what it has read.
 *
 *   VERSION key → revision of its last change ── SET key … IFVERSION revision
 *   LOCK key PX ms → token ── SET key … IFTOKEN token ── UNLOCK key token
 *
 * A lock is an ordinary string with a deadline: `lock:` and the key, its value the token. So it is seen, persists, expires
 * on time and is told of like any other key. The token is the revision of the change that took the lock: it only grows, so
 * whoever was slow and comes with an old one is refused, here by IFTOKEN, elsewhere by comparing numbers.
 *
 * Record: the SET or the DEL that it came to.
 */
import type { Session } from "../session/session.ts";
import { sameBytes } from "../store/arena.ts";
import { valueAt, valueWord, versionOf } from "../store/entry.ts";
import { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError, wrongType } from "./command-error.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { recordRemoval, recordSet, SET } from "./string-effects.ts";
import { AT_MILLISECONDS, deadlineFrom, IN_MILLISECONDS } from "./string-options.ts";
import { bytesOf, isText, storeString } from "./string-value.ts";

const PREFIX = Buffer.from("lock:");

/** Revision of the last change of the key in argument 1, deadlines included. */
function version(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const entry = database.find(args.buffer, args.start[1] as number, args.end[1] as number);
  if (entry === 0) reply.null();
  else reply.integer(versionOf(database.arena, entry));
}

/** The arguments of the command that a lock comes to: the key of the lock is argument 1, its token argument 2. */
const lockArgs = new Arguments();

function readLock(args: Arguments, token: Uint8Array | string): void {
  const key = args.buffer.subarray(args.start[1], args.end[1]);
  lockArgs.assign(["", Buffer.concat([PREFIX, key]), token]);
}

function findLock({ database }: Session): number {
  return database.find(lockArgs.buffer, lockArgs.start[1] as number, lockArgs.end[1] as number);
}

function lock(session: Session, args: Arguments, reply: Reply): void {
  const isAbsolute = args.is(2, "PXAT");
  if (!isAbsolute && !args.is(2, "PX")) throw syntaxError();
  const kind = isAbsolute ? AT_MILLISECONDS : IN_MILLISECONDS;
  const deadlineMs = deadlineFrom(session, args, 3, kind, "lock");
  const { keyspace } = session.server;
  if (deadlineMs <= keyspace.nowMs) {
    throw new CommandError("ERR", "invalid expire time in 'lock' command");
  }
  const token = keyspace.nextRevision;
  readLock(args, String(token));
  const held = findLock(session);
  if (held !== 0) {
    // What is no string never was a lock: waiting for it would have no end.
    if (!isText(session.database.arena, held)) throw wrongType();
    reply.null();
    return;
  }
  storeString(session, lockArgs, 1, 2, 0, deadlineMs);
  tellKey(session, keyEvents.set, lockArgs);
  tellKey(session, keyEvents.expire, lockArgs);
  recordSet(session, lockArgs, SET, 2, deadlineMs);
  reply.integer(token);
}

function unlock(session: Session, args: Arguments, reply: Reply): void {
  const isHeld = holdsLock(session, args, 2);
  if (isHeld) {
    session.database.remove(findLock(session));
    tellKey(session, keyEvents.del, lockArgs);
    recordRemoval(session, lockArgs);
  }
  reply.integer(isHeld ? 1 : 0);
}

/**
 * Whether the lock on the key in argument 1 is held with the token in argument `index`. Looks another key up. Throws when that
 * is no token at all: who comes with the text of an error, say, must not take it for an answer about the lock.
 */
export function holdsLock(session: Session, args: Arguments, index: number): boolean {
  const token = args.integer(index);
  if (Number.isNaN(token) || token < 0) throw notAnInteger();
  readLock(args, args.bytes(index));
  const entry = findLock(session);
  const { arena } = session.database;
  const size = lockArgs.size(2);
  if (entry === 0 || !isText(arena, entry) || valueWord(arena, entry) !== size) return false;
  const start = lockArgs.start[2] as number;
  return sameBytes(bytesOf(arena, entry), valueAt(arena, entry), lockArgs.buffer, start, size);
}

export const lockCommands: readonly Command[] = [
  {
    name: "VERSION",
    arity: 2,
    flags: ["readonly", "fast"],
    group: "generic",
    keys: [1, 1, 1],
    since: "kvdb 0.1.0",
    summary: "Returns the revision of a key's last change, for SET … IFVERSION.",
    syntax: "key",
    run: version,
  },
  {
    name: "LOCK",
    arity: 4,
    flags: ["write", "denyoom", "fast"],
    group: "generic",
    keys: [1, 1, 1],
    since: "kvdb 0.1.0",
    summary:
      "Takes the lock on a key for a while and returns its token, or null when another has it.",
    syntax: "key <PX milliseconds | PXAT unix-time-milliseconds>",
    run: lock,
  },
  {
    name: "UNLOCK",
    arity: 3,
    flags: ["write", "fast"],
    group: "generic",
    keys: [1, 1, 1],
    since: "kvdb 0.1.0",
    summary: "Gives the lock on a key back, if the token is that of who has it.",
    syntax: "key token",
    run: unlock,
  },
];
