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
