/**
 * Lists at their ends: pushing, popping, moving from one to another. What waits for an element is list-blocking.ts. The records
 * are the commands as they were sent.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import { findList, keyPlace, listsOf, moveElement, popCopies, readEnd } from "./list-value.ts";
import { wrongArity } from "./refusal-words.ts";
import type { Reply } from "./reply.ts";

/** Pushes all arguments behind the key. Without `creates` a key that does not exist stays so. */
function push(atHead: boolean, creates: boolean) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const { database } = session;
    const lists = database.keyspace.collections.lists;
    const { buffer, start, end } = args;
    let entry = findList(session, args, 1);
    if (entry === 0) {
      if (!creates) {
        reply.integer(0);
        return;
      }
      entry = lists.create(database, buffer, start[1], end[1]);
    }
    for (let i = 2; i < args.count; i++) {
      entry = lists.push(database, entry, atHead, buffer, start[i], end[i]);
    }
    tellKey(session, atHead ? keyEvents.lpush : keyEvents.rpush, args);
    reply.integer(lists.count(entry));
  };
}

function pop(atHead: boolean, name: string) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    if (args.count > 2) {
      popMany(session, args, atHead, reply, name);
      return;
    }
    const entry = findList(session, args, 1);
    if (entry === 0) {
      reply.null();
      return;
    }
    tellTaken(session, args, atHead, popOne(session, entry, atHead, reply));
  };
}

/** As `tellPopped`, of the list in argument 1. */
function tellTaken(session: Session, args: Arguments, atHead: boolean, left: number): void {
  tellKey(session, atHead ? keyEvents.lpop : keyEvents.rpop, args);
  if (left === 0) tellKey(session, keyEvents.del, args);
}

/** Answers the element, and removes it. The entry, perhaps moved, is answered; 0: it is gone. */
function popOne(session: Session, entry: number, atHead: boolean, reply: Reply): number {
  const lists = session.database.keyspace.collections.lists;
  lists.peek(entry, atHead);
  reply.bulk(lists.bytes, lists.start, lists.end);
  return lists.drop(session.database, entry, atHead);
}

function popMany(
  session: Session,
  args: Arguments,
  atHead: boolean,
  reply: Reply,
  name: string,
): void {
  if (args.count > 3) {
    throw new CommandError("ERR", wrongArity(name));
  }
  const count = args.integer(2);
  if (!(count >= 0)) throw new CommandError("ERR", "value is out of range, must be positive");
  const entry = findList(session, args, 1);
  if (entry === 0) reply.nullArray();
  else if (count === 0) reply.array(0);
  else {
    tellTaken(session, args, atHead, replyPopped(session, entry, atHead, count, reply));
  }
}

/** Answers up to `count` elements, and removes them. The entry, 0 when it is gone, is answered. */
function replyPopped(
  session: Session,
  entry: number,
  atHead: boolean,
  count: number,
  reply: Reply,
): number {
  const taken = Math.min(count, listsOf(session).count(entry));
  reply.array(taken);
  let at = entry;
  for (let i = 0; i < taken; i++) at = popOne(session, at, atHead, reply);
  return at;
}

function lmove(session: Session, args: Arguments, reply: Reply): void {
  const [fromHead, toHead] = [readEnd(args, 3), readEnd(args, 4)];
  replyMoved(session, args, fromHead, toHead, reply);
}

function rpoplpush(session: Session, args: Arguments, reply: Reply): void {
  replyMoved(session, args, false, true, reply);
}

function replyMoved(
  session: Session,
  args: Arguments,
  fromHead: boolean,
  toHead: boolean,
  reply: Reply,
): void {
  const [from, to] = [keyPlace(session, args, 1), keyPlace(session, args, 2)];
  const moved = moveElement(session, { from, fromHead, to, toHead });
  if (moved === null) reply.null();
  else reply.bulk(moved, 0, moved.length);
}

/** What LMPOP and BLMPOP pop: the keys are arguments [firstKey, firstKey + keyCount). */
export interface MultiplePop {
  readonly firstKey: number;
  readonly keyCount: number;
  readonly atHead: boolean;
  readonly count: number;
}

