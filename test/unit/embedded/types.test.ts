/**
 * The types of the embedded API: what must compile compiles, and what must not is marked, so that
 * the type check of the project fails when it does. Each value is looked at too.
 */
import { expect, test } from "bun:test";
import type {
  CommandResult,
  Database,
  Json,
  NumberedDatabase,
  PartOf,
  Row,
  Snapshot,
  Store,
} from "../../../src/plugin.ts";
import { open } from "../../../src/plugin.ts";

interface User {
  name: string;
  age?: number;
}

/** Compiles where the two are one type. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const memory = { persistence: "none" } as const;

test("a database of one type", async () => {
  await using db = await open<User>(memory);
  same<typeof db, Database<User>>(true);
  await db.set("a", { name: "Ada" });
  const user = db.get("a");
  same<typeof user, User | undefined>(true);
  expect(user?.name).toBe("Ada");
  // @ts-expect-error: no User
  await db.set("b", { age: 1 });
  // @ts-expect-error: no User
  await db.set("b", 5);
  // @ts-expect-error: may be undefined
  expect(db.get("a").name).toBe("Ada");
});

test("ranges, batches and snapshots have the type of the store", async () => {
  await using db = await open<User>(memory);
  await db.batch([{ type: "put", key: "a", value: { name: "Ada" } }]);
  await db.batch().put("b", { name: "Bob" }).write();
  const [first] = db.iterate();
  same<typeof first, [key: string, value: User]>(true);
  const [value] = db.values();
  same<typeof value, User>(true);
  expect([first?.[1].name, value?.name]).toEqual(["Ada", "Ada"]);
  // @ts-expect-error: no User
  await db.batch([{ type: "put", key: "c", value: { age: 1 } }]);
  // @ts-expect-error: a deletion has no value
  await db.batch([{ type: "del", key: "c", value: { name: "x" } }]);
  // @ts-expect-error: no User
  db.batch().put("c", 5);
  const taken = db.snapshot();
  same<typeof taken, Promise<Snapshot<User>>>(true);
  await Promise.allSettled([taken]);
});

test("without a type, whatever JSON can say", async () => {
  await using db = await open(memory);
  same<typeof db, Database<Json>>(true);
  await db.set("a", { list: [1, "two", null], nested: { yes: true } });
  const value = db.get("a");
  same<typeof value, Json | undefined>(true);
  expect(value).toEqual({ list: [1, "two", null], nested: { yes: true } });
  // @ts-expect-error: JSON has no function
  await db.set("b", () => 1).catch(() => undefined);
  // @ts-expect-error: JSON has no undefined
  await db.set("b", undefined).catch(() => undefined);
  // @ts-expect-error: bytes are stored by setBytes
  await db.set("b", new Uint8Array(1)).catch(() => undefined);
  expect(db.has("b")).toBe(false);
});

test("a type for one call, for a prefix and for a numbered database", async () => {
  await using db = await open(memory);
  await db.set<User>("a", { name: "Ada" });
  const one = db.get<User>("a");
  same<typeof one, User | undefined>(true);
  // @ts-expect-error: no User
  await db.set<User>("b", { nam: "Ada" });
  const users = db.prefix<User>("user:");
  same<typeof users, Store<User>>(true);
  const inherited = users.prefix("x:");
  same<typeof inherited, Store<User>>(true);
  const other = db.select<number>(1);
  same<typeof other, NumberedDatabase<number>>(true);
  const keys = users.list();
  same<typeof keys, IteratorObject<string, undefined>>(true);
  expect(one?.name).toBe("Ada");
});

test("what a command answers", async () => {
  await using db = await open(memory);
  const answer = await db.call("PING");
  same<typeof answer, CommandResult>(true);
  const count = await db.call<number>("INCR", "n");
  same<typeof count, number>(true);
  expect([answer, count]).toEqual(["PONG", 1]);
  // @ts-expect-error: a command has a name
  await db.call().catch(() => undefined);
  // @ts-expect-error: no part of a command
  await db.call("GET", { key: 1 }).catch(() => undefined);
});

test("options", async () => {
  // @ts-expect-error: an unknown key
  await open({ ...memory, frontends: [] }).catch(() => undefined);
  await using db = await open({ ...memory, memory: { max: "1mb", policy: "noeviction" } });
  // @ts-expect-error: an unknown option
  await db.set("a", 1, { ttl: 5 }).catch(() => undefined);
  await db.set("a", 1, { ttlMs: undefined });
  expect(db.get("a")).toBe(1);
});

interface Order {
  id: number;
  state: "open" | "sent";
  buyer: { name: string; address?: { city: string } };
  items: { sku: string; qty: number }[];
  note?: string | null;
}

test("filters are typed by the values of the store", async () => {
  await using db = await open<Order>(memory);
  await db.find({ id: 1, state: "open", "buyer.name": /^A/i, "buyer.address.city": "Oslo" });
  await db.find({ "items.qty": { $gt: 1, $in: [2, 3n] }, "items.0.sku": { $regex: /a/ } });
  await db.find({ items: { $elemMatch: { sku: "a", qty: { $lt: 5 } }, $size: 1 } });
  await db.find({ $or: [{ id: 1 }, { note: null }], "@key": { $gte: "a" } });
  await db.find({ note: { $gt: new Date(0) }, buyer: { name: "Ada" } });
  // @ts-expect-error: no such field
  await db.find({ nmae: "Ada" });
  // @ts-expect-error: no such field within buyer
  await db.find({ "buyer.age": 5 });
  // @ts-expect-error: a number
  await db.find({ id: "1" });
  // @ts-expect-error: no such state
  await db.find({ state: "lost" });
  // @ts-expect-error: a string
  await db.find({ "buyer.address.city": { $in: ["Oslo", 5] } });
  // @ts-expect-error: no such operator
  await db.find({ id: { $gtt: 1 } }).catch(() => undefined);
  // @ts-expect-error: elements have no such field
  await db.find({ items: { $elemMatch: { size: 1 } } });
  // @ts-expect-error: no such option
  await db.find({}, { limt: 1 }).catch(() => undefined);
  // @ts-expect-error: no such field
  await db.find({}, { sort: { age: 1 } });
  // @ts-expect-error: no such field
  await db.find({}, { fields: ["age"] });
  expect(await db.count({ id: 1 })).toBe(0);
});

test("rows are typed too", async () => {
  await using db = await open<Order>(memory);
  await db.set("a", { id: 1, state: "open", buyer: { name: "Ada" }, items: [] });
  const [whole] = await db.find({ id: 1 });
  same<typeof whole, Row<Order>>(true);
  const [part] = await db.find({}, { fields: ["id", "buyer.name"] });
  same<typeof part, Row<PartOf<Order>>>(true);
  // @ts-expect-error: may be undefined
  expect(part?.value.buyer.name).toBe("Ada");
  for await (const row of db.findEach("id = 1")) same<typeof row, Row<Order>>(true);
  const [group] = await db.aggregate({}, { groupBy: "state", sum: "items.qty", max: "id" });
  const state: "open" | "sent" | null | undefined = group?.state;
  const sum: number | undefined = group?.["sum(items.qty)"];
  const max: number | null | undefined = group?.["max(id)"];
  expect([state, sum, max]).toEqual(["open", 0, 1]);
  // @ts-expect-error: was not asked for
  expect(group?.["min(id)"]).toBeUndefined();
  // @ts-expect-error: no such field
  await db.aggregate({}, { groupBy: "age" });
  await db.aggregate({}, { groupBy: "state", avg: "id", sort: { "avg(id)": -1, state: 1 } });
  // @ts-expect-error: no such column
  await db.aggregate({}, { groupBy: "state", sort: { id: 1 } }).catch(() => undefined);
});

test("without a type any field may be asked for", async () => {
  await using db = await open(memory);
  await db.set("a", { deep: [{ x: 1 }] });
  const [row] = await db.find({ "deep.x": { $gte: 1 }, $nor: [{ a: /x/ }] }, { sort: { b: 1 } });
  same<typeof row, Row<Json>>(true);
  const [group] = await db.aggregate({}, { groupBy: "deep.x", count: true });
  expect([row?.key, group?.["deep.x"], group?.count]).toEqual(["a", 1, 1]);
  // @ts-expect-error: JSON has no function
  await db.find({ a: () => 1 }).catch(() => undefined);
});
