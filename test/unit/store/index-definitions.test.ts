/**
 * Definitions of indexes in the arena: what is kept, what a flush and an exchange do with them, how they leave in images and
 * come back. keyspace-play.ts has them in its random changes, under the audit of pages.
 */
import { describe, expect, test } from "bun:test";
import { MAX_DEFINITION_BYTES } from "../../../src/limits.ts";
import type { StoredEntry } from "../../../src/plugin.ts";
import { Arena, CHUNK_BYTES } from "../../../src/store/arena.ts";
import { EntryLoad } from "../../../src/store/entry-load.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { definitionProblem } from "../../../src/store/index-definitions.ts";
import { KeyspaceModel } from "./keyspace-model.ts";
import { copyImage, readEntries, requireSameEntries } from "./stored-entries.ts";

const HASH = '{"use":"hash","field":"address.city"}';
const ORDERED = '{"use":"ordered","field":"Größe","unique":true}';

function modelWithIndexes(): KeyspaceModel {
  const model = new KeyspaceModel(1);
  model.define(0, "by_city", HASH);
  model.define(0, "A.b:c-d", ORDERED);
  model.define(2, "by_city", ORDERED);
  return model;
}

const longest = `{"where":"${"x".repeat(MAX_DEFINITION_BYTES - 12)}"}`;

describe("definitions", () => {
  test("are kept in the order of their names, replaced and removed, each a change", () => {
    const model = modelWithIndexes();
    const { keyspace } = model;
    const database = model.database(0);
    expect([...keyspace.definitionsOf(database)]).toEqual([
      ["A.b:c-d", ORDERED],
      ["by_city", HASH],
    ]);
    expect(keyspace.definitionsOf(model.database(1)).size).toBe(0);
    keyspace.changes = 0;
    model.define(0, "by_city", ORDERED);
    expect(keyspace.changes).toBe(1);
    model.undefine(0, "by_city");
    expect(keyspace.changes).toBe(2);
    model.undefine(0, "by_city");
    expect(keyspace.changes).toBe(2);
    model.requireSame();
    model.undefine(0, "A.b:c-d");
    model.undefine(2, "by_city");
    expect(keyspace.arena.usedBytes).toBe(model.startBytes);
  });

  test("may be so many and so long that they fill more than a chunk", () => {
    const model = new KeyspaceModel(1);
    const count = Math.ceil(CHUNK_BYTES / MAX_DEFINITION_BYTES) + 1;
    const texts = new Map(Array.from({ length: count }, (_, i) => [`i${1000 + i}`, longest]));
    const loading = new EntryLoad(model.keyspace);
    for (const [name, text] of texts) loading.add(model.database(1), definition(name, text, 1));
    expect([...model.keyspace.definitionsOf(model.database(1))]).toEqual([...texts]);
    const image = Arena.open([copyImage(model.keyspace.arena)]);
    expect(readEntries(new EntryWalk(image)).size).toBe(count);
  });

  test("stay at a flush of their database and of all, whose contents go", () => {
    const model = modelWithIndexes();
    for (let i = 0; i < 1000; i++) model.put(0, `k${i}`, Buffer.from("v"), 0);
    model.flush(0);
    model.requireSame();
    model.reap();
    model.requireSame();
    model.put(2, "k", Buffer.from("v"), model.keyspace.nowMs + 1000);
    model.flushAll();
    model.requireSame();
    expect(model.keyspace.definitionsOf(model.database(0)).get("by_city")).toBe(HASH);
    expect(model.keyspace.definitionsOf(model.database(2)).get("by_city")).toBe(ORDERED);
  });

  test("go with their database when two are exchanged", () => {
    const model = modelWithIndexes();
    model.swap(0, 1);
    model.requireSame();
    expect(model.keyspace.definitionsOf(model.database(0)).size).toBe(0);
    expect(model.keyspace.definitionsOf(model.database(1)).get("by_city")).toBe(HASH);
  });
});

