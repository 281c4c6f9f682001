/**
 * The dictionary against a Map: finding, inserting, removing; growth, splitting, merging, halving; SCAN's promise while
 * the table changes; random picks; freeing in slices.
 */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { Arena, CHUNK_SHIFT, copyBytes, UNIT_MASK } from "../../../src/store/arena.ts";
import { Dictionary, ROOT_UNITS } from "../../../src/store/dictionary.ts";
import { LONG_KEY } from "../../../src/store/entry.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { seeds } from "../../suites/seeds.ts";

const KEY_OFFSET = 8;
/** Words of the root: see dictionary.ts. */
const DEPTH = 1;

/** A table of entries that are nothing but a header and a key, beside a Map of the same. */
class Model {
  readonly arena = new Arena();
  readonly audit = new PageAudit(this.arena);
  readonly table = new Dictionary(this.arena, KEY_OFFSET);
  readonly root = this.arena.allocate(ROOT_UNITS);
  readonly entries = new Map<string, number>();
  readonly random: Random;
  readonly startBytes = this.arena.usedBytes;
  readonly #hashOf: (key: string) => number;

  constructor(seed: number, hashOf: (key: string) => number = wellSpread) {
    this.random = seededRandom(seed);
    this.#hashOf = hashOf;
    this.table.create(this.root);
  }

  get depth(): number {
    return this.arena.ints[0]?.[(this.root << 1) + DEPTH] as number;
  }

