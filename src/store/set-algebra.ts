/**
 * Intersection, union and difference of sets of any form, over the members where they lie. What a result has to name is the
 * handles of one set's members, or a draft (set-drafts.ts) where members of several sets come together; no member becomes an
 * object. The sets do not change meanwhile.
 *
 * Intersection goes through the smallest set and asks the others, smallest first. Difference has Redis's two ways: ask the
 * other sets for each member of the first (the work is |first| times their number), or take the members of the others out of
 * a copy of the first (the work is the members of all); it takes the one with less to do.
 */
import type { Arena } from "./arena.ts";
import type { Database } from "./database.ts";
import { Integer } from "./integer-set.ts";
import { SetDrafts } from "./set-drafts.ts";
import type { Member } from "./set-member.ts";
import { SetWalk } from "./set-walk.ts";
import type { Sets } from "./sets.ts";

type RequireRoom = (bytes: number) => void;

const FIRST_CAPACITY = 64;
/** Room for more handles is given back before the next result. */
const MOST_KEPT = 1 << 16;

export class SetAlgebra {
  /** The result, when it is members of the set `base`: handles[0, count). */
  handles = new Int32Array(FIRST_CAPACITY);
  count = 0;
  base = 0;
  readonly drafts: SetDrafts;
  readonly #sets: Sets;
  readonly #walk: SetWalk;
  readonly #integer = new Integer();

  constructor(arena: Arena, sets: Sets) {
    this.drafts = new SetDrafts(arena, sets);
    this.#sets = sets;
    this.#walk = new SetWalk(arena, sets);
  }

  /** Finds the members that all sets have, at most `limit` of them. Brings `entries` in order of size. */
  intersect(entries: number[], limit = Number.POSITIVE_INFINITY): void {
    this.#sortBySize(entries);
    this.#begin(entries[0]);
    while (this.count < limit && this.#walk.next()) if (this.#isInAll(entries)) this.#keep();
  }

  /** Finds the members of the first set that no other one has. Brings `others` in order of size. */
  subtract(first: number, others: number[]): void {
    this.#sortBySize(others);
    this.#begin(first);
    while (this.#walk.next()) if (!this.#isInAny(others)) this.#keep();
  }

  /** Whether taking the others out of a copy of the first is less work. */
  isSubtractedFromCopy(first: number, others: readonly number[]): boolean {
    const size = this.#sets.count(first);
    let total = size;
    for (const other of others) total += this.#sets.count(other);
    return (size * (others.length + 1)) / 2 > total;
  }

  /** By insertion: there are few. */
  #sortBySize(entries: number[]): void {
    for (let i = 1; i < entries.length; i++) {
      const entry = entries[i];
      const size = this.#sets.count(entry);
      let to = i;
      for (; to > 0 && this.#sets.count(entries[to - 1]) > size; to--)
        entries[to] = entries[to - 1];
      entries[to] = entry;
    }
  }

  #begin(base: number): void {
    this.base = base;
    this.count = 0;
    if (this.handles.length > MOST_KEPT) this.handles = new Int32Array(FIRST_CAPACITY);
    this.#walk.begin(base);
  }

  #isInAll(entries: readonly number[]): boolean {
    for (let i = 1; i < entries.length; i++) if (!this.#isIn(entries[i])) return false;
    return true;
  }

  /** The largest first, where most are found. */
  #isInAny(others: readonly number[]): boolean {
    for (let i = others.length - 1; i >= 0; i--) if (this.#isIn(others[i])) return true;
    return false;
  }

  #isIn(other: number): boolean {
    if (other === this.base) return true;
    const { bytes, start, end } = this.#walk.member;
    return this.#sets.has(other, bytes, start, end);
  }

  #keep(): void {
    if (this.count === this.handles.length) {
      const larger = new Int32Array(2 * this.count);
      larger.set(this.handles);
      this.handles = larger;
    }
    this.handles[this.count++] = this.#walk.member.handle;
  }

  // ---- into a set that is none of the sources ----

  /** Adds the members that were found. */
  addFound(database: Database, target: number, member: Member): void {
    const sets = this.#sets;
    let entry = target;
    for (let i = 0; i < this.count; i++) {
      sets.read(this.base, this.handles[i], member);
      entry = sets.add(database, entry, member.bytes, member.start, member.end);
    }
  }

  /** Adds the members of all sets. */
  addUnion(database: Database, target: number, entries: readonly number[]): void {
    let entry = target;
    for (const source of entries) {
      this.#walk.begin(source);
      while (this.#walk.next()) {
        const { bytes, start, end } = this.#walk.member;
        entry = this.#sets.add(database, entry, bytes, start, end);
      }
    }
  }

  // ---- drafts, to be adopted or discarded by the caller ----

  // `requireRoom` is told of each member before it comes, and may throw.

  /** Of the handles that were found. */
  draftFound(database: Database, member: Member, requireRoom: RequireRoom | null = null): number {
    const sets = this.#sets;
    return this.drafts.make(database, (root) => {
      for (let i = 0; i < this.count; i++) {
        sets.read(this.base, this.handles[i], member);
        requireRoom?.(member.end - member.start);
        sets.big.add(root, member.bytes, member.start, member.end);
      }
    });
  }

  draftUnion(
    database: Database,
    entries: readonly number[],
    requireRoom: RequireRoom | null = null,
  ): number {
    return this.drafts.make(database, (root) => {
      for (const entry of entries) this.#addAll(root, entry, requireRoom);
    });
  }

  /** Of the first set without the members of the others. */
  draftDifference(
    database: Database,
    first: number,
    others: readonly number[],
    requireRoom: RequireRoom | null = null,
  ): number {
    const { big } = this.#sets;
    return this.drafts.make(database, (root) => {
      this.#addAll(root, first, requireRoom);
      for (const other of others) {
        this.#walk.begin(other);
        while (big.count(root) > 0 && this.#walk.next()) {
          const { bytes, start, end } = this.#walk.member;
          big.remove(root, bytes, start, end);
        }
      }
    });
  }

  #addAll(root: number, entry: number, requireRoom: RequireRoom | null = null): void {
    const { big } = this.#sets;
    this.#walk.begin(entry);
    while (this.#walk.next()) {
      const { bytes, start, end } = this.#walk.member;
      requireRoom?.(end - start);
      big.add(root, bytes, start, end);
    }
  }

  /** Whether a set that took in the members one by one would be one of integers. */
  isOfIntegers(entry: number): boolean {
    if (this.#sets.count(entry) > this.#sets.limits.setIntegers) return false;
    this.#walk.begin(entry);
    while (this.#walk.next()) {
      const { bytes, start, end } = this.#walk.member;
      if (!this.#integer.readText(bytes, start, end)) return false;
    }
    return true;
  }
}
