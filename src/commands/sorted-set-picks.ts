/**
 * Members that a sorted set gives out by itself: the lowest and the highest, which it loses, random ones, and a walk through all
 * of them by cursor.
 *
 * Records: what was taken out becomes ZREM.
 */
import type { Session } from "../session/session.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import { formatDouble } from "../store/number-text.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import { elementScan } from "./element-scan.ts";
import { matchGlob } from "./glob.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { scanCursor } from "./scan.ts";
import {
  findSortedSet,
  readSortedSet,
  recordRemovals,
  replyMember,
  replyMembers,
  sortedSetsOf,
} from "./sorted-set-value.ts";

const HASHES = 2 ** 32;
/** Half of the largest 64-bit integer: as far as Redis tries. */
const LARGEST_WHOLE = 2 ** 62;

// ---- the lowest and the highest ----

/** What is taken from a set: one object is filled again for each command. */
class Taking {
  /** Argument of the key, and its entry. */
  key = 0;
  entry = 0;
  count = 0;
  isHighest = false;
  /** Answered as pairs, not as members and scores in turn. */
  isNested = false;
}

const taking = new Taking();

function pop(isHighest: boolean) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    if (args.count > 3) throw syntaxError();
    const isCounted = args.count === 3;
    const wanted = isCounted ? popCount(args, 2) : 1;
    const entry = findSortedSet(session, args, 1);
    if (entry === 0 || wanted === 0) {
      reply.array(0);
      return;
    }
    taking.key = 1;
    taking.entry = entry;
    taking.count = Math.min(wanted, sortedSetsOf(session).count(entry));
    taking.isHighest = isHighest;
    // Without a count, the one pair is the answer, in RESP3 too.
    taking.isNested = isCounted && session.protocol === 3;
    reply.array(taking.isNested ? taking.count : 2 * taking.count);
    take(session, args, reply);
  };
}

function popCount(args: Arguments, index: number): number {
  const count = args.integer(index);
  if (Number.isNaN(count) || count < 0)
    throw new CommandError("ERR", "value is out of range, must be positive");
  return count;
}

/** Answers members from one end of the set, which has as many at least, and removes them. */
function take(session: Session, args: Arguments, reply: Reply): void {
  const { key, entry, count, isHighest, isNested } = taking;
  const sets = sortedSetsOf(session);
  const { effects } = session.server;
  const total = sets.count(entry);
  recordRemovals(session, args.buffer, args.start[key], args.end[key], count);
  if (isHighest) sets.seekBack(entry, total - 1);
  else sets.seek(entry, 0);
  for (let i = 0; i < count; i++) {
    if (isHighest) sets.previous();
    else sets.next();
    effects.bytes(sets.bytes, sets.start, sets.end);
    if (isNested) reply.array(2);
    reply.bulk(sets.bytes, sets.start, sets.end);
    reply.double(sets.score);
  }
  const left = sets.removeRanks(session.database, entry, isHighest ? total - count : 0, count);
  tellKey(session, isHighest ? keyEvents.zpopmax : keyEvents.zpopmin, args, key);
  if (left === 0) tellKey(session, keyEvents.del, args, key);
}

export interface MultiPop {
  /** The keys are arguments [first, end). */
  readonly first: number;
  readonly end: number;
  readonly isHighest: boolean;
  readonly count: number;
}

/** `numkeys key … MIN|MAX [COUNT n]`, from argument `from` on. */
export function multiPop(args: Arguments, from: number): MultiPop {
  const keys = positive(args, from, "numkeys should be greater than 0");
  const first = from + 1;
  const end = first + keys;
  if (end >= args.count) throw syntaxError();
  const isHighest = args.is(end, "MAX");
  if (!isHighest && !args.is(end, "MIN")) throw syntaxError();
  let count = 0;
  for (let i = end + 1; i < args.count; i += 2) {
    if (count !== 0 || !args.is(i, "COUNT") || i + 1 === args.count) throw syntaxError();
    count = positive(args, i + 1, "count should be greater than 0");
  }
  return { first, end, isHighest, count: count === 0 ? 1 : count };
}

function positive(args: Arguments, index: number, message: string): number {
  const value = args.integer(index);
  if (Number.isNaN(value) || value < 1) throw new CommandError("ERR", message);
  return value;
}

function zmpop(session: Session, args: Arguments, reply: Reply): void {
  const { first, end, isHighest, count } = multiPop(args, 1);
  for (let key = first; key < end; key++) {
    const entry = findSortedSet(session, args, key);
    if (entry === 0) continue;
    taking.key = key;
    taking.entry = entry;
    taking.count = Math.min(count, sortedSetsOf(session).count(entry));
    taking.isHighest = isHighest;
    taking.isNested = true;
    reply.array(2);
    reply.bulk(args.buffer, args.start[key], args.end[key]);
    reply.array(taking.count);
    take(session, args, reply);
    return;
  }
  reply.nullArray();
}

// ---- random ones ----

const LARGEST_COUNT = 2n ** 63n - 1n;

/** The second argument of ZRANDMEMBER, whose sign says whether a member may come twice. */
function randomCount(args: Arguments, withScores: boolean): number {
  const exact = args.int64(2);
  if (exact === null) throw notAnInteger();
  if (exact < -LARGEST_COUNT) {
    throw new CommandError(
      "ERR",
      `value is out of range, value must between -${LARGEST_COUNT} and ${LARGEST_COUNT}`,
    );
  }
  if (args.count > 3 && !withScores) throw syntaxError();
  if (withScores && (exact < -LARGEST_COUNT / 2n || exact > LARGEST_COUNT / 2n)) {
    throw new CommandError("ERR", "value is out of range");
  }
  return Number(exact);
}

