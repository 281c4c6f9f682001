/**
 * Transactions of several clients against redis-server: the same generated steps on both, one after the other, so that who
 * is refused, whose EXEC does nothing, and what is left, must be the same. And for every command that changes a key,
 * whether it aborts the transaction of who watches it.
 *
 * The seed is new in each run, and printed; KVDB_TEST_SEED=N sets it.
 */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { PlainClient } from "./plain-client.ts";
import { Random } from "./random.ts";
import { IS_LONG, KVDB, REDIS, SEED } from "./run-settings.ts";
import { startKvdb, startRedisServer } from "./servers.ts";

const SEQUENCES = IS_LONG ? 2000 : 150;
const STEPS = 40;
const CLIENTS = 3;
const TIMEOUT_MS = 120_000;

interface Step {
  readonly client: number;
  readonly words: readonly string[];
}

/** Steps that make transactions: most begin, fill, watch and end some; the rest changes what is watched. */
class StepMaker {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  sequence(): Step[] {
    return Array.from({ length: STEPS }, () => ({
      client: this.#random.integer(0, CLIENTS - 1),
      words: this.#random.weighted(this.#kinds).make(),
    }));
  }

  #key = () => this.#random.pick(["a", "b", "c", "d"]);
  #database = () => String(this.#random.integer(0, 2));

  readonly #kinds: readonly { weight: number; make: () => string[] }[] = [
    { weight: 8, make: () => ["MULTI"] },
    { weight: 9, make: () => ["EXEC"] },
    { weight: 2, make: () => ["DISCARD"] },
    { weight: 8, make: () => ["WATCH", this.#key(), this.#key()] },
    { weight: 1, make: () => ["UNWATCH"] },
    { weight: 1, make: () => ["RESET"] },
    { weight: 3, make: () => ["SELECT", this.#database()] },
    { weight: 12, make: () => this.#write() },
    { weight: 4, make: () => this.#read() },
    { weight: 3, make: () => this.#whole() },
    { weight: 2, make: () => this.#wrong() },
  ];

  #write(): string[] {
    const key = this.#key();
    return this.#random.pick([
      ["SET", key, "1"],
      ["SETNX", key, "2"],
      ["INCR", key],
      ["DEL", key, this.#key()],
      ["RPUSH", key, "x", "y"],
      ["LPOP", key],
      ["SADD", key, "m"],
      ["HSET", key, "f", "v"],
      ["ZADD", key, "1", "m"],
      ["EXPIRE", key, "1000"],
      ["PERSIST", key],
      ["RENAME", key, this.#key()],
      ["COPY", key, this.#key(), "REPLACE"],
      ["MOVE", key, this.#database()],
    ]);
  }

  #read(): string[] {
    const key = this.#key();
    return this.#random.pick([
      ["GET", key],
      ["TYPE", key],
      ["EXISTS", key, this.#key()],
      ["LRANGE", key, "0", "-1"],
      ["BLPOP", key, "0.001"],
      ["DBSIZE"],
    ]);
  }

  #whole(): string[] {
    return this.#random.pick([
      ["FLUSHDB"],
      ["FLUSHALL"],
      ["SWAPDB", this.#database(), this.#database()],
    ]);
  }

  #wrong(): string[] {
    return this.#random.pick([
      ["NOSUCH", "x"],
      ["GET"],
      ["INCR", "a", "b"],
      ["MULTI", "x"],
      ["CLIENT", "NOSUCH"],
    ]);
  }
}

class Server {
  readonly #clients: PlainClient[];

  private constructor(clients: PlainClient[]) {
    this.#clients = clients;
  }

  static async open(port: number): Promise<Server> {
    const clients = Array.from({ length: CLIENTS }, () => PlainClient.open(port));
    return new Server(await Promise.all(clients));
  }

