/**
 * What the host hands to an index for its contents: maps of keys to documents in the arena, each one tree of pairs
 * (store/key-tree.ts) on the account of the index's database. Cursors go on whatever is changed between their steps.
 *
 *   ordered map   the key as it is
 *   multimap      a keyed digest of 8 bytes in its place: no key is kept, two keys are one with probability 2^-64
 */

import { UNIT_BYTES } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { D_ACCOUNT } from "../store/database-record.ts";
import { INDEX_TREE, STRUCTURE } from "../store/entry.ts";
import { hashBytes } from "../store/hash.ts";
import { KeyCursor } from "../store/key-cursor.ts";
import { KeyTree } from "../store/key-tree.ts";
import { unitsOf } from "../store/structure.ts";
import type { IndexCursor, KeyRange, Multimap, OrderedMap } from "./contract.ts";

/** Whose account it is on: changes with SWAPDB. */
export interface Owner {
  readonly database: Database;
}

export class OrderedStructure implements OrderedMap {
  readonly #owner: Owner;
  readonly #tree: KeyTree;
  readonly #probe: KeyCursor;
  /** 0: there is nothing. */
  root = 0;
  /** Counts changes: a cursor that has seen fewer seeks its place again. */
  version = 0;

  constructor(owner: Owner) {
    const { arena } = owner.database;
    this.#owner = owner;
    this.#tree = new KeyTree(arena);
    this.#probe = new KeyCursor(arena);
  }

  get size(): number {
    return this.root === 0 ? 0 : this.#tree.size(this.root);
  }

  get bytes(): number {
    return this.root === 0 ? 0 : unitsOf(this.#owner.database.arena, this.root) * UNIT_BYTES;
  }

  /** Ready to be sought in. */
  openCursor(): KeyCursor {
    return new KeyCursor(this.#owner.database.arena);
  }

  get #account(): number {
    return this.#owner.database.record + D_ACCOUNT;
  }

  add(key: Uint8Array, document: number): void {
    if (this.root === 0) this.root = this.#tree.create(this.#account);
    this.version++;
    this.#tree.insert(this.root, this.#account, viewOf(key), 0, key.length, document);
  }

  remove(key: Uint8Array, document: number): boolean {
    if (this.root === 0) return false;
    this.version++;
    return this.#tree.remove(this.root, this.#account, viewOf(key), 0, key.length, document);
  }

  has(key: Uint8Array, document: number): boolean {
    return this.root !== 0 && this.#tree.has(this.root, viewOf(key), 0, key.length, document);
  }

  count(key: Uint8Array): number {
    return this.#before(key, true) - this.#before(key, false);
  }

  first(key: Uint8Array): number | undefined {
    if (this.root === 0) return undefined;
    const probe = this.#probe;
    probe.seek(this.root, viewOf(key), 0, key.length);
    return probe.next() && isKey(probe, key) ? probe.number : undefined;
  }

  countRange({ low, includesLow, high, includesHigh }: KeyRange): number {
    const from = low === null ? 0 : this.#before(low, !includesLow);
    const to = high === null ? this.size : this.#before(high, includesHigh);
    return Math.max(0, to - from);
  }

  /** Pairs before the key; `included`: and those of the key. */
  #before(key: Uint8Array, included: boolean): number {
    return this.root === 0 ? 0 : this.#tree.rank(this.root, viewOf(key), 0, key.length, included);
  }

  cursor(keys: readonly Uint8Array[]): IndexCursor {
    const sorted = [...keys].sort(Buffer.compare);
    return this.rangeCursor(sorted.map(pointRange), false);
  }

  rangeCursor(ranges: readonly KeyRange[], reverse: boolean): IndexCursor {
    return reverse
      ? new BackwardCursor(this, [...ranges].reverse())
      : new ForwardCursor(this, ranges);
  }

  /** Nobody needs the contents any more: they are freed in the background. */
  drop(): void {
    if (this.root === 0) return;
    const { arena, keyspace } = this.#owner.database;
    arena.account = this.#account;
    keyspace.graves.dropStructure(INDEX_TREE | (STRUCTURE << 4), this.root);
    this.forget();
  }

  /** The arena is another one: there is nothing to free. */
  forget(): void {
    this.root = 0;
    this.version++;
  }
}

