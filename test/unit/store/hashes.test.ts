/** Hashes against a naive model: small and big, on the way between them, with deadlines, copied, moved, freed, loaded. */
import { describe, expect, test } from "bun:test";
import type { Database } from "../../../src/store/database.ts";
import { ElementPart } from "../../../src/store/element-part.ts";
import { HASH } from "../../../src/store/entry.ts";
import { EntryLoad } from "../../../src/store/entry-load.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { entryBytes } from "../../../src/store/memory-breakdown.ts";
import { seeds } from "../../suites/seeds.ts";
import { HashModel } from "./hash-model.ts";

const SECOND = 1000;
const TICK_MS = 16;

function someField(model: HashModel, distinct: number): string {
  const { random } = model;
  const name = `f${random.below(distinct)}`;
  return random.below(30) === 0 ? name.padEnd(random.below(2) === 0 ? 60 : 300, "x") : name;
}

function someValue(model: HashModel): string {
  const { random } = model;
  const length = random.below(40) === 0 ? random.below(700) : random.below(12);
  return String(random.below(10)).repeat(length);
}

function someDeadline(model: HashModel): number {
  const { random, keyspace } = model;
  const ahead = random.below(4) === 0 ? 3600 * SECOND : 20 * SECOND;
  return keyspace.nowMs + 1 + random.below(ahead);
}

function step(model: HashModel, distinct: number): void {
  const { random } = model;
  const key = `k${random.below(6)}`;
  const field = someField(model, distinct);
  const kind = random.below(100);
  if (kind < 55) model.set(key, field, someValue(model), random.below(3) === 0);
  else if (kind < 70) model.remove(key, field);
  else if (kind < 88)
    model.setDeadline(key, field, random.below(4) === 0 ? 0 : someDeadline(model));
  else if (kind < 90) model.transfer(key, `k${random.below(6)}`, random.below(2) === 0);
  else if (kind < 91) model.removeKey(key);
  else if (kind < 98) model.keyspace.nowMs += random.below(200);
  else model.expireDue(random.below(4));
}

describe("against a naive model", () => {
  test.each(seeds(8))("random operations: seed %d", (seed) => {
    const model = new HashModel(seed);
    const { limits } = model.keyspace.collections;
    for (let round = 0; round < 12; round++) {
      limits.hashEntries = [4, 128, 512][model.random.below(3)] as number;
      limits.hashValueBytes = [8, 64, 1024][model.random.below(3)] as number;
      const distinct = [10, 100, 1500][model.random.below(3)] as number;
      for (let i = 0; i < 700; i++) step(model, distinct);
      model.requireSame();
    }
    for (const key of [...model.map.keys()]) model.requireUnits(key);
    for (const key of [...model.map.keys()]) model.removeKey(key);
    model.reap();
    model.keyspace.flush(0);
    model.reap();
    model.audit.check();
    expect(model.keyspace.arena.usedBytes).toBe(model.startBytes);
  });

  test.each(seeds(4))("many fields and few keys: seed %d", (seed) => {
    const model = new HashModel(seed);
    for (let i = 0; i < 20_000; i++) {
      const field = someField(model, 8000);
      const kind = model.random.below(10);
      if (kind < 6) model.set("big", field, someValue(model));
      else if (kind < 8) model.remove("big", field);
      else model.setDeadline("big", field, someDeadline(model));
    }
    model.requireSame();
    model.requireUnits("big");
    expect(model.keyspace.arena.doubles[0]?.[9]).toBe(0); // nothing is queued
  });
});

describe("deadlines", () => {
  test.each([
    ["a small hash", 20],
    ["a big hash", 5000],
  ])("no field of %s is late, and the key goes with the last one", (_, count) => {
    const model = new HashModel(count);
    for (let i = 0; i < count; i++) {
      model.set("h", `f${i}`, "v");
      model.setDeadline("h", `f${i}`, model.keyspace.nowMs + 1 + model.random.below(30 * SECOND));
    }
    const end = model.keyspace.nowMs + 30 * SECOND;
    while (model.keyspace.nowMs < end + TICK_MS) {
      model.keyspace.nowMs += 1 + model.random.below(900);
      while (!model.expireDue(1 + model.random.below(3)));
      for (const [field, { deadlineMs }] of model.map.get("h") ?? []) {
        const lateMs = model.keyspace.nowMs - deadlineMs;
        if (lateMs >= TICK_MS) throw new Error(`${field} is ${lateMs} ms late`);
      }
    }
    expect(model.map.size).toBe(0);
    expect(model.database.size).toBe(0);
    expect(model.database.deadlines.timedHashes).toBe(0);
    model.requireSame();
  });

  test("all fields of a big hash are over at once: a call removes a bounded number", () => {
    const model = new HashModel(1);
    for (let i = 0; i < 5000; i++) {
      model.set("h", `f${i}`, "v");
      model.setDeadline("h", `f${i}`, model.keyspace.nowMs + 100);
    }
    model.keyspace.nowMs += 200;
    const before = model.keyspace.statistics.expiredFields;
    model.find("h");
    const removed = model.keyspace.statistics.expiredFields - before;
    expect(removed).toBeGreaterThan(0);
    expect(removed).toBeLessThan(200);
    // What is still there is not seen.
    const entry = model.find("h");
    expect(model.hashes.liveCount(model.database, entry)).toBe(0);
    model.set("h", "f4999", "new");
    while (!model.expireDue(10));
    expect([...(model.map.get("h")?.keys() ?? [])]).toEqual(["f4999"]);
    model.requireSame();
  });

  test("reminders stay bounded, however often deadlines change", () => {
    const model = new HashModel(2);
    for (let i = 0; i < 600; i++) model.set("h", `f${i}`, "v");
    for (let i = 0; i < 60_000; i++) {
      model.setDeadline("h", `f${model.random.below(600)}`, someDeadline(model));
    }
    const entry = model.find("h");
    expect(entryBytes(model.database, entry)).toBeLessThan(600 * 40 + 60_000);
    while (!model.expireDue());
    model.requireSame();
  });
});

