/** LPOS, and looking for an element in a list: from an end, one by one. */
import type { Session } from "../session/session.ts";
import { sameBytes } from "../store/arena.ts";
import type { ListCursor } from "../store/list-cursor.ts";
import type { Lists } from "../store/lists.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import { listsOf, readList } from "./list-value.ts";
import type { Reply } from "./reply.ts";

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** The number of the first element that equals argument `element`; -1: there is none. */
export function findElement(lists: Lists, entry: number, args: Arguments, element: number): number {
  const { cursor } = lists;
  const count = lists.count(entry);
  cursor.seek(entry, 0);
  for (let i = 0; i < count; i++) {
    cursor.next();
    if (isElement(cursor, args, element)) return i;
  }
  return -1;
}

function isElement(cursor: ListCursor, args: Arguments, element: number): boolean {
  const size = cursor.end - cursor.start;
  if (size !== args.size(element)) return false;
  return sameBytes(cursor.bytes, cursor.start, args.buffer, args.start[element], size);
}

interface SearchOptions {
  /** The first match that counts: 1 is the first one from the head, -1 from the tail. */
  readonly rank: number;
  /** How many matches are answered, 0: all; null: one, by itself. */
  readonly count: number | null;
  /** How many elements are looked at; 0: all. */
  readonly maxLength: number;
}

function searchOptions(args: Arguments): SearchOptions {
  let rank = 1;
  let count: number | null = null;
  let maxLength = 0;
  for (let i = 3; i < args.count; i += 2) {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "RANK")) rank = readRank(args, i + 1);
    else if (args.is(i, "COUNT")) count = readNotNegative(args, i + 1, "COUNT");
    else if (args.is(i, "MAXLEN")) maxLength = readNotNegative(args, i + 1, "MAXLEN");
    else throw syntaxError();
  }
  return { rank, count, maxLength };
}

function readRank(args: Arguments, index: number): number {
  const rank = args.integer(index);
  if (Number.isNaN(rank)) throw notAnInteger();
  // As since Redis 7.2; before, this one number counted as -1.
  if (args.int64(index) === MIN_INT64) {
    throw new CommandError(
      "ERR",
      `value is out of range, must be between ${-MAX_INT64} and ${MAX_INT64}`,
    );
  }
  if (rank !== 0) return rank;
  throw new CommandError(
    "ERR",
    "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
  );
}

function readNotNegative(args: Arguments, index: number, name: string): number {
  const value = args.integer(index);
  if (value >= 0) return value;
  throw new CommandError("ERR", `${name} can't be negative`);
}

function lpos(session: Session, args: Arguments, reply: Reply): void {
  const options = searchOptions(args);
  const entry = readList(session, args, 1);
  const found = entry === 0 ? [] : matches(listsOf(session), entry, args, options);
  if (options.count !== null) {
    reply.array(found.length);
    for (const index of found) reply.integer(index);
  } else if (found.length === 0) reply.null();
  else reply.integer(found[0]);
}

function matches(lists: Lists, entry: number, args: Arguments, options: SearchOptions): number[] {
  const { rank, maxLength } = options;
  const { cursor } = lists;
  const length = lists.count(entry);
  const wanted = options.count === null ? 1 : options.count || length;
  const looked = maxLength === 0 ? length : Math.min(maxLength, length);
  const found: number[] = [];
  let toPass = Math.abs(rank) - 1;
  if (rank > 0) cursor.seek(entry, 0);
  else cursor.seekBack(entry, length - 1);
  for (let i = 0; i < looked && found.length < wanted; i++) {
    if (rank > 0) cursor.next();
    else cursor.previous();
    if (!isElement(cursor, args, 2)) continue;
    if (toPass > 0) toPass--;
    else found.push(rank > 0 ? i : length - 1 - i);
  }
  return found;
}

export const listSearchCommands: readonly Command[] = [
  {
    name: "LPOS",
    arity: -3,
    flags: ["readonly"],
    group: "list",
    keys: [1, 1, 1],
    since: "6.0.6",
    summary: "Returns where in a list an element is.",
    syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
    run: lpos,
  },
];
