/** The tree of indexes against a sorted array: keys of all shapes come and go, ranks, walks both ways, freeing. */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { Arena, D_QUEUED, PAGE_BYTES, UNIT_BYTES } from "../../../src/store/arena.ts";
import type { Database } from "../../../src/store/database.ts";
import { D_ACCOUNT } from "../../../src/store/database-record.ts";
import { INDEX_TREE, STRUCTURE } from "../../../src/store/entry.ts";
import { KeyTree } from "../../../src/store/key-tree.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import { unitsOf } from "../../../src/store/structure.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { seeds } from "../../suites/seeds.ts";
import { comparePairs, KeyTreeCheck, type Pair } from "./key-tree-check.ts";

/** Words of account in chunk 0 that nobody else uses. */
const ACCOUNT = D_QUEUED + 1;

class Model {
  readonly arena = new Arena();
  readonly audit = new PageAudit(this.arena);
  readonly tree = new KeyTree(this.arena);
  readonly cursor = this.tree.createCursor();
  readonly nodes = new KeyTreeCheck(this.arena);
  readonly root = this.tree.create(ACCOUNT);
  pairs: Pair[] = [];
  readonly #frame = Buffer.alloc(1100, 0x55);

  /** The key somewhere within other bytes, as it is in a request. */
  #place(key: Buffer): number {
    const start = key.length % 7;
    key.copy(this.#frame, start);
    return start;
  }

