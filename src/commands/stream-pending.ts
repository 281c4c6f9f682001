/**
 * What was delivered to the consumers of a group and not acknowledged: XACK, XPENDING. Taking it from one consumer for another is in
 * stream-claiming.ts.
 */
import type { Session } from "../session/session.ts";
import { CHUNK_SHIFT } from "../store/arena.ts";
import type { PendingWalk, StreamGroups } from "../store/stream-groups.ts";
import { compareIds, StreamId } from "../store/stream-id.ts";
import { nameAt, nameSize } from "../store/stream-names.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, shownArgument, syntaxError } from "./command-error.ts";
import type { Reply } from "./reply.ts";
import { groupNamed } from "./stream-delivery.ts";
import {
  integerAt,
  readEnd,
  readId,
  readStart,
  readStream,
  replyCount,
  replyId,
  rootOf,
  streamsOf,
} from "./stream-value.ts";

const LEAST = new StreamId();
const GREATEST = new StreamId().setGreatest();
const id = new StreamId();
const from = new StreamId();
const to = new StreamId();

/** The group of argument 2 of the stream of argument 1, whose entry this is. */
export function requireGroup(session: Session, args: Arguments, entry: number): number {
  const { buffer, start, end } = args;
  const group = entry === 0 ? 0 : groupNamed(session, entry, buffer, start[2], end[2]);
  if (group !== 0) return group;
  const [key, name] = [shownArgument(args, 1), shownArgument(args, 2)];
  throw new CommandError("NOGROUP", `No such key '${key}' or consumer group '${name}'`);
}

export function replyName(session: Session, block: number, reply: Reply): void {
  const { arena } = session.database;
  const at = nameAt(arena, block);
  reply.bulk(arena.bytes[block >>> CHUNK_SHIFT], at, at + nameSize(arena, block));
}

// ---- XACK ----

function xack(session: Session, args: Arguments, reply: Reply): void {
  const { buffer, start, end } = args;
  const entry = readStream(session, args, 1);
  const group = entry === 0 ? 0 : groupNamed(session, entry, buffer, start[2], end[2]);
  if (group === 0) {
    reply.integer(0);
    return;
  }
  // All are read before any is acknowledged: a bad one changes nothing.
  for (let i = 3; i < args.count; i++) readId(args, i, id);
  const streams = streamsOf(session);
  let acknowledged = 0;
  streams.begin(session.database);
  for (let i = 3; i < args.count; i++) {
    if (streams.groups.acknowledge(group, readId(args, i, id))) acknowledged++;
  }
  if (acknowledged > 0) streams.end(session.database, entry, rootOf(session, entry));
  reply.integer(acknowledged);
}

// ---- XPENDING ----

function xpending(session: Session, args: Arguments, reply: Reply): void {
  if (args.count === 3) {
    const entry = readStream(session, args, 1);
    replySummary(session, requireGroup(session, args, entry), reply);
    return;
  }
  if (args.count < 6 || args.count > 9) throw syntaxError();
  const hasIdle = args.is(3, "IDLE");
  const leastIdleMs = hasIdle ? integerAt(args, 4) : 0;
  if (hasIdle && args.count < 8) throw syntaxError();
  const at = hasIdle ? 5 : 3;
  const most = Math.max(integerAt(args, at + 2), 0);
  readStart(args, at, from);
  readEnd(args, at + 1, to);
  const entry = readStream(session, args, 1);
  const group = requireGroup(session, args, entry);
  const consumerAt = at + 3 < args.count ? at + 3 : 0;
  replyPending(
    session,
    group,
    pendingIds(session, args, group, consumerAt, leastIdleMs, most),
    reply,
  );
}

function replySummary(session: Session, group: number, reply: Reply): void {
  const { groups } = streamsOf(session);
  const count = groups.pendingCount(group);
  const tree = groups.pendingTree(group);
  const walk = groups.groupWalk;
  reply.array(4);
  reply.integer(count);
  if (count === 0) {
    reply.null();
    reply.null();
    reply.nullArray();
    return;
  }
  walk.begin(tree, LEAST);
  replyId(walk.id, reply);
  walk.tree.seekBack(tree, GREATEST);
  replyId(walk.tree.readId(id), reply);
  replyConsumers(session, groups, group, reply);
}

/** Those that have something pending, with how much. */
function replyConsumers(session: Session, groups: StreamGroups, group: number, reply: Reply): void {
  const busy: number[] = [];
  for (let i = 0; i < groups.consumers.count(group); i++) {
    const consumer = groups.consumers.block(group, i);
    if (groups.pendingCount(consumer) > 0) busy.push(consumer);
  }
  reply.array(busy.length);
  for (const consumer of busy) {
    reply.array(2);
    replyName(session, consumer, reply);
    reply.text(String(groups.pendingCount(consumer)));
  }
}

/** The pending entries between the two bounds that are asked for, of all consumers or of that of argument `consumerAt`. */
function pendingIds(
  session: Session,
  args: Arguments,
  group: number,
  consumerAt: number,
  leastIdleMs: number,
  most: number,
): StreamId[] {
  const { groups } = streamsOf(session);
  const { nowMs } = session.server.keyspace;
  const { buffer, start, end } = args;
  let holder = group;
  if (consumerAt !== 0) {
    holder = groups.consumers.find(group, buffer, start[consumerAt], end[consumerAt]);
    if (holder === 0) return [];
  }
  const walk: PendingWalk = holder === group ? groups.groupWalk : groups.consumerWalk;
  const found: StreamId[] = [];
  let is = walk.begin(groups.pendingTree(holder), from);
  for (; is && found.length < most && compareIds(walk.id, to) <= 0; is = walk.next()) {
    if (leastIdleMs !== 0) {
      groups.findPending(group, walk.id);
      if (nowMs - groups.deliveredMs < leastIdleMs) continue;
    }
    found.push(new StreamId().copy(walk.id));
  }
  return found;
}

function replyPending(
  session: Session,
  group: number,
  ids: readonly StreamId[],
  reply: Reply,
): void {
  const { groups } = streamsOf(session);
  const { nowMs } = session.server.keyspace;
  reply.array(ids.length);
  for (const one of ids) {
    groups.findPending(group, one);
    reply.array(4);
    replyId(one, reply);
    replyName(session, groups.owner, reply);
    reply.integer(Math.max(nowMs - groups.deliveredMs, 0));
    replyCount(groups.deliveryCount, reply);
  }
}

export const streamPendingCommands: readonly Command[] = [
  {
    name: "XACK",
    arity: -4,
    flags: ["write", "fast"],
    group: "stream",
    keys: [1, 1, 1],
    since: "5.0.0",
    summary:
      "Acknowledges entries that were delivered to a group, and returns how many were pending.",
    syntax: "key group id [id ...]",
    run: xack,
  },
  {
    name: "XPENDING",
    arity: -3,
    flags: ["readonly"],
    group: "stream",
    keys: [1, 1, 1],
    since: "5.0.0",
    summary: "Returns what was delivered to a group and not acknowledged.",
    syntax: "key group [[IDLE min-idle-time] start end count [consumer]]",
    run: xpending,
  },
];
