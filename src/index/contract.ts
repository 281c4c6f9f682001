/**
 * What a kind of index is: the public contract, which the built-in `hash` and `ordered` obey as any other. The host
 * (live-index.ts) reads the fields of documents, decides which documents belong into an index, calls it within each write
 * and asks it when a query may use it; a kind says where values go and which questions it can answer.
 *
 *   a document changes     check(change)   may refuse the write: nothing has changed yet
 *                          apply(change)   the write stands: must not fail
 *   FIND                   answer(question) → how many documents, and a way through them
 *
 * Keys are values as bytes, whose order as bytes is the order of values (encodeIndexKey). Documents are numbers of 32
 * bits, the same for a key of the database as long as kvdb runs; two documents may have the same one: the host tells them
 * apart when it reads them.
 *
 * An instance keeps its contents in structures of the host alone. When a database is emptied, or an index is built anew,
 * the host makes a new instance with new structures.
 */

import type { KeyRange } from "../query/bounds.ts";
import type { Condition } from "../query/filter.ts";
import type { Value } from "../query/value.ts";

export interface IndexKind {
  /** As INDEX CREATE … USING and `use` of the configuration say it: small letters, digits and "-". */
  readonly name: string;
  /** One line for help. */
  readonly summary: string;
  readonly supports: IndexAbilities;
  /** It makes keys of its own from whole values, of any length, which changes bring along then. */
  readonly readsValues?: boolean;
  /** The options that a definition may give, besides those of all indexes. Their values are text. */
  readonly options?: Readonly<Record<string, IndexOption>>;
  /** Throws a CommandError for a definition that it cannot serve. */
  create(host: IndexHost): Index;
}

/** What the host may ask for, and which tests of `indexSuite` apply. */
export interface IndexAbilities {
  /** `check` refuses a value that another document has. */
  readonly unique: boolean;
  /** Several fields as one key. */
  readonly compound: boolean;
  /** The keys of the database themselves, whatever they hold (`FIELD @key`). */
  readonly databaseKeys: boolean;
}

export interface IndexOption {
  readonly summary: string;
  /** Those it may have; without them, any. */
  readonly values?: readonly string[];
}

/** What a definition says, and what an instance works with. */
export interface IndexHost {
  readonly name: string;
  readonly fields: readonly string[];
  readonly isUnique: boolean;
  /** The options of its kind that the definition gives. */
  readonly options: Readonly<Record<string, string>>;
  /** Keys with the documents that have them, without an order. Takes 12 bytes and some for each, however long the key. */
  multimap(): Multimap;
  /** The same in the order of keys, the keys included. */
  orderedMap(): OrderedMap;
  /** For `check`: names the value and the key of the database that has it. */
  duplicate(key: Uint8Array, holder: number | undefined): Error;
}

export interface Index {
  /** Throws to refuse the write. What it throws is the reply: a CommandError. */
  check?(change: KeyChange): void;
  apply(change: DocumentChange): void;
  /** Undefined: it is of no use for this question. */
  answer(question: IndexQuestion): IndexAnswer | undefined;
  /** For INDEX CHECK: whether it leads from the key to the document. Without it, only what the host has counted is compared. */
  has?(key: Uint8Array, document: number): boolean;
  /** The same for a kind that `readsValues`: whether it leads from each of the values to the document. */
  hasValues?(values: readonly Value[], document: number): boolean;
  /**
   * As its cursors have a key. Two documents may have the same number, and the host shows each of them at its own place.
   * Without it, answers of the index are taken to have no order, and are not divided into pages.
   */
  placeOf?(key: Uint8Array): Uint8Array;
  /** For INDEX CHECK: how many pairs of key and document it has; left out by a kind that has keys of its own. */
  readonly size?: number;
  /** Lines for INDEX INFO. */
  describe?(): Readonly<Record<string, string | number>>;
}

/**
 * Keys that go and keys that come, each once: those that stay are in neither. Of a kind that `readsValues` both may be empty,
 * for values may differ where their keys do not: an array in another order, a text longer than a key can be.
 */
export interface KeyChange {
  readonly removed: readonly Uint8Array[];
  readonly added: readonly Uint8Array[];
}

export interface DocumentChange extends KeyChange {
  /** Number of the document. */
  readonly document: number;
  /** Of a kind that `readsValues`: all values of the first field before and after; otherwise empty. */
  readonly valuesBefore: readonly Value[];
  readonly valuesAfter: readonly Value[];
}

export interface IndexQuestion {
  /** All that the filter demands of the index's fields: each must hold. */
  readonly conditions: readonly Condition[];
  /** Every document that fulfils the filter has a key in one of these; undefined: the filter says nothing of that kind. */
  readonly ranges: readonly KeyRange[] | undefined;
  /** Without ranges: whether all that it has is wanted, for the sake of its order. */
  readonly wantsOrder: boolean;
}

/** A way to at least every document in the index that fulfils the conditions. */
export interface IndexAnswer {
  /** How many documents it leads to, one that has several keys counted for each. If it is not exact, at most so many. */
  readonly count: number;
  /** Exactly those that have a key in the ranges. Otherwise the host looks at each document. */
  readonly isExact: boolean;
  /** They come in the order of their keys, and in the reverse order when that is asked for. */
  readonly isOrdered: boolean;
  /** May be called more than once. A document that has several keys may come more than once, no other. */
  open(reverse: boolean): IndexCursor;
}

/**
 * A way through documents. Any change of the index may come in between two steps: what is there all the time is met, what
 * has gone is not met any more; what comes meanwhile may be met or not.
 */
export interface IndexCursor {
  /** False: there are no more. */
  next(): boolean;
  /** After `next`. */
  readonly document: number;
  /** Where it stands, for `seek`: good until the next call. */
  readonly key: Uint8Array;
  /**
   * The next one is the first behind this place, which another cursor may have stood at, before whatever was changed: pages of
   * FIND go on from it.
   */
  seek(key: Uint8Array, document: number): void;
}

/** Keys to document numbers; the same pair may be there more than once. */
export interface Multimap {
  readonly size: number;
  add(key: Uint8Array, document: number): void;
  /** False: there is no such pair. */
  remove(key: Uint8Array, document: number): boolean;
  has(key: Uint8Array, document: number): boolean;
  count(key: Uint8Array): number;
  /** One of the documents of the key. */
  first(key: Uint8Array): number | undefined;
  /** As its cursors have the key. */
  placeOf(key: Uint8Array): Uint8Array;
  cursor(keys: readonly Uint8Array[]): IndexCursor;
}

export interface OrderedMap extends Multimap {
  /** How many pairs are in the range. Takes no longer for a long one. */
  countRange(range: KeyRange): number;
  /** Through ranges that do not overlap, in order. */
  rangeCursor(ranges: readonly KeyRange[], reverse: boolean): IndexCursor;
}