export class DigestStructure implements Multimap {
  readonly #inner: OrderedStructure;
  readonly #keys: readonly [number, number, number, number];
  readonly #digest = Buffer.alloc(8);

  constructor(
    inner: OrderedStructure,
    { hashKey0, hashKey1 }: { hashKey0: number; hashKey1: number },
  ) {
    this.#inner = inner;
    // Two hashes of 32 bits under different keys. The keyspace's own is that of keys of the database.
    this.#keys = [hashKey0 ^ FIRST, hashKey1, hashKey0, hashKey1 ^ SECOND];
  }

  get size(): number {
    return this.#inner.size;
  }

  add(key: Uint8Array, document: number): void {
    this.#inner.add(this.#digestOf(key), document);
  }

  remove(key: Uint8Array, document: number): boolean {
    return this.#inner.remove(this.#digestOf(key), document);
  }

  has(key: Uint8Array, document: number): boolean {
    return this.#inner.has(this.#digestOf(key), document);
  }

  count(key: Uint8Array): number {
    return this.#inner.count(this.#digestOf(key));
  }

  first(key: Uint8Array): number | undefined {
    return this.#inner.first(this.#digestOf(key));
  }

  cursor(keys: readonly Uint8Array[]): IndexCursor {
    return this.#inner.cursor(keys.map((key) => Buffer.from(this.#digestOf(key))));
  }

  /** In a buffer that is used again. */
  #digestOf(key: Uint8Array): Buffer {
    const [a, b, c, d] = this.#keys;
    this.#digest.writeInt32BE(hashBytes(a, b, viewOf(key), 0, key.length), 0);
    this.#digest.writeInt32BE(hashBytes(c, d, viewOf(key), 0, key.length), 4);
    return this.#digest;
  }
}

/** Any two different numbers but 0. */
const FIRST = 0x5bd1e995;
const SECOND = 0x1b873593;

function viewOf(key: Uint8Array): Buffer {
  return Buffer.isBuffer(key) ? key : Buffer.from(key.buffer, key.byteOffset, key.byteLength);
}

export function pointRange(key: Uint8Array): KeyRange {
  return { low: key, includesLow: true, high: key, includesHigh: true };
}

function isKey(cursor: KeyCursor, key: Uint8Array): boolean {
  return compareAt(cursor, key) === 0;
}

/** The key that the cursor passed, compared with `key`. */
function compareAt(cursor: KeyCursor, key: Uint8Array): number {
  const { bytes, start, end } = cursor;
  const size = Math.min(end - start, key.length);
  for (let i = 0; i < size; i++) {
    if (bytes[start + i] !== key[i]) return bytes[start + i] - key[i];
  }
  return end - start - key.length;
}

/**
 * What both ways have in common: the pair that was answered last is remembered, so that the place can be sought again after
 * a change, and equal pairs are answered once.
 */
abstract class StructureCursor implements IndexCursor {
  protected readonly structure: OrderedStructure;
  protected readonly ranges: readonly KeyRange[];
  protected readonly cursor: KeyCursor;
  protected range = 0;
  /** The place is that of the pair in `#last`; otherwise the beginning of the range. */
  protected isPlaced = false;
  protected isSought = false;
  #seen = -1;
  #last = Buffer.alloc(64);
  #lastSize = 0;
  document = 0;

  constructor(structure: OrderedStructure, ranges: readonly KeyRange[]) {
    this.structure = structure;
    this.ranges = ranges;
    this.cursor = structure.openCursor();
  }

  get key(): Buffer {
    return this.#last.subarray(0, this.#lastSize);
  }

