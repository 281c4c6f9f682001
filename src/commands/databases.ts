/**
 * Whole databases: how many keys one has, emptying it or all of them, and exchanging two. Choosing one is a matter of
 * the connection (connection.ts).
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { forPeople } from "./for-people.ts";
import type { Reply } from "./reply.ts";

function countKeys(session: Session, _args: Arguments, reply: Reply): void {
  session.server.keyspace.noteAll();
  reply.integer(session.database.size);
}

/** Both words mean the same here: nothing ever waits for memory to be freed. */
function requireFlushMode(args: Arguments): void {
  if (args.count === 1) return;
  if (args.count === 2 && (args.is(1, "SYNC") || args.is(1, "ASYNC"))) return;
  throw syntaxError();
}

function flushDatabase(session: Session, args: Arguments, reply: Reply): void {
  requireFlushMode(args);
  session.server.keyspace.flush(session.database.index);
  reply.ok();
}

function flushAll(session: Session, args: Arguments, reply: Reply): void {
  requireFlushMode(args);
  session.server.keyspace.flushAll();
  reply.ok();
}

function swapDatabases(session: Session, args: Arguments, reply: Reply): void {
  const { keyspace } = session.server;
  const first = databaseIndex(args, 1, "invalid first DB index");
  const second = databaseIndex(args, 2, "invalid second DB index");
  const bound = keyspace.databases.length;
  if (first < 0 || second < 0 || first >= bound || second >= bound) {
    throw new CommandError("ERR", "DB index is out of range");
  }
  if (first !== second) keyspace.swap(first, second);
  reply.ok();
}

function databaseIndex(args: Arguments, index: number, otherwise: string): number {
  const value = args.integer(index);
  if (Number.isNaN(value) || value !== (value | 0)) throw new CommandError("ERR", otherwise);
  return value;
}

export const databaseCommands: readonly Command[] = [
  {
    name: "DBSIZE",
    arity: 1,
    flags: ["readonly", "fast"],
    group: "server",
    since: "1.0.0",
    summary: "Returns the number of keys in the database.",
    syntax: "",
    run: countKeys,
  },
  {
    name: "FLUSHALL",
    arity: -1,
    flags: ["write"],
    group: "server",
    since: "1.0.0",
    summary: "Removes all keys of all databases.",
    syntax: "[ASYNC | SYNC]",
    ...forPeople.FLUSHALL,
    run: flushAll,
  },
  {
    name: "FLUSHDB",
    arity: -1,
    flags: ["write"],
    group: "server",
    since: "1.0.0",
    summary: "Removes all keys of the database.",
    syntax: "[ASYNC | SYNC]",
    ...forPeople.FLUSHDB,
    run: flushDatabase,
  },
  {
    name: "SWAPDB",
    arity: 3,
    flags: ["write", "fast"],
    group: "server",
    since: "4.0.0",
    summary: "Exchanges the keys of two databases.",
    syntax: "index1 index2",
    run: swapDatabases,
  },
];
