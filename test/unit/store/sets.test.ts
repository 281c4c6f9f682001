/**
 * Sets against a map of sets: random operations in small keyspaces with low limits, so that every form is met and left; what
 * a structure says of its size; the way out of the engine and in again; algebra over mixed forms.
 */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { roundUnits, UNIT_MASK } from "../../../src/store/arena.ts";
import type { Database } from "../../../src/store/database.ts";
import { ElementPart } from "../../../src/store/element-part.ts";
import {
  encodingOf,
  hasStructure,
  INTEGERS,
  kindOf,
  PACKED,
  SET,
  STRUCTURE,
  valueWord,
} from "../../../src/store/entry.ts";
import { Integer } from "../../../src/store/integer-set.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import { SetAlgebra } from "../../../src/store/set-algebra.ts";
import { Member } from "../../../src/store/set-member.ts";
import { SetWalk } from "../../../src/store/set-walk.ts";
import { unitsOf } from "../../../src/store/structure.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { seeds } from "../../suites/seeds.ts";

const INTEGER_TEXTS = [
  ...["0", "1", "-1", "32767", "32768", "-32768", "-32769", "2147483647", "2147483648"],
  ...["-2147483648", "-2147483649", "999999999999999", "9007199254740991", "9007199254740993"],
  ...["-9007199254740993", "9223372036854775807", "-9223372036854775808", "4294967295"],
];

/** A keyspace of a few sets beside a map of the same. */
class Model {
  readonly random: Random;
  readonly keyspace: Keyspace;
  readonly database: Database;
  readonly sets = new Map<string, Set<string>>();
  readonly audit: PageAudit;
  readonly startBytes: number;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    const random = seededRandom(seed + 1);
    this.keyspace = new Keyspace({ databases: 1, hashKey: [3, 4], random, nowMs: 1000 });
    this.database = this.keyspace.databases[0] as Database;
    this.audit = new PageAudit(this.keyspace.arena);
    this.startBytes = this.keyspace.arena.usedBytes;
  }

  get arena() {
    return this.keyspace.arena;
  }

  get operations() {
    return this.keyspace.collections.sets;
  }

  find(key: string): number {
    const bytes = Buffer.from(key);
    return this.database.find(bytes, 0, bytes.length);
  }

  add(key: string, member: string): void {
    const [name, bytes] = [Buffer.from(key), Buffer.from(member)];
    const entry = this.find(key);
    const target =
      entry === 0
        ? this.operations.create(this.database, name, 0, name.length, bytes, 0, bytes.length)
        : this.operations.add(this.database, entry, bytes, 0, bytes.length);
    const set = this.sets.get(key) ?? new Set();
    expect(this.operations.hasChanged).toBe(!set.has(member));
    this.sets.set(key, set.add(member));
    expect(this.find(key)).toBe(target);
  }

  remove(key: string, member: string): void {
    const entry = this.find(key);
    if (entry === 0) return;
    const bytes = Buffer.from(member);
    const target = this.operations.remove(this.database, entry, bytes, 0, bytes.length);
    const set = this.sets.get(key) ?? new Set();
    expect(this.operations.hasChanged).toBe(set.delete(member));
    if (set.size === 0) this.sets.delete(key);
    expect(this.find(key)).toBe(target);
  }

  pop(key: string): void {
    const entry = this.find(key);
    if (entry === 0) return;
    const picked = new Member();
    this.operations.pick(entry, this.random.below, picked);
    const text = textOf(picked);
    expect(this.sets.get(key)?.delete(text)).toBe(true);
    if (this.sets.get(key)?.size === 0) this.sets.delete(key);
    const target = this.operations.removeFound(this.database, entry, picked.handle);
    expect(this.find(key)).toBe(target);
  }

  member(): string {
    const { random } = this;
    if (random.below(3) > 0) return String(random.below(60) - 30);
    if (random.below(3) > 0) return INTEGER_TEXTS[random.below(INTEGER_TEXTS.length)] as string;
    if (random.below(20) === 0) return "x".repeat(random.below(600));
    return `member:${random.below(40)}`;
  }

  members(key: string): string[] {
    const entry = this.find(key);
    if (entry === 0) return [];
    return walked(this.keyspace, (walk) => walk.begin(entry));
  }

  check(): void {
    for (const [key, set] of this.sets) {
      const entry = this.find(key);
      expect(this.operations.count(entry)).toBe(set.size);
      const members = this.members(key);
      expect(members.length).toBe(set.size);
      expect(new Set(members)).toEqual(set);
      if (encodingOf(this.arena, entry) === INTEGERS) {
        expect(members).toEqual(members.toSorted((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)));
      }
      if (hasStructure(kindOf(this.arena, entry))) {
        const root = valueWord(this.arena, entry);
        expect(unitsOf(this.arena, root)).toBe(unitsByWalk(this.keyspace, root, members));
      }
      for (const other of ["x", "0", "1", "-1"]) {
        const bytes = Buffer.from(other);
        expect(this.operations.has(entry, bytes, 0, bytes.length)).toBe(set.has(other));
      }
    }
    this.audit.check();
  }

  end(): void {
    for (const key of this.sets.keys()) this.database.remove(this.find(key));
    while (!this.keyspace.reapSlice());
    expect(this.arena.usedBytes - this.startBytes).toBe(0);
    this.audit.check();
  }
}

