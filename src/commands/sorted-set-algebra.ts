/**
 * Several sorted sets at once: union, intersection, difference, answered, counted or stored. Sets are taken as well, each member
 * with the score 1. Which members those are is found in store/sorted-set-algebra.ts. The records of the STORE forms are the
 * commands as they were sent, since nothing in them is random.
 */
import type { KeyEvent } from "../pubsub/event-names.ts";
import type { Session } from "../session/session.ts";
import { SET, typeOf, ZSET } from "../store/entry.ts";
import {
  type Aggregate,
  type ScoredSource,
  SortedSetAlgebra,
} from "../store/sorted-set-algebra.ts";
import type { SortedSetDraft } from "../store/sorted-set-draft.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError, wrongType } from "./command-error.ts";
import { type RequireRoom, roomForMembers } from "./growth.ts";
import { keyEvents } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { makeDraft, replyMember, replyMembers, storeDraft } from "./sorted-set-value.ts";

type Operation = "union" | "inter" | "diff";

/** `numkeys key …` and the options behind. */
interface Combination {
  readonly sources: readonly ScoredSource[];
  readonly aggregate: Aggregate;
  readonly withScores: boolean;
  /** 0: none. */
  readonly limit: number;
}

/** What may stand behind the keys. */
interface Allowed {
  readonly name: string;
  readonly combines: boolean;
  readonly withScores: boolean;
  readonly limit: boolean;
}

/** Reads the arguments from `numkeys`, argument `from`, on. */
function combination(
  session: Session,
  args: Arguments,
  from: number,
  allowed: Allowed,
): Combination {
  const end = keysEnd(args, from, allowed.name);
  const entries: number[] = [];
  for (let key = from + 1; key < end; key++) entries.push(sourceAt(session, args, key));
  let weights: number[] | null = null;
  let aggregate: Aggregate = "sum";
  let withScores = false;
  let limit = 0;
  for (let i = end; i < args.count; i++) {
    const left = args.count - i;
    if (allowed.combines && left > entries.length && args.is(i, "WEIGHTS")) {
      weights = entries.map((_, index) => weightAt(args, i + 1 + index));
      i += entries.length;
    } else if (allowed.combines && left >= 2 && args.is(i, "AGGREGATE")) {
      aggregate = aggregateAt(args, ++i);
    } else if (allowed.withScores && args.is(i, "WITHSCORES")) withScores = true;
    else if (allowed.limit && left >= 2 && args.is(i, "LIMIT")) limit = limitAt(args, ++i);
    else throw syntaxError();
  }
  const sources = entries.map((entry, index) => ({ entry, weight: weights?.[index] ?? 1 }));
  return { sources, aggregate, withScores, limit };
}

/** The argument behind the last key. */
function keysEnd(args: Arguments, from: number, name: string): number {
  const count = args.integer(from);
  if (Number.isNaN(count)) throw notAnInteger();
  if (count < 1) {
    throw new CommandError("ERR", `at least 1 input key is needed for '${name}' command`);
  }
  if (count > args.count - from - 1) throw syntaxError();
  return from + 1 + count;
}

function sourceAt(session: Session, args: Arguments, key: number): number {
  const { database } = session;
  const entry = database.read(args.buffer, args.start[key], args.end[key]);
  if (entry === 0) return 0;
  const type = typeOf(database.arena, entry);
  if (type !== ZSET && type !== SET) throw wrongType();
  return entry;
}

function weightAt(args: Arguments, index: number): number {
  const weight = args.float(index);
  if (Number.isNaN(weight)) throw new CommandError("ERR", "weight value is not a float");
  return weight;
}

function aggregateAt(args: Arguments, index: number): Aggregate {
  if (args.is(index, "SUM")) return "sum";
  if (args.is(index, "MIN")) return "min";
  if (args.is(index, "MAX")) return "max";
  throw syntaxError();
}

function limitAt(args: Arguments, index: number): number {
  const limit = args.integer(index);
  if (Number.isNaN(limit) || limit < 0) throw new CommandError("ERR", "LIMIT can't be negative");
  return limit;
}

/** Gathers what comes of the sources in the draft, which is to be stored or dropped. */
function gather(
  session: Session,
  operation: Operation,
  { sources, aggregate }: Combination,
  requireRoom: RequireRoom | null,
): SortedSetDraft {
  const algebra = new SortedSetAlgebra(session.database);
  return makeDraft(session, { requireRoom }, (draft) => {
    if (operation === "union") algebra.union(sources, aggregate, draft);
    else if (operation === "inter") algebra.intersect(sources, aggregate, draft);
    else algebra.subtract(sources, draft);
  });
}

