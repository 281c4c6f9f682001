/**
 * Brings together what values that went have left scattered, so that whole chunks become empty and go back to the system. Free
 * blocks serve values of their own size alone; when sizes shift, memory would grow without this.
 *
 * A pass takes the emptiest chunks, keeps new blocks out of them (evacuation.ts), and moves what is in them: entries, whose
 * one reference is a slot of the table; segments and directories of the tables of keys; blocks of reminders. Structures of
 * collections and the contents of indexes stay where they are, since more than one place may refer to a block of theirs: a
 * chunk that holds any of it does not become empty, gets its free blocks back, and is left alone for a while.
 *
 * All of it in steps of some ten microseconds, with commands in between. Nothing changes but addresses: no version, no record.
 */
import { CHUNK_UNITS, UNIT_BYTES } from "./arena.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT } from "./database-record.ts";
import { entryUnits } from "./entry.ts";
import { Evacuation } from "./evacuation.ts";
import type { Keyspace } from "./keyspace.ts";

/** A chunk that is fuller is not worth its move. */
const MOST_LIVE = 0.6;
/** Of all that is in use, what one pass moves at most; it takes so much more memory until it ends. */
const MOST_MOVED = 0.1;
/** Passes for which a chunk that did not become empty is left alone. */
const LEFT_ALONE_PASSES = 16;
const HASHES = 2 ** 32;

export class Defragmentation {
  /** Blocks that were moved, since the start. */
  moved = 0;
  /** Chunks that went back, and those that could not. */
  freedChunks = 0;
  keptChunks = 0;
  readonly #keyspace: Keyspace;
  #evacuation: Evacuation | null = null;
  /** Where the pass is: sorting, a database and a hash in it, or finishing. */
  #isSorted = false;
  #database = 0;
  #hash = 0;
  #passes = 0;
  /** By chunk: the pass from which on it may be tried again. */
  readonly #leftAlone = new Map<number, number>();

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** A pass is under way. */
  get isRunning(): boolean {
    return this.#evacuation !== null;
  }

  /** Begins a pass. False: there is no chunk that it would help. */
  begin(): boolean {
    this.#passes++;
    const chunks = this.#chooseChunks();
    if (chunks.length === 0) return false;
    this.#evacuation = Evacuation.begin(this.#keyspace.arena, chunks);
    this.#isSorted = false;
    this.#database = 0;
    this.#hash = 0;
    return true;
  }

  /** The emptiest first, as many as may be moved in one pass. */
  #chooseChunks(): number[] {
    const { arena } = this.#keyspace;
    const { live } = arena;
    const units = (chunk: number) => live[chunk] as number;
    const chosen: number[] = [];
    let most = Math.max(CHUNK_UNITS, (arena.usedBytes / 8) * MOST_MOVED);
    const candidates = arena.ordinaryChunks
      .filter((chunk) => units(chunk) < CHUNK_UNITS * MOST_LIVE)
      .filter((chunk) => (this.#leftAlone.get(chunk) ?? 0) <= this.#passes)
      .sort((a, b) => units(a) - units(b));
    for (const chunk of candidates) {
      most -= units(chunk);
      if (most < 0) break;
      chosen.push(chunk);
    }
    return chosen;
  }

  /** Goes on with the pass until `exhausted`, which is asked after each step. True when it has ended. */
  advance(exhausted: () => boolean): boolean {
    const evacuation = this.#evacuation;
    if (evacuation === null) return true;
    if (!this.#keyspace.arena.isUnderWay(evacuation)) {
      // Everything was flushed: the arena is new, and so are its chunks.
      this.#evacuation = null;
      return true;
    }
    while (!this.#step(evacuation)) if (exhausted()) return false;
    this.#evacuation = null;
    return true;
  }

  /** True when it was the last one. */
  #step(evacuation: Evacuation): boolean {
    if (!this.#isSorted) this.#isSorted = evacuation.sort();
    else if (this.#database < this.#keyspace.databases.length) this.#walk(evacuation);
    else return this.#finish(evacuation);
    return false;
  }

  #walk(evacuation: Evacuation): void {
    const database = this.#keyspace.databases[this.#database] as Database;
    const holds = (address: number) => evacuation.holds(address);
    const step = relocate(database, this.#hash, holds);
    this.moved += step.moved;
    this.#hash = step.nextHash;
    if (this.#hash < HASHES) return;
    this.#database++;
    this.#hash = 0;
  }

  #finish(evacuation: Evacuation): boolean {
    const { live } = this.#keyspace.arena;
    const isFirst = evacuation.isUnfinished;
    const kept = isFirst ? evacuation.chunks.filter((chunk) => live[chunk] !== 0) : [];
    if (isFirst) {
      this.keptChunks += kept.length;
      this.freedChunks += evacuation.chunks.length - kept.length;
    }
    for (const chunk of kept) this.#leftAlone.set(chunk, this.#passes + LEFT_ALONE_PASSES);
    return evacuation.finish();
  }
}

/**
 * A step of some ten microseconds: moves what lies where `holds` says, of the segment of the table at `hash`; before the first
 * one, of the wheel. Answers how many blocks moved, and the hash for the next step; 2^32: all is done.
 */
function relocate(
  database: Database,
  hash: number,
  holds: (address: number) => boolean,
): { readonly moved: number; readonly nextHash: number } {
  const { arena, record, keyspace, deadlines } = database;
  let moved = 0;
  arena.account = record + D_ACCOUNT;
  if (hash === 0) moved += deadlines.relocateWheel(holds);
  const nextHash = keyspace.entries.relocate(record, hash, holds, (entry) => {
    const units = entryUnits(arena, entry);
    database.move(entry, units, units * UNIT_BYTES);
    moved++;
  });
  return { moved, nextHash };
}
