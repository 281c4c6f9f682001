// Digests of values with elements are those that redis-server 7.0.15 answers for the same data.

import { describe, expect, test } from "bun:test";
import type { Database } from "../../../src/store/database.ts";
import { ElementPart } from "../../../src/store/element-part.ts";
import { HASH, LIST, SET, STREAM, TIMED, ZSET } from "../../../src/store/entry.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { addNaiveTypes } from "../store/naive-elements.ts";

type Element = string | number | Buffer;

function harness(perPart: number): EngineHarness {
  const db = new EngineHarness();
  const { keyspace } = db.engine;
  addNaiveTypes(keyspace.collections.types, keyspace.arena, perPart);
  return db;
}

/** Strings and numbers, as packed-run.ts draws them for the type. */
function store(db: EngineHarness, name: string, kind: number, elements: readonly Element[]): void {
  const database = db.session.database as Database;
  const key = Buffer.from(name);
  const entry = database.find(key, 0, key.length);
  const made = database.put(entry, key, 0, key.length, kind, 0, 0, 0);
  const part = new ElementPart();
  for (const element of elements) {
    if (typeof element === "number") part.number(element);
    else part.string(Buffer.from(element), 0, Buffer.from(element).length);
  }
  const { run, end } = part;
  const types = database.keyspace.collections.types;
  types.of(kind).readPart(database, made, { run, at: 0, end, isTimed: kind >>> 4 === TIMED });
  db.endTurn();
}

/** An ID as stream-elements.ts has it. */
function id(milliseconds: bigint, sequence: bigint): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(milliseconds);
  bytes.writeBigUInt64LE(sequence, 8);
  return bytes;
}

/** An item: its tag, and what stands behind it. */
const item = (tag: string, ...parts: Buffer[]) => Buffer.concat([Buffer.from(tag), ...parts]);

test("of a stream", () => {
  const db = new EngineHarness();
  const [first, second, last] = [id(1n, 1n), id(5n, 0n), id(2n ** 64n - 1n, 3n)];
  const added = Buffer.alloc(8);
  added.writeDoubleLE(3);
  const pairs = (count: number) => Buffer.from([count, 0, 0, 0]);
  store(db, "st", STREAM, [
    item("S", last, id(0n, 0n), added),
    ...[item("E", first, pairs(1)), "a", "b"],
    ...[item("E", second, pairs(2)), "a", "c", "dd", ""],
    ...[item("E", last, pairs(1)), "x", "12"],
  ]);
  expect(db.run("DEBUG", "DIGEST-VALUE", "st")).toEqual([
    "45d603dcea0cd9c65bcd9262d5ed912b0546d74d",
  ]);
});

describe.each([1, 2, 100])("digests of elements, %d in a part", (perPart) => {
  test("of each type, and of all data", () => {
    const db = harness(perPart);
    store(db, "l", LIST, ["a", "bb", ""]);
    store(db, "s", SET, ["a", "12"]);
    store(db, "z", ZSET, ["b", 0.1, "a", 1.5, "c", Number.POSITIVE_INFINITY]);
    store(db, "h", HASH, ["f", "v", "g", "22"]);
    db.run("PEXPIRE", "h", 100_000);
    expect(db.run("DEBUG", "DIGEST-VALUE", "l", "s", "z", "h")).toEqual([
      "fa2e5c2856f6c5b111116ceb0bf0cf1ff7fd1188",
      "4f1c2d55e0fe2858a8d0dd9219f630e5e93f8b0a",
      "a4526d4fd52688104c1c1b82ef89e683260be375",
      "f60ab1af93095481d600856a7f63c98163732b84",
    ]);
    expect(db.run("DEBUG", "DIGEST")).toBe("9337e11f771500ba94c7cc8ef560624466710352");
  });

  test("order counts in a list alone", () => {
    const db = harness(perPart);
    const digest = (kind: number, elements: readonly Element[]) => {
      store(db, "k", kind, elements);
      return db.run("DEBUG", "DIGEST-VALUE", "k");
    };
    expect(digest(LIST, ["a", "b"])).not.toEqual(digest(LIST, ["b", "a"]));
    expect(digest(SET, ["a", "b", "c"])).toEqual(digest(SET, ["c", "a", "b"]));
    expect(digest(HASH, ["a", "1", "b", "2"])).toEqual(digest(HASH, ["b", "2", "a", "1"]));
    expect(digest(HASH, ["a", "1", "b", "2"])).not.toEqual(digest(HASH, ["a", "2", "b", "1"]));
  });

  test("that a field has a deadline counts, which one does not", () => {
    const db = harness(perPart);
    const digest = (elements: readonly Element[]) => {
      store(db, "k", HASH | (TIMED << 4), elements);
      return db.run("DEBUG", "DIGEST-VALUE", "k");
    };
    expect(digest(["a", "1", 2e12])).toEqual(digest(["a", "1", 3e12]));
    expect(digest(["a", "1", 2e12])).not.toEqual(digest(["a", "1", 0]));
  });
});
