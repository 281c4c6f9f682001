/**
 * The order of a big sorted set: a B+ tree of its elements by score, then by the bytes of the member, which knows how many
 * entries are below each child, so that ranks and counts cost one way down.
 *
 *   tree (two units, inside the owner's block)
 *         i0 root node, 0: empty   i1 height, 0: the root is a leaf   i2 first leaf   i3 last leaf
 *
 * tree-nodes.ts draws the nodes. Invariants: no node but the root is empty; each inner node names, for each child but the
 * first, the first entry below it, which so must be renamed when that entry goes. A leaf that splits at the end of the tree
 * stays full, so ascending inserts fill the leaves; neighbours merge when one is under a quarter and both fit in three.
 *
 * This file is longer than usual: it is one structure and its ways down.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { MemberProbe } from "./member-probe.ts";
import { memberAt, memberSize, scoreOf, setScore } from "./scored-element.ts";
import {
  CHILDREN,
  COUNT,
  COUNTS,
  INNER,
  INNER_ELEMENTS,
  LEAF,
  LEAF_ELEMENTS,
  NEXT,
  PREVIOUS,
  SCORES,
  TreeNodes,
} from "./tree-nodes.ts";

export const TREE_UNITS = 2;
const ROOT = 0;
const HEIGHT = 1;
const FIRST = 2;
const LAST = 3;
/** 35 children at least at each level: more than memory holds. */
const MAX_HEIGHT = 16;
/** Leaves that `reap` frees a call: some 10 µs. */
const REAPED_LEAVES = 64;

