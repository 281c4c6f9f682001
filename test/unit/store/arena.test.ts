/** The arena against a naive list of blocks: no overlap, exact accounts, contents kept, every write touched first. */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import {
  Arena,
  CHUNK_BYTES,
  CHUNK_SHIFT,
  CHUNK_UNITS,
  classOf,
  FIRST_CHUNK_BYTES,
  PAGE_BYTES,
  roundUnits,
  UNIT_BYTES,
  UNIT_MASK,
} from "../../../src/store/arena.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { seeds } from "../../suites/seeds.ts";

const LARGEST_ORDINARY = CHUNK_UNITS / 2 + 1;
/** A double of chunk 0 that nobody else uses: d20. */
const ACCOUNT = 20;

interface Block {
  readonly address: number;
  readonly units: number;
  readonly mark: number;
}

class Model {
  readonly arena = new Arena();
  readonly audit = new PageAudit(this.arena);
  readonly random: Random;
  readonly startBytes = this.arena.usedBytes;
  blocks: Block[] = [];
  #nextMark = 1;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.arena.account = ACCOUNT;
  }

  size(): number {
    const { random } = this;
    const draw = random.below(1000);
    if (draw < 700) return 1 + random.below(40);
    if (draw < 950) return 1 + random.below(3000);
    if (draw < 995) return 1 + random.below(100_000);
    return LARGEST_ORDINARY - 2 + random.below(draw === 999 ? 3 * CHUNK_UNITS : 4);
  }

  allocate(units: number): void {
    const block = { address: this.arena.allocate(units), units, mark: this.#nextMark++ };
    this.requireFree(block);
    this.fill(block);
    this.blocks.push(block);
  }

  release(index: number): void {
    const [block] = this.blocks.splice(index, 1) as [Block];
    this.requireContent(block);
    this.arena.release(block.address, block.units);
  }

  /** Ordinary blocks lie in one chunk; giants begin one and have it for themselves. */
  requireFree({ address, units }: Block): void {
    expect(address).not.toBe(0);
    expect(address | 0).toBe(address);
    const start = address >>> 0;
    const end = start + roundUnits(units);
    if (units <= LARGEST_ORDINARY) expect((end - 1) >>> CHUNK_SHIFT).toBe(start >>> CHUNK_SHIFT);
    else expect(address & UNIT_MASK).toBe(0);
    for (const other of this.blocks) {
      const otherStart = other.address >>> 0;
      if (start < otherStart + roundUnits(other.units) && otherStart < end) {
        throw new Error(`[${start}, ${end}) overlaps a block at ${otherStart}`);
      }
    }
  }

  /** The words that are written: all of a small block, some of a large one, always the first and the last. */
  *words({ address, units }: Block): Iterable<number> {
    const first = (address & UNIT_MASK) << 1;
    const last = first + 2 * units - 1;
    const step = Math.max(1, Math.floor(units / 64));
    for (let word = first; word < last; word += step) yield word;
    yield last;
  }

  fill(block: Block): void {
    const ints = this.arena.editInts(block.address, block.units);
    for (const word of this.words(block)) ints[word] = block.mark ^ word;
  }

  requireContent(block: Block): void {
    const ints = this.arena.ints[block.address >>> CHUNK_SHIFT];
    for (const word of this.words(block)) {
      if (ints?.[word] !== (block.mark ^ word)) throw new Error(`a block lost its content`);
    }
  }

  requireAccounts(): void {
    let units = 0;
    for (const block of this.blocks) units += roundUnits(block.units);
    expect(this.arena.usedBytes - this.startBytes).toBe(units * UNIT_BYTES);
    expect(this.arena.doubles[0]?.[ACCOUNT]).toBe(units);
  }
}

describe("random allocation and release", () => {
  test.each(seeds(4))("seed %d", (seed) => {
    const model = new Model(seed);
    const { random, blocks } = model;
    for (let step = 0; step < 4000; step++) {
      const grows = step % 1000 < 600;
      if (blocks.length === 0 || random.below(100) < (grows ? 65 : 35))
        model.allocate(model.size());
      else model.release(random.below(blocks.length));
      if (step % 50 === 0) {
        model.audit.check();
        model.requireAccounts();
      }
    }
    while (blocks.length > 0) model.release(random.below(blocks.length));
    model.requireAccounts();
    model.audit.check();
    expect(model.arena.usedBytes).toBe(model.startBytes);
  });
});

describe("sizes", () => {
  test("a block takes at least what was asked for and at most an eighth and a unit more", () => {
    for (let units = 1; units <= LARGEST_ORDINARY; units += units < 5000 ? 1 : 997) {
      const rounded = roundUnits(units);
      expect(rounded).toBeGreaterThanOrEqual(units);
      expect(rounded).toBeLessThanOrEqual(units + units / 8 + 1);
      expect(roundUnits(rounded)).toBe(rounded);
      expect(classOf(rounded)).toBe(classOf(units));
    }
  });

  test("a giant takes whole pages, and at most an eighth more than was asked for", () => {
    const largest = (512 * 1024 * 1024) / UNIT_BYTES + 4;
    for (let units = LARGEST_ORDINARY + 1; units <= largest; units += 99_991) {
      const rounded = roundUnits(units);
      expect(rounded).toBeGreaterThanOrEqual(units);
      expect(rounded).toBeLessThanOrEqual(units + units / 8);
      expect((rounded * UNIT_BYTES) % PAGE_BYTES).toBe(0);
      expect(roundUnits(rounded)).toBe(rounded);
    }
  });
});

describe("memory is used again", () => {
  test("what was released serves later requests, also smaller ones", () => {
    const model = new Model(1);
    for (let i = 0; i < 1500; i++) model.allocate(1000);
    const reserved = model.arena.reservedBytes;
    while (model.blocks.length > 0) model.release(model.blocks.length - 1);
    for (let i = 0; i < 3000; i++) model.allocate(400);
    expect(model.arena.reservedBytes).toBe(reserved);
  });

  test("a giant's memory goes back, and its chunk numbers serve again", () => {
    const model = new Model(1);
    const reserved = model.arena.reservedBytes;
    model.allocate(5 * CHUNK_UNITS);
    const [first] = model.blocks;
    expect(model.arena.reservedBytes - reserved).toBe(5 * CHUNK_BYTES);
    model.release(0);
    expect(model.arena.reservedBytes).toBe(reserved);
    model.allocate(3 * CHUNK_UNITS);
    expect(model.blocks[0]?.address).toBe(first?.address as number);
    model.audit.check();
  });

  test("reset gives everything back but the last revision", () => {
    const model = new Model(1);
    const start = model.arena.usedBytes;
    for (let i = 0; i < 100; i++) model.allocate(model.size());
    model.arena.reset();
    expect(model.arena.usedBytes).toBe(start);
    expect(model.arena.reservedBytes).toBe(FIRST_CHUNK_BYTES);
  });
});

describe("the audit", () => {
  test("notices a page that changed untouched", () => {
    const arena = new Arena();
    const audit = new PageAudit(arena);
    const address = arena.allocate(4);
    const bytes = arena.edit(address, 4);
    audit.check();
    bytes[(address & UNIT_MASK) << 3] = 7;
    expect(() => audit.check()).toThrow("changed untouched");
  });

  test("notices a page that changed before it was touched", () => {
    const arena = new Arena();
    const audit = new PageAudit(arena);
    const address = arena.allocate(4);
    const bytes = arena.edit(address, 4);
    audit.check();
    bytes[(address & UNIT_MASK) << 3] = 7;
    expect(() => arena.edit(address, 4)).toThrow("changed untouched");
  });
});
