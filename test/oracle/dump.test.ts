/**
 * DUMP and RESTORE between kvdb and redis-server, both ways: values in all encodings that redis-server 7.0 has arrive with the
 * same digest, and go back so that it keeps them as it did. Damaged payloads are refused or are another whole value.
 */
import { describe, expect, test } from "bun:test";
import { Crc64 } from "../../src/rdb/crc64.ts";
import { EngineHarness } from "../suites/engine-harness.ts";
import { RedisInWords } from "./redis-in-words.ts";
import { findRedisServer, startRedisServer } from "./servers.ts";

const REDIS = findRedisServer();

const long = (text: string) => text.repeat(40);
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i * 7 - 900}`);
const texts = (count: number) => Array.from({ length: count }, (_, i) => `element ${i}`);
const pairs = (count: number) => texts(count).flatMap((text, i) => [text, `${i}`]);
const scored = (count: number) => texts(count).flatMap((text, i) => [`${i / 3 - 5}`, text]);
const INTEGERS = ["0", "-1", "127", "128", "-4096", "4095", "32768", "-8388609", "2147483648"];
const LARGE = ["9223372036854775807", "-9223372036854775808", "01", "", "\xff\x00"];

/** Each makes the key "k". */
const values: readonly (readonly [encoding: string, commands: readonly (readonly string[])[]])[] = [
  ["string", [["SET", "k", "text"]]],
  ["empty string", [["SET", "k", ""]]],
  ...[...INTEGERS, ...LARGE].map((text) => [`string ${text}`, [["SET", "k", text]]] as const),
  ["compressed string", [["SET", "k", long("compress me ")]]],
  ["listpack in a quicklist", [["RPUSH", "k", ...INTEGERS, ...LARGE, long("x"), "x".repeat(5000)]]],
  ["quicklist", [["RPUSH", "k", ...texts(3000)]]],
  [
    "compressed quicklist",
    [
      ["CONFIG", "SET", "list-compress-depth", "1"],
      ["RPUSH", "k", ...texts(3000)],
    ],
  ],
  ["plain node", [["RPUSH", "k", "a", "y".repeat(100_000), "b"]]],
  ["intset of 16 bits", [["SADD", "k", ...numbers(20)]]],
  ["intset of 32 bits", [["SADD", "k", "100000", "-5", "70000"]]],
  ["intset of 64 bits", [["SADD", "k", "5000000000", "-5000000000", "3"]]],
  ["hashtable of a set", [["SADD", "k", ...texts(20)]]],
  ["large hashtable of a set", [["SADD", "k", ...texts(20_000)]]],
  ["listpack of a hash", [["HSET", "k", ...pairs(20), "n", "12345678901"]]],
  ["hashtable of a hash", [["HSET", "k", ...pairs(5000)]]],
  ["listpack of a sorted set", [["ZADD", "k", ...scored(20), "inf", "top", "-inf", "bottom"]]],
  ["skiplist", [["ZADD", "k", ...scored(2000), "inf", "top", "-inf", "bottom", "1e300", "far"]]],
  ["empty stream", [["XGROUP", "CREATE", "k", "g", "$", "MKSTREAM"]]],
  [
    "stream",
    [
      ["XADD", "k", "1-1", "a", "b"],
      ["XADD", "k", "5-0", "a", "", "c", "12"],
      ["XADD", "k", `${2n ** 64n - 1n}-3`, "x", "y"],
    ],
  ],
  [
    "long stream",
    texts(450).map((text, i) => [
      "XADD",
      "k",
      `${i + 1}-${i % 3}`,
      "f",
      text,
      `g${i % 5 && 1}`,
      "v",
    ]),
  ],
  [
    "stream with groups",
    [
      ...texts(20).map((text, i) => ["XADD", "k", `${i + 1}-${5 - (i % 3)}`, "f", text]),
      ["XDEL", "k", "3-3", "20-4"],
      ["XGROUP", "CREATE", "k", "g", "0"],
      ["XGROUP", "CREATE", "k", "another", "7", "ENTRIESREAD", "3"],
      ["XREADGROUP", "GROUP", "g", "Ada", "COUNT", "4", "STREAMS", "k", ">"],
      ["XREADGROUP", "GROUP", "g", "Bob", "COUNT", "4", "STREAMS", "k", ">"],
      ["XGROUP", "CREATECONSUMER", "k", "g", "A"],
      ["XACK", "k", "g", "2-4"],
    ],
  ],
  ["equal scores", [["ZADD", "k", ...texts(200).flatMap((text) => ["0", text])]]],
];

describe.skipIf(REDIS === null)("payloads of redis-server", () => {
  test("arrive, and go back", async () => {
    await using server = await startRedisServer(REDIS ?? "");
    const redis = await RedisInWords.open(server.port);
    for (const [name, commands] of values) {
      await redis.raw("FLUSHALL");
      for (const words of commands) await redis.raw(...words);
      const db = harness();
      expect([name, db.run("RESTORE", "k", 0, await redis.dump("k"))]).toEqual([name, "OK"]);
      const digest = await redis.raw("DEBUG", "DIGEST-VALUE", "k");
      expect([name, db.run("DEBUG", "DIGEST-VALUE", "k")]).toEqual([name, [digest.slice(5, 45)]]);
      const payload = dumpOf(db, "k").toString("latin1");
      expect([name, await redis.raw("RESTORE", "back", "0", payload)]).toEqual([name, "+OK\r\n"]);
      expect([name, await redis.raw("DEBUG", "DIGEST-VALUE", "back")]).toEqual([name, digest]);
      if (name.includes("stream")) {
        const whole = await redis.run("XINFO", "STREAM", "k", "FULL", "COUNT", "0");
        expect([name, await redis.run("XINFO", "STREAM", "back", "FULL", "COUNT", "0")]).toEqual([
          name,
          whole,
        ]);
      }
      const encoding = await redis.raw("OBJECT", "ENCODING", "k");
      expect([name, await redis.raw("OBJECT", "ENCODING", "back")]).toEqual([name, encoding]);
    }
    redis.close();
  }, 60_000);

  test("a document is a string there, and a document again here", async () => {
    await using server = await startRedisServer(REDIS ?? "");
    const redis = await RedisInWords.open(server.port);
    const db = harness();
    db.run("VALUE.SET", "k", '{"name":"Ada"}');
    const payload = dumpOf(db, "k");
    expect(await redis.raw("RESTORE", "k", "0", payload.toString("latin1"))).toBe("+OK\r\n");
    expect(await redis.raw("GET", "k")).toBe('$14\r\n{"name":"Ada"}\r\n');
    expect(db.run("RESTORE", "other", 0, payload)).toBe("OK");
    expect(db.run("TYPE", "other")).toBe("ReJSON-RL");
    expect(db.run("VALUE.GET", "other")).toEqual(db.run("VALUE.GET", "k"));
    expect(db.run("RESTORE", "text", 0, await redis.dump("k"))).toBe("OK");
    expect(db.run("TYPE", "text")).toBe("string");
    redis.close();
  });

  test("deadlines of fields are of a later version than redis-server 7.0 reads", async () => {
    await using server = await startRedisServer(REDIS ?? "");
    const redis = await RedisInWords.open(server.port);
    const db = harness();
    db.run("HSET", "k", "f", "v");
    const plain = dumpOf(db, "k").toString("latin1");
    expect(await redis.raw("RESTORE", "plain", "0", plain)).toBe("+OK\r\n");
    db.run("HEXPIRE", "k", 100, "FIELDS", 1, "f");
    const timed = dumpOf(db, "k").toString("latin1");
    expect(await redis.raw("RESTORE", "timed", "0", timed)).toBe(
      "-ERR DUMP payload version or checksum are wrong\r\n",
    );
    redis.close();
  });

  test("cut and flipped at every byte, with a checksum that is right, change nothing or are a value", async () => {
    await using server = await startRedisServer(REDIS ?? "");
    const redis = await RedisInWords.open(server.port);
    for (const [name, commands] of values) {
      await redis.raw("FLUSHALL");
      for (const words of commands) await redis.raw(...words);
      const payload = await redis.dump("k");
      if (payload.length < 700) damageEachByte(name, payload);
    }
    redis.close();
  }, 120_000);
});

function damageEachByte(name: string, payload: Buffer): void {
  const db = harness();
  const content = payload.subarray(0, -8);
  let refused = 0;
  for (let at = 0; at < content.length; at++) {
    for (const bit of [0, 3, 7]) {
      const flipped = Buffer.from(content);
      flipped[at] ^= 1 << bit;
      if (!restores(db, sealed(flipped), `${name}, flipped at ${at}`)) refused++;
    }
    const cut = Buffer.concat([content.subarray(0, at), content.subarray(-2)]);
    if (at < content.length - 2) restores(db, sealed(cut), `${name}, cut at ${at}`);
  }
  expect(refused).toBeGreaterThan(2); // at least the version
}

/** Whether it was taken; then what was stored can be dumped and restored as the same. */
function restores(db: EngineHarness, payload: Buffer, where: string): boolean {
  const answer = db.run("RESTORE", "k", 0, payload, "REPLACE");
  if (answer !== "OK") {
    const text = JSON.stringify(answer);
    const isRefused = /Bad data format|DUMP payload version or checksum are wrong/.test(text);
    if (!isRefused) throw new Error(`${where}: ${text}`);
    return false;
  }
  const digest = db.run("DEBUG", "DIGEST-VALUE", "k");
  db.run("RESTORE", "k", 0, dumpOf(db, "k"), "REPLACE");
  expect([where, db.run("DEBUG", "DIGEST-VALUE", "k")]).toEqual([where, digest]);
  return true;
}

function sealed(content: Buffer): Buffer {
  const checksum = new Crc64();
  checksum.add(content, 0, content.length);
  const payload = Buffer.concat([content, Buffer.alloc(8)]);
  checksum.write(payload, content.length);
  return payload;
}

function harness(): EngineHarness {
  const db = new EngineHarness({ auditEvery: 100 });
  return db;
}

function dumpOf(db: EngineHarness, key: string): Buffer {
  const payload = db.run("DUMP", key);
  return typeof payload === "string" ? Buffer.from(payload) : (payload as Buffer);
}
