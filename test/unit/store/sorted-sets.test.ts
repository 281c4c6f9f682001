/**
 * Sorted sets against a Map: random changes in the packed and in the big form and across the limit between them; order, ranks,
 * ranges; blocks and their units; out of the engine and back in; freed without a trace.
 */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import type { Database } from "../../../src/store/database.ts";
import { ElementPart } from "../../../src/store/element-part.ts";
import { valueWord } from "../../../src/store/entry.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import type { SortedSets } from "../../../src/store/sorted-sets.ts";
import { unitsOf } from "../../../src/store/structure.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { seeds } from "../../suites/seeds.ts";
import { walkSortedSet } from "./sorted-set-walk.ts";

const KEY = Buffer.from("key");

type Scored = readonly [member: string, score: number];

/** By score, then by bytes: members are latin1, so their order as strings is that of their bytes. */
function inOrder(members: Map<string, number>): Scored[] {
  return [...members].sort(([a, x], [b, y]) => (x !== y ? (x < y ? -1 : 1) : a < b ? -1 : 1));
}

class Model {
  readonly keyspace: Keyspace;
  readonly database: Database;
  readonly sets: SortedSets;
  readonly audit: PageAudit;
  readonly random: Random;
  readonly members = new Map<string, number>();
  readonly startBytes: number;
  #scores: number[];

  constructor(seed: number, limit: number, scores: number[]) {
    this.random = seededRandom(seed);
    this.keyspace = new Keyspace({
      databases: 1,
      hashKey: [seed, 2],
      random: this.random,
      nowMs: 0,
    });
    this.database = this.keyspace.databases[0] as Database;
    this.sets = this.keyspace.collections.sortedSets;
    this.keyspace.collections.limits.sortedSetEntries = limit;
    this.audit = new PageAudit(this.keyspace.arena);
    this.startBytes = this.keyspace.arena.usedBytes;
    this.#scores = scores;
  }

  get entry(): number {
    return this.database.find(KEY, 0, KEY.length);
  }

  set(member: string, score: number): void {
    const bytes = Buffer.from(member, "latin1");
    const { sets, database } = this;
    let entry = this.entry;
    if (entry === 0) entry = this.createEmpty();
    const isThere = sets.find(entry, bytes, 0, bytes.length);
    expect(isThere).toBe(this.members.has(member));
    if (isThere) {
      expect(sets.score).toBe(this.members.get(member) as number);
      entry = sets.rescore(database, entry, score, bytes, 0, bytes.length);
    } else entry = sets.add(database, entry, score, bytes, 0, bytes.length);
    this.members.set(member, score);
    expect(this.entry).toBe(entry);
  }

  createEmpty(): number {
    expect(this.entry).toBe(0);
    return this.sets.create(this.database, KEY, 0, KEY.length);
  }

  delete(member: string): void {
    const bytes = Buffer.from(member, "latin1");
    const { entry } = this;
    expect(this.sets.find(entry, bytes, 0, bytes.length)).toBeTrue();
    const left = this.sets.remove(this.database, entry);
    this.members.delete(member);
    expect(this.entry).toBe(left);
  }

  removeRanks(rank: number, count: number): void {
    const gone = inOrder(this.members).slice(rank, rank + count);
    const left = this.sets.removeRanks(this.database, this.entry, rank, count);
    for (const [member] of gone) this.members.delete(member);
    expect(this.entry).toBe(left);
  }

  anyScore(): number {
    return this.#scores[this.random.below(this.#scores.length)] as number;
  }

  newMember(): string {
    const text = `member:${this.random.below(1e9)}`;
    return this.random.below(50) === 0 ? text.padEnd(this.random.below(600), "x\xff") : text;
  }

  anyMember(): string {
    const members = [...this.members.keys()];
    return members[this.random.below(members.length)] as string;
  }

  /** Everything there is to see, against the map. */
  check(): void {
    this.audit.check();
    const { sets, entry } = this;
    const expected = inOrder(this.members);
    if (expected.length === 0) {
      expect(entry).toBe(0);
      expect(this.keyspace.arena.usedBytes).toBeLessThan(this.startBytes + 200);
      return;
    }
    expect(sets.count(entry)).toBe(expected.length);
    expect(this.#walk(entry, false, 0, expected.length)).toEqual(expected);
    expect(this.#walk(entry, true, expected.length - 1, expected.length)).toEqual(
      expected.toReversed(),
    );
    for (let i = 0; i < 10; i++) this.#checkRank(entry, expected);
    for (let i = 0; i < 10; i++) this.#checkBounds(entry, expected);
    if (sets.isPacked(entry)) return;
    const root = valueWord(this.keyspace.arena, entry);
    const walked = walkSortedSet(this.keyspace.arena, root);
    expect(walked.elements).toEqual(expected as [string, number][]);
    expect(unitsOf(this.keyspace.arena, root)).toBe(walked.units);
  }

  #walk(entry: number, isBack: boolean, rank: number, count: number): Scored[] {
    const { sets } = this;
    if (isBack) sets.seekBack(entry, rank);
    else sets.seek(entry, rank);
    return Array.from({ length: count }, () => {
      if (isBack) sets.previous();
      else sets.next();
      return [sets.bytes.toString("latin1", sets.start, sets.end), sets.score] as const;
    });
  }

