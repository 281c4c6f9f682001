/**
 * Keys one by one, whatever they hold: removing them, whether they exist, of which type they are. What changes a key's
 * name is in key-moves.ts, its time to live in expiry.ts; what goes over all keys is in scan.ts.
 */

import type { Session } from "../session/session.ts";
import { TYPE_NAMES, typeOf } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";

/** DEL and UNLINK alike: freeing never takes long enough to be put off. */
function remove(session: Session, args: Arguments, reply: Reply): void {
  const database = session.database;
  let removed = 0;
  for (let i = 1; i < args.count; i++) {
    const entry = database.find(args.buffer, args.start[i], args.end[i]);
    if (entry === 0) continue;
    database.remove(entry);
    tellKey(session, keyEvents.del, args, i);
    removed++;
  }
  reply.integer(removed);
}

/** A key named twice counts twice. */
function exists(session: Session, args: Arguments, reply: Reply): void {
  const database = session.database;
  let existing = 0;
  for (let i = 1; i < args.count; i++) {
    if (database.look(args.buffer, args.start[i], args.end[i]) !== 0) existing++;
  }
  reply.integer(existing);
}

/** The same, and each of them counts as used. */
function touch(session: Session, args: Arguments, reply: Reply): void {
  const database = session.database;
  let touched = 0;
  for (let i = 1; i < args.count; i++) {
    if (database.read(args.buffer, args.start[i], args.end[i]) !== 0) touched++;
  }
  reply.integer(touched);
}

function type(session: Session, args: Arguments, reply: Reply): void {
  const database = session.database;
  const entry = database.look(args.buffer, args.start[1], args.end[1]);
  reply.status(entry === 0 ? "none" : TYPE_NAMES[typeOf(database.arena, entry)]);
}

export const keyCommands: readonly Command[] = [
  {
    name: "DEL",
    arity: -2,
    flags: ["write"],
    group: "generic",
    keys: [1, -1, 1],
    since: "1.0.0",
    summary: "Removes keys.",
    syntax: "key [key ...]",
    run: remove,
  },
  {
    name: "UNLINK",
    arity: -2,
    flags: ["write", "fast"],
    group: "generic",
    keys: [1, -1, 1],
    since: "4.0.0",
    summary: "Removes keys; memory of big values is freed in the background.",
    syntax: "key [key ...]",
    run: remove,
  },
  {
    name: "EXISTS",
    arity: -2,
    flags: ["readonly", "fast"],
    group: "generic",
    keys: [1, -1, 1],
    since: "1.0.0",
    summary: "Counts how many of the keys exist.",
    syntax: "key [key ...]",
    run: exists,
  },
  {
    name: "TOUCH",
    arity: -2,
    flags: ["readonly", "fast"],
    group: "generic",
    keys: [1, -1, 1],
    since: "3.2.1",
    summary: "Counts the keys that exist and notes them as used just now.",
    syntax: "key [key ...]",
    run: touch,
  },
  {
    name: "TYPE",
    arity: 2,
    flags: ["readonly", "fast"],
    group: "generic",
    keys: [1, 1, 1],
    since: "1.0.0",
    summary: "Returns the type of a key's value.",
    syntax: "key",
    run: type,
  },
];
