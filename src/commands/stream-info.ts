/** XINFO: what is known of a stream, its consumer groups and their consumers. Questions only. */
import type { Session } from "../session/session.ts";
import { UNKNOWN } from "../store/stream-groups.ts";
import { StreamId } from "../store/stream-id.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, noSuchKey, shownArgument } from "./command-error.ts";
import { helpSubcommand } from "./container-help.ts";
import type { Reply } from "./reply.ts";
import { groupNamed } from "./stream-delivery.ts";
import { wrongSubcommand } from "./stream-groups.ts";
import { lagOf } from "./stream-lag.ts";
import { replyName } from "./stream-pending.ts";
import {
  integerAt,
  readStream,
  replyCount,
  replyEntry,
  replyId,
  rootOf,
  streamsOf,
} from "./stream-value.ts";

const LEAST = new StreamId();
const GREATEST = new StreamId().setGreatest();
const DEFAULT_COUNT = 10;
const id = new StreamId();

function requireStream(session: Session, args: Arguments): number {
  const entry = readStream(session, args, 2);
  if (entry === 0) throw noSuchKey();
  return entry;
}

// ---- XINFO STREAM ----

function stream(session: Session, args: Arguments, reply: Reply): void {
  const isFull = args.count > 3;
  const root = rootOf(session, requireStream(session, args));
  let most = DEFAULT_COUNT;
  if (isFull) {
    const isRight = args.is(3, "FULL") && (args.count === 4 || args.count === 6);
    if (!isRight || (args.count === 6 && !args.is(4, "COUNT"))) {
      throw wrongSubcommand(args, "XINFO");
    }
    if (args.count === 6) most = integerAt(args, 5);
    if (most < 0) most = DEFAULT_COUNT;
    if (most === 0) most = Number.POSITIVE_INFINITY;
  }
  reply.map(isFull ? 9 : 10);
  replyHead(session, root, reply);
  if (isFull) replyFull(session, root, most, reply);
  else replyEdges(session, root, reply);
}

function replyHead(session: Session, root: number, reply: Reply): void {
  const streams = streamsOf(session);
  const nodes = streams.nodeCount(root);
  reply.text("length");
  reply.integer(streams.length(root));
  reply.text("radix-tree-keys");
  reply.integer(nodes);
  reply.text("radix-tree-nodes");
  // There is no such tree: this one would be as flat as can be.
  reply.integer(nodes + 1);
  reply.text("last-generated-id");
  replyId(streams.readLastId(root, id), reply);
  reply.text("max-deleted-entry-id");
  replyId(streams.readDeletedId(root, id), reply);
  reply.text("entries-added");
  replyCount(streams.entriesAdded(root), reply);
  reply.text("recorded-first-entry-id");
  replyId(streams.readFirstId(root, id), reply);
}

function replyEdges(session: Session, root: number, reply: Reply): void {
  const streams = streamsOf(session);
  reply.text("groups");
  reply.integer(streams.groups.names.count(root));
  for (const [name, isReverse] of [
    ["first-entry", false],
    ["last-entry", true],
  ] as const) {
    reply.text(name);
    streams.cursor.begin(root, LEAST, GREATEST, isReverse);
    if (streams.cursor.next()) replyEntry(streams.cursor, reply);
    else reply.null();
  }
}

function replyFull(session: Session, root: number, most: number, reply: Reply): void {
  const { cursor, groups } = streamsOf(session);
  reply.text("entries");
  const count = cursor.count(root, LEAST, GREATEST, most);
  reply.array(count);
  cursor.begin(root, LEAST, GREATEST, false);
  for (let i = 0; i < count && cursor.next(); i++) replyEntry(cursor, reply);
  reply.text("groups");
  reply.array(groups.names.count(root));
  for (let i = 0; i < groups.names.count(root); i++) {
    replyFullGroup(session, root, groups.names.block(root, i), most, reply);
  }
}

function replyFullGroup(
  session: Session,
  root: number,
  group: number,
  most: number,
  reply: Reply,
): void {
  const { groups } = streamsOf(session);
  reply.map(7);
  reply.text("name");
  replyName(session, group, reply);
  replyProgress(session, root, group, reply);
  reply.text("pel-count");
  reply.integer(groups.pendingCount(group));
  reply.text("pending");
  const shown = Math.min(groups.pendingCount(group), most);
  const walk = groups.groupWalk;
  reply.array(shown);
  walk.begin(groups.pendingTree(group), LEAST);
  for (let i = 0; i < shown; i++, walk.next()) {
    reply.array(4);
    replyId(walk.id, reply);
    replyName(session, walk.owner, reply);
    reply.integer(walk.deliveredMs);
    replyCount(walk.deliveryCount, reply);
  }
  reply.text("consumers");
  reply.array(groups.consumers.count(group));
  for (let i = 0; i < groups.consumers.count(group); i++) {
    replyFullConsumer(session, group, groups.consumers.block(group, i), most, reply);
  }
}

