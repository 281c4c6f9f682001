/**
 * Records in Redis's words are understood by redis-server, and mean the same to it: generated commands of all kinds run in the
 * engine, its records go to redis-server command by command and as an append-only file that it loads, and both hold the same
 * afterwards (documents as strings). kvdb itself gets back from them all that it had: documents, deadlines of fields, indexes.
 *
 * Sequence number n of a seed is played from `seed * 1000 + n`; KVDB_TEST_SEED sets the seed, KVDB_TEST_LONG=1 plays more.
 */
import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineHarness } from "../suites/engine-harness.ts";
import { seeds } from "../suites/seeds.ts";
import { deadlines } from "../unit/journal/deadlines.ts";
import { asRedisKeepsIt, fieldDeadlines, playInRedisWords } from "./recorded-play.ts";
import { appendOnlyText, commandsForRedis } from "./recorded-text.ts";
import { RedisInWords } from "./redis-in-words.ts";
import { RespClient } from "./resp-client.ts";
import { findRedisServer, startRedisOnFile, startRedisServer } from "./servers.ts";

const REDIS = findRedisServer();
const CHECKER = Bun.which("redis-check-aof");
const IS_LONG = Bun.env["KVDB_TEST_LONG"] === "1";
const SEQUENCES = IS_LONG ? 100 : 30;
const STEPS = 60;
/** The file is the history of one play. */
const FILE_STEPS = IS_LONG ? 20_000 : 3_000;
const TIMEOUT_MS = IS_LONG ? 600_000 : 60_000;
const KEYS = ["a", "b", "c", "d"];

describe.skipIf(REDIS === null)("records in Redis's words", () => {
  const redis = REDIS ?? "";

  test.each(seeds(3))(
    "redis-server runs each of them, and holds the same: seed %d",
    async (seed) => {
      await using server = await startRedisServer(redis);
      const client = await RespClient.open(server.port);
      const words = await RedisInWords.open(server.port);
      for (let i = 0; i < SEQUENCES; i++) {
        const number = seed * 1000 + i;
        const db = playInRedisWords(number, STEPS);
        await words.run("FLUSHALL");
        await runInRedis(client, db, number);
        await expectSameData(words, db, `sequence ${number}`);
      }
      client.close();
      words.close();
    },
    TIMEOUT_MS,
  );

  test.each(seeds(1))(
    "redis-server loads them as its append-only file: seed %d",
    async (seed) => {
      const db = playInRedisWords(seed, FILE_STEPS);
      const text = appendOnlyText(db);
      expect(await checkFile(text)).toBe(0);
      await using server = await startRedisOnFile(redis, text);
      const words = await RedisInWords.open(server.port);
      await expectSameData(words, db, `seed ${seed}`);
      words.close();
    },
    TIMEOUT_MS,
  );
});

test.each(seeds(3))(
  "kvdb has back from them all that it had: seed %d",
  (seed) => {
    for (let i = 0; i < SEQUENCES; i++) {
      const name = `sequence ${seed * 1000 + i}`;
      const db = playInRedisWords(seed * 1000 + i, STEPS);
      const replayed = db.replayed();
      expect([name, replayed.run("DEBUG", "DIGEST")]).toEqual([name, db.run("DEBUG", "DIGEST")]);
      expect([name, deadlines(replayed)]).toEqual([name, deadlines(db)]);
      expect([name, fieldDeadlines(replayed)]).toEqual([name, fieldDeadlines(db)]);
      expect([name, indexes(replayed)]).toEqual([name, indexes(db)]);
    }
  },
  TIMEOUT_MS,
);

async function runInRedis(client: RespClient, db: EngineHarness, sequence: number): Promise<void> {
  const commands = commandsForRedis(db);
  const { replies, ending } = await client.exchange(commands);
  expect([sequence, ending, replies.length]).toEqual([sequence, "open", commands.length]);
  replies.forEach((reply, index) => {
    if (reply[0] !== 45) return;
    const [error, command] = [reply, commands[index] ?? ""].map((part) => `${part}`);
    throw new Error(`sequence ${sequence}: redis-server answers ${error} to ${command}`);
  });
}

async function expectSameData(
  redis: RedisInWords,
  original: EngineHarness,
  name: string,
): Promise<void> {
  const db = asRedisKeepsIt(original);
  expect([name, await redis.run("DEBUG", "DIGEST")]).toEqual([
    name,
    db.run("DEBUG", "DIGEST") as string,
  ]);
  for (const database of [0, 1, 2, 15]) {
    await redis.run("SELECT", `${database}`);
    db.run("SELECT", database);
    for (const key of KEYS) {
      const deadline = await redis.run("PEXPIRETIME", key);
      expect([name, key, deadline]).toEqual([name, key, db.run("PEXPIRETIME", key) as number]);
    }
  }
}

function indexes(db: EngineHarness): unknown {
  const session = db.connect();
  return db.engine.keyspace.databases.map((_, index) => {
    db.runIn(session, "SELECT", index);
    const found = db.runIn(session, "INDEX", "INFO") as Map<string, string>[];
    return found.map((index) => [index.get("name"), index.get("definition")]);
  });
}

/** The exit code of redis-check-aof. */
async function checkFile(text: Uint8Array): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "kvdb-oracle-"));
  try {
    const path = join(folder, "appendonly.aof");
    await writeFile(path, text);
    const child = Bun.spawn([CHECKER ?? "", path], { stdout: "ignore", stderr: "inherit" });
    return await child.exited;
  } finally {
    await rm(folder, { recursive: true });
  }
}
