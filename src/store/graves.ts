/**
 * What nobody can reach any more is freed later, in slices: flushed databases, and structures of many elements whose key was
 * deleted, overwritten or has expired. Each is a grave, a block of the form of a database's record, in a list whose head is
 * the superblock's i7. Its bytes count as free from the moment it is dug.
 *
 *   grave of a database    the record as it was (database-record.ts), kind 0
 *   grave of a structure   i0 address of its root    i7 kind: type and encoding of the entry
 */
import { type Arena, CHUNK_SHIFT, D_QUEUED, UNIT_MASK } from "./arena.ts";
import { D_ACCOUNT, I_GRAVE_KIND, I_NEXT_GRAVE, I_WHEEL, RECORD_UNITS } from "./database-record.ts";
import type { Dictionary } from "./dictionary.ts";
import { entryUnits, hasStructure, kindOf, valueWord } from "./entry.ts";
import type { ExpiryWheel } from "./expiry-wheel.ts";
import { unitsOf } from "./structure.ts";
import type { ValueTypes } from "./value-types.ts";

/** Superblock word: head of the list. */
const I_GRAVES = 7;
/** Superblock double: units of what belongs to no database. */
export const ACCOUNT_SHARED = D_QUEUED + 1;
/** A structure up to this size is freed at once: about as long as a command takes. */
const FREED_AT_ONCE_UNITS = 512;

export interface GraveOptions {
  readonly arena: Arena;
  readonly entries: Dictionary;
  readonly wheel: ExpiryWheel;
  readonly types: ValueTypes;
  /** Something is queued. */
  readonly onGrave: () => void;
}

export class Graves {
  /** Structures and databases that wait. */
  pending = 0;
  /** Those that have been freed since the start. */
  emptied = 0;
  readonly #options: GraveOptions;
  readonly #arena: Arena;

  constructor(options: GraveOptions) {
    this.#options = options;
    this.#arena = options.arena;
  }

  /** There are none any more: the arena is new. */
  format(): void {
    this.#arena.editInts(0, 8)[I_GRAVES] = 0;
    this.pending = 0;
  }

  /** Queues what the record of a database holds; the caller empties the record. */
  buryDatabase(record: number): void {
    const arena = this.#arena;
    const ints = arena.ints[record >>> CHUNK_SHIFT];
    const grave = this.#dig();
    const target = arena.editInts(grave, RECORD_UNITS);
    const at = (grave & UNIT_MASK) << 1;
    const next = target[at + I_NEXT_GRAVE];
    for (let i = 0; i < 2 * RECORD_UNITS; i++)
      target[at + i] = ints[((record & UNIT_MASK) << 1) + i];
    target[at + I_NEXT_GRAVE] = next;
    target[at + I_GRAVE_KIND] = 0;
    this.#queue(arena.doubles[record >>> CHUNK_SHIFT][(record & UNIT_MASK) + D_ACCOUNT]);
    this.#options.onGrave();
  }

  /**
   * Frees the structure of an entry of this kind, or of an index, which nobody refers to any more: at once when it is small. The arena's
   * account is that of the database it was in, or D_QUEUED when it was counted as queued before.
   */
  dropStructure(kind: number, root: number): void {
    const arena = this.#arena;
    const units = unitsOf(arena, root);
    if (units <= FREED_AT_ONCE_UNITS) {
      while (!this.#options.types.structureOf(kind).reap(root));
      return;
    }
    const { account } = arena;
    const grave = this.#dig();
    const words = arena.editInts(grave, RECORD_UNITS);
    const at = (grave & UNIT_MASK) << 1;
    words[at] = root;
    words[at + I_GRAVE_KIND] = kind;
    arena.account = account;
    if (account !== D_QUEUED) {
      this.#queue(units);
      arena.editDoubles(account, 1)[account] -= units;
    }
    this.#options.onGrave();
  }

  /** A new grave behind the head of the list: the head may be in work. */
  #dig(): number {
    const arena = this.#arena;
    this.pending++;
    arena.account = ACCOUNT_SHARED;
    const grave = arena.allocate(RECORD_UNITS);
    const words = arena.editInts(grave, RECORD_UNITS);
    const at = (grave & UNIT_MASK) << 1;
    words.fill(0, at, at + 2 * RECORD_UNITS);
    const head = arena.ints[0][I_GRAVES];
    if (head === 0) {
      arena.editInts(0, 8)[I_GRAVES] = grave;
      return grave;
    }
    const first = arena.editInts(head, RECORD_UNITS);
    const firstAt = (head & UNIT_MASK) << 1;
    words[at + I_NEXT_GRAVE] = first[firstAt + I_NEXT_GRAVE];
    first[firstAt + I_NEXT_GRAVE] = grave;
    return grave;
  }

  #queue(units: number): void {
    this.#arena.editDoubles(0, 16)[D_QUEUED] += units;
  }

  /** Frees a little of what is queued; true when nothing is left. */
  reapSlice(): boolean {
    const arena = this.#arena;
    const grave = arena.ints[0][I_GRAVES];
    if (grave === 0) return true;
    arena.account = D_QUEUED;
    const at = (grave & UNIT_MASK) << 1;
    const ints = arena.ints[grave >>> CHUNK_SHIFT];
    const kind = ints[at + I_GRAVE_KIND];
    if (kind !== 0) {
      if (!this.#options.types.structureOf(kind).reap(ints[at])) return false;
    } else if (!this.#reapDatabase(grave)) return false;
    const next = arena.ints[grave >>> CHUNK_SHIFT][at + I_NEXT_GRAVE];
    arena.editInts(0, 8)[I_GRAVES] = next;
    arena.account = ACCOUNT_SHARED;
    arena.release(grave, RECORD_UNITS);
    this.pending--;
    this.emptied++;
    return next === 0;
  }

  #reapDatabase(grave: number): boolean {
    const { wheel, entries } = this.#options;
    const at = (grave & UNIT_MASK) << 1;
    const address = this.#arena.ints[grave >>> CHUNK_SHIFT][at + I_WHEEL];
    if (address !== 0) {
      if (wheel.reap(address)) this.#arena.editInts(grave, RECORD_UNITS)[at + I_WHEEL] = 0;
      return false;
    }
    return entries.reap(grave, this.#freeEntry);
  }

  readonly #freeEntry = (entry: number): void => {
    const arena = this.#arena;
    const kind = kindOf(arena, entry);
    if (hasStructure(kind)) this.dropStructure(kind, valueWord(arena, entry));
    arena.release(entry, entryUnits(arena, entry));
  };
}
