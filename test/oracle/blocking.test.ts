/**
 * Several clients that wait for lists, against redis-server: the same generated steps on both, one after the other, each until it
 * is quiet; who gets which element, and what is left, must be the same.
 *
 * The seed is new in each run, and printed; KVDB_TEST_SEED=N sets it.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Random } from "./random.ts";
import { findRedisServer, type RunningServer, startKvdb, startRedisServer } from "./servers.ts";

const KVDB = join(import.meta.dir, "../../dist/kvdb");
const REDIS = findRedisServer();
const SEED = Number(Bun.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
const SEQUENCES = Bun.env["KVDB_TEST_LONG"] === "1" ? 200 : 20;
const STEPS = 25;
const WAITERS = 5;
const KEYS = ["a", "b", "c"];

/** What one step is: a waiter that may be waiting already, in which case it is passed over; or null, who writes. */
interface Step {
  readonly waiter: number | null;
  readonly words: readonly string[];
}

function steps(seed: number): Step[] {
  const random = new Random(seed);
  const key = () => random.pick(KEYS);
  const side = () => random.pick(["LEFT", "RIGHT"]);
  const some = (most: number) => Array.from({ length: random.integer(1, most) }, key);
  let pushed = 0;
  const elements = () => Array.from({ length: random.integer(1, 4) }, () => `e${pushed++}`);
  const waits = [
    () => [random.pick(["BLPOP", "BRPOP"]), ...some(3), "0"],
    () => ["BLMOVE", key(), key(), side(), side(), "0"],
    () => ["BRPOPLPUSH", key(), key(), "0"],
    () => ["BLMPOP", "0", "2", key(), key(), side(), "COUNT", String(random.integer(1, 3))],
  ];
  // Not what overwrites a key of another type (SORT … STORE): that wakes here, as every other way to a list does; there it does not.
  const writes = [
    () => [random.pick(["LPUSH", "RPUSH"]), key(), ...elements()],
    () => [random.pick(["LPUSH", "RPUSH"]), key(), ...elements()],
    () => ["RENAME", key(), key()],
    () => ["COPY", key(), key()],
    () => ["LMOVE", key(), key(), side(), side()],
    () => ["DEL", key()],
    () => ["SET", key(), "text"],
  ];
  return Array.from({ length: STEPS }, () => {
    const waiter = random.chance(0.5) ? random.integer(0, WAITERS - 1) : null;
    return { waiter, words: random.pick(waiter === null ? writes : waits)() };
  });
}

/** Everything that was answered, in the order of the clients' numbers within each step. */
async function play(server: RunningServer, sequence: readonly Step[]): Promise<string[]> {
  const connect = () => new Redis({ port: server.port, host: "127.0.0.1" });
  const writer = connect();
  const waiters = Array.from({ length: WAITERS }, () => ({ client: connect(), answer: "idle" }));
  const log: string[] = [];
  try {
    await writer.call("FLUSHALL");
    await Promise.all(waiters.map(({ client }) => client.ping()));
    for (const { waiter, words } of sequence) {
      const chosen = waiter === null ? undefined : waiters[waiter];
      if (chosen === undefined) log.push(`${words.join(" ")}: ${await answerOf(writer, words)}`);
      else if (chosen.answer === "idle") {
        chosen.answer = "waiting";
        void answerOf(chosen.client, words).then((answer) => {
          chosen.answer = answer;
        });
      }
      await untilQuiet(writer, waiters);
      waiters.forEach((one, index) => {
        if (one.answer === "idle" || one.answer === "waiting") return;
        log.push(`waiter ${index}: ${one.answer}`);
        one.answer = "idle";
      });
    }
    for (const key of KEYS)
      log.push(`${key}: ${await answerOf(writer, ["LRANGE", key, "0", "-1"])}`);
  } finally {
    for (const { client } of [...waiters, { client: writer }]) client.disconnect();
  }
  return log;
}

async function answerOf(client: Redis, [name, ...rest]: readonly string[]): Promise<string> {
  try {
    return JSON.stringify(await client.call(name as string, ...rest));
  } catch (error) {
    return String(error);
  }
}

/** Each that has no answer yet is blocked: nothing is under way. */
async function untilQuiet(writer: Redis, waiters: readonly { answer: string }[]): Promise<void> {
  for (;;) {
    const info = await writer.info("clients");
    const blocked = Number(/blocked_clients:(\d+)/.exec(info)?.[1]);
    if (waiters.filter(({ answer }) => answer === "waiting").length === blocked) return;
  }
}

test.skipIf(REDIS === null)(
  "who waits gets what redis-server gives him",
  async () => {
    console.log(`blocking: seed ${SEED}`);
    await using expected = await startRedisServer(REDIS ?? "");
    await using actual = await startKvdb(KVDB);
    for (let seed = SEED; seed < SEED + SEQUENCES; seed++) {
      const sequence = steps(seed);
      const theirs = await play(expected, sequence);
      expect([seed, ...(await play(actual, sequence))]).toEqual([seed, ...theirs]);
    }
  },
  120_000,
);
