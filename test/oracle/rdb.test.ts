/**
 * Files of RDB between kvdb and redis-server: generated data of every type, in several databases and with deadlines, goes from
 * the one to the other and back with the same digest, the same deadlines, the same state of streams; redis-check-rdb accepts
 * what kvdb writes, whatever it adds for itself.
 *
 * The seed is new in each run, and printed; KVDB_TEST_SEED=N sets it.
 */
import { describe, expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineHarness } from "../suites/engine-harness.ts";
import { fileOf, load } from "../unit/rdb/file-support.ts";
import { GROUPS, sequence } from "./generate/sequence.ts";
import { RedisInWords } from "./redis-in-words.ts";
import { REDIS, SEED } from "./run-settings.ts";
import { startRedisServer } from "./servers.ts";
import type { Command } from "./step.ts";

const CHECK = Bun.which("redis-check-rdb");
const DATABASES = 16;
const STEPS = 120;
const TIMEOUT_MS = 120_000;
/** What a test may take: a key with less to live is given more, so that none goes on the way. */
const HOUR_MS = 3_600_000;

/** Encodings of their own: with each of these in turn the same data is kept, and saved, in another way. */
const SETTINGS: readonly (readonly [string, string][])[] = [
  [],
  [
    ["hash-max-listpack-entries", "2"],
    ["zset-max-listpack-entries", "2"],
    ["set-max-intset-entries", "2"],
    ["list-max-listpack-size", "2"],
    ["list-compress-depth", "1"],
    ["stream-node-max-entries", "3"],
    ["rdbcompression", "no"],
  ],
  [
    ["hash-max-listpack-value", "3"],
    ["zset-max-listpack-value", "3"],
    ["list-max-listpack-size", "-1"],
    ["list-compress-depth", "2"],
    ["stream-node-max-bytes", "64"],
  ],
];

/** Waits, changes the connection or the server, or is no data. */
const LEFT_OUT =
  /^(b[lrz]|x?auth|hello|reset|quit|client|config|debug|shutdown|wait|select|flush|swapdb|subscribe|p?unsubscribe|psubscribe|multi|exec|discard|watch|monitor|sync|psync|replica|slave|save|bgsave|bgrewrite|function|fcall|eval|script|acl|object|memory|slowlog|latency|failover|cluster|module|ssub|sunsub|sort|move|copy)/i;

function isLeftOut({ words, wire }: Command): boolean {
  const [name] = words;
  const isBlocking = words.some((word) => /^block$/i.test(word));
  return wire !== undefined || name === undefined || LEFT_OUT.test(name) || isBlocking;
}

async function fill(redis: RedisInWords, seed: number): Promise<void> {
  for (let database = 0; database < DATABASES; database++) {
    await redis.raw("SELECT", String(database));
    for (const step of sequence(seed + database, STEPS, GROUPS)) {
      if (step.kind !== "commands") continue;
      for (const command of step.commands) {
        if (!isLeftOut(command) && command.answer !== "none") await redis.raw(...command.words);
      }
    }
    for (const key of await keysOf(redis)) {
      const left = await redis.run("PTTL", key);
      if (typeof left === "number" && left >= 0 && left < HOUR_MS) {
        await redis.raw("PEXPIRE", key, String(2 * HOUR_MS));
      }
    }
  }
}

async function fillLarge(redis: RedisInWords): Promise<void> {
  const texts = (count: number) => Array.from({ length: count }, (_, i) => `element ${i}`);
  const numbers = (count: number, factor: number) =>
    Array.from({ length: count }, (_, i) => `${(i - 50) * factor}`);
  await redis.raw("SELECT", "0");
  await redis.raw("SET", "compressed", "compress me ".repeat(400));
  await redis.raw("SET", "compressed key ".repeat(40), "v");
  await redis.raw("RPUSH", "large list", ...texts(5000), "y".repeat(100_000), "last");
  await redis.raw("SADD", "large set", ...texts(5000));
  await redis.raw("HSET", "large hash", ...texts(5000).flatMap((text, i) => [text, `${i}`]));
  await redis.raw("ZADD", "large zset", ...texts(5000).flatMap((text, i) => [`${i / 3}`, text]));
  await redis.raw("SADD", "int16", ...numbers(100, 3));
  await redis.raw("SADD", "int32", ...numbers(100, 70_000));
  await redis.raw("SADD", "int64", ...numbers(100, 5_000_000_000));
  for (let i = 1; i <= 450; i++) await redis.raw("XADD", "long stream", `${i}-1`, "f", `${i}`);
  await redis.raw("XGROUP", "CREATE", "long stream", "g", "0");
  await redis.raw("XREADGROUP", "GROUP", "g", "c", "COUNT", "200", "STREAMS", "long stream", ">");
}

async function keysOf(redis: RedisInWords): Promise<string[]> {
  return (await redis.run("KEYS", "*")) as string[];
}

