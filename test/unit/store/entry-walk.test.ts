/** Walks through arenas, live and opened from an image, against the model; images that are none; loading into another. */
import { describe, expect, test } from "bun:test";
import { Arena, CHUNK_BYTES, CHUNK_UNITS } from "../../../src/store/arena.ts";
import { JSON_TEXT, STRING } from "../../../src/store/entry.ts";
import { EntryLoad } from "../../../src/store/entry-load.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { seeds } from "../../suites/seeds.ts";
import { KeyspaceModel } from "./keyspace-model.ts";
import { copyImage, readEntries, requireSameEntries } from "./stored-entries.ts";

const DAY_MS = 86_400_000;

/** Keys of all kinds in three databases; some are over when it is done, and nobody has removed them. */
function fill(seed: number, changes: number): KeyspaceModel {
  const model = new KeyspaceModel(seed);
  const { random, keyspace } = model;
  for (let i = 0; i < changes; i++) {
    const index = random.below(3);
    const key = random.below(50) === 0 ? "k".padEnd(300, "!") : `k${random.below(changes)}`;
    const value = Buffer.alloc(random.below(20) === 0 ? random.below(9000) : random.below(60), i);
    const draw = random.below(10);
    const deadlineMs = draw < 3 ? keyspace.nowMs + 1 + random.below(DAY_MS) : 0;
    if (draw < 8) model.put(index, key, value, deadlineMs, draw % 2 === 0 ? STRING : JSON_TEXT);
    else model.remove(index, key);
  }
  keyspace.nowMs += DAY_MS / 2;
  keyspace.noteRevision();
  return model;
}

describe("a walk", () => {
  test.each(seeds(3))("gives every entry that is not over, seed %d", (seed) => {
    const model = fill(seed, seed === 1 ? 100 : 20_000);
    const walk = new EntryWalk(model.keyspace.arena);
    const entries = readEntries(walk);
    requireSameEntries(entries, model.stored());
    expect(walk.entryCount).toBe(model.maps.reduce((sum, map) => sum + map.size, 0));
    expect(walk.entryCount).toBeGreaterThan(entries.size);
    expect(walk.revision).toBe(model.keyspace.nextRevision - 1);
    expect(walk.timeMs).toBe(model.keyspace.nowMs);
    expect(walk.next()).toBe(false);
  });

  test("gives what is over, too, where it is another server's to delete", () => {
    const { keyspace, maps } = fill(2, 1000);
    const deletes = readEntries(new EntryWalk(keyspace.arena, "stored"));
    const keys = maps.reduce((sum, map) => sum + map.size, 0);
    expect(readEntries(new EntryWalk(keyspace.arena, "all")).size).toBe(keys);
    keyspace.keepsExpired = true;
    keyspace.noteRevision();
    expect(readEntries(new EntryWalk(keyspace.arena, "stored")).size).toBe(keys);
    expect(readEntries(new EntryWalk(keyspace.arena)).size).toBe(deletes.size);
    expect(deletes.size).toBeLessThan(keys);
  });

  test("through an empty keyspace is over at once", () => {
    const walk = new EntryWalk(new KeyspaceModel(1).keyspace.arena);
    expect(walk.entryCount).toBe(0);
    expect(walk.next()).toBe(false);
  });

  test("leaves out what is over, also after everything was flushed and the time noted before", () => {
    const model = fill(1, 100);
    model.flushAll();
    model.put(0, "k", Buffer.from("v"), model.keyspace.nowMs - 1);
    expect(readEntries(new EntryWalk(model.keyspace.arena)).size).toBe(0);
  });
});

describe("an image", () => {
  test.each(seeds(2))("opens as the arena it was taken of, seed %d", (seed) => {
    const model = fill(seed, 5000);
    model.put(1, "giant", Buffer.alloc(3 * CHUNK_BYTES + 5, "giant!"), 0);
    model.put(2, "after", Buffer.alloc(100_000, 1), 0);
    model.keyspace.noteRevision();
    const image = copyImage(model.keyspace.arena);
    const expected = model.stored();
    model.flushAll();
    requireSameEntries(readEntries(new EntryWalk(Arena.open([image]))), expected);
  });

  test("opens from parts, with the giant whole in one of them", () => {
    const model = fill(1, 1000);
    model.put(0, "giant", Buffer.alloc(2 * CHUNK_BYTES, "giant!"), 0);
    const image = copyImage(model.keyspace.arena);
    const parts = [image.slice(0, CHUNK_BYTES), image.slice(CHUNK_BYTES)];
    const walk = new EntryWalk(Arena.open(parts));
    requireSameEntries(readEntries(walk), model.stored());
    const cut = [image.slice(0, 2 * CHUNK_BYTES), image.slice(2 * CHUNK_BYTES)];
    expect(() => Arena.open(cut)).toThrow(expect.objectContaining({ code: "DAMAGE" }));
  });

  test("is not written to", () => {
    const image = Arena.open([copyImage(fill(1, 100).keyspace.arena)]);
    const before = Buffer.from(image.bytes[0] as unknown as Buffer);
    expect(() => image.allocate(4)).toThrow("invariant broken");
    expect(() => image.allocate(CHUNK_UNITS)).toThrow("invariant broken");
    expect(() => image.edit(4096, 1)).toThrow("invariant broken");
    expect(() => image.release(4096, 4)).toThrow("invariant broken");
    expect(() => image.reset()).toThrow("invariant broken");
    expect(before.equals(image.bytes[0] as unknown as Buffer)).toBe(true);
  });

  test.each<[string, (image: Uint8Array) => Uint8Array[]]>([
    ["of no bytes", () => []],
    ["shorter than a superblock", (image) => [image.slice(0, 10_000)]],
    ["without the magic", (image) => [image.fill(0, 0, 1)]],
    ["of another layout", (image) => [image.fill(99, 4, 5)]],
    ["that ends too early", (image) => [image.slice(0, CHUNK_BYTES)]],
    ["that ends within a chunk", (image) => [image.slice(0, 2 * CHUNK_BYTES - 8192)]],
  ])("%s is refused", (_, damage) => {
    const model = new KeyspaceModel(1);
    for (let i = 0; i < 9; i++) model.put(0, `k${i}`, Buffer.alloc(3_000_000), 0);
    const parts = damage(copyImage(model.keyspace.arena));
    expect(() => Arena.open(parts)).toThrow(expect.objectContaining({ code: "DAMAGE" }));
  });
});

