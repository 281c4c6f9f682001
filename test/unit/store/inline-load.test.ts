// Collections that come whole from a checkpoint lie in their entries as if their elements had come one by one: for random ones
// of every type, at and beyond the limits, in any order.
import { expect, test } from "bun:test";
import { KvdbError } from "../../../src/errors.ts";
import type { EntryType } from "../../../src/plugin.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { createEntryReader, elementRun } from "../../suites/stored-entries.ts";

type Element = readonly (string | number)[];

/** Adds them, one after the other. */
function add(db: EngineHarness, type: EntryType, elements: readonly Element[]): void {
  const command = { list: "RPUSH", set: "SADD", hash: "HSET", zset: "ZADD" }[type as "list"];
  const words = elements.flatMap((element) => (type === "zset" ? [...element].reverse() : element));
  db.run(command, "k", ...words);
}

/** Loads them as an entry of a checkpoint. */
function loaded(type: EntryType, elements: readonly Element[], deadlineMs = 0): EngineHarness {
  const db = new EngineHarness({ auditEvery: 0 });
  const sink = db.engine.loadSink;
  const value = elementRun(...elements.flat());
  const shape = { key: "k", type, value, version: 7, deadlineMs };
  const reader = createEntryReader({ revision: 9, entries: [shape, { key: "other", value: "v" }] });
  while (reader.next()) sink.entry(reader.entry);
  const report = { records: 0, bytes: 0, lastRevision: 9, clean: true, dropped: [] };
  db.engine.beginRecording(db.persistence, report);
  db.engine.finishLoading();
  db.endTurn();
  return db;
}

/** Names that differ. */
function names(count: number, make: (i: number) => string): string[] {
  return [...new Set(Array.from({ length: count }, (_, i) => make(i)))];
}

const LIMIT = (2n ** 63n).toString();
const makes: Readonly<Record<string, (i: number) => string>> = {
  "small integers": (i) => String((i * 7919) % 1000),
  "negative integers": (i) => String(-i),
  "integers of 32 bits": (i) => String(i * 70_001 - 99_999),
  "integers of 64 bits": (i) => String(i * 5_000_000_000 - 7),
  "integers beyond 2^53": (i) => String(2n ** 53n + BigInt(i)),
  "the limits of integers": (i) => (i % 2 === 0 ? `-${LIMIT}` : String(2n ** 63n - BigInt(i))),
  "almost integers": (i) => `0${i}`,
  "integers, then texts": (i) => (i < 3 ? String(i) : `text ${i}`),
  "texts, then integers": (i) => (i >= 3 ? String(i) : `text ${i}`),
  "long texts": (i) => `${"x".repeat(62)}${i}`,
  "an empty one": (i) => (i === 0 ? "" : String(i)),
  "bytes over 255": (i) => `${i}${"é".repeat(200)}`,
};

test.each(
  (["list", "set", "hash", "zset"] as const).flatMap((type) =>
    Object.keys(makes).map((what) => [type, what] as const),
  ),
)("%s of %s", (type, what) => {
  for (const count of [1, 5, 128, 129, 512, 513]) {
    const elements = names(count, makes[what] as (i: number) => string).map((name, i) => {
      if (type === "hash") return [name, `value ${i}`];
      return type === "zset" ? [name, (i * 37) % 11] : [name];
    });
    const expected = new EngineHarness({ auditEvery: 0 });
    add(expected, type, elements);
    expected.run("SET", "other", "v");
    const db = loaded(type, elements);
    for (const words of [["DEBUG", "DIGEST"], ["OBJECT", "ENCODING", "k"], ["DBSIZE"]] as const) {
      const answer = expected.run(...words);
      expect([type, what, count, words, db.run(...words)]).toEqual([
        type,
        what,
        count,
        words,
        answer,
      ]);
    }
    // It can be changed, and goes without a trace.
    add(db, type, [["another", type === "zset" ? 3 : "v"]]);
    add(expected, type, [["another", type === "zset" ? 3 : "v"]]);
    expect(db.run("DEBUG", "DIGEST")).toEqual(expected.run("DEBUG", "DIGEST"));
    db.run("DEL", "k", "other");
    db.reap();
    expect(db.engine.keyspace.databases[0]?.usedUnits).toBe(emptyUnits());
  }
});

function emptyUnits(): number {
  const db = new EngineHarness({ auditEvery: 0 });
  db.run("SET", "k", "v");
  db.run("DEL", "k");
  db.reap();
  return db.engine.keyspace.databases[0]?.usedUnits as number;
}

test("members in any order are put in theirs, and minus zero stays", () => {
  const elements: Element[] = [
    ["a", 2],
    ["b", -0],
    ["c", 0],
    ["d", -1],
    ["e", 2],
  ];
  const expected = ["d", "b", "c", "a", "e"];
  const digests = new Set<unknown>();
  for (const order of [elements, [...elements].reverse(), [...elements].sort()]) {
    const db = loaded("zset", order);
    expect(db.run("ZRANGE", "k", 0, -1)).toEqual(expected);
    expect(Object.is(db.run("ZSCORE", "k", "b"), -0)).toBe(true);
    digests.add(db.run("DEBUG", "DIGEST"));
  }
  expect(digests.size).toBe(1);
});

test("a deadline goes with it", () => {
  const at = new EngineHarness().now() + 5000;
  for (const type of ["list", "set", "hash"] as const) {
    const db = loaded(type, type === "hash" ? [["a", "b"]] : [["a"]], at);
    expect(db.run("PEXPIRETIME", "k")).toBe(at);
    db.advance(6000);
    expect(db.run("DBSIZE")).toBe(1);
  }
});

test.each<[EntryType, Element[]]>([
  ["set", [["a"], ["b"], ["a"]]],
  ["set", [["1"], ["2"], ["1"]]],
  ["set", [["3"], ["x".repeat(100)], ["3"]]],
  [
    "hash",
    [
      ["a", "1"],
      ["a", "2"],
    ],
  ],
  [
    "zset",
    [
      ["a", 1],
      ["a", 2],
    ],
  ],
])("a %s with an element twice is damage", (type, elements) => {
  expect(() => loaded(type, elements)).toThrow(KvdbError);
});
