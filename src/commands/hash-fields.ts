/**
 * Hashes field by field: set, read, remove, count. All fields in hash-walks.ts, random ones in hash-random.ts, numbers in
 * hash-counters.ts, deadlines of fields in hash-expiry.ts and hash-lifetimes.ts.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError } from "./command-error.ts";
import {
  findHash,
  hasField,
  hashesOf,
  readHash,
  removeField,
  replyValue,
  setField,
  tellRemovedFields,
} from "./hash-value.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";

/** Sets the fields from argument 2 on; answers how many are new. */
function setFields(session: Session, args: Arguments, name: string): number {
  if (args.count % 2 !== 0) {
    throw new CommandError("ERR", `wrong number of arguments for '${name}' command`);
  }
  const hashes = hashesOf(session);
  let entry = findHash(session, args);
  let added = 0;
  for (let i = 2; i < args.count; i += 2) {
    entry = setField(session, args, entry, i, false);
    if (hashes.wasAdded) added++;
  }
  tellKey(session, keyEvents.hset, args);
  return added;
}

function hset(session: Session, args: Arguments, reply: Reply): void {
  reply.integer(setFields(session, args, "hset"));
}

function hmset(session: Session, args: Arguments, reply: Reply): void {
  setFields(session, args, "hmset");
  reply.ok();
}

function hsetnx(session: Session, args: Arguments, reply: Reply): void {
  const entry = findHash(session, args);
  const has = hasField(session, args, entry, 2);
  if (!has) {
    setField(session, args, entry, 2, false);
    tellKey(session, keyEvents.hset, args);
  }
  reply.integer(has ? 0 : 1);
}

function hget(session: Session, args: Arguments, reply: Reply): void {
  if (hasField(session, args, readHash(session, args), 2))
    replyValue(hashesOf(session).field, reply);
  else reply.null();
}

function hmget(session: Session, args: Arguments, reply: Reply): void {
  const { field } = hashesOf(session);
  const entry = readHash(session, args);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    if (hasField(session, args, entry, i)) replyValue(field, reply);
    else reply.null();
  }
}

function hdel(session: Session, args: Arguments, reply: Reply): void {
  const hashes = hashesOf(session);
  let entry = findHash(session, args);
  let removed = 0;
  for (let i = 2; i < args.count && entry !== 0; i++) {
    entry = removeField(session, args, entry, i);
    if (hashes.wasRemoved) removed++;
  }
  if (removed > 0) tellRemovedFields(session, args, entry);
  reply.integer(removed);
}

function hlen(session: Session, args: Arguments, reply: Reply): void {
  const entry = readHash(session, args);
  const hashes = hashesOf(session);
  const { database } = session;
  if (entry === 0) reply.integer(0);
  // What is over goes here but for a moment's rest; where somebody else says that it goes, it may stay for long.
  else if (database.keyspace.keepsExpired) reply.integer(hashes.liveCount(database, entry));
  else reply.integer(hashes.count(entry));
}

function hstrlen(session: Session, args: Arguments, reply: Reply): void {
  const { field } = hashesOf(session);
  const has = hasField(session, args, readHash(session, args), 2);
  reply.integer(has ? field.valueEnd - field.valueStart : 0);
}

function hexists(session: Session, args: Arguments, reply: Reply): void {
  reply.integer(hasField(session, args, readHash(session, args), 2) ? 1 : 0);
}

/** What all commands of this file have in common. */
const HASH_COMMAND = {
  group: "hash",
  keys: [1, 1, 1],
  since: "2.0.0",
} as const satisfies Partial<Command>;

export const hashFieldCommands: readonly Command[] = [
  {
    ...HASH_COMMAND,
    name: "HSET",
    arity: -4,
    flags: ["write", "denyoom", "fast"],
    summary: "Sets fields of a hash; returns how many are new.",
    syntax: "key field value [field value ...]",
    run: hset,
  },
  {
    ...HASH_COMMAND,
    name: "HMSET",
    arity: -4,
    flags: ["write", "denyoom", "fast"],
    summary: "Sets fields of a hash.",
    syntax: "key field value [field value ...]",
    run: hmset,
  },
  {
    ...HASH_COMMAND,
    name: "HSETNX",
    arity: 4,
    flags: ["write", "denyoom", "fast"],
    summary: "Sets a field of a hash that does not exist.",
    syntax: "key field value",
    run: hsetnx,
  },
  {
    ...HASH_COMMAND,
    name: "HGET",
    arity: 3,
    flags: ["readonly", "fast"],
    summary: "Returns the value of a field of a hash.",
    syntax: "key field",
    run: hget,
  },
  {
    ...HASH_COMMAND,
    name: "HMGET",
    arity: -3,
    flags: ["readonly", "fast"],
    summary: "Returns the values of fields of a hash.",
    syntax: "key field [field ...]",
    run: hmget,
  },
  {
    ...HASH_COMMAND,
    name: "HDEL",
    arity: -3,
    flags: ["write", "fast"],
    summary: "Removes fields from a hash, and the hash with its last one.",
    syntax: "key field [field ...]",
    run: hdel,
  },
  {
    ...HASH_COMMAND,
    name: "HLEN",
    arity: 2,
    flags: ["readonly", "fast"],
    summary: "Returns how many fields a hash has.",
    syntax: "key",
    run: hlen,
  },
  {
    ...HASH_COMMAND,
    name: "HSTRLEN",
    arity: 3,
    flags: ["readonly", "fast"],
    since: "3.2.0",
    summary: "Returns the length of the value of a field.",
    syntax: "key field",
    run: hstrlen,
  },
  {
    ...HASH_COMMAND,
    name: "HEXISTS",
    arity: 3,
    flags: ["readonly", "fast"],
    summary: "Tells whether a hash has a field.",
    syntax: "key field",
    run: hexists,
  },
];
