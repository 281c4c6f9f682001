/** What Redis has written of documents, which it took for strings. */
import { expect, test } from "bun:test";
import { Replay } from "../../../src/journal/replay.ts";
import type { RecordBatch } from "../../../src/plugin.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

type Words = readonly string[];

/** A batch with one record for each command. */
function batchOf(commands: readonly Words[], passedOver?: string[]): RecordBatch {
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
  if (passedOver === undefined) return batch;
  return { ...batch, ofRedis: { passedOver: (failure) => void passedOver.push(failure) } };
}

function load(commands: readonly Words[], passedOver?: string[]): EngineHarness {
  const db = new EngineHarness();
  for (const key of ["a", "b", "c"]) db.run("JSON.SET", key, "$", '{"n":1}');
  db.run("PEXPIRE", "a", "60000");
  db.run("RPUSH", "list", "x");
  const session = db.engine.connect(db.session.client, "replay");
  new Replay(db.engine.gate, session).records(batchOf(commands, passedOver));
  return db;
}

test("a document that a command took for a string is the string that Redis had", () => {
  const passedOver: string[] = [];
  const db = load(
    [
      ["APPEND", "a", "x"],
      ["SETRANGE", "a", "0", "["],
      ["BITOP", "OR", "bits", "b", "missing"],
    ],
    passedOver,
  );
  expect(passedOver).toEqual([]);
  expect(db.run("MGET", "a", "bits")).toEqual(['["n":1}x', '{"n":1}']);
  const types = ["a", "b", "c"].map((key) => db.run("TYPE", key));
  expect(types).toEqual(["string", "string", "ReJSON-RL"]);
  expect(db.run("PTTL", "a")).toBeGreaterThan(0);
});

test("a command that fails is passed over and told, as redis-server does that loads it", () => {
  const passedOver: string[] = [];
  const commands = [
    ["RENAME", "missing", "x"],
    ["APPEND", "list", "x"],
    ["FUNCTION", "LOAD", "#!lua name=l"],
    ["SET", "behind", "1"],
  ];
  const db = load(commands, passedOver);
  expect(passedOver.map((failure) => failure.split(" ")[0])).toEqual(["ERR", "WRONGTYPE", "ERR"]);
  expect(db.run("GET", "behind")).toBe("1");
});

test("a command that is not known has done something in Redis: that is damage", () => {
  const damage = expect.objectContaining({ code: "DAMAGE" });
  for (const words of [
    ["EVAL", "return 1", "0"],
    ["SET", "a"],
    ["SET", "a", "1", "NEWER"],
  ]) {
    expect(() => load([words], [])).toThrow(damage);
  }
});

test("where Redis has written nothing all of it is damage", () => {
  const damage = expect.objectContaining({ code: "DAMAGE" });
  expect(() => load([["APPEND", "a", "x"]])).toThrow(damage);
  expect(() => load([["RENAME", "missing", "x"]])).toThrow(damage);
});
