/**
 * What the host hands to an index for its contents: maps of keys to documents in the arena, each one tree of pairs
 * (store/key-tree.ts) on the account of the index's database. Cursors go on whatever is changed between their steps.
 *
 *   ordered map   the key as it is
 *   multimap      a keyed digest of 8 bytes in its place: no key is kept, two keys are one with probability 2^-64
 */

import type { KeyRange } from "../query/bounds.ts";
import { AFTER_ALL } from "../query/index-key.ts";
import { UNIT_BYTES } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { D_ACCOUNT } from "../store/database-record.ts";
import { INDEX_TREE, STRUCTURE } from "../store/entry.ts";
import { hashBytes } from "../store/hash.ts";
import type { KeyCursor } from "../store/key-cursor.ts";
import type { KeyTree } from "../store/key-tree.ts";
import { unitsOf } from "../store/structure.ts";
import type { IndexCursor, Multimap, OrderedMap } from "./contract.ts";

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
    this.#owner = owner;
    this.#tree = owner.database.keyspace.collections.keyTree;
    this.#probe = this.#tree.createCursor();
  }

  get size(): number {
    return this.root === 0 ? 0 : this.#tree.size(this.root);
  }

  get bytes(): number {
    return this.root === 0 ? 0 : unitsOf(this.#owner.database.arena, this.root) * UNIT_BYTES;
  }

  /** Ready to be sought in. */
  openCursor(): KeyCursor {
    return this.#tree.createCursor();
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

  placeOf(key: Uint8Array): Uint8Array {
    return key;
  }

  countRange({ low, high }: KeyRange): number {
    return Math.max(0, this.#before(high, false) - this.#before(low, false));
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

  /** The arena is as it was when this was the root. */
  restore(root: number): void {
    this.root = root;
    this.version++;
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

  placeOf(key: Uint8Array): Uint8Array {
    return Buffer.from(this.#digestOf(key));
  }

  cursor(keys: readonly Uint8Array[]): IndexCursor {
    return this.#inner.cursor(keys.map((key) => this.placeOf(key)));
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

/** Every key: each begins with the tag of a type (query/index-key.ts). */
export const ALL_KEYS: KeyRange = {
  low: Buffer.alloc(0),
  high: Buffer.from([AFTER_ALL]),
  isPoint: false,
};

/** The key alone, where no key is the beginning of another one. */
export function pointRange(key: Uint8Array): KeyRange {
  return { low: Buffer.from(key), high: Buffer.concat([key, ALL_KEYS.high]), isPoint: true };
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
    const next = this.ranges.findIndex((range) => !this.isPast(range, key));
    this.range = next < 0 ? this.ranges.length : next;
    const range = this.ranges[this.range];
    this.isPlaced = range !== undefined && isWithin(range, key);
    this.isSought = false;
  }

  /** Seeks the beginning of the range, or the place. */
  protected abstract place(): void;
  protected abstract step(): boolean;
  /** The pair that was stepped to is behind the range. */
  protected abstract isOutside(): boolean;
  /** The whole range comes before the key, in the direction of the cursor. */
  protected abstract isPast(range: KeyRange, key: Uint8Array): boolean;

  protected sought(key: Uint8Array, document: number): void {
    this.cursor.seek(this.structure.root, viewOf(key), 0, key.length, document);
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
    const { low } = this.ranges[this.range];
    if (this.isPlaced) this.sought(this.key, this.document);
    else this.sought(low, 0);
  }

  protected step(): boolean {
    return this.cursor.next();
  }

  protected isOutside(): boolean {
    return compareAt(this.cursor, this.ranges[this.range].high) >= 0;
  }

  protected isPast({ high }: KeyRange, key: Uint8Array): boolean {
    return Buffer.compare(key, high) >= 0;
  }
}

class BackwardCursor extends StructureCursor {
  protected place(): void {
    const { high } = this.ranges[this.range];
    if (this.isPlaced) this.sought(this.key, this.document);
    else this.sought(high, 0);
  }

  protected step(): boolean {
    return this.cursor.previous();
  }

  protected isOutside(): boolean {
    return compareAt(this.cursor, this.ranges[this.range].low) < 0;
  }

  protected isPast({ low }: KeyRange, key: Uint8Array): boolean {
    return Buffer.compare(key, low) < 0;
  }
}

function isWithin({ low, high }: KeyRange, key: Uint8Array): boolean {
  return Buffer.compare(low, key) <= 0 && Buffer.compare(key, high) < 0;
}