  find(key: string): number {
    const bytes = Buffer.from(key);
    return this.table.find(this.root, this.#hashOf(key), bytes, 0, bytes.length);
  }

  insert(key: string): void {
    expect(this.find(key)).toBe(0);
    const entry = this.#newEntry(Buffer.from(key));
    this.table.insert(this.root, this.#hashOf(key), entry);
    this.entries.set(key, entry);
  }

  remove(key: string): void {
    const entry = this.find(key);
    expect(entry).toBe(this.entries.get(key) as number);
    expect(this.table.hash).toBe(this.#hashOf(key));
    this.table.remove(this.root);
    this.freeEntry(entry);
    this.entries.delete(key);
  }

  /** Gives the entry another address, as a value that grows does. */
  move(key: string): void {
    const entry = this.find(key);
    const moved = this.#newEntry(Buffer.from(key));
    this.table.replace(moved);
    this.freeEntry(entry);
    this.entries.set(key, moved);
  }

  #newEntry(key: Buffer): number {
    const units = entryUnits(key.length);
    const entry = this.arena.allocate(units);
    const bytes = this.arena.edit(entry, units);
    const at = (entry & UNIT_MASK) << 3;
    bytes.fill(0, at, at + KEY_OFFSET);
    let from = at + KEY_OFFSET;
    bytes[at] = Math.min(key.length, LONG_KEY);
    if (key.length >= LONG_KEY) {
      this.arena.editInts(entry, units)[from >> 2] = key.length;
      from += 4;
    }
    copyBytes(key, 0, bytes, from, key.length);
    return entry;
  }

  freeEntry = (entry: number): void => {
    this.arena.release(entry, entryUnits(this.keyOf(entry).length));
  };

  keyOf(entry: number): string {
    const bytes = this.arena.bytes[entry >>> CHUNK_SHIFT] as unknown as Buffer;
    let at = (entry & UNIT_MASK) << 3;
    let size = bytes[at] as number;
    at += KEY_OFFSET;
    if (size === LONG_KEY) {
      size = bytes.readUInt32LE(at);
      at += 4;
    }
    return bytes.toString("utf8", at, at + size);
  }

  anyKey(): string {
    const keys = [...this.entries.keys()];
    return keys[this.random.below(keys.length)] as string;
  }

  requireSame(): void {
    expect(this.table.count(this.root)).toBe(this.entries.size);
    const seen = new Set<string>();
    this.table.each(this.root, (entry) => {
      const key = this.keyOf(entry);
      expect(this.entries.get(key)).toBe(entry);
      expect(seen.has(key)).toBeFalse();
      seen.add(key);
    });
    expect(seen.size).toBe(this.entries.size);
    this.audit.check();
  }
}

function entryUnits(keyBytes: number): number {
  return (KEY_OFFSET + (keyBytes >= LONG_KEY ? 4 : 0) + keyBytes + 7) >>> 3;
}

function wellSpread(key: string): number {
  return Bun.hash.xxHash32(key) | 0;
}

/** 256 hashes: many entries share one, and in a segment all press on four slots. */
function poorlySpread(key: string): number {
  return wellSpread(key) & 0xfc000003;
}

const shortKey = (random: Random) => `k${random.below(6000)}`;
/** Lengths around 255, where the length moves out of the header. */
const longKey = (random: Random) => `${random.below(40)}`.padEnd(250 + random.below(10), "x");

const tables = [
  { name: "short keys", keyOf: shortKey, hashOf: wellSpread },
  { name: "long keys", keyOf: longKey, hashOf: wellSpread },
  { name: "few hashes", keyOf: shortKey, hashOf: poorlySpread },
];

describe.each(tables)("random changes, $name", ({ keyOf, hashOf }) => {
  test.each(seeds(3))("seed %d", (seed) => {
    const model = new Model(seed, hashOf);
    const { random, entries } = model;
    for (let step = 0; step < 20_000; step++) {
      const key = keyOf(random);
      const grows = step % 10_000 < 5000;
      if (!entries.has(key)) {
        if (random.below(100) < (grows ? 90 : 10)) model.insert(key);
        else expect(model.find(key)).toBe(0);
      } else if (random.below(100) < (grows ? 10 : 80)) model.remove(key);
      else model.move(key);
      if (step % 500 === 0) model.requireSame();
    }
    for (const key of [...entries.keys()]) model.remove(key);
    model.requireSame();
    expect(model.arena.usedBytes).toBe(model.startBytes);
  });
});

describe("size", () => {
  test("grows with its entries and shrinks with them", () => {
    const model = new Model(1);
    const tableBytes = () => {
      let entryBytes = 0;
      for (const key of model.entries.keys()) entryBytes += entryUnits(key.length) * 8;
      return model.arena.usedBytes - model.startBytes - entryBytes;
    };
    for (let i = 0; i < 50_000; i++) model.insert(`k${i}`);
    expect(model.depth).toBeGreaterThanOrEqual(7);
    expect(tableBytes()).toBeLessThan(50_000 * 8 * 2.2);
    for (let i = 0; i < 49_000; i++) model.remove(`k${i}`);
    expect(tableBytes()).toBeLessThan(1000 * 8 * 16);
    for (let i = 49_000; i < 49_990; i++) model.remove(`k${i}`);
    expect(model.depth).toBe(0);
    expect(tableBytes()).toBeLessThan(10 * 8 * 32);
    model.requireSame();
  });

  test("an entry's share of the table is what the table takes", () => {
    const model = new Model(1);
    model.insert("a");
    model.find("a");
    expect(model.table.shareBytes).toBe(9 * 8);
    model.insert("b");
    model.find("a");
    expect(model.table.shareBytes).toBe(36);
  });
});

/** Walks the whole table in steps of `wanted`; `between` runs after each. Answers every key with how often it came. */
function scanAll(model: Model, wanted: () => number, between: () => void): Map<string, number> {
  const counts = new Map<string, number>();
  const found: number[] = [];
  for (let cursor = 0; ; ) {
    const next = model.table.scan(model.root, cursor, wanted(), found);
    for (const entry of found) {
      const key = model.keyOf(entry);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    if (next === 0) return counts;
    expect(next).toBeGreaterThan(cursor);
    expect(next).toBeLessThan(2 ** 32);
    cursor = next;
    between();
  }
}

describe.each([
  { name: "well spread", hashOf: wellSpread },
  { name: "few hashes", hashOf: poorlySpread },
])("scan, $name", ({ hashOf }) => {
  test("answers each entry once when nothing changes", () => {
    for (const size of [0, 1, 5, 6, 7, 300, 410, 3000]) {
      const model = new Model(size, hashOf);
      for (let i = 0; i < size; i++) model.insert(`k${i}`);
      for (const wanted of [1, 10, 1000, 2 ** 40]) {
        const counts = scanAll(
          model,
          () => wanted,
          () => {},
        );
        expect(counts.size).toBe(size);
        expect(new Set(counts.values()).size).toBe(size === 0 ? 0 : 1);
      }
    }
  });

  test.each(seeds(6))("answers what stays, whatever comes and goes: seed %d", (seed) => {
    const model = new Model(seed, hashOf);
    const { random, entries } = model;
    const stable = Array.from({ length: 1 + random.below(2000) }, (_, i) => `stable${i}`);
    for (const key of stable) model.insert(key);
    const grows = random.below(2) === 0;
    if (!grows) for (let i = 0; i < 6000; i++) model.insert(`v${i}`);
    let next = grows ? 0 : 5999;
    const counts = scanAll(
      model,
      () => 1 + random.below(20),
      () => {
        for (let i = random.below(60); i > 0; i--) {
          if (grows && next < 6000) model.insert(`v${next++}`);
          else if (!grows && next >= 0) model.remove(`v${next--}`);
        }
        if (random.below(10) === 0) model.move(stable[random.below(stable.length)] as string);
      },
    );
    for (const key of stable) expect([key, counts.get(key)]).toEqual([key, 1]);
    expect([...counts.values()].every((count) => count === 1)).toBeTrue();
    expect(entries.size).toBeGreaterThanOrEqual(stable.length);
    model.requireSame();
  });

  test("a step answers about as many as wanted", () => {
    const model = new Model(1, wellSpread);
    for (let i = 0; i < 20_000; i++) model.insert(`k${i}`);
    const found: number[] = [];
    for (const wanted of [1, 10, 100, 1000]) {
      model.table.scan(model.root, 2 ** 31, wanted, found);
      expect(found.length).toBeGreaterThanOrEqual(wanted);
      expect(found.length).toBeLessThan(1.5 * wanted + 10);
    }
  });
});

test.each([3, 200, 5000])("random picks are uniform among %d entries", (size) => {
  const model = new Model(size);
  for (let i = 0; i < size; i++) model.insert(`k${i}`);
  const picks = 200 * size;
  const counts = new Map<number, number>();
  for (let i = 0; i < picks; i++) {
    const entry = model.table.random(model.root, (bound) => model.random.below(bound));
    counts.set(entry, (counts.get(entry) ?? 0) + 1);
  }
  // Pearson's test: the sum is about size - 1, with a standard deviation of sqrt(2 (size - 1)).
  let deviation = 0;
  for (const entry of model.entries.values()) {
    deviation += ((counts.get(entry) ?? 0) - 200) ** 2 / 200;
  }
  expect(deviation).toBeLessThan(size - 1 + 6 * Math.sqrt(2 * (size - 1)));
});

test.each([0, 1, 100, 20_000])("a table of %d entries is freed in slices", (size) => {
  const model = new Model(1);
  for (let i = 0; i < size; i++) model.insert(`k${i}`);
  let freed = 0;
  let slices = 1;
  const freeEntry = (entry: number) => {
    freed++;
    model.freeEntry(entry);
  };
  while (!model.table.reap(model.root, freeEntry)) slices++;
  expect(freed).toBe(size);
  expect(slices).toBeGreaterThanOrEqual(size / 512);
  expect(model.arena.usedBytes).toBe(model.startBytes);
  expect(model.table.count(model.root)).toBe(0);
  model.audit.check();
});
