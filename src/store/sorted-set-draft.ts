/**
 * A sorted set in the making that is no value of a key yet: what a command finds is gathered in it, answered in order, and
 * stored or dropped. It is a big one whatever its size, in memory of the database that it is made for.
 *
 * `begin`, then `find`, `add`, `rescore`; then `finish`, after which it can be walked; at last `store` or `drop`. One at a time.
 * When something is thrown between `begin` and `finish`, `abandon`.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes } from "./arena.ts";
import { BigSortedSets } from "./big-sorted-set.ts";
import type { CollectionHost, CollectionLimits } from "./collections.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT } from "./database-record.ts";
import {
  entryUnits,
  MAX_RUN_BYTES,
  MAX_RUN_COUNT,
  PACKED,
  runWord,
  STRUCTURE,
  ZSET,
} from "./entry.ts";
import { NUMBER_BYTES, stringSpan, writeNumber, writeString } from "./packed-run.ts";
import { memberAt, memberSize, scoreOf } from "./scored-element.ts";
import { StructureEdit } from "./structure.ts";

const PACKED_KIND = ZSET | (PACKED << 4);
const BIG_KIND = ZSET | (STRUCTURE << 4);

export class SortedSetDraft {
  readonly #arena: Arena;
  readonly #limits: CollectionLimits;
  readonly #sets: BigSortedSets;
  readonly #edit: StructureEdit;
  #root = 0;
  #found = 0;
  #longestMember = 0;
  #runBytes = 0;
  #growsPacked = false;
  #requireRoom: ((bytes: number) => void) | null = null;
  /** The member that `next` answered, bytes[start, end), and its score; and the score of what `find` found. */
  bytes: ReadonlyBytes = Buffer.alloc(0);
  start = 0;
  end = 0;
  score = 0;

  constructor(host: CollectionHost) {
    this.#arena = host.arena;
    this.#limits = host.limits;
    this.#sets = new BigSortedSets(host.arena, host.hashKey0, host.hashKey1);
    this.#edit = new StructureEdit(host.arena);
  }

  /**
   * `growsPacked`: Redis would begin with a listpack, where minus zero is zero, and make more of it when it has to; so some of
   * the scores lose their sign. `requireRoom` is told of each member before it comes, and may throw.
   */
  begin(
    database: Database,
    growsPacked = false,
    requireRoom: ((bytes: number) => void) | null = null,
  ): void {
    this.#growsPacked = growsPacked;
    this.#requireRoom = requireRoom;
    this.#edit.begin(database.record + D_ACCOUNT);
    this.#root = this.#sets.create();
    this.#longestMember = 0;
    this.#runBytes = 0;
  }

  find(bytes: ReadonlyBytes, start: number, end: number): boolean {
    this.#found = this.#sets.find(this.#root, bytes, start, end);
    if (this.#found === 0) return false;
    this.score = scoreOf(this.#arena, this.#found);
    return true;
  }

  /** Adds a member that `find` has just missed. */
  add(score: number, bytes: ReadonlyBytes, start: number, end: number): void {
    this.#requireRoom?.(end - start);
    this.#longestMember = Math.max(this.#longestMember, end - start);
    this.#runBytes += stringSpan(end - start) + NUMBER_BYTES;
    const { sortedSetEntries, sortedSetValueBytes } = this.#limits;
    if (this.count >= sortedSetEntries || end - start > sortedSetValueBytes) {
      this.#growsPacked = false;
    }
    this.#sets.add(this.#root, this.#growsPacked ? score + 0 : score, bytes, start, end);
  }

  /** Gives the member that `find` has just found another score. */
  rescore(score: number): void {
    this.#sets.rescore(this.#root, this.#found, score);
  }

  finish(): void {
    this.#edit.end(this.#root);
  }

  get count(): number {
    return this.#sets.count(this.#root);
  }

  /** Stands on the first member; there is one. */
  rewind(): void {
    this.#sets.seek(this.#root, 0);
  }

  /** Answers the member it stands on, then steps to the following one. */
  next(): void {
    const element = this.#sets.next();
    this.bytes = this.#arena.bytes[element >>> CHUNK_SHIFT];
    this.start = memberAt(this.#arena, element);
    this.end = this.start + memberSize(this.#arena, element);
    this.score = scoreOf(this.#arena, element);
  }

  /**
   * Makes it the value of the key, without a deadline, whatever that had; an empty one removes the key. False: there was
   * none, and is none.
   */
  store(database: Database, key: ReadonlyBytes, start: number, end: number): boolean {
    const entry = database.find(key, start, end);
    const hasChanged = entry !== 0 || this.count > 0;
    if (this.count === 0) {
      if (entry !== 0) database.remove(entry);
      this.drop(database);
    } else if (this.#isSmall()) {
      const word = runWord(this.#runBytes, this.count);
      const target = database.put(entry, key, start, end, PACKED_KIND, this.#runBytes, 0, word);
      this.#writeRun(target, database.valueStart);
      this.drop(database);
    } else {
      const target = database.put(entry, key, start, end, PACKED_KIND, 0, 0, 0);
      database.setStructure(target, BIG_KIND, this.#root);
      this.#root = 0;
    }
    return hasChanged;
  }

  #isSmall(): boolean {
    return (
      this.count <= this.#limits.sortedSetEntries &&
      this.count <= MAX_RUN_COUNT &&
      this.#runBytes <= MAX_RUN_BYTES &&
      this.#longestMember <= this.#limits.sortedSetValueBytes
    );
  }

  #writeRun(entry: number, at: number): void {
    const bytes = this.#arena.edit(entry, entryUnits(this.#arena, entry));
    this.rewind();
    for (let left = this.count; left > 0; left--) {
      this.next();
      at = writeString(bytes, at, this.bytes, this.start, this.end);
      // As Redis's listpack keeps it, minus zero is zero there.
      at = writeNumber(bytes, at, this.score + 0);
    }
  }

  /** It is not completed. */
  abandon(database: Database): void {
    this.finish();
    this.drop(database);
  }

  /** Nobody needs it any more. */
  drop(database: Database): void {
    this.#arena.account = database.record + D_ACCOUNT;
    database.keyspace.graves.dropStructure(BIG_KIND, this.#root);
    this.#root = 0;
  }
}
