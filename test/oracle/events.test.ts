/**
 * V-T6: kvdb's keyspace events against those of redis-server, step by step, for generated sequences of commands; a tenth of
 * them unless KVDB_TEST_LONG=1. And the examples of the unit tests, and waiting clients, on both.
 *
 * The seed is new in each run, and printed; KVDB_TEST_SEED=N sets it.
 */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { parseExample, REDIS_EXAMPLES } from "../unit/pubsub/event-examples.ts";
import { describeEvents, type StepEvents, traceable, traceEvents } from "./event-trace.ts";
import { GROUPS, sequence } from "./generate/sequence.ts";
import { comparable } from "./known-event-differences.ts";
import { COMMANDS_OF_MISSING_KEYS } from "./missing-keys.ts";
import { RespClient } from "./resp-client.ts";
import { IS_LONG, KVDB, REDIS, SEED } from "./run-settings.ts";
import { type RunningServer, startKvdb, startRedisServer } from "./servers.ts";
import { shrink } from "./shrink.ts";
import { type Command, commandsOf, describe, encode, type Step, step } from "./step.ts";

const STEPS = 30;
const TIMEOUT_MS = IS_LONG ? 900_000 : 120_000;

interface Servers extends AsyncDisposable {
  readonly redis: RunningServer;
  readonly kvdb: RunningServer;
}

async function start(): Promise<Servers> {
  if (!existsSync(KVDB)) throw new Error("dist/kvdb is missing: build it first");
  const redis = await startRedisServer(REDIS ?? "");
  const kvdb = await startKvdb(KVDB);
  return {
    redis,
    kvdb,
    async [Symbol.asyncDispose]() {
      await redis[Symbol.asyncDispose]();
      await kvdb[Symbol.asyncDispose]();
    },
  };
}

interface Mismatch {
  readonly step: Step;
  readonly expected: StepEvents;
  readonly actual: StepEvents;
}

/** The first step whose events differ, or null. */
async function mismatch(
  { redis, kvdb }: Servers,
  steps: readonly Step[],
): Promise<Mismatch | null> {
  const [expected, actual] = await Promise.all([
    traceEvents(redis.port, steps),
    traceEvents(kvdb.port, steps),
  ]);
  for (const [index, one] of steps.entries()) {
    const [left, right] = [expected[index] ?? [], actual[index] ?? []];
    const isSame = Bun.deepEquals(comparable(one, left), comparable(one, right));
    if (!isSame) return { step: one, expected: left, actual: right };
  }
  return null;
}

/** A script for people: what remains of the sequence, and what each server told of its last step. */
async function explain(servers: Servers, seed: number, steps: readonly Step[]): Promise<string> {
  const first = await mismatch(servers, steps);
  const kind = first === null ? "" : nameOf(first.step);
  const fails = async (candidate: readonly Step[]) => {
    const found = await mismatch(servers, candidate);
    return found !== null && nameOf(found.step) === kind;
  };
  const left = await shrink(steps, fails);
  const found = await mismatch(servers, left);
  return [
    `seed ${seed}`,
    ...left.flatMap(commandsOf).map((command) => `  > ${describe(command)}`),
    `    expected ${describeEvents(found?.expected ?? [])}`,
    `    actual   ${describeEvents(found?.actual ?? [])}`,
  ].join("\n");
}

function nameOf(one: Step): string {
  return (commandsOf(one)[0]?.words[0] ?? "").toUpperCase();
}

test.skipIf(REDIS === null)(
  "V-T6: the events of generated sequences equal redis-server's",
  async () => {
    console.log(`V-T6: seed ${SEED}`);
    await using servers = await start();
    const failures: string[] = [];
    for (let seed = SEED; seed < SEED + (IS_LONG ? 5_000 : 500); seed++) {
      const steps = traceable(sequence(seed, STEPS, GROUPS));
      if ((await mismatch(servers, steps)) === null) continue;
      failures.push(await explain(servers, seed, steps));
      if (failures.length === 5) break;
    }
    expect(failures.join("\n\n")).toBe("");
    const trace = await traceEvents(servers.kvdb.port, traceable(sequence(SEED, 200, GROUPS)));
    expect(trace.flat().length).toBeGreaterThan(20);
  },
  TIMEOUT_MS,
);

/** Each run of a few steps as one transaction; of the steps before it, what they set up. */
function inTransactions(steps: readonly Step[], size: number): Step[] {
  const transactions: Step[] = [];
  for (let i = 0; i < steps.length; i += size) {
    const commands = steps.slice(i, i + size).flatMap(commandsOf);
    const [begin, end] = [["MULTI"], ["EXEC"]].map(
      (words) => ({ words, answer: "exact" }) as const,
    );
    transactions.push({ kind: "commands", commands: [begin, ...commands, end] as Command[] });
  }
  return transactions;
}

