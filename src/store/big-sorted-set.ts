/**
 * A sorted set past the limits of a packed run: a dictionary that finds a member, and a tree that has the order.
 *
 *   root   d0 units of the structure (structure.ts)
 *          units 1-2 root of the dictionary (dictionary.ts), whose entries are elements (scored-element.ts)
 *          units 3-4 the tree of the same elements (ordered-tree.ts)
 *
 * Invariant: dictionary and tree hold the same elements. Allocates on the arena's account; whose that is, and that the
 * entry's version grows, is the business of sorted-sets.ts.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { ROOT_UNITS as DICTIONARY_UNITS, Dictionary } from "./dictionary.ts";
import { hashBytes } from "./hash.ts";
import { OrderedTree, TREE_UNITS } from "./ordered-tree.ts";
import { freeElement, MEMBER_OFFSET, memberAt, memberSize, newElement } from "./scored-element.ts";

const ROOT_UNITS = 1 + DICTIONARY_UNITS + TREE_UNITS;

const dictionaryOf = (root: number) => (root + 1) | 0;
const treeOf = (root: number) => (root + 1 + DICTIONARY_UNITS) | 0;

export class BigSortedSets {
  readonly #arena: Arena;
  readonly #hashKey0: number;
  readonly #hashKey1: number;
  readonly #members: Dictionary;
  readonly #tree: OrderedTree;
  /** Of the member that `find` looked for last. */
  #hash = 0;

  constructor(arena: Arena, hashKey0: number, hashKey1: number) {
    this.#arena = arena;
    this.#hashKey0 = hashKey0;
    this.#hashKey1 = hashKey1;
    this.#members = new Dictionary(arena, MEMBER_OFFSET);
    this.#tree = new OrderedTree(arena);
  }

  /** An empty one; its units do not count its own root yet: that is for `StructureEdit`. */
  create(): number {
    const root = this.#arena.allocate(ROOT_UNITS);
    this.#arena.editDoubles(root, 1)[root & UNIT_MASK] = 0;
    this.#members.create(dictionaryOf(root));
    this.#tree.create(treeOf(root));
    return root;
  }

  count(root: number): number {
    return this.#members.count(dictionaryOf(root));
  }

  /** The element with the member bytes[start, end), or 0. */
  find(root: number, bytes: ReadonlyBytes, start: number, end: number): number {
    this.#hash = hashBytes(this.#hashKey0, this.#hashKey1, bytes, start, end);
    return this.#members.find(dictionaryOf(root), this.#hash, bytes, start, end);
  }

  /** Adds the member that `find` has just missed. */
  add(root: number, score: number, bytes: ReadonlyBytes, start: number, end: number): void {
    const element = newElement(this.#arena, score, bytes, start, end);
    this.#members.insert(dictionaryOf(root), this.#hash, element);
    this.#tree.insert(treeOf(root), element);
  }

  rescore(root: number, element: number, score: number): void {
    this.#tree.rescore(treeOf(root), element, score);
  }

  /** Removes the element that `find` has just found. */
  remove(root: number, element: number): void {
    this.#members.remove(dictionaryOf(root));
    this.#tree.remove(treeOf(root), element);
    freeElement(this.#arena, element);
  }

  /** Removes the element of a rank, which exists. */
  removeRank(root: number, rank: number): void {
    const element = this.#tree.removeRank(treeOf(root), rank);
    const at = memberAt(this.#arena, element);
    const bytes = this.#arena.bytes[element >>> CHUNK_SHIFT];
    const end = at + memberSize(this.#arena, element);
    const hash = hashBytes(this.#hashKey0, this.#hashKey1, bytes, at, end);
    this.#members.locate(dictionaryOf(root), hash, element);
    this.#members.remove(dictionaryOf(root));
    freeElement(this.#arena, element);
  }

  rankOf(root: number, element: number): number {
    return this.#tree.rankOf(treeOf(root), element);
  }

  countBelow(root: number, score: number, orEqual: boolean): number {
    return this.#tree.countBelow(treeOf(root), score, orEqual);
  }

  countBelowMember(
    root: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    orEqual: boolean,
  ): number {
    return this.#tree.countBelowMember(treeOf(root), bytes, start, end, orEqual);
  }

  /** Stands on the element of a rank, which exists; `next` and `previous` answer it and step. */
  seek(root: number, rank: number): void {
    this.#tree.seek(treeOf(root), rank);
  }

  next(): number {
    return this.#tree.next();
  }

  previous(): number {
    return this.#tree.previous();
  }

  /** A step of a walk in the order of hashes: see Dictionary.scan. */
  scan(root: number, cursor: number, wanted: number, found: number[]): number {
    return this.#members.scan(dictionaryOf(root), cursor, wanted, found);
  }

  reap(root: number): boolean {
    if (!this.#tree.reap(treeOf(root))) return false;
    if (!this.#members.reap(dictionaryOf(root), this.#freeElement)) return false;
    this.#arena.release(root, ROOT_UNITS);
    return true;
  }

  readonly #freeElement = (element: number): void => freeElement(this.#arena, element);
}
