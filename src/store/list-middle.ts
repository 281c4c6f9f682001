/**
 * Changes in the middle of a big list: the elements of one node are taken out, as a packed run, and a node, or two, made of what is
 * left of them. Neighbours that have become small are joined, so that a list that shrinks in its middle gives memory back.
 */
import { type Arena, type ReadonlyBytes, sameBytes } from "./arena.ts";
import type { ListBlocks } from "./list-blocks.ts";
import { contentBytes, I_COUNT, I_NEXT, I_PREVIOUS, NodeReader, nodeWord } from "./list-node.ts";
import { stringSpan, writeString } from "./packed-run.ts";
import { StructureEdit } from "./structure.ts";

const SCRATCH_BYTES = 1 << 14;
const KEPT_SCRATCH_BYTES = 1 << 20;

/** Elements as packed-run.ts draws them: run[at, end), not in a node. */
export interface Run {
  readonly run: ReadonlyBytes;
  readonly at: number;
  readonly end: number;
}

/** A stretch of 0 or 1 elements of a node. */
export interface PlaceInNode {
  readonly node: number;
  readonly index: number;
  readonly removed: 0 | 1;
}

/** Some of those elements of a node that are equal to something: their numbers among these. */
export interface EqualInNode {
  readonly node: number;
  readonly first: number;
  readonly last: number;
  /** The way of a walk that removes: a neighbour that comes later stays as it is. */
  readonly isForward: boolean;
}

export class ListMiddle {
  readonly #arena: Arena;
  readonly #blocks: ListBlocks;
  readonly #edit: StructureEdit;
  readonly #reader: NodeReader;
  /** Where elements are while the node that they were in is made anew. */
  #scratch = Buffer.alloc(SCRATCH_BYTES);

  constructor(arena: Arena, blocks: ListBlocks) {
    this.#arena = arena;
    this.#blocks = blocks;
    this.#edit = new StructureEdit(arena);
    this.#reader = new NodeReader(arena);
  }

  /**
   * Puts the elements `by` into the node, in the place of the `removed` elements (0 or 1) from number `index` on, which may be
   * the node's count. The list does not become empty.
   */
  replace(account: number, root: number, place: PlaceInNode, by: Run): void {
    const { node, index, removed } = place;
    const added = by.end - by.at;
    this.#scratchFor(node, added);
    const reader = this.#reader;
    reader.enterFront(node);
    const count = reader.left;
    let size = 0;
    for (let i = 0; i <= count; i++) {
      if (i === index) {
        by.run.copy(this.#scratch, size, by.at, by.end);
        size += added;
      }
      if (i === count) break;
      reader.next();
      if (i < index || i >= index + removed) size = this.#addToScratch(size);
    }
    this.#edit.begin(account);
    const last = this.#rebuild(root, node, size);
    if (last !== 0) this.#joinSmall(root, last);
    this.#edit.end(root);
    this.#releaseScratch();
  }

  /** How many elements of the node are equal to b[start, end). */
  countEqual(node: number, b: ReadonlyBytes, start: number, end: number): number {
    const reader = this.#reader;
    let found = 0;
    reader.enterFront(node);
    while (reader.left > 0) {
      reader.next();
      if (isEqual(reader, b, start, end)) found++;
    }
    return found;
  }

  /**
   * Removes from the node those of its elements equal to b[start, end), counted from 0, that have the numbers `first` to
   * `last`. The list does not become empty.
   */
  removeEqual(
    account: number,
    root: number,
    { node, first, last: lastEqual, isForward }: EqualInNode,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    this.#scratchFor(node, 0);
    const reader = this.#reader;
    let size = 0;
    let found = 0;
    reader.enterFront(node);
    while (reader.left > 0) {
      reader.next();
      if (isEqual(reader, b, start, end)) {
        const number = found++;
        if (number >= first && number <= lastEqual) continue;
      }
      size = this.#addToScratch(size);
    }
    this.#edit.begin(account);
    const last = this.#rebuild(root, node, size);
    if (size > 0) {
      const [one, other] = isForward
        ? [nodeWord(this.#arena, last, I_PREVIOUS), last]
        : [last, nodeWord(this.#arena, last, I_NEXT)];
      if (this.#areSmall(one, other)) this.#joinNodes(root, one, other);
    }
    this.#edit.end(root);
    this.#releaseScratch();
  }

  /** Room for the elements of the node, as a run, and so many bytes more. */
  #scratchFor(node: number, more: number): void {
    const bytes = runBound(this.#arena, node) + more;
    if (bytes > this.#scratch.length) this.#scratch = Buffer.alloc(2 * bytes);
  }

  #addToScratch(size: number): number {
    const { bytes, start, end } = this.#reader;
    return writeString(this.#scratch, size, bytes, start, end);
  }

  /**
   * Makes the node anew from the first bytes of the scratch: as one node, several, or none. Answers the last of them, or the node
   * before.
   */
  #rebuild(root: number, node: number, size: number): number {
    const previous = nodeWord(this.#arena, node, I_PREVIOUS);
    this.#blocks.unlink(root, node);
    return this.#blocks.build(root, previous, this.#scratch, 0, size);
  }

  #releaseScratch(): void {
    if (this.#scratch.length > KEPT_SCRATCH_BYTES) this.#scratch = Buffer.alloc(SCRATCH_BYTES);
  }

  /** Makes one node of the node and the next, or the one before, if it is at most half full afterwards. */
  #joinSmall(root: number, node: number): void {
    const next = nodeWord(this.#arena, node, I_NEXT);
    const joined = this.#areSmall(node, next) ? this.#joinNodes(root, node, next) : node;
    const previous = nodeWord(this.#arena, joined, I_PREVIOUS);
    if (this.#areSmall(previous, joined)) this.#joinNodes(root, previous, joined);
  }

  #areSmall(one: number, other: number): boolean {
    if (one === 0 || other === 0) return false;
    const arena = this.#arena;
    const count = nodeWord(arena, one, I_COUNT) + nodeWord(arena, other, I_COUNT);
    const size = contentBytes(arena, one) + contentBytes(arena, other) + count;
    return count * 2 <= this.#blocks.maxCount && size <= this.#blocks.maxUnits << 2;
  }

  #joinNodes(root: number, one: number, other: number): number {
    const arena = this.#arena;
    const reader = this.#reader;
    this.#scratchFor(one, runBound(arena, other));
    let size = 0;
    for (const node of [one, other]) {
      reader.enterFront(node);
      while (reader.left > 0) {
        reader.next();
        size = this.#addToScratch(size);
      }
    }
    const previous = nodeWord(arena, one, I_PREVIOUS);
    this.#blocks.unlink(root, one);
    this.#blocks.unlink(root, other);
    return this.#blocks.build(root, previous, this.#scratch, 0, size);
  }
}

/** Bytes that the elements of a node take at most as a run. */
function runBound(arena: Arena, node: number): number {
  return contentBytes(arena, node) + (nodeWord(arena, node, I_COUNT) + 1) * stringSpan(0) + 8;
}

function isEqual(reader: NodeReader, b: ReadonlyBytes, start: number, end: number): boolean {
  const length = end - start;
  return (
    reader.end - reader.start === length && sameBytes(reader.bytes, reader.start, b, start, length)
  );
}