  #checkRank(entry: number, expected: readonly Scored[]): void {
    const rank = this.random.below(expected.length);
    const [member, score] = expected[rank] as Scored;
    const bytes = Buffer.from(member, "latin1");
    expect(this.sets.find(entry, bytes, 0, bytes.length)).toBeTrue();
    expect(this.sets.score).toBe(score);
    expect(this.sets.rank(entry)).toBe(rank);
    expect(this.#walk(entry, false, rank, 1)).toEqual([[member, score]]);
    expect(this.#walk(entry, true, rank, 1)).toEqual([[member, score]]);
  }

  #checkBounds(entry: number, expected: readonly Scored[]): void {
    const bound = this.anyScore();
    const below = expected.filter(([, score]) => score < bound).length;
    const upTo = expected.filter(([, score]) => score <= bound).length;
    expect(this.sets.countBelow(entry, bound, false)).toBe(below);
    expect(this.sets.countBelow(entry, bound, true)).toBe(upTo);
    if (expected.some(([, score]) => score !== expected[0]?.[1])) return;
    const member = this.random.below(2) === 0 ? this.anyMember() : this.newMember();
    const bytes = Buffer.from(member, "latin1");
    const count = (isIn: (other: string) => boolean) => expected.filter(([m]) => isIn(m)).length;
    const countBelow = (orEqual: boolean) =>
      this.sets.countBelowMember(entry, bytes, 0, bytes.length, orEqual);
    expect(countBelow(false)).toBe(count((other) => other < member));
    expect(countBelow(true)).toBe(count((other) => other <= member));
  }

  /** `growth`: of ten changes, how many add. */
  change(growth: number): void {
    const { random, members } = this;
    if (members.size === 0 || random.below(10) < growth)
      this.set(this.newMember(), this.anyScore());
    else if (random.below(3) === 0) this.set(this.anyMember(), this.anyScore());
    else if (random.below(8) === 0) {
      const rank = random.below(members.size);
      this.removeRanks(rank, random.below(Math.min(30, members.size - rank + 1)));
    } else this.delete(this.anyMember());
  }
}

const SCORES: readonly (readonly [string, number[]])[] = [
  ["one score", [0]],
  ["few scores", [-1.5, 0, 1, 2, Infinity, -Infinity, 1e300]],
  ["many scores", Array.from({ length: 5000 }, (_, index) => index / 7)],
];

describe.each(SCORES)("random changes, %s", (_, scores) => {
  test.each(seeds(2))("packed and just over the limit, seed %d", (seed) => {
    const model = new Model(seed, 12, scores);
    for (let i = 0; i < 1500; i++) {
      model.change(i % 200 < 100 ? 6 : 4);
      if (i % 10 === 0) model.check();
    }
  });

  test.each(seeds(2))("big, grown and emptied, seed %d", (seed) => {
    const model = new Model(seed, 12, scores);
    for (const growth of [9, 5, 2, 8, 1]) {
      for (let i = 1; i <= 3000; i++) {
        model.change(growth);
        if (i % 1000 === 0) model.check();
      }
    }
    while (model.members.size > 0) {
      model.removeRanks(0, Math.min(model.members.size, 40));
      if (model.members.size % 50 === 0) model.check();
    }
    model.check();
  });
});

describe("a tree of many levels", () => {
  const COUNT = 40_000;

  test.each(["ascending", "descending", "random"])("filled %s, emptied from all sides", (way) => {
    const model = new Model(1, 12, [0]);
    const { random } = model;
    for (let i = 0; i < COUNT; i++) {
      const score =
        way === "ascending" ? i : way === "descending" ? COUNT - i : random.below(COUNT);
      model.set(`m${i}`, score);
    }
    model.check();
    const { arena } = model.keyspace;
    const walked = walkSortedSet(arena, valueWord(arena, model.entry));
    expect(walked.height).toBeGreaterThan(1);
    for (const side of [0, 1, 0.5]) {
      const remaining = Math.floor(model.members.size / 4);
      while (model.members.size > remaining) {
        const count = Math.min(1000, model.members.size - remaining);
        model.removeRanks(Math.floor((model.members.size - count) * side), count);
      }
      model.check();
    }
    while (model.members.size > 0) model.removeRanks(0, Math.min(model.members.size, 100));
    model.check();
  });

  test("is freed in slices, to the last unit", () => {
    const model = new Model(1, 12, [0]);
    for (let i = 0; i < COUNT; i++) model.set(`m${i}`, i);
    model.database.remove(model.entry);
    let calls = 1;
    while (!model.keyspace.reapSlice()) calls++;
    expect(calls).toBeGreaterThan(50);
    model.members.clear();
    model.check();
  });
});

