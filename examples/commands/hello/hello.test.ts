/** The command over an engine in memory, as a client sees it. */
import { expect, test } from "bun:test";
import { createPluginEngine } from "kvdb/testing";
import plugin from "./hello.ts";

test("greets, and counts", async () => {
  const db = await createPluginEngine(plugin);
  expect(db.run("HELLO.GREET", "Ada")).toBe("Hello, Ada! (1)");
  expect(db.run("HELLO.GREET", "Ada")).toBe("Hello, Ada! (2)");
  expect(db.run("GET", "Ada")).toBe("2");
});

test("greets as its option says", async () => {
  const db = await createPluginEngine(plugin, { greeting: "Ahoj" });
  expect(db.run("HELLO.GREET", "Ada")).toBe("Ahoj, Ada! (1)");
});

test("an error changes nothing", async () => {
  const db = await createPluginEngine(plugin);
  expect(db.run("HELLO.GREET", "")).toEqual({ error: "ERR a name has at least one letter" });
  db.run("SET", "Ada", "no number");
  db.records();
  expect(db.run("HELLO.GREET", "Ada")).toEqual({
    error: "ERR value is not an integer or out of range",
  });
  expect(db.records()).toEqual([]);
});
