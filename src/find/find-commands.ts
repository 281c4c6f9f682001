/** FIND and EXPLAIN: what they are asked and what they answer. How is decided in plan.ts, done in find-run.ts. */
import type { Arguments } from "../commands/arguments.ts";
import type { Command, ReadPrefix, Run } from "../commands/command.ts";
import { CommandError } from "../commands/command-error.ts";
import { oneLine } from "../commands/one-line.ts";
import type { Reply } from "../commands/reply.ts";
import { KvdbError } from "../errors.ts";
import type { Indexes } from "../index/indexes.ts";
import { answerAfter } from "../index/later-answer.ts";
import { describeFilter } from "../query/describe-filter.ts";
import type { Session } from "../session/session.ts";
import { prefixRead, readFindArguments } from "./find-arguments.ts";
import { FindWork } from "./find-work.ts";
import { groupText } from "./group-text.ts";

function find(indexes: Indexes): Run {
  return (session, args, reply) => {
    const work = prepare(session, args, 1, indexes);
    answer(session, reply, work, (to) => replyResult(to, work));
  };
}

function explain(indexes: Indexes): Run {
  return (session, args, reply) => {
    if (!args.is(1, "FIND")) throw new CommandError("ERR", "expected FIND behind EXPLAIN");
    const { clock } = session.server;
    const begunMs = clock.monotonicMs();
    const work = prepare(session, args, 2, indexes);
    answer(session, reply, work, (to) => {
      const lines = explanation(work, clock.monotonicMs() - begunMs);
      to.map(lines.length);
      for (const [name, value] of lines) {
        to.text(name);
        if (typeof value === "number") to.integer(value);
        else to.text(value);
      }
    });
  };
}

function prepare(session: Session, args: Arguments, at: number, indexes: Indexes) {
  try {
    return new FindWork(readFindArguments(args, at), session.database, indexes);
  } catch (error) {
    if (error instanceof KvdbError) throw new CommandError("ERR", error.message);
    throw error;
  }
}

/** What was read is shown when it is as durable as promised. */
function answer(
  session: Session,
  reply: Reply,
  work: FindWork,
  write: (reply: Reply) => void,
): void {
  const { keyspace } = session.server;
  answerAfter(session, reply, work, () => (to) => {
    keyspace.readVersion = Math.max(keyspace.readVersion, work.readVersion);
    if (work.failure === undefined) write(to);
    else throw new CommandError("ERR", oneLine(work.failure.message));
  });
}

function replyResult(reply: Reply, { request, run }: FindWork): void {
  if (request.isCount) {
    reply.integer(Math.min(request.limit, Math.max(0, run.matched - request.skip)));
    return;
  }
  if (request.groupBy !== undefined) {
    reply.array(run.groups.length);
    for (const group of run.groups) {
      const text = Buffer.from(groupText(request, group));
      reply.json(text, 0, text.length);
    }
    return;
  }
  if (request.cursor !== undefined) {
    reply.array(2);
    reply.text(run.next);
  }
  const skipped = Buffer.byteLength(request.keyPrefix);
  reply.array(run.rows.length);
  for (const { key, text } of run.rows) {
    reply.array(2);
    reply.bulk(key, skipped, key.length);
    reply.json(text, 0, text.length);
  }
}

function explanation(
  { request, plan, run }: FindWork,
  ms: number,
): [name: string, value: string | number][] {
  const { index } = plan;
  const rows = request.groupBy === undefined ? run.rows.length : run.groups.length;
  return [
    ["plan", index === undefined ? "scan of all documents" : `index ${index.name}`],
    ["index", index?.name ?? ""],
    ...(index === undefined ? [] : ([["kind", index.definition.use]] as [string, string][])),
    ["fields", index?.fields.join(",") ?? ""],
    ["ranges", plan.ranges?.length ?? 0],
    ["filter", describeFilter(request.filter)],
    ["exact", plan.isExact ? "yes" : "no"],
    ["sorted by the index", plan.isSorted ? "yes" : "no"],
    ["rows estimated", plan.estimate],
    ["rows examined", run.examined],
    ["rows returned", request.isCount ? run.matched : rows],
    ["microseconds", Math.round(ms * 1000)],
  ];
}

/** For permissions: which documents it looks at. `at`: where the filter stands. */
function readUnder(args: Arguments, start: number, at: number): ReadPrefix | undefined {
  const bytes = prefixRead(args, at);
  return bytes === undefined ? undefined : { bytes, argument: start };
}

const SYNTAX =
  "filter [IN prefix] [USING index] [SORT order] [LIMIT count] [SKIP count] [FIELDS paths] [COUNT] [CURSOR cursor] [GROUP BY paths [SUM path] [AVG path] [MIN path] [MAX path]] [PARAMS value [value ...]]";

export function findCommands(indexes: Indexes): readonly Command[] {
  return [
    {
      name: "FIND",
      arity: -2,
      flags: ["readonly"],
      mayAnswerLater: true,
      group: "index",
      since: "kvdb 0.1.0",
      summary: "Returns the documents that fulfil a filter, a count of them, or groups of them.",
      syntax: SYNTAX,
      readsUnder: (args, start) => readUnder(args, start, start + 1),
      run: find(indexes),
    },
    {
      name: "EXPLAIN",
      arity: -3,
      flags: ["readonly"],
      mayAnswerLater: true,
      group: "index",
      since: "kvdb 0.1.0",
      summary: "Runs FIND and tells how: which index, how many rows were examined and returned.",
      syntax: `FIND ${SYNTAX}`,
      readsUnder: (args, start) => readUnder(args, start, start + 2),
      run: explain(indexes),
    },
  ];
}
