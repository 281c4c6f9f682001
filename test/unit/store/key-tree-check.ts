/** The invariants of a key tree, read from its nodes: whatever a walk of the pairs alone would not notice. */
import { expect } from "bun:test";
import type { Arena } from "../../../src/store/arena.ts";
import { KeyPath, ROOT_UNITS } from "../../../src/store/key-path.ts";
import { BELOW, CHILD, KeyNodes, NUMBER } from "../../../src/store/key-tree-nodes.ts";
import { unitsOf } from "../../../src/store/structure.ts";

export interface Pair {
  readonly key: Buffer;
  readonly number: number;
}

export function comparePairs(a: Pair, b: Pair): number {
  return Buffer.compare(a.key, b.key) || a.number - b.number;
}

interface Bounds {
  readonly low: Pair | undefined;
  readonly high: Pair | undefined;
}

export class KeyTreeCheck {
  readonly #arena: Arena;
  readonly #nodes: KeyNodes;
  readonly #key = Buffer.alloc(1024);
  #units = 0;
  #leaves = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#nodes = new KeyNodes(arena);
  }

  /** Units and leaves of a tree of which all is as it should be. */
  check(root: number): { units: number; leaves: number } {
    this.#units = ROOT_UNITS;
    this.#leaves = 0;
    const top = new KeyPath(this.#arena).top(root);
    if (this.#nodes.level(top) > 0) expect(this.#nodes.count(top)).toBeGreaterThan(1);
    this.#node(top, this.#nodes.level(top), { low: undefined, high: undefined }, true);
    expect(unitsOf(this.#arena, root)).toBe(this.#units);
    return { units: this.#units, leaves: this.#leaves };
  }

  #pair(node: number, index: number): Pair {
    const length = this.#nodes.copyKey(node, index, this.#key);
    const number = this.#nodes.get(node, index, NUMBER) >>> 0;
    return { key: Buffer.from(this.#key.subarray(0, length)), number };
  }

  /** Answers how many pairs are below. */
  #node(node: number, level: number, { low, high }: Bounds, isTop: boolean): number {
    const nodes = this.#nodes;
    const count = nodes.count(node);
    this.#units += nodes.unitsOf(node);
    if (level === 0) this.#leaves++;
    if (nodes.level(node) !== level) throw new Error(`level ${nodes.level(node)}, not ${level}`);
    if (count === 0 && !isTop) throw new Error("an empty node");
    if (nodes.usedBytes(node) > nodes.capacity(node)) throw new Error("more than its block");
    let pairs = level === 0 ? count : 0;
    let before = low;
    for (let i = 0; i < count; i++) {
      const isNamed = level === 0 || i > 0;
      const pair = isNamed ? this.#pair(node, i) : undefined;
      if (pair !== undefined && before !== undefined && comparePairs(before, pair) > 0)
        throw new Error(`order of entry ${i} at level ${level}`);
      before = pair ?? before;
      if (level === 0) continue;
      const next = i + 1 < count ? this.#pair(node, i + 1) : high;
      const child = nodes.get(node, i, CHILD);
      const below = this.#node(child, level - 1, { low: pair ?? low, high: next }, false);
      if (nodes.get(node, i, BELOW) !== below) throw new Error(`${below} pairs below child ${i}`);
      pairs += below;
    }
    if (before !== undefined && high !== undefined && comparePairs(before, high) > 0)
      throw new Error(`the last of level ${level} is behind what follows`);
    return pairs;
  }
}
