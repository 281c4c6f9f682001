/** What is dropped is gone, also what was being loaded meanwhile; and nothing is left of it for ever. */
import { expect, test } from "bun:test";
import { createPluginEngine, type EngineHarness } from "kvdb/testing";
import plugin from "./cache.ts";

/** Takes the lease; answers its token. */
function begin(db: EngineHarness, key: string, ...tags: string[]): number {
  const words = tags.length === 0 ? [] : ["TAGS", ...tags];
  const [state, token] = db.run("CACHE.GET", key, "LEASE", 5000, ...words) as [string, number];
  expect([key, state]).toEqual([key, "load"]);
  return token;
}

function end(db: EngineHarness, key: string, token: number, ...tags: string[]): unknown {
  const words = tags.length === 0 ? [] : ["TAGS", ...tags];
  return db.run("CACHE.SET", key, token, `${key} at ${token}`, "PX", 60_000, ...words);
}

const stateOf = (db: EngineHarness, key: string) =>
  (db.run("CACHE.GET", key, "LEASE", 5000) as unknown[])[0];

test("a dropped key is gone, and its lease is another's", async () => {
  const db = await createPluginEngine(plugin);
  expect(end(db, "a", begin(db, "a"))).toBe(1);
  expect(db.run("CACHE.DROP", "a", "b")).toBe(1);
  const before = begin(db, "a");
  expect(db.run("CACHE.DROP", "a")).toBe(0);
  const after = begin(db, "a");
  expect(end(db, "a", before)).toBe(0);
  expect(end(db, "a", after)).toBe(1);
  expect(stateOf(db, "a")).toBe("hit");
});

test("a dropped tag takes all of its entries and no others", async () => {
  const db = await createPluginEngine(plugin);
  expect(end(db, "a", begin(db, "a", "x", "y"), "x", "y")).toBe(1);
  expect(end(db, "b", begin(db, "b", "y"), "y")).toBe(1);
  expect(end(db, "c", begin(db, "c", "z"), "z")).toBe(1);
  expect(db.run("CACHE.DROPTAG", "y", "never named")).toBe(1);
  expect(["a", "b", "c"].map((key) => stateOf(db, key))).toEqual(["load", "load", "hit"]);
});

test("what was loaded before its tag was dropped is not stored after it, whoever names the tag again", async () => {
  const db = await createPluginEngine(plugin);
  const before = begin(db, "a", "x");
  db.run("CACHE.DROPTAG", "x");
  expect(end(db, "b", begin(db, "b", "x"), "x")).toBe(1);
  expect(end(db, "a", before, "x")).toBe(0);
  expect(end(db, "a", begin(db, "a", "x"), "x")).toBe(1);
  expect(["a", "b"].map((key) => stateOf(db, key))).toEqual(["hit", "hit"]);
});

test("a tag that only the value tells: refused while nobody knows it, stored from the next lease on", async () => {
  const db = await createPluginEngine(plugin);
  const [first, other] = [begin(db, "a"), begin(db, "b")];
  expect(end(db, "a", first, "x")).toBe(0);
  expect(end(db, "b", other, "x")).toBe(0); // begun before the tag was known
  expect(end(db, "a", begin(db, "a"), "x")).toBe(1);
  db.run("CACHE.DROPTAG", "x");
  expect(stateOf(db, "a")).toBe("load");
});

test.each(["mark", "lock"])(
  "when the %s made room the value is loaded again, and not stale",
  async (lost) => {
    const db = await createPluginEngine(plugin);
    const token = begin(db, "a", "x");
    db.run("DEL", lost === "mark" ? "tag:x" : "lock:a");
    expect(end(db, "a", token, "x")).toBe(0);
    const again = begin(db, "a", "x");
    expect(end(db, "a", again, "x")).toBe(1);
    db.run("DEL", "tag:x");
    expect(stateOf(db, "a")).toBe("load");
  },
);

test("nothing is left of entries, tags and leases when their time is over", async () => {
  const db = await createPluginEngine(plugin);
  for (let i = 0; i < 200; i++) {
    const [key, tags] = [`key ${i}`, [`tag ${i}`, `group ${i % 7}`]];
    const token = begin(db, key, ...tags);
    if (i % 3 > 0) expect(end(db, key, token, ...tags)).toBe(1);
    if (i % 5 === 0) db.run("CACHE.DROPTAG", `tag ${i}`);
  }
  db.advance(60_000);
  expect(db.run("DBSIZE")).toBe(0);
});
