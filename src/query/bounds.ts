/**
 * What an index can tell about a filter: the ranges of its keys in one of which every document that
 * passes has a key. A planner compares indexes by them; the rows found are checked by the filter
 * again, unless the ranges are exact.
 *
 * In a compound index the first paths are bound by single values, the last one that is bound by
 * ranges; the rest of the key is free. Where documents have several keys (a multi-key index), two
 * conditions on a path may be met by two different keys, so one of them alone binds; and two paths
 * that begin with the same name may go through the same array and be met in different elements, so
 * only the first binds.
 */
import { MAX_INDEX_KEY_BYTES } from "../limits.ts";
import type { FieldPath } from "./field-path.ts";
import type { Condition, Filter } from "./filter.ts";
import { implies } from "./implication.ts";
import { AFTER_ALL } from "./index-key.ts";
import type { IndexShape } from "./index-keys.ts";
import {
  ABSENT,
  ascending,
  conditionIntervals,
  hasPosition,
  intersection,
  type KeyInterval,
  type KeyIntervals,
  NULL_INTERVAL,
  union,
} from "./key-interval.ts";

/** Ranges of one filter, each of which is a search: two lists in one filter multiply. */
const MAX_RANGES = 10_000;

export interface BoundedIndex extends IndexShape {
  /** Some document has, or had, more than one key. */
  readonly isMultiKey: boolean;
  /** The index holds only documents that pass. */
  readonly where?: Filter;
}

/** Keys from `low` on and below `high`. */
export interface KeyRange {
  readonly low: Buffer;
  readonly high: Buffer;
  /** It holds one whole key, `low`: what a hash index can answer. */
  readonly isPoint: boolean;
}

export interface IndexBounds {
  /** In ascending order, apart from one another. None: no document passes. */
  readonly ranges: readonly KeyRange[];
  /**
   * Every document with a key in the ranges passes. Not so where keys were cut (IndexKeys.isCut)
   * when documents entered the index; the bounds cannot know.
   */
  readonly isExact: boolean;
}

/**
 * Null when the index cannot help: it may not hold every document that passes, or would have to be
 * read as a whole.
 */
export function indexBounds(filter: Filter, index: BoundedIndex): IndexBounds | null {
  if (index.where !== undefined && !implies(filter, index.where)) return null;
  return boundsOf(filter, index);
}

function boundsOf(filter: Filter, index: BoundedIndex): IndexBounds | null {
  // Each branch alone may bind more paths than all of them together.
  if (filter.kind === "or") return branchBounds(filter.parts, index);
  const parts = filter.kind === "and" ? filter.parts : [filter];
  const bounds = compoundBounds(parts, index);
  if (bounds !== null) return bounds;
  for (const part of parts) {
    const branches = part.kind === "or" ? branchBounds(part.parts, index) : null;
    if (branches !== null) return { ranges: branches.ranges, isExact: false };
  }
  return null;
}

function branchBounds(branches: readonly Filter[], index: BoundedIndex): IndexBounds | null {
  const all = branches.map((branch) => boundsOf(branch, index));
  if (!all.every((bounds) => bounds !== null)) return null;
  const ranges = ascending(all.flatMap((bounds) => bounds.ranges));
  return ranges.length > MAX_RANGES
    ? null
    : { ranges, isExact: all.every(({ isExact }) => isExact) };
}

// ---- all parts of the key ----

function compoundBounds(parts: readonly Filter[], index: BoundedIndex): IndexBounds | null {
  let prefixes: readonly KeyInterval[] = [{ low: NONE, high: AFTER, isPoint: true }];
  const used = new Set<Filter>();
  let isExact = true;
  let bound = 0;
  for (const path of index.paths) {
    if (index.isMultiKey && sharesArray(path, index.paths.slice(0, bound))) break;
    const part = partIntervals(path, parts, index);
    if (part === null || prefixes.length * part.list.length > MAX_RANGES) break;
    prefixes = prefixes.flatMap((prefix) => part.list.map((interval) => within(prefix, interval)));
    for (const one of part.used) used.add(one);
    isExact = isExact && part.isExact;
    bound++;
    if (!part.list.every(({ isPoint }) => isPoint)) break;
  }
  if (bound === 0) return null;
  const isWhole = bound === index.paths.length;
  const ranges = prefixes.map((range) => shortened(range, isWhole));
  const isCut = prefixes.some(isTooLong);
  const { where } = index;
  const isAllUsed = parts.every(
    (part) => used.has(part) || (where !== undefined && implies(where, part)),
  );
  return { ranges: ascending(ranges), isExact: isExact && isAllUsed && !isCut };
}