function textOf({ bytes, start, end }: Member): string {
  return bytes.toString("latin1", start, end);
}

function walked(keyspace: Keyspace, begin: (walk: SetWalk) => void): string[] {
  const walk = new SetWalk(keyspace.arena, keyspace.collections.sets);
  begin(walk);
  const members: string[] = [];
  while (walk.next()) members.push(textOf(walk.member));
  return members;
}

/** Blocks of the structure as big-set.ts and dictionary.ts draw them: root, members, directory, segments. */
function unitsByWalk(keyspace: Keyspace, root: number, members: readonly string[]): number {
  const word = (unit: number, index: number) =>
    keyspace.arena.ints[unit >>> 21]?.[((unit & UNIT_MASK) << 1) + index] as number;
  let units = roundUnits(3);
  for (const { length } of members) {
    units += roundUnits(((length < 255 ? 4 : 8) + length + 7) >>> 3);
  }
  const [depth, top] = [word(root + 1, 1), word(root + 1, 2)];
  const segments = new Set([top]);
  if (depth > 0) {
    units += roundUnits(Math.max(1, 2 ** (depth - 1)));
    segments.clear();
    for (let i = 0; i < 2 ** depth; i++) segments.add(word(top, i));
  }
  for (const segment of segments) {
    if (segment !== 0) units += roundUnits(1 + 2 ** (word(segment, 0) >>> 24));
  }
  return units;
}

describe("sets against a model", () => {
  test.each(seeds(6))("seed %i: few members, every form", (seed) => {
    const model = new Model(seed);
    const { limits } = model.operations;
    const met = new Set<number>();
    for (let step = 0; step < 6000; step++) {
      if (step % 500 === 0) {
        limits.setIntegers = model.random.below(30);
        limits.setEntries = model.random.below(40);
        limits.setValueBytes = step % 1000 === 0 ? 64 : model.random.below(30);
        for (const key of model.sets.keys()) model.database.remove(model.find(key));
        model.sets.clear();
      }
      const key = `key${model.random.below(6)}`;
      const isGrowing = step % 1000 < 600;
      const choice = model.random.below(10);
      if (choice < (isGrowing ? 7 : 2)) model.add(key, model.member());
      else if (choice < 8) model.remove(key, model.member());
      else if (choice < 9) model.pop(key);
      else if (model.random.below(10) === 0) {
        const entry = model.find(key);
        if (entry !== 0) model.database.setDeadline(entry, 1e12 * model.random.below(2));
      }
      const entry = model.find(key);
      if (entry !== 0) met.add(encodingOf(model.arena, entry));
      if (step % 50 === 0) model.check();
    }
    expect([...met].sort()).toEqual([PACKED, STRUCTURE, INTEGERS]);
    model.check();
  });

  test.each(seeds(2))("seed %i: many members, all freed at the end", (seed) => {
    const model = new Model(seed);
    for (let i = 0; i < 4000; i++)
      model.add(`key${i % 2}`, `member:${i >> 1}:${"y".repeat(i % 300)}`);
    model.check();
    for (let i = 0; i < 1500; i++) model.pop("key0");
    model.check();
    for (const member of [...(model.sets.get("key0") ?? [])]) model.remove("key0", member);
    expect(model.find("key0")).toBe(0);
    model.check();
    model.end();
  });
});