test.each<[string, string, string]>([
  ["no name", "", HASH],
  ["a name too long", "x".repeat(65), HASH],
  ["a space in the name", "by city", HASH],
  ["a line break behind the name", "by_city\n", HASH],
  ["a letter of another alphabet", "größe", HASH],
  ["an empty text", "a", ""],
  ["no JSON", "a", '{"use":}'],
  ["an array", "a", '["hash"]'],
  ["a string", "a", '"hash"'],
  ["text that is not compact", "a", '{"use": "hash"}'],
  ["space before the text", "a", ' {"use":"hash"}'],
  ["text too long", "a", `${longest.slice(0, -2)}x"}`],
])("%s is no definition", (_, name, text) => {
  expect(definitionProblem(name, text)).not.toBe("");
  const model = new KeyspaceModel(1);
  expect(() => model.define(0, name, text)).toThrow("invariant broken");
  const add = () => new EntryLoad(model.keyspace).add(model.database(0), definition(name, text));
  expect(add).toThrow(expect.objectContaining({ code: "DAMAGE" }));
  expect(model.keyspace.definitionsOf(model.database(0)).size).toBe(0);
});

test.each([HASH, "{}", longest])("a definition of %#", (text) => {
  expect(definitionProblem("x".repeat(64), text)).toBe("");
  const model = new KeyspaceModel(1);
  model.define(0, "x".repeat(64), text);
  model.requireSame();
});

/** As an entry of a checkpoint. */
function definition(name: string, text: string | Buffer, database = 0): StoredEntry {
  const [keyBytes, valueBytes] = [Buffer.from(name), Buffer.from(text)];
  const spans = { keyStart: 0, keyEnd: keyBytes.length };
  return {
    ...{ database, type: "index", keyBytes, valueBytes, deadlineMs: 0, version: 0, ...spans },
    ...{ valueStart: 0, valueEnd: valueBytes.length, isTimed: false, isContinued: false },
  };
}

describe("on the way out and in", () => {
  test("an image has those of its cut, each before the keys of its database", () => {
    const model = modelWithIndexes();
    model.put(0, "by_city", Buffer.from("a key of the same name"), 0);
    model.put(1, "k", Buffer.from("v"), 0);
    model.put(2, "k", Buffer.from("v"), 0);
    const expected = model.stored();
    const image = Arena.open([copyImage(model.keyspace.arena)]);
    model.define(0, "by_city", ORDERED);
    model.undefine(2, "by_city");
    const walk = new EntryWalk(image);
    expect([walk.keyCount, walk.entryCount]).toEqual([3, 6]);
    const order: string[] = [];
    while (walk.next()) {
      const { database, type, keyBytes, keyStart, keyEnd } = walk.entry;
      order.push(`${database} ${type} ${keyBytes.toString("utf8", keyStart, keyEnd)}`);
    }
    expect(order).toEqual([
      "0 index A.b:c-d",
      "0 index by_city",
      "0 string by_city",
      "1 string k",
      "2 index by_city",
      "2 string k",
    ]);
    requireSameEntries(readEntries(new EntryWalk(image)), expected);
  });

  test("they are loaded, which is no change", () => {
    const source = modelWithIndexes();
    source.put(0, "by_city", Buffer.from("a key of the same name"), 0);
    const { keyspace } = new KeyspaceModel(2);
    const loading = new EntryLoad(keyspace);
    const walk = new EntryWalk(source.keyspace.arena);
    while (walk.next()) loading.add(keyspace.databases[walk.entry.database] as never, walk.entry);
    loading.finish();
    expect(keyspace.changes).toBe(0);
    requireSameEntries(readEntries(new EntryWalk(keyspace.arena)), source.stored());
  });

  test("in parts, within a value or without being UTF-8 they are damage", () => {
    const model = new KeyspaceModel(1);
    const add = (...entries: StoredEntry[]) => {
      const loading = new EntryLoad(model.keyspace);
      return () => {
        for (const entry of entries) loading.add(model.database(0), entry);
      };
    };
    const damage = expect.objectContaining({ code: "DAMAGE" });
    expect(add({ ...definition("a", HASH), isContinued: true })).toThrow(damage);
    const bytes = Buffer.from('{"field":"\xf0\x9f\x98"}', "latin1");
    expect(add(definition("a", bytes))).toThrow(damage);
    const list: StoredEntry = { ...definition("k", "\x01a"), type: "list", isContinued: true };
    expect(add(list, definition("a", HASH))).toThrow(damage);
    expect(model.keyspace.definitionsOf(model.database(0)).size).toBe(0);
  });
});
