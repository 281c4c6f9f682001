/** What is done with values of any type with elements: walked in parts, loaded, copied, moved, freed in slices. */
import { describe, expect, test } from "bun:test";
import { KvdbError } from "../../../src/errors.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import type { StoredEntry } from "../../../src/plugin.ts";
import type { Database } from "../../../src/store/database.ts";
import { ElementPart } from "../../../src/store/element-part.ts";
import { LIST, valueWord } from "../../../src/store/entry.ts";
import { EntryLoad } from "../../../src/store/entry-load.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { findAt, type KeyPlace } from "../../../src/store/key-place.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import { unitsOf } from "../../../src/store/structure.ts";
import { copyValue, moveValue } from "../../../src/store/value-copy.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { ChainedList } from "./chained-list.ts";

const DEADLINE_MS = 2e12;

function createKeyspace(): Keyspace {
  const random = seededRandom(1);
  const keyspace = new Keyspace({ databases: 2, hashKey: [1, 2], random, nowMs: 1000 });
  keyspace.collections.types.add(LIST, new ChainedList(keyspace.arena));
  return keyspace;
}

function place(keyspace: Keyspace, database: number, key: string): KeyPlace {
  const bytes = Buffer.from(key);
  return { database: keyspace.databases[database] as Database, bytes, start: 0, end: bytes.length };
}

/** Lets the list have `count` elements of 20 bytes. */
function fill(keyspace: Keyspace, to: KeyPlace, count: number): number {
  let entry = to.database.put(findAt(to), to.bytes, to.start, to.end, LIST, 0, DEADLINE_MS, 0);
  const part = new ElementPart();
  for (let i = 0; i < count; i++) {
    part.beginPart();
    part.string(Buffer.from(`element ${String(i).padStart(12, "0")}`), 0, 20);
    const elements = { run: part.run, at: part.start, end: part.end, isTimed: false };
    entry = keyspace.collections.types.of(LIST).readPart(to.database, entry, elements);
  }
  return entry;
}

function elementsOf(keyspace: Keyspace, entry: number): string {
  const part = new ElementPart();
  part.beginValue();
  let text = "";
  for (let isLast = false; !isLast; ) {
    part.beginPart();
    isLast = keyspace.collections.types.of(LIST).writePart(entry, part);
    text += part.run.toString("latin1", part.start, part.end);
  }
  return text;
}

/** Its name in chunk and unit, to say where the value lies. */
const rootOf = (keyspace: Keyspace, entry: number) => valueWord(keyspace.arena, entry);

function reap(keyspace: Keyspace): number {
  let calls = 0;
  while (!keyspace.reapSlice()) calls++;
  return calls;
}

describe("a structure", () => {
  test("is copied from its elements, and moved by its address", () => {
    const keyspace = createKeyspace();
    const audit = new PageAudit(keyspace.arena);
    const [from, copied, moved] = [
      place(keyspace, 0, "from"),
      place(keyspace, 1, "copy"),
      place(keyspace, 1, "moved"),
    ];
    fill(keyspace, from, 20_000);
    const text = elementsOf(keyspace, findAt(from));
    copyValue(findAt(from), copied, findAt(copied));
    expect(elementsOf(keyspace, findAt(copied))).toBe(text);
    const root = rootOf(keyspace, findAt(from));
    const units = [0, 1].map((index) => (keyspace.databases[index] as Database).usedUnits);
    const source = findAt(from);
    moveValue(source, from, moved, findAt(moved));
    expect(findAt(from)).toBe(0);
    expect(rootOf(keyspace, findAt(moved))).toBe(root);
    expect(elementsOf(keyspace, findAt(moved))).toBe(text);
    const after = [0, 1].map((index) => (keyspace.databases[index] as Database).usedUnits);
    const size = unitsOf(keyspace.arena, root);
    expect(size).toBeGreaterThan(20_000 * 3);
    expect((units[0] as number) - (after[0] as number)).toBeGreaterThanOrEqual(size);
    expect((after[1] as number) - (units[1] as number)).toBeGreaterThanOrEqual(size);
    expect(moved.database.expires).toBe(2);
    audit.check();
  });

  test.each(["remove", "overwrite", "overwrite by copy", "flush", "flush, other keys first"])(
    "is freed in slices: %s",
    (way) => {
      const keyspace = createKeyspace();
      const audit = new PageAudit(keyspace.arena);
      const list = place(keyspace, 0, "list");
      const other = place(keyspace, 0, "other");
      const { database } = list;
      let graves = 0;
      keyspace.onGrave = () => graves++;
      database.put(findAt(other), other.bytes, 0, other.end, 0, 5, 0);
      const before = keyspace.arena.usedBytes;
      fill(keyspace, list, 20_000);
      const grown = keyspace.arena.usedBytes - before;
      expect(grown).toBeGreaterThan(20_000 * 24);
      if (way === "remove") database.remove(findAt(list));
      else if (way === "overwrite") database.put(findAt(list), list.bytes, 0, list.end, 0, 3, 0);
      else if (way === "overwrite by copy") {
        const source = findAt(other);
        copyValue(source, list, findAt(list));
      } else {
        if (way !== "flush") fill(keyspace, place(keyspace, 0, "second"), 5_000);
        keyspace.flush(0);
      }
      expect(graves).toBe(1);
      // Free from that moment on, but for the key and the wheel of its deadline.
      expect(keyspace.arena.usedBytes - before).toBeLessThan(10_000);
      expect(reap(keyspace)).toBeGreaterThan(10_000);
      expect(keyspace.arena.usedBytes - before).toBeLessThan(10_000);
      expect(keyspace.arena.doubles[0]?.[9]).toBe(0); // nothing is queued
      expect(findAt(other) !== 0).toBe(!way.startsWith("flush"));
      audit.check();
    },
  );

  test("a small one is freed at once", () => {
    const keyspace = createKeyspace();
    const list = place(keyspace, 0, "list");
    let graves = 0;
    keyspace.onGrave = () => graves++;
    fill(keyspace, list, 50);
    list.database.remove(findAt(list));
    expect(graves).toBe(0);
  });
});

