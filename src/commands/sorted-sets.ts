/**
 * Members of sorted sets one by one: add them, give them another score, remove them, ask for score and rank.
 *
 * Records: a score that was added to becomes ZADD with the result; all else is recorded as it came.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAFloat, syntaxError } from "./command-error.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import {
  findMember,
  findSortedSet,
  readSortedSet,
  recordScore,
  sortedSetsOf,
} from "./sorted-set-value.ts";

export const NX = 1;
export const XX = 2;
const GT = 4;
const LT = 8;
export const CH = 16;
const INCR = 32;

/** What became of one pair. */
const ADDED = 1;
const UPDATED = 2;
/** Its score is what it was. */
const SAME = 3;
/** An option forbids it. */
const LEFT = 4;

/** The state of a ZADD, or of what adds members by other words: one object is filled again for each. */
class Adding {
  options = 0;
  count = 0;
  /** Argument of the first member, and from one to the next. */
  first = 0;
  step = 0;
  entry = 0;
  /** Of the pair that was added last. */
  score = 0;
  /** Of all pairs: read before the first one is added, since a bad one leaves all undone. */
  scores = new Float64Array(16);

  /** `count` members follow, the first one argument `first`, then one every `step`; their scores are for the caller to fill in. */
  begin(options: number, count: number, first: number, step: number): void {
    this.options = options;
    this.count = count;
    this.first = first;
    this.step = step;
    if (count > this.scores.length) this.scores = new Float64Array(2 * count);
  }
}

export const adding = new Adding();

function optionAt(args: Arguments, index: number): number {
  const size = args.size(index);
  if (size === 2) {
    if (args.is(index, "NX")) return NX;
    if (args.is(index, "XX")) return XX;
    if (args.is(index, "GT")) return GT;
    if (args.is(index, "LT")) return LT;
    return args.is(index, "CH") ? CH : 0;
  }
  return size === 4 && args.is(index, "INCR") ? INCR : 0;
}

function requireOptions(options: number, pairs: number): void {
  if ((options & NX) !== 0 && (options & XX) !== 0) {
    throw new CommandError("ERR", "XX and NX options at the same time are not compatible");
  }
  const exclusive = options & (NX | GT | LT);
  if ((exclusive & (exclusive - 1)) !== 0) {
    throw new CommandError("ERR", "GT, LT, and/or NX options at the same time are not compatible");
  }
  if ((options & INCR) !== 0 && pairs > 1) {
    throw new CommandError("ERR", "INCR option supports a single increment-element pair");
  }
}

/** ZADD, and ZINCRBY, which is one with the option INCR (and takes the others, as in Redis). */
function add(session: Session, args: Arguments, given: number, reply: Reply): void {
  let options = given;
  let first = 2;
  for (let option = 0; first < args.count; first++, options |= option) {
    option = optionAt(args, first);
    if (option === 0) break;
  }
  const words = args.count - first;
  if (words === 0 || words % 2 === 1) throw syntaxError();
  const pairs = words / 2;
  if (options !== 0) requireOptions(options, pairs);
  adding.begin(options, pairs, first + 1, 2);
  for (let i = 0; i < pairs; i++) {
    const score = args.float(first + 2 * i);
    if (Number.isNaN(score)) throw notAFloat();
    adding.scores[i] = score;
  }
  addScored(session, args, reply);
}

/** Does what `adding` says, and answers. */
export function addScored(session: Session, args: Arguments, reply: Reply): void {
  const { options } = adding;
  adding.entry = findSortedSet(session, args, 1);
  if (adding.entry === 0) {
    if ((options & XX) !== 0) {
      if ((options & INCR) !== 0) reply.null();
      else reply.integer(0);
      return;
    }
    const { database } = session;
    const { start, end } = args;
    adding.entry = sortedSetsOf(session).create(database, args.buffer, start[1], end[1]);
  }
  if ((options & INCR) !== 0) increment(session, args, reply);
  else addAll(session, args, reply);
}

function addAll(session: Session, args: Arguments, reply: Reply): void {
  const { count, first, step } = adding;
  let added = 0;
  let updated = 0;
  for (let i = 0; i < count; i++) {
    const outcome = addOne(session, args, first + step * i, adding.scores[i]);
    if (outcome === ADDED) added++;
    else if (outcome === UPDATED) updated++;
  }
  if (added + updated > 0) tellKey(session, keyEvents.zadd, args);
  reply.integer((adding.options & CH) === 0 ? added : added + updated);
}

function increment(session: Session, args: Arguments, reply: Reply): void {
  const { first } = adding;
  const outcome = addOne(session, args, first, adding.scores[0]);
  if (outcome === LEFT) {
    reply.null();
    return;
  }
  if (outcome !== SAME) tellKey(session, keyEvents.zincr, args);
  recordScore(session, args, first, adding.score);
  reply.double(adding.score);
}

