import { describe, expect, test } from "bun:test";
import type { Database } from "../../../src/store/database.ts";
import { eachStoredEntry } from "../../../src/store/database-walk.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

type Figures = Map<string, number | Map<string, number>>;

function info(db: EngineHarness): Map<string, string> {
  const lines = String(db.run("INFO", "memory")).split("\r\n").slice(1);
  return new Map(lines.map((line) => line.split(":") as [string, string]));
}

const bytes = (db: EngineHarness, field: string) => Number(info(db).get(field));

function filled(): EngineHarness {
  const db = new EngineHarness({ auditEvery: 0 });
  for (let i = 0; i < 5000; i++) db.run("SET", `key:${i}`, "x".repeat(1200), "EX", 1000);
  return db;
}

describe("MEMORY STATS", () => {
  test("adds up", () => {
    const db = filled();
    const stats = db.run("MEMORY", "STATS") as Figures;
    const figure = (name: string) => stats.get(name) as number;
    const tables = stats.get("db.0") as Map<string, number>;
    expect(figure("keys.count")).toBe(5000);
    expect(figure("total.allocated")).toBe(db.engine.memory.usedBytes);
    expect(figure("overhead.total") + figure("dataset.bytes")).toBe(figure("total.allocated"));
    const ofTables = [...tables.values()].reduce((sum, one) => sum + one, 0);
    expect(figure("overhead.total")).toBe(figure("startup.allocated") + ofTables);
    // Five thousand reminders of 8 bytes; slots of 8 bytes, at most four fifths of them taken.
    expect(tables.get("overhead.hashtable.expires")).toBeGreaterThan(40_000);
    expect(tables.get("overhead.hashtable.main")).toBeGreaterThan(50_000);
    expect(figure("dataset.bytes")).toBeGreaterThan(5000 * 1200);
    expect(figure("keys.bytes-per-key")).toBeGreaterThan(1200);
    expect(figure("keys.bytes-per-key")).toBeLessThan(1500);
  });

  test("the table that is shown is what the table takes", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    for (const keys of [0, 3, 100, 1000, 20_000]) {
      for (let i = 0; i < keys; i++) db.run("SET", `key:${i}`, "");
      const { keyspace } = db.engine;
      const blocks = keys === 0 ? 0 : (db.run("DBSIZE") as number);
      let ofEntries = 0;
      eachStoredEntry(keyspace.databases[0] as Database, (entry) => {
        ofEntries += 8 * Math.ceil((16 + keyLength(keyspace.arena.ints, entry)) / 8);
      });
      expect(blocks).toBe(keys);
      const [database] = keyspace.databases;
      expect(database?.tableBytes).toBe((database?.usedUnits as number) * 8 - ofEntries);
      db.run("FLUSHALL");
    }
  });
});

function keyLength(ints: readonly { readonly [index: number]: number }[], entry: number): number {
  return (ints[entry >>> 21]?.[(entry & 0x1fffff) << 1] as number) & 255;
}

describe("INFO memory", () => {
  test("peak stays, used goes down", () => {
    const db = filled();
    const peak = bytes(db, "used_memory");
    db.run("FLUSHALL");
    expect(bytes(db, "used_memory")).toBeLessThan(peak / 10);
    expect(bytes(db, "used_memory_peak")).toBe(peak);
    db.run("CONFIG", "RESETSTAT");
    expect(bytes(db, "used_memory_peak")).toBe(bytes(db, "used_memory"));
  });

  test("what waits to be freed counts as free, and is counted", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    const members = Array.from({ length: 20_000 }, (_, i) => `member:${i}`);
    db.run("SADD", "big", ...members);
    db.run("UNLINK", "big");
    expect(bytes(db, "lazyfree_pending_objects")).toBe(1);
    expect(bytes(db, "lazyfree_pending_bytes")).toBeGreaterThan(500_000);
    db.reap();
    expect(bytes(db, "lazyfree_pending_objects")).toBe(0);
    expect(bytes(db, "lazyfree_pending_bytes")).toBe(0);
    expect(bytes(db, "lazyfreed_objects")).toBe(1);
  });

  test("buffers of clients are of their sizes at this moment", () => {
    const db = new EngineHarness();
    let input = 1000;
    const session = db.connect({ inputBytes: () => input, outputBytes: () => 500 });
    expect(bytes(db, "mem_clients_normal")).toBe(1500);
    input = 0;
    expect(bytes(db, "mem_clients_normal")).toBe(500);
    db.engine.disconnect(session);
    expect(bytes(db, "mem_clients_normal")).toBe(0);
  });
});

describe("MEMORY DOCTOR", () => {
  const doctor = (db: EngineHarness) => String(db.run("MEMORY", "DOCTOR"));

  test("has nothing to say about little memory", () => {
    expect(doctor(new EngineHarness())).toMatch(/empty or uses very little/);
  });

  test("tells a peak that is over, a bound that is near, and buffers that are large", () => {
    const db = filled();
    for (let i = 0; i < 5000; i++) db.run("SET", `more:${i}`, "x".repeat(3000));
    db.run("UNLINK", ...Array.from({ length: 5000 }, (_, i) => `more:${i}`));
    db.engine.maxMemoryBytes = db.engine.memory.usedBytes + 10;
    expect(doctor(db)).toMatch(/\* Peak memory: .*\n[\s\S]*\* The bound: /);
    expect(doctor(db)).not.toMatch(/Client buffers/);
    db.connect({ outputBytes: () => 1_000_000 });
    expect(doctor(db)).toMatch(/\* Client buffers: 976.56K for 2 clients/);
  });
});

test("MEMORY MALLOC-STATS tells of the arena, PURGE is done, HELP names all", () => {
  const db = filled();
  expect(String(db.run("MEMORY", "MALLOC-STATS"))).toMatch(/database 0: 6\.\d\dM, 5000 keys/);
  expect(db.run("MEMORY", "PURGE")).toBe("OK");
  const help = (db.run("MEMORY", "HELP") as string[]).join("\n");
  for (const word of ["DOCTOR", "MALLOC-STATS", "PURGE", "STATS", "USAGE"]) {
    expect(help).toContain(word);
  }
});
