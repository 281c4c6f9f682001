/**
 * What the journal records of commands that do not come as RESP arrays (inline, from a shell, from a script), and of keys
 * that are found expired on the way.
 */
import { describe, expect, test } from "bun:test";
import { Arguments } from "../../../src/commands/arguments.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { deletionCauses } from "../../suites/recording-persistence.ts";
import { ValueReply } from "../../suites/value-reply.ts";

function runWords(db: EngineHarness, ...words: string[]): void {
  const args = new Arguments();
  args.assign(words);
  db.engine.dispatch(db.session, args, new ValueReply());
}

test("words that are no RESP array make one record each, of that command alone", () => {
  const db = new EngineHarness();
  for (let i = 0; i < 3; i++) runWords(db, "INCR", "n");
  runWords(db, "SET", "k", "two words");
  expect(db.records().map(({ commands }) => commands)).toEqual([
    ["INCR n"],
    ["INCR n"],
    ["INCR n"],
    ['SET k "two words"'],
  ]);
  expect(db.replayed().run("GET", "n")).toBe("3");
});

test("a key found expired is deleted in the record of the command that found it, and in no later one", () => {
  const db = new EngineHarness({ background: false });
  db.run("SET", "gone", "1", "PX", 10);
  db.run("SET", "also", "1", "PX", 10);
  db.records();
  db.advance(20);
  runWords(db, "INCR", "gone");
  runWords(db, "INCR", "n");
  db.run("GET", "also");
  db.run("INCR", "n");
  expect(db.records().map(({ commands }) => commands)).toEqual([
    ["SELECT 0", "DEL gone", "INCR gone"],
    ["INCR n"],
    ["SELECT 0", "DEL also"],
    ["INCR n"],
  ]);
});

test("the record says which deletions no client asked for: of keys and of fields", () => {
  const db = new EngineHarness();
  db.run("SET", "gone", "1", "PX", 10);
  db.run("HSET", "h", "f", "1", "g", "1");
  db.run("HPEXPIRE", "h", 10, "FIELDS", 1, "f");
  db.run("DEL", "gone", "h");
  db.run("SET", "k", "1", "PX", 10);
  db.run("HSET", "h", "f", "1", "g", "1");
  db.run("HPEXPIRE", "h", 10, "FIELDS", 1, "f");
  const before = db.persistence.batches.length;
  db.advance(100);
  const causes = db.persistence.batches.map(deletionCauses);
  expect(causes.slice(0, before).flat()).toEqual([]);
  expect(causes.slice(before).flat()).toEqual(["expired", "expired"]);
  expect(db.records().slice(-1)).toEqual([
    { database: 0, commands: ["SELECT 0", "HDEL h f", "DEL k"] },
  ]);
  expect(db.replayed().run("HGETALL", "h")).toEqual(db.run("HGETALL", "h"));
});

test("without persistence nothing is kept of what was found expired", () => {
  const db = new EngineHarness({ background: false, durability: "none" });
  db.run("SET", "gone", "1", "PX", 10);
  db.advance(20);
  runWords(db, "INCR", "gone");
  runWords(db, "INCR", "n");
  expect(db.records()).toEqual([]);
  expect(db.run("MGET", "gone", "n")).toEqual(["1", "1"]);
});

test("after the last flush, whose failure is told, the persistence is asked for no other", async () => {
  const db = new EngineHarness({ background: false });
  let flushes = 0;
  db.persistence.flush = async () => {
    flushes++;
    throw new Error("the disk is gone");
  };
  db.run("SET", "k", "1");
  await new Promise((resolve) => setImmediate(resolve)); // the flush that the turn began fails
  expect(flushes).toBe(1);
  await expect(db.engine.stop()).rejects.toThrow("the disk is gone");
  expect(flushes).toBe(2);
  db.advance(10_000); // a failed flush is tried again after a second
  expect(flushes).toBe(2);
});

test("the last sync begins when the one before is over, and has what came meanwhile", async () => {
  const db = new EngineHarness({ background: false });
  db.persistence.holdsSyncs = true;
  db.run("SET", "k", "1");
  await new Promise((resolve) => setImmediate(resolve));
  db.run("SET", "k", "2");
  const stopped = db.engine.stop();
  await Bun.sleep(0);
  expect(db.persistence.waiting).toBe(1);
  db.persistence.sync();
  await Bun.sleep(0);
  expect(db.persistence.waiting).toBe(1);
  db.persistence.sync();
  await stopped;
  expect(db.engine.disk.durableRevision).toBe(2);
});

test("a write that succeeds says nothing of a disk that cannot sync", async () => {
  const db = new EngineHarness({ background: false, durability: "everysec" });
  const written = Promise.withResolvers<void>();
  let isRefusing = true;
  db.persistence.flush = async (durable) => {
    if (!durable) await written.promise;
    else if (isRefusing) throw new Error("EIO");
  };
  db.run("SET", "k", "1");
  db.endTurn();
  db.advance(500); // the sync
  await Bun.sleep(0);
  expect(db.engine.disk.failure).not.toBeNull();
  written.resolve();
  await Bun.sleep(0);
  expect(db.engine.disk.failure).not.toBeNull();
  isRefusing = false;
  db.advance(1000); // the next attempt
  await Bun.sleep(0);
  expect(db.engine.disk.failure).toBeNull();
  expect(db.engine.disk.durableRevision).toBe(1);
});

describe("a key that expired: who misses it waits for its last change, not for its deletion", () => {
  /** What a reader of it waits for, when another change is not durable yet; and what is durable. */
  async function missed(isDurable: boolean, expires: (db: EngineHarness) => void) {
    const db = new EngineHarness();
    db.persistence.holdsSyncs = !isDurable;
    db.run("SET", "gone", "1", "PX", 10);
    await new Promise((resolve) => setImmediate(resolve)); // the sync, if it is not held
    db.persistence.holdsSyncs = true;
    db.run("SET", "other", "1");
    expires(db);
    const reader = db.connect();
    expect(db.runIn(reader, "GET", "gone")).toBeNull();
    expect(db.records().flatMap(({ commands }) => commands)).toContain("DEL gone");
    return { hold: reader.hold, durable: db.engine.disk.durableRevision };
  }

  test.each([
    ["on time", (db: EngineHarness) => db.advance(100)],
    ["found by who reads it", (db: EngineHarness) => db.clock.setWall(db.now() + 100)],
  ])("%s", async (_, expires) => {
    expect(await missed(true, expires)).toEqual({ hold: 1, durable: 1 });
    expect(await missed(false, expires)).toEqual({ hold: 1, durable: 0 });
  });
});