  /** Pairs before this one; `isPast`: or equal to it. */
  indexOf(pair: Pair, isPast = false): number {
    let low = 0;
    let high = this.pairs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const difference = comparePairs(this.pairs[middle] as Pair, pair);
      if (difference < 0 || (isPast && difference === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(pair: Pair): void {
    const start = this.#place(pair.key);
    this.tree.insert(this.root, ACCOUNT, this.#frame, start, start + pair.key.length, pair.number);
    this.pairs.splice(this.indexOf(pair), 0, pair);
  }

  remove(pair: Pair): void {
    const start = this.#place(pair.key);
    const end = start + pair.key.length;
    const index = this.indexOf(pair);
    const isThere = index < this.indexOf(pair, true);
    expect(this.tree.has(this.root, this.#frame, start, end, pair.number)).toBe(isThere);
    const isRemoved = this.tree.remove(this.root, ACCOUNT, this.#frame, start, end, pair.number);
    expect(isRemoved).toBe(isThere);
    if (isThere) this.pairs.splice(index, 1);
  }

  /** Ranks of the key, and a few steps from where it belongs. */
  look(pair: Pair): void {
    const { tree, cursor, root } = this;
    const start = this.#place(pair.key);
    const end = start + pair.key.length;
    const first = this.indexOf({ ...pair, number: 0 });
    const past = this.indexOf({ ...pair, number: 0xffffffff }, true);
    expect(tree.rank(root, this.#frame, start, end, false)).toBe(first);
    expect(tree.rank(root, this.#frame, start, end, true)).toBe(past);
    cursor.seek(root, this.#frame, start, end, pair.number);
    this.#steps(this.indexOf(pair));
    cursor.seek(root, this.#frame, start, end);
    this.#steps(first);
    cursor.seekRank(root, past);
    this.#steps(past);
  }

  /** The cursor stands before the pair of this rank. */
  #steps(rank: number): void {
    const { cursor } = this;
    for (let at = rank; at > rank - 3; at--) {
      expect(cursor.previous()).toBe(at > 0);
      if (at <= 0) break;
      this.#expectHere(at - 1);
    }
    for (let at = Math.max(0, rank - 3); at < rank + 3; at++) {
      expect(cursor.next()).toBe(at < this.pairs.length);
      if (at >= this.pairs.length) break;
      this.#expectHere(at);
    }
  }

  #expectHere(rank: number): void {
    const { cursor } = this;
    const pair = this.pairs[rank] as Pair;
    const key = Buffer.from(cursor.bytes.subarray(cursor.start, cursor.end));
    if (cursor.number !== pair.number || !key.equals(pair.key)) {
      expect<Pair>({ key, number: cursor.number }).toEqual(pair);
    }
  }

  check(): void {
    const { cursor, root, pairs } = this;
    const { units } = this.nodes.check(root);
    expect(this.arena.doubles[0]?.[ACCOUNT]).toBe(units);
    expect(this.tree.size(root)).toBe(pairs.length);
    cursor.seekRank(root, 0);
    for (let rank = 0; cursor.next(); rank++) this.#expectHere(rank);
    cursor.seekEnd(root);
    let rank = pairs.length;
    while (cursor.previous()) this.#expectHere(--rank);
    expect(rank).toBe(0);
    this.audit.check();
  }

  free(): number {
    let calls = 1;
    this.arena.account = ACCOUNT;
    while (!this.tree.reap(this.root)) calls++;
    expect(this.arena.doubles[0]?.[ACCOUNT]).toBe(0);
    this.audit.check();
    return calls;
  }
}

/** Ways to make keys, each with a few that are often met again. */
const SHAPES: Record<string, (random: Random) => Buffer> = {
  digests: (random) => {
    const key = Buffer.alloc(8);
    key.writeDoubleBE(random.below(2 ** 31) * 2 ** 31);
    return key;
  },
  names: (random) => Buffer.from(`user:${random.below(3000)}`),
  "few keys": (random) => Buffer.from(["Bern", "Berlin", "Bonn", ""][random.below(4)] as string),
  "bytes at the ends": (random) =>
    Buffer.from(
      Array.from({ length: random.below(6) }, () => [0, 1, 254, 255][random.below(4)] as number),
    ),
  "long keys": (random) => Buffer.alloc(1024 - random.below(3), 97 + random.below(200)),
  "long prefixes": (random) => {
    const key = Buffer.alloc(random.below(5) === 0 ? random.below(1023) : 1000, 120);
    return Buffer.concat([key, Buffer.from(["", "a", "zz", "\0"][random.below(4)] as string)]);
  },
  "runs of long keys": (random) => {
    const key = Buffer.alloc(1020, 120);
    if (random.below(20) === 0) key[random.below(1020)] = 119 + random.below(3);
    return key;
  },
  "all of them": (random) => {
    const shapes = Object.values(SHAPES);
    return (shapes[random.below(shapes.length - 1)] as (random: Random) => Buffer)(random);
  },
};

describe.each(seeds(3))("seed %d", (seed) => {
  test.each(Object.keys(SHAPES))("%s come and go", (name) => {
    const random = seededRandom(seed);
    const makeKey = SHAPES[name] as (random: Random) => Buffer;
    const model = new Model();
    const makePair = (): Pair => {
      const number = random.below(3) === 0 ? random.below(4) : random.below(2 ** 32);
      const found = model.pairs[random.below(Math.max(1, model.pairs.length))];
      if (found === undefined || random.below(4) > 0) return { key: makeKey(random), number };
      return random.below(2) === 0 ? found : { ...found, number };
    };
    for (let step = 0; step < 5000; step++) {
      // Now more, now fewer.
      const isGrowing = Math.floor(step / 1250) % 2 === 0;
      const pair = makePair();
      if (random.below(10) < (isGrowing ? 8 : 2)) model.insert(pair);
      else {
        model.remove(pair);
        const found = model.pairs[random.below(Math.max(1, model.pairs.length))];
        if (found !== undefined) model.remove(found);
      }
      if (step % 10 === 0) model.look(makePair());
      if (step % 100 === 0) model.check();
    }
    while (model.pairs.length > 0) {
      const at = random.below(2) === 0 ? 0 : random.below(model.pairs.length);
      model.remove(model.pairs[at] as Pair);
      if (model.pairs.length % 100 === 0) model.check();
    }
    model.free();
  });
});

describe("memory", () => {
  const COUNT = 30_000;
  /** Bytes a pair of a tree of pairs with these keys, and random numbers; all is as it should be. */
  function bytesPerPair(makeKey: (index: number) => Buffer): number {
    const random = seededRandom(7);
    const model = new Model();
    for (let i = 0; i < COUNT; i++) {
      const key = makeKey(i);
      model.tree.insert(model.root, ACCOUNT, key, 0, key.length, random.below(2 ** 32));
    }
    const { units, leaves } = model.nodes.check(model.root);
    model.audit.check();
    // 64 leaves a call at most, and the nodes above them.
    expect(model.free()).toBeGreaterThanOrEqual(Math.floor(leaves / 64));
    return (units * 8) / COUNT;
  }

  test("random digests, in any order", () => {
    const random = seededRandom(8);
    const digest = (): Buffer => {
      const key = Buffer.alloc(8);
      for (let i = 0; i < 8; i++) key[i] = random.below(256);
      return key;
    };
    expect(bytesPerPair(digest)).toBeLessThan(18.5);
    const sorted = Array.from({ length: COUNT }, digest).sort(Buffer.compare);
    expect(bytesPerPair((index) => sorted[index] as Buffer)).toBeLessThan(12.5);
  });

  test("names, in any order", () => {
    const name = (index: number): Buffer =>
      Buffer.from(`user:${String((index * 7919) % COUNT).padStart(9, "0")}`);
    expect(bytesPerPair(name)).toBeLessThan(11);
  });

  test("a key of many documents", () => {
    expect(bytesPerPair(() => Buffer.from("Amsterdam"))).toBeLessThan(6.5);
    const long = Buffer.alloc(1024, 120);
    expect(bytesPerPair(() => long)).toBeLessThan(500);
  });
});

test("keys of the greatest length are two to a leaf at least", () => {
  const random = seededRandom(9);
  const model = new Model();
  for (let i = 0; i < 2000; i++) {
    const key = Buffer.alloc(1024);
    for (let at = 0; at < 1024; at++) key[at] = random.below(256);
    model.insert({ key, number: i });
  }
  model.check();
  const { leaves, units } = model.nodes.check(model.root);
  expect(leaves).toBeLessThan(1000);
  expect(units * 8).toBeLessThan(2000 * 1024 * 1.8);
  model.free();
});

test("one more byte is refused", () => {
  const model = new Model();
  const key = Buffer.alloc(1025);
  expect(() => model.tree.insert(model.root, ACCOUNT, key, 0, 1025, 1)).toThrow();
  model.check();
});

test("a byte that changes without being edited is found, in each page of the tree", () => {
  const model = new Model();
  const key = Buffer.alloc(8);
  for (let i = 0; i < 10_000; i++) {
    key.writeUInt32BE(i, 2);
    model.tree.insert(model.root, ACCOUNT, key, 0, 8, i);
  }
  model.audit.check();
  const chunk = model.arena.bytes[0] as unknown as Buffer;
  const first = Math.floor((model.root * UNIT_BYTES) / PAGE_BYTES);
  const last = first + Math.floor((unitsOf(model.arena, model.root) * UNIT_BYTES) / PAGE_BYTES);
  expect(last - first).toBeGreaterThan(5);
  for (let page = first; page < last; page++) {
    const at = page * PAGE_BYTES + PAGE_BYTES - 1;
    const byte = chunk[at] as number;
    chunk[at] = byte ^ 1;
    expect(() => model.audit.check()).toThrow(`page ${page} changed untouched`);
    chunk[at] = byte;
  }
  model.audit.check();
});

test("a tree on a database's account is queued, and freed in slices", () => {
  const keyspace = new Keyspace({
    databases: 2,
    hashKey: [1, 2],
    random: seededRandom(1),
    nowMs: 1000,
  });
  const audit = new PageAudit(keyspace.arena);
  const { record } = keyspace.databases[0] as Database;
  const account = record + D_ACCOUNT;
  const { keyTree } = keyspace.collections;
  const before = keyspace.arena.usedBytes;
  const units = (): number => keyspace.arena.doubles[0]?.[account] as number;
  const unitsBefore = units();
  const root = keyTree.create(account);
  const key = Buffer.alloc(8);
  for (let i = 0; i < 100_000; i++) {
    key.writeDoubleBE(i);
    keyTree.insert(root, account, key, 0, 8, i);
  }
  expect(units() - unitsBefore).toBe(unitsOf(keyspace.arena, root));
  audit.check();
  keyspace.arena.account = account;
  keyspace.graves.dropStructure((STRUCTURE << 4) | INDEX_TREE, root);
  expect(units()).toBe(unitsBefore);
  expect(keyspace.arena.usedBytes - before).toBeLessThan(100);
  let slices = 1;
  while (!keyspace.reapSlice()) slices++;
  expect(slices).toBeGreaterThan(10);
  expect(keyspace.arena.usedBytes).toBe(before);
  audit.check();
});
