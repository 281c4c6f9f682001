/** Lists at the ends and in the middle, short and long; what each leaves in the journal. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const WRONG = { error: "WRONGTYPE Operation against a key holding the wrong kind of value" };
const SYNTAX = { error: "ERR syntax error" };
const NO_INTEGER = { error: "ERR value is not an integer or out of range" };

/** A list a0 a1 …, the elements padded to a length. */
function filled(count: number, size = 0): EngineHarness {
  const db = new EngineHarness({ auditEvery: 10 });
  for (let i = 0; i < count; i++) db.run("RPUSH", "l", `a${i}`.padEnd(size, "."));
  return db;
}

const all = (db: EngineHarness, key = "l") => db.run("LRANGE", key, 0, -1);

describe("ends", () => {
  test("push and pop", () => {
    const db = new EngineHarness();
    expect(db.run("LPUSH", "l", "a", "b", "c")).toBe(3);
    expect(db.run("RPUSH", "l", "d")).toBe(4);
    expect(all(db)).toEqual(["c", "b", "a", "d"]);
    expect(db.run("LPOP", "l")).toBe("c");
    expect(db.run("RPOP", "l")).toBe("d");
    expect(db.run("LPOP", "l", 0)).toEqual([]);
    expect(db.run("RPOP", "l", 5)).toEqual(["a", "b"]);
    expect(db.run("EXISTS", "l")).toBe(0);
    expect(db.run("LPOP", "l")).toBeNull();
    expect(db.run("LPOP", "l", 1)).toBeNull();
  });

  test("LPUSHX and RPUSHX make no key", () => {
    const db = new EngineHarness();
    expect(db.run("LPUSHX", "l", "a")).toBe(0);
    expect(db.run("RPUSHX", "l", "a")).toBe(0);
    expect(db.run("EXISTS", "l")).toBe(0);
    db.run("RPUSH", "l", "a");
    expect(db.run("LPUSHX", "l", "b", "c")).toBe(3);
    expect(db.run("RPUSHX", "l", "d")).toBe(4);
    expect(all(db)).toEqual(["c", "b", "a", "d"]);
  });

  test("errors", () => {
    const db = new EngineHarness();
    db.run("SET", "s", "1");
    for (const words of [
      ["LPUSH", "s", "a"],
      ["LPUSHX", "s", "a"],
      ["LPOP", "s"],
      ["RPOP", "s", 0],
    ]) {
      expect(db.run(...words)).toEqual(WRONG);
    }
    const positive = { error: "ERR value is out of range, must be positive" };
    for (const count of [-1, "x", "9223372036854775808"]) {
      expect(db.run("LPOP", "s", count)).toEqual(positive);
    }
    expect(db.run("RPOP", "l", 1, 2)).toEqual({
      error: "ERR wrong number of arguments for 'rpop' command",
    });
  });

  test("LMOVE between lists, and within one", () => {
    const db = new EngineHarness();
    db.run("RPUSH", "l", "a", "b", "c");
    expect(db.run("LMOVE", "l", "m", "LEFT", "RIGHT")).toBe("a");
    expect(db.run("LMOVE", "l", "m", "right", "right")).toBe("c");
    expect(db.run("RPOPLPUSH", "m", "l")).toBe("c");
    expect([all(db), all(db, "m")]).toEqual([["c", "b"], ["a"]]);
    expect(db.run("LMOVE", "l", "l", "LEFT", "RIGHT")).toBe("c");
    expect(all(db)).toEqual(["b", "c"]);
    expect(db.run("LMOVE", "l", "l", "LEFT", "LEFT")).toBe("b");
    expect(all(db)).toEqual(["b", "c"]);
    db.run("EXPIRE", "m", 100);
    expect(db.run("RPOPLPUSH", "m", "m")).toBe("a");
    expect(db.run("TTL", "m")).toBe(100);
    expect(db.run("LMOVE", "m", "l", "LEFT", "LEFT")).toBe("a");
    expect(db.run("EXISTS", "m")).toBe(0);
    expect(db.run("LMOVE", "m", "l", "LEFT", "LEFT")).toBeNull();
    db.run("SET", "s", "1");
    expect(db.run("LMOVE", "l", "s", "LEFT", "LEFT")).toEqual(WRONG);
    expect(db.run("LMOVE", "m", "s", "LEFT", "LEFT")).toBeNull();
    expect(db.run("LMOVE", "l", "m", "LEFT", "UP")).toEqual(SYNTAX);
    expect(all(db)).toEqual(["a", "b", "c"]);
  });

  test("LMOVE of long elements between long lists", () => {
    const db = filled(300, 300);
    for (let i = 0; i < 150; i++) db.run("LMOVE", "l", "m", "RIGHT", "LEFT");
    expect([db.run("LLEN", "l"), db.run("LLEN", "m")]).toEqual([150, 150]);
    expect(db.run("LINDEX", "m", 0)).toBe("a150".padEnd(300, "."));
    for (let i = 0; i < 400; i++) db.run("LMOVE", "m", "m", "LEFT", "RIGHT");
    expect(db.run("LINDEX", "m", 0)).toBe("a250".padEnd(300, "."));
  });

  test("LMPOP takes from the first list that is there", () => {
    const db = new EngineHarness();
    db.run("RPUSH", "l", "a", "b", "c");
    expect(db.run("LMPOP", 2, "m", "l", "LEFT")).toEqual(["l", ["a"]]);
    expect(db.run("LMPOP", 1, "l", "RIGHT", "COUNT", 9)).toEqual(["l", ["c", "b"]]);
    expect(db.run("LMPOP", 2, "m", "l", "LEFT")).toBeNull();
    db.run("SET", "s", "1");
    expect(db.run("LMPOP", 2, "m", "s", "LEFT")).toEqual(WRONG);
    const keys = { error: "ERR numkeys should be greater than 0" };
    for (const count of [0, -1, "x"]) expect(db.run("LMPOP", count, "l", "LEFT")).toEqual(keys);
    const count = { error: "ERR count should be greater than 0" };
    expect(db.run("LMPOP", 1, "l", "LEFT", "COUNT", 0)).toEqual(count);
    for (const end of [["UP"], ["LEFT", "COUNT"], ["LEFT", "COUNT", 1, "COUNT", 1]]) {
      expect(db.run("LMPOP", 1, "l", ...end)).toEqual(SYNTAX);
    }
    expect(db.run("LMPOP", 2, "l", "LEFT")).toEqual(SYNTAX);
  });
});

