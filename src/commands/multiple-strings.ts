/**
 * Strings of several keys at once: MGET, MSET, MSETNX. Each pair is found and stored before the next one is looked at,
 * since a store may move what was found earlier (the same key may come twice; the last value stays).
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { isText, replyText, storeString } from "./string-value.ts";

function mget(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  reply.array(args.count - 1);
  for (let i = 1; i < args.count; i++) {
    const entry = database.read(args.buffer, args.start[i], args.end[i]);
    if (entry !== 0 && isText(database.arena, entry)) replyText(session, entry, reply);
    else reply.null();
  }
}

/** Keys and values must come in pairs, which the arity of the table cannot say. */
function requirePairs(args: Arguments, command: string): void {
  if (args.count % 2 === 1) return;
  throw new CommandError("ERR", `wrong number of arguments for '${command}' command`);
}

function storePairs(session: Session, args: Arguments): void {
  const { database } = session;
  for (let i = 1; i < args.count; i += 2) {
    const entry = database.find(args.buffer, args.start[i], args.end[i]);
    storeString(session, args, i, i + 1, entry, 0);
    tellKey(session, keyEvents.set, args, i);
  }
}

function mset(session: Session, args: Arguments, reply: Reply): void {
  requirePairs(args, "mset");
  storePairs(session, args);
  reply.ok();
}

function msetnx(session: Session, args: Arguments, reply: Reply): void {
  requirePairs(args, "msetnx");
  const { database } = session;
  for (let i = 1; i < args.count; i += 2) {
    if (database.find(args.buffer, args.start[i], args.end[i]) === 0) continue;
    reply.integer(0);
    return;
  }
  storePairs(session, args);
  reply.integer(1);
}

export const multipleStringCommands: readonly Command[] = [
  {
    name: "MGET",
    arity: -2,
    flags: ["readonly", "fast"],
    group: "string",
    keys: [1, -1, 1],
    since: "1.0.0",
    summary: "Returns the string values of one or more keys.",
    syntax: "key [key ...]",
    run: mget,
  },
  {
    name: "MSET",
    arity: -3,
    flags: ["write", "denyoom"],
    group: "string",
    keys: [1, -1, 2],
    since: "1.0.1",
    summary: "Sets the string values of one or more keys.",
    syntax: "key value [key value ...]",
    run: mset,
  },
  {
    name: "MSETNX",
    arity: -3,
    flags: ["write", "denyoom"],
    group: "string",
    keys: [1, -1, 2],
    since: "1.0.1",
    summary: "Sets the string values of one or more keys, if none of them exists.",
    syntax: "key value [key value ...]",
    run: msetnx,
  },
];
