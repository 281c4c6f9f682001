/**
 * Sets member by member: adding, removing, asking, listing. Random members are in set-random.ts, several sets at once in
 * set-combination.ts. The records are the commands as they were sent.
 */
import type { Session } from "../session/session.ts";
import { encodingOf, INTEGERS, STRUCTURE, valueWord } from "../store/entry.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { Member } from "../store/set-member.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { type ElementScan, elementScan } from "./element-scan.ts";
import { matchGlob } from "./glob.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import { type Reply, StringRow } from "./reply.ts";
import { scanCursor } from "./scan.ts";
import { findSet, readSet, replyMember } from "./set-value.ts";

const HASHES = 2 ** 32;
const row = new StringRow();

function sadd(session: Session, args: Arguments, reply: Reply): void {
  let entry = findSet(session, args, 1);
  let added = 0;
  for (let i = 2; i < args.count; i++) {
    entry = addMember(session, args, 1, entry, i);
    if (session.database.keyspace.collections.sets.hasChanged) added++;
  }
  if (added > 0) tellKey(session, keyEvents.sadd, args);
  reply.integer(added);
}

/** Adds argument `member` to the set under argument `key`, whose look-up was the last and answered `entry`. */
function addMember(
  session: Session,
  args: Arguments,
  key: number,
  entry: number,
  member: number,
): number {
  const { database } = session;
  const { sets } = database.keyspace.collections;
  const { buffer, start, end } = args;
  if (entry !== 0) return sets.add(database, entry, buffer, start[member], end[member]);
  return sets.create(database, buffer, start[key], end[key], buffer, start[member], end[member]);
}

function srem(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const { sets } = database.keyspace.collections;
  let entry = findSet(session, args, 1);
  let removed = 0;
  for (let i = 2; i < args.count && entry !== 0; i++) {
    entry = sets.remove(database, entry, args.buffer, args.start[i], args.end[i]);
    if (sets.hasChanged) removed++;
  }
  if (removed > 0) tellKey(session, keyEvents.srem, args);
  if (removed > 0 && entry === 0) tellKey(session, keyEvents.del, args);
  reply.integer(removed);
}

function smove(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const { sets } = database.keyspace.collections;
  const { buffer, start, end } = args;
  const source = findSet(session, args, 1);
  if (source === 0) {
    reply.integer(0);
    return;
  }
  const target = findSet(session, args, 2);
  if (target === source || !sets.has(source, buffer, start[3], end[3])) {
    reply.integer(sets.has(source, buffer, start[3], end[3]) ? 1 : 0);
    return;
  }
  const left = sets.remove(database, findSet(session, args, 1), buffer, start[3], end[3]);
  tellKey(session, keyEvents.srem, args, 1);
  if (left === 0) tellKey(session, keyEvents.del, args, 1);
  addMember(session, args, 2, findSet(session, args, 2), 3);
  if (sets.hasChanged) tellKey(session, keyEvents.sadd, args, 2);
  reply.integer(1);
}

function scard(session: Session, args: Arguments, reply: Reply): void {
  const entry = readSet(session, args, 1);
  reply.integer(session.database.keyspace.collections.sets.count(entry));
}

function isMember(session: Session, entry: number, args: Arguments, index: number): boolean {
  const { sets } = session.database.keyspace.collections;
  return entry !== 0 && sets.has(entry, args.buffer, args.start[index], args.end[index]);
}

function sismember(session: Session, args: Arguments, reply: Reply): void {
  reply.integer(isMember(session, readSet(session, args, 1), args, 2) ? 1 : 0);
}

function smismember(session: Session, args: Arguments, reply: Reply): void {
  const entry = readSet(session, args, 1);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) reply.integer(isMember(session, entry, args, i) ? 1 : 0);
}

function smembers(session: Session, args: Arguments, reply: Reply): void {
  const entry = readSet(session, args, 1);
  const { keyspace } = session.database;
  reply.set(keyspace.collections.sets.count(entry));
  if (entry !== 0) replyMembers(keyspace, entry, reply);
}

