/** What every kind of index must do, then what this one does. */
import { expect, test } from "bun:test";
import { createPluginEngine, indexSuite } from "kvdb/testing";
import plugin from "./trigram.ts";

indexSuite({ plugin, options: {} });

const TEXTS = ["A pineapple pie", "apple tree", "PINE TREES", "Zürich", "ſalt and K", ""];

async function filled() {
  const db = await createPluginEngine(plugin);
  db.run("INDEX", "CREATE", "by_text", "USING", "trigram", "FIELD", "text");
  for (const [at, text] of TEXTS.entries())
    db.run("JSON.SET", `t:${at}`, "$", JSON.stringify({ text }));
  return db;
}

test.each([
  ["text matches /apple/", 2, 2],
  ["text matches /apple tart/", 0, 0],
  ["text matches /pine tree/", 1, 0],
  ["text matches /pine tree/i", 1, 1],
  ["text matches /apple.*pie/", 1, 1],
  ["text matches /pie.*apple/", 1, 0],
  ["text matches /^Zür/", 1, 1],
  ["text matches /ap?ple+ tree/", 1, 1],
  ["text matches /salt/i", 1, 1],
  ["text starts with 'apple'", 2, 1],
  ["text = 'apple tree'", 1, 1],
  ["text matches /tree/i and text matches /pine/i", 1, 1],
])("%s: looks at %d documents and finds %d", async (filter, examined, found) => {
  const db = await filled();
  const explained = db.run("EXPLAIN", "FIND", filter) as Map<string, unknown>;
  expect(explained.get("index")).toBe("by_text");
  expect(explained.get("rows examined")).toBe(examined);
  expect(db.run("FIND", filter, "COUNT")).toBe(found);
});

test.each([
  "text matches /ap|pi/",
  "text matches /a(pp)le/",
  "text matches /[a-z]pple/",
  "text matches /ap/",
])("%s: has no three characters, and is found all the same", async (filter) => {
  const db = await filled();
  const explained = db.run("EXPLAIN", "FIND", filter) as Map<string, unknown>;
  expect(explained.get("index")).not.toBe("by_text");
  expect(db.run("FIND", filter, "COUNT")).toBe(2);
});