export class OrderedTree {
  readonly #arena: Arena;
  readonly #ints: Arena["ints"];
  readonly #doubles: Arena["doubles"];
  readonly #nodes: TreeNodes;
  readonly #probe: MemberProbe;
  /** The inner nodes on the last way down, and which child was taken. */
  readonly #pathNode = new Int32Array(MAX_HEIGHT);
  readonly #pathIndex = new Int32Array(MAX_HEIGHT);
  /** Where `seek` stands: the entry that `next` or `previous` answers. */
  #leaf = 0;
  #index = 0;
  /** What `#countToBound` counts up to: a score, or the probe's member. */
  #byMember = false;
  #boundScore = 0;
  #boundIncluded = false;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#ints = arena.ints;
    this.#doubles = arena.doubles;
    this.#nodes = new TreeNodes(arena);
    this.#probe = new MemberProbe(arena);
  }

  /** Makes an empty tree in the two units at `tree`. */
  create(tree: number): void {
    const ints = this.#arena.editInts(tree, TREE_UNITS);
    const at = (tree & UNIT_MASK) << 1;
    ints.fill(0, at, at + 2 * TREE_UNITS);
  }

  // ---- ways down ----

  #aimAt(element: number): void {
    const at = memberAt(this.#arena, element);
    const bytes = this.#arena.bytes[element >>> CHUNK_SHIFT];
    this.#probe.set(bytes, at, at + memberSize(this.#arena, element));
  }

  /** Down to the leaf where this score with the probe's member belongs; keeps the path. */
  #descend(tree: number, score: number): number {
    const head = this.#ints[tree >>> CHUNK_SHIFT];
    const headAt = (tree & UNIT_MASK) << 1;
    const height = head[headAt + HEIGHT];
    const probe = this.#probe;
    let node = head[headAt + ROOT];
    for (let level = 0; level < height; level++) {
      const ints = this.#ints[node >>> CHUNK_SHIFT];
      const at = (node & UNIT_MASK) << 1;
      const doubles = this.#doubles[node >>> CHUNK_SHIFT];
      const scores = (node & UNIT_MASK) + SCORES;
      // The first child whose first entry is after ours; the one before it is the way.
      let low = 1;
      let high = ints[at];
      while (low < high) {
        const middle = (low + high) >>> 1;
        const found = doubles[scores + middle];
        const isAfter =
          found === score ? probe.compare(ints[at + INNER_ELEMENTS + middle]) > 0 : found > score;
        if (isAfter) high = middle;
        else low = middle + 1;
      }
      this.#pathNode[level] = node;
      this.#pathIndex[level] = low - 1;
      node = ints[at + CHILDREN + low - 1];
    }
    return node;
  }

  /** Index of the first entry of the leaf that is not before this score with the probe's member. */
  #position(leaf: number, score: number): number {
    const ints = this.#ints[leaf >>> CHUNK_SHIFT];
    const at = (leaf & UNIT_MASK) << 1;
    const doubles = this.#doubles[leaf >>> CHUNK_SHIFT];
    const scores = (leaf & UNIT_MASK) + SCORES;
    let low = 0;
    let high = ints[at];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = doubles[scores + middle];
      const isBefore =
        found === score
          ? this.#probe.compare(ints[at + LEAF_ELEMENTS + middle]) < 0
          : found < score;
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Down to the leaf with the entry of this rank, which exists; answers its index there. */
  #descendToRank(tree: number, rank: number): number {
    const head = this.#ints[tree >>> CHUNK_SHIFT];
    const headAt = (tree & UNIT_MASK) << 1;
    const height = head[headAt + HEIGHT];
    let node = head[headAt + ROOT];
    for (let level = 0; level < height; level++) {
      const ints = this.#ints[node >>> CHUNK_SHIFT];
      const at = (node & UNIT_MASK) << 1;
      let child = 0;
      while (rank >= ints[at + COUNTS + child]) rank -= ints[at + COUNTS + child++];
      this.#pathNode[level] = node;
      this.#pathIndex[level] = child;
      node = ints[at + CHILDREN + child];
    }
    this.#leaf = node;
    return rank;
  }

  /** Entries ahead of the last way down, below its inner nodes. */
  #passed(height: number): number {
    let passed = 0;
    for (let level = 0; level < height; level++) {
      const node = this.#pathNode[level];
      const ints = this.#ints[node >>> CHUNK_SHIFT];
      const counts = ((node & UNIT_MASK) << 1) + COUNTS;
      for (let i = 0; i < this.#pathIndex[level]; i++) passed += ints[counts + i];
    }
    return passed;
  }

  // ---- ranks ----

  /** How many entries are before this element, which is in the tree. */
  rankOf(tree: number, element: number): number {
    this.#aimAt(element);
    const score = scoreOf(this.#arena, element);
    const leaf = this.#descend(tree, score);
    return this.#passed(this.#nodes.word(tree, HEIGHT)) + this.#position(leaf, score);
  }

  /** How many entries have a score below this one, or up to this one. */
  countBelow(tree: number, score: number, orEqual: boolean): number {
    this.#byMember = false;
    this.#boundScore = score;
    this.#boundIncluded = orEqual;
    return this.#countToBound(tree);
  }

  /** How many entries, all of one score, have a member before bytes[start, end), or up to it. */
  countBelowMember(
    tree: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    orEqual: boolean,
  ): number {
    this.#byMember = true;
    this.#probe.set(bytes, start, end);
    this.#boundIncluded = orEqual;
    return this.#countToBound(tree);
  }

  #countToBound(tree: number): number {
    const nodes = this.#nodes;
    let node = nodes.word(tree, ROOT);
    if (node === 0) return 0;
    let passed = 0;
    for (let level = nodes.word(tree, HEIGHT); level > 0; level--) {
      const child = this.#bisect(node, 1, INNER_ELEMENTS) - 1;
      for (let i = 0; i < child; i++) passed += nodes.word(node, COUNTS + i);
      node = nodes.word(node, CHILDREN + child);
    }
    return passed + this.#bisect(node, 0, LEAF_ELEMENTS);
  }

  /** Index of the first entry that the node has, or names, at `low` or behind it, and that is not below the bound. */
  #bisect(node: number, low: number, elements: number): number {
    let high = this.#nodes.word(node, COUNT);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const difference = this.#byMember
        ? this.#probe.compare(this.#nodes.word(node, elements + middle))
        : compareScores(this.#nodes.scoreAt(node, middle), this.#boundScore);
      if (difference < 0 || (this.#boundIncluded && difference === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // ---- walking ----

  /** Stands on the entry of this rank, which exists. The tree must not change until the walk is over. */
  seek(tree: number, rank: number): void {
    this.#index = this.#descendToRank(tree, rank);
  }

  /** The element it stands on, then a step towards higher ones; not asked again behind the last one. */
  next(): number {
    const ints = this.#ints[this.#leaf >>> CHUNK_SHIFT];
    const at = (this.#leaf & UNIT_MASK) << 1;
    const element = ints[at + LEAF_ELEMENTS + this.#index];
    if (++this.#index === ints[at]) {
      this.#leaf = ints[at + NEXT];
      this.#index = 0;
    }
    return element;
  }

  /** The same towards lower ones. */
  previous(): number {
    const ints = this.#ints[this.#leaf >>> CHUNK_SHIFT];
    const at = (this.#leaf & UNIT_MASK) << 1;
    const element = ints[at + LEAF_ELEMENTS + this.#index];
    if (--this.#index < 0) {
      this.#leaf = ints[at + PREVIOUS];
      if (this.#leaf !== 0) this.#index = this.#nodes.word(this.#leaf, COUNT) - 1;
    }
    return element;
  }

  // ---- inserting ----

  insert(tree: number, element: number): void {
    if (this.#nodes.word(tree, ROOT) === 0) this.#plant(tree);
    const score = scoreOf(this.#arena, element);
    this.#aimAt(element);
    const leaf = this.#descend(tree, score);
    const index = this.#position(leaf, score);
    const nodes = this.#nodes;
    this.#addToPath(nodes.word(tree, HEIGHT), 1);
    if (nodes.word(leaf, COUNT) < LEAF) nodes.putInLeaf(leaf, index, score, element);
    else this.#split(tree, leaf, index, element);
  }

  #plant(tree: number): void {
    const leaf = this.#nodes.newLeaf();
    for (const word of [ROOT, FIRST, LAST]) this.#nodes.setWord(tree, word, leaf);
  }

  #addToPath(height: number, by: number): void {
    for (let level = 0; level < height; level++) {
      this.#nodes.addBelow(this.#pathNode[level], this.#pathIndex[level], by);
    }
  }

  /** Splits a full leaf and puts the element at `index` of what it was. */
  #split(tree: number, leaf: number, index: number, element: number): void {
    const nodes = this.#nodes;
    const next = nodes.word(leaf, NEXT);
    const kept = next === 0 && index === LEAF ? LEAF : LEAF >> 1;
    const right = nodes.newLeaf();
    nodes.pourLeaf(leaf, right, LEAF - kept);
    nodes.setWord(right, NEXT, next);
    nodes.setWord(right, PREVIOUS, leaf);
    nodes.setWord(leaf, NEXT, right);
    if (next === 0) nodes.setWord(tree, LAST, right);
    else nodes.setWord(next, PREVIOUS, right);
    const score = scoreOf(this.#arena, element);
    if (index > kept || kept === LEAF) nodes.putInLeaf(right, index - kept, score, element);
    else nodes.putInLeaf(leaf, index, score, element);
    this.#addChild(tree, nodes.word(tree, HEIGHT) - 1, leaf, right);
  }

  /** The child of the path's node at `level` was split: `right` goes behind `left`, both are nodes a level lower. */
  #addChild(tree: number, level: number, left: number, right: number): void {
    const nodes = this.#nodes;
    const isLeaf = level === nodes.word(tree, HEIGHT) - 1;
    const leftBelow = isLeaf ? nodes.word(left, COUNT) : nodes.below(left);
    const rightBelow = isLeaf ? nodes.word(right, COUNT) : nodes.below(right);
    const score = nodes.scoreAt(right, 0);
    const element = nodes.word(right, isLeaf ? LEAF_ELEMENTS : INNER_ELEMENTS);
    if (level < 0) {
      const root = nodes.newInner();
      nodes.putInInner(root, 0, 0, 0, left, leftBelow);
      nodes.putInInner(root, 1, score, element, right, rightBelow);
      nodes.setWord(tree, ROOT, root);
      nodes.setWord(tree, HEIGHT, nodes.word(tree, HEIGHT) + 1);
      return;
    }
    const node = this.#pathNode[level];
    const index = this.#pathIndex[level];
    nodes.setWord(node, COUNTS + index, leftBelow);
    if (nodes.word(node, COUNT) < INNER) {
      nodes.putInInner(node, index + 1, score, element, right, rightBelow);
      return;
    }
    const kept = index === INNER - 1 ? INNER - 1 : INNER >> 1;
    const sibling = nodes.newInner();
    nodes.pourInner(node, sibling, INNER - kept);
    if (index < kept) nodes.putInInner(node, index + 1, score, element, right, rightBelow);
    else nodes.putInInner(sibling, index + 1 - kept, score, element, right, rightBelow);
    this.#addChild(tree, level - 1, node, sibling);
  }

  // ---- removing ----

  /** Takes an element out, which is in the tree; its block stays. */
  remove(tree: number, element: number): void {
    this.#aimAt(element);
    const score = scoreOf(this.#arena, element);
    const leaf = this.#descend(tree, score);
    this.#removeAt(tree, leaf, this.#position(leaf, score));
  }

  /** The same with the entry of a rank; answers its element. */
  removeRank(tree: number, rank: number): number {
    const index = this.#descendToRank(tree, rank);
    const element = this.#nodes.word(this.#leaf, LEAF_ELEMENTS + index);
    this.#removeAt(tree, this.#leaf, index);
    return element;
  }

  /** Gives an element of the tree another score. It stays where it is when its neighbours in the leaf allow it. */
  rescore(tree: number, element: number, score: number): void {
    this.#aimAt(element);
    const old = scoreOf(this.#arena, element);
    const leaf = this.#descend(tree, old);
    const index = this.#position(leaf, old);
    const nodes = this.#nodes;
    const isInside = index > 0 && index < nodes.word(leaf, COUNT) - 1;
    setScore(this.#arena, element, score);
    if (
      isInside &&
      nodes.scoreAt(leaf, index - 1) < score &&
      score < nodes.scoreAt(leaf, index + 1)
    ) {
      const unit = (leaf + SCORES + index) | 0;
      this.#arena.editDoubles(unit, 1)[unit & UNIT_MASK] = score;
      return;
    }
    this.#removeAt(tree, leaf, index);
    this.insert(tree, element);
  }

  #removeAt(tree: number, leaf: number, index: number): void {
    const nodes = this.#nodes;
    const height = nodes.word(tree, HEIGHT);
    nodes.takeFromLeaf(leaf, index);
    this.#addToPath(height, -1);
    if (height === 0) return;
    const count = nodes.word(leaf, COUNT);
    if (index === 0 && count > 0) {
      this.#rename(height - 1, nodes.scoreAt(leaf, 0), nodes.word(leaf, LEAF_ELEMENTS));
    }
    if (count < LEAF >> 2) this.#shrinkLeaf(tree, height - 1, leaf);
  }

  /** The first entry below the path's child at `level` is another one. */
  #rename(level: number, score: number, element: number): void {
    for (let at = level; at >= 0; at--) {
      if (this.#pathIndex[at] === 0) continue;
      this.#nodes.setFirst(this.#pathNode[at], this.#pathIndex[at], score, element);
      return;
    }
  }

  /** Merges a leaf that is nearly empty with a neighbour below the same node, or frees it when it is empty. */
  #shrinkLeaf(tree: number, level: number, leaf: number): void {
    const nodes = this.#nodes;
    const count = nodes.word(leaf, COUNT);
    const node = this.#pathNode[level];
    const index = this.#pathIndex[level];
    const most = (LEAF * 3) >> 2;
    if (count > 0 && index + 1 < nodes.word(node, COUNT)) {
      const right = nodes.word(node, CHILDREN + index + 1);
      const rightCount = nodes.word(right, COUNT);
      if (count + rightCount <= most) {
        nodes.pourLeaf(right, leaf, rightCount);
        nodes.addBelow(node, index, rightCount);
        this.#dropLeaf(tree, level, index + 1, right);
        return;
      }
    }
    if (index > 0) {
      const left = nodes.word(node, CHILDREN + index - 1);
      if (count + nodes.word(left, COUNT) <= most) {
        nodes.pourLeaf(leaf, left, count);
        nodes.addBelow(node, index - 1, count);
        this.#dropLeaf(tree, level, index, leaf);
        return;
      }
    }
    if (count === 0) this.#dropLeaf(tree, level, index, leaf);
  }

  /** Frees an empty leaf, the child at `index` of the path's node at `level`. */
  #dropLeaf(tree: number, level: number, index: number, leaf: number): void {
    const nodes = this.#nodes;
    const next = nodes.word(leaf, NEXT);
    const previous = nodes.word(leaf, PREVIOUS);
    if (next === 0) nodes.setWord(tree, LAST, previous);
    else nodes.setWord(next, PREVIOUS, previous);
    if (previous === 0) nodes.setWord(tree, FIRST, next);
    else nodes.setWord(previous, NEXT, next);
    nodes.freeLeaf(leaf);
    this.#dropChild(tree, level, index);
  }

  /** Takes the child at `index` out of the path's node at `level`; it is freed, and counted nowhere above. */
  #dropChild(tree: number, level: number, index: number): void {
    const nodes = this.#nodes;
    const node = this.#pathNode[level];
    nodes.takeFromInner(node, index);
    const count = nodes.word(node, COUNT);
    if (level === 0) {
      if (count === 1) this.#lowerRoot(tree);
      return;
    }
    if (count === 0) {
      nodes.freeInner(node);
      this.#dropChild(tree, level - 1, this.#pathIndex[level - 1]);
      return;
    }
    if (index === 0) {
      this.#rename(level - 1, nodes.scoreAt(node, 0), nodes.word(node, INNER_ELEMENTS));
    }
    if (count < INNER >> 2) this.#shrinkInner(tree, level, node, count);
  }

  /** As long as the root is an inner node of one child, that takes its place. */
  #lowerRoot(tree: number): void {
    const nodes = this.#nodes;
    for (let height = nodes.word(tree, HEIGHT); height > 0; height--) {
      const root = nodes.word(tree, ROOT);
      if (nodes.word(root, COUNT) > 1) return;
      nodes.setWord(tree, ROOT, nodes.word(root, CHILDREN));
      nodes.setWord(tree, HEIGHT, height - 1);
      nodes.freeInner(root);
    }
  }

  #shrinkInner(tree: number, level: number, node: number, count: number): void {
    const nodes = this.#nodes;
    const above = this.#pathNode[level - 1];
    const index = this.#pathIndex[level - 1];
    for (const left of [index, index - 1]) {
      if (left < 0 || left + 1 >= nodes.word(above, COUNT)) continue;
      const mate = nodes.word(above, CHILDREN + (left === index ? left + 1 : left));
      if (count + nodes.word(mate, COUNT) > (INNER * 3) >> 2) continue;
      const into = left === index ? node : mate;
      const from = left === index ? mate : node;
      // Its first child gets a neighbour ahead, so it needs to be named: by what the node above calls it.
      const element = nodes.word(above, INNER_ELEMENTS + left + 1);
      nodes.setFirst(from, 0, nodes.scoreAt(above, left + 1), element);
      nodes.addBelow(above, left, nodes.word(above, COUNTS + left + 1));
      nodes.pourInner(from, into, nodes.word(from, COUNT));
      nodes.freeInner(from);
      this.#dropChild(tree, level - 1, left + 1);
      return;
    }
  }

  // ---- freeing ----

  /** Frees some nodes of a tree that nobody uses any more, from its end; true when none is left. */
  reap(tree: number): boolean {
    for (let i = 0; i < REAPED_LEAVES; i++) if (this.#reapOne(tree)) return true;
    return false;
  }

  #reapOne(tree: number): boolean {
    const nodes = this.#nodes;
    const height = nodes.word(tree, HEIGHT);
    let node = nodes.word(tree, ROOT);
    if (node === 0) return true;
    let above = 0;
    let level = 0;
    for (; level < height && nodes.word(node, COUNT) > 0; level++) {
      above = node;
      node = nodes.word(node, CHILDREN + nodes.word(node, COUNT) - 1);
    }
    if (level === height) nodes.freeLeaf(node);
    else nodes.freeInner(node);
    if (above === 0) nodes.setWord(tree, ROOT, 0);
    else nodes.setWord(above, COUNT, nodes.word(above, COUNT) - 1);
    return above === 0;
  }
}

/** Not by subtraction, which makes NaN of two infinities. */
function compareScores(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