describe("elements on their way out and in", () => {
  test.each([0, 1, 12, 13, 10_000])("of %d members", (count) => {
    const [from, to] = [new Model(1, 12, [0]), new Model(2, 12, [0])];
    for (let i = 0; i < count; i++) from.set(`member ${i}`.repeat((i % 40) + 1), i % 17);
    const part = new ElementPart();
    part.beginValue();
    let entry = to.createEmpty();
    let parts = 0;
    for (let isLast = count === 0; !isLast; parts++) {
      part.beginPart();
      isLast = from.sets.writePart(from.entry, part);
      const elements = { run: part.run, at: part.start, end: part.end, isTimed: false };
      entry = to.sets.readPart(to.database, entry, elements);
    }
    if (count === 0) to.database.remove(entry);
    if (count === 10_000) expect(parts).toBeGreaterThan(3);
    for (const [member, score] of from.members) to.members.set(member, score);
    to.check();
  });

  test("minus zero stays minus zero in a set that is too large for a run", () => {
    for (const limits of [{ count: 13 }, { member: 65 }]) {
      const [from, to] = [new Model(1, 12, [0]), new Model(2, 12, [0])];
      from.set("x".repeat(limits.member ?? 1), 1);
      for (let i = 1; i < (limits.count ?? 2); i++) from.set(`m${i}`, i);
      from.set("m1", -0);
      const part = new ElementPart();
      part.beginValue();
      expect(from.sets.writePart(from.entry, part)).toBe(true);
      const elements = { run: part.run, at: part.start, end: part.end, isTimed: false };
      const entry = to.sets.readPart(to.database, to.createEmpty(), elements);
      expect(to.sets.find(entry, Buffer.from("m1"), 0, 2)).toBe(true);
      expect(Object.is(to.sets.score, -0)).toBe(true);
    }
  });

  test("a run that is out of order is put in order; members twice, cut runs and NaN are refused", () => {
    const run = (...elements: Scored[]) => {
      const part = new ElementPart();
      for (const [member, score] of elements) {
        part.string(Buffer.from(member), 0, member.length);
        part.number(score);
      }
      return { run: part.run, at: 0, end: part.end, isTimed: false };
    };
    const model = new Model(1, 12, [0]);
    model.createEmpty();
    const read = (elements: ReturnType<typeof run>) =>
      model.sets.readPart(model.database, model.entry, elements);
    expect(() => read(run(["a", 1], ["a", 2]))).toThrow(RangeError);
    model.database.remove(model.entry);
    model.createEmpty();
    expect(() => read(run(["a", Number.NaN]))).toThrow(RangeError);
    for (let cut = 1; cut < 10; cut++) {
      const whole = run(["a", 1]);
      expect(() => read({ ...whole, end: whole.end - cut })).toThrow(RangeError);
    }
    read(run(["b", 2], ["a", 3], ["c", 1]));
    for (const [member, score] of [
      ["b", 2],
      ["a", 3],
      ["c", 1],
    ] as const) {
      model.members.set(member, score);
    }
    model.check();
  });
});

test("a walk by cursor shows every member that stays, whatever comes and goes", () => {
  const model = new Model(3, 12, [0]);
  for (let i = 0; i < 5000; i++) model.set(`stays ${i}`, i);
  const seen = new Set<string>();
  let cursor = 0;
  do {
    const { sets } = model;
    cursor = sets.scan(model.entry, cursor, 10, () => {
      seen.add(sets.bytes.toString("latin1", sets.start, sets.end));
    });
    model.set(`comes ${cursor}`, 1);
  } while (cursor !== 0);
  for (let i = 0; i < 5000; i++) expect(seen.has(`stays ${i}`)).toBeTrue();
});

test("limits: a long member, or one more than allowed, makes it big, and it stays so", () => {
  const model = new Model(1, 3, [0]);
  for (const member of ["a", "b", "c"]) model.set(member, 1);
  expect(model.sets.isPacked(model.entry)).toBeTrue();
  model.set("d", 1);
  expect(model.sets.isPacked(model.entry)).toBeFalse();
  model.delete("d");
  expect(model.sets.isPacked(model.entry)).toBeFalse();
  for (const member of ["a", "b", "c"]) model.delete(member);
  model.set("x".repeat(64), 1);
  expect(model.sets.isPacked(model.entry)).toBeTrue();
  model.set("x".repeat(65), 1);
  expect(model.sets.isPacked(model.entry)).toBeFalse();
});
