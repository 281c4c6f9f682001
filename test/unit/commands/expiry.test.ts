import { describe, expect, test } from "bun:test";
import { MAX_DEADLINE_MS } from "../../../src/limits.ts";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";

describe("EXPIRE and its kin", () => {
  test("relative times are recorded as moments", () => {
    const db = new EngineHarness();
    const now = db.now();
    db.run("MSET", "a", "1", "b", "2", "c", "3", "d", "4");
    db.records();
    expect(db.run("EXPIRE", "a", 10)).toBe(1);
    expect(db.run("PEXPIRE", "b", 1500, "NX")).toBe(1);
    expect(db.run("EXPIREAT", "c", 4102444800)).toBe(1);
    expect(db.run("PEXPIREAT", "d", 4102444800123)).toBe(1);
    expect(db.records().flatMap((record) => record.commands)).toEqual([
      `PEXPIREAT a ${now + 10_000}`,
      `PEXPIREAT b ${now + 1500}`,
      "EXPIREAT c 4102444800",
      "PEXPIREAT d 4102444800123",
    ]);
  });

  test.each([
    ["EXPIRE", "-1"],
    ["EXPIRE", "0"],
    ["PEXPIRE", "-9223372036854775808"],
    ["EXPIREAT", "1"],
    ["PEXPIREAT", "0"],
  ])("%s with the past %s removes the key and is recorded as DEL", (name, time) => {
    const db = new EngineHarness();
    db.run("SET", "a", "1", "EX", 100);
    db.records();
    expect(db.run(name, "a", time)).toBe(1);
    expect(db.run("EXISTS", "a")).toBe(0);
    expect(db.records()).toEqual([{ database: 0, commands: ["DEL a"] }]);
  });

  const unfulfilled: Argument[][] = [
    ["EXPIRE", "none", 10],
    ["EXPIRE", "a", 10, "XX"],
    ["EXPIRE", "a", 10, "GT"],
    ["EXPIRE", "t", 10, "NX"],
    ["EXPIRE", "t", 200, "LT"],
    ["EXPIRE", "t", 50, "GT"],
    ["EXPIRE", "t", 100, "XX", "GT"],
  ];
  test.each(unfulfilled.map((words) => ({ words })))(
    "what is not fulfilled changes and records nothing: $words",
    ({ words }) => {
      const db = new EngineHarness();
      db.run("SET", "a", "1");
      db.run("SET", "t", "1", "EX", 100);
      db.records();
      expect(db.run(...words)).toBe(0);
      expect(db.records()).toEqual([]);
      expect([db.run("TTL", "a"), db.run("TTL", "t")]).toEqual([-1, 100]);
    },
  );

  test("the latest moment is 2^53 - 1 ms; later ones are refused and change nothing", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    expect(db.run("PEXPIREAT", "a", MAX_DEADLINE_MS)).toBe(1);
    expect(db.run("PEXPIRETIME", "a")).toBe(MAX_DEADLINE_MS);
    for (const [name, time] of [
      ["pexpireat", "9007199254740992"],
      ["expireat", "9007199254741"],
      ["expire", "9007199254740"],
      ["pexpire", "9007199254740991"],
      ["expire", "9223372036854775807"],
      ["expire", "-9223372036854776"],
    ] as const) {
      const error = `ERR invalid expire time in '${name}' command`;
      expect(db.run(name, "a", time)).toEqual({ error });
    }
    expect(db.run("PEXPIRETIME", "a")).toBe(MAX_DEADLINE_MS);
  });

  test("keys of any type expire on time, recorded as deletions", () => {
    const db = new EngineHarness();
    db.run("SET", "s", "1");
    db.run("VALUE.SET", "j", "{}");
    db.run("PEXPIRE", "s", 1000);
    db.run("PEXPIRE", "j", 2000);
    db.records();
    db.advance(1100);
    expect(db.engine.keyspace.databases[0]?.size).toBe(1);
    expect(db.records()).toEqual([{ database: 0, commands: ["SELECT 0", "DEL s"] }]);
    db.advance(1000);
    expect(db.engine.keyspace.databases[0]?.size).toBe(0);
  });

  test("replay keeps a deadline that has passed by then, for the first look at the key", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "a", "1");
    db.run("PEXPIRE", "a", 10);
    db.advance(60_000);
    const replayed = db.replayed();
    expect(replayed.engine.keyspace.databases[0]?.size).toBe(1);
    expect(replayed.run("GET", "a")).toBeNull();
    expect(replayed.records()).toEqual([{ database: 0, commands: ["SELECT 0", "DEL a"] }]);
  });
});

describe("TTL and its kin", () => {
  test("round half seconds up", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1", "PX", 10_500);
    expect([db.run("TTL", "a"), db.run("PTTL", "a")]).toEqual([11, 10_500]);
    db.advance(1);
    expect([db.run("TTL", "a"), db.run("PTTL", "a")]).toEqual([10, 10_499]);
  });

  test.each(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"])("%s tells none from no key", (name) => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    expect([db.run(name, "a"), db.run(name, "none")]).toEqual([-1, -2]);
  });
});

describe("PERSIST", () => {
  test("lets a key live for ever; without a deadline it changes nothing", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "value", "PX", 100);
    db.records();
    expect(db.run("PERSIST", "a")).toBe(1);
    expect(db.run("PERSIST", "a")).toBe(0);
    expect(db.run("PERSIST", "none")).toBe(0);
    expect(db.records()).toEqual([{ database: 0, commands: ["PERSIST a"] }]);
    db.advance(200);
    expect(db.run("GET", "a")).toBe("value");
  });
});
