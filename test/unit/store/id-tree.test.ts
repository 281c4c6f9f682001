/** The tree of IDs against a sorted array: adding in any order, removing, walking both ways, freeing leaf by leaf. */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { Arena, D_QUEUED } from "../../../src/store/arena.ts";
import { IdTree } from "../../../src/store/id-tree.ts";
import { compareIds, StreamId } from "../../../src/store/stream-id.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { seeds } from "../../suites/seeds.ts";

/** Words of account in chunk 0 that nobody else uses. */
const ACCOUNT = D_QUEUED + 1;

function id(ms: number, seq = 0): StreamId {
  return new StreamId().setNumbers(ms, seq);
}

class Model {
  readonly arena = new Arena();
  readonly audit = new PageAudit(this.arena);
  readonly tree = new IdTree(this.arena, 2);
  root = 0;
  items: { id: StreamId; payload: number }[] = [];

  constructor() {
    this.arena.account = ACCOUNT;
  }

  indexOf(wanted: StreamId): number {
    const index = this.items.findIndex((item) => compareIds(item.id, wanted) >= 0);
    return index < 0 ? this.items.length : index;
  }

  insert(wanted: StreamId, payload: number): void {
    this.root = this.tree.insert(this.root, wanted);
    const words = this.tree.editPayload();
    words[this.tree.payloadAt] = payload;
    words[this.tree.payloadAt + 1] = -payload;
    this.items.splice(this.indexOf(wanted), 0, { id: wanted, payload });
  }

  remove(wanted: StreamId): void {
    expect(this.tree.seek(this.root, wanted)).toBe(true);
    this.root = this.tree.remove(this.root);
    this.items.splice(this.indexOf(wanted), 1);
  }

  here(): string {
    return `${this.tree.readId(new StreamId())} ${this.tree.word(0)} ${this.tree.word(1)}`;
  }

  check(): void {
    const expected = this.items.map((item) => `${item.id} ${item.payload} ${-item.payload}`);
    const forwards: string[] = [];
    for (let is = this.tree.first(this.root); is; is = this.tree.next()) forwards.push(this.here());
    expect(forwards).toEqual(expected);
    const backwards: string[] = [];
    for (let is = this.tree.last(this.root); is; is = this.tree.previous())
      backwards.push(this.here());
    expect(backwards).toEqual(expected.reverse());
    expect(this.arena.doubles[0]?.[ACCOUNT]).toBe(this.tree.unitsOf(this.root));
    this.audit.check();
  }
}

describe.each(seeds(3))("seed %d", (seed) => {
  test.each([10, 3000])("%d IDs come and go", (most) => {
    const random = seededRandom(seed);
    const model = new Model();
    for (let step = 0; step < 6000; step++) {
      const wanted = id(random.below(most), random.below(2) === 0 ? 0 : 2 ** 52 + random.below(3));
      const index = model.indexOf(wanted);
      const item = model.items[index];
      const isThere = item !== undefined && compareIds(item.id, wanted) === 0;
      expect(model.tree.seek(model.root, wanted)).toBe(isThere);
      if (item !== undefined)
        expect(model.here()).toBe(`${item.id} ${item.payload} ${-item.payload}`);
      else expect(model.tree.leaf).toBe(0);
      const before = isThere ? item : model.items[index - 1];
      expect(model.tree.seekBack(model.root, wanted)).toBe(before !== undefined);
      if (before !== undefined) expect(model.here()).toStartWith(`${before.id} `);
      // Now more, now fewer.
      const isGrowing = Math.floor(step / 1500) % 2 === 0;
      if (isThere && random.below(isGrowing ? 4 : 1) === 0) model.remove(wanted);
      else if (!isThere && random.below(isGrowing ? 1 : 6) === 0) model.insert(wanted, step);
      if (step % 500 === 0) model.check();
    }
    while (model.items.length > 0) {
      const at = random.below(2) === 0 ? 0 : random.below(model.items.length);
      model.remove((model.items[at] as { id: StreamId }).id);
      if (model.items.length % 100 === 0) model.check();
    }
    expect(model.root).toBe(0);
  });
});

test("IDs that grow fill each leaf, and are freed leaf by leaf", () => {
  const model = new Model();
  for (let i = 0; i < 10_000; i++) model.insert(id(i), i);
  model.check();
  // Four words of ID, two of payload, and little else.
  expect(model.tree.unitsOf(model.root)).toBeLessThan(10_000 * 3 * 1.13);
  const seen: number[] = [];
  let calls = 0;
  while (model.root !== 0) {
    model.root = model.tree.reap(model.root, () => seen.push(model.tree.word(0)));
    calls++;
  }
  expect(calls).toBeGreaterThan(300);
  expect(seen).toEqual(Array.from({ length: 10_000 }, (_, index) => 9_999 - index));
  expect(model.arena.doubles[0]?.[ACCOUNT]).toBe(0);
  model.audit.check();
});