test.skipIf(REDIS === null)(
  "the events of transactions come behind them, as redis-server's",
  async () => {
    await using servers = await start();
    const groups = GROUPS.filter(({ name }) => name !== "connection");
    const failures: string[] = [];
    for (let seed = SEED; seed < SEED + (IS_LONG ? 2_000 : 200); seed++) {
      const steps = inTransactions(traceable(sequence(seed, STEPS, groups)), 1 + (seed % 6));
      if ((await mismatch(servers, steps)) !== null) {
        failures.push(await explain(servers, seed, steps));
        break;
      }
    }
    expect(failures.join("")).toBe("");
  },
  TIMEOUT_MS,
);

test.skipIf(REDIS === null)(
  "the examples of the unit tests are what redis-server does",
  async () => {
    await using redis = await startRedisServer(REDIS ?? "");
    const wrong: string[] = [];
    for (const text of Object.values(REDIS_EXAMPLES).flat()) {
      const { before, command, events } = parseExample(text);
      const steps = [...before, command].map((words) => step(words));
      const told = (await traceEvents(redis.port, steps)).at(-1) ?? [];
      const found = told.map((event) => event.replace(/^0 /, ""));
      if (!Bun.deepEquals(found, [...events])) wrong.push(`${text}\n  ${describeEvents(found)}`);
    }
    expect(wrong.join("\n")).toBe("");
  },
  TIMEOUT_MS,
);

test.skipIf(REDIS === null)(
  "a missing key is told of where redis-server does",
  async () => {
    await using servers = await start();
    const wrong: string[] = [];
    for (const text of COMMANDS_OF_MISSING_KEYS) {
      for (const before of ["FLUSHALL", "SET k 1", "RPUSH k 1"]) {
        const steps = [before, text].map((command) => step(command.split(" ")));
        const found = await mismatch(servers, steps);
        if (found === null) continue;
        const [expected, actual] = [found.expected, found.actual].map(describeEvents);
        wrong.push(`${before}; ${text}\n  expected ${expected}\n  actual   ${actual}`);
      }
    }
    expect(wrong.join("\n")).toBe("");
  },
  TIMEOUT_MS,
);

/** What waits, then what serves it. */
const WAITING: readonly (readonly [waits: string, serves: string])[] = [
  ["BLPOP a b 0", "RPUSH b 1"],
  ["BRPOP a 0", "LPUSH a 1 2"],
  ["BLMOVE a b LEFT RIGHT 0", "RPUSH a 1"],
  ["BRPOPLPUSH a a 0", "RPUSH a 1 2"],
  ["BLMPOP 0 2 a b LEFT COUNT 5", "RPUSH b 1 2 3"],
  ["BZPOPMIN a 0", "ZADD a 1 m 2 n"],
  ["BZMPOP 0 1 a MAX COUNT 9", "ZADD a 1 m 2 n"],
  ["XREADGROUP GROUP g c BLOCK 0 STREAMS x >", "XADD x 1 f v"],
  ["BLPOP a 0", "LMOVE x a LEFT LEFT"],
];

test.skipIf(REDIS === null)(
  "who is served from waiting is told of behind what served him",
  async () => {
    await using servers = await start();
    for (const [waits, serves] of WAITING) {
      const told = await Promise.all(
        [servers.redis, servers.kvdb].map(({ port }) => traceServing(port, waits, serves)),
      );
      expect([waits, told[1]]).toEqual([waits, told[0]]);
      expect(told[0]?.length).toBeGreaterThan(1);
    }
  },
  TIMEOUT_MS,
);

async function traceServing(port: number, waits: string, serves: string): Promise<StepEvents> {
  const waiter = await RespClient.open(port);
  const asker = await RespClient.open(port);
  const toStep = (text: string) => step(text.split(" "));
  const prepare = [
    toStep("FLUSHALL"),
    /XREADGROUP/.test(waits) ? toStep("XGROUP CREATE x g 0 MKSTREAM") : toStep("RPUSH x 1 2"),
  ];
  await asker.exchange(prepare.flatMap(commandsOf).map(encode));
  const served = waiter.exchange(commandsOf(toStep(waits)).map(encode));
  await untilOneWaits(asker);
  const events = await traceEvents(port, [toStep(serves)], { empties: false });
  await served;
  for (const client of [waiter, asker]) client.close();
  return events.flat();
}

async function untilOneWaits(asker: RespClient): Promise<void> {
  for (;;) {
    const { replies } = await asker.exchange(commandsOf(step(["INFO", "clients"])).map(encode));
    if (/blocked_clients:1\r/.test(Buffer.from(replies[0] ?? []).toString())) return;
  }
}