/** What the digest does not say: deadlines to the millisecond; of streams everything. */
async function details(redis: RedisInWords): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (let database = 0; database < DATABASES; database++) {
    await redis.raw("SELECT", String(database));
    for (const key of (await keysOf(redis)).sort()) {
      const isStream = (await redis.run("TYPE", key)) === "stream";
      const state = isStream ? await redis.run("XINFO", "STREAM", key, "FULL", "COUNT", "0") : [];
      const moment = await redis.run("PEXPIRETIME", key);
      rows.push([database, key, moment, withoutNodes(state)]);
    }
  }
  return rows;
}

/** How a stream is kept is the server's own. */
function withoutNodes(state: unknown): unknown {
  const parts = state as unknown[];
  return parts.filter((_, i) => !/^radix-tree/.test(String(parts[i - (i % 2)])));
}

function requireDeadlines(db: EngineHarness, rows: readonly unknown[]): void {
  for (const row of rows as [number, string, number][]) {
    const [database, key, moment] = row;
    db.run("SELECT", database);
    expect([row, db.run("PEXPIRETIME", Buffer.from(key, "latin1"))]).toEqual([row, moment]);
  }
}

async function digestOf(redis: RedisInWords): Promise<string> {
  return String(await redis.run("DEBUG", "DIGEST"));
}

async function check(path: string): Promise<void> {
  if (CHECK === null) return;
  const child = Bun.spawn([CHECK, path], { stdout: "pipe", stderr: "pipe" });
  const [text, code] = [await new Response(child.stdout).text(), await child.exited];
  expect([code, text]).toEqual([0, expect.stringContaining("RDB looks OK")]);
}

describe.skipIf(REDIS === null)("files of RDB", () => {
  test.each(SETTINGS.map((settings, round) => [round, settings] as const))(
    "from redis-server to kvdb and back, round %p",
    async (round, settings) => {
      console.log(`RDB: seed ${SEED}`);
      await using server = await startRedisServer(REDIS ?? "");
      const redis = await RedisInWords.open(server.port);
      for (const [name, value] of settings) {
        expect(await redis.raw("CONFIG", "SET", name, value)).toBe("+OK\r\n");
      }
      await fill(redis, SEED + round * DATABASES);
      await fillLarge(redis);
      const [digest, rows] = [await digestOf(redis), await details(redis)];
      expect(await redis.raw("SAVE")).toBe("+OK\r\n");
      const [, folder] = (await redis.run("CONFIG", "GET", "dir")) as string[];
      const path = join(String(folder), "dump.rdb");

      const { db, report } = await load(await readFile(path), { nowMs: Date.now() });
      expect(report.keys).toBe(rows.length);
      expect(rows.length).toBeGreaterThan(100);
      expect(db.run("DEBUG", "DIGEST")).toBe(digest);
      requireDeadlines(db, rows);

      await writeFile(path, await fileOf(db, { aux: { "another-note": "of whoever writes" } }));
      await check(path);
      await redis.raw("FLUSHALL");
      expect(await redis.raw("DEBUG", "RELOAD", "NOSAVE")).toBe("+OK\r\n");
      expect(await digestOf(redis)).toBe(digest);
      expect(await details(redis)).toEqual(rows);
      redis.close();
    },
    TIMEOUT_MS,
  );

  test("what Redis has no word for it goes over: documents are strings, hashes stay", async () => {
    await using server = await startRedisServer(REDIS ?? "");
    const redis = await RedisInWords.open(server.port);
    const db = new EngineHarness();
    db.clock.setWall(Date.now());
    db.run("VALUE.SET", "document", '{"name":"Ada"}', "PX", HOUR_MS);
    db.run("HSET", "hash", "a", 1, "b", 2, "c", 3);
    db.run("HPEXPIRE", "hash", HOUR_MS, "FIELDS", 2, "a", "c");
    db.run("HSET", "plain hash", "a", 1);
    db.run("SELECT", 7);
    db.run("INDEX", "CREATE", "by_name", "USING", "hash", "FIELD", "name");
    const [, folder] = (await redis.run("CONFIG", "GET", "dir")) as string[];
    const path = join(String(folder), "dump.rdb");
    await writeFile(path, await fileOf(db, { isPreamble: true }));
    await check(path);
    expect(await redis.raw("DEBUG", "RELOAD", "NOSAVE")).toBe("+OK\r\n");
    expect(await redis.run("GET", "document")).toBe('{"name":"Ada"}');
    expect(await redis.run("PEXPIRETIME", "document")).toBe(db.now() + HOUR_MS);
    expect((await redis.run("HGETALL", "hash")) as string[]).toHaveLength(6);
    expect(await redis.run("HGETALL", "plain hash")).toEqual(["a", "1"]);
    expect(await redis.run("DBSIZE")).toBe(3);
    redis.close();
  });
});
