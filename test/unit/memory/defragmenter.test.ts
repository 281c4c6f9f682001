/** activedefrag and MEMORY PURGE: when memory is brought together, and that it changes nothing else. */
import { expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** Three of four keys gone, of some 60 MB. */
function scattered(): EngineHarness {
  const db = new EngineHarness({ auditEvery: 0, durability: "none" });
  // In the first chunk, which stays.
  db.run("HSET", "hash", ...Array.from({ length: 2000 }, (_, i) => [`f${i}`, i]).flat());
  for (let i = 0; i < 12_000; i++) db.run("SET", `key:${i}`, "x".repeat(5000 + (i % 7)));
  for (let i = 0; i < 12_000; i++) if (i % 4 !== 0) db.run("DEL", `key:${i}`);
  return db;
}

function info(db: EngineHarness, field: string): number {
  return Number(new RegExp(`^${field}:(.*)\r$`, "m").exec(String(db.run("INFO", "memory")))?.[1]);
}

const MB = 1_000_000;

test("activedefrag gives memory back above its thresholds, and keeps everything", () => {
  const db = scattered();
  const digest = db.run("DEBUG", "DIGEST");
  const before = info(db, "arena_reserved_bytes");
  expect(info(db, "allocator_frag_bytes")).toBeGreaterThan(40 * MB);
  db.run("CONFIG", "SET", "activedefrag", "yes");
  for (let i = 0; i < 100; i++) db.advance(1000);
  // Redis's threshold of 100 MB is not reached.
  expect(info(db, "arena_reserved_bytes")).toBe(before);
  db.run("CONFIG", "SET", "active-defrag-ignore-bytes", "1mb");
  for (let i = 0; i < 100; i++) db.advance(1000);
  expect(info(db, "arena_reserved_bytes")).toBeLessThan(before - 25 * MB);
  expect(info(db, "active_defrag_running")).toBe(0);
  expect(db.run("DEBUG", "DIGEST")).toBe(digest);
  expect(db.engine.memory.defragmentation.freedChunks).toBeGreaterThan(0);
});

test("MEMORY PURGE does so at once, whatever the thresholds", () => {
  const db = scattered();
  const before = info(db, "arena_reserved_bytes");
  expect(db.run("MEMORY", "PURGE")).toBe("OK");
  db.advance(5000);
  expect(info(db, "arena_reserved_bytes")).toBeLessThan(before - 25 * MB);
  expect(db.run("STRLEN", "key:8")).toBe(5001);
  expect(db.run("HLEN", "hash")).toBe(2000);
});

test("it rests while somebody wants nothing to change by itself", () => {
  const db = scattered();
  const before = info(db, "arena_reserved_bytes");
  const resume = db.engine.rest();
  db.run("MEMORY", "PURGE");
  db.advance(5000);
  expect(info(db, "arena_reserved_bytes")).toBe(before);
  resume();
  db.advance(5000);
  expect(info(db, "arena_reserved_bytes")).toBeLessThan(before);
});

test("its settings have Redis's names and bounds", () => {
  const db = new EngineHarness();
  for (const [name, good, bad] of [
    ["activedefrag", "yes", "maybe"],
    ["active-defrag-ignore-bytes", "1000", "x"],
    ["active-defrag-threshold-lower", "0", "1001"],
    ["active-defrag-threshold-upper", "1000", "-1"],
    ["active-defrag-cycle-min", "1", "0"],
    ["active-defrag-cycle-max", "99", "100"],
  ] as const) {
    expect(db.run("CONFIG", "SET", name, good)).toBe("OK");
    expect((db.run("CONFIG", "GET", name) as Map<string, string>).get(name)).toBe(good);
    expect(db.run("CONFIG", "SET", name, bad)).toMatchObject({
      error: expect.stringContaining(name),
    });
  }
});
