// What kvdb writes as RDB it reads again as it was, in slices of any size: each type, small and large, deadlines of keys and
// of fields, documents, definitions of indexes, several databases.
import { expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { fileOf, type Loaded, load } from "./file-support.ts";

const texts = (count: number) => Array.from({ length: count }, (_, i) => `element ${i * 7}`);
const LONG = "z".repeat(70_000);

/** Values that take one part of a checkpoint. */
function fillSmall(db: EngineHarness): void {
  db.run("SET", "string", "text");
  db.run("SET", "", "");
  db.run("SET", "integer", "-12345", "PX", 1_000_000);
  db.run("SET", Buffer.from([0, 255, 10]), Buffer.from([255, 0, 13, 10]));
  db.run("VALUE.SET", "document", '{"name":"Ada","tags":["é",1.0]}');
  db.run("VALUE.SET", "timed document", "[1]", "PX", 2_000_000);
  db.run("RPUSH", "list", "a", "", "-1", "9223372036854775807");
  db.run("SADD", "integers", 1, -2, 70_000, "5000000000");
  db.run("SADD", "set", "a", "b", "12");
  db.run("ZADD", "sorted set", 1.5, "a", "-inf", "b", "inf", "c", "-0", "d");
  db.run("HSET", "hash", "f", "v", "n", "12");
  db.run("HSET", "timed hash", "a", 1, "b", 2, "c", 3);
  db.run("HPEXPIRE", "timed hash", 5000, "FIELDS", 1, "b");
  db.run("XADD", "stream", "5-1", "f", "v", "g", "12");
  db.run("XADD", "stream", "6-1", "f", "w");
  db.run("XDEL", "stream", "6-1");
  db.run("XGROUP", "CREATE", "stream", "group", "0");
  db.run("XREADGROUP", "GROUP", "group", "Ada", "STREAMS", "stream", ">");
  db.run("XGROUP", "CREATE", "empty stream", "group", "$", "MKSTREAM");
  db.run("SELECT", 3);
  db.run("SET", "string", "of another database");
  db.run("SELECT", 0);
}

/** Values that come in several parts. */
function fillLarge(db: EngineHarness): void {
  db.run("SET", "long string", LONG);
  db.run("SET", LONG, "long key");
  db.run("RPUSH", "list", ...texts(9000), LONG, "last");
  db.run("SADD", "set", ...texts(9000), LONG);
  db.run("ZADD", "sorted set", ...texts(6000).flatMap((text, i) => [i % 100, text]));
  db.run("HSET", "hash", ...texts(6000).flatMap((text) => [text, `value of ${text}`]));
  db.run("HSET", "timed hash", ...texts(6000).flatMap((text) => [text, text]), LONG, LONG);
  for (const at of [0, 1, 200, 5999]) {
    db.run("HPEXPIRE", "timed hash", 1000 + at, "FIELDS", 1, texts(6000)[at] as string);
  }
  for (let i = 1; i <= 3000; i++) db.run("XADD", "stream", `${i}-1`, `f${i % 7}`, `value ${i}`);
  db.run("XGROUP", "CREATE", "stream", "g", "0");
  db.run("XGROUP", "CREATE", "stream", "h", "7");
  db.run("XREADGROUP", "GROUP", "g", "Ada", "COUNT", 2000, "STREAMS", "stream", ">");
  db.run("XREADGROUP", "GROUP", "g", "Bob", "COUNT", 500, "STREAMS", "stream", ">");
}

const asked = [
  ["DEBUG", "DIGEST"],
  ["PEXPIRETIME", "integer"],
  ["PEXPIRETIME", "timed document"],
  ["HPEXPIRETIME", "timed hash", "FIELDS", 4, "a", "b", "c", "element 1400"],
  ["TYPE", "document"],
  ["XINFO", "STREAM", "stream", "FULL"],
] as const;

function requireSame({ db, report }: Loaded, expected: EngineHarness): void {
  for (const words of asked)
    expect([words, db.run(...words)]).toEqual([words, expected.run(...words)]);
  expect(report.keys).toBe([...Array(16).keys()].reduce((sum, i) => sum + sizeOf(expected, i), 0));
  expect(report.revision).toBe(expected.engine.keyspace.nextRevision - 1);
  expect(report.notes).toEqual([]);
  expect(report.hasChecksum).toBe(true);
}

function sizeOf(db: EngineHarness, database: number): number {
  db.run("SELECT", database);
  const size = db.run("DBSIZE");
  db.run("SELECT", 0);
  return Number(size);
}

test.each([1, 2, 3, 5, 16, 100, undefined])("small values, in slices of %p bytes", async (size) => {
  const db = new EngineHarness();
  fillSmall(db);
  const file = await fileOf(db);
  const nowMs = db.now();
  requireSame(await load(file, { nowMs, ...(size !== undefined && { sliceBytes: size }) }), db);
});

test.each([1000, 65_537, undefined])("large values, in slices of %p bytes", async (size) => {
  const db = new EngineHarness({ auditEvery: 0 });
  fillLarge(db);
  const file = await fileOf(db);
  const nowMs = db.now();
  requireSame(await load(file, { nowMs, ...(size !== undefined && { sliceBytes: size }) }), db);
});

test("definitions of indexes, in a database without keys too", async () => {
  const db = new EngineHarness();
  db.run("VALUE.SET", "a", '{"city":"Bonn"}');
  const city = db.run("INDEX", "CREATE", "by_city", "USING", "hash", "FIELD", "city", "UNIQUE");
  db.run("SELECT", 5);
  const age = db.run("INDEX", "CREATE", "by_age", "USING", "ordered", "FIELD", "age");
  expect([city, age]).toEqual([1, 0]); // how many documents each has
  const { db: loaded, report } = await load(await fileOf(db));
  expect(report.keys).toBe(1);
  const definitions = (from: EngineHarness) =>
    [0, 5].map((number) =>
      from.engine.keyspace.definitionsOf(from.engine.keyspace.databases[number]),
    );
  expect(definitions(loaded)).toEqual(definitions(db));
  expect(definitions(loaded).map(({ size }) => size)).toEqual([1, 1]);
});