/** Adds argument `member` with a score, or does with the one it has what the options say. */
function addOne(session: Session, args: Arguments, member: number, score: number): number {
  const sets = sortedSetsOf(session);
  const { database } = session;
  const { options, entry } = adding;
  const start = args.start[member];
  const end = args.end[member];
  if (!sets.find(entry, args.buffer, start, end)) {
    if ((options & XX) !== 0) return LEFT;
    adding.score = score;
    adding.entry = sets.add(database, entry, score, args.buffer, start, end);
    return ADDED;
  }
  if ((options & NX) !== 0) return LEFT;
  const old = sets.score;
  const wanted = (options & INCR) !== 0 ? old + score : score;
  if (Number.isNaN(wanted)) {
    throw new CommandError("ERR", "resulting score is not a number (NaN)");
  }
  if ((options & LT) !== 0 && wanted >= old) return LEFT;
  if ((options & GT) !== 0 && wanted <= old) return LEFT;
  adding.score = wanted;
  if (wanted === old) return SAME;
  adding.entry = sets.rescore(database, entry, wanted, args.buffer, start, end);
  return UPDATED;
}

function zrem(session: Session, args: Arguments, reply: Reply): void {
  let entry = findSortedSet(session, args, 1);
  let removed = 0;
  for (let i = 2; i < args.count && entry !== 0; i++) {
    if (!findMember(session, args, entry, i)) continue;
    entry = sortedSetsOf(session).remove(session.database, entry);
    removed++;
  }
  if (removed > 0) tellKey(session, keyEvents.zrem, args);
  if (removed > 0 && entry === 0) tellKey(session, keyEvents.del, args);
  reply.integer(removed);
}

function zcard(session: Session, args: Arguments, reply: Reply): void {
  const entry = readSortedSet(session, args, 1);
  reply.integer(entry === 0 ? 0 : sortedSetsOf(session).count(entry));
}

function replyScore(session: Session, args: Arguments, entry: number, i: number, reply: Reply) {
  if (findMember(session, args, entry, i)) reply.double(sortedSetsOf(session).score);
  else reply.null();
}

function zscore(session: Session, args: Arguments, reply: Reply): void {
  replyScore(session, args, readSortedSet(session, args, 1), 2, reply);
}

function zmscore(session: Session, args: Arguments, reply: Reply): void {
  const entry = readSortedSet(session, args, 1);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) replyScore(session, args, entry, i, reply);
}

function rank(isReverse: boolean) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const withScore = args.count === 4 && args.is(3, "WITHSCORE");
    if (args.count > 3 && !withScore) throw syntaxError();
    const entry = readSortedSet(session, args, 1);
    const sets = sortedSetsOf(session);
    if (!findMember(session, args, entry, 2)) {
      if (withScore) reply.nullArray();
      else reply.null();
      return;
    }
    const { score } = sets;
    const before = sets.rank(entry);
    if (withScore) reply.array(2);
    reply.integer(isReverse ? sets.count(entry) - 1 - before : before);
    if (withScore) reply.double(score);
  };
}

/** What all commands of this file have in common. */
const SORTED_SET_COMMAND = {
  group: "sorted-set",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;

export const sortedSetCommands: readonly Command[] = [
  {
    ...SORTED_SET_COMMAND,
    name: "ZADD",
    arity: -4,
    flags: ["write", "denyoom", "fast"],
    since: "1.2.0",
    summary: "Adds members with their scores to a sorted set, or gives those it has other scores.",
    syntax: "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
    run: (session, args, reply) => add(session, args, 0, reply),
  },
  {
    ...SORTED_SET_COMMAND,
    name: "ZINCRBY",
    arity: 4,
    flags: ["write", "denyoom", "fast"],
    since: "1.2.0",
    summary: "Adds to the score of a member of a sorted set.",
    syntax: "key increment member",
    run: (session, args, reply) => add(session, args, INCR, reply),
  },
  {
    ...SORTED_SET_COMMAND,
    name: "ZREM",
    arity: -3,
    flags: ["write", "fast"],
    since: "1.2.0",
    summary: "Removes members from a sorted set and returns how many it had.",
    syntax: "key member [member ...]",
    run: zrem,
  },
  {
    ...SORTED_SET_COMMAND,
    name: "ZCARD",
    arity: 2,
    flags: ["readonly", "fast"],
    since: "1.2.0",
    summary: "Returns how many members a sorted set has.",
    syntax: "key",
    run: zcard,
  },
  {
    ...SORTED_SET_COMMAND,
    name: "ZSCORE",
    arity: 3,
    flags: ["readonly", "fast"],
    since: "1.2.0",
    summary: "Returns the score of a member of a sorted set.",
    syntax: "key member",
    run: zscore,
  },
  {
    ...SORTED_SET_COMMAND,
    name: "ZMSCORE",
    arity: -3,
    flags: ["readonly", "fast"],
    since: "6.2.0",
    summary: "Returns the scores of members of a sorted set.",
    syntax: "key member [member ...]",
    run: zmscore,
  },
  {
    ...SORTED_SET_COMMAND,
    name: "ZRANK",
    arity: -3,
    flags: ["readonly", "fast"],
    since: "2.0.0",
    summary: "Returns how many members of a sorted set come before a member, by score.",
    syntax: "key member [WITHSCORE]",
    run: rank(false),
  },
  {
    ...SORTED_SET_COMMAND,
    name: "ZREVRANK",
    arity: -3,
    flags: ["readonly", "fast"],
    since: "2.0.0",
    summary: "Returns how many members of a sorted set come after a member, by score.",
    syntax: "key member [WITHSCORE]",
    run: rank(true),
  },
];