describe("loading", () => {
  /** The entries of `from`, loaded into another keyspace, with its model. */
  function load(from: KeyspaceModel): KeyspaceModel {
    const model = new KeyspaceModel(77);
    const loading = new EntryLoad(model.keyspace);
    model.keyspace.nowMs = from.keyspace.nowMs;
    const walk = new EntryWalk(from.keyspace.arena);
    while (walk.next()) loading.add(model.database(walk.entry.database), walk.entry);
    loading.finish();
    model.keyspace.setNextRevision(from.keyspace.nextRevision);
    from.maps.forEach((map, index) => {
      for (const [key, entry] of map) {
        const isOver = entry.deadlineMs !== 0 && entry.deadlineMs <= from.keyspace.nowMs;
        if (!isOver) model.maps[index]?.set(key, entry);
      }
    });
    return model;
  }

  test.each(seeds(3))("brings back everything, and it lives on, seed %d", (seed) => {
    const source = fill(seed, seed === 1 ? 100 : 20_000);
    source.put(1, "giant", Buffer.alloc(CHUNK_BYTES, "giant!"), 0);
    const model = load(source);
    expect(model.keyspace.changes).toBe(0);
    model.requireSame();
    model.put(0, "new", Buffer.from("value"), 0);
    model.keyspace.nowMs += DAY_MS;
    model.expireDue();
    expect(model.expiredCount).toBeGreaterThan(seed === 1 ? 3 : 1000);
    model.requireSame();
    for (let index = 0; index < 3; index++) model.flush(index);
    model.reap();
    model.requireSame();
    expect(model.keyspace.arena.usedBytes).toBe(model.startBytes);
  });

  test("of a key that is there replaces it, with or without a deadline", () => {
    const { keyspace } = new KeyspaceModel(1);
    const database = keyspace.databases[0];
    if (database === undefined) throw new Error("no database");
    const loading = new EntryLoad(keyspace);
    const add = (key: string, value: string, deadlineMs: number, version: number) => {
      const keyBytes = Buffer.from(key);
      const valueBytes = Buffer.from(value);
      const spans = { keyStart: 0, keyEnd: key.length, valueStart: 0, valueEnd: value.length };
      const type = "string" as const;
      const whole = { isTimed: false, isContinued: false, database: 0 };
      const entry = { type, keyBytes, valueBytes, deadlineMs, version, ...whole, ...spans };
      loading.add(database, entry);
    };
    const laterMs = keyspace.nowMs + DAY_MS;
    add("a", "first", laterMs, 2 ** 40);
    add("a", "second", 0, 2 ** 40 + 1);
    add("b", "", 0, 5);
    loading.finish();
    add("b", "long".repeat(100), laterMs, 6);
    add("b", "long".repeat(99), laterMs + 1, 7);
    loading.finish();
    expect(database.size).toBe(2);
    expect(database.expires).toBe(1);
    const entries = readEntries(new EntryWalk(keyspace.arena));
    const expected = { type: "string", value: Buffer.from("second"), deadlineMs: 0 };
    expect(entries.get("0 a")).toEqual({ ...expected, version: 2 ** 40 + 1 });
    const value = Buffer.from("long".repeat(99));
    expect(entries.get("0 b")).toEqual({ ...expected, value, deadlineMs: laterMs + 1, version: 7 });
    keyspace.flush(0);
    while (!keyspace.reapSlice());
    expect(keyspace.arena.usedBytes).toBe(new KeyspaceModel(1).keyspace.arena.usedBytes);
  });

  test("of an entry long ago over keeps it: what expires while loading, the records say", () => {
    const source = new KeyspaceModel(1);
    source.put(0, "k", Buffer.from("v"), source.keyspace.nowMs + 10);
    const { keyspace } = new KeyspaceModel(2);
    keyspace.nowMs = source.keyspace.nowMs + DAY_MS;
    const walk = new EntryWalk(source.keyspace.arena);
    const loading = new EntryLoad(keyspace);
    while (walk.next()) loading.add(keyspace.databases[walk.entry.database] as never, walk.entry);
    loading.finish();
    expect(keyspace.databases[0]?.size).toBe(1);
    expect(keyspace.changes).toBe(0);
  });
});
