/**
 * What consumer groups write into a record: who has which entries pending, as XCLAIM, and how far the group has read, as XGROUP
 * SETID. Redis's words, but for one XCLAIM for all entries that are equal in everything else.
 */
import type { Session } from "../session/session.ts";
import { StreamId } from "../store/stream-id.ts";
import { recordId, streamsOf } from "./stream-value.ts";

/** The names of a group's stream, of the group and of one of its consumers: copies, or spans over the arguments. */
export interface GroupNames {
  readonly key: Buffer;
  readonly group: Buffer;
  readonly consumer: Buffer;
}

/** An entry that a consumer has taken. */
export interface Claim {
  readonly id: StreamId;
  readonly deliveryCount: number;
}

/** A command has a bounded number of arguments. */
const IDS_OF_A_CLAIM = 1000;
const lastId = new StreamId();

const XCLAIM = Buffer.from("XCLAIM");
const TIME = Buffer.from("TIME");
const RETRYCOUNT = Buffer.from("RETRYCOUNT");
const FORCE = Buffer.from("FORCE");
const JUSTID = Buffer.from("JUSTID");
const LASTID = Buffer.from("LASTID");
const XACK = Buffer.from("XACK");
const XGROUP = Buffer.from("XGROUP");
const SETID = Buffer.from("SETID");
const ENTRIESREAD = Buffer.from("ENTRIESREAD");
const CREATECONSUMER = Buffer.from("CREATECONSUMER");

function name(session: Session, bytes: Buffer): void {
  session.server.effects.bytes(bytes, 0, bytes.length);
}

/** The consumer has these entries, delivered at one moment. */
export function recordClaims(
  session: Session,
  names: GroupNames,
  group: number,
  claims: readonly Claim[],
  deliveredMs: number,
): void {
  for (let from = 0; from < claims.length; ) {
    const { deliveryCount } = claims[from];
    let to = from + 1;
    const end = Math.min(claims.length, from + IDS_OF_A_CLAIM);
    while (to < end && claims[to].deliveryCount === deliveryCount) to++;
    recordClaim(session, names, group, claims.slice(from, to), deliveredMs);
    from = to;
  }
}

function recordClaim(
  session: Session,
  names: GroupNames,
  group: number,
  claims: readonly Claim[],
  deliveredMs: number,
): void {
  const { effects } = session.server;
  effects.command(13 + claims.length);
  name(session, XCLAIM);
  name(session, names.key);
  name(session, names.group);
  name(session, names.consumer);
  effects.integer(0);
  for (const { id } of claims) recordId(session, id);
  name(session, TIME);
  effects.integer(deliveredMs);
  name(session, RETRYCOUNT);
  effects.integer(claims[0].deliveryCount);
  name(session, FORCE);
  name(session, JUSTID);
  name(session, LASTID);
  recordId(session, streamsOf(session).groups.readLastId(group, lastId));
}

/** Entries are not pending any more. */
export function recordAcknowledged(
  session: Session,
  names: GroupNames,
  ids: readonly StreamId[],
): void {
  for (let from = 0; from < ids.length; from += IDS_OF_A_CLAIM) {
    const some = ids.slice(from, from + IDS_OF_A_CLAIM);
    session.server.effects.command(3 + some.length);
    name(session, XACK);
    name(session, names.key);
    name(session, names.group);
    for (const id of some) recordId(session, id);
  }
}

/** The group has read so far. */
export function recordPosition(session: Session, names: GroupNames, group: number): void {
  const { groups } = streamsOf(session);
  session.server.effects.command(7);
  name(session, XGROUP);
  name(session, SETID);
  name(session, names.key);
  name(session, names.group);
  recordId(session, groups.readLastId(group, lastId));
  name(session, ENTRIESREAD);
  session.server.effects.integer(groups.entriesRead(group));
}

/** The consumer is there and was seen: when replayed, this is told of one that there is already, too. */
export function recordConsumer(session: Session, names: GroupNames): void {
  session.server.effects.command(5);
  name(session, XGROUP);
  name(session, CREATECONSUMER);
  name(session, names.key);
  name(session, names.group);
  name(session, names.consumer);
}