/** Of a group: how far it has read, and how far it has still to read. */
function replyProgress(session: Session, root: number, group: number, reply: Reply): void {
  const streams = streamsOf(session);
  reply.text("last-delivered-id");
  replyId(streams.groups.readLastId(group, id), reply);
  reply.text("entries-read");
  const read = streams.groups.entriesRead(group);
  replyKnown(read === UNKNOWN ? null : read, reply);
  reply.text("lag");
  replyKnown(lagOf(streams, root, group), reply);
}

function replyKnown(count: number | null, reply: Reply): void {
  if (count === null) reply.null();
  else replyCount(count, reply);
}

function replyFullConsumer(
  session: Session,
  group: number,
  consumer: number,
  most: number,
  reply: Reply,
): void {
  const { groups } = streamsOf(session);
  const count = groups.pendingCount(consumer);
  reply.map(4);
  reply.text("name");
  replyName(session, consumer, reply);
  reply.text("seen-time");
  reply.integer(groups.seen(consumer));
  reply.text("pel-count");
  reply.integer(count);
  reply.text("pending");
  const shown = Math.min(count, most);
  const walk = groups.consumerWalk;
  reply.array(shown);
  walk.begin(groups.pendingTree(consumer), LEAST);
  for (let i = 0; i < shown; i++, walk.next()) {
    groups.findPending(group, walk.id);
    reply.array(3);
    replyId(walk.id, reply);
    reply.integer(groups.deliveredMs);
    replyCount(groups.deliveryCount, reply);
  }
}

// ---- XINFO GROUPS, XINFO CONSUMERS ----

function listGroups(session: Session, args: Arguments, reply: Reply): void {
  const root = rootOf(session, requireStream(session, args));
  const { groups } = streamsOf(session);
  const count = groups.names.count(root);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const group = groups.names.block(root, i);
    reply.map(6);
    reply.text("name");
    replyName(session, group, reply);
    reply.text("consumers");
    reply.integer(groups.consumers.count(group));
    reply.text("pending");
    reply.integer(groups.pendingCount(group));
    replyProgress(session, root, group, reply);
  }
}

function listConsumers(session: Session, args: Arguments, reply: Reply): void {
  const entry = requireStream(session, args);
  const group = groupNamed(session, entry, args.buffer, args.start[3], args.end[3]);
  if (group === 0) {
    const [name, key] = [shownArgument(args, 3), shownArgument(args, 2)];
    throw new CommandError("NOGROUP", `No such consumer group '${name}' for key name '${key}'`);
  }
  const { groups } = streamsOf(session);
  const { nowMs } = session.server.keyspace;
  const count = groups.consumers.count(group);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const consumer = groups.consumers.block(group, i);
    reply.map(3);
    reply.text("name");
    replyName(session, consumer, reply);
    reply.text("pending");
    reply.integer(groups.pendingCount(consumer));
    reply.text("idle");
    reply.integer(Math.max(nowMs - groups.seen(consumer), 0));
  }
}

const INFO_COMMAND = {
  flags: ["readonly"],
  group: "stream",
  keys: [2, 2, 1],
  since: "5.0.0",
} as const satisfies Partial<Command>;

export const streamInfoCommands: readonly Command[] = [
  {
    name: "XINFO",
    arity: -2,
    flags: [],
    group: "stream",
    since: "5.0.0",
    summary: "A container for questions about streams.",
    syntax: "",
  },
  {
    ...INFO_COMMAND,
    name: "XINFO|CONSUMERS",
    arity: 4,
    summary: "Returns what is known of the consumers of a group.",
    syntax: "key group",
    run: listConsumers,
  },
  {
    ...INFO_COMMAND,
    name: "XINFO|GROUPS",
    arity: 3,
    summary: "Returns what is known of the consumer groups of a stream.",
    syntax: "key",
    run: listGroups,
  },
  {
    ...INFO_COMMAND,
    name: "XINFO|STREAM",
    arity: -3,
    summary: "Returns what is known of a stream.",
    syntax: "key [FULL [COUNT count]]",
    run: stream,
  },
  helpSubcommand("XINFO", "stream", "5.0.0"),
];
