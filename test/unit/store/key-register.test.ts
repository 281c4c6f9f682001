/** What is kept for keys is found by its key and database alone, also where several keys have the same hash. */
import { expect, test } from "bun:test";
import { KeyRegister, type RegisteredKey } from "../../../src/store/key-register.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** Every key has it. */
const HASH = 7;

function setUp() {
  const { keyspace } = new EngineHarness().engine;
  const [first, second] = keyspace.databases;
  if (first === undefined || second === undefined) throw new Error("there are two databases");
  const register = new KeyRegister<RegisteredKey>();
  const add = (database: typeof first, key: string): RegisteredKey => {
    const item = { database, key: Buffer.from(key), hash: HASH };
    register.add(item);
    return item;
  };
  const find = (database: typeof first, text: string, hash = HASH) => {
    const bytes = Buffer.from(`<${text}>`);
    return register.find(database, hash, bytes, 1, bytes.length - 1);
  };
  return { register, first, second, add, find };
}

test("an item is found by database, hash and every byte of its key", () => {
  const { first, second, add, find } = setUp();
  const a = add(first, "a");
  const other = add(second, "a");
  const longer = add(first, "ab");
  expect(find(first, "a")).toBe(a);
  expect(find(second, "a")).toBe(other);
  expect(find(first, "ab")).toBe(longer);
  expect(find(first, "b")).toBeUndefined();
  expect(find(first, "")).toBeUndefined();
  expect(find(second, "ab")).toBeUndefined();
  expect(find(first, "a", HASH + 1)).toBeUndefined();
});

test("what is deleted leaves the others of its hash", () => {
  const { register, first, second, add, find } = setUp();
  const items = [add(first, "a"), add(first, "b"), add(second, "a")];
  register.delete(items[0] as RegisteredKey);
  expect(find(first, "a")).toBeUndefined();
  expect(find(first, "b")).toBe(items[1]);
  expect(find(second, "a")).toBe(items[2]);
  expect(register.isEmpty).toBe(false);
  for (const item of items.slice(1)) register.delete(item);
  expect(register.isEmpty).toBe(true);
});

test("the items of one database are those of no other", () => {
  const { register, first, second, add } = setUp();
  const [a, , b] = [add(first, "a"), add(second, "a"), add(first, "b")];
  expect(register.of(first)).toEqual([a, b]);
  for (const item of register.of(first)) register.delete(item);
  expect(register.of(first)).toEqual([]);
  expect(register.of(second)).toHaveLength(1);
});
