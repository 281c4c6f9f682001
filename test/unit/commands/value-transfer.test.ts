/** VALUE.EXPORT and VALUE.IMPORT: keys out and in again as they were, all or nothing. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** A database with a key of each type; answers their names. */
function fill(db: EngineHarness): string[] {
  db.run("SET", "string", new Uint8Array([0, 255, 10]), "PX", 5000);
  db.run("VALUE.SET", "json", '{"a":1.0,"b":[1,2]}');
  db.run("RPUSH", "list", "a", "b", "a");
  db.run("SADD", "set", "x", "y", "3");
  db.run("ZADD", "zset", 1.5, "m", "inf", "n", -2, "o");
  db.run("HSET", "hash", "f", "v", "g", "w");
  db.run("HPEXPIRE", "hash", 9000, "FIELDS", 1, "g");
  db.run("XADD", "stream", "5-1", "field", "value");
  db.run("XGROUP", "CREATE", "stream", "group", 0);
  db.run("XREADGROUP", "GROUP", "group", "me", "STREAMS", "stream", ">");
  return ["string", "json", "list", "set", "zset", "hash", "stream"];
}

type Found = [kind: string, deadline: number, value: string | Uint8Array];

function exported(db: EngineHarness, keys: string[]) {
  const found = db.run("VALUE.EXPORT", ...keys) as (Found | null)[];
  return keys.flatMap((key, i) => (found[i] === null ? [] : [key, ...(found[i] as Found)]));
}

const digest = (db: EngineHarness) => db.run("DEBUG", "DIGEST");

test("keys of every type come back as they were, with their deadlines", () => {
  const db = new EngineHarness();
  const keys = fill(db);
  const other = new EngineHarness();
  expect(other.run("VALUE.IMPORT", ...exported(db, keys))).toBe(keys.length);
  expect(digest(other)).toBe(digest(db));
  expect(other.run("PTTL", "string")).toBe(5000);
  expect(other.run("HPTTL", "hash", "FIELDS", 2, "f", "g")).toEqual([-1, 9000]);
  expect(other.run("XPENDING", "stream", "group")).toEqual(db.run("XPENDING", "stream", "group"));
  expect(other.records()).toHaveLength(1);
  expect(digest(other.replayed())).toBe(digest(db));
});

test("what has no value is null, and an answer ends when it is long", () => {
  const db = new EngineHarness();
  const long = "x".repeat(600_000);
  for (const key of ["a", "b", "c"]) db.run("SET", key, long);
  expect(db.run("VALUE.EXPORT", "none", "a", "b", "c")).toEqual([
    ...[null, ["string", 0, long]],
    ["string", 0, long],
  ]);
});

describe("all or nothing", () => {
  test.each([
    [["b", "json", "0", "{"], 'ERR key "b": invalid JSON at column 2: unexpected end'],
    [["b", "json", "0", '{"a":1,"a":2}'], /^ERR key "b": invalid JSON/],
    [["b", "text", "0", "x"], 'ERR key "b": expected json, string or dump'],
    [["b", "string", "-1", "x"], 'ERR key "b": invalid expire time'],
    [["b", "string", "soon", "x"], 'ERR key "b": invalid expire time'],
    [["b", "dump", "0", "x"], 'ERR key "b": DUMP payload version or checksum are wrong'],
    [["a", "string", "0", "x"], 'ERR key "a": the key comes twice'],
    [["b", "string", "0"], "ERR wrong number of arguments for 'value.import' command"],
  ])("%j", (wrong, error) => {
    const db = new EngineHarness();
    db.run("SET", "a", "old");
    db.records();
    const answer = db.run("VALUE.IMPORT", "a", "string", "0", "new", ...wrong) as { error: string };
    if (typeof error === "string") expect(answer.error).toBe(error);
    else expect(answer.error).toMatch(error);
    expect(db.run("GET", "a")).toBe("old");
    expect(db.run("DBSIZE")).toBe(1);
    expect(db.records()).toEqual([]);
  });

  test("a payload of a string, or with an element twice, is refused", () => {
    const db = new EngineHarness();
    db.run("SET", "s", "x");
    const payload = db.run("DUMP", "s") as Uint8Array;
    expect(db.run("VALUE.IMPORT", "k", "dump", "0", payload)).toEqual({
      error: 'ERR key "k": the payload has no elements',
    });
  });

  test("more than memory.max allows", () => {
    const db = new EngineHarness({ maxMemoryBytes: 4 * 1024 * 1024 });
    const big = "x".repeat(3 * 1024 * 1024);
    const answer = db.run("VALUE.IMPORT", "a", "string", "0", big, "b", "string", "0", big);
    expect((answer as { error: string }).error).toMatch(/^OOM /);
    expect(db.run("DBSIZE")).toBe(0);
  });
});

