/**
 * Giving entries of a stream to a client that reads it: those behind an ID (XREAD), those that its consumer group has not seen yet,
 * or those that are pending for its consumer (XREADGROUP). First everything is done that changes the group, then the reply is
 * written, since its array begins with how many there are.
 *
 * Records: what came of it, as XCLAIM and XGROUP SETID; where nothing was claimed, XGROUP CREATECONSUMER tells that the consumer
 * was seen.
 */
import type { Session } from "../session/session.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import type { StreamPlace } from "../store/stream-cursor.ts";
import { StreamId } from "../store/stream-id.ts";
import type { Streams } from "../store/streams.ts";
import { keyEvents, tellPlace } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import {
  type Claim,
  type GroupNames,
  recordClaims,
  recordConsumer,
  recordPosition,
} from "./stream-claims.ts";
import { passEntry } from "./stream-lag.ts";
import { replyEntry, replyId, rootOf, streamsOf } from "./stream-value.ts";

const GREATEST = new StreamId().setGreatest();

/** What one stream gives to the reply. */
export interface Delivery {
  /** How many entries. */
  readonly count: number;
  /** Where the first one is; null: of what is pending. */
  readonly place: StreamPlace | null;
  /** Writes the array of them; the stream must not have changed. */
  write(reply: Reply): void;
}

/** The entries behind an ID, `most` at most; null: there are none. */
export function entriesBehind(
  streams: Streams,
  root: number,
  id: StreamId,
  most: number,
): Delivery | null {
  const from = new StreamId().copy(id);
  if (!from.increment()) return null;
  const count = streams.cursor.count(root, from, GREATEST, most);
  if (count === 0) return null;
  const place = streams.cursor.firstPlace;
  return { count, place, write: (reply) => writeRange(streams, place, count, reply) };
}

function writeRange(streams: Streams, place: StreamPlace, count: number, reply: Reply): void {
  const { cursor } = streams;
  reply.array(count);
  cursor.beginAt(place);
  for (let i = 0; i < count && cursor.next(); i++) replyEntry(cursor, reply);
}

/** A consumer, and how it reads. */
export interface GroupRead {
  readonly names: GroupNames;
  readonly most: number;
  readonly noAck: boolean;
}

/** The consumer of this name, seen now; made if need be, between `begin` and `end`. Claiming for it tells both by itself. */
export function seenConsumer(session: Session, names: GroupNames, group: number): number {
  const { groups } = streamsOf(session);
  const { nowMs } = session.server.keyspace;
  const bytes = names.consumer;
  const found = groups.consumers.find(group, bytes, 0, bytes.length);
  if (found === 0) {
    const { key } = names;
    const place = { database: session.database, bytes: key, start: 0, end: key.length };
    tellPlace(session, keyEvents["xgroup-createconsumer"], place);
    return groups.createConsumer(group, bytes, 0, bytes.length, nowMs);
  }
  groups.setSeen(found, nowMs);
  return found;
}

/** Entries that the group has not seen, from its position on; null: there are none, and nothing changes. */
export function deliverNew(
  session: Session,
  entry: number,
  group: number,
  read: GroupRead,
): Delivery | null {
  const streams = streamsOf(session);
  const root = rootOf(session, entry);
  const position = streams.groups.readLastId(group, new StreamId());
  const delivery = entriesBehind(streams, root, position, read.most);
  if (delivery === null) return null;
  const { nowMs } = session.server.keyspace;
  streams.begin(session.database);
  const consumer = seenConsumer(session, read.names, group);
  const claims: Claim[] = [];
  const { cursor } = streams;
  cursor.beginAt(delivery.place as StreamPlace);
  for (let i = 0; i < delivery.count && cursor.next(); i++) {
    const { id } = cursor.entry;
    passEntry(streams, root, group, id);
    if (read.noAck) continue;
    streams.groups.assign(group, consumer, id, nowMs, 1);
    claims.push({ id: new StreamId().copy(id), deliveryCount: 1 });
  }
  streams.end(session.database, entry, root);
  if (claims.length === 0) recordConsumer(session, read.names);
  recordClaims(session, read.names, group, claims, nowMs);
  recordPosition(session, read.names, group);
  return delivery;
}

/** Entries that are pending for the consumer, behind an ID: they count as delivered once more. */
export function deliverAgain(
  session: Session,
  entry: number,
  group: number,
  read: GroupRead,
  id: StreamId,
): Delivery {
  const streams = streamsOf(session);
  const root = rootOf(session, entry);
  const { groups } = streams;
  const { nowMs } = session.server.keyspace;
  streams.begin(session.database);
  const consumer = seenConsumer(session, read.names, group);
  const from = new StreamId().copy(id);
  const ids = from.increment() ? pendingFrom(streams, consumer, from, read.most) : [];
  const claims: Claim[] = [];
  for (const one of ids) {
    if (!streams.has(root, one) || !groups.findPending(group, one)) continue;
    const deliveryCount = groups.deliveryCount + 1;
    groups.assign(group, consumer, one, nowMs, deliveryCount);
    claims.push({ id: one, deliveryCount });
  }
  streams.end(session.database, entry, root);
  if (claims.length === 0) recordConsumer(session, read.names);
  recordClaims(session, read.names, group, claims, nowMs);
  return {
    count: ids.length,
    place: null,
    write: (reply) => writePending(streams, root, ids, reply),
  };
}

function pendingFrom(streams: Streams, consumer: number, from: StreamId, most: number): StreamId[] {
  const walk = streams.groups.consumerWalk;
  const ids: StreamId[] = [];
  let is = walk.begin(streams.groups.pendingTree(consumer), from);
  for (; is && ids.length < most; is = walk.next()) ids.push(new StreamId().copy(walk.id));
  return ids;
}

/** An entry that was deleted meanwhile is there with its ID alone. */
function writePending(
  streams: Streams,
  root: number,
  ids: readonly StreamId[],
  reply: Reply,
): void {
  reply.array(ids.length);
  for (const id of ids) {
    streams.cursor.begin(root, id, id, false);
    if (streams.cursor.next()) {
      replyEntry(streams.cursor, reply);
      continue;
    }
    reply.array(2);
    replyId(id, reply);
    reply.nullArray();
  }
}

/** The group of this name, 0: there is none. */
export function groupNamed(
  session: Session,
  entry: number,
  bytes: ReadonlyBytes,
  start: number,
  end: number,
): number {
  return streamsOf(session).groups.names.find(rootOf(session, entry), bytes, start, end);
}
