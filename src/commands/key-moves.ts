/**
 * Values that go to another key or another database: RENAME, RENAMENX, COPY, MOVE. The time to live goes along. The
 * bytes are moved within the arena by store/value-copy.ts; here is only when.
 *
 * The record is the command itself: its database is the session's, a second one is named by the arguments.
 */
import type { Session } from "../session/session.ts";
import { sameBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { findAt, type KeyPlace } from "../store/key-place.ts";
import { copyValue, moveValue } from "../store/value-copy.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, noSuchKey, notAnInteger, syntaxError } from "./command-error.ts";
import { requireGrowth, valueBytes } from "./growth.ts";
import { keyEvents, tellKey, tellPlace } from "./key-event.ts";
import type { Reply } from "./reply.ts";

const sameObject = () => new CommandError("ERR", "source and destination objects are the same");

function placeOf(args: Arguments, index: number, database: Database): KeyPlace {
  return { database, bytes: args.buffer, start: args.start[index], end: args.end[index] };
}

function isSameKey(args: Arguments, one: number, other: number): boolean {
  const size = args.size(one);
  if (size !== args.size(other)) return false;
  return sameBytes(args.buffer, args.start[one], args.buffer, args.start[other], size);
}

/** The database with the number that argument `index` gives. */
function databaseAt(session: Session, args: Arguments, index: number): Database {
  const number = args.integer(index);
  if (Number.isNaN(number)) throw notAnInteger();
  if (number !== (number | 0)) {
    throw new CommandError(
      "ERR",
      "value is out of range, value must between -2147483648 and 2147483647",
    );
  }
  const database = session.server.keyspace.databases[number];
  if (database === undefined) throw new CommandError("ERR", "DB index is out of range");
  return database;
}

/** Moves the value of argument 1 to argument 2. False: the latter exists and may not be replaced, or it is the same. */
function renameKey(session: Session, args: Arguments, replaces: boolean): boolean {
  const from = placeOf(args, 1, session.database);
  const to = placeOf(args, 2, session.database);
  const source = findAt(from);
  if (source === 0) throw noSuchKey();
  if (isSameKey(args, 1, 2)) return false;
  const target = findAt(to);
  if (target !== 0 && !replaces) return false;
  if (target !== 0) tellKey(session, keyEvents.new, args, 2);
  moveValue(source, from, to, target);
  tellKey(session, keyEvents.rename_from, args, 1);
  tellKey(session, keyEvents.rename_to, args, 2);
  return true;
}

function rename(session: Session, args: Arguments, reply: Reply): void {
  renameKey(session, args, true);
  reply.ok();
}

function renameUnlessExists(session: Session, args: Arguments, reply: Reply): void {
  reply.integer(renameKey(session, args, false) ? 1 : 0);
}

interface CopyOptions {
  readonly database: Database;
  readonly replaces: boolean;
}

function copyOptions(session: Session, args: Arguments): CopyOptions {
  let database = session.database;
  let replaces = false;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "REPLACE")) replaces = true;
    else if (args.is(i, "DB") && i + 1 < args.count) database = databaseAt(session, args, ++i);
    else throw syntaxError();
  }
  return { database, replaces };
}

function copy(session: Session, args: Arguments, reply: Reply): void {
  const { database, replaces } = copyOptions(session, args);
  if (database === session.database && isSameKey(args, 1, 2)) throw sameObject();
  const source = session.database.read(args.buffer, args.start[1], args.end[1]);
  if (source === 0) {
    reply.integer(0);
    return;
  }
  // The gate has counted the arguments only, which are short.
  requireGrowth(session, valueBytes(database.arena, source));
  const to = placeOf(args, 2, database);
  const target = findAt(to);
  const copies = target === 0 || replaces;
  if (copies) {
    if (target !== 0) tellPlace(session, keyEvents.new, to);
    copyValue(source, to, target);
    tellPlace(session, keyEvents.copy_to, to);
  }
  reply.integer(copies ? 1 : 0);
}

function move(session: Session, args: Arguments, reply: Reply): void {
  const database = databaseAt(session, args, 2);
  if (database === session.database) throw sameObject();
  const from = placeOf(args, 1, session.database);
  const to = placeOf(args, 1, database);
  const source = findAt(from);
  const moves = source !== 0 && findAt(to) === 0;
  if (moves) {
    moveValue(source, from, to, 0);
    tellPlace(session, keyEvents.move_from, from);
    tellPlace(session, keyEvents.move_to, to);
  }
  reply.integer(moves ? 1 : 0);
}

export const keyMoveCommands: readonly Command[] = [
  {
    name: "RENAME",
    arity: 3,
    flags: ["write"],
    group: "generic",
    keys: [1, 2, 1],
    since: "1.0.0",
    summary: "Gives a key another name; what had that name is replaced.",
    syntax: "key newkey",
    run: rename,
  },
  {
    name: "RENAMENX",
    arity: 3,
    flags: ["write", "fast"],
    group: "generic",
    keys: [1, 2, 1],
    since: "1.0.0",
    summary: "Gives a key another name, unless a key has it already.",
    syntax: "key newkey",
    run: renameUnlessExists,
  },
  {
    name: "COPY",
    arity: -3,
    flags: ["write", "denyoom"],
    group: "generic",
    keys: [1, 2, 1],
    since: "6.2.0",
    summary: "Copies the value of a key to another key, also in another database.",
    syntax: "source destination [DB destination-db] [REPLACE]",
    run: copy,
  },
  {
    name: "MOVE",
    arity: 3,
    flags: ["write", "fast"],
    group: "generic",
    keys: [1, 1, 1],
    since: "1.0.0",
    summary: "Moves a key to another database, unless it exists there.",
    syntax: "key db",
    run: move,
  },
];
