/**
 * The nodes of an ordered tree, and moving what they hold within and between them. Which node, and what becomes of the tree,
 * is ordered-tree.ts.
 *
 *   leaf    i0 entries   i1 next leaf   i2 previous leaf   i3 zero
 *           then LEAF doubles: scores, then LEAF words: elements (scored-element.ts)
 *   inner   i0 children   i1-i3 zero
 *           then INNER doubles and INNER words: score and element of the first entry below each child (those of child 0 are
 *           not used), then INNER words: children, then INNER words: entries below each child
 *
 * A search reads scores alone, side by side; elements, each another wait for memory, only where scores are equal. The sizes
 * are those that fill a class of the arena.
 */
import { type Arena, CHUNK_SHIFT, UNIT_MASK } from "./arena.ts";

export const LEAF = 68;
export const INNER = 70;
/** Units ahead of the scores. */
export const SCORES = 2;
const HEADER_WORDS = 4;
export const LEAF_UNITS = SCORES + LEAF + LEAF / 2;
export const INNER_UNITS = SCORES + INNER + (3 * INNER) / 2;

/** Words of the header. */
export const COUNT = 0;
export const NEXT = 1;
export const PREVIOUS = 2;
/** Words where the arrays begin. */
export const LEAF_ELEMENTS = HEADER_WORDS + 2 * LEAF;
export const INNER_ELEMENTS = HEADER_WORDS + 2 * INNER;
export const CHILDREN = INNER_ELEMENTS + INNER;
export const COUNTS = CHILDREN + INNER;

/** From here on the runtime's own copying is faster than a loop. */
const LONG_SHIFT = 24;

export class TreeNodes {
  readonly #arena: Arena;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** A word of a node. */
  word(node: number, index: number): number {
    return this.#arena.ints[node >>> CHUNK_SHIFT][((node & UNIT_MASK) << 1) + index];
  }

  setWord(node: number, index: number, value: number): void {
    const unit = (node + (index >> 1)) | 0;
    this.#arena.editInts(unit, 1)[((unit & UNIT_MASK) << 1) + (index & 1)] = value;
  }

  newLeaf(): number {
    return this.#newNode(LEAF_UNITS);
  }

  newInner(): number {
    return this.#newNode(INNER_UNITS);
  }

