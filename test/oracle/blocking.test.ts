/**
 * Several clients that wait for lists, sorted sets and streams, against redis-server: the same generated steps on both, one after the other, each until it
 * is quiet; who gets which element, and what is left, must be the same.
 *
 * The seed is new in each run, and printed; KVDB_TEST_SEED=N sets it.
 */
import { expect, test } from "bun:test";
import { Redis } from "ioredis";
import { Random } from "./random.ts";
import { IS_LONG, KVDB, REDIS, SEED } from "./run-settings.ts";
import { type RunningServer, startKvdb, startRedisServer } from "./servers.ts";

const SEQUENCES = IS_LONG ? 200 : 40;
const STEPS = 25;
const WAITERS = 5;
const KEYS = ["a", "b", "c"];

/** What one step is: a waiter that may be waiting already, in which case it is passed over; or null, who writes. */
interface Step {
  readonly waiter: number | null;
  readonly words: readonly string[];
}

type Make = () => string[];

/** What is left of a key, whatever its type: those of other types answer an error. */
const LOOKS = [
  (key: string) => ["LRANGE", key, "0", "-1"],
  (key: string) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
  (key: string) => ["XRANGE", key, "-", "+"],
  (key: string) => ["XPENDING", key, "g"],
];

/** Waits and writes of each type, with a source of what is random. */
class StepMaker {
  readonly #random: Random;
  #made = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** Most sequences are about one type, so that many waiters are served; some are about all, whose waiters share keys. */
  sequence(): Step[] {
    const random = this.#random;
    const list = { waits: this.#listWaits(), writes: this.#listWrites() };
    const zset = { waits: this.#sortedSetWaits(), writes: this.#sortedSetWrites() };
    const stream = { waits: this.#streamWaits(), writes: this.#streamWrites() };
    const types = random.pick([[list], [zset], [stream], [list, zset, stream]]);
    const waits = types.flatMap((type) => type.waits);
    const writes = [...types.flatMap((type) => type.writes), ...this.#writes()];
    return Array.from({ length: STEPS }, () => {
      const waiter = random.chance(0.5) ? random.integer(0, WAITERS - 1) : null;
      return { waiter, words: random.pick(waiter === null ? writes : waits)() };
    });
  }

  #key = () => this.#random.pick(KEYS);
  #side = () => this.#random.pick(["LEFT", "RIGHT"]);
  #count = (most: number) => String(this.#random.integer(1, most));
  #some = <Item>(most: number, make: () => Item) =>
    Array.from({ length: this.#random.integer(1, most) }, make);
  #new = () => `e${this.#made++}`;

  #listWaits(): Make[] {
    const [key, side] = [this.#key, this.#side];
    return [
      () => [this.#random.pick(["BLPOP", "BRPOP"]), ...this.#some(3, key), "0"],
      () => ["BLMOVE", key(), key(), side(), side(), "0"],
      () => ["BRPOPLPUSH", key(), key(), "0"],
      () => ["BLMPOP", "0", "2", key(), key(), side(), "COUNT", this.#count(3)],
    ];
  }

  #listWrites(): Make[] {
    const [key, side] = [this.#key, this.#side];
    const push = () => [this.#random.pick(["LPUSH", "RPUSH"]), key(), ...this.#some(4, this.#new)];
    return [push, push, () => ["LMOVE", key(), key(), side(), side()]];
  }

  #sortedSetWaits(): Make[] {
    const [key, random] = [this.#key, this.#random];
    const end = () => random.pick(["MIN", "MAX"]);
    return [
      () => [random.pick(["BZPOPMIN", "BZPOPMAX"]), ...this.#some(3, key), "0"],
      () => ["BZMPOP", "0", "1", key(), end()],
      () => ["BZMPOP", "0", "2", key(), key(), end(), "COUNT", this.#count(3)],
    ];
  }

  #sortedSetWrites(): Make[] {
    const key = this.#key;
    const scored = () => [this.#random.pick(["1", "2", "2.5", "-inf"]), this.#new()];
    const add = () => ["ZADD", key(), ...this.#some(4, scored).flat()];
    return [
      add,
      add,
      () => ["ZADD", key(), "XX", "1", this.#new()],
      () => ["ZINCRBY", key(), "1.5", this.#new()],
      () => ["ZPOPMIN", key()],
    ];
  }

  #streamWaits(): Make[] {
    const [key, random] = [this.#key, this.#random];
    const streams = (after: () => string) => {
      const keys = this.#some(2, key);
      return ["BLOCK", "0", "STREAMS", ...keys, ...keys.map(after)];
    };
    const group = () => ["XREADGROUP", "GROUP", "g", random.pick(["c1", "c2"])];
    return [
      () => ["XREAD", ...streams(() => random.pick(["$", "0", `${this.#made}-0`]))],
      () => ["XREAD", "COUNT", this.#count(2), ...streams(() => "$")],
      () => [...group(), ...streams(() => ">")],
      () => [...group(), "COUNT", "1", "NOACK", ...streams(() => ">")],
    ];
  }

  #streamWrites(): Make[] {
    const key = this.#key;
    const add = () => ["XADD", key(), `${++this.#made}-0`, "field", "value"];
    const create = () => [
      "XGROUP",
      "CREATE",
      key(),
      "g",
      this.#random.pick(["$", "0"]),
      "MKSTREAM",
    ];
    return [
      ...[add, add, add, create, create],
      () => ["XGROUP", "DESTROY", key(), "g"],
      () => ["XTRIM", key(), "MAXLEN", "1"],
    ];
  }

  /** Not what overwrites a key of another type (SORT … STORE): that wakes here, as every other way to a list does; there it does not. */
  #writes(): Make[] {
    const key = this.#key;
    return [
      () => ["RENAME", key(), key()],
      () => ["COPY", key(), key()],
      () => ["DEL", key()],
      () => ["SET", key(), "text"],
    ];
  }
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
    for (const key of KEYS) {
      for (const look of LOOKS) log.push(`${look(key)}: ${await answerOf(writer, look(key))}`);
    }
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
      const sequence = new StepMaker(seed).sequence();
      const theirs = await play(expected, sequence);
      expect([seed, ...(await play(actual, sequence))]).toEqual([seed, ...theirs]);
    }
  },
  120_000,
);
