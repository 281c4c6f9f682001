/** Lists element by element: length, ranges, and what is changed at a position. The records are the commands as they were sent. */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, noSuchKey, syntaxError } from "./command-error.ts";
import { position } from "./index-range.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import { findElement } from "./list-search.ts";
import { findList, listsOf, readList } from "./list-value.ts";
import { type Reply, replyStrings } from "./reply.ts";

/** Elements that are read before they are answered: they, and where they are, stay in the first cache. */
const SPAN_COUNT = 256;
const spans = new Int32Array(2 * SPAN_COUNT);

function llen(session: Session, args: Arguments, reply: Reply): void {
  const entry = readList(session, args, 1);
  reply.integer(entry === 0 ? 0 : listsOf(session).count(entry));
}

function lrange(session: Session, args: Arguments, reply: Reply): void {
  const [from, to] = [position(args, 2), position(args, 3)];
  const entry = readList(session, args, 1);
  const lists = listsOf(session);
  const count = entry === 0 ? 0 : lists.count(entry);
  const first = Math.max(0, from < 0 ? count + from : from);
  const last = Math.min(count - 1, to < 0 ? count + to : to);
  if (first > last) {
    reply.array(0);
    return;
  }
  const { cursor } = lists;
  cursor.seek(entry, first);
  reply.array(last - first + 1);
  for (let left = last - first + 1; left > 0; ) {
    const count = cursor.take(spans, Math.min(left, SPAN_COUNT));
    replyStrings(reply, cursor.bytes, spans, count);
    left -= count;
  }
}

/** The number, from the head, of the element that argument `index` names in a list of `count`; -1: there is none. */
function elementAt(args: Arguments, index: number, count: number): number {
  const at = position(args, index);
  const fromHead = at < 0 ? count + at : at;
  return fromHead >= 0 && fromHead < count ? fromHead : -1;
}

function lindex(session: Session, args: Arguments, reply: Reply): void {
  const entry = readList(session, args, 1);
  if (entry === 0) {
    reply.null();
    return;
  }
  const lists = listsOf(session);
  const index = elementAt(args, 2, lists.count(entry));
  if (index < 0) {
    reply.null();
    return;
  }
  const { cursor } = lists;
  cursor.seek(entry, index);
  cursor.next();
  reply.bulk(cursor.bytes, cursor.start, cursor.end);
}

function lset(session: Session, args: Arguments, reply: Reply): void {
  const entry = findList(session, args, 1);
  if (entry === 0) throw noSuchKey();
  const lists = listsOf(session);
  const index = elementAt(args, 2, lists.count(entry));
  if (index < 0) throw new CommandError("ERR", "index out of range");
  lists.set(session.database, entry, index, args.buffer, args.start[3], args.end[3]);
  tellKey(session, keyEvents.lset, args);
  reply.ok();
}

function linsert(session: Session, args: Arguments, reply: Reply): void {
  const isBehind = args.is(2, "AFTER");
  if (!isBehind && !args.is(2, "BEFORE")) throw syntaxError();
  const entry = findList(session, args, 1);
  if (entry === 0) {
    reply.integer(0);
    return;
  }
  const lists = listsOf(session);
  const pivot = findElement(lists, entry, args, 3);
  if (pivot < 0) {
    reply.integer(-1);
    return;
  }
  const { database } = session;
  const { buffer, start, end } = args;
  const index = isBehind ? pivot + 1 : pivot;
  const changed =
    index === lists.count(entry)
      ? lists.push(database, entry, false, buffer, start[4], end[4])
      : lists.insert(database, entry, index, buffer, start[4], end[4]);
  tellKey(session, keyEvents.linsert, args);
  reply.integer(lists.count(changed));
}

function lrem(session: Session, args: Arguments, reply: Reply): void {
  const count = position(args, 2);
  const entry = findList(session, args, 1);
  if (entry === 0) {
    reply.integer(0);
    return;
  }
  const lists = listsOf(session);
  const most = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count);
  const { buffer, start, end } = args;
  const { database } = session;
  const fromHead = count >= 0;
  const left = lists.removeEqual(database, entry, most, fromHead, buffer, start[3], end[3]);
  if (lists.removedCount > 0) tellKey(session, keyEvents.lrem, args);
  if (left === 0) tellKey(session, keyEvents.del, args);
  reply.integer(lists.removedCount);
}

function ltrim(session: Session, args: Arguments, reply: Reply): void {
  const [from, to] = [position(args, 2), position(args, 3)];
  const entry = findList(session, args, 1);
  if (entry !== 0) {
    const lists = listsOf(session);
    const count = lists.count(entry);
    const first = Math.max(0, from < 0 ? count + from : from);
    const last = Math.min(count - 1, to < 0 ? count + to : to);
    const left = lists.trim(session.database, entry, first, last);
    tellKey(session, keyEvents.ltrim, args);
    if (left === 0) tellKey(session, keyEvents.del, args);
  }
  reply.ok();
}

/** What all commands of this file have in common. */
const ONE_LIST = { group: "list", keys: [1, 1, 1] } as const satisfies Partial<Command>;

export const listElementCommands: readonly Command[] = [
  {
    ...ONE_LIST,
    name: "LLEN",
    arity: 2,
    flags: ["readonly", "fast"],
    since: "1.0.0",
    summary: "Returns the number of elements of a list.",
    syntax: "key",
    run: llen,
  },
  {
    ...ONE_LIST,
    name: "LRANGE",
    arity: 4,
    flags: ["readonly"],
    since: "1.0.0",
    summary: "Returns the elements of a list between two positions.",
    syntax: "key start stop",
    run: lrange,
  },
  {
    ...ONE_LIST,
    name: "LINDEX",
    arity: 3,
    flags: ["readonly"],
    since: "1.0.0",
    summary: "Returns the element of a list at a position.",
    syntax: "key index",
    run: lindex,
  },
  {
    ...ONE_LIST,
    name: "LSET",
    arity: 4,
    flags: ["write", "denyoom"],
    since: "1.0.0",
    summary: "Sets the element of a list at a position.",
    syntax: "key index element",
    run: lset,
  },
  {
    ...ONE_LIST,
    name: "LINSERT",
    arity: 5,
    flags: ["write", "denyoom"],
    since: "2.2.0",
    summary: "Adds an element to a list before or behind another one.",
    syntax: "key <BEFORE | AFTER> pivot element",
    run: linsert,
  },
  {
    ...ONE_LIST,
    name: "LREM",
    arity: 4,
    flags: ["write"],
    since: "1.0.0",
    summary: "Removes elements that are equal to one from a list, counted from either end.",
    syntax: "key count element",
    run: lrem,
  },
  {
    ...ONE_LIST,
    name: "LTRIM",
    arity: 4,
    flags: ["write"],
    since: "1.0.0",
    summary: "Removes from a list what is not between two positions.",
    syntax: "key start stop",
    run: ltrim,
  },
];
