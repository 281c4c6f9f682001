import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const LONG_KEY = "long".repeat(80);

describe("RENAME", () => {
  test.each([
    ["a", "b"],
    ["a", LONG_KEY],
    [LONG_KEY, "a"],
  ])("moves value, type and deadline", (from, to) => {
    const db = new EngineHarness();
    const start = db.usedBytes;
    for (const [name, value] of [
      ["SET", "x".repeat(5000)],
      ["VALUE.SET", "[1.0,2]"],
    ] as const) {
      db.run(name, from, value);
      db.run("PEXPIRE", from, 5000);
      db.run("SET", to, "replaced");
      const type = db.run("TYPE", from);
      db.records();
      expect(db.run("RENAME", from, to)).toBe("OK");
      expect(db.records()).toEqual([{ database: 0, commands: [`RENAME ${from} ${to}`] }]);
      expect([db.run("TYPE", from), db.run("TYPE", to)]).toEqual(["none", type]);
      expect(db.run("GET", to)).toBe(value);
      expect(db.run("PTTL", to)).toBe(5000);
      db.advance(5050);
      expect(db.engine.keyspace.databases[0]?.size).toBe(0);
    }
    db.run("FLUSHALL");
    expect(db.usedBytes).toBe(start);
  });

  test("a target without deadline loses the old one's", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.run("SET", "b", "2", "EX", 100);
    db.run("RENAME", "a", "b");
    expect(db.run("TTL", "b")).toBe(-1);
  });

  test("onto itself changes nothing", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.records();
    expect(db.run("RENAME", "a", "a")).toBe("OK");
    expect(db.run("RENAMENX", "a", "a")).toBe(0);
    expect(db.records()).toEqual([]);
  });

  test("a source that is over is no key; its deletion is recorded all the same", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "a", "1", "PX", 10);
    db.records();
    db.advance(10);
    expect(db.run("RENAME", "a", "b")).toEqual({ error: "ERR no such key" });
    expect(db.records()).toEqual([{ database: 0, commands: ["SELECT 0", "DEL a"] }]);
  });

  test("RENAMENX takes the place of a key that is over", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "a", "1");
    db.run("SET", "b", "2", "PX", 10);
    expect(db.run("RENAMENX", "a", "b")).toBe(0);
    db.records();
    db.advance(10);
    expect(db.run("RENAMENX", "a", "b")).toBe(1);
    expect(db.records()).toEqual([
      { database: 0, commands: ["SELECT 0", "DEL b", "RENAMENX a b"] },
    ]);
  });
});

describe("COPY", () => {
  test("to another database is recorded in the session's", () => {
    const db = new EngineHarness();
    db.run("SELECT", 2);
    db.run("SET", "a", "1", "EX", 100);
    db.records();
    expect(db.run("COPY", "a", "b", "DB", 5)).toBe(1);
    expect(db.records()).toEqual([{ database: 2, commands: ["COPY a b DB 5"] }]);
    db.run("SELECT", 5);
    expect([db.run("GET", "b"), db.run("TTL", "b")]).toEqual(["1", 100]);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test("a key that is over in the other database is removed there first", () => {
    const db = new EngineHarness({ background: false });
    db.run("SELECT", 5);
    db.run("SET", "b", "old", "PX", 10);
    db.run("SELECT", 2);
    db.run("SET", "a", "1");
    db.records();
    db.advance(10);
    expect(db.run("COPY", "a", "b", "DB", 5)).toBe(1);
    expect(db.records()).toEqual([
      { database: 2, commands: ["SELECT 5", "DEL b", "SELECT 2", "COPY a b DB 5"] },
    ]);
    const replayed = db.replayed();
    expect(replayed.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test("without REPLACE an existing key stays, and nothing is recorded", () => {
    const db = new EngineHarness();
    db.run("MSET", "a", "1", "b", "2");
    db.records();
    expect(db.run("COPY", "a", "b")).toBe(0);
    expect(db.records()).toEqual([]);
    expect(db.run("COPY", "a", "b", "REPLACE")).toBe(1);
    expect(db.run("GET", "b")).toBe("1");
  });

  test("keeps how a string is kept", () => {
    const db = new EngineHarness();
    db.run("APPEND", "a", "1");
    db.run("APPEND", "a", "2");
    db.run("COPY", "a", "b");
    expect(db.run("OBJECT", "ENCODING", "b")).toBe("raw");
  });

  test("is refused when the copy has no room under the memory limit, and changes nothing", () => {
    const db = new EngineHarness({ maxMemoryBytes: 3_000_000 });
    db.run("SET", "a", "x".repeat(2_000_000));
    expect(db.run("COPY", "a", "b")).toEqual({
      error: "OOM command not allowed when used memory > 'maxmemory'.",
    });
    expect(db.run("EXISTS", "b")).toBe(0);
  });

  test("of a structure counts all of it", () => {
    const db = new EngineHarness({ maxMemoryBytes: 3_000_000, auditEvery: 0 });
    const members = Array.from({ length: 20_000 }, (_, i) => `${i}`.padStart(80, "x"));
    db.run("SADD", "a", ...members);
    expect(db.run("COPY", "a", "b")).toEqual({
      error: "OOM command not allowed when used memory > 'maxmemory'.",
    });
    expect(db.run("EXISTS", "b")).toBe(0);
  });
});

describe("MOVE", () => {
  test("takes the deadline along and is recorded as it is", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1", "EX", 100);
    db.records();
    expect(db.run("MOVE", "a", 3)).toBe(1);
    expect(db.records()).toEqual([{ database: 0, commands: ["MOVE a 3"] }]);
    expect(db.run("EXISTS", "a")).toBe(0);
    db.run("SELECT", 3);
    expect([db.run("GET", "a"), db.run("TTL", "a")]).toEqual(["1", 100]);
    db.advance(100_050);
    expect(db.engine.keyspace.databases[3]?.size).toBe(0);
  });

  test("an existing key in the other database stays", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.run("COPY", "a", "a", "DB", 3);
    db.records();
    expect(db.run("MOVE", "a", 3)).toBe(0);
    expect(db.records()).toEqual([]);
  });
});
