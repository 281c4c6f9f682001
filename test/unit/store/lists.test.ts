/** Lists beside an array: random operations, packed and chained, with nodes of several sizes; each prints its seed. */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { type Arena, roundUnits } from "../../../src/store/arena.ts";
import type { Database } from "../../../src/store/database.ts";
import { ElementPart } from "../../../src/store/element-part.ts";
import { encodingOf, LIST, PACKED, valueWord } from "../../../src/store/entry.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import {
  contentBytes,
  I_COUNT,
  I_NEXT,
  I_PREVIOUS,
  nodeUnits,
  nodeWord,
} from "../../../src/store/list-node.ts";
import { unitsOf } from "../../../src/store/structure.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { seeds } from "../../suites/seeds.ts";

const KEY = Buffer.from("list");

/** One list, in kvdb and as an array of strings of one byte a character. */
class ListModel {
  readonly random: Random;
  readonly keyspace: Keyspace;
  readonly database: Database;
  readonly audit: PageAudit;
  readonly startBytes: number;
  readonly #lengths: () => number;
  model: string[] = [];

  constructor(seed: number, listSize: number, lengths: (random: Random) => number) {
    this.random = seededRandom(seed);
    const options = { databases: 2, hashKey: [1, 2] as const, random: this.random, nowMs: 1 };
    this.keyspace = new Keyspace(options);
    this.keyspace.collections.limits.listSize = listSize;
    this.database = this.keyspace.databases[0] as Database;
    // The table of keys stays.
    this.database.put(this.#findOther(), Buffer.from("other"), 0, 5, 0, 0, 0);
    this.startBytes = this.keyspace.arena.usedBytes;
    this.audit = new PageAudit(this.keyspace.arena);
    this.#lengths = () => lengths(this.random);
  }

  #findOther(): number {
    return this.database.find(Buffer.from("other"), 0, 5);
  }

  get lists() {
    return this.keyspace.collections.lists;
  }

  find(): number {
    return this.database.find(KEY, 0, KEY.length);
  }

