/**
 * Several sets at once: intersection, union, difference, answered or stored. Which members those are is found in
 * store/set-algebra.ts. The records of the STORE forms are the commands as they were sent, since nothing in them is random.
 */

import type { KeyEvent } from "../pubsub/event-names.ts";
import type { Session } from "../session/session.ts";
import type { SetAlgebra } from "../store/set-algebra.ts";
import { Member } from "../store/set-member.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { roomForMembers } from "./growth.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { readSet, replyMember } from "./set-value.ts";

/** The member in hand. */
const member = new Member();

/** The entries of the sets under the arguments [from, to); 0 where there is none. */
function readSets(session: Session, args: Arguments, from: number, to: number): number[] {
  const entries: number[] = [];
  for (let i = from; i < to; i++) entries.push(readSet(session, args, i));
  return entries;
}

function algebraOf({ database }: Session): SetAlgebra {
  return database.keyspace.collections.setAlgebra;
}

// ---- finding ----

/** Whether the sets have members in common at all; leaves them in `algebra`. */
function intersect(algebra: SetAlgebra, entries: number[], limit?: number): boolean {
  if (entries.includes(0)) return false;
  algebra.intersect(entries, limit);
  return true;
}

interface Difference {
  readonly first: number;
  /** Without those that do not exist. */
  readonly others: number[];
}

/** Null when nothing can be left. */
function differenceOf(entries: readonly number[]): Difference | null {
  const [first = 0, ...rest] = entries;
  const others = rest.filter((entry) => entry !== 0);
  return first === 0 || others.includes(first) ? null : { first, others };
}

// ---- answering ----

function sinter(session: Session, args: Arguments, reply: Reply): void {
  const entries = readSets(session, args, 1, args.count);
  const algebra = algebraOf(session);
  if (intersect(algebra, entries)) replyFound(session, algebra, reply);
  else reply.set(0);
}

function sunion(session: Session, args: Arguments, reply: Reply): void {
  const entries = readSets(session, args, 1, args.count).filter((entry) => entry !== 0);
  replyDraft(session, algebraOf(session).draftUnion(session.database, entries), reply);
}

function sdiff(session: Session, args: Arguments, reply: Reply): void {
  const difference = differenceOf(readSets(session, args, 1, args.count));
  if (difference === null) {
    reply.set(0);
    return;
  }
  const { first, others } = difference;
  const algebra = algebraOf(session);
  if (algebra.isSubtractedFromCopy(first, others)) {
    replyDraft(session, algebra.draftDifference(session.database, first, others), reply);
    return;
  }
  algebra.subtract(first, others);
  replyFound(session, algebra, reply);
}

function replyFound(session: Session, algebra: SetAlgebra, reply: Reply): void {
  const { sets } = session.database.keyspace.collections;
  reply.set(algebra.count);
  for (let i = 0; i < algebra.count; i++) {
    sets.read(algebra.base, algebra.handles[i], member);
    replyMember(member, reply);
  }
}

function replyDraft(session: Session, root: number, reply: Reply): void {
  const { sets, setAlgebra, setWalk: walk } = session.database.keyspace.collections;
  reply.set(sets.big.count(root));
  walk.beginStructure(root);
  while (walk.next()) replyMember(walk.member, reply);
  setAlgebra.drafts.discard(session.database, root);
}

function sintercard(session: Session, args: Arguments, reply: Reply): void {
  const count = readKeyCount(args);
  const limit = readLimit(args, 2 + count);
  const algebra = algebraOf(session);
  const entries = readSets(session, args, 2, 2 + count);
  reply.integer(intersect(algebra, entries, limit) ? algebra.count : 0);
}

function readKeyCount(args: Arguments): number {
  const count = args.integer(1);
  if (!(count > 0)) throw new CommandError("ERR", "numkeys should be greater than 0");
  if (count > args.count - 2) {
    throw new CommandError("ERR", "Number of keys can't be greater than number of args");
  }
  return count;
}

function readLimit(args: Arguments, from: number): number {
  let limit = 0;
  for (let i = from; i < args.count; i += 2) {
    if (!args.is(i, "LIMIT") || i + 1 === args.count) throw syntaxError();
    limit = args.integer(i + 1);
    if (!(limit >= 0)) throw new CommandError("ERR", "LIMIT can't be negative");
  }
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
}

// ---- storing ----

function sinterstore(session: Session, args: Arguments, reply: Reply): void {
  const entries = readSets(session, args, 2, args.count);
  const algebra = algebraOf(session);
  if (intersect(algebra, entries)) storeFound(session, args, keyEvents.sinterstore, algebra, reply);
  else storeNothing(session, args, reply);
}

function sunionstore(session: Session, args: Arguments, reply: Reply): void {
  const entries = readSets(session, args, 2, args.count).filter((entry) => entry !== 0);
  const algebra = algebraOf(session);
  const { database } = session;
  const target = findTarget(session, args);
  const room = roomForMembers(session, entries);
  if (entries.length === 0) storeNothing(session, args, reply);
  else if (entries.includes(target) || room !== null) {
    const root = algebra.draftUnion(database, entries, room);
    storeDraft(session, args, keyEvents.sunionstore, { root, mayBeIntegers: true }, reply);
  } else {
    algebra.addUnion(database, emptied(session, args, target), entries);
    replyCount(session, args, keyEvents.sunionstore, reply);
  }
}

