/**
 * Random members: SPOP takes them out, SRANDMEMBER only looks. Each member is as likely as any other.
 *
 * Records: SPOP becomes SREM of what it took, in commands of at most 1024 members, or DEL when it took all.
 */

import type { Random } from "../platform/random.ts";
import type { Session } from "../session/session.ts";
import { Member } from "../store/set-member.ts";
import type { Sets } from "../store/sets.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { replyMembers } from "./set-members.ts";
import { findSet, readSet, replyMember } from "./set-value.ts";
import { recordRemoval } from "./string-effects.ts";

const SREM = Buffer.from("SREM");
/** Members of one SREM in a record. */
const RECORDED_AT_ONCE = 1024;
/** Up to so many times the members that are asked for, all are gathered, instead of picking until enough are different. */
const GATHERED_FACTOR = 3;
/** Repetitions that one SRANDMEMBER answers at most; Redis would write until its memory ends. */
const MOST_REPETITIONS = 2 ** 31 - 1;

/** The member in hand, and what picks: set by each command, so that none makes objects. */
const member = new Member();
let random: Pick<Random, "below">;
const below = (bound: number) => random.below(bound);

function spop(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 2) {
    popSeveral(session, args, reply);
    return;
  }
  const { database } = session;
  const { sets } = database.keyspace.collections;
  const entry = findSet(session, args, 1);
  if (entry === 0) {
    reply.null();
    return;
  }
  ({ random } = database.keyspace);
  sets.pick(entry, below, member);
  replyMember(member, reply);
  beginRecord(session, args, 1);
  recordMember(session);
  tellPopped(session, args, sets.removeFound(database, entry, member.handle));
}

/** `left`: the entry; 0: it is gone. */
function tellPopped(session: Session, args: Arguments, left: number): void {
  tellKey(session, keyEvents.spop, args);
  if (left === 0) tellKey(session, keyEvents.del, args);
}

function popSeveral(session: Session, args: Arguments, reply: Reply): void {
  if (args.count > 3) throw syntaxError();
  const count = args.integer(2);
  if (!(count >= 0)) throw new CommandError("ERR", "value is out of range, must be positive");
  const { database } = session;
  const { sets } = database.keyspace.collections;
  let entry = findSet(session, args, 1);
  const size = sets.count(entry);
  reply.set(Math.min(count, size));
  if (size === 0 || count === 0) return;
  if (count >= size) {
    replyMembers(database.keyspace, entry, reply);
    database.remove(entry);
    tellPopped(session, args, 0);
    recordRemoval(session, args);
    return;
  }
  ({ random } = database.keyspace);
  for (let i = 0; i < count; i++) {
    sets.pick(entry, below, member);
    replyMember(member, reply);
    if (i % RECORDED_AT_ONCE === 0) {
      beginRecord(session, args, Math.min(RECORDED_AT_ONCE, count - i));
    }
    recordMember(session);
    entry = sets.removeFound(database, entry, member.handle);
  }
  tellPopped(session, args, entry);
}

function beginRecord(session: Session, args: Arguments, members: number): void {
  const { effects } = session.server;
  effects.command(2 + members);
  effects.bytes(SREM, 0, SREM.length);
  effects.bytes(args.buffer, args.start[1], args.end[1]);
}

function recordMember(session: Session): void {
  session.server.effects.bytes(member.bytes, member.start, member.end);
}

function srandmember(session: Session, args: Arguments, reply: Reply): void {
  const { keyspace } = session.database;
  const { sets } = keyspace.collections;
  ({ random } = keyspace);
  if (args.count > 3) throw syntaxError();
  const count = args.count === 3 ? readCount(args) : 0;
  const entry = readSet(session, args, 1);
  if (args.count === 2) {
    if (entry === 0) reply.null();
    else replyPicked(sets, entry, reply);
  } else if (entry === 0 || count === 0) reply.array(0);
  else if (count < 0) {
    reply.array(-count);
    for (let i = 0; i < -count; i++) replyPicked(sets, entry, reply);
  } else if (count >= sets.count(entry)) {
    reply.array(sets.count(entry));
    replyMembers(keyspace, entry, reply);
  } else replyDifferent(session, entry, count, reply);
}

function readCount(args: Arguments): number {
  const count = args.integer(2);
  if (Number.isNaN(count)) throw notAnInteger();
  if (args.is(2, "-9223372036854775808")) {
    throw new CommandError(
      "ERR",
      "value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    );
  }
  if (count < -MOST_REPETITIONS) throw new CommandError("ERR", "value is out of range");
  return count;
}

function replyPicked(sets: Sets, entry: number, reply: Reply): void {
  sets.pick(entry, below, member);
  replyMember(member, reply);
}

/** `count` different members of a set that has more. */
function replyDifferent(session: Session, entry: number, count: number, reply: Reply): void {
  const { sets } = session.database.keyspace.collections;
  const size = sets.count(entry);
  reply.array(count);
  if (size > GATHERED_FACTOR * count) {
    const picked = new Set<number>();
    while (picked.size < count) {
      sets.pick(entry, below, member);
      if (picked.has(member.handle)) continue;
      picked.add(member.handle);
      replyMember(member, reply);
    }
    return;
  }
  const handles = allHandles(session, entry, size);
  for (let i = 0; i < count; i++) {
    const at = i + below(size - i);
    sets.read(entry, handles[at], member);
    handles[at] = handles[i];
    replyMember(member, reply);
  }
}

function allHandles(session: Session, entry: number, size: number): Int32Array {
  const { setWalk: walk } = session.database.keyspace.collections;
  const handles = new Int32Array(size);
  walk.begin(entry);
  for (let i = 0; walk.next(); i++) handles[i] = walk.member.handle;
  return handles;
}

/** What both commands have in common. */
const RANDOM_COMMAND = {
  arity: -2,
  group: "set",
  keys: [1, 1, 1],
  since: "1.0.0",
  syntax: "key [count]",
} as const satisfies Partial<Command>;

export const setRandomCommands: readonly Command[] = [
  {
    ...RANDOM_COMMAND,
    name: "SPOP",
    flags: ["write", "fast"],
    summary: "Removes random members from a set and returns them.",
    run: spop,
  },
  {
    ...RANDOM_COMMAND,
    name: "SRANDMEMBER",
    flags: ["readonly"],
    summary: "Returns random members of a set.",
    run: srandmember,
  },
];