/** `numkeys key… LEFT | RIGHT [COUNT count]`, from argument `index` on. */
export function readMultiplePop(args: Arguments, index: number): MultiplePop {
  const keyCount = args.integer(index);
  if (!(keyCount > 0)) throw new CommandError("ERR", "numkeys should be greater than 0");
  const end = index + 1 + keyCount;
  if (end >= args.count) throw syntaxError();
  const atHead = readEnd(args, end);
  let count = 0;
  for (let i = end + 1; i < args.count; i += 2) {
    if (count !== 0 || !args.is(i, "COUNT") || i + 1 === args.count) throw syntaxError();
    count = args.integer(i + 1);
    if (!(count > 0)) throw new CommandError("ERR", "count should be greater than 0");
  }
  return { firstKey: index + 1, keyCount, atHead, count: count || 1 };
}

/** Answers key and elements. */
export function replyKeyed(key: Buffer, popped: readonly Buffer[], reply: Reply): void {
  reply.array(2);
  reply.bulk(key, 0, key.length);
  reply.array(popped.length);
  for (const element of popped) reply.bulk(element, 0, element.length);
}

function lmpop(session: Session, args: Arguments, reply: Reply): void {
  const { firstKey, keyCount, atHead, count } = readMultiplePop(args, 1);
  for (let i = firstKey; i < firstKey + keyCount; i++) {
    const entry = findList(session, args, i);
    if (entry === 0) continue;
    const popped = popCopies(session, keyPlace(session, args, i), entry, { atHead, count });
    replyKeyed(args.bytes(i), popped, reply);
    return;
  }
  reply.nullArray();
}

const PUSH = {
  arity: -3,
  flags: ["write", "denyoom", "fast"],
  group: "list",
  keys: [1, 1, 1],
  syntax: "key element [element ...]",
} as const satisfies Partial<Command>;

const POP = {
  arity: -2,
  flags: ["write", "fast"],
  group: "list",
  keys: [1, 1, 1],
  since: "1.0.0",
  syntax: "key [count]",
} as const satisfies Partial<Command>;

export const listEndCommands: readonly Command[] = [
  {
    ...PUSH,
    name: "LPUSH",
    since: "1.0.0",
    summary: "Adds elements at the head of a list, one after the other.",
    run: push(true, true),
  },
  {
    ...PUSH,
    name: "RPUSH",
    since: "1.0.0",
    summary: "Adds elements at the tail of a list.",
    run: push(false, true),
  },
  {
    ...PUSH,
    name: "LPUSHX",
    since: "2.2.0",
    summary: "Adds elements at the head of a list that exists.",
    run: push(true, false),
  },
  {
    ...PUSH,
    name: "RPUSHX",
    since: "2.2.0",
    summary: "Adds elements at the tail of a list that exists.",
    run: push(false, false),
  },
  {
    ...POP,
    name: "LPOP",
    summary: "Removes and returns elements from the head of a list.",
    run: pop(true, "lpop"),
  },
  {
    ...POP,
    name: "RPOP",
    summary: "Removes and returns elements from the tail of a list.",
    run: pop(false, "rpop"),
  },
  {
    name: "LMOVE",
    arity: 5,
    flags: ["write", "denyoom"],
    group: "list",
    keys: [1, 2, 1],
    since: "6.2.0",
    summary: "Moves an element from an end of a list to an end of another one, and returns it.",
    syntax: "source destination <LEFT | RIGHT> <LEFT | RIGHT>",
    run: lmove,
  },
  {
    name: "RPOPLPUSH",
    arity: 3,
    flags: ["write", "denyoom"],
    group: "list",
    keys: [1, 2, 1],
    since: "1.2.0",
    summary: "Moves the last element of a list to the head of another one, and returns it.",
    syntax: "source destination",
    run: rpoplpush,
  },
  {
    name: "LMPOP",
    arity: -4,
    flags: ["write", "movablekeys"],
    group: "list",
    keysCountedAt: 1,
    since: "7.0.0",
    summary: "Removes and returns elements of the first list that exists.",
    syntax: "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
    run: lmpop,
  },
];
