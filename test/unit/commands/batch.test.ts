/** VALUE.BATCH: all or none, as one record, whatever is wrong with one of its changes or with what an index says of them. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

type Change = readonly [
  key: string,
  kind: string,
  value: string | Uint8Array,
  lifetime?: string | number,
];

const batch = (db: EngineHarness, ...changes: readonly Change[]) =>
  db.run(
    "VALUE.BATCH",
    ...changes.flatMap(([key, kind, value, lifetime = 0]) => [key, kind, value, lifetime]),
  );

const digest = (db: EngineHarness) => db.run("DEBUG", "DIGEST");

test("puts and deletes, the last change of a key counts, in one record", () => {
  const db = new EngineHarness();
  db.run("SET", "gone", "1");
  db.run("RPUSH", "list", "1");
  db.records();
  const answer = batch(
    db,
    ["a", "SET", "text"],
    ["gone", "DEL", ""],
    ["nobody", "DEL", ""],
    ["doc", "JSON", ' { "n" : 1.50 } '],
    ["list", "JSON", "[]"],
    ["a", "SET", Buffer.from([255, 0])],
    ["b", "SET", "1"],
    ["b", "DEL", ""],
  );
  expect(answer).toBe("OK");
  expect(db.run("GET", "doc")).toBe('{"n":1.50}');
  expect(db.run("GET", "list")).toBe("[]");
  expect(db.run("STRLEN", "a")).toBe(2);
  expect(db.run("EXISTS", "gone", "b", "nobody")).toBe(0);
  expect(db.records()).toHaveLength(1);
  expect(digest(db.replayed())).toEqual(digest(db));
});

test("times: none, a moment, from now; a put without a time takes the old one away", () => {
  const db = new EngineHarness();
  const now = db.now();
  db.run("SET", "kept", "1", "PX", 50);
  db.run("SET", "over", "1");
  db.records();
  batch(
    db,
    ["kept", "SET", "2"],
    ["soon", "JSON", "1", "+1000"],
    ["at", "SET", "x", now + 5000],
    ["over", "SET", "2", now],
  );
  expect(["kept", "soon", "at", "over"].map((key) => db.run("PTTL", key))).toEqual([
    -1, 1000, 5000, -2,
  ]);
  expect(db.records()).toEqual([
    {
      database: 0,
      commands: [
        `VALUE.BATCH kept SET 2 0 soon JSON 1 ${now + 1000} at SET x ${now + 5000} over DEL "" 0`,
      ],
    },
  ]);
  db.advance(1001);
  expect(db.run("EXISTS", "soon", "at")).toBe(1);
  expect(digest(db.replayed())).toEqual(digest(db));
});

test.each([
  [["a", "JSON", "{"], "ERR invalid JSON"],
  [["a", "JSON", ""], "ERR invalid JSON"],
  [["a", "PUT", "1"], "ERR syntax error"],
  [["a", "SET", "1", "-5"], "ERR invalid expire time"],
  [["a", "SET", "1", "x"], "ERR invalid expire time"],
  [["a", "SET", "1", "+0"], "ERR invalid expire time"],
  [["a", "SET", "1", "9999999999999999"], "ERR invalid expire time"],
] satisfies [Change, string][])("%j is refused, and with it the whole batch", (change, error) => {
  const db = new EngineHarness();
  db.run("SET", "b", "1");
  db.records();
  expect(batch(db, ["b", "DEL", ""], change, ["c", "SET", "1"])).toEqual({
    error: expect.stringContaining(error),
  });
  expect(db.run("KEYS", "*")).toEqual(["b"]);
  expect(db.records()).toEqual([]);
});

test("changes come in fours", () => {
  const db = new EngineHarness();
  expect(db.run("VALUE.BATCH", "a", "SET", "1")).toEqual({
    error: expect.stringContaining("wrong number"),
  });
  expect(db.run("VALUE.BATCH", "a", "SET", "1", 0, "b")).toEqual({
    error: expect.stringContaining("wrong number"),
  });
});

test("what does not fit into memory.max changes nothing", () => {
  const db = new EngineHarness({ maxMemoryBytes: 4 << 20 });
  const big = "x".repeat(3 << 20);
  expect(batch(db, ["a", "SET", big], ["b", "SET", big])).toEqual({
    error: expect.stringContaining("OOM"),
  });
  expect(db.run("DBSIZE")).toBe(0);
});

describe("a unique index", () => {
  function withPeople(): EngineHarness {
    const db = new EngineHarness();
    for (const [key, name] of Object.entries({ "u:1": "Ada", "u:2": "Grace", "u:3": "Alan" })) {
      db.run("VALUE.SET", key, JSON.stringify({ name }));
    }
    db.run("INDEX", "CREATE", "names", "USING", "hash", "FIELD", "name", "UNIQUE");
    db.records();
    return db;
  }
  const named = (name: string | null) => JSON.stringify({ name });
  const isRight = (db: EngineHarness) =>
    (db.run("INDEX", "CHECK", "names") as Map<string, unknown>).get("status");

  test("refuses the whole batch for a value that another document has", () => {
    const db = withPeople();
    const before = digest(db);
    const answer = batch(
      db,
      ["u:2", "DEL", ""],
      ["u:4", "JSON", named("Edith")],
      ["u:5", "JSON", named("Alan")],
    );
    expect(answer).toEqual({
      error: 'DUPLICATE index "names" is unique: "Alan" is taken, key "u:3" has it',
    });
    expect([digest(db), isRight(db)]).toEqual([before, "ok"]);
    expect(db.records()).toEqual([]);
  });

  test("refuses two documents of one batch with the same value", () => {
    const db = withPeople();
    const before = digest(db);
    expect(batch(db, ["u:4", "JSON", named("Edith")], ["u:5", "JSON", named("Edith")])).toEqual({
      error: 'DUPLICATE index "names" is unique: "Edith" comes twice in the same change',
    });
    expect([digest(db), isRight(db)]).toEqual([before, "ok"]);
  });

  test("lets documents exchange their values, and hand them on", () => {
    const db = withPeople();
    const answer = batch(
      db,
      ["u:1", "JSON", named("Grace")],
      ["u:2", "JSON", named("Ada")],
      ["u:4", "JSON", named("Alan")],
      ["u:3", "SET", "text"],
    );
    expect(answer).toBe("OK");
    expect(["u:1", "u:2", "u:3", "u:4"].map((key) => db.run("GET", key))).toEqual([
      ...[named("Grace"), named("Ada")],
      ...["text", named("Alan")],
    ]);
    expect([isRight(db), db.records().length]).toEqual(["ok", 1]);
    const replayed = db.replayed();
    expect([digest(replayed), isRight(replayed)]).toEqual([digest(db), "ok"]);
  });

  test("takes the same value again for the document that has it, and null from many", () => {
    const db = withPeople();
    expect(
      batch(
        db,
        ["u:1", "JSON", named("Ada")],
        ["u:2", "JSON", named(null)],
        ["u:3", "JSON", named(null)],
      ),
    ).toBe("OK");
    expect(isRight(db)).toBe("ok");
    expect(batch(db, ["u:9", "JSON", named("Ada")])).toEqual({
      error: 'DUPLICATE index "names" is unique: "Ada" is taken, key "u:1" has it',
    });
  });
});