function zrandmember(session: Session, args: Arguments, reply: Reply): void {
  const isCounted = args.count > 2;
  const withScores = args.count === 4 && args.is(3, "WITHSCORES");
  const wanted = isCounted ? randomCount(args, withScores) : 1;
  const entry = readSortedSet(session, args, 1);
  if (entry === 0) {
    if (isCounted) reply.array(0);
    else reply.null();
    return;
  }
  const total = sortedSetsOf(session).count(entry);
  const mayRepeat = wanted < 0;
  const count = mayRepeat ? -wanted : Math.min(wanted, total);
  if (isCounted) replyMembers(session, count, withScores, reply);
  const show = (rank: number) => replyRank(session, entry, rank, withScores, reply);
  if (mayRepeat) {
    for (let left = count; left > 0; left--) show(session.server.random.below(total));
  } else if (count === total) {
    for (let rank = 0; rank < total; rank++) show(rank);
  } else replyDistinct(session, total, count, show);
}

function replyRank(
  session: Session,
  entry: number,
  rank: number,
  withScores: boolean,
  reply: Reply,
): void {
  const sets = sortedSetsOf(session);
  sets.seek(entry, rank);
  sets.next();
  replyMember(session, sets, withScores, reply);
}

/** Shows `count` different ranks below `total`, each as likely as any other. */
function replyDistinct(
  session: Session,
  total: number,
  count: number,
  show: (rank: number) => void,
): void {
  const { random } = session.server;
  if (count * 3 > total) {
    // One pass: each rank is taken with the chance that those still wanted are among those that are left.
    for (let rank = 0, left = count; left > 0; rank++) {
      if (random.below(total - rank) >= left) continue;
      show(rank);
      left--;
    }
    return;
  }
  const seen = new Uint8Array((total + 7) >>> 3);
  for (let left = count; left > 0; ) {
    const rank = random.below(total);
    const bit = 1 << (rank & 7);
    if ((seen[rank >>> 3] & bit) !== 0) continue;
    seen[rank >>> 3] |= bit;
    show(rank);
    left--;
  }
}

// ---- a walk by cursor ----

function zscan(session: Session, args: Arguments, reply: Reply): void {
  const cursor = scanCursor(args, 2);
  const entry = readSortedSet(session, args, 1);
  const found: Buffer[] = [];
  const next = entry === 0 ? 0 : scanMembers(session, args, entry, cursor, found);
  reply.array(2);
  reply.text(String(next));
  reply.array(found.length);
  for (const part of found) reply.bulk(part, 0, part.length);
}

/** Adds members that match, each with its score as text, to `found`; answers the next cursor. */
function scanMembers(
  session: Session,
  args: Arguments,
  entry: number,
  cursor: number,
  found: Buffer[],
): number {
  const { count, pattern } = elementScan(args);
  const sets = sortedSetsOf(session);
  // Beyond the last hash there is nothing: such a cursor was never handed out.
  const isPacked = sets.isPacked(entry);
  if (cursor >= HASHES && !isPacked) return 0;
  return sets.scan(entry, cursor, count, () => {
    const { bytes, start, end, score } = sets;
    const isWanted =
      pattern === 0 ||
      matchGlob(args.buffer, args.start[pattern], args.end[pattern], bytes, start, end);
    if (!isWanted) return;
    found.push(copyOf(bytes, start, end), Buffer.from(scoreText(score, isPacked)));
  });
}

/** A listpack of Redis keeps whole numbers as such, and shows all their digits. */
function scoreText(score: number, isPacked: boolean): string {
  const isWhole = isPacked && Number.isInteger(score) && Math.abs(score) <= LARGEST_WHOLE;
  return isWhole ? String(BigInt(score)) : formatDouble(score);
}

function copyOf(bytes: ReadonlyBytes, start: number, end: number): Buffer {
  const copy = Buffer.alloc(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

/** What all commands of this file have in common. */
const PICK = {
  group: "sorted-set",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;

export const sortedSetPickCommands: readonly Command[] = [
  {
    ...PICK,
    name: "ZPOPMIN",
    arity: -2,
    flags: ["write", "fast"],
    since: "5.0.0",
    summary: "Removes the members with the lowest scores from a sorted set and returns them.",
    syntax: "key [count]",
    run: pop(false),
  },
  {
    ...PICK,
    name: "ZPOPMAX",
    arity: -2,
    flags: ["write", "fast"],
    since: "5.0.0",
    summary: "Removes the members with the highest scores from a sorted set and returns them.",
    syntax: "key [count]",
    run: pop(true),
  },
  {
    name: "ZMPOP",
    arity: -4,
    flags: ["write", "movablekeys"],
    group: "sorted-set",
    keysCountedAt: 1,
    since: "7.0.0",
    summary: "Removes the lowest or the highest members of the first sorted set that exists.",
    syntax: "numkeys key [key ...] <MIN | MAX> [COUNT count]",
    run: zmpop,
  },
  {
    ...PICK,
    name: "ZRANDMEMBER",
    arity: -2,
    flags: ["readonly"],
    since: "6.2.0",
    summary: "Returns random members of a sorted set; with a negative count, some perhaps twice.",
    syntax: "key [count [WITHSCORES]]",
    run: zrandmember,
  },
  {
    ...PICK,
    name: "ZSCAN",
    arity: -3,
    flags: ["readonly"],
    since: "2.8.0",
    summary:
      "Returns some members of a sorted set and the cursor that continues with the next ones.",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    run: zscan,
  },
];
