/** `db.index`, and the indexes that `open` is told of. */
import { expect, test } from "bun:test";
import type { IndexOptions } from "../../../src/plugin.ts";
import { Folder, failureOf, openInMemory } from "./opened.ts";

test("an index is made, told of, kept, and dropped", async () => {
  await using folder = await Folder.create();
  {
    await using db = await folder.open<{ age: number }>();
    await db.set("a", { age: 1 });
    await db.set("b", { age: 2 });
    expect(await db.index.create("age", { use: "ordered", field: "age" })).toBe(2);
    expect(await db.index.create("age", { use: "ordered", field: "age" })).toBe(2);
    await db.set("c", { age: 3 });
    expect(db.index.info("age")).toMatchObject({
      name: "age",
      kind: "ordered",
      state: "ready",
      entries: 3,
    });
    await db.call("SELECT", 1);
    await db.index.create("pair", {
      use: "hash",
      fields: ["age", "city"],
      sparse: true,
    });
  }
  await using db = await folder.open();
  expect(db.index.list()).toEqual(["age", "pair"]);
  expect(db.select(1).index.list()).toEqual([]);
  await db.index.drop("age");
  expect(db.index.list()).toEqual(["pair"]);
});

test("`indexes` of open are made at the start, in the database that they say", async () => {
  await using db = await openInMemory({
    indexes: {
      by_city: { use: "hash", field: "city" },
      other: { use: "ordered", field: "@key", database: 2 },
    },
  });
  expect([db.index.list(), db.select(2).index.list()]).toEqual([["by_city"], ["other"]]);
});

test.each([
  [{ use: "hash" }, "USAGE", 'index "x": field: expected text'],
  [{ use: "hash", field: "a", unique: 1 }, "USAGE", 'index "x": unique: expected true or false'],
  [{ use: "hsah", field: "a" }, "COMMAND", 'unknown kind of index "hsah"'],
  [{ use: "hash", field: "a", sort: "x" }, "COMMAND", 'unknown option "sort"'],
  [undefined, "USAGE", 'index "x": use: expected text'],
])("create with %j is refused", async (options, code, message) => {
  await using db = await openInMemory();
  const failure = await failureOf(() => db.index.create("x", options as unknown as IndexOptions));
  expect([failure.code, failure.message]).toEqual([code, expect.stringContaining(message)]);
});

test("what is not there is told with what is", async () => {
  await using db = await openInMemory();
  await db.index.create("city", { use: "hash", field: "city" });
  const message = 'ERR no index "ctiy", did you mean "city"?';
  expect((await failureOf(() => db.index.info("ctiy"))).message).toContain(message.slice(0, 19));
  expect((await failureOf(() => db.index.drop("ctiy"))).message).toContain(message.slice(0, 19));
  const wrong = failureOf(() => openInMemory({ indexes: { x: { use: "hash", feild: "a" } } }));
  expect((await wrong).code).toBe("CONFIG");
});

test("a closed database has no indexes to look after", async () => {
  const db = await openInMemory();
  const { index } = db;
  await db.close();
  for (const act of [() => index.list(), () => index.drop("x"), () => db.index.info("x")]) {
    expect((await failureOf(act)).code).toBe("UNAVAILABLE");
  }
});
