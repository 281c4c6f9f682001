/** INDEX and its subcommands: definitions, what belongs into an index, refusals, records. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

function setUp(...documents: readonly (readonly [key: string, json: string])[]): EngineHarness {
  const db = new EngineHarness();
  for (const [key, json] of documents) db.run("VALUE.SET", key, json);
  db.records();
  return db;
}

/** A line of INDEX INFO. */
function info(db: EngineHarness, name: string, line: string): unknown {
  return (db.run("INDEX", "INFO", name) as Map<string, unknown>).get(line);
}

function check(db: EngineHarness, name: string): unknown {
  const answer = db.run("INDEX", "CHECK", name) as Map<string, unknown>;
  return answer.get("status") === "ok" ? "ok" : answer.get("problems");
}

const PEOPLE = [
  ["u:1", '{"city":"Oslo","age":30,"tags":["a","b"]}'],
  ["u:2", '{"city":"Bergen","age":40,"tags":[]}'],
  ["u:3", '{"city":"Oslo"}'],
  ["x:4", '{"city":"Oslo","age":7}'],
] as const;

describe("INDEX CREATE", () => {
  test.each(["hash", "ordered"])("of kind %s answers how many entries there are", (kind) => {
    const db = setUp(...PEOPLE, ["text", "no document"]);
    expect(db.run("INDEX", "CREATE", "by_city", "USING", kind, "FIELD", "city")).toBe(4);
    expect(db.run("INDEX", "LIST")).toEqual(["by_city"]);
    expect(info(db, "by_city", "state")).toBe("ready");
    expect(check(db, "by_city")).toBe("ok");
  });

  test("has a document without the field, unless it is sparse", () => {
    const db = setUp(...PEOPLE);
    expect(db.run("INDEX", "CREATE", "all", "USING", "ordered", "FIELD", "age")).toBe(4);
    expect(db.run("INDEX", "CREATE", "some", "USING", "ordered", "FIELD", "age", "SPARSE")).toBe(3);
  });

  test("has each element of an array, and the document without any", () => {
    const db = setUp(...PEOPLE);
    expect(db.run("INDEX", "CREATE", "tags", "USING", "hash", "FIELD", "tags[*]")).toBe(5);
    expect(info(db, "tags", "documents")).toBe(4);
    expect(info(db, "tags", "documents-with-several-values")).toBe(1);
  });

  test("takes a prefix of keys and a filter", () => {
    const db = setUp(...PEOPLE);
    const create = (...words: string[]) => db.run("INDEX", "CREATE", ...words);
    expect(create("p", "USING", "hash", "FIELD", "city", "PREFIX", "u:")).toBe(3);
    expect(create("w", "USING", "hash", "FIELD", "city", "WHERE", "age > 10")).toBe(2);
    db.run("VALUE.SET", "u:1", '{"city":"Oslo","age":3}');
    db.run("VALUE.SET", "u:3", '{"city":"Oslo","age":33}');
    expect([info(db, "p", "entries"), info(db, "w", "entries")]).toEqual([3, 2]);
    expect([check(db, "p"), check(db, "w")]).toEqual(["ok", "ok"]);
  });

  test("is recorded when it is complete, in one way of writing it", () => {
    const db = setUp(...PEOPLE);
    db.run("index", "create", "x", "field", "age", "unique", "using", "ordered", "sparse");
    expect(db.records()).toEqual([
      { database: 0, commands: ["INDEX CREATE x USING ordered FIELD age UNIQUE SPARSE"] },
    ]);
  });

  test("again with the same definition answers again, with another one fails", () => {
    const db = setUp(...PEOPLE);
    const create = (field: string) =>
      db.run("INDEX", "CREATE", "x", "USING", "hash", "FIELD", field);
    create("age");
    db.records();
    expect(create("age")).toBe(4);
    expect(create("city")).toEqual({ error: 'ERR the index "x" exists, with another definition' });
    expect(db.records()).toEqual([]);
  });

  test.each([
    [["x", "USING", "hsah", "FIELD", "a"], 'unknown kind of index "hsah"'],
    [["x", "USING", "hash", "FIELD", ""], "expected FIELD with a path"],
    [["x", "FIELD", "a", "SPARSE", "UNIQUE"], "expected USING"],
    [["x", "USING", "hash", "FIELD", "a..b"], "column 3"],
    [["x", "USING", "hash", "FIELD", "a,a"], "the same path twice"],
    [["x", "USING", "hash", "FIELD", "a", "WHERE", "age >"], "column 6"],
    [["x", "USING", "hash", "FIELD", "a", "hash", "md5"], "expected one of halfsiphash, sha256"],
    [["x", "USING", "hash", "FIELD", "a", "hasch", "md5"], 'did you mean "hash"?'],
    [["x", "USING", "hash", "FIELD", "a", "FIELD", "b"], "FIELD is given twice"],
    [["x", "USING", "hash", "FIELD", "a", "PREFIX"], "a value is missing behind PREFIX"],
    [["x y", "USING", "hash", "FIELD", "a"], "name"],
    [["x", "USING", "hash", "FIELD", "@key"], "cannot index @key"],
    [["x", "USING", "ordered", "FIELD", "@key", "UNIQUE"], "keys are there"],
  ])("%p is refused, and nothing is recorded", (words, reason) => {
    const db = setUp(...PEOPLE);
    const answer = db.run("INDEX", "CREATE", ...words) as { error: string };
    expect(answer.error).toContain(reason);
    expect(db.run("INDEX", "LIST")).toEqual([]);
    expect(db.records()).toEqual([]);
  });
});