describe("integers", () => {
  test.each([...INTEGER_TEXTS, "1000000000", "-123456789012", "9007199254740992"])("%s", (text) => {
    const integer = new Integer();
    const bytes = Buffer.from(`.${text}.`);
    expect(integer.readText(bytes, 1, 1 + text.length)).toBe(true);
    const target = Buffer.alloc(30);
    expect(target.toString("latin1", 2, integer.writeText(target, 2))).toBe(text);
    const { width } = integer;
    const value = BigInt(text);
    expect(width).toBe(
      value === BigInt.asIntN(16, value) ? 2 : value === BigInt.asIntN(32, value) ? 4 : 8,
    );
    for (const wider of [2, 4, 8].filter((candidate) => candidate >= width)) {
      integer.write(target, 3, wider);
      const other = new Integer();
      other.read(target, 3, wider);
      expect([other.high, other.low]).toEqual([integer.high, integer.low]);
    }
  });

  test.each(["", "-", "-0", "01", "+1", " 1", "1 ", "1.0", "a", "9223372036854775808", "1e3"])(
    "%j is none",
    (text) => {
      expect(new Integer().readText(Buffer.from(text), 0, text.length)).toBe(false);
    },
  );
});

describe("out of the engine and in again", () => {
  test.each([
    ["integers", (i: number) => String(i * 1_000_003), 300],
    ["packed", (i: number) => `m${i}`, 100],
    ["structure", (i: number) => `member:${i}:${"z".repeat(i % 400)}`, 3000],
    ["structure of one part and a bit", (i: number) => `${i}`.padEnd(100, "!"), 651],
  ])("%s", (_name, memberOf, count) => {
    const model = new Model(1);
    for (let i = 0; i < count; i++) model.add("a", memberOf(i));
    const part = new ElementPart();
    part.beginValue();
    const other = Buffer.from("b");
    let entry = model.database.find(other, 0, 1);
    entry = model.database.put(entry, other, 0, 1, SET | (PACKED << 4), 0, 0, 0);
    for (let isLast = false; !isLast; ) {
      part.beginPart();
      isLast = model.operations.writePart(model.find("a"), part);
      const { run, start, end } = part;
      entry = model.find("b");
      const elements = { run: Buffer.from(run.subarray(start, end)), at: 0, end: end - start };
      model.operations.readPart(model.database, entry, { ...elements, isTimed: false });
    }
    expect(encodingOf(model.arena, model.find("b"))).toBe(encodingOf(model.arena, model.find("a")));
    model.sets.set("b", new Set(model.sets.get("a")));
    model.check();
    model.end();
  });

  test("a run that is cut is refused", () => {
    const model = new Model(1);
    model.add("a", "x");
    const run = Buffer.from([1, 0x79, 3, 0x7a]);
    const elements = { run, at: 0, end: run.length, isTimed: false };
    expect(() => model.operations.readPart(model.database, model.find("a"), elements)).toThrow(
      RangeError,
    );
  });
});

