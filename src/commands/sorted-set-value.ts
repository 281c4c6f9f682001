/**
 * How commands reach the sorted set under a key, answer its members, and record what became of them. The commands are in
 * sorted-sets.ts, sorted-set-ranges.ts, sorted-set-removals.ts, sorted-set-picks.ts, sorted-set-algebra.ts.
 */
import type { KeyEvent } from "../pubsub/event-names.ts";
import type { Session } from "../session/session.ts";
import { typeOf, ZSET } from "../store/entry.ts";
import { formatDouble } from "../store/number-text.ts";
import type { SortedSetDraft } from "../store/sorted-set-draft.ts";
import type { SortedSets } from "../store/sorted-sets.ts";
import type { Arguments } from "./arguments.ts";
import { wrongType } from "./command-error.ts";
import type { RequireRoom } from "./growth.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";

const ZADD = Buffer.from("ZADD");
const ZREM = Buffer.from("ZREM");

export interface DraftOptions {
  readonly requireRoom: RequireRoom | null;
  /** See SortedSetDraft.begin. */
  readonly growsPacked?: boolean;
}

export function sortedSetsOf(session: Session): SortedSets {
  return session.database.keyspace.collections.sortedSets;
}

/** The entry of the sorted set under argument `key`, to change it; 0: none. */
export function findSortedSet(session: Session, args: Arguments, key: number): number {
  const { database } = session;
  const entry = database.find(args.buffer, args.start[key], args.end[key]);
  if (entry !== 0 && typeOf(database.arena, entry) !== ZSET) throw wrongType();
  return entry;
}

/** The same for commands that only read: counts a hit or a miss. */
export function readSortedSet(session: Session, args: Arguments, key: number): number {
  const { database } = session;
  const entry = database.read(args.buffer, args.start[key], args.end[key]);
  if (entry !== 0 && typeOf(database.arena, entry) !== ZSET) throw wrongType();
  return entry;
}

/** Whether argument `index` is a member of the set; its score is in `score` then. */
export function findMember(
  session: Session,
  args: Arguments,
  entry: number,
  index: number,
): boolean {
  if (entry === 0) return false;
  return sortedSetsOf(session).find(entry, args.buffer, args.start[index], args.end[index]);
}

/**
 * Announces `count` members, each to be answered by `replyMember`. With scores, a client of RESP3 gets pairs, one of RESP2
 * members and scores in turn.
 */
export function replyMembers(
  session: Session,
  count: number,
  withScores: boolean,
  reply: Reply,
): void {
  reply.array(withScores && session.protocol === 2 ? 2 * count : count);
}

/** The member that the walk shows. */
export function replyMember(
  session: Session,
  sets: Pick<SortedSets, "bytes" | "start" | "end" | "score">,
  withScores: boolean,
  reply: Reply,
): void {
  if (withScores && session.protocol === 3) reply.array(2);
  reply.bulk(sets.bytes, sets.start, sets.end);
  if (withScores) reply.double(sets.score);
}

/** The draft with what `fill` gives it, to be walked, and stored or dropped. When that throws, nothing is left of it. */
export function makeDraft(
  { database }: Session,
  { growsPacked = false, requireRoom }: DraftOptions,
  fill: (draft: SortedSetDraft) => void,
): SortedSetDraft {
  const draft = database.keyspace.collections.sortedSetDraft;
  draft.begin(database, growsPacked, requireRoom);
  let isWhole = false;
  try {
    fill(draft);
    isWhole = true;
  } finally {
    if (isWhole) draft.finish();
    else draft.abandon(database);
  }
  return draft;
}

/** Lets the draft be the value of the key under argument `key`; an empty one removes the key. */
export function storeDraft(session: Session, args: Arguments, key: number, event: KeyEvent): void {
  const { database } = session;
  const draft = database.keyspace.collections.sortedSetDraft;
  const { count } = draft;
  const hasChanged = draft.store(database, args.buffer, args.start[key], args.end[key]);
  if (hasChanged) tellKey(session, count > 0 ? event : keyEvents.del, args, key);
}

// ---- records ----

/** The member under argument `member` has this score now, however it was worked out. */
export function recordScore(
  session: Session,
  args: Arguments,
  member: number,
  score: number,
): void {
  const { effects } = session.server;
  effects.command(4);
  effects.bytes(ZADD, 0, ZADD.length);
  effects.bytes(args.buffer, args.start[1], args.end[1]);
  effects.text(formatDouble(score));
  effects.bytes(args.buffer, args.start[member], args.end[member]);
}

/** Begins the record of `count` members that are gone from the set under the key bytes[start, end); they follow. */
export function recordRemovals(
  session: Session,
  bytes: Buffer,
  start: number,
  end: number,
  count: number,
): void {
  const { effects } = session.server;
  effects.command(2 + count);
  effects.bytes(ZREM, 0, ZREM.length);
  effects.bytes(bytes, start, end);
}
