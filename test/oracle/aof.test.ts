/**
 * U3, U4: the folder of `aof` is one of redis-server 7: it loads ours and holds the same, its checkers
 * find nothing wrong, and we load its own, of every layout that Redis has had.
 *
 * KVDB_TEST_SEED sets the seed, KVDB_TEST_LONG=1 plays more.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AofOptions } from "../../plugins/aof/options.ts";
import { EngineHarness } from "../suites/engine-harness.ts";
import { seeds } from "../suites/seeds.ts";
import { deadlines } from "../unit/journal/deadlines.ts";
import { loadFolder, rewrite, writeRecords } from "./aof-folder.ts";
import { asRedisKeepsIt, fieldDeadlines, playInRedisWords } from "./recorded-play.ts";
import { RedisInWords } from "./redis-in-words.ts";
import { RespClient } from "./resp-client.ts";
import { findRedisServer, startRedisInFolder } from "./servers.ts";
import { encodeArray } from "./step.ts";

const REDIS = findRedisServer();
const IS_LONG = Bun.env["KVDB_TEST_LONG"] === "1";
const STEPS = IS_LONG ? 20_000 : 2_000;
const TIMEOUT_MS = IS_LONG ? 600_000 : 60_000;
const APPENDONLY = ["--appendonly", "yes"];

const forms: readonly (readonly [name: string, options: AofOptions, isStreaming?: boolean])[] = [
  ["a base of RDB", {}],
  ["a base of commands", { "aof-use-rdb-preamble": false }],
  ["annotations of the time", { "aof-timestamp-enabled": true }],
  ["many files", { segmentBytes: 16 * 1024 }],
  ["the stream of replication", { segmentBytes: 64 * 1024 }, true],
];

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kvdb-aof-"));
});

afterEach(() => rm(folder, { recursive: true }));

describe.skipIf(REDIS === null)("redis-server loads what kvdb wrote", () => {
  for (const [name, options, isStreaming] of forms) {
    test.each(seeds(1))(
      `${name}: seed %d`,
      async (seed) => {
        const db = playInRedisWords(seed, STEPS, isStreaming);
        await writeRecords(db, folder, options);
        expect(await check(folder)).toBe(0);
        await expectInRedis(db, folder, `seed ${seed}, records`);
        await rewrite(db, folder, options);
        expect(await check(folder)).toBe(0);
        await expectInRedis(db, folder, `seed ${seed}, rewritten`);
      },
      TIMEOUT_MS,
    );
  }
});

describe("kvdb has all of it back", () => {
  for (const [name, options, isStreaming] of forms) {
    test.each(seeds(1))(
      `${name}: seed %d`,
      async (seed) => {
        const db = playInRedisWords(seed, STEPS, isStreaming);
        await writeRecords(db, folder, options);
        await expectSame(db, folder, `seed ${seed}, records`);
        await rewrite(db, folder, options);
        await expectSame(db, folder, `seed ${seed}, rewritten`);
      },
      TIMEOUT_MS,
    );
  }
});

describe.skipIf(REDIS === null)("kvdb loads what redis-server wrote", () => {
  const redis = REDIS ?? "";

  for (const preamble of ["yes", "no"]) {
    test(`Redis 7's folder, rewritten in the middle, aof-use-rdb-preamble ${preamble}`, async () => {
      const digest = await writeInRedis([
        ...[...APPENDONLY, "--aof-use-rdb-preamble", preamble],
        ...["--aof-timestamp-enabled", "yes"],
      ]);
      expect(await readdir(join(folder, "appendonlydir"))).toHaveLength(3);
      expect(await digestOf(folder)).toEqual(digest);
      // It is kvdb's now, and Redis's all the same.
      expect(await digestOf(folder)).toEqual(digest);
      expect(await check(folder)).toBe(0);
      expect(await digestInRedis(folder)).toEqual(digest);
    });
  }

  test("one file, as before Redis 7: commands, and an RDB with commands behind it", async () => {
    const digest = await writeInRedis([...APPENDONLY, "--aof-use-rdb-preamble", "yes"]);
    const names = await readdir(join(folder, "appendonlydir"));
    const parts = [".base.rdb", ".incr.aof"].map((end) => names.find((name) => name.endsWith(end)));
    const bytes = await Promise.all(
      parts.map((name) => readFile(join(folder, "appendonlydir", name ?? ""))),
    );
    await rm(join(folder, "appendonlydir"), { recursive: true });
    await writeFile(join(folder, "appendonly.aof"), Buffer.concat(bytes));
    expect(await digestOf(folder)).toEqual(digest);
    expect(await readdir(folder)).not.toContain("appendonly.aof");
    expect(await digestOf(folder)).toEqual(digest);
    expect(await check(folder)).toBe(0);
    expect(await digestInRedis(folder)).toEqual(digest);
  });

  test("an RDB, where there is no append-only file: it becomes the base, and stays", async () => {
    const digest = await writeInRedis(["--appendonly", "no"], ["SAVE"]);
    expect(await digestOf(folder)).toEqual(digest);
    expect(await readdir(folder)).toContain("dump.rdb");
    expect(await digestOf(folder)).toEqual(digest);
    expect(await digestInRedis(folder)).toEqual(digest);
  });

  test("an RDB alone, and Redis loads what kvdb saves", async () => {
    const digest = await writeInRedis(["--appendonly", "no"], ["SAVE"]);
    const { db } = await loadFolder(folder, Date.now(), { appendonly: false });
    expect(db.run("DEBUG", "DIGEST") as string).toEqual(digest);
  });

  test("what Redis has written on, where kvdb had stopped", async () => {
    const db = new EngineHarness({ auditEvery: 0, redisWords: true });
    for (let i = 0; i < 100; i++) db.run("RPUSH", `list ${i % 9}`, i, "element");
    await writeRecords(db, folder, {});
    await using server = await startRedisInFolder(redis, folder, APPENDONLY);
    const words = await RedisInWords.open(server.port);
    await words.run("SET", "of redis", "1");
    await words.run("RPUSH", "list of redis", "a", "b");
    const digest = await words.run("DEBUG", "DIGEST");
    words.close();
    await server[Symbol.asyncDispose]();
    const { db: loaded, report } = await loadFolder(folder, db.now());
    expect(loaded.run("DEBUG", "DIGEST") as string).toEqual(digest as string);
    expect(report.dropped).toEqual([]);
  });

  async function writeInRedis(
    options: readonly string[],
    last: readonly string[] = ["PING"],
  ): Promise<string> {
    await using server = await startRedisInFolder(redis, folder, options);
    const client = await RespClient.open(server.port);
    const words = await RedisInWords.open(server.port);
    await runAll(client, FIRST_COMMANDS);
    if (options.includes("--aof-use-rdb-preamble")) await rewriteInRedis(words);
    await runAll(client, [...LATER_COMMANDS, last]);
    const digest = await words.run("DEBUG", "DIGEST");
    client.close();
    words.close();
    return digest as string;
  }
});

const many = (count: number, words: (i: number) => readonly string[]) =>
  Array.from({ length: count }, (_, i) => words(i));

const FIRST_COMMANDS: readonly (readonly string[])[] = [
  ...many(200, (i) => ["RPUSH", `list ${i % 7}`, `element ${i}`, "x"]),
  ...many(300, (i) => ["HSET", `hash ${i % 5}`, `field ${i}`, `${i}`]),
  ...many(300, (i) => ["ZADD", "zset", `${i / 7}`, `member ${i}`]),
  ...many(300, (i) => ["SADD", "set", `member ${i}`, `${i}`]),
  ...many(150, (i) => ["XADD", "stream", `${i + 1}-1`, "f", `${i}`]),
  ["XGROUP", "CREATE", "stream", "group", "0"],
  ["XREADGROUP", "GROUP", "group", "Ada", "COUNT", "5", "STREAMS", "stream", ">"],
  ["SET", "text", "x".repeat(100_000)],
  ["FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() end)"],
];

const LATER_COMMANDS: readonly (readonly string[])[] = [
  ["SELECT", "3"],
  ["SET", "key", "value", "PX", "100000000"],
  ["MULTI"],
  ["INCR", "counter"],
  ["SELECT", "0"],
  ["DEL", "list 1"],
  ["EXEC"],
  ["FUNCTION", "LOAD", "#!lua name=m\nredis.register_function('g', function() end)"],
  ["XADD", "stream", "1000-1", "f", "late"],
];

async function runAll(client: RespClient, commands: readonly (readonly string[])[]): Promise<void> {
  const bytes = commands.map((words) => Buffer.from(encodeArray(words), "latin1"));
  const { replies } = await client.exchange(bytes);
  const errors = replies.map(String).filter((reply) => reply.startsWith("-"));
  expect([replies.length, errors]).toEqual([commands.length, []]);
}

async function rewriteInRedis(words: RedisInWords): Promise<void> {
  await words.run("BGREWRITEAOF");
  for (;;) {
    const info = String(await words.run("INFO", "persistence"));
    if (info.includes("aof_rewrite_in_progress:0") && info.includes("aof_rewrite_scheduled:0")) {
      return;
    }
    await Bun.sleep(20);
  }
}

async function digestOf(path: string): Promise<string> {
  const { db, report } = await loadFolder(path, Date.now());
  expect(report.dropped.filter(({ kind }) => kind !== "note")).toEqual([]);
  return db.run("DEBUG", "DIGEST") as string;
}

async function digestInRedis(path: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "kvdb-aof-"));
  try {
    await cp(path, copy, { recursive: true });
    await using server = await startRedisInFolder(REDIS ?? "", copy, APPENDONLY);
    const words = await RedisInWords.open(server.port);
    const digest = await words.run("DEBUG", "DIGEST");
    words.close();
    return digest as string;
  } finally {
    await rm(copy, { recursive: true });
  }
}

async function expectInRedis(db: EngineHarness, path: string, name: string): Promise<void> {
  const digest = asRedisKeepsIt(db).run("DEBUG", "DIGEST") as string;
  expect([name, await digestInRedis(path)]).toEqual([name, digest]);
}

async function expectSame(db: EngineHarness, path: string, name: string): Promise<void> {
  const { db: loaded, report } = await loadFolder(path, db.now());
  expect([name, report.dropped]).toEqual([name, []]);
  expect([name, loaded.run("DEBUG", "DIGEST")]).toEqual([name, db.run("DEBUG", "DIGEST")]);
  expect([name, deadlines(loaded)]).toEqual([name, deadlines(db)]);
  expect([name, fieldDeadlines(loaded)]).toEqual([name, fieldDeadlines(db)]);
  expect([name, indexes(loaded)]).toEqual([name, indexes(db)]);
}

function indexes(db: EngineHarness): unknown {
  const session = db.connect();
  return db.engine.keyspace.databases.map((_, index) => {
    db.runIn(session, "SELECT", index);
    const found = db.runIn(session, "INDEX", "INFO") as Map<string, string>[];
    return found.map((one) => [one.get("name"), one.get("definition")]);
  });
}

/** The exit code of redis-check-aof. */
async function check(path: string): Promise<number> {
  const manifest = join(path, "appendonlydir", "appendonly.aof.manifest");
  const checker = Bun.which("redis-check-aof") ?? "";
  const child = Bun.spawn([checker, manifest], { stdout: "ignore", stderr: "inherit" });
  return await child.exited;
}