  element(): string {
    return String.fromCharCode(97 + this.random.below(4)).repeat(this.#lengths());
  }

  push(atHead: boolean): void {
    const element = this.element();
    const bytes = Buffer.from(element);
    const entry = this.find() || this.lists.create(this.database, KEY, 0, KEY.length);
    this.lists.push(this.database, entry, atHead, bytes, 0, bytes.length);
    if (atHead) this.model.unshift(element);
    else this.model.push(element);
  }

  pop(atHead: boolean): void {
    const entry = this.find();
    if (entry === 0) return;
    this.lists.peek(entry, atHead);
    const { bytes, start, end } = this.lists;
    expect(bytes.toString("latin1", start, end)).toBe(
      (atHead ? this.model.shift() : this.model.pop()) as string,
    );
    this.lists.drop(this.database, entry, atHead);
  }

  set(): void {
    if (this.model.length === 0) return;
    const element = this.element();
    const bytes = Buffer.from(element);
    const index = this.random.below(this.model.length);
    this.lists.set(this.database, this.find(), index, bytes, 0, bytes.length);
    this.model[index] = element;
  }

  insert(): void {
    if (this.model.length === 0) return;
    const element = this.element();
    const bytes = Buffer.from(element);
    const index = this.random.below(this.model.length);
    this.lists.insert(this.database, this.find(), index, bytes, 0, bytes.length);
    this.model.splice(index, 0, element);
  }

  trim(): void {
    if (this.model.length === 0) return;
    const cut = () => (this.random.below(3) === 0 ? 0 : this.random.below(this.model.length >> 2));
    const [first, last] = [cut(), this.model.length - 1 - cut()];
    this.lists.trim(this.database, this.find(), first, last);
    this.model = this.model.slice(first, last + 1);
  }

  remove(): void {
    if (this.model.length === 0) return;
    const element = this.model[this.random.below(this.model.length)] as string;
    const most = 1 + this.random.below(4);
    const fromHead = this.random.below(2) === 0;
    const bytes = Buffer.from(element);
    this.lists.removeEqual(this.database, this.find(), most, fromHead, bytes, 0, bytes.length);
    let removed = 0;
    for (let i = 0; i < this.model.length && removed < most; ) {
      const at = fromHead ? i : this.model.length - 1 - i;
      if (this.model[at] !== element) i++;
      else {
        this.model.splice(at, 1);
        removed++;
      }
    }
    expect(this.lists.removedCount).toBe(removed);
  }

  /** Walks from any element to either end. */
  walk(): void {
    if (this.model.length === 0) return;
    const { cursor } = this.lists;
    const index = this.random.below(this.model.length);
    cursor.seek(this.find(), index);
    for (let i = index; i < this.model.length; i++) {
      cursor.next();
      expect(cursor.bytes.toString("latin1", cursor.start, cursor.end)).toBe(
        this.model[i] as string,
      );
    }
    expect(cursor.left).toBe(0);
    cursor.seekBack(this.find(), index);
    for (let i = index; i >= 0; i--) {
      cursor.previous();
      expect(cursor.bytes.toString("latin1", cursor.start, cursor.end)).toBe(
        this.model[i] as string,
      );
    }
    expect(cursor.left).toBe(0);
  }

  elements(): string[] {
    const part = new ElementPart();
    const found: string[] = [];
    part.beginValue();
    for (let isLast = false; !isLast; ) {
      part.beginPart();
      isLast = this.lists.writePart(this.find(), part);
      for (let at = part.start; at < part.end; ) {
        const isLong = part.run[at] === 255;
        const length = isLong ? part.run.readUInt32LE(at + 1) : (part.run[at] as number);
        at += isLong ? 5 : 1;
        found.push(part.run.toString("latin1", at, at + length));
        at += length;
      }
    }
    return found;
  }

  requireSame(): void {
    const entry = this.find();
    this.audit.check();
    expect(entry === 0).toBe(this.model.length === 0);
    if (entry === 0) return;
    expect(this.lists.count(entry)).toBe(this.model.length);
    expect(this.elements()).toEqual(this.model);
    const { arena } = this.keyspace;
    if (encodingOf(arena, entry) !== PACKED) requireWhole(arena, valueWord(arena, entry));
  }

  /** Removes the list: nothing of it is left. */
  requireFreed(): void {
    const entry = this.find();
    if (entry !== 0) this.database.remove(entry);
    while (!this.keyspace.reapSlice());
    expect(this.keyspace.arena.usedBytes).toBe(this.startBytes);
    this.audit.check();
  }
}

/** The chain is linked in both directions, no node is empty, the root's sums are right, no node is much too large. */
function requireWhole(arena: Arena, root: number): void {
  let [units, count, nodes, previous] = [roundUnits(3), 0, 0, 0];
  for (let node = nodeWord(arena, root, 2); node !== 0; node = nodeWord(arena, node, I_NEXT)) {
    expect(nodeWord(arena, node, I_PREVIOUS)).toBe(previous);
    expect(nodeWord(arena, node, I_COUNT)).toBeGreaterThan(0);
    expect(24 + contentBytes(arena, node)).toBeLessThanOrEqual(8 * nodeUnits(arena, node));
    units += roundUnits(nodeUnits(arena, node));
    count += nodeWord(arena, node, I_COUNT);
    nodes++;
    previous = node;
  }
  expect(nodeWord(arena, root, 3)).toBe(previous);
  expect(nodeWord(arena, root, 4)).toBe(count);
  expect(nodeWord(arena, root, 5)).toBe(nodes);
  expect(unitsOf(arena, root)).toBe(units);
}

const LENGTHS = {
  "of one length": () => 3,
  short: (random: Random) => random.below(12),
  "some long": (random: Random) =>
    random.below(6) === 0 ? 250 + random.below(20) : random.below(40),
  "some with a node of their own": (random: Random) =>
    random.below(20) === 0 ? random.below(20_000) : random.below(200),
} as const;

function play(play: ListModel, steps: number, growth: number): void {
  for (let i = 0; i < steps; i++) {
    const choice = play.random.below(100);
    if (choice < 40 + growth) play.push(play.random.below(3) === 0);
    else if (choice < 70) play.pop(play.random.below(3) !== 0);
    else if (choice < 78) play.set();
    else if (choice < 90) play.insert();
    else if (choice < 96) play.remove();
    else if (choice < 97) play.trim();
    else play.walk();
    if (i % 50 === 0) play.requireSame();
  }
  play.requireSame();
}

describe.each(Object.entries(LENGTHS))("elements %s", (_name, lengths) => {
  for (const listSize of [-2, 3, -1, -5, 128]) {
    test.each(seeds(2))(`size ${listSize}, seed %d`, (seed) => {
      const model = new ListModel(seed, listSize, lengths);
      for (const growth of [20, -30, 15, -25]) play(model, 500, growth);
      model.requireFreed();
    });
  }
});

test.each([true, false])("pushed at one end, popped at either: head %p", (atHead) => {
  for (const popAtHead of [true, false]) {
    const model = new ListModel(1, -2, (random) => 1 + random.below(2));
    for (let i = 0; i < 30_000; i++) model.push(atHead);
    model.requireSame();
    while (model.model.length > 1) model.pop(popAtHead);
    model.requireSame();
    model.pop(popAtHead);
    model.requireFreed();
  }
});

test("a queue takes no more memory the longer it is used", () => {
  const model = new ListModel(1, -2, () => 10);
  for (let i = 0; i < 50; i++) model.push(false);
  let most = 0;
  for (let i = 0; i < 20_000; i++) {
    model.push(false);
    model.pop(true);
    most = Math.max(most, model.keyspace.arena.usedBytes - model.startBytes);
  }
  expect(most).toBeLessThan(3000);
});

test("a million short elements take little more than their bytes", () => {
  const model = new ListModel(1, -2, () => 3);
  const entry = model.lists.create(model.database, KEY, 0, KEY.length);
  let at = entry;
  for (let i = 0; i < 1e6; i++) at = model.lists.push(model.database, at, false, KEY, 0, 3);
  expect(model.keyspace.arena.usedBytes - model.startBytes).toBeLessThan(3.1e6);
  expect(unitsOf(model.keyspace.arena, valueWord(model.keyspace.arena, at))).toBeGreaterThan(
    3e6 / 8,
  );
});

test("nodes of few elements are as small as they can be, however long the list", () => {
  const model = new ListModel(1, 4, () => 3);
  let at = model.lists.create(model.database, KEY, 0, KEY.length);
  for (let i = 0; i < 10_000; i++) {
    at = model.lists.push(model.database, at, i % 2 === 0, KEY, 0, 3);
  }
  // A block of 64 bytes for four.
  expect(model.keyspace.arena.usedBytes - model.startBytes).toBeLessThan(165_000);
});

test("what is read again is the same list; what is none is refused", () => {
  const { lists, database, keyspace } = new ListModel(1, -2, () => 3);
  const run = Buffer.from("\x03abc\x00\x01x", "latin1");
  const read = (bytes: Buffer) => {
    const key = Buffer.from("read");
    const entry = database.put(database.find(key, 0, 4), key, 0, 4, LIST, 0, 0, 0);
    return lists.readPart(database, entry, {
      run: bytes,
      at: 0,
      end: bytes.length,
      isTimed: false,
    });
  };
  expect(lists.count(read(run))).toBe(3);
  for (const end of [0, 1, 3, 6]) expect(() => read(run.subarray(0, end))).toThrow(RangeError);
  expect(() => read(Buffer.from([255, 1, 0, 0, 0]))).toThrow(RangeError);
  expect(() => read(Buffer.from([255, 9, 0, 0, 0, 1, 2]))).toThrow(RangeError);
  expect(keyspace.databases[0]?.size).toBe(2);
});
