/**
 * A big sorted set as its blocks say it: every node, segment and element is visited, what must hold of them is checked, and
 * their units are counted. Reads the arena alone, by the layouts that the files of the store draw.
 */
import { expect } from "bun:test";
import { type Arena, CHUNK_SHIFT, roundUnits, UNIT_MASK } from "../../../src/store/arena.ts";
import { memberAt, memberSize, scoreOf } from "../../../src/store/scored-element.ts";
import {
  CHILDREN,
  COUNT,
  COUNTS,
  INNER_ELEMENTS,
  INNER_UNITS,
  LEAF_ELEMENTS,
  LEAF_UNITS,
  NEXT,
  PREVIOUS,
  TreeNodes,
} from "../../../src/store/tree-nodes.ts";

export interface WalkedSet {
  /** In the tree's order. */
  readonly elements: readonly [member: string, score: number][];
  /** Of all blocks. */
  readonly units: number;
  readonly height: number;
}

const ROOT_UNITS = 5;
const TREE = 3;

export function walkSortedSet(arena: Arena, root: number): WalkedSet {
  const nodes = new TreeNodes(arena);
  const tree = root + TREE;
  const height = nodes.word(tree, 1);
  const elements: number[] = [];
  let units = ROOT_UNITS;
  let lastLeaf = 0;

  /** Visits what is below the node; answers its first element and how many there are. */
  const visit = (node: number, level: number): { first: number; count: number } => {
    const count = nodes.word(node, COUNT);
    expect(count).toBeGreaterThan(0);
    if (level === 0) {
      units += roundUnits(LEAF_UNITS);
      expect(nodes.word(node, PREVIOUS)).toBe(lastLeaf);
      if (lastLeaf === 0) expect(nodes.word(tree, 2)).toBe(node);
      else expect(nodes.word(lastLeaf, NEXT)).toBe(node);
      lastLeaf = node;
      for (let i = 0; i < count; i++) {
        const element = nodes.word(node, LEAF_ELEMENTS + i);
        expect(scoreOf(arena, element)).toBe(nodes.scoreAt(node, i));
        elements.push(element);
      }
      return { first: nodes.word(node, LEAF_ELEMENTS), count };
    }
    units += roundUnits(INNER_UNITS);
    if (level === height) expect(count).toBeGreaterThan(1);
    let first = 0;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const below = visit(nodes.word(node, CHILDREN + i), level - 1);
      expect(nodes.word(node, COUNTS + i)).toBe(below.count);
      if (i === 0) first = below.first;
      else {
        expect(nodes.word(node, INNER_ELEMENTS + i)).toBe(below.first);
        expect(nodes.scoreAt(node, i)).toBe(scoreOf(arena, below.first));
      }
      total += below.count;
    }
    return { first, count: total };
  };
  visit(nodes.word(tree, 0), height);
  expect(nodes.word(tree, 3)).toBe(lastLeaf);
  expect(nodes.word(lastLeaf, NEXT)).toBe(0);

  const members = elements.map((element) => memberOf(arena, element));
  for (const member of members) units += roundUnits(elementUnits(member.length));
  expect(nodes.word(root, 2)).toBe(elements.length);
  units += dictionaryUnits(nodes, root + 1);
  return {
    elements: members.map((member, index) => [
      member.toString("latin1"),
      scoreOf(arena, elements[index] as number),
    ]),
    units,
    height,
  };
}

function memberOf(arena: Arena, element: number): Buffer {
  const bytes = arena.bytes[element >>> CHUNK_SHIFT] as unknown as Buffer;
  const at = memberAt(arena, element);
  return bytes.subarray(at, at + memberSize(arena, element));
}

function elementUnits(size: number): number {
  return (12 + (size < 255 ? 0 : 4) + size + 7) >>> 3;
}

/** Units of the directory and the segments (dictionary.ts). */
function dictionaryUnits(nodes: TreeNodes, root: number): number {
  const depth = nodes.word(root, 1);
  const top = nodes.word(root, 2);
  const segmentUnits = (segment: number) => roundUnits(1 + (1 << (nodes.word(segment, 0) >>> 24)));
  if (depth === 0) return top === 0 ? 0 : segmentUnits(top);
  const segments = new Set<number>();
  for (let i = 0; i < 1 << depth; i++) segments.add(nodes.word(top, i));
  let units = roundUnits(Math.max(1, 1 << (depth - 1)));
  for (const segment of segments) units += segmentUnits(segment);
  expect(top & UNIT_MASK).toBeGreaterThan(0);
  return units;
}