describe.each([3, 40, 2000])("a list of %d", (count) => {
  test("ranges and positions", () => {
    const db = filled(count);
    expect(db.run("LLEN", "l")).toBe(count);
    const names = Array.from({ length: count }, (_, i) => `a${i}`);
    for (const [from, to] of [
      [0, -1],
      [0, 0],
      [1, 1],
      [-2, -1],
      [-9999, 1],
      [1, 9999],
      [-1, 0],
      [5, 2],
    ]) {
      const [first, last] = [from, to].map((at) => (at < 0 ? at + count : at)) as [number, number];
      const expected = last < 0 ? [] : names.slice(Math.max(0, first), last + 1);
      expect(db.run("LRANGE", "l", from, to)).toEqual(expected);
    }
    for (const at of [0, 1, count >> 1, count - 1]) {
      expect(db.run("LINDEX", "l", at)).toBe(names[at] as string);
      expect(db.run("LINDEX", "l", at - count)).toBe(names[at] as string);
    }
    expect([db.run("LINDEX", "l", count), db.run("LINDEX", "l", -count - 1)]).toEqual([null, null]);
  });

  test("changes in the middle", () => {
    const db = filled(count);
    const middle = count >> 1;
    expect(db.run("LSET", "l", middle, "other")).toBe("OK");
    expect(db.run("LSET", "l", -1, "last".repeat(100))).toBe("OK");
    expect(db.run("LINSERT", "l", "BEFORE", "other", "before")).toBe(count + 1);
    expect(db.run("LINSERT", "l", "after", "other", "behind")).toBe(count + 2);
    const around = ["before", "other", "behind"];
    expect(db.run("LRANGE", "l", middle, middle + 2)).toEqual(around);
    expect(db.run("LINSERT", "l", "AFTER", "last".repeat(100), "end")).toBe(count + 3);
    expect(db.run("LINDEX", "l", -1)).toBe("end");
    expect(db.run("LTRIM", "l", middle, middle + 2)).toBe("OK");
    expect(all(db)).toEqual(around);
    expect(db.run("LTRIM", "l", 5, 9)).toBe("OK");
    expect(db.run("EXISTS", "l")).toBe(0);
  });

  test("LREM from either end, LPOS", () => {
    const db = filled(count);
    db.run("LPUSH", "l", "x");
    db.run("LINSERT", "l", "AFTER", "a1", "x");
    db.run("RPUSH", "l", "x", "x");
    expect(db.run("LPOS", "l", "x", "COUNT", 0)).toEqual([0, 3, count + 2, count + 3]);
    expect(db.run("LPOS", "l", "x")).toBe(0);
    expect(db.run("LPOS", "l", "x", "RANK", -2)).toBe(count + 2);
    expect(db.run("LPOS", "l", "x", "RANK", 2, "COUNT", 2)).toEqual([3, count + 2]);
    expect(db.run("LPOS", "l", "x", "RANK", -1, "COUNT", 3, "MAXLEN", 1)).toEqual([count + 3]);
    expect(db.run("LPOS", "l", "y")).toBeNull();
    expect(db.run("LPOS", "l", "y", "COUNT", 1)).toEqual([]);
    expect(db.run("LREM", "l", -1, "x")).toBe(1);
    expect(db.run("LREM", "l", 2, "x")).toBe(2);
    expect(db.run("LPOS", "l", "x", "COUNT", 0)).toEqual([count]);
    expect(db.run("LREM", "l", 0, "x")).toBe(1);
    expect(db.run("LREM", "l", 0, "x")).toBe(0);
    expect(db.run("LLEN", "l")).toBe(count);
  });

  test("a restart brings the same list, and its copy is one of its own", () => {
    const db = filled(count);
    db.run("COPY", "l", "m");
    db.run("LPOP", "m");
    db.run("LINSERT", "l", "BEFORE", "a1", "x".repeat(300));
    db.run("LREM", "l", 1, "a2");
    db.run("RENAME", "m", "n");
    expect(db.run("LLEN", "n")).toBe(count - 1);
    expect(db.run("LINDEX", "l", 0)).toBe("a0");
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST") as string);
  });
});

