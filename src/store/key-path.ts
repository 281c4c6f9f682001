/**
 * A way down a key tree, from its topmost node to a leaf: which node at each level, and which child of it was taken. It is true
 * until the tree changes.
 *
 *   root   d0 units of the structure   i2 topmost node   i3 zero
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { BELOW, CHILD, KeyNodes, type KeyProbe } from "./key-tree-nodes.ts";

export const ROOT_UNITS = 2;
export const ROOT_NODE = 2;
/** A node above the leaves has four children at least when it becomes one: more than memory holds. */
const MAX_LEVELS = 24;

export class KeyPath implements KeyProbe {
  readonly #arena: Arena;
  readonly #nodes: KeyNodes;
  /** By level; the leaf is at 0. */
  readonly nodes = new Int32Array(MAX_LEVELS);
  /** Index of the child, by the level of its parent. */
  readonly taken = new Int32Array(MAX_LEVELS);
  /** Level of the topmost node. */
  height = 0;
  /** What is looked for. */
  bytes: ReadonlyBytes = NO_KEY;
  start = 0;
  end = 0;
  number = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#nodes = new KeyNodes(arena);
  }

  aim(bytes: ReadonlyBytes, start: number, end: number, number: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.number = number;
  }

  get leaf(): number {
    return this.nodes[0];
  }

  /** The topmost node of a tree. */
  top(root: number): number {
    return this.#arena.ints[root >>> CHUNK_SHIFT][((root & UNIT_MASK) << 1) + ROOT_NODE];
  }

  #begin(root: number): number {
    const node = this.top(root);
    this.height = this.#nodes.level(node);
    this.nodes[this.height] = node;
    return node;
  }

  /** Takes child `index` of the path's node at `level`. */
  #take(level: number, index: number): number {
    const child = this.#nodes.get(this.nodes[level], index, CHILD);
    this.taken[level] = index;
    this.nodes[level - 1] = child;
    return child;
  }

  /**
   * Goes to where what is looked for belongs; answers the index of the first pair of the leaf that is not before it, or with
   * `isPast` that is behind it: there may be none in this leaf, but in the next.
   */
  descend(root: number, isPast: boolean): number {
    let node = this.#begin(root);
    for (let level = this.height; level > 0; level--) {
      node = this.#take(level, this.#nodes.bisect(node, 1, this, isPast) - 1);
    }
    return this.#nodes.bisect(node, 0, this, isPast);
  }

  /** How many pairs of the tree are before what is looked for, or with `isPast` not behind it. No path is kept. */
  countBefore(root: number, isPast: boolean): number {
    const nodes = this.#nodes;
    let node = this.top(root);
    let passed = 0;
    for (let level = nodes.level(node); level > 0; level--) {
      const child = nodes.bisect(node, 1, this, isPast) - 1;
      passed += nodes.belowBefore(node, child);
      node = nodes.get(node, child, CHILD);
    }
    return passed + nodes.bisect(node, 0, this, isPast);
  }

  /** Goes to the pair of this rank, or to the end of the tree; answers its index in the leaf. */
  descendToRank(root: number, rank: number): number {
    let node = this.#begin(root);
    for (let level = this.height; level > 0; level--) {
      const last = this.#nodes.count(node) - 1;
      let child = 0;
      for (; child < last; child++) {
        const below = this.#nodes.get(node, child, BELOW) >>> 0;
        if (rank < below) break;
        rank -= below;
      }
      node = this.#take(level, child);
    }
    return Math.min(rank, this.#nodes.count(node));
  }

  /** Goes to the leaf behind this one; false: there is none. */
  nextLeaf(): boolean {
    for (let level = 1; level <= this.height; level++) {
      if (this.taken[level] + 1 === this.#nodes.count(this.nodes[level])) continue;
      this.#take(level, this.taken[level] + 1);
      for (let below = level - 1; below > 0; below--) this.#take(below, 0);
      return true;
    }
    return false;
  }

  previousLeaf(): boolean {
    for (let level = 1; level <= this.height; level++) {
      if (this.taken[level] === 0) continue;
      this.#take(level, this.taken[level] - 1);
      for (let below = level - 1; below > 0; below--) {
        this.#take(below, this.#nodes.count(this.nodes[below]) - 1);
      }
      return true;
    }
    return false;
  }

  /** Whether the path's node at this level has none behind it. */
  isLast(level: number): boolean {
    for (let above = level + 1; above <= this.height; above++) {
      if (this.taken[above] + 1 !== this.#nodes.count(this.nodes[above])) return false;
    }
    return true;
  }

  /** Counts pairs that come or go in the leaf. */
  addBelow(by: number): void {
    for (let level = 1; level <= this.height; level++) {
      const node = this.nodes[level];
      const index = this.taken[level];
      this.#nodes.set(node, index, BELOW, this.#nodes.get(node, index, BELOW) + by);
    }
  }
}

const NO_KEY = Buffer.alloc(0);
