import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { CHUNK_SHIFT } from "../../../src/store/arena.ts";
import { inlineSize, PACKED, runCount, SET, valueWord } from "../../../src/store/entry.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import {
  afterString,
  contentAt,
  findInRun,
  lengthAt,
  numberAt,
  stringSpan,
  writeNumber,
  writeString,
} from "../../../src/store/packed-run.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { seeds } from "../../suites/seeds.ts";

const LENGTHS = [0, 1, 2, 29, 100, 253, 254, 255, 256, 70_000];

describe("strings", () => {
  test.each(LENGTHS)("of %i bytes: written, measured, read", (length) => {
    const bytes = Buffer.alloc(length + 2, "ab");
    const run = Buffer.alloc(stringSpan(length) + 6, 0xee);
    expect(writeString(run, 3, bytes, 1, 1 + length)).toBe(3 + stringSpan(length));
    expect(lengthAt(run, 3)).toBe(length);
    expect(afterString(run, 3)).toBe(3 + stringSpan(length));
    const at = contentAt(run, 3);
    expect(run.subarray(at, at + length).equals(bytes.subarray(1, 1 + length))).toBe(true);
    expect([run[2], run[3 + stringSpan(length)]]).toEqual([0xee, 0xee]);
  });

  test("are found by their bytes, whatever stands behind them", () => {
    for (const [strings, tail] of [
      [1, 0],
      [2, 0],
      [1, 8],
      [2, 8],
    ] as const) {
      const run = Buffer.alloc(200_000);
      const starts: number[] = [];
      let at = 5;
      for (const length of LENGTHS) {
        starts.push(at);
        at = writeString(run, at, Buffer.alloc(length, "x"), 0, length);
        if (strings === 2) at = writeString(run, at, Buffer.from("value"), 0, 5);
        if (tail > 0) at = writeNumber(run, at, length);
      }
      for (const [index, length] of LENGTHS.entries()) {
        const sought = Buffer.alloc(length + 1, "x");
        const found = findInRun(run, 5, at, strings, tail, sought, 1, 1 + length);
        expect(found).toBe(starts[index] as number);
      }
      expect(findInRun(run, 5, at, strings, tail, Buffer.from("y"), 0, 1)).toBe(-1);
    }
  });

  test.each([0, -0, 1.5, -1e300, Number.POSITIVE_INFINITY, 2 ** 53 - 1])("number %p", (value) => {
    const run = Buffer.alloc(12);
    expect(writeNumber(run, 3, value)).toBe(11);
    expect(Object.is(numberAt(run, 3), value)).toBe(true);
    expect(run.readDoubleLE(3)).toBe(value);
  });
});

/** Random edits of the runs of a few keys against buffers. */
describe("Database.splice", () => {
  test.each(seeds(4))("seed %i: what is not addressed stays, the count is kept", (seed) => {
    const random = seededRandom(seed);
    const keyspace = new Keyspace({ databases: 1, hashKey: [1, 2], random, nowMs: 1000 });
    const audit = new PageAudit(keyspace.arena);
    const { arena } = keyspace;
    const [database] = keyspace.databases;
    if (database === undefined) throw new Error("no database");
    const before = arena.usedBytes;
    const models = new Map<string, Buffer>();
    for (let step = 0; step < 2000; step++) {
      const key = Buffer.from(`key${random.below(5)}`);
      const name = key.toString();
      const count = random.below(4096);
      const model = models.get(name) ?? Buffer.alloc(0);
      let entry = database.find(key, 0, key.length);
      expect(entry !== 0).toBe(models.has(name));
      if (entry === 0) entry = database.create(key, 0, key.length, SET | (PACKED << 4), 0, 0);
      else if (random.below(20) === 0) {
        database.remove(entry);
        models.delete(name);
        continue;
      } else if (random.below(10) === 0) {
        entry = database.setDeadline(entry, random.below(2) === 0 ? 0 : 1e12);
      }
      const at = random.below(model.length + 1);
      const removed = random.below(Math.min(model.length - at, 40) + 1);
      const inserted = Buffer.from(
        Array.from({ length: random.below(40) }, () => random.below(256)),
      );
      entry = database.splice(entry, SET, at, removed, inserted.length, count);
      inserted.copy(
        arena.edit(entry, 1 + ((inlineSize(arena, entry) + 40) >> 3)),
        database.valueStart + at,
      );
      const expected = Buffer.concat([
        model.subarray(0, at),
        inserted,
        model.subarray(at + removed),
      ]);
      models.set(name, expected);
      const found = database.find(key, 0, key.length);
      expect(found).toBe(entry);
      const run = arena.bytes[entry >>> CHUNK_SHIFT] as Buffer;
      const { valueStart } = database;
      expect(run.subarray(valueStart, valueStart + expected.length).equals(expected)).toBe(true);
      expect(inlineSize(arena, entry)).toBe(expected.length);
      expect(runCount(valueWord(arena, entry))).toBe(count);
      audit.check();
    }
    for (const name of models.keys()) {
      const key = Buffer.from(name);
      database.remove(database.find(key, 0, key.length));
    }
    expect(arena.usedBytes - before).toBeLessThan(8192); // the wheel of the deadlines stays
  });
});