test("what is over by now is not stored, takes away what was there, and replay agrees", () => {
  const db = new EngineHarness();
  db.run("SET", "late", "old");
  const past = String(db.now() - 1);
  const late = ["late", "json", past, "1"];
  expect(db.run("VALUE.IMPORT", ...late, "b", "string", "0", "x")).toBe(2);
  expect(db.run("EXISTS", "late", "b")).toBe(1);
  db.run("INCR", "late");
  expect(db.records().flatMap(({ commands }) => commands)).toEqual([
    ...["SET late old", "DEL late", "VALUE.IMPORT b string 0 x", "INCR late"],
  ]);
  expect(digest(db.replayed())).toBe(digest(db));
  expect(db.run("VALUE.IMPORT", ...late)).toBe(1);
  expect(db.run("DBSIZE")).toBe(1);
});

describe.each(["hash", "ordered"])("with a unique index of kind %s", (kind) => {
  function people(): EngineHarness {
    const db = new EngineHarness();
    db.run("INDEX", "CREATE", "mail", "USING", kind, "FIELD", "mail", "UNIQUE");
    db.run("VALUE.SET", "u:1", '{"mail":"a@x"}');
    db.run("VALUE.SET", "u:2", '{"mail":"b@x"}');
    db.records();
    return db;
  }
  const json = (key: string, value: string) => [key, "json", "0", value];

  function refused(db: EngineHarness, ...words: string[]): string {
    const before = digest(db);
    const answer = db.run("VALUE.IMPORT", ...words) as { error: string };
    expect(digest(db)).toBe(before);
    expect(db.records()).toEqual([]);
    return answer.error;
  }

  test("a value that somebody has is refused, and so is one that comes twice", () => {
    const db = people();
    const taken = refused(db, ...json("u:3", '{"mail":"c@x"}'), ...json("u:4", '{"mail":"a@x"}'));
    expect(taken).toBe('DUPLICATE index "mail" is unique: "a@x" is taken, key "u:1" has it');
    const twice = refused(db, ...json("u:3", '{"mail":"c@x"}'), ...json("u:4", '{"mail":"c@x"}'));
    expect(twice).toBe('DUPLICATE index "mail" is unique: "c@x" comes twice in the same change');
  });

  test("values may move from key to key, and those that go make room", () => {
    const db = people();
    const swap = [...json("u:1", '{"mail":"b@x"}'), ...json("u:2", '{"mail":"a@x"}')];
    expect(db.run("VALUE.IMPORT", ...swap)).toBe(2);
    expect(db.run("VALUE.GET", "u:1")).toBe('{"mail":"b@x"}');
    const made = ["u:1", "string", "0", "text", ...json("u:3", '{"mail":"b@x"}')];
    expect(db.run("VALUE.IMPORT", ...made)).toBe(2);
    const check = db.run("INDEX", "CHECK", "mail") as Map<string, unknown>;
    expect(check.get("status")).toBe("ok");
    expect(digest(db.replayed())).toBe(digest(db));
  });

  test("documents without the field are no hindrance to one another", () => {
    const db = people();
    expect(db.run("VALUE.IMPORT", ...json("a", "{}"), ...json("b", "{}"))).toBe(2);
  });
});
