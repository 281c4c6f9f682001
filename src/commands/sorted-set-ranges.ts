/**
 * Ranges of sorted sets: by rank, by score, by member; answered in either order, counted, stored, removed. ZRANGE does all of
 * it, its older kin a part each. Every range becomes one of ranks (sorted-set-bounds.ts), so what is left out by LIMIT costs
 * nothing.
 */
import type { KeyEvent } from "../pubsub/event-names.ts";
import type { Session } from "../session/session.ts";
import type { SortedSets } from "../store/sorted-sets.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import { roomForMembers } from "./growth.ts";
import { IndexRange } from "./index-range.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import { type Reply, StringRow } from "./reply.ts";
import { MemberBounds, type RankRange, ScoreBounds } from "./sorted-set-bounds.ts";
import {
  findSortedSet,
  makeDraft,
  readSortedSet,
  replyMember,
  replyMembers,
  sortedSetsOf,
  storeDraft,
} from "./sorted-set-value.ts";

/** What the ends of a range are; CHOSEN: the options say it. */
type By = "rank" | "score" | "member" | "chosen";

const scoreBounds = new ScoreBounds();
const memberBounds = new MemberBounds();
const ranks = new IndexRange();
const row = new StringRow();

/** A range as its command asks for it: one object is filled again for each. */
class RangeRequest implements RankRange {
  by: By = "rank";
  isReverse = false;
  withScores = false;
  #offset = 0;
  /** Negative: all. */
  #limit = -1;
  /** What was found, in the order of the set. */
  first = 0;
  count = 0;

  /** Reads the arguments from the low end on, at `from`; `isStore`: nobody is answered, so scores are no option. */
  read(args: Arguments, from: number, by: By, isReverse: boolean | null, isStore: boolean): void {
    this.by = by;
    this.isReverse = isReverse === true;
    this.withScores = false;
    this.#offset = 0;
    this.#limit = -1;
    for (let i = from + 2; i < args.count; i++) {
      if (!isStore && args.is(i, "WITHSCORES")) this.withScores = true;
      else if (args.is(i, "LIMIT") && i + 2 < args.count) {
        this.#offset = integer(args, i + 1);
        this.#limit = integer(args, i + 2);
        i += 2;
      } else if (isReverse === null && !this.isReverse && args.is(i, "REV")) this.isReverse = true;
      else if (this.by === "chosen" && args.is(i, "BYLEX")) this.by = "member";
      else if (this.by === "chosen" && args.is(i, "BYSCORE")) this.by = "score";
      else throw syntaxError();
    }
    if (this.by === "chosen") this.by = "rank";
    this.#requireSense();
    this.#readBounds(args, from);
  }

  #requireSense(): void {
    if (this.#limit !== -1 && this.by === "rank") {
      throw new CommandError(
        "ERR",
        "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
      );
    }
    if (this.withScores && this.by === "member") {
      throw new CommandError(
        "ERR",
        "syntax error, WITHSCORES not supported in combination with BYLEX",
      );
    }
  }

  /** By score and by member, a range in reverse order is given in reverse order too. */
  #readBounds(args: Arguments, from: number): void {
    const low = this.isReverse ? from + 1 : from;
    const high = this.isReverse ? from : from + 1;
    if (this.by === "score") scoreBounds.read(args, low, high);
    else if (this.by === "member") memberBounds.read(args, low, high);
    else ranks.read(args, from);
  }

  /** Finds the range in a set, as `first` and `count`. */
  find(session: Session, entry: number): void {
    const sets = sortedSetsOf(session);
    if (this.by === "rank") {
      const total = sets.count(entry);
      this.#clampRanks(total);
      return;
    }
    if (this.by === "score") scoreBounds.find(sets, entry, this);
    else memberBounds.find(sets, entry, this);
    this.#limitCount();
  }

  #clampRanks(total: number): void {
    const first = ranks.first < 0 ? Math.max(0, total + ranks.first) : ranks.first;
    const last = Math.min(ranks.last < 0 ? total + ranks.last : ranks.last, total - 1);
    this.count = Math.max(0, last - first + 1);
    this.first = this.isReverse ? total - 1 - last : first;
  }

  #limitCount(): void {
    // Redis steps over `offset` members until there is none, which a negative number never stops.
    const skipped = this.#offset < 0 ? this.count : Math.min(this.#offset, this.count);
    const rest = this.count - skipped;
    const taken = this.#limit < 0 ? rest : Math.min(this.#limit, rest);
    this.first += this.isReverse ? rest - taken : skipped;
    this.count = taken;
  }
}

const request = new RangeRequest();

function integer(args: Arguments, index: number): number {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw notAnInteger();
  return value;
}

// ---- answering ----

/** `isReverse` null: the options say it. */
function range(by: By, isReverse: boolean | null) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    request.read(args, 2, by, isReverse, false);
    const entry = readSortedSet(session, args, 1);
    if (entry === 0) {
      reply.array(0);
      return;
    }
    request.find(session, entry);
    replyRange(session, entry, reply);
  };
}

function replyRange(session: Session, entry: number, reply: Reply): void {
  const sets = sortedSetsOf(session);
  const { count, withScores, isReverse } = request;
  replyMembers(session, count, withScores, reply);
  if (count === 0) return;
  seekRange(sets, entry);
  row.begin();
  for (let left = count; left > 0; left--) {
    if (isReverse) sets.previous();
    else sets.next();
    if (withScores) replyMember(session, sets, true, reply);
    else row.add(reply, sets.bytes, sets.start, sets.end);
  }
  row.end(reply);
}

/** Stands on the first member of the range in the order that was asked for; there is one. */
function seekRange(sets: SortedSets, entry: number): void {
  const { first, count, isReverse } = request;
  if (isReverse) sets.seekBack(entry, first + count - 1);
  else sets.seek(entry, first);
}

