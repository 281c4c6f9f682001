import { describe, expect, test } from "bun:test";
import { attachTracker, detachTracker, type PageTracker } from "../../../src/store/page-tracker.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const TOO_LONG = {
  error: "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
};
const OOM = { error: "OOM command not allowed when used memory > 'maxmemory'." };
const WRONGTYPE = {
  error: "WRONGTYPE Operation against a key holding the wrong kind of value",
};

describe("512 MB", () => {
  test("SETRANGE goes no further, whatever the offset", () => {
    const db = new EngineHarness();
    expect(db.run("SETRANGE", "k", 536_870_912, "x")).toEqual(TOO_LONG);
    expect(db.run("SETRANGE", "k", 536_870_910, "xyz")).toEqual(TOO_LONG);
    expect(db.run("SETRANGE", "k", "9223372036854775807", "x")).toEqual(TOO_LONG);
    expect(db.run("SETRANGE", "k", "9223372036854775807", "")).toBe(0);
    expect(db.run("SETRANGE", "k", -1, "x")).toEqual({ error: "ERR offset is out of range" });
    expect(db.run("DBSIZE")).toBe(0);
  });

  test("APPEND goes no further", () => {
    const db = new EngineHarness({ auditEvery: 0, durability: "none" });
    db.run("SETRANGE", "k", 536_870_910, "x");
    expect(db.run("APPEND", "k", "xy")).toEqual(TOO_LONG);
    expect(db.run("APPEND", "k", "y")).toBe(536_870_912);
    expect(db.run("GETRANGE", "k", -3, -1)).toBe("\0xy");
  });
});

test("growth that no argument shows is bounded by memory.max", () => {
  const db = new EngineHarness({ maxMemoryBytes: 20 * 1024 * 1024 });
  expect(db.run("SETRANGE", "k", 100_000_000, "x")).toEqual(OOM);
  expect(db.run("SETBIT", "k", 800_000_000, "1")).toEqual(OOM);
  expect(db.run("BITFIELD", "k", "SET", "u8", 800_000_000, "1")).toEqual(OOM);
  expect(db.run("DBSIZE")).toBe(0);
  db.run("SETRANGE", "k", 12_000_000, "x");
  expect(db.run("BITOP", "NOT", "l", "k")).toEqual(OOM);
  expect(db.run("STRLEN", "k")).toBe(12_000_001);
  expect(db.replayed().run("STRLEN", "k")).toBe(12_000_001);
});

test("a giant string is edited in place, and copied only when it outgrows its class", () => {
  const db = new EngineHarness({ auditEvery: 0, durability: "none" });
  const size = 20 * 1024 * 1024;
  db.run("SETRANGE", "k", size - 1, "x");
  const used = db.usedBytes;
  const entryAt = () => db.session.database.find(Buffer.from("k"), 0, 1);
  const before = entryAt();
  for (let i = 0; i < 50; i++) db.run("APPEND", "k", "0123456789");
  db.run("SETRANGE", "k", 17_000_000, "middle");
  expect(entryAt()).toBe(before);
  expect(db.usedBytes).toBe(used);
  expect(db.run("GETRANGE", "k", size - 1, size + 9)).toBe("x0123456789");
  expect(db.run("GETRANGE", "k", 16_999_999, 17_000_006)).toBe("\0middle\0");
  db.run("DEL", "k");
  expect(db.usedBytes).toBeLessThan(used - size);
});

test("only the pages that are written are touched", () => {
  const db = new EngineHarness({ durability: "none" });
  db.run("SETRANGE", "k", 1_000_000, "x");
  const { arena } = db.engine.keyspace;
  let pages = 0;
  const counter: PageTracker = {
    touch(first, last) {
      pages += last - first + 1;
    },
    released: () => {},
    reset: () => {},
  };
  attachTracker(arena, counter);
  db.run("SETBIT", "k", 4_000_000, "1");
  db.run("SETRANGE", "k", 700_000, "abc");
  db.run("BITFIELD", "k", "INCRBY", "u8", 2_000_000, "1");
  expect(pages).toBeLessThan(20);
  detachTracker(arena, counter);
  db.endTurn();
});

describe("zeros", () => {
  test("fill what was not written, also where memory is used again", () => {
    const db = new EngineHarness();
    for (let round = 0; round < 5; round++) {
      db.run("SET", "dirt", "\xff".repeat(500));
      db.run("DEL", "dirt");
      db.run("SET", "k", "ab");
      db.run("SETRANGE", "k", 900, "c");
      expect(db.run("GET", "k")).toBe(`ab${"\0".repeat(898)}c`);
      db.run("DEL", "k");
      db.run("SETRANGE", "k", 900, "c");
      expect(db.run("GET", "k")).toBe(`${"\0".repeat(900)}c`);
    }
  });
});

describe("encodings", () => {
  test.each([
    ["SET k 12", "int"],
    ["APPEND k 12", "int"],
    ["SETRANGE k 0 12", "raw"],
    ["SETBIT k 2 1", "raw"],
    ["BITFIELD k SET u8 0 49", "raw"],
    ["INCR k", "int"],
    ["INCRBYFLOAT k 12", "embstr"],
  ])("of a new string by %s: %s", (command, encoding) => {
    const db = new EngineHarness();
    db.run(...command.split(" "));
    expect(db.run("OBJECT", "ENCODING", "k")).toBe(encoding);
  });

  test.each([["APPEND k 3"], ["SETRANGE k 0 9"], ["SETBIT k 2 1"], ["BITFIELD k SET u8 0 49"]])(
    "of a string that %s edits: raw, until it is set again",
    (command) => {
      const db = new EngineHarness();
      db.run("SET", "k", "12");
      db.run(...command.split(" "));
      expect(db.run("OBJECT", "ENCODING", "k")).toBe("raw");
      expect(db.replayed().run("OBJECT", "ENCODING", "k")).toBe("raw");
      db.run("SET", "k", "12");
      expect(db.run("OBJECT", "ENCODING", "k")).toBe("int");
    },
  );
});

test.each([
  "APPEND k x",
  "STRLEN k",
  "GETRANGE k 0 1",
  "SUBSTR k 0 1",
  "SETRANGE k 0 x",
  "SETRANGE k 0 ",
  "SETBIT k 0 1",
  "GETBIT k 0",
  "BITCOUNT k",
  "BITPOS k 1",
  "BITOP NOT d k",
  "BITFIELD k GET u8 0",
  "BITFIELD k SET u8 0 1",
  "BITFIELD_RO k GET u8 0",
])("%s: a JSON value is no string", (command) => {
  const db = new EngineHarness();
  db.run("VALUE.SET", "k", "[1,2]");
  expect(db.run(...command.split(" "))).toEqual(WRONGTYPE);
  expect(db.run("GET", "k")).toBe("[1,2]");
});

describe("LCS", () => {
  test("refuses a table that Redis would refuse", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "a".repeat(40_000));
    db.run("SET", "b", "b".repeat(3_400));
    expect(db.run("LCS", "a", "b", "LEN")).toEqual({
      error: "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
    });
    db.run("SETRANGE", "b", 0, "a");
    db.run("SET", "b", "b".repeat(3_000));
    expect(db.run("LCS", "a", "b", "LEN")).toBe(0);
  });

  test("a JSON value is no string", () => {
    const db = new EngineHarness();
    db.run("VALUE.SET", "a", "[1]");
    expect(db.run("LCS", "a", "b")).toEqual({
      error: "ERR The specified keys must contain string values",
    });
  });
});
