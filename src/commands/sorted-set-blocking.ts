/**
 * Sorted sets that are waited for: BZPOPMIN BZPOPMAX BZMPOP. Each tries at once, and waits when there is nothing
 * (session/blocked-clients.ts): where nobody can wait it answers as when the time is over.
 *
 * The record of each is ZREM of what was taken.
 */
import type { WriteReply } from "../session/later-reply.ts";
import type { Session } from "../session/session.ts";
import { ZSET } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import { readTimeoutSeconds } from "./blocking-timeout.ts";
import type { Command } from "./command.ts";
import { keyEvents, tellPlace } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { multiPop } from "./sorted-set-picks.ts";
import { findSortedSet, recordRemovals, sortedSetsOf } from "./sorted-set-value.ts";

/** Serves a client from the sorted set under the key, whose look-up was the last. */
type Serve = (key: Buffer, entry: number) => WriteReply;

interface Wanted {
  /** The keys are arguments [first, end). */
  readonly first: number;
  readonly end: number;
  readonly timeoutMs: number;
  readonly serve: Serve;
}

/** A member that was taken: a copy, since the answer may be written later. */
interface Taken {
  readonly member: Buffer;
  readonly score: number;
}

const onTimeout: WriteReply = (reply) => reply.nullArray();

/** From the first of the keys that has a sorted set, now or later. */
function serveOrWait(session: Session, args: Arguments, wanted: Wanted, reply: Reply): void {
  const { first, end, timeoutMs, serve } = wanted;
  for (let i = first; i < end; i++) {
    const entry = findSortedSet(session, args, i);
    if (entry === 0) continue;
    serve(args.bytes(i), entry)(reply);
    return;
  }
  if (!session.mayWait) {
    onTimeout(reply);
    return;
  }
  const keys = Array.from({ length: end - first }, (_, index) => args.bytes(first + index));
  session.server.blockedClients.wait({ session, type: ZSET, keys, timeoutMs, serve, onTimeout });
}

/** Takes up to `wanted` members from one end of the set. */
function take(
  session: Session,
  key: Buffer,
  entry: number,
  isHighest: boolean,
  wanted: number,
): Taken[] {
  const sets = sortedSetsOf(session);
  const total = sets.count(entry);
  const count = Math.min(wanted, total);
  const taken: Taken[] = [];
  recordRemovals(session, key, 0, key.length, count);
  if (isHighest) sets.seekBack(entry, total - 1);
  else sets.seek(entry, 0);
  for (let i = 0; i < count; i++) {
    if (isHighest) sets.previous();
    else sets.next();
    const { bytes, start, end, score } = sets;
    const member = Buffer.alloc(end - start);
    bytes.copy(member, 0, start, end);
    session.server.effects.bytes(member, 0, member.length);
    taken.push({ member, score });
  }
  const left = sets.removeRanks(session.database, entry, isHighest ? total - count : 0, count);
  const place = { database: session.database, bytes: key, start: 0, end: key.length };
  tellPlace(session, isHighest ? keyEvents.zpopmax : keyEvents.zpopmin, place);
  if (left === 0) tellPlace(session, keyEvents.del, place);
  return taken;
}

function blockingPop(isHighest: boolean) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const timeout = args.count - 1;
    const timeoutMs = readTimeoutSeconds(session, args, timeout);
    const serve: Serve = (key, entry) => {
      const [{ member, score }] = take(session, key, entry, isHighest, 1);
      return (to) => {
        to.array(3);
        to.bulk(key, 0, key.length);
        to.bulk(member, 0, member.length);
        to.double(score);
      };
    };
    serveOrWait(session, args, { first: 1, end: timeout, timeoutMs, serve }, reply);
  };
}

function bzmpop(session: Session, args: Arguments, reply: Reply): void {
  const { first, end, isHighest, count } = multiPop(args, 2);
  const timeoutMs = readTimeoutSeconds(session, args, 1); // after all others, as Redis does
  const serve: Serve = (key, entry) => {
    const taken = take(session, key, entry, isHighest, count);
    return (to) => {
      to.array(2);
      to.bulk(key, 0, key.length);
      to.array(taken.length);
      for (const { member, score } of taken) {
        to.array(2);
        to.bulk(member, 0, member.length);
        to.double(score);
      }
    };
  };
  serveOrWait(session, args, { first, end, timeoutMs, serve }, reply);
}

export const sortedSetBlockingCommands: readonly Command[] = [
  {
    name: "BZPOPMIN",
    arity: -3,
    flags: ["write", "fast", "noscript", "blocking"],
    group: "sorted-set",
    keys: [1, -2, 1],
    since: "5.0.0",
    summary:
      "Removes and returns the lowest member of the first sorted set there is; waits for it.",
    syntax: "key [key ...] timeout",
    run: blockingPop(false),
  },
  {
    name: "BZPOPMAX",
    arity: -3,
    flags: ["write", "fast", "noscript", "blocking"],
    group: "sorted-set",
    keys: [1, -2, 1],
    since: "5.0.0",
    summary:
      "Removes and returns the highest member of the first sorted set there is; waits for it.",
    syntax: "key [key ...] timeout",
    run: blockingPop(true),
  },
  {
    name: "BZMPOP",
    arity: -5,
    flags: ["write", "blocking", "movablekeys"],
    group: "sorted-set",
    keysCountedAt: 2,
    since: "7.0.0",
    summary:
      "Removes and returns members of the first sorted set there is; waits until there is one.",
    syntax: "timeout numkeys key [key ...] <MIN | MAX> [COUNT count]",
    run: bzmpop,
  },
];
