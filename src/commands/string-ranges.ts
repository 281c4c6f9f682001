/**
 * Parts of strings: read, overwrite, append, measure. What is changed is edited in place; a string grows by whole size
 * classes, so that appending byte by byte does not copy it each time. A JSON value is no string here: WRONGTYPE.
 */
import type { Session } from "../session/session.ts";
import { copyBytes } from "../store/arena.ts";
import { valueAt } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { IndexRange, position } from "./index-range.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import {
  bytesOf,
  editableString,
  editValue,
  requireLength,
  requireString,
  storeString,
  stringSize,
} from "./string-value.ts";

const NO_BYTES = Buffer.alloc(0);
const range = new IndexRange();

function append(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const { arena } = database;
  const entry = database.find(args.buffer, args.start[1], args.end[1]);
  requireString(arena, entry);
  const added = args.size(2);
  if (entry === 0) {
    storeString(session, args, 1, 2, 0, 0);
    tellKey(session, keyEvents.append, args);
    reply.integer(added);
    return;
  }
  const old = stringSize(arena, entry);
  requireLength(old + added);
  overwrite(session, args, editableString(session, args, entry, old + added), old, 2);
  tellKey(session, keyEvents.append, args);
  reply.integer(old + added);
}

/** Writes argument `index` over the value from byte `from` on; the room is there. */
function overwrite(
  session: Session,
  args: Arguments,
  entry: number,
  from: number,
  index: number,
): void {
  const { arena } = session.database;
  const size = args.size(index);
  const bytes = editValue(arena, entry, from, from + size);
  copyBytes(args.buffer, args.start[index], bytes, valueAt(arena, entry) + from, size);
}

function strlen(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const entry = database.read(args.buffer, args.start[1], args.end[1]);
  requireString(database.arena, entry);
  reply.integer(stringSize(database.arena, entry));
}

function getrange(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const isReversed = range.read(args, 2);
  const entry = database.read(args.buffer, args.start[1], args.end[1]);
  requireString(database.arena, entry);
  range.clamp(stringSize(database.arena, entry));
  if (entry === 0 || isReversed || range.isEmpty) {
    reply.bulk(NO_BYTES, 0, 0);
    return;
  }
  const at = valueAt(database.arena, entry);
  reply.bulk(bytesOf(database.arena, entry), at + range.first, at + range.last + 1);
}

function setrange(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const offset = position(args, 2);
  if (offset < 0) throw new CommandError("ERR", "offset is out of range");
  const entry = database.find(args.buffer, args.start[1], args.end[1]);
  requireString(database.arena, entry);
  const old = stringSize(database.arena, entry);
  const added = args.size(3);
  if (added === 0) {
    reply.integer(old);
    return;
  }
  requireLength(offset + added);
  const size = Math.max(old, offset + added);
  overwrite(session, args, editableString(session, args, entry, size), offset, 3);
  tellKey(session, keyEvents.setrange, args);
  reply.integer(size);
}

/** What all commands of this file have in common. */
const STRING_COMMAND = {
  group: "string",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;

export const stringRangeCommands: readonly Command[] = [
  {
    ...STRING_COMMAND,
    name: "APPEND",
    arity: 3,
    flags: ["write", "denyoom", "fast"],
    since: "2.0.0",
    summary: "Appends to the string value of a key, which is created when it does not exist.",
    syntax: "key value",
    run: append,
  },
  {
    ...STRING_COMMAND,
    name: "STRLEN",
    arity: 2,
    flags: ["readonly", "fast"],
    since: "2.2.0",
    summary: "Returns the length of a string value in bytes.",
    syntax: "key",
    run: strlen,
  },
  {
    ...STRING_COMMAND,
    name: "GETRANGE",
    arity: 4,
    flags: ["readonly"],
    since: "2.4.0",
    summary: "Returns a part of a string value.",
    syntax: "key start end",
    run: getrange,
  },
  {
    ...STRING_COMMAND,
    name: "SUBSTR",
    arity: 4,
    flags: ["readonly"],
    since: "1.0.0",
    summary: "Returns a part of a string value; the older name of GETRANGE.",
    syntax: "key start end",
    run: getrange,
  },
  {
    ...STRING_COMMAND,
    name: "SETRANGE",
    arity: 4,
    flags: ["write", "denyoom"],
    since: "2.2.0",
    summary: "Overwrites a part of a string value; a gap before it is filled with zero bytes.",
    syntax: "key offset value",
    run: setrange,
  },
];