describe("a unique index", () => {
  const UNIQUE = ["INDEX", "CREATE", "mail", "USING", "hash", "FIELD", "mail", "UNIQUE"] as const;

  test("refuses a write, and nothing changes", () => {
    const db = setUp(["a", '{"mail":"x@y"}'], ["b", '{"mail":"z"}']);
    db.run(...UNIQUE);
    db.records();
    const taken = { error: 'DUPLICATE index "mail" is unique: "x@y" is taken, key "a" has it' };
    expect(db.run("VALUE.SET", "b", '{"mail":"x@y","more":1}')).toEqual(taken);
    expect(db.run("COPY", "a", "c")).toEqual(taken);
    expect(db.run("GET", "b")).toBe('{"mail":"z"}');
    expect(db.run("EXISTS", "c")).toBe(0);
    expect(db.records()).toEqual([]);
    expect(db.run("VALUE.SET", "a", '{"mail":"x@y","more":1}')).toBe("OK");
    expect(check(db, "mail")).toBe("ok");
  });

  test("lets a value go with its document, and move with it", () => {
    const db = setUp(["a", '{"mail":"x"}'], ["b", '{"mail":"z"}']);
    db.run(...UNIQUE);
    expect(db.run("RENAME", "a", "b")).toBe("OK");
    expect(db.run("VALUE.SET", "c", '{"mail":"z"}')).toBe("OK");
    db.run("DEL", "b");
    expect(db.run("VALUE.SET", "d", '{"mail":"x"}')).toBe("OK");
    db.run("SET", "d", "text");
    expect(db.run("VALUE.SET", "e", '{"mail":"x"}')).toBe("OK");
    expect(check(db, "mail")).toBe("ok");
  });

  test("is not held up by a document that is over", () => {
    const db = setUp();
    db.run(...UNIQUE);
    db.run("VALUE.SET", "a", '{"mail":"x"}', "PX", "10");
    db.engine.activeExpiry = false;
    db.advance(20);
    expect(db.run("VALUE.SET", "b", '{"mail":"x"}')).toBe("OK");
    expect(check(db, "mail")).toBe("ok");
  });

  test("of documents that have a value twice is not made", () => {
    const db = setUp(["a", '{"mail":"x"}'], ["b", '{"mail":"x"}']);
    const { error } = db.run(...UNIQUE) as { error: string };
    expect(error).toMatch(
      /^DUPLICATE index "mail" is unique: "x" is taken, key "[ab]" has it \(found at key "[ab]"\)$/,
    );
    expect(db.run("INDEX", "LIST")).toEqual([]);
    expect(db.records()).toEqual([]);
    expect(db.run("VALUE.SET", "c", '{"mail":"x"}')).toBe("OK");
  });

  test("takes any number of documents without the field", () => {
    const db = setUp(["a", '{"n":1}'], ["b", '{"mail":null}'], ["c", "[]"]);
    expect(db.run(...UNIQUE)).toBe(3);
    expect(db.run("VALUE.SET", "d", "{}")).toBe("OK");
  });

  test("of several fields compares all of them", () => {
    const db = setUp(["a", '{"x":1,"y":1}']);
    db.run("INDEX", "CREATE", "xy", "USING", "ordered", "FIELD", "x,y", "UNIQUE");
    expect(db.run("VALUE.SET", "b", '{"x":1,"y":2}')).toBe("OK");
    const { error } = db.run("VALUE.SET", "c", '{"x":1,"y":2}') as { error: string };
    expect(error).toContain("1, 2 is taken");
  });
});

