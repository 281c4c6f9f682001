/** Batches in a program: all or nothing, in both forms. */
import { expect, test } from "bun:test";
import type { BatchOperation } from "../../../src/plugin.ts";
import { Folder, failureOf, openInMemory } from "./opened.ts";

test("K16: a batch puts and deletes, and survives as a whole", async () => {
  await using folder = await Folder.create();
  {
    await using db = await folder.open();
    await db.set("gone", 1);
    await db.batch([
      { type: "put", key: "text", value: "Ada" },
      { type: "put", key: "doc", value: { tags: ["a"] } },
      { type: "put", key: new Uint8Array([0x62]), value: null, ttlMs: 60_000 },
      { type: "del", key: "gone" },
      { type: "put", key: "twice", value: 1 },
      { type: "put", key: "twice", value: 2 },
    ]);
  }
  await using db = await folder.open();
  expect([...db.iterate()]).toEqual([
    ["b", null],
    ["doc", { tags: ["a"] }],
    ["text", "Ada"],
    ["twice", 2],
  ]);
  expect(await db.call<number>("PTTL", "b")).toBeGreaterThan(50_000);
});

test("put together call by call, behind a prefix", async () => {
  await using db = await openInMemory();
  const users = db.prefix<{ n: number }>("user:");
  const batch = users
    .batch()
    .put("x", { n: 0 })
    .clear()
    .put("a", { n: 1 })
    .put("b", { n: 2 }, { ttlMs: 9 });
  batch.del("a");
  expect([batch.length, db.size]).toEqual([3, 0]);
  await batch.write();
  expect([...db.keys()]).toEqual(["user:b"]);
  for (const again of [() => batch.write(), () => batch.put("c", { n: 3 }), () => batch.clear()]) {
    expect((await failureOf(again)).message).toBe("the batch has been written already");
  }
});

test("a batch of nothing does nothing", async () => {
  await using db = await openInMemory();
  await db.batch([]);
  await db.batch().write();
  expect(db.size).toBe(0);
});

test.each([
  [
    [
      { type: "put", key: "a", value: 1 },
      { type: "put", key: "b", value: { f: () => 1 } },
    ],
    "operations[1]: value.f: JSON has no function",
  ],
  [[{ type: "put", key: "a", value: "\ud800" }], "value: half of a surrogate pair"],
  [[{ type: "put", key: 5, value: 1 }], "operations[0].key: expected a string"],
  [[{ type: "set", key: "a", value: 1 }], 'operations[0].type: expected "put" or "del", found set'],
  [
    [{ type: "put", key: "a", value: 1, ttlMs: 0 }],
    "operations[0].ttlMs: expected an integer above 0",
  ],
  [
    [{ type: "put", key: "a", value: 1, ttlMs: 1, expiresAtMs: 1 }],
    "operations[0]: ttlMs and expiresAtMs exclude each other",
  ],
  [[{ type: "put", key: "a", value: 1, ttl: 1 }], "operations[0].ttl"],
  [[null], "operations[0]: expected an object"],
  ["a", "operations: expected an array"],
])("%j is refused, and nothing changes", async (operations, message) => {
  await using db = await openInMemory();
  const failure = await failureOf(() => db.batch(operations as BatchOperation<unknown>[]));
  expect([failure.code, failure.message]).toEqual(["USAGE", expect.stringContaining(message)]);
  expect(db.size).toBe(0);
});

test("what a unique index refuses, refuses the batch", async () => {
  await using db = await openInMemory<{ mail: string }>({
    indexes: { mail: { use: "hash", field: "mail", unique: true } },
  });
  await db.set("ada", { mail: "a@x" });
  const put = (key: string, mail: string) => ({ type: "put", key, value: { mail } }) as const;
  const failure = await failureOf(() => db.batch([put("bob", "b@x"), put("eve", "a@x")]));
  expect([failure.code, failure.reply, db.size]).toEqual(["COMMAND", "DUPLICATE", 1]);
  await db.batch([put("bob", "a@x"), put("ada", "b@x")]);
  expect(db.get("bob")).toEqual({ mail: "a@x" });
});