function sdiffstore(session: Session, args: Arguments, reply: Reply): void {
  const difference = differenceOf(readSets(session, args, 2, args.count));
  const algebra = algebraOf(session);
  if (difference === null) {
    storeNothing(session, args, reply);
    return;
  }
  const { first, others } = difference;
  if (algebra.isSubtractedFromCopy(first, others)) {
    const mayBeIntegers = algebra.isOfIntegers(first);
    const room = roomForMembers(session, [first]);
    const root = algebra.draftDifference(session.database, first, others, room);
    storeDraft(session, args, keyEvents.sdiffstore, { root, mayBeIntegers }, reply);
    return;
  }
  algebra.subtract(first, others);
  storeFound(session, args, keyEvents.sdiffstore, algebra, reply);
}

/** The entry of the key in argument 1, whatever its type. */
function findTarget({ database }: Session, args: Arguments): number {
  return database.find(args.buffer, args.start[1], args.end[1]);
}

/** Makes the key in argument 1, whose look-up was the last and answered `entry`, an empty set. */
function emptied({ database }: Session, args: Arguments, entry: number): number {
  const { sets } = database.keyspace.collections;
  return sets.replace(database, entry, args.buffer, args.start[1], args.end[1]);
}

/** The set is stored. */
function replyCount(session: Session, args: Arguments, event: KeyEvent, reply: Reply): void {
  tellKey(session, event, args);
  const { sets } = session.database.keyspace.collections;
  reply.integer(sets.count(findTarget(session, args)));
}

function storeNothing(session: Session, args: Arguments, reply: Reply): void {
  const entry = findTarget(session, args);
  if (entry !== 0) {
    session.database.remove(entry);
    tellKey(session, keyEvents.del, args);
  }
  reply.integer(0);
}

/**
 * Stores what `algebra` has found. A target that is the set it was found in is replaced when all is copied, and so is any
 * when there may be no room for all.
 */
function storeFound(
  session: Session,
  args: Arguments,
  event: KeyEvent,
  algebra: SetAlgebra,
  reply: Reply,
): void {
  const { database } = session;
  const target = findTarget(session, args);
  const room = roomForMembers(session, [algebra.base]);
  if (algebra.count === 0) storeNothing(session, args, reply);
  else if (target === algebra.base || room !== null) {
    const root = algebra.draftFound(database, member, room);
    storeDraft(session, args, event, { root, mayBeIntegers: true }, reply);
  } else {
    algebra.addFound(database, emptied(session, args, target), member);
    replyCount(session, args, event, reply);
  }
}

/** Lets the draft be the value of the key in argument 1, and answers how many members it has. */
function storeDraft(
  session: Session,
  args: Arguments,
  event: KeyEvent,
  { root, mayBeIntegers }: { readonly root: number; readonly mayBeIntegers: boolean },
  reply: Reply,
): void {
  const { database } = session;
  const { sets, setAlgebra } = database.keyspace.collections;
  const [from, to] = [args.start[1], args.end[1]];
  const count = sets.big.count(root);
  const entry = findTarget(session, args);
  setAlgebra.drafts.adopt(database, entry, args.buffer, from, to, root, mayBeIntegers);
  if (count > 0) tellKey(session, event, args);
  else if (entry !== 0) tellKey(session, keyEvents.del, args);
  reply.integer(count);
}

/** What the commands that answer, and those that store, have in common. */
const READING = {
  arity: -2,
  flags: ["readonly"],
  group: "set",
  keys: [1, -1, 1],
  since: "1.0.0",
  syntax: "key [key ...]",
} as const satisfies Partial<Command>;

const STORING = {
  arity: -3,
  flags: ["write", "denyoom"],
  group: "set",
  keys: [1, -1, 1],
  since: "1.0.0",
  syntax: "destination key [key ...]",
} as const satisfies Partial<Command>;

export const setCombinationCommands: readonly Command[] = [
  {
    ...READING,
    name: "SINTER",
    summary: "Returns the members that all of the sets have.",
    run: sinter,
  },
  {
    ...READING,
    name: "SUNION",
    summary: "Returns the members that any of the sets has.",
    run: sunion,
  },
  {
    ...READING,
    name: "SDIFF",
    summary: "Returns the members of the first set that no other one has.",
    run: sdiff,
  },
  {
    name: "SINTERCARD",
    arity: -3,
    flags: ["readonly", "movablekeys"],
    group: "set",
    keysCountedAt: 1,
    since: "7.0.0",
    summary: "Returns how many members all of the sets have, counting no further than the limit.",
    syntax: "numkeys key [key ...] [LIMIT limit]",
    run: sintercard,
  },
  {
    ...STORING,
    name: "SINTERSTORE",
    summary: "Stores the members that all of the sets have.",
    run: sinterstore,
  },
  {
    ...STORING,
    name: "SUNIONSTORE",
    summary: "Stores the members that any of the sets has.",
    run: sunionstore,
  },
  {
    ...STORING,
    name: "SDIFFSTORE",
    summary: "Stores the members of the first set that no other one has.",
    run: sdiffstore,
  },
];