describe("what happens to keys and databases", () => {
  const BY_N = ["INDEX", "CREATE", "n", "USING", "ordered", "FIELD", "n"] as const;

  test("FLUSHDB and FLUSHALL leave the index, empty", () => {
    for (const flush of ["FLUSHDB", "FLUSHALL"]) {
      const db = setUp(["a", '{"n":1}']);
      db.run(...BY_N);
      db.run(flush);
      expect(info(db, "n", "entries")).toBe(0);
      db.run("VALUE.SET", "b", '{"n":2}');
      expect(info(db, "n", "entries")).toBe(1);
      expect(check(db, "n")).toBe("ok");
      expect(db.replayed().run("INDEX", "LIST")).toEqual(["n"]);
    }
  });

  test("SWAPDB takes it along", () => {
    const db = setUp(["a", '{"n":1}']);
    db.run(...BY_N);
    db.run("SWAPDB", "0", "1");
    expect(db.run("INDEX", "LIST")).toEqual([]);
    db.run("SELECT", "1");
    db.run("VALUE.SET", "b", '{"n":2}');
    expect(info(db, "n", "entries")).toBe(2);
    expect(check(db, "n")).toBe("ok");
    const again = db.replayed();
    again.run("SELECT", "1");
    expect([info(again, "n", "entries"), check(again, "n")]).toEqual([2, "ok"]);
  });

  test("MOVE and COPY to another database leave and enter", () => {
    const db = setUp(["a", '{"n":1}'], ["b", '{"n":2}']);
    db.run(...BY_N);
    db.run("MOVE", "a", "1");
    db.run("COPY", "b", "c", "DB", "1");
    expect(info(db, "n", "entries")).toBe(1);
    expect(check(db, "n")).toBe("ok");
  });

  test("an index of keys has them whatever they hold", () => {
    const db = setUp(["a", '{"n":1}'], ["b", "text"]);
    expect(db.run("INDEX", "CREATE", "keys", "USING", "ordered", "FIELD", "@key")).toBe(2);
    db.run("SADD", "c", "x");
    db.run("SREM", "c", "x");
    db.run("RENAME", "a", "z");
    db.run("LPUSH", "l", "1");
    expect(info(db, "keys", "entries")).toBe(3);
    expect(check(db, "keys")).toBe("ok");
  });

  test("memory is back when it is dropped", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    for (let i = 0; i < 2000; i++) db.run("VALUE.SET", `k${i}`, `{"n":${i}}`);
    const before = db.usedBytes;
    db.run(...BY_N);
    expect(db.usedBytes).toBeGreaterThan(before);
    expect(db.run("INDEX", "DROP", "n")).toBe("OK");
    expect(db.run("INDEX", "DROP", "n")).toEqual({ error: 'ERR no index "n"' });
    while (!db.engine.keyspace.reapSlice());
    expect(db.usedBytes).toBe(before);
  });
});