test("errors of positions and words", () => {
  const db = filled(2);
  db.run("SET", "s", "1");
  expect(db.run("LSET", "none", "x", "y")).toEqual({ error: "ERR no such key" });
  expect(db.run("LSET", "l", "x", "y")).toEqual(NO_INTEGER);
  for (const at of [2, -3]) {
    expect(db.run("LSET", "l", at, "y")).toEqual({ error: "ERR index out of range" });
  }
  expect(db.run("LINDEX", "l", "x")).toEqual(NO_INTEGER);
  expect(db.run("LINDEX", "none", "x")).toBeNull();
  expect(db.run("LRANGE", "none", 0, "x")).toEqual(NO_INTEGER);
  expect(db.run("LTRIM", "none", 0, "x")).toEqual(NO_INTEGER);
  expect(db.run("LTRIM", "none", 0, 1)).toBe("OK");
  expect(db.run("LINSERT", "l", "NEAR", "a0", "x")).toEqual(SYNTAX);
  expect(db.run("LINSERT", "l", "BEFORE", "none", "x")).toBe(-1);
  expect(db.run("LINSERT", "none", "BEFORE", "none", "x")).toBe(0);
  expect(db.run("LREM", "none", 0, "x")).toBe(0);
  expect(db.run("LPOS", "l", "a0", "RANK")).toEqual(SYNTAX);
  expect(db.run("LPOS", "l", "a0", "COUNT", -1)).toEqual({ error: "ERR COUNT can't be negative" });
  expect(db.run("LPOS", "l", "a0", "MAXLEN", "x")).toEqual({
    error: "ERR MAXLEN can't be negative",
  });
  for (const words of [
    ["LLEN"],
    ["LRANGE", 0, 1],
    ["LINDEX", 0],
    ["LREM", 0, "x"],
    ["LPOS", "x"],
  ]) {
    expect(db.run(words[0] as string, "s", ...words.slice(1))).toEqual(WRONG);
  }
});

test("a command that changes nothing leaves no record, every other one its own words", () => {
  const db = filled(3);
  db.records();
  db.run("LREM", "l", 0, "none");
  db.run("LTRIM", "l", 0, -1);
  db.run("LPOP", "l", 0);
  db.run("LPOP", "none");
  db.run("LINSERT", "l", "BEFORE", "none", "x");
  expect(db.records()).toEqual([]);
  db.run("LPOP", "l", 2);
  db.run("LMPOP", 1, "l", "LEFT", "COUNT", 5);
  expect(db.records().flatMap(({ commands }) => commands)).toEqual([
    "LPOP l 2",
    "LMPOP 1 l LEFT COUNT 5",
  ]);
});

test("OBJECT ENCODING and MEMORY USAGE", () => {
  const db = filled(3);
  expect(db.run("OBJECT", "ENCODING", "l")).toBe("quicklist");
  const small = db.run("MEMORY", "USAGE", "l") as number;
  for (let i = 0; i < 1000; i++) db.run("RPUSH", "l", "element");
  expect(db.run("OBJECT", "ENCODING", "l")).toBe("quicklist");
  expect(db.run("MEMORY", "USAGE", "l") as number).toBeGreaterThan(small + 7000);
  expect(db.run("TYPE", "l")).toBe("list");
});

test("list-compress-depth is kept, and lists stay as they are", () => {
  const db = new EngineHarness();
  const elements = Array.from({ length: 2000 }, (_, i) => `compressible ${i % 3}`);
  db.run("RPUSH", "l", ...elements);
  expect(db.run("CONFIG", "SET", "list-compress-depth", "1")).toBe("OK");
  expect(db.run("CONFIG", "GET", "list-compress-depth")).toEqual(
    new Map([["list-compress-depth", "1"]]),
  );
  db.run("RPUSH", "m", ...elements);
  expect(all(db, "m")).toEqual(elements);
  expect(db.run("MEMORY", "USAGE", "m")).toBe(db.run("MEMORY", "USAGE", "l") as number);
  expect(db.run("CONFIG", "SET", "list-compress-depth", "-1")).toHaveProperty("error");
});

test("a bound on memory refuses pushes, not pops", () => {
  const db = new EngineHarness({ maxMemoryBytes: 400_000, auditEvery: 0 });
  let answer: unknown = 0;
  for (let i = 0; i < 10_000 && typeof answer === "number"; i++) {
    answer = db.run("RPUSH", "l", "x".repeat(100));
  }
  expect(answer).toEqual({ error: expect.stringContaining("OOM") });
  expect(db.run("LPOP", "l")).toBe("x".repeat(100));
});