  run({ client, words }: Step): Promise<string> {
    return (this.#clients[client] as PlainClient).run(words);
  }

  async begin(): Promise<void> {
    for (let client = 0; client < CLIENTS; client++) {
      await this.run({ client, words: ["RESET"] });
    }
    await this.run({ client: 0, words: ["FLUSHALL"] });
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

test.skipIf(REDIS === null)(
  "transactions of three clients are answered as redis-server answers them",
  async () => {
    if (!existsSync(KVDB)) throw new Error("dist/kvdb is missing: build it first");
    console.log(`transactions: seed ${SEED}`);
    await using redis = await startRedisServer(REDIS ?? "");
    await using kvdb = await startKvdb(KVDB);
    const [expected, actual] = await Promise.all([Server.open(redis.port), Server.open(kvdb.port)]);
    const counts = { aborted: 0, executed: 0, refused: 0 };
    for (let number = 0; number < SEQUENCES; number++) {
      const steps = new StepMaker(SEED + number).sequence();
      await Promise.all([expected.begin(), actual.begin()]);
      const told: string[] = [];
      for (const step of steps) {
        const [one, other] = await Promise.all([expected.run(step), actual.run(step)]);
        told.push(`${step.client}: ${step.words.join(" ")} → ${JSON.stringify(one)}`);
        expect([SEED + number, told.at(-1), other, told]).toEqual([
          ...[SEED + number, told.at(-1), one, told],
        ]);
        if (step.words[0] !== "EXEC") continue;
        if (one === "*-1\r\n") counts.aborted++;
        else if (one.startsWith("*")) counts.executed++;
        else if (one.startsWith("-EXECABORT")) counts.refused++;
      }
      const digest = { client: 0, words: ["DEBUG", "DIGEST"] };
      for (const server of [expected, actual]) {
        for (let client = 0; client < CLIENTS; client++) {
          await server.run({ client, words: ["RESET"] });
        }
      }
      expect(await actual.run(digest)).toBe(await expected.run(digest));
    }
    expected.close();
    actual.close();
    expect(Math.min(counts.aborted, counts.executed, counts.refused)).toBeGreaterThan(10);
  },
  TIMEOUT_MS,
);

/** What stands before, and then one command: does it abort who watches `k` (and `other`, and `new`, that is not there)? */
const GROUP = ["XADD k 1-1 f v", "XGROUP CREATE k g 0"] as const;

const CHANGES: readonly (readonly [before: readonly string[], command: string])[] = [
  [[], "SET k 1"],
  [["SET k 1"], "SET k 1"],
  [["SET k 1"], "SET k 2 NX"],
  [["SET k 1"], "GETSET k 1"],
  [["SET k 1"], "GETEX k"],
  [["SET k 1"], "GETEX k EX 100"],
  [["SET k 1"], "GETEX k PERSIST"],
  [["SET k 1"], "GETDEL k"],
  [["SET k 1"], "APPEND k x"],
  [["SET k 1"], "SETRANGE k 0 1"],
  [["SET k 1"], "INCRBYFLOAT k 1"],
  [["SET k 1"], "MSET other 1 new 2"],
  [["SET k 1"], "MSETNX k 1 new 2"],
  [["SET k 1"], "SETBIT k 1 0"],
  [["SET k 1"], "BITFIELD k SET u8 0 1"],
  [["SET k 1"], "BITFIELD k GET u8 0"],
  [["SET k 1"], "BITOP NOT other k"],
  [[], "BITOP NOT other k"],
  [["SET k 1"], "EXPIRE k 100"],
  [["SET k 1"], "EXPIRE k -1"],
  [["SET k 1"], "EXPIRE new 100"],
  [["SET k 1"], "PERSIST k"],
  [["SET k 1 EX 100"], "PERSIST k"],
  [["SET k 1"], "TOUCH k"],
  [["SET k 1"], "UNLINK k"],
  [["SET k 1"], "RENAME k new"],
  [["SET k 1"], "RENAMENX k new"],
  [["SET k 1"], "RENAME k k"],
  [["SET k 1"], "COPY k new"],
  [["SET k 1"], "MOVE k 1"],
  [["SET k 1", "SET other 2"], "SORT k STORE new"],
  [["RPUSH k 2 1"], "SORT k STORE new"],
  [["RPUSH k 2 1"], "SORT new STORE k"],
  [["RPUSH k 2 1"], "RPUSH k 1"],
  [["RPUSH k 2 1"], "LPUSHX new 1"],
  [["RPUSH k 2 1"], "LPOP k"],
  [["RPUSH k 2 1"], "LPOP k 0"],
  [["RPUSH k 2 1"], "LSET k 0 2"],
  [["RPUSH k 2 1"], "LINSERT k BEFORE 1 x"],
  [["RPUSH k 2 1"], "LINSERT k BEFORE 9 x"],
  [["RPUSH k 2 1"], "LREM k 0 9"],
  [["RPUSH k 2 1"], "LREM k 0 1"],
  [["RPUSH k 2 1"], "LTRIM k 0 -1"],
  [["RPUSH k 2 1"], "LMOVE k new LEFT LEFT"],
  [["RPUSH k 2 1"], "LMOVE k k LEFT LEFT"],
  [["RPUSH k 2 1"], "LMPOP 2 new k LEFT"],
  [["SADD k a"], "SADD k a"],
  [["SADD k a"], "SADD k b"],
  [["SADD k a"], "SREM k b"],
  [["SADD k a b"], "SPOP k"],
  [["SADD k a"], "SMOVE k new a"],
  [["SADD k a"], "SMOVE k new b"],
  [["SADD k a"], "SUNIONSTORE new k"],
  [["SADD k a"], "SINTERSTORE k new"],
  [["SADD k a"], "SDIFFSTORE new other"],
  [["HSET k f v"], "HSET k f v"],
  [["HSET k f v"], "HSETNX k f v"],
  [["HSET k f 1"], "HINCRBY k f 0"],
  [["HSET k f 1"], "HINCRBYFLOAT k f 0"],
  [["HSET k f v"], "HDEL k g"],
  [["HSET k f v"], "HDEL k f"],
  [["ZADD k 1 a"], "ZADD k 1 a"],
  [["ZADD k 1 a"], "ZADD k 2 a"],
  [["ZADD k 1 a"], "ZADD k NX 2 a"],
  [["ZADD k 1 a"], "ZINCRBY k 0 a"],
  [["ZADD k 1 a"], "ZREM k b"],
  [["ZADD k 1 a"], "ZPOPMIN k"],
  [["ZADD k 1 a"], "ZREMRANGEBYSCORE k 5 6"],
  [["ZADD k 1 a"], "ZREMRANGEBYRANK k 0 0"],
  [["ZADD k 1 a"], "ZRANGESTORE new k 0 -1"],
  [["ZADD k 1 a"], "ZUNIONSTORE new 1 k"],
  [["ZADD k 1 a"], "ZINTERSTORE k 1 new"],
  [["GEOADD k 1 1 a"], "GEOADD k 1 1 a"],
  [["GEOADD k 1 1 a"], "GEOSEARCHSTORE new k FROMMEMBER a BYRADIUS 1 km"],
  [["PFADD k a"], "PFADD k a"],
  [["PFADD k a"], "PFADD k b"],
  [["PFADD k a"], "PFMERGE new k"],
  [["PFADD k a"], "PFCOUNT k"],
  [["XADD k 1-1 f v"], "XADD k * f v"],
  [["XADD k 1-1 f v"], "XADD new NOMKSTREAM * f v"],
  [["XADD k 1-1 f v"], "XDEL k 1-1"],
  [["XADD k 1-1 f v"], "XDEL k 2-1"],
  [["XADD k 1-1 f v"], "XTRIM k MAXLEN 5"],
  [["XADD k 1-1 f v"], "XTRIM k MAXLEN 0"],
  [["XADD k 1-1 f v"], "XSETID k 9-9"],
  [["XADD k 1-1 f v"], "XGROUP CREATE new g $ MKSTREAM"],
  [["XADD k 1-1 f v"], "XGROUP CREATE k g 0"],
  [GROUP, "XGROUP SETID k g $"],
  [GROUP, "XGROUP DESTROY k g"],
  [GROUP, "XGROUP CREATECONSUMER k g c"],
  [GROUP, "XREADGROUP GROUP g c STREAMS k >"],
  [[...GROUP, "XREADGROUP GROUP g c STREAMS k >"], "XACK k g 1-1"],
  [[...GROUP, "XREADGROUP GROUP g c STREAMS k >"], "XCLAIM k g d 0 1-1"],
  [GROUP, "XREAD STREAMS k 0"],
  [["XADD k 1-1 f v"], "FLUSHDB"],
  [["SET k 1"], "SWAPDB 0 1"],
];

/** Where a command counts as a change of `k` on one side alone. */
const DIFFERENCES: Readonly<Record<string, "kvdb" | "redis">> = {
  // The bit is written, whatever it was.
  "SETBIT k 1 0": "kvdb",
  // Nothing was cut off, so nothing has changed.
  "LTRIM k 0 -1": "redis",
  // Redis does not say so of XSETID, although the stream has another last id.
  "XSETID k 9-9": "kvdb",
  // Nor of what becomes of the groups of a stream.
  "XGROUP CREATE k g 0": "kvdb",
  "XGROUP SETID k g $": "kvdb",
  "XGROUP DESTROY k g": "kvdb",
  "XGROUP CREATECONSUMER k g c": "kvdb",
  "XREADGROUP GROUP g c STREAMS k >": "kvdb",
  "XACK k g 1-1": "kvdb",
  "XCLAIM k g d 0 1-1": "kvdb",
};

test.skipIf(REDIS === null)(
  "a key that expires between WATCH and EXEC aborts, and none that was over before",
  async () => {
    await using redis = await startRedisServer(REDIS ?? "");
    await using kvdb = await startKvdb(KVDB);
    for (const port of [redis.port, kvdb.port]) {
      const server = await Server.open(port);
      const run = (line: string) => server.run({ client: 0, words: line.split(" ") });
      await run("DEBUG SET-ACTIVE-EXPIRE 0");
      await run("SET k v PX 30");
      await run("WATCH k");
      await run("DEBUG SLEEP 0.06");
      await run("MULTI");
      expect([port, await run("EXEC")]).toEqual([port, "*-1\r\n"]);
      await run("SET k v PX 30");
      await run("DEBUG SLEEP 0.06");
      await run("WATCH k");
      await run("MULTI");
      expect([port, await run("EXEC")]).toEqual([port, "*0\r\n"]);
      server.close();
    }
  },
);

test.skipIf(REDIS === null)(
  "what a command does to a watched key is what it does there",
  async () => {
    await using redis = await startRedisServer(REDIS ?? "");
    await using kvdb = await startKvdb(KVDB);
    const servers = await Promise.all([Server.open(redis.port), Server.open(kvdb.port)]);
    const aborted = async (server: Server, before: readonly string[], command: string) => {
      await server.begin();
      for (const line of before) await server.run({ client: 0, words: line.split(" ") });
      const outcomes: string[] = [];
      for (const key of ["k", "other", "new"]) {
        await server.begin();
        for (const line of before) await server.run({ client: 0, words: line.split(" ") });
        await server.run({ client: 1, words: ["WATCH", key] });
        await server.run({ client: 0, words: command.split(" ") });
        await server.run({ client: 1, words: ["MULTI"] });
        const answer = await server.run({ client: 1, words: ["EXEC"] });
        if (answer === "*-1\r\n") outcomes.push(key);
      }
      return `${before.join(", ")} | ${command} | ${outcomes.join(" ")}`;
    };
    const [expected, actual]: [string[], string[]] = [[], []];
    for (const [before, command] of CHANGES) {
      expected.push(await aborted(servers[0] as Server, before, command));
      actual.push(await aborted(servers[1] as Server, before, command));
    }
    const differing = CHANGES.map(([, command]) => command).filter((command, at) => {
      const known = DIFFERENCES[command];
      if (known === undefined) return actual[at] !== expected[at];
      const touching = known === "kvdb" ? actual : expected;
      return actual[at] === expected[at] || touching[at]?.endsWith("| k") !== true;
    });
    expect(differing).toEqual([]);
    for (const server of servers) server.close();
  },
  TIMEOUT_MS,
);
