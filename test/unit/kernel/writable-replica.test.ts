/** A replica that clients may write to: what is over is never there twice, and goes when it is theirs. */
import { expect, test } from "bun:test";
import { NOBODY } from "../../../src/kernel/nobody.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const command = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;

async function replica() {
  const db = new EngineHarness();
  const { engine } = db;
  await engine.stream.follow();
  const { lastRevision } = engine.disk;
  const place = { id: "a".repeat(40), offset: 0, database: 0, revision: lastRevision };
  await engine.stream.adopt(place);
  engine.following.duties.begin();
  const failures: string[] = [];
  const application = engine.following.createApplication(
    {
      ...{ onRoom: () => {}, onApplied: () => {}, onProblem: (what) => failures.push(what) },
      onFailure: (name, failure) => failures.push(`${name}: ${failure}`),
    },
    NOBODY,
  );
  const say = (...words: string[]) => application.push(Buffer.from(command(...words)));
  const over = (key: string) => say("SET", key, "v", "PXAT", String(engine.clock.now() + 100));
  db.run("CONFIG", "SET", "replica-read-only", "no");
  db.records();
  return { db, engine, say, over, failures };
}

test.each([
  ["a write", (db: EngineHarness) => db.run("APPEND", "k", "new")],
  ["a condition", (db: EngineHarness) => db.run("SET", "k", "new", "NX")],
  [
    "a transaction",
    (db: EngineHarness) => {
      db.run("MULTI");
      db.run("STRLEN", "k");
      db.run("APPEND", "k", "n");
      db.run("APPEND", "k", "ew");
      db.run("EXEC");
    },
  ],
])("what %s finds over goes first", async (_, write) => {
  const { db, engine, say, over, failures } = await replica();
  over("k");
  over("other");
  const { offset } = engine.stream;
  db.advance(200);
  // Reads find nothing, and leave it.
  expect([db.run("GET", "k"), db.run("EXISTS", "k"), db.run("DBSIZE")]).toEqual([null, 0, 2]);
  write(db);
  expect([db.run("GET", "k"), db.run("DBSIZE"), db.run("KEYS", "*")]).toEqual(["new", 2, ["k"]]);
  expect(engine.stream.offset).toBe(offset);
  expect(engine.keyspace.keepsExpired).toBe(true);
  say("DEL", "k");
  say("DEL", "other");
  expect([db.run("GET", "k"), db.run("DBSIZE"), failures]).toEqual([null, 0, []]);
});

test("a deadline that a client has given is kept by the replica itself, no other one is", async () => {
  const { db, engine, say, over } = await replica();
  over("of the primary");
  db.run("SET", "own", "1", "PX", 300);
  db.run("SET", "later", "1", "PX", 300);
  say("SET", "given", "1");
  db.run("PEXPIRE", "given", 300);
  db.advance(200);
  db.run("PEXPIRE", "later", 1000);
  db.run("CONFIG", "SET", "replica-read-only", "yes");
  expect(db.run("DBSIZE")).toBe(4);
  db.advance(300);
  expect(db.run("DBSIZE")).toBe(2);
  const records = db.records().flatMap(({ commands }) => commands);
  expect(records).toContain("DEL own");
  expect(records).toContain("DEL given");
  db.advance(1000);
  expect(db.run("DBSIZE")).toBe(1);
  // What was over for the primary is its own to say.
  expect(db.run("EXISTS", "of the primary")).toBe(0);
  expect(engine.stream.offset).toBeGreaterThan(0);
  engine.following.duties.end();
  db.advance(200);
  expect(db.run("DBSIZE")).toBe(0);
});

test("what was given a deadline is forgotten with the data that it was of", async () => {
  const { db, engine, over } = await replica();
  db.run("SET", "k", "1", "PX", 300);
  engine.following.duties.dataReplaced();
  over("k");
  db.advance(1000);
  expect(db.run("DBSIZE")).toBe(1);
});

test("nothing is evicted here, and nobody can have it otherwise", async () => {
  const { db } = await replica();
  for (const name of ["replica-ignore-maxmemory", "slave-ignore-maxmemory"]) {
    expect(db.run("CONFIG", "SET", name, "yes")).toBe("OK");
    expect(db.run("CONFIG", "SET", name, "no")).toMatchObject({
      error: expect.stringContaining("can only be yes"),
    });
    expect(db.run("CONFIG", "GET", name)).toEqual(new Map([[name, "yes"]]));
  }
});