/** Those whose members may all be in what is stored: of an intersection each one is, and one is enough to know. */
function contributing(operation: Operation, { sources }: Combination): number[] {
  const entries = sources.map(({ entry }) => entry);
  return operation === "union" ? entries : entries.slice(0, 1);
}

function answer(operation: Operation) {
  const allowed = {
    name: `z${operation}`,
    combines: operation !== "diff",
    withScores: true,
    limit: false,
  };
  return (session: Session, args: Arguments, reply: Reply): void => {
    const combined = combination(session, args, 1, allowed);
    const draft = gather(session, operation, combined, null);
    replyMembers(session, draft.count, combined.withScores, reply);
    if (draft.count > 0) draft.rewind();
    for (let left = draft.count; left > 0; left--) {
      draft.next();
      replyMember(session, draft, combined.withScores, reply);
    }
    draft.drop(session.database);
  };
}

function store(operation: Operation, event: KeyEvent) {
  const allowed = {
    name: `z${operation}store`,
    combines: operation !== "diff",
    withScores: false,
    limit: false,
  };
  return (session: Session, args: Arguments, reply: Reply): void => {
    const combined = combination(session, args, 2, allowed);
    const room = roomForMembers(session, contributing(operation, combined));
    const draft = gather(session, operation, combined, room);
    reply.integer(draft.count);
    storeDraft(session, args, 1, event);
  };
}

function zintercard(session: Session, args: Arguments, reply: Reply): void {
  const allowed = { name: "zintercard", combines: false, withScores: false, limit: true };
  const { sources, limit } = combination(session, args, 1, allowed);
  reply.integer(new SortedSetAlgebra(session.database).countCommon(sources, limit));
}

/** What all commands of this file have in common. */
const ANSWER = {
  arity: -3,
  flags: ["readonly", "movablekeys"],
  group: "sorted-set",
  keysCountedAt: 1,
} as const satisfies Partial<Command>;
const STORE = {
  arity: -4,
  flags: ["write", "denyoom", "movablekeys"],
  group: "sorted-set",
  keys: [1, 1, 1],
  keysCountedAt: 2,
} as const satisfies Partial<Command>;

const COMBINING = "[WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]";

export const sortedSetAlgebraCommands: readonly Command[] = [
  {
    ...ANSWER,
    name: "ZUNION",
    since: "6.2.0",
    summary: "Returns the members that any of the sorted sets has.",
    syntax: `numkeys key [key ...] ${COMBINING} [WITHSCORES]`,
    run: answer("union"),
  },
  {
    ...ANSWER,
    name: "ZINTER",
    since: "6.2.0",
    summary: "Returns the members that all of the sorted sets have.",
    syntax: `numkeys key [key ...] ${COMBINING} [WITHSCORES]`,
    run: answer("inter"),
  },
  {
    ...ANSWER,
    name: "ZDIFF",
    since: "6.2.0",
    summary: "Returns the members of the first sorted set that no other one has.",
    syntax: "numkeys key [key ...] [WITHSCORES]",
    run: answer("diff"),
  },
  {
    ...ANSWER,
    name: "ZINTERCARD",
    since: "7.0.0",
    summary: "Returns how many members all of the sorted sets have, counting to the limit.",
    syntax: "numkeys key [key ...] [LIMIT limit]",
    run: zintercard,
  },
  {
    ...STORE,
    name: "ZUNIONSTORE",
    since: "2.0.0",
    summary: "Stores the members that any of the sorted sets has.",
    syntax: `destination numkeys key [key ...] ${COMBINING}`,
    run: store("union", keyEvents.zunionstore),
  },
  {
    ...STORE,
    name: "ZINTERSTORE",
    since: "2.0.0",
    summary: "Stores the members that all of the sorted sets have.",
    syntax: `destination numkeys key [key ...] ${COMBINING}`,
    run: store("inter", keyEvents.zinterstore),
  },
  {
    ...STORE,
    name: "ZDIFFSTORE",
    since: "6.2.0",
    summary: "Stores the members of the first sorted set that no other one has.",
    syntax: "destination numkeys key [key ...]",
    run: store("diff", keyEvents.zdiffstore),
  },
];
