/**
 * CHANGES: what was changed from a revision on, as far as it is durable. The answer begins with the revision to ask from next,
 * also when nothing passed the filter, so whoever keeps it misses nothing and is told everything at least once:
 *
 *   CHANGES FROM 4711 PREFIX user: COUNT 100 BLOCK 5000
 *   → [4715, [[4711, 1790000000000, 0, "user:1", "set", ["SET", "user:1", "Ada"]], …]]
 */
import type { Arguments } from "../commands/arguments.ts";
import { readTimeoutMs } from "../commands/blocking-timeout.ts";
import type { Command, CommandInfo } from "../commands/command.ts";
import { CommandError, syntaxError } from "../commands/command-error.ts";
import type { Reply } from "../commands/reply.ts";
import type { Session } from "../session/session.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { Change } from "./changes.ts";
import { MAX_PAGE_CHANGES, PageReading, type Question, type StepEnd } from "./page-reading.ts";
import { commandErrorOf, PageWait } from "./page-wait.ts";

/** Changes are sought within the turn for so long, before anybody is let wait. */
const FIRST_STEP_MS = 0.5;

interface Asked {
  readonly question: Question;
  /** How long to wait for a change; undefined: not at all, 0: for ever. */
  readonly blockMs: number | undefined;
}

function changes(feed: ChangeFeed) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const { question, blockMs } = readQuestion(feed, session, args);
    const { reading, end } = attempt(() => begin(feed, question, session.mayWait));
    const isEnd = end === "end" && (reading.changes.length > 0 || blockMs === undefined);
    if (end === "full" || isEnd || !session.mayWait) {
      reading.end();
      writePage(reply, reading);
      return;
    }
    new PageWait({ feed, reading, session, blockMs, write: writePage }).begin(end);
  };
}

interface Begun {
  readonly reading: PageReading;
  readonly end: StepEnd;
}

/** What can be told at once. Who cannot wait is told all that is in memory. */
function begin(feed: ChangeFeed, question: Question, mayWait: boolean): Begun {
  const reading = new PageReading(feed, question);
  const endMs = feed.clock.monotonicMs() + FIRST_STEP_MS;
  const isOver = () => mayWait && feed.clock.monotonicMs() >= endMs;
  const end = reading.step(isOver);
  if (end === "log" && !mayWait) throw mustWait();
  return { reading, end };
}

function attempt<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw commandErrorOf(error);
  }
}

function mustWait(): CommandError {
  const message = "changes so old are read from disk, and here is nobody who could wait for it";
  return new CommandError("ERR", message);
}

function writePage(reply: Reply, { next, changes: found }: PageReading): void {
  reply.array(2);
  reply.integer(next);
  reply.array(found.length);
  for (const change of found) writeChange(reply, change);
}

function writeChange(reply: Reply, change: Change): void {
  const { revision, timeMs, database, key, event, command } = change;
  reply.array(6);
  reply.integer(revision);
  reply.integer(timeMs);
  reply.integer(database);
  if (key === null) reply.null();
  else reply.bulk(key, 0, key.length);
  reply.text(event);
  if (command === null) {
    reply.nullArray();
    return;
  }
  reply.array(command.length);
  for (const word of command) reply.bulk(word, 0, word.length);
}

// ---- arguments ----

function readQuestion(feed: ChangeFeed, session: Session, args: Arguments): Asked {
  if (!args.is(1, "FROM")) throw syntaxError();
  const from = readFrom(feed, args);
  let prefix: Buffer | null = null;
  let count = MAX_PAGE_CHANGES;
  let blockMs: number | undefined;
  for (let i = 3; i < args.count; i += 2) {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "PREFIX")) prefix = args.bytes(i + 1);
    else if (args.is(i, "COUNT")) count = readCount(args, i + 1);
    else if (args.is(i, "BLOCK")) {
      blockMs = readTimeoutMs(args, i + 1, session.server.clock.now());
    } else throw syntaxError();
  }
  if (prefix?.length === 0) prefix = null;
  return { question: { from, count, prefix, mayRead: feed.rightOf(session) }, blockMs };
}

/** `$`: behind the last change so far; 0: the oldest that there is. */
function readFrom(feed: ChangeFeed, args: Arguments): number {
  if (args.is(2, "$")) return feed.nextRevision;
  const revision = args.integer(2);
  if (!Number.isSafeInteger(revision) || revision < 0) {
    throw new CommandError("ERR", "FROM takes a revision, 0 for the oldest, or $ for what comes");
  }
  feed.use();
  return revision === 0 ? feed.oldest : revision;
}

function readCount(args: Arguments, index: number): number {
  const count = args.integer(index);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new CommandError("ERR", "value is out of range, must be positive");
}

export const changesInfo: CommandInfo = {
  name: "CHANGES",
  arity: -3,
  flags: ["readonly", "noscript", "blocking"],
  group: "generic",
  since: "kvdb 0.1.0",
  summary: `Tells what was changed from a revision on, at most ${MAX_PAGE_CHANGES} changes at a time.`,
  syntax: "FROM revision [PREFIX prefix] [COUNT count] [BLOCK milliseconds]",
};

export function changesCommand(feed: ChangeFeed): Command {
  return { ...changesInfo, run: changes(feed) };
}