describe("walk and load", () => {
  test("a long value comes in parts, and is whole again with version and deadline", () => {
    const keyspace = createKeyspace();
    const keys = ["empty", "short", "long", "longer"].map((key) => place(keyspace, 0, key));
    const counts = [0, 3, 10_000, 30_000];
    const texts = keys.map((key, index) => {
      keyspace.setNextRevision(100 + index);
      return elementsOf(keyspace, fill(keyspace, key, counts[index] as number));
    });
    const text = place(keyspace, 1, "text");
    text.database.put(findAt(text), text.bytes, 0, text.end, 0, 0, 0);

    const walk = new EntryWalk(keyspace.arena);
    walk.types.add(LIST, new ChainedList(keyspace.arena));
    const stored: { entry: StoredEntry; key: Buffer; value: Buffer }[] = [];
    while (walk.next()) {
      const { entry } = walk;
      const key = Buffer.from((entry.keyBytes as Buffer).subarray(entry.keyStart, entry.keyEnd));
      const value = Buffer.from(
        (entry.valueBytes as Buffer).subarray(entry.valueStart, entry.valueEnd),
      );
      stored.push({ entry: { ...entry }, key, value });
    }
    expect(stored.length).toBeGreaterThan(12);
    expect(stored.filter(({ entry }) => !entry.isContinued).length).toBe(5);

    const other = createKeyspace();
    const loading = new EntryLoad(other);
    for (const { entry, key, value } of stored) {
      const spans = { keyStart: 0, keyEnd: key.length, valueStart: 0, valueEnd: value.length };
      const database = other.databases[entry.database] as Database;
      loading.add(database, { ...entry, keyBytes: key, valueBytes: value, ...spans });
    }
    loading.finish();
    expect(other.changes).toBe(0);
    for (const [index, key] of ["empty", "short", "long", "longer"].entries()) {
      const at = place(other, 0, key);
      expect(elementsOf(other, findAt(at))).toBe(texts[index] as string);
    }
    expect(other.databases[0]?.expires).toBe(4);
    expect(other.databases[1]?.size).toBe(1);
  });

  describe("elements that are none are damage, with database and key", () => {
    const stored = (key: string, value: string, more: Partial<StoredEntry> = {}): StoredEntry => ({
      database: 1,
      type: "list",
      keyBytes: Buffer.from(key),
      keyStart: 0,
      keyEnd: key.length,
      valueBytes: Buffer.from(value),
      valueStart: 0,
      valueEnd: value.length,
      deadlineMs: 0,
      version: 1,
      isTimed: false,
      isContinued: false,
      ...more,
    });
    const goesOn = { isContinued: true };

    test.each<[string, StoredEntry[]]>([
      ["longer than their run", [stored("k", "\x03ab")]],
      ["of another key", [stored("k", "\x01a", goesOn), stored("l", "\x01b")]],
      ["of no list", [stored("k", "\x01a", goesOn), stored("l", "b", { type: "string" })]],
      ["that do not come", [stored("k", "\x01a", goesOn)]],
    ])("%s", (_, entries) => {
      const keyspace = createKeyspace();
      const loading = new EntryLoad(keyspace);
      const load = () => {
        for (const entry of entries) loading.add(keyspace.databases[1] as Database, entry);
        loading.finish();
      };
      expect(load).toThrow(KvdbError);
      expect(load).toThrow(/database 1, key "k"/);
    });
  });
});
