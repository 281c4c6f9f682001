/**
 * SORT against redis-server 7.0: random values go over by DUMP, then both answer the same random SORTs. Where Redis leaves the
 * order open (a set that is not sorted), the elements are compared.
 *
 * The seed is new in each run, and printed; KVDB_TEST_SEED=N sets it.
 */
import { expect, test } from "bun:test";
import { EngineHarness } from "../suites/engine-harness.ts";
import { Random } from "./random.ts";
import { type PlainReply, RedisInWords } from "./redis-in-words.ts";
import { REDIS, SEED } from "./run-settings.ts";
import { startRedisServer } from "./servers.ts";

const ROUNDS = 60;
const SORTS_PER_ROUND = 25;

const NUMBERS = ["0", "1", "-3", "2.5", "1e2", "10", "9", "-inf", "0x10", "3", "77", "1.5"];
const TEXTS = ["b", "a", "ab", "", "B", "\xff", "z z", "*"];

test.skipIf(REDIS === null)(
  "SORT equals redis-server's",
  async () => {
    console.log(`SORT: seed ${SEED}`);
    const random = new Random(SEED);
    await using server = await startRedisServer(REDIS ?? "");
    const redis = await RedisInWords.open(server.port);
    for (let round = 0; round < ROUNDS; round++) {
      await redis.run("FLUSHALL");
      const db = harness();
      for (const words of creation(random)) {
        await redis.run(...words);
        const key = words[1] as string;
        db.run("RESTORE", Buffer.from(key, "latin1"), 0, await redis.dump(key), "REPLACE");
      }
      for (let i = 0; i < SORTS_PER_ROUND; i++) await compareSort(random, redis, db);
    }
    redis.close();
  },
  120_000,
);

/** A list "l", a set "s", a sorted set "z", and what their elements name elsewhere, different for each. */
function creation(random: Random): string[][] {
  const pool = random.chance(0.5) ? NUMBERS : [...NUMBERS, ...TEXTS];
  const some = () => Array.from({ length: 1 + random.below(8) }, () => random.pick(pool));
  const commands = [
    ["RPUSH", "l", ...some()],
    ["SADD", "s", ...some()],
    ["ZADD", "z", ...some().flatMap((member) => [String(random.below(5)), member])],
    ["SET", "string", "1"],
  ];
  for (const [index, element] of pool.entries()) {
    if (random.chance(0.3)) continue;
    commands.push(["SET", `w_${element}`, String((index * 7) % 20)]);
    commands.push(["HSET", `h_${element}`, "f", String((index * 11) % 20), "text", `t${index}`]);
  }
  return commands;
}

const PATTERNS = [
  "w_*",
  "h_*->f",
  "h_*->text",
  "h_*->none",
  "h_*->",
  "none",
  "string",
  "#",
  "*",
  "w_*->f",
];

function sortWords(random: Random): string[] {
  const words = [
    random.pick(["SORT", "SORT", "sort_ro"]),
    random.pick(["l", "s", "z", "string", "no"]),
  ];
  const isAlphabetic = random.chance(0.4);
  if (random.chance(0.5)) words.push("BY", random.pick(PATTERNS));
  if (random.chance(0.3))
    words.push("LIMIT", random.pick(["0", "1", "-2", "9"]), random.pick(["2", "0", "-1", "x"]));
  for (let i = random.below(3); i > 0; i--) words.push("GET", random.pick(PATTERNS));
  if (random.chance(0.5)) words.push(random.pick(["ASC", "desc"]));
  if (isAlphabetic) words.push("ALPHA");
  if (random.chance(0.2)) words.push("STORE", random.pick(["to", "l"]));
  if (random.chance(0.05)) words.push(random.pick(["BY", "LIMIT", "FOO"]));
  return words;
}

async function compareSort(random: Random, redis: RedisInWords, db: EngineHarness): Promise<void> {
  const words = sortWords(random);
  const expected = await redis.run(...words);
  const actual = plainOf(db.run(...words.map((word) => Buffer.from(word, "latin1"))));
  const by = words.indexOf("BY");
  const isOpen = by > 0 && (words[1] === "s" || words.includes("ALPHA"));
  if (!isOpen || !words.includes("LIMIT")) {
    expect([words, ordered(actual, isOpen)]).toEqual([words, ordered(expected, isOpen)]);
  }
  if (words.includes("STORE") && typeof expected === "number")
    await compareStored(redis, db, words);
}

/** Equal texts by which elements are sorted leave the order open, and so what is stored. */
async function compareStored(
  redis: RedisInWords,
  db: EngineHarness,
  words: readonly string[],
): Promise<void> {
  const to = words[words.indexOf("STORE") + 1] as string;
  if (words.includes("BY") && words.includes("ALPHA")) {
    const payload = (await redis.run("EXISTS", to)) === 1 ? await redis.dump(to) : undefined;
    if (payload === undefined) expect(db.run("EXISTS", to)).toBe(0);
    else db.run("RESTORE", to, 0, payload, "REPLACE");
    return;
  }
  const expected = await redis.run("DEBUG", "DIGEST-VALUE", to);
  expect([words, db.run("DEBUG", "DIGEST-VALUE", to)]).toEqual([words, expected]);
}

function ordered(reply: PlainReply, isOpen: boolean): PlainReply {
  return isOpen && Array.isArray(reply) ? reply.toSorted() : reply;
}

/** As RedisInWords has it: byte text, and of an error its text. */
function plainOf(value: unknown): PlainReply {
  if (typeof value === "string") return Buffer.from(value).toString("latin1");
  if (value instanceof Buffer) return value.toString("latin1");
  if (Array.isArray(value)) return value.map(plainOf);
  if (value !== null && typeof value === "object" && "error" in value) return String(value.error);
  return value as number | null;
}

function harness(): EngineHarness {
  const db = new EngineHarness({ auditEvery: 100 });
  return db;
}
