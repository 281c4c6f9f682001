/** What the commands refuse. */
import { expect, test } from "bun:test";
import { createPluginEngine } from "kvdb/testing";
import plugin from "./cache.ts";

test("wrong input is an error, and changes nothing", async () => {
  const db = await createPluginEngine(plugin);
  db.run("HSET", "hash", "field", "value");
  db.run("SET", "string", "value");
  const many = Array.from({ length: 65 }, (_, i) => `tag ${i}`);
  for (const words of [
    ["CACHE.GET", "a", "LEASE", "0"],
    ["CACHE.GET", "a", "LEASE", "5 s"],
    ["CACHE.GET", "a", "PX", "5"],
    ["CACHE.GET", "a", "TAGS", "x"],
    ["CACHE.GET", "a", "LEASE", "5", "TAGS"],
    ["CACHE.GET", "a", "LEASE", "5", "LEASE", "6"],
    ["CACHE.GET", "a", "LEASE", "5", "TAGS", ...many],
    ["CACHE.GET", "hash", "LEASE", "5"],
    ["CACHE.GET", "string", "LEASE", "5"],
    ["CACHE.SET", "a", "token", "value", "PX", "5"],
    ["CACHE.SET", "a", "1", "value", "STALE", "5"],
  ]) {
    expect([words, db.run(...words)]).toEqual([words, { error: expect.any(String) }]);
  }
  expect(db.run("DBSIZE")).toBe(2);
});