function zrangestore(session: Session, args: Arguments, reply: Reply): void {
  request.read(args, 3, "chosen", null, true);
  const entry = readSortedSet(session, args, 2);
  const { database } = session;
  const sets = sortedSetsOf(session);
  if (entry !== 0) request.find(session, entry);
  else request.count = 0;
  const { limits } = database.keyspace.collections;
  const growsPacked = request.by !== "rank" || request.count <= limits.sortedSetEntries;
  const requireRoom = roomForMembers(session, [entry]);
  const draft = makeDraft(session, { growsPacked, requireRoom }, (made) => {
    if (request.count > 0) seekRange(sets, entry);
    for (let left = request.count; left > 0; left--) {
      if (request.isReverse) sets.previous();
      else sets.next();
      made.find(sets.bytes, sets.start, sets.end);
      made.add(sets.score, sets.bytes, sets.start, sets.end);
    }
  });
  reply.integer(draft.count);
  storeDraft(session, args, 1, keyEvents.zrangestore);
}

/** ZCOUNT and ZLEXCOUNT. */
function count(by: "score" | "member") {
  return (session: Session, args: Arguments, reply: Reply): void => {
    request.read(args, 2, by, false, false);
    const entry = readSortedSet(session, args, 1);
    if (entry === 0) {
      reply.integer(0);
      return;
    }
    request.find(session, entry);
    reply.integer(request.count);
  };
}

function removeRange(by: By, event: KeyEvent) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    request.read(args, 2, by, false, false);
    const entry = findSortedSet(session, args, 1);
    if (entry === 0) {
      reply.integer(0);
      return;
    }
    request.find(session, entry);
    const { first, count } = request;
    const left = sortedSetsOf(session).removeRanks(session.database, entry, first, count);
    if (count > 0) tellKey(session, event, args);
    if (left === 0) tellKey(session, keyEvents.del, args);
    reply.integer(count);
  };
}

/** What all commands of this file have in common. */
const RANGE = {
  flags: ["readonly"],
  group: "sorted-set",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;

export const sortedSetRangeCommands: readonly Command[] = [
  {
    ...RANGE,
    name: "ZRANGE",
    arity: -4,
    since: "1.2.0",
    summary: "Returns a range of a sorted set, by rank, by score or by member.",
    syntax: "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
    run: range("chosen", null),
  },
  {
    ...RANGE,
    name: "ZRANGESTORE",
    arity: -5,
    flags: ["write", "denyoom"],
    keys: [1, 2, 1],
    since: "6.2.0",
    summary: "Stores a range of a sorted set, by rank, by score or by member.",
    syntax: "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]",
    run: zrangestore,
  },
  {
    ...RANGE,
    name: "ZREVRANGE",
    arity: -4,
    since: "1.2.0",
    summary: "Returns a range of a sorted set by rank, from the highest score down.",
    syntax: "key start stop [WITHSCORES]",
    run: range("rank", true),
  },
  {
    ...RANGE,
    name: "ZRANGEBYSCORE",
    arity: -4,
    since: "1.0.5",
    summary: "Returns the members of a sorted set with scores in a range.",
    syntax: "key min max [WITHSCORES] [LIMIT offset count]",
    run: range("score", false),
  },
  {
    ...RANGE,
    name: "ZREVRANGEBYSCORE",
    arity: -4,
    since: "2.2.0",
    summary: "Returns the members of a sorted set with scores in a range, the highest first.",
    syntax: "key max min [WITHSCORES] [LIMIT offset count]",
    run: range("score", true),
  },
  {
    ...RANGE,
    name: "ZRANGEBYLEX",
    arity: -4,
    since: "2.8.9",
    summary: "Returns a range of members of a sorted set whose scores are all the same.",
    syntax: "key min max [LIMIT offset count]",
    run: range("member", false),
  },
  {
    ...RANGE,
    name: "ZREVRANGEBYLEX",
    arity: -4,
    since: "2.8.9",
    summary: "Returns a range of members of a sorted set of one score, in reverse order.",
    syntax: "key max min [LIMIT offset count]",
    run: range("member", true),
  },
  {
    ...RANGE,
    name: "ZCOUNT",
    arity: 4,
    flags: ["readonly", "fast"],
    since: "2.0.0",
    summary: "Returns how many members of a sorted set have scores in a range.",
    syntax: "key min max",
    run: count("score"),
  },
  {
    ...RANGE,
    name: "ZLEXCOUNT",
    arity: 4,
    flags: ["readonly", "fast"],
    since: "2.8.9",
    summary: "Returns how many members are in a range, in a sorted set of one score.",
    syntax: "key min max",
    run: count("member"),
  },
  {
    ...RANGE,
    name: "ZREMRANGEBYRANK",
    arity: 4,
    flags: ["write"],
    since: "2.0.0",
    summary: "Removes a range of a sorted set by rank.",
    syntax: "key start stop",
    run: removeRange("rank", keyEvents.zremrangebyrank),
  },
  {
    ...RANGE,
    name: "ZREMRANGEBYSCORE",
    arity: 4,
    flags: ["write"],
    since: "1.2.0",
    summary: "Removes the members of a sorted set with scores in a range.",
    syntax: "key min max",
    run: removeRange("score", keyEvents.zremrangebyscore),
  },
  {
    ...RANGE,
    name: "ZREMRANGEBYLEX",
    arity: 4,
    flags: ["write"],
    since: "2.8.9",
    summary: "Removes a range of members of a sorted set whose scores are all the same.",
    syntax: "key min max",
    run: removeRange("member", keyEvents.zremrangebylex),
  },
];