const NONE = Buffer.alloc(0);
const AFTER = Buffer.from([AFTER_ALL]);

function sharesArray(path: FieldPath, earlier: readonly FieldPath[]): boolean {
  return !path.isKey && earlier.some(({ names, isKey }) => !isKey && names[0] === path.names[0]);
}

function within(prefix: KeyInterval, { low, high, isPoint }: KeyInterval): KeyInterval {
  return {
    low: Buffer.concat([prefix.low, low]),
    high: Buffer.concat([prefix.low, high]),
    isPoint,
  };
}

function isTooLong({ low, high }: KeyInterval): boolean {
  return Math.max(low.length, high.length - 1) > MAX_INDEX_KEY_BYTES;
}

/** Keys are cut, so bounds must be: a cut high bound must let in what was cut to be the same. */
function shortened({ low, high, isPoint }: KeyInterval, isWhole: boolean): KeyRange {
  const isLong = high.length > MAX_INDEX_KEY_BYTES;
  return {
    low: low.subarray(0, MAX_INDEX_KEY_BYTES),
    high: isLong ? Buffer.concat([high.subarray(0, MAX_INDEX_KEY_BYTES), AFTER]) : high,
    isPoint: isPoint && isWhole,
  };
}

// ---- one part of the key ----

interface PartIntervals extends KeyIntervals {
  /** The conditions that say no more than the intervals, if these are exact. */
  readonly used: readonly Filter[];
}

/** What the parts of a conjunction say about a path. */
function partIntervals(
  path: FieldPath,
  parts: readonly Filter[],
  index: BoundedIndex,
): PartIntervals | null {
  let best: PartIntervals | null = null;
  for (const part of parts) {
    const intervals = intervalsOf(path, part, index);
    if (intervals === null) continue;
    const one = { ...intervals, used: [part] };
    if (best === null) best = one;
    else if (!index.isMultiKey) {
      best = {
        list: intersection(best.list, one.list),
        isExact: best.isExact && one.isExact,
        used: [...best.used, part],
      };
    } else if (width(one) < width(best)) best = one;
  }
  return best;
}

/**
 * A guess at how much of the keys is in the intervals: a few values, then ranges with two ends,
 * then the rest.
 */
function width({ list }: KeyIntervals): number {
  if (list.every(({ isPoint }) => isPoint)) return list.length / MAX_RANGES;
  return 1 + list.filter(({ low, high }) => low.length === 1 || high.length === 1).length;
}

function intervalsOf(path: FieldPath, filter: Filter, index: BoundedIndex): KeyIntervals | null {
  switch (filter.kind) {
    case "all":
      return null;
    case "and": {
      const intervals = partIntervals(path, filter.parts, index);
      if (intervals === null) return null;
      const isAll = intervals.used.length === filter.parts.length;
      return { list: intervals.list, isExact: intervals.isExact && isAll };
    }
    case "or": {
      const branches = filter.parts.map((part) => intervalsOf(path, part, index));
      return branches.every((branch) => branch !== null) ? union(branches) : null;
    }
    case "not": {
      const { part } = filter;
      const isAbsence = part.kind === "exists" && part.path.text === path.text && !index.isSparse;
      return isAbsence ? ABSENT : null;
    }
    default:
      if (filter.path.text === path.text) return onPath(filter, index);
      return filter.kind === "element" ? inElement(path, filter, index) : null;
  }
}

function onPath(condition: Condition, index: BoundedIndex): KeyIntervals | null {
  // A sparse compound index holds documents that have any one of its fields.
  if (condition.kind === "exists" && index.paths.length > 1) return null;
  return conditionIntervals(condition, index.isSparse);
}

/**
 * A condition on a field of an element of an array, for an index on that field. What null is true
 * of, the index need not hold: of an element that is an array, and so has no fields.
 */
function inElement(
  path: FieldPath,
  { path: outer, of, filter }: Extract<Condition, { kind: "element" }>,
  index: BoundedIndex,
): KeyIntervals | null {
  const isDeeper = outer.names.every((name, at) => path.names[at] === name);
  if (of !== "documents" || !isDeeper || hasPosition(path) || path.isKey) return null;
  const rest = path.text.slice(outer.text.length + 1);
  const parts = filter.kind === "and" ? filter.parts : [filter];
  for (const part of parts) {
    if (!("path" in part) || part.path.text !== rest || part.kind === "exists") continue;
    const intervals = conditionIntervals(part, index.isSparse);
    if (intervals === null || intersection(intervals.list, [NULL_INTERVAL]).length > 0) continue;
    return { list: intervals.list, isExact: false };
  }
  return null;
}
