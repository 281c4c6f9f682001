/** What Redis has written of documents, which it took for strings. */
import { expect, test } from "bun:test";
import { Replay } from "../../../src/journal/replay.ts";
import type { RecordBatch } from "../../../src/plugin.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

type Words = readonly string[];

/** A batch with one record for each command. */
function batchOf(commands: readonly Words[], isOfRedis: boolean): RecordBatch {
  const frames = commands.map((words) => {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    const payload = Buffer.from(`*${words.length}\r\n${parts.join("")}`);
    const header = Buffer.alloc(8);
    header.writeUInt32LE(payload.length);
    return Buffer.concat([header, payload]);
  });
  const bytes = Buffer.concat(frames);
  const { length: count } = commands;
  const batch = { firstRevision: 10, count, timeMs: 1e12, bytes, start: 0, end: bytes.length };
  return isOfRedis ? { ...batch, isOfRedis } : batch;
}

function load(commands: readonly Words[], isOfRedis: boolean): EngineHarness {
  const db = new EngineHarness();
  for (const key of ["a", "b", "c"]) db.run("JSON.SET", key, "$", '{"n":1}');
  db.run("PEXPIRE", "a", "60000");
  db.run("RPUSH", "list", "x");
  const session = db.engine.connect(db.session.client, "replay");
  new Replay(db.engine.gate, session).records(batchOf(commands, isOfRedis));
  return db;
}

test("a document that a command took for a string is the string that Redis had", () => {
  const db = load(
    [
      ["APPEND", "a", "x"],
      ["SETRANGE", "a", "0", "["],
      ["BITOP", "OR", "bits", "b", "missing"],
    ],
    true,
  );
  expect(db.run("MGET", "a", "bits")).toEqual(['["n":1}x', '{"n":1}']);
  expect(["a", "b", "c"].map((key) => db.run("TYPE", key))).toEqual([
    "string",
    "string",
    "ReJSON-RL",
  ]);
  expect(db.run("PTTL", "a")).toBeGreaterThan(0);
});

test("what no string is either is damage, and so is all of it where Redis has written nothing", () => {
  const damage = expect.objectContaining({ code: "DAMAGE" });
  expect(() => load([["APPEND", "list", "x"]], true)).toThrow(damage);
  expect(() => load([["SADD", "a", "x"]], true)).toThrow(damage);
  expect(() => load([["APPEND", "a", "x"]], false)).toThrow(damage);
});
