/**
 * Union, intersection and difference of sorted sets, and of sets, whose members have the score 1: what comes of them is gathered
 * in the draft (sorted-set-draft.ts).
 *
 * Scores are combined in the order in which Redis takes the sources, from the smallest to the largest: sums of floating point
 * numbers depend on it.
 */
import type { Arena, ReadonlyBytes } from "./arena.ts";
import type { Collections } from "./collections.ts";
import type { Database } from "./database.ts";
import { SET, typeOf } from "./entry.ts";
import { SetWalk } from "./set-walk.ts";
import type { SortedSetDraft } from "./sorted-set-draft.ts";

/** A set or a sorted set; entry 0: there is none. */
export interface ScoredSource {
  readonly entry: number;
  readonly weight: number;
}

export type Aggregate = "sum" | "min" | "max";

type Visit = (bytes: ReadonlyBytes, start: number, end: number, score: number) => boolean;

export class SortedSetAlgebra {
  readonly #arena: Arena;
  readonly #collections: Collections;
  /** Of the member that `#has` found. */
  #score = 0;

  constructor(database: Database) {
    this.#arena = database.arena;
    this.#collections = database.keyspace.collections;
  }

  /** Gathers the members of any source. */
  union(sources: readonly ScoredSource[], aggregate: Aggregate, draft: SortedSetDraft): void {
    for (const { entry, weight } of this.#bySize(sources)) {
      this.#walk(entry, (bytes, start, end, score) => {
        const weighted = numberOrZero(score * weight);
        if (draft.find(bytes, start, end)) {
          const combined = combine(draft.score, weighted, aggregate);
          if (!Object.is(combined, draft.score)) draft.rescore(combined);
        } else draft.add(weighted, bytes, start, end);
        return true;
      });
    }
  }

  /** Gathers the members that all sources have. */
  intersect(sources: readonly ScoredSource[], aggregate: Aggregate, draft: SortedSetDraft): void {
    this.#eachCommon(sources, aggregate, (bytes, start, end, score) => {
      draft.find(bytes, start, end);
      draft.add(score, bytes, start, end);
      return true;
    });
  }

  /** How many members all sources have; it counts no further than `limit` (0: all). */
  countCommon(sources: readonly ScoredSource[], limit: number): number {
    let count = 0;
    this.#eachCommon(sources, "sum", () => ++count !== limit);
    return count;
  }

  /** Gathers the members that the first source alone has. */
  subtract([first, ...others]: readonly ScoredSource[], draft: SortedSetDraft): void {
    if (first === undefined || others.some(({ entry }) => entry === first.entry)) return;
    this.#walk(first.entry, (bytes, start, end, score) => {
      if (others.some(({ entry }) => this.#has(entry, bytes, start, end))) return true;
      draft.find(bytes, start, end);
      draft.add(score, bytes, start, end);
      return true;
    });
  }

  #eachCommon(sources: readonly ScoredSource[], aggregate: Aggregate, visit: Visit): void {
    const [first, ...others] = this.#bySize(sources);
    if (first === undefined) return;
    this.#walk(first.entry, (bytes, start, end, score) => {
      let combined = numberOrZero(score * first.weight);
      for (const { entry, weight } of others) {
        if (!this.#has(entry, bytes, start, end)) return true;
        combined = combine(combined, this.#score * weight, aggregate);
      }
      return visit(bytes, start, end, combined);
    });
  }

  #bySize(sources: readonly ScoredSource[]): ScoredSource[] {
    return sources.toSorted((a, b) => this.#count(a.entry) - this.#count(b.entry));
  }

  #isSet(entry: number): boolean {
    return typeOf(this.#arena, entry) === SET;
  }

  #count(entry: number): number {
    if (entry === 0) return 0;
    const { sets, sortedSets } = this.#collections;
    return this.#isSet(entry) ? sets.count(entry) : sortedSets.count(entry);
  }

  #has(entry: number, bytes: ReadonlyBytes, start: number, end: number): boolean {
    if (entry === 0) return false;
    const { sets, sortedSets } = this.#collections;
    if (this.#isSet(entry)) {
      this.#score = 1;
      return sets.has(entry, bytes, start, end);
    }
    const isThere = sortedSets.find(entry, bytes, start, end);
    this.#score = sortedSets.score;
    return isThere;
  }

  /** Calls `visit` for each member until it answers false. */
  #walk(entry: number, visit: Visit): void {
    if (entry === 0) return;
    const { sets, sortedSets } = this.#collections;
    if (this.#isSet(entry)) {
      const walk = new SetWalk(this.#arena, sets);
      walk.begin(entry);
      while (walk.next()) {
        const { bytes, start, end } = walk.member;
        if (!visit(bytes, start, end, 1)) return;
      }
      return;
    }
    sortedSets.seek(entry, 0);
    for (let left = sortedSets.count(entry); left > 0; left--) {
      sortedSets.next();
      const { bytes, start, end, score } = sortedSets;
      if (!visit(bytes, start, end, score)) return;
    }
  }
}

/** An infinite score times zero, or plus its opposite, counts as zero. */
function numberOrZero(score: number): number {
  return Number.isNaN(score) ? 0 : score;
}

function combine(score: number, other: number, aggregate: Aggregate): number {
  if (aggregate === "sum") return numberOrZero(score + other);
  if (aggregate === "min") return other < score ? other : score;
  return other > score ? other : score;
}
