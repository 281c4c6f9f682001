import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

describe.each(["FLUSHALL", "FLUSHDB"])("%s", (command) => {
  test.each([[], ["SYNC"], ["async"]])("empties, and is recorded as it came (%p)", (...mode) => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.run("SET", "b", "2", "PX", 1000);
    db.records();
    expect(db.run(command, ...mode)).toBe("OK");
    expect(db.run("DBSIZE")).toBe(0);
    expect(db.run("GET", "a")).toBeNull();
    expect(db.records()).toEqual([{ database: 0, commands: [[command, ...mode].join(" ")] }]);
    expect(db.replayed().run("DBSIZE")).toBe(0);
  });

  test("refuses other words and changes nothing", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    expect(db.run(command, "NOW")).toEqual({ error: "ERR syntax error" });
    expect(db.run(command, "SYNC", "ASYNC")).toEqual({ error: "ERR syntax error" });
    expect(db.run("GET", "a")).toBe("1");
  });

  test("everything works as before afterwards, expiry too", () => {
    const db = new EngineHarness({ auditEvery: 50 });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 300; i++) db.run("SET", `key:${i}`, `value ${i}`, "PX", 500 + i);
      expect(db.run("DBSIZE")).toBe(300);
      db.run(command);
      db.run("SET", "short", "1", "PX", 100);
      db.advance(1000);
      expect(db.run("DBSIZE")).toBe(0);
    }
  });

  test("gives the memory back", () => {
    const db = new EngineHarness({ auditEvery: 100 });
    const before = db.usedBytes;
    for (let i = 0; i < 3000; i++) db.run("SET", `key:${i}`, "x".repeat(100), "PX", 100_000);
    db.run(command);
    db.reap();
    expect(db.usedBytes).toBe(before);
  });
});

test("FLUSHDB leaves other databases alone, FLUSHALL does not", () => {
  const db = new EngineHarness();
  const other = db.connect();
  db.runIn(other, "SELECT", 5);
  db.run("SET", "a", "1");
  db.runIn(other, "SET", "b", "2");
  db.run("FLUSHDB");
  expect(db.runIn(other, "GET", "b")).toBe("2");
  db.run("FLUSHALL");
  expect(db.runIn(other, "DBSIZE")).toBe(0);
});

test("FLUSHALL while the memory of a FLUSHDB is still being freed", () => {
  const db = new EngineHarness({ auditEvery: 50 });
  for (let i = 0; i < 2000; i++) db.run("SET", `key:${i}`, i, "PX", 1000);
  db.run("FLUSHDB");
  expect(db.engine.keyspace.reapSlice()).toBe(false);
  db.run("SET", "a", "1");
  db.run("FLUSHALL");
  db.run("SET", "b", "2");
  db.reap();
  expect(db.run("GET", "b")).toBe("2");
  expect(db.run("DBSIZE")).toBe(1);
});

test("FLUSHDB of an empty database leaves no record", () => {
  const db = new EngineHarness();
  expect(db.run("FLUSHDB")).toBe("OK");
  expect(db.records()).toEqual([]);
});

describe("SWAPDB", () => {
  test("exchanges keys, deadlines and expiry on time", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.run("SET", "b", "2", "PX", 200);
    db.records();
    expect(db.run("SWAPDB", 0, 7)).toBe("OK");
    expect(db.records()).toEqual([{ database: 0, commands: ["SWAPDB 0 7"] }]);
    expect(db.run("DBSIZE")).toBe(0);
    db.advance(1000);
    expect(db.records()).toEqual([{ database: 0, commands: ["SELECT 7", "DEL b"] }]);
    db.run("SELECT", 7);
    expect(db.run("GET", "a")).toBe("1");
    expect(db.run("DBSIZE")).toBe(1);
    const copy = db.replayed();
    expect(copy.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test("with itself is nothing", () => {
    const db = new EngineHarness();
    expect(db.run("SWAPDB", 3, 3)).toBe("OK");
    expect(db.records()).toEqual([]);
  });

  test("whoever reads under the new number waits until the exchange is durable", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    const reader = db.connect();
    db.runIn(reader, "SELECT", 1);
    db.run("SWAPDB", 0, 1);
    const swapped = db.engine.keyspace.nextRevision - 1;
    db.engine.keyspace.tracking = true;
    db.runIn(reader, "GET", "a");
    expect(reader.hold).toBe(swapped);
  });
});

test("DBSIZE waits for everything that was recorded", () => {
  const db = new EngineHarness();
  db.run("SET", "a", "1");
  db.engine.keyspace.tracking = true;
  const reader = db.connect();
  db.runIn(reader, "DBSIZE");
  expect(reader.hold).toBe(db.engine.keyspace.nextRevision - 1);
});

test("INFO does not wait, though it tells how many keys there are", () => {
  const db = new EngineHarness();
  db.persistence.holdsSyncs = true;
  db.run("SET", "a", "1");
  const reader = db.connect();
  expect(db.runIn(reader, "INFO", "everything")).toContain("db0:keys=1");
  expect(reader.hold).toBe(0);
});
