import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const SYNTAX = { error: "ERR syntax error" };

/** The commands of the records since the last call. */
function recorded(db: EngineHarness): string[] {
  return db.records().flatMap((record) => record.commands);
}

describe("what is recorded", () => {
  const HOUR_MS = 3_600_000;

  test.each([
    ["SET k v", "SET k v"],
    ["SET k v NX", "SET k v NX"],
    ["SET old v XX KEEPTTL", "SET old v XX KEEPTTL"],
    ["SET k v EX 3600", "SET k v PXAT <hour>"],
    ["SET k v nx px 3600000", "SET k v PXAT <hour>"],
    ["SET old v GET", "SET old v"],
    ["SET old v GET KEEPTTL", "SET old v KEEPTTL"],
    ["SET old v IFEQ 1 KEEPTTL", "SET old v KEEPTTL"],
    ["SETEX k 3600 v", "SET k v PXAT <hour>"],
    ["PSETEX k 3600000 v", "SET k v PXAT <hour>"],
    ["SETNX k v", "SETNX k v"],
    ["GETSET old v", "GETSET old v"],
    ["GETDEL old", "DEL old"],
    ["GETEX old PERSIST", "PERSIST old"],
    ["GETEX old EX 3600", "PEXPIREAT old <hour>"],
    ["GETEX old PXAT 1", "DEL old"],
    ["SET old v PXAT 1", "DEL old"],
    ["MSET a 1 a 2", "MSET a 1 a 2"],
  ])("%s", (command, expected) => {
    const db = new EngineHarness();
    db.run("SET", "old", "1", "PXAT", db.now() + 2 * HOUR_MS);
    db.records();
    db.run(...command.split(" "));
    expect(recorded(db)).toEqual([expected.replace("<hour>", String(db.now() + HOUR_MS))]);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test.each([
    "SET old v NX",
    "SET k v XX",
    "SET k v IFEQ x",
    "SET old v IFEQ x",
    "SET k v PXAT 1",
    "SETNX old v",
    "MSETNX k v old w",
    "GETDEL k",
    "GETEX k PERSIST",
    "GETEX old",
    "GET old",
  ])("%s changes nothing and leaves no record", (command) => {
    const db = new EngineHarness();
    db.run("SET", "old", "1");
    db.records();
    const before = db.run("DEBUG", "DIGEST");
    db.run(...command.split(" "));
    expect(db.run("DEBUG", "DIGEST")).toBe(before);
    expect(db.records()).toEqual([]);
  });

  test("a key that is found expired is deleted first, in the same record", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "k", "v", "PX", 10);
    db.records();
    db.advance(20);
    expect(db.run("SET", "k", "w", "NX", "GET")).toBeNull();
    expect(recorded(db)).toEqual(["SELECT 0", "DEL k", "SET k w"]);
  });
});

describe("SET", () => {
  test("IFEQ sets only what equals", () => {
    const db = new EngineHarness();
    expect(db.run("SET", "k", "new", "IFEQ", "")).toBeNull();
    db.run("SET", "k", "old");
    expect(db.run("SET", "k", "new", "IFEQ", "ol")).toBeNull();
    expect(db.run("SET", "k", "new", "IFEQ", "olx", "GET")).toBe("old");
    expect(db.run("SET", "k", "new", "ifeq", "old", "get")).toBe("old");
    expect(db.run("SET", "k", "newer", "IFEQ", "new")).toBe("OK");
    expect(db.run("GET", "k")).toBe("newer");
    expect(db.run("SET", "k", "v", "IFEQ", "IFEQ", "EX", 5)).toBeNull();
  });

  test.each([
    ["IFEQ"],
    ["IFEQ", "1", "NX"],
    ["XX", "IFEQ", "1"],
    ["IFEQ", "1", "IFEQ", "1"],
    ["NX", "XX"],
    ["EX"],
    ["EX", "1", "PX", "1"],
    ["KEEPTTL", "EX", "1"],
    ["PERSIST"],
  ])("refuses %p", (...options) => {
    const db = new EngineHarness();
    expect(db.run("SET", "k", "v", ...(options as string[]))).toEqual(SYNTAX);
    expect(db.run("DBSIZE")).toBe(0);
  });

  test.each(["0", "-1", "9007199254740992", "9223372036854775807"])("refuses EX %s", (time) => {
    const db = new EngineHarness();
    const invalid = { error: "ERR invalid expire time in 'set' command" };
    expect(db.run("SET", "k", "v", "EX", time)).toEqual(invalid);
    expect(db.run("SET", "k", "v", "EX", "1x")).toEqual({
      error: "ERR value is not an integer or out of range",
    });
    expect(db.run("DBSIZE")).toBe(0);
  });

  test("with a moment in the past leaves no key, also none to be counted", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "k", "v");
    expect(db.run("SET", "k", "w", "EXAT", 1, "GET")).toBe("v");
    expect(db.run("DBSIZE")).toBe(0);
  });

  test("of a value that is no text any more keeps nothing of it", () => {
    const db = new EngineHarness();
    db.run("VALUE.SET", "k", '{"a":1}');
    expect(db.run("SET", "k", "v", "IFEQ", '{"a":1}')).toBe("OK");
    expect(db.run("TYPE", "k")).toBe("string");
  });
});

test("a JSON value reads as its text", () => {
  const db = new EngineHarness();
  const text = '{"a":[1,2.50]}';
  const set = () => db.run("VALUE.SET", "k", text);
  set();
  expect(db.run("GET", "k")).toBe(text);
  expect(db.run("MGET", "k", "none")).toEqual([text, null]);
  expect(db.run("GETEX", "k", "PX", 1000)).toBe(text);
  expect(db.run("GETSET", "k", "v")).toBe(text);
  set();
  expect(db.run("SET", "k", "v", "GET")).toBe(text);
  set();
  expect(db.run("GETDEL", "k")).toBe(text);
  expect(db.run("DBSIZE")).toBe(0);
});

test("MSET with one key twice keeps the last value, whatever its size", () => {
  const db = new EngineHarness();
  db.run("MSET", "k", "x".repeat(1000), "k", "short", "l", "1");
  expect(db.run("MGET", "k", "l")).toEqual(["short", "1"]);
  db.run("MSET", "k", "short", "k", "y".repeat(1000));
  expect(db.run("GET", "k")).toBe("y".repeat(1000));
  expect(db.run("MSET", "k")).toEqual({
    error: "ERR wrong number of arguments for 'mset' command",
  });
  expect(db.run("MSETNX", "a", "1", "b")).toEqual({
    error: "ERR wrong number of arguments for 'msetnx' command",
  });
});

test("values longer than a chunk", () => {
  const db = new EngineHarness({ auditEvery: 0 });
  const long = Buffer.alloc(20 * 1024 * 1024, "abc");
  db.run("SET", "k", long);
  expect(db.run("STRLEN", "k")).toBe(long.length);
  const value = db.run("SET", "k", "short", "GET") as string;
  expect(value === long.toString()).toBe(true);
  expect(db.run("GET", "k")).toBe("short");
});