describe("algebra", () => {
  test.each(seeds(4))("seed %i: sets of any form, also one with itself", (seed) => {
    const model = new Model(seed);
    const algebra = new SetAlgebra(model.arena, model.operations);
    const { random, operations, database, keyspace } = model;
    for (let i = 0; i < 60; i++) model.add("integers", String(random.below(80)));
    for (let i = 0; i < 60; i++) model.add("packed", random.below(2) ? `${i}` : model.member());
    for (let i = 0; i < 400; i++) model.add("big", random.below(2) ? `${i}` : model.member());
    model.add("one", "17");
    for (let round = 0; round < 60; round++) {
      const names = Array.from(
        { length: 1 + random.below(4) },
        () => ["integers", "packed", "big", "one"][random.below(4)] as string,
      );
      const entries = names.map((name) => model.find(name));
      const sets = names.map((name) => model.sets.get(name) as Set<string>);
      const [first, ...others] = sets as [Set<string>, ...Set<string>[]];
      const found = () =>
        Array.from({ length: algebra.count }, (_, i) => {
          const member = new Member();
          operations.read(algebra.base, algebra.handles[i] as number, member);
          return textOf(member);
        });
      const drafted = (root: number) => {
        const members = walked(keyspace, (walk) => walk.beginStructure(root));
        expect(unitsOf(model.arena, root)).toBe(unitsByWalk(keyspace, root, members));
        algebra.drafts.discard(database, root);
        return members.sort();
      };
      const difference = [...first].filter((m) => !others.some((set) => set.has(m))).sort();
      algebra.intersect([...entries]);
      const common = [...first].filter((m) => sets.every((set) => set.has(m))).sort();
      expect(found().sort()).toEqual(common);
      expect(drafted(algebra.draftFound(database, new Member()))).toEqual(common);
      algebra.intersect([...entries], 3);
      expect(algebra.count).toBe(Math.min(3, common.length));
      algebra.subtract(entries[0] as number, entries.slice(1));
      expect(found().sort()).toEqual(difference);
      expect(
        drafted(algebra.draftDifference(database, entries[0] as number, entries.slice(1))),
      ).toEqual(difference);
      const union = [...new Set(sets.flatMap((set) => [...set]))].sort();
      expect(drafted(algebra.draftUnion(database, entries))).toEqual(union);
    }
    model.check();
    model.end();
  });

  test.each([
    ["none", 0, (i: number) => `${i}`, undefined],
    ["integers", 20, (i: number) => `${i}`, INTEGERS],
    ["strings", 20, (i: number) => `m${i}`, PACKED],
    ["many", 600, (i: number) => `m${i}`, STRUCTURE],
  ])("a draft of %s takes the place of any value", (_name, count, memberOf, encoding) => {
    for (const old of ["nothing", "text", "set"]) {
      const model = new Model(1);
      const { operations, database } = model;
      const key = Buffer.from("k");
      if (old === "text") database.put(model.find("k"), key, 0, 1, 0, 0, 1e12);
      if (old === "set") for (let i = 0; i < 700; i++) model.add("k", `old${i}`);
      const { drafts } = model.keyspace.collections.setAlgebra;
      const root = drafts.make(database, (made) => {
        for (let i = 0; i < count; i++) {
          const bytes = Buffer.from(memberOf(i));
          operations.big.add(made, bytes, 0, bytes.length);
        }
      });
      drafts.adopt(database, model.find("k"), key, 0, 1, root, true);
      const entry = model.find("k");
      expect(entry === 0 ? undefined : encodingOf(model.arena, entry)).toBe(encoding);
      expect(database.expires).toBe(0);
      model.sets.clear();
      if (count > 0)
        model.sets.set("k", new Set(Array.from({ length: count }, (_, i) => memberOf(i))));
      model.check();
      if (old !== "text") model.end(); // a wheel for its deadline stays
    }
  });
});
