import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const OVERFLOW = { error: "ERR increment or decrement would overflow" };
const NO_INTEGER = { error: "ERR value is not an integer or out of range" };
const NO_FLOAT = { error: "ERR value is not a valid float" };
const WRONGTYPE = {
  error: "WRONGTYPE Operation against a key holding the wrong kind of value",
};
const INT64_MAX = 2n ** 63n - 1n;

describe("all of 64 bits", () => {
  test.each([
    ["9007199254740991", 1],
    ["9007199254740993", -10],
    ["9007199254740993", -9007199254740993n],
    ["-9007199254740991", -3],
    ["9223372036854775806", 1],
    ["-9223372036854775807", -1],
    ["0", INT64_MAX],
    ["-1", -INT64_MAX],
  ])("%s + %s", (start, by) => {
    const db = new EngineHarness();
    const sum = BigInt(start) + BigInt(by);
    db.run("SET", "k", start);
    db.run("INCRBY", "k", by);
    expect(db.run("GET", "k")).toBe(String(sum));
    db.run("SET", "k", start);
    db.run("DECRBY", "k", -BigInt(by));
    expect(db.run("GET", "k")).toBe(String(sum));
  });

  test("and no more", () => {
    const db = new EngineHarness();
    db.run("SET", "k", String(INT64_MAX));
    expect(db.run("INCR", "k")).toEqual(OVERFLOW);
    expect(db.run("DECRBY", "k", -1)).toEqual(OVERFLOW);
    db.run("SET", "k", String(-INT64_MAX - 1n));
    expect(db.run("DECR", "k")).toEqual(OVERFLOW);
    expect(db.run("DECRBY", "k", "-9223372036854775808")).toEqual({
      error: "ERR decrement would overflow",
    });
    expect(db.run("GET", "k")).toBe("-9223372036854775808");
  });
});

test("the deadline stays", () => {
  const db = new EngineHarness();
  db.run("SET", "k", "9", "PX", 500);
  db.run("INCR", "k");
  db.run("INCRBYFLOAT", "k", "0.5");
  expect(db.run("PTTL", "k")).toBe(500);
});

test("integers are recorded as they came, floats as what came out", () => {
  const db = new EngineHarness();
  db.run("INCRBY", "k", 5);
  db.run("INCRBYFLOAT", "k", "0.10");
  db.run("VALUE.SET", "j", "1");
  db.run("INCRBYFLOAT", "j", "0.5");
  db.run("INCRBY", "j2", 0);
  expect(db.records().flatMap((record) => record.commands)).toEqual([
    "INCRBY k 5",
    "SET k 5.1 KEEPTTL",
    "VALUE.SET j 1",
    "VALUE.SET j 1.5 KEEPTTL",
    "INCRBY j2 0",
  ]);
  const copy = db.replayed();
  expect(copy.run("MGET", "k", "j")).toEqual(["5.1", "1.5"]);
  expect(copy.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
});

describe("a JSON number", () => {
  test("stays one", () => {
    const db = new EngineHarness();
    db.run("VALUE.SET", "k", "41");
    expect(db.run("INCR", "k")).toBe(42);
    expect(db.run("TYPE", "k")).toBe("ReJSON-RL");
    expect(db.run("INCRBYFLOAT", "k", "-50.25")).toBe("-8.25");
    expect(db.run("TYPE", "k")).toBe("ReJSON-RL");
    expect(db.run("VALUE.GET", "k")).toBe("-8.25");
    db.run("VALUE.SET", "k", "9007199254740993");
    expect(db.run("DECRBY", "k", 1)).toBe(9007199254740992n);
    expect(db.run("TYPE", "k")).toBe("ReJSON-RL");
  });

  test("is read as Redis reads numbers", () => {
    const db = new EngineHarness();
    for (const text of ["1.0", "1e3", "-0"]) {
      db.run("VALUE.SET", "k", text);
      expect(db.run("INCR", "k")).toEqual(NO_INTEGER);
      expect(db.run("GET", "k")).toBe(text);
    }
    db.run("VALUE.SET", "k", "1e3");
    expect(db.run("INCRBYFLOAT", "k", "1")).toBe("1001");
    db.run("VALUE.SET", "k", "1e5000");
    expect(db.run("INCRBYFLOAT", "k", "1")).toEqual(NO_FLOAT);
  });

  test.each(["true", "null", "{}", "[1]"])("is not %s", (text) => {
    const db = new EngineHarness();
    db.run("VALUE.SET", "k", text);
    expect(db.run("INCR", "k")).toEqual(WRONGTYPE);
    expect(db.run("INCRBYFLOAT", "k", "1")).toEqual(WRONGTYPE);
    expect(db.run("GET", "k")).toBe(text);
  });
});

test("INCRBYFLOAT refuses what is no number, however long", () => {
  const db = new EngineHarness();
  db.run("SET", "k", "1".repeat(6000));
  expect(db.run("INCRBYFLOAT", "k", "1")).toEqual(NO_FLOAT);
  db.run("SET", "k", "1");
  expect(db.run("INCRBYFLOAT", "k", "abc")).toEqual(NO_FLOAT);
  expect(db.run("INCRBYFLOAT", "k", "inf")).toEqual({
    error: "ERR increment would produce NaN or Infinity",
  });
});
