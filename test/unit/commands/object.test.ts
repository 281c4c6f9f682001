import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

describe("OBJECT ENCODING", () => {
  test.each([
    ["0", "int"],
    ["-9223372036854775808", "int"],
    ["9223372036854775807", "int"],
    ["9223372036854775808", "embstr"],
    ["01", "embstr"],
    ["-0", "embstr"],
    ["", "embstr"],
    ["x".repeat(44), "embstr"],
    ["x".repeat(45), "raw"],
  ])("of %j is %s", (value, encoding) => {
    const db = new EngineHarness();
    db.run("SET", "a", value);
    expect(db.run("OBJECT", "ENCODING", "a")).toBe(encoding);
  });

  test("a string that was edited, and a JSON value, are raw", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.run("APPEND", "a", "2");
    db.run("VALUE.SET", "j", "12");
    expect(db.run("OBJECT", "ENCODING", "a")).toBe("raw");
    expect(db.run("OBJECT", "ENCODING", "j")).toBe("raw");
    expect(db.replayed().run("OBJECT", "ENCODING", "a")).toBe("raw");
  });
});

describe("MEMORY USAGE", () => {
  test("of all keys together is what they take, but for the free half of wheel and table", () => {
    const db = new EngineHarness({ auditEvery: 1000 });
    const start = db.usedBytes;
    for (let i = 0; i < 3000; i++) {
      db.run("SET", `k${i}`.padEnd(i % 300, "!"), "x".repeat(i % 1000), "EX", 1 + i);
    }
    let sum = 0;
    for (const key of db.run("KEYS", "*") as string[])
      sum += db.run("MEMORY", "USAGE", key) as number;
    const used = db.usedBytes - start;
    expect(sum).toBeGreaterThan(used * 0.98);
    expect(sum).toBeLessThan(used * 1.02);
  });

  test("grows with the value, counts a deadline, and takes SAMPLES", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "x".repeat(100));
    const small = db.run("MEMORY", "USAGE", "a") as number;
    db.run("EXPIRE", "a", 100);
    expect(db.run("MEMORY", "USAGE", "a")).toBe(small + 16);
    db.run("SET", "a", "x".repeat(100_000));
    expect(db.run("MEMORY", "USAGE", "a", "SAMPLES", 0)).toBeGreaterThan(100_000);
    expect(db.run("MEMORY", "USAGE", "none")).toBeNull();
  });
});

test("questions count as neither change nor touch a value", () => {
  const db = new EngineHarness();
  db.run("SET", "a", "1");
  db.records();
  expect(db.run("OBJECT", "IDLETIME", "a")).toBe(0);
  expect(db.run("OBJECT", "REFCOUNT", "a")).toBe(1);
  db.run("OBJECT", "HELP");
  db.run("MEMORY", "HELP");
  expect(db.records()).toEqual([]);
});