describe("the database's reminders of fields", () => {
  test.each(seeds(4))("stay bounded while deadlines move, and none is late: seed %d", (seed) => {
    const model = new HashModel(seed);
    const { random } = model;
    let most = 0;
    // Hashes that nobody touches meanwhile: sweeps must keep their reminders.
    for (let i = 0; i < 20; i++) {
      model.set(`quiet ${i}`, "f", "v");
      const ahead = 15 * SECOND + random.below(10 * SECOND);
      model.setDeadline(`quiet ${i}`, "f", model.keyspace.nowMs + ahead);
    }
    for (let i = 0; i < 40_000; i++) {
      const key = `h${random.below(40)}`;
      const field = `f${random.below(4)}`;
      const kind = random.below(20);
      if (kind < 6) model.set(key, field, "v", true);
      else if (kind < 19) model.setDeadline(key, field, someDeadline(model));
      else model.transfer(key, `h${random.below(40)}`, random.below(2) === 0);
      if (random.below(10) > 0) continue;
      model.keyspace.nowMs += random.below(6);
      model.expireDue(random.below(3));
      most = Math.max(most, model.reminders());
    }
    // Twice the hashes, the slack of the sweep, and what comes while one is under way.
    expect(most).toBeLessThan(2 * 60 + 1024 + 1024);
    for (let i = 0; i < 400; i++) {
      model.keyspace.nowMs += random.below(100);
      while (!model.expireDue(1 + random.below(5)));
      model.requireNoneLate(TICK_MS);
    }
    model.requireSame();
  });
});

describe("a hash leaves the engine and comes back", () => {
  test.each([
    ["small", 40, false],
    ["small and timed", 40, true],
    ["big", 20_000, false],
    ["big and timed", 20_000, true],
  ])("%s", (_, count, isTimed) => {
    const model = new HashModel(count);
    for (let i = 0; i < count; i++) {
      model.set("h", `field ${i}`, `value ${i}`);
      if (isTimed && i % 3 === 0)
        model.setDeadline("h", `field ${i}`, model.keyspace.nowMs + i + 1);
    }
    const fields = model.map.get("h");
    expect(model.written(model.find("h"))).toEqual(fields as never);
    model.transfer("h", "copy", false);
    expect(model.written(model.find("copy"))).toEqual(fields as never);
    model.transfer("copy", "moved", true);
    expect(model.written(model.find("moved"))).toEqual(fields as never);
    model.requireSame();
    model.keyspace.nowMs += count + 100;
    while (!model.expireDue());
    model.requireSame();
  });

  test("through a checkpoint, in parts; fields expire afterwards as they would have", () => {
    const model = new HashModel(7);
    for (const [key, count] of [
      ["small", 40],
      ["big", 20_000],
    ] as const) {
      for (let i = 0; i < count; i++) {
        model.set(key, `field ${i}`, `value ${i}`);
        if (i % 3 === 0) model.setDeadline(key, `field ${i}`, model.keyspace.nowMs + i + 1);
      }
    }
    const walk = new EntryWalk(model.keyspace.arena);
    const loaded = new HashModel(8);
    loaded.keyspace.nowMs = model.keyspace.nowMs;
    const loading = new EntryLoad(loaded.keyspace);
    let parts = 0;
    while (walk.next()) {
      loading.add(loaded.database, walk.entry);
      parts++;
    }
    loading.finish();
    expect(parts).toBeGreaterThan(4);
    for (const [key, fields] of model.map) loaded.map.set(key, fields);
    loaded.requireSame();
    loaded.keyspace.nowMs += 10_000;
    while (!loaded.expireDue());
    expect(loaded.map.get("big")?.size).toBeLessThan(17_000);
    expect([...(loaded.map.get("small")?.keys() ?? [])]).toHaveLength(26);
    loaded.requireSame();
  });

  const bytes = (...parts: (string | number)[]) =>
    Buffer.concat(parts.map((part) => Buffer.from(typeof part === "string" ? part : [part])));

  test.each([
    ["a field without a value", bytes(1, "a"), false],
    ["a value that is cut off", bytes(1, "a", 5, "b"), false],
    ["a long length that is cut off", bytes(1, "a", 255, 1), false],
    ["no deadline", bytes(1, "a", 1, "b", 0, 0), true],
    ["the same field twice", bytes(1, "a", 1, "b", 1, "a", 1, "c"), false],
  ])("refused: %s", (_, run, isTimed) => {
    const model = new HashModel(1);
    const key = Buffer.from("h");
    const database = model.database as Database;
    const entry = database.put(database.find(key, 0, 1), key, 0, 1, HASH, 0, 0, 0);
    const elements = { run, at: 0, end: run.length, isTimed };
    expect(() => model.hashes.readPart(database, entry, elements)).toThrow(RangeError);
  });

  test("the same field twice, in a big one", () => {
    const model = new HashModel(1);
    model.keyspace.collections.limits.hashEntries = 0;
    const key = Buffer.from("h");
    const entry = model.database.put(model.database.find(key, 0, 1), key, 0, 1, HASH, 0, 0, 0);
    const part = new ElementPart();
    for (const text of ["a", "1", "a", "2"]) part.string(Buffer.from(text), 0, 1);
    const elements = { run: part.run, at: 0, end: part.end, isTimed: false };
    expect(() => model.hashes.readPart(model.database, entry, elements)).toThrow(RangeError);
  });
});