  #newNode(units: number): number {
    const node = this.#arena.allocate(units);
    const ints = this.#arena.editInts(node, SCORES);
    const at = (node & UNIT_MASK) << 1;
    ints.fill(0, at, at + HEADER_WORDS);
    return node;
  }

  freeLeaf(leaf: number): void {
    this.#arena.release(leaf, LEAF_UNITS);
  }

  freeInner(node: number): void {
    this.#arena.release(node, INNER_UNITS);
  }

  // ---- leaves ----

  putInLeaf(leaf: number, index: number, score: number, element: number): void {
    const ints = this.#arena.editInts(leaf, LEAF_UNITS);
    const doubles = this.#arena.editDoubles(leaf, SCORES);
    const at = (leaf & UNIT_MASK) << 1;
    const scores = (leaf & UNIT_MASK) + SCORES;
    const elements = at + LEAF_ELEMENTS;
    for (let i = ints[at]; i > index; i--) {
      doubles[scores + i] = doubles[scores + i - 1];
      ints[elements + i] = ints[elements + i - 1];
    }
    doubles[scores + index] = score;
    ints[elements + index] = element;
    ints[at]++;
  }

  takeFromLeaf(leaf: number, index: number): void {
    const ints = this.#arena.editInts(leaf, LEAF_UNITS);
    const doubles = this.#arena.editDoubles(leaf, SCORES);
    const at = (leaf & UNIT_MASK) << 1;
    const scores = (leaf & UNIT_MASK) + SCORES;
    const elements = at + LEAF_ELEMENTS;
    const count = --ints[at];
    if (count - index > LONG_SHIFT) {
      doubles.copyWithin(scores + index, scores + index + 1, scores + count + 1);
      ints.copyWithin(elements + index, elements + index + 1, elements + count + 1);
      return;
    }
    for (let i = index; i < count; i++) {
      doubles[scores + i] = doubles[scores + i + 1];
      ints[elements + i] = ints[elements + i + 1];
    }
  }

  /** Moves the last `count` entries of the leaf `from` behind those of the leaf `to`. */
  pourLeaf(from: number, to: number, count: number): void {
    const source = this.#arena.editInts(from, LEAF_UNITS);
    const target = this.#arena.editInts(to, LEAF_UNITS);
    const sourceAt = (from & UNIT_MASK) << 1;
    const targetAt = (to & UNIT_MASK) << 1;
    const first = source[sourceAt] - count;
    const behind = target[targetAt];
    const sourceScores = this.#arena.editDoubles(from, SCORES);
    const targetScores = this.#arena.editDoubles(to, SCORES);
    const fromScore = (from & UNIT_MASK) + SCORES + first;
    const toScore = (to & UNIT_MASK) + SCORES + behind;
    for (let i = 0; i < count; i++) {
      targetScores[toScore + i] = sourceScores[fromScore + i];
      target[targetAt + LEAF_ELEMENTS + behind + i] = source[sourceAt + LEAF_ELEMENTS + first + i];
    }
    source[sourceAt] -= count;
    target[targetAt] += count;
  }

  // ---- inner nodes ----

  /** Puts a child in: `score` and `element` are those of the first entry below it. */
  putInInner(
    node: number,
    index: number,
    score: number,
    element: number,
    child: number,
    below: number,
  ): void {
    const ints = this.#arena.editInts(node, INNER_UNITS);
    const doubles = this.#arena.editDoubles(node, SCORES);
    const at = (node & UNIT_MASK) << 1;
    const scores = (node & UNIT_MASK) + SCORES;
    for (let i = ints[at]; i > index; i--) {
      doubles[scores + i] = doubles[scores + i - 1];
      for (let word = at + INNER_ELEMENTS + i; word < at + COUNTS + INNER; word += INNER) {
        ints[word] = ints[word - 1];
      }
    }
    doubles[scores + index] = score;
    ints[at + INNER_ELEMENTS + index] = element;
    ints[at + CHILDREN + index] = child;
    ints[at + COUNTS + index] = below;
    ints[at]++;
  }

  takeFromInner(node: number, index: number): void {
    const ints = this.#arena.editInts(node, INNER_UNITS);
    const doubles = this.#arena.editDoubles(node, SCORES);
    const at = (node & UNIT_MASK) << 1;
    const scores = (node & UNIT_MASK) + SCORES;
    const count = --ints[at];
    for (let i = index; i < count; i++) {
      doubles[scores + i] = doubles[scores + i + 1];
      for (let word = at + INNER_ELEMENTS + i; word < at + COUNTS + INNER; word += INNER) {
        ints[word] = ints[word + 1];
      }
    }
  }

  /** Moves the last `count` children of `from` behind those of `to`. */
  pourInner(from: number, to: number, count: number): void {
    const source = this.#arena.editInts(from, INNER_UNITS);
    const target = this.#arena.editInts(to, INNER_UNITS);
    const sourceAt = (from & UNIT_MASK) << 1;
    const targetAt = (to & UNIT_MASK) << 1;
    const first = source[sourceAt] - count;
    const behind = target[targetAt];
    const sourceScores = this.#arena.editDoubles(from, SCORES);
    const targetScores = this.#arena.editDoubles(to, SCORES);
    for (let i = 0; i < count; i++) {
      targetScores[(to & UNIT_MASK) + SCORES + behind + i] =
        sourceScores[(from & UNIT_MASK) + SCORES + first + i];
      for (let word = INNER_ELEMENTS; word < COUNTS + INNER; word += INNER) {
        target[targetAt + word + behind + i] = source[sourceAt + word + first + i];
      }
    }
    source[sourceAt] -= count;
    target[targetAt] += count;
  }

  /** Says which entry is the first below the child at `index`. */
  setFirst(node: number, index: number, score: number, element: number): void {
    const unit = (node + SCORES + index) | 0;
    this.#arena.editDoubles(unit, 1)[unit & UNIT_MASK] = score;
    this.setWord(node, INNER_ELEMENTS + index, element);
  }

  addBelow(node: number, index: number, by: number): void {
    this.setWord(node, COUNTS + index, this.word(node, COUNTS + index) + by);
  }

  /** Entries below all children. */
  below(node: number): number {
    const ints = this.#arena.ints[node >>> CHUNK_SHIFT];
    const at = (node & UNIT_MASK) << 1;
    let sum = 0;
    for (let i = 0; i < ints[at]; i++) sum += ints[at + COUNTS + i];
    return sum;
  }

  scoreAt(node: number, index: number): number {
    return this.#arena.doubles[node >>> CHUNK_SHIFT][(node & UNIT_MASK) + SCORES + index];
  }
}
