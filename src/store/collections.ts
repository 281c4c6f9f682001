/**
 * The types whose values have elements, each with its operations, over one arena: a live one, or an image that is only read.
 * A type is added here and nowhere else.
 */
import type { Arena } from "./arena.ts";
import { HASH, INDEX_TREE, LIST, SET, STREAM, ZSET } from "./entry.ts";
import { Hashes } from "./hashes.ts";
import { KeyTree } from "./key-tree.ts";
import { Lists } from "./lists.ts";
import { SetAlgebra } from "./set-algebra.ts";
import { SetWalk } from "./set-walk.ts";
import { Sets } from "./sets.ts";
import { SortedSetDraft } from "./sorted-set-draft.ts";
import { SortedSets } from "./sorted-sets.ts";
import { Streams } from "./streams.ts";
import { ValueTypes } from "./value-types.ts";

/** Up to where a collection is one packed run, by the names of Redis's parameters; change at run time. */
export interface CollectionLimits {
  hashEntries: number;
  hashValueBytes: number;
  setIntegers: number;
  setEntries: number;
  setValueBytes: number;
  sortedSetEntries: number;
  sortedSetValueBytes: number;
  /** Positive: elements of a node; -1 to -5: 4, 8, 16, 32, 64 KiB. */
  listSize: number;
  listCompressDepth: number;
  streamNodeBytes: number;
  streamNodeEntries: number;
  /** A HyperLogLog that is longer in its sparse form becomes dense. */
  hyperLogLogSparseBytes: number;
}

export function defaultLimits(): CollectionLimits {
  return {
    hashEntries: 512,
    hashValueBytes: 64,
    setIntegers: 512,
    setEntries: 128,
    setValueBytes: 64,
    sortedSetEntries: 128,
    sortedSetValueBytes: 64,
    listSize: -2,
    listCompressDepth: 0,
    streamNodeBytes: 4096,
    streamNodeEntries: 100,
    hyperLogLogSparseBytes: 3000,
  };
}

/** What the types need of whoever has the arena. */
export interface CollectionHost {
  readonly arena: Arena;
  /** Of the hashes of fields and members: 64 secret bits. */
  readonly hashKey0: number;
  readonly hashKey1: number;
  readonly limits: CollectionLimits;
}

export class Collections {
  readonly types = new ValueTypes();
  readonly limits: CollectionLimits;
  readonly lists: Lists;
  readonly sets: Sets;
  readonly hashes: Hashes;
  readonly sortedSets: SortedSets;
  readonly streams: Streams;
  /** The contents of indexes, which are no values. */
  readonly keyTree: KeyTree;
  /** For one command at a time, which is done with them when it ends. */
  readonly setWalk: SetWalk;
  readonly setAlgebra: SetAlgebra;
  readonly sortedSetDraft: SortedSetDraft;

  constructor(host: CollectionHost) {
    this.limits = host.limits;
    this.lists = new Lists(host);
    this.sets = new Sets(host);
    this.hashes = new Hashes(host);
    this.sortedSets = new SortedSets(host);
    this.streams = new Streams(host);
    this.types.add(LIST, this.lists);
    this.types.add(SET, this.sets);
    this.types.add(HASH, this.hashes);
    this.types.add(ZSET, this.sortedSets);
    this.types.add(STREAM, this.streams);
    this.keyTree = new KeyTree(host.arena);
    this.types.addStructure(INDEX_TREE, this.keyTree);
    this.setWalk = new SetWalk(host.arena, this.sets);
    this.setAlgebra = new SetAlgebra(host.arena, this.sets);
    this.sortedSetDraft = new SortedSetDraft(host);
  }
}
