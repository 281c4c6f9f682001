/** The commands over an engine in memory, whose clock the test moves: leases, records, time, memory. */
import { expect, test } from "bun:test";
import { createPluginEngine } from "kvdb/testing";
import plugin from "./cache.ts";

const GET = ["CACHE.GET", "page", "LEASE", 5000] as const;

test("one is told to load, the others to wait, and what it stores is a hit until its time is over", async () => {
  const db = await createPluginEngine(plugin);
  const [, token] = db.run(...GET) as ["load", number, null];
  db.advance(1000);
  expect(db.run(...GET)).toEqual(["wait", 4000, null]);
  expect(db.run("CACHE.SET", "page", token, "<html>", "PX", 60_000)).toBe(1);
  db.advance(100);
  expect(db.run(...GET)).toEqual(["hit", 59_900, "<html>"]);
  db.advance(59_900);
  expect(db.run(...GET)).toEqual(["load", expect.any(Number), null]);
});

test("bytes that are no text come back as they are", async () => {
  const db = await createPluginEngine(plugin);
  const bytes = Buffer.from([0, 255, 10, 13]);
  const [, token] = db.run(...GET, "TAGS", bytes) as ["load", number, null];
  expect(db.run("CACHE.SET", "page", token, bytes, "PX", 1000, "TAGS", bytes)).toBe(1);
  expect(db.run(...GET)).toEqual(["hit", 1000, bytes]);
  expect(db.run("CACHE.DROPTAG", bytes)).toBe(1);
  expect(db.run(...GET)).toEqual(["load", expect.any(Number), null]);
});

test("is one record of built-in commands each time, and is there again without the plugin", async () => {
  const db = await createPluginEngine(plugin);
  const [, token] = db.run(...GET, "TAGS", "blog") as ["load", number, null];
  const leaseEnd = db.now() + 5000;
  const taken = [
    `SET lock:page ${token} PXAT ${leaseEnd}`,
    `SET tag:blog ${token} PXAT ${leaseEnd}`,
  ];
  expect(db.records()).toEqual([{ database: 0, commands: taken }]);
  db.run("CACHE.SET", "page", token, "<html>", "PX", 60_000, "TAGS", "blog");
  const deadline = db.now() + 60_000;
  const stored = [
    "DEL lock:page",
    `PEXPIREAT tag:blog ${deadline}`,
    `HSET page value <html> fresh ${deadline} #blog ${token}`,
    `PEXPIREAT page ${deadline}`,
  ];
  expect(db.records()).toEqual([{ database: 0, commands: stored }]);
  db.run(...GET);
  expect(db.records()).toEqual([]);
  const again = db.replayed();
  expect(again.run("HGET", "page", "value")).toBe("<html>");
  expect(again.run("PEXPIRETIME", "page")).toBe(deadline);
});

test("a lease that is over stores nothing, neither over a newer value nor without one", async () => {
  const db = await createPluginEngine(plugin);
  const [, slow] = db.run(...GET) as ["load", number, null];
  db.advance(5000);
  expect(db.run("CACHE.SET", "page", slow, "old", "PX", 1000)).toBe(0);
  const [, quick] = db.run(...GET) as ["load", number, null];
  expect(db.run("CACHE.SET", "page", slow, "old", "PX", 1000)).toBe(0);
  expect(db.run("CACHE.SET", "page", quick, "new", "PX", 1000)).toBe(1);
  expect(db.run("CACHE.SET", "page", slow, "old", "PX", 1000)).toBe(0);
  expect(db.run(...GET)).toEqual(["hit", 1000, "new"]);
});

test("a lease that is given back is the next one's at once", async () => {
  const db = await createPluginEngine(plugin);
  const [, token] = db.run(...GET) as ["load", number, null];
  expect(db.run("UNLOCK", "page", token)).toBe(1);
  expect(db.run(...GET)).toEqual(["load", expect.any(Number), null]);
});

test("a stale value is told to who loads it anew and to who waits, until its second time is over", async () => {
  const db = await createPluginEngine(plugin);
  const [, token] = db.run(...GET) as ["load", number, null];
  db.run("CACHE.SET", "page", token, "old", "PX", 1000, "STALE", 9000);
  db.advance(1000);
  expect(db.run(...GET)).toEqual(["load", expect.any(Number), "old"]);
  expect(db.run(...GET)).toEqual(["wait", 5000, "old"]);
  db.advance(9000);
  expect(db.run(...GET)).toEqual(["load", expect.any(Number), null]);
});

test("hits go on when memory is full, and nobody is told to load what cannot be stored", async () => {
  const db = await createPluginEngine(plugin, {}, { maxMemoryBytes: 20_000_000 });
  const [, token] = db.run(...GET) as ["load", number, null];
  db.run("CACHE.SET", "page", token, "<html>", "PX", 60_000);
  for (let size = 1_000_000; size >= 1; size = Math.floor(size / 2)) {
    for (let i = 0; db.run("SET", `${size}:${i}`, "x".repeat(size)) === "OK"; i++);
  }
  expect(db.run(...GET)).toEqual(["hit", 60_000, "<html>"]);
  const refused = { error: expect.stringMatching(/^OOM /) };
  expect(db.run("CACHE.GET", "other", "LEASE", 5000)).toEqual(refused);
  expect(db.run("EXISTS", "lock:other")).toBe(0);
});