describe("deferred, for a process that runs one command", () => {
  const restarted = () => {
    const db = new EngineHarness({ defersIndexes: true });
    for (const [key, json] of PEOPLE) db.run("VALUE.SET", key, json);
    db.run("INDEX", "CREATE", "c", "USING", "hash", "FIELD", "city");
    db.run("INDEX", "CREATE", "id", "USING", "ordered", "FIELD", "id", "UNIQUE");
    db.run("VALUE.SET", "u:1", '{"city":"Oslo","id":7}');
    return db.replayed();
  };
  const stateOf = (db: EngineHarness) =>
    db.engine.indexes.all.of(db.session.database).map(({ state }) => state);

  test("nothing is made for who reads and deletes keys", () => {
    const db = restarted();
    db.run("GET", "u:1");
    db.run("DEL", "u:2");
    db.run("KEYS", "*");
    expect(stateOf(db)).toEqual(["building", "building"]);
    expect([info(db, "c", "entries"), check(db, "c"), check(db, "id")]).toEqual([3, "ok", "ok"]);
  });

  test("a unique one is made before a document is judged", () => {
    const db = restarted();
    expect(db.run("VALUE.SET", "n", '{"id":7}')).toEqual({
      error: 'DUPLICATE index "id" is unique: 7 is taken, key "u:1" has it',
    });
    expect(stateOf(db)).toEqual(["ready", "ready"]);
  });

  test("a question makes them", () => {
    const db = restarted();
    expect(db.run("FIND", "city = Oslo", "COUNT")).toBe(3);
    expect(stateOf(db)).toEqual(["ready", "ready"]);
    expect(check(db, "c")).toBe("ok");
  });
});

describe("after a restart", () => {
  test("the index is there, complete", () => {
    const db = setUp(...PEOPLE);
    db.run("INDEX", "CREATE", "c", "USING", "hash", "FIELD", "city", "hash", "sha256");
    db.run("INDEX", "CREATE", "gone", "USING", "hash", "FIELD", "age");
    db.run("INDEX", "DROP", "gone");
    db.run("VALUE.SET", "u:9", '{"city":"Rome"}');
    const again = db.replayed();
    expect(again.run("INDEX", "LIST")).toEqual(["c"]);
    expect(info(again, "c", "function")).toBe("sha256");
    expect(info(again, "c", "entries")).toBe(5);
    expect(check(again, "c")).toBe("ok");
  });
});

test("what is found to be over while indexes are made at the start is recorded as deleted", async () => {
  const db = new EngineHarness({ auditEvery: 0, background: false });
  db.run("INDEX", "CREATE", "c", "USING", "hash", "FIELD", "city");
  db.run("JSON.SET", "u:1", "$", '{"city":"Oslo"}');
  db.run("SET", "brief", "x", "PX", 10);
  db.clock.advance(11);
  const again = db.replayed();
  await new Promise<void>((resolve) => again.engine.atTurnEnd(resolve));
  const commands = again.records().flatMap((record) => record.commands);
  expect(commands).toContain("DEL brief");
  expect(again.run("GET", "brief")).toBeNull();
});

test("what is over is not in the way of a unique index, wherever the walk comes by it", () => {
  const db = new EngineHarness({ auditEvery: 0, background: false });
  for (let n = 0; n < 40; n++) {
    db.run("JSON.SET", `old:${n}`, "$", `{"n":${n}}`);
    db.run("PEXPIRE", `old:${n}`, 10);
    db.run("JSON.SET", `new:${n}`, "$", `{"n":${n}}`);
  }
  db.advance(20);
  expect(db.run("INDEX", "CREATE", "n", "USING", "ordered", "FIELD", "n", "UNIQUE")).toBe(40);
  expect(check(db, "n")).toBe("ok");
  expect(db.run("JSON.SET", "other", "$", '{"n":0}')).toEqual({
    error: expect.stringContaining("new:0"),
  });
});
