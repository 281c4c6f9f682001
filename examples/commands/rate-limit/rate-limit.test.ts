/** The limit over an engine in memory, whose clock the test moves. */
import { expect, test } from "bun:test";
import { createPluginEngine } from "kvdb/testing";
import plugin from "./rate-limit.ts";

test("allows so many attempts in a window, then none, then again", async () => {
  const db = await createPluginEngine(plugin);
  expect(db.run("RATE.LIMIT", "login:ada", 2, 1000)).toEqual([1, 1, 1000]);
  db.advance(400);
  expect(db.run("RATE.LIMIT", "login:ada", 2, 1000)).toEqual([1, 0, 600]);
  expect(db.run("RATE.LIMIT", "login:ada", 2, 1000)).toEqual([0, 0, 600]);
  expect(db.run("RATE.LIMIT", "login:bob", 2, 1000)).toEqual([1, 1, 1000]);
  db.advance(600);
  expect(db.run("RATE.LIMIT", "login:ada", 2, 1000)).toEqual([1, 1, 1000]);
});

test("is one record of built-in commands, and is there again without the plugin", async () => {
  const db = await createPluginEngine(plugin);
  db.run("RATE.LIMIT", "login:ada", 2, 1000);
  const deadline = db.now() + 1000;
  expect(db.records()).toEqual([
    { database: 0, commands: ["INCR login:ada", `PEXPIREAT login:ada ${deadline}`] },
  ]);
  const again = db.replayed();
  expect(again.run("GET", "login:ada")).toBe("1");
  expect(again.run("PEXPIRETIME", "login:ada")).toBe(deadline);
});

test("wrong numbers change nothing", async () => {
  const db = await createPluginEngine(plugin);
  for (const [attempts, window] of [
    ["0", "1000"],
    ["two", "1000"],
    ["2", "-1"],
    ["2", "1e3"],
  ] as const) {
    expect(db.run("RATE.LIMIT", "key", attempts, window)).toHaveProperty("error");
  }
  expect(db.run("DBSIZE")).toBe(0);
});