/** Answers all members; who calls has announced how many. */
export function replyMembers(keyspace: Keyspace, entry: number, reply: Reply): void {
  const { setWalk: walk } = keyspace.collections;
  walk.begin(entry);
  if (encodingOf(keyspace.arena, entry) === INTEGERS) {
    while (walk.next()) replyMember(walk.member, reply);
    return;
  }
  const { member } = walk;
  row.begin();
  while (walk.next()) row.add(reply, member.bytes, member.start, member.end);
  row.end(reply);
}

function sscan(session: Session, args: Arguments, reply: Reply): void {
  const cursor = scanCursor(args, 2);
  const entry = readSet(session, args, 1);
  const handles: number[] = [];
  let next = 0;
  const member = new Member();
  const { sets } = session.database.keyspace.collections;
  if (entry !== 0) {
    const scan = elementScan(args);
    const found: number[] = [];
    next = collect(session, entry, cursor, scan.count, found);
    for (const handle of found) {
      sets.read(entry, handle, member);
      if (matches(member, args, scan)) handles.push(handle);
    }
  }
  reply.array(2);
  reply.text(String(next));
  reply.array(handles.length);
  for (const handle of handles) {
    sets.read(entry, handle, member);
    replyMember(member, reply);
  }
}

/** Puts the handles of some members into `found`; answers the next cursor. */
function collect(
  session: Session,
  entry: number,
  cursor: number,
  count: number,
  found: number[],
): number {
  const { keyspace, arena } = session.database;
  const { sets, setWalk: walk } = keyspace.collections;
  if (encodingOf(arena, entry) === STRUCTURE) {
    // Beyond the last hash there is nothing: such a cursor was never handed out.
    return cursor < HASHES ? sets.big.scan(valueWord(arena, entry), cursor, count, found) : 0;
  }
  walk.begin(entry);
  while (walk.next()) found.push(walk.member.handle);
  return 0;
}

function matches({ bytes, start, end }: Member, args: Arguments, { pattern }: ElementScan) {
  if (pattern === 0) return true;
  return matchGlob(args.buffer, args.start[pattern], args.end[pattern], bytes, start, end);
}

/** What all commands of this file have in common. */
const SET_COMMAND = {
  group: "set",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;

export const setMemberCommands: readonly Command[] = [
  {
    ...SET_COMMAND,
    name: "SADD",
    arity: -3,
    flags: ["write", "denyoom", "fast"],
    since: "1.0.0",
    summary: "Adds members to a set and returns how many are new.",
    syntax: "key member [member ...]",
    run: sadd,
  },
  {
    ...SET_COMMAND,
    name: "SREM",
    arity: -3,
    flags: ["write", "fast"],
    since: "1.0.0",
    summary: "Removes members from a set and returns how many it had.",
    syntax: "key member [member ...]",
    run: srem,
  },
  {
    ...SET_COMMAND,
    name: "SMOVE",
    arity: 4,
    flags: ["write", "fast"],
    keys: [1, 2, 1],
    since: "1.0.0",
    summary: "Moves a member from one set to another.",
    syntax: "source destination member",
    run: smove,
  },
  {
    ...SET_COMMAND,
    name: "SCARD",
    arity: 2,
    flags: ["readonly", "fast"],
    since: "1.0.0",
    summary: "Returns how many members a set has.",
    syntax: "key",
    run: scard,
  },
  {
    ...SET_COMMAND,
    name: "SISMEMBER",
    arity: 3,
    flags: ["readonly", "fast"],
    since: "1.0.0",
    summary: "Returns whether a set has a member.",
    syntax: "key member",
    run: sismember,
  },
  {
    ...SET_COMMAND,
    name: "SMISMEMBER",
    arity: -3,
    flags: ["readonly", "fast"],
    since: "6.2.0",
    summary: "Returns of each of the members whether a set has it.",
    syntax: "key member [member ...]",
    run: smismember,
  },
  {
    ...SET_COMMAND,
    name: "SMEMBERS",
    arity: 2,
    flags: ["readonly"],
    since: "1.0.0",
    summary: "Returns all members of a set.",
    syntax: "key",
    run: smembers,
  },
  {
    ...SET_COMMAND,
    name: "SSCAN",
    arity: -3,
    flags: ["readonly"],
    since: "2.8.0",
    summary: "Returns some members of a set and the cursor that continues with the next ones.",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    run: sscan,
  },
];