  next(): boolean {
    if (this.structure.root === 0) return false;
    if (this.#seen !== this.structure.version) this.isSought = false;
    while (this.range < this.ranges.length) {
      if (!this.isSought) {
        this.place();
        this.isSought = true;
        this.#seen = this.structure.version;
      }
      while (this.step()) {
        if (this.isOutside()) break;
        if (this.isPlaced && this.#isLast()) continue;
        this.#remember();
        return true;
      }
      this.range++;
      this.isPlaced = false;
      this.isSought = false;
    }
    return false;
  }

  seek(key: Uint8Array, document: number): void {
    this.#keep(key, 0, key.length);
    this.document = document;
    this.range = this.ranges.findIndex((range) => !this.isPast(range, key));
    if (this.range < 0) this.range = this.ranges.length;
    const range = this.ranges[this.range];
    this.isPlaced = range !== undefined && this.isWithin(range, key);
    this.isSought = false;
  }

  /** Seeks the beginning of the range, or the place. */
  protected abstract place(): void;
  protected abstract step(): boolean;
  /** The pair that was stepped to is behind the range. */
  protected abstract isOutside(): boolean;
  /** The whole range comes before the key, in the direction of the cursor. */
  protected abstract isPast(range: KeyRange, key: Uint8Array): boolean;

  protected isWithin(range: KeyRange, key: Uint8Array): boolean {
    return !isBelow(key, range) && !isAbove(key, range);
  }

  #isLast(): boolean {
    return this.cursor.number === this.document && compareAt(this.cursor, this.key) === 0;
  }

  #remember(): void {
    const { bytes, start, end, number } = this.cursor;
    this.#keep(bytes, start, end);
    this.document = number;
    this.isPlaced = true;
  }

  #keep(bytes: ArrayLike<number>, start: number, end: number): void {
    const size = end - start;
    if (size > this.#last.length) this.#last = Buffer.alloc(2 * size);
    for (let i = 0; i < size; i++) this.#last[i] = bytes[start + i];
    this.#lastSize = size;
  }
}

class ForwardCursor extends StructureCursor {
  protected place(): void {
    const { root } = this.structure;
    const { low } = this.ranges[this.range];
    if (this.isPlaced) this.cursor.seek(root, this.key, 0, this.key.length, this.document);
    else if (low === null) this.cursor.seekRank(root, 0);
    else this.cursor.seek(root, viewOf(low), 0, low.length);
  }

  /** Those of an excluded lower bound are passed over. */
  protected step(): boolean {
    const { low, includesLow } = this.ranges[this.range];
    while (this.cursor.next()) {
      if (includesLow || low === null || compareAt(this.cursor, low) > 0) return true;
    }
    return false;
  }

  protected isOutside(): boolean {
    const { high, includesHigh } = this.ranges[this.range];
    if (high === null) return false;
    const order = compareAt(this.cursor, high);
    return order > 0 || (order === 0 && !includesHigh);
  }

  protected isPast(range: KeyRange, key: Uint8Array): boolean {
    return isAbove(key, range);
  }
}

class BackwardCursor extends StructureCursor {
  protected place(): void {
    const { root } = this.structure;
    const { high } = this.ranges[this.range];
    if (this.isPlaced) this.#seekBehind(this.key, this.document);
    else if (high === null) this.cursor.seekEnd(root);
    else this.#seekBehind(high, 0xffffffff);
  }

  /** Stands behind all pairs that are not behind this one. */
  #seekBehind(key: Uint8Array, document: number): void {
    const { cursor, structure } = this;
    cursor.seek(structure.root, viewOf(key), 0, key.length, document);
    while (cursor.next()) {
      if (compareAt(cursor, key) === 0 && cursor.number <= document) continue;
      cursor.previous();
      return;
    }
  }

  protected step(): boolean {
    const { high, includesHigh } = this.ranges[this.range];
    while (this.cursor.previous()) {
      if (includesHigh || high === null || compareAt(this.cursor, high) < 0) return true;
    }
    return false;
  }

  protected isOutside(): boolean {
    const { low, includesLow } = this.ranges[this.range];
    if (low === null) return false;
    const order = compareAt(this.cursor, low);
    return order < 0 || (order === 0 && !includesLow);
  }

  protected isPast(range: KeyRange, key: Uint8Array): boolean {
    return isBelow(key, range);
  }
}

function isBelow(key: Uint8Array, { low, includesLow }: KeyRange): boolean {
  if (low === null) return false;
  const order = Buffer.compare(key, low);
  return order < 0 || (order === 0 && !includesLow);
}

function isAbove(key: Uint8Array, { high, includesHigh }: KeyRange): boolean {
  if (high === null) return false;
  const order = Buffer.compare(key, high);
  return order > 0 || (order === 0 && !includesHigh);
}
