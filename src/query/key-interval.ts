/**
 * Intervals of one part of an index's keys (index-key.ts): which keys a document has when it passes
 * a condition. A half-open interval of bytes, [low, high): since no part is the beginning of
 * another, [key, key + ff) holds the one key.
 */
import type { FieldPath } from "./field-path.ts";
import type { Condition, RangeOperator } from "./filter.ts";
import {
  AFTER_ALL,
  ARRAY_TAG,
  EMPTY_ARRAY_TAG,
  IndexKeyWriter,
  NOTHING_TAG,
  NULL_TAG,
  TYPE_TAGS,
} from "./index-key.ts";
import { pathNames } from "./path-walk.ts";
import { literalPrefix } from "./pattern.ts";
import { isArray, typeRank, VALUE_TYPES, type Value } from "./value.ts";

export interface KeyInterval {
  readonly low: Buffer;
  readonly high: Buffer;
  /** It holds one key, `low`. */
  readonly isPoint: boolean;
}

/**
 * A document that passes has a key in one of the intervals; and if `isExact` every document that
 * has one passes.
 */
export interface KeyIntervals {
  /** In ascending order, apart from one another. */
  readonly list: readonly KeyInterval[];
  readonly isExact: boolean;
}

const AFTER = Buffer.from([AFTER_ALL]);
const writer = new IndexKeyWriter(Number.MAX_SAFE_INTEGER);

export const NULL_INTERVAL = point(Buffer.from([NULL_TAG]));
const EMPTY_ARRAY_INTERVAL = point(Buffer.from([EMPTY_ARRAY_TAG]));
/** Missing, or nothing at all; "[]", which lies between, is neither. */
export const ABSENT: KeyIntervals = {
  list: [point(Buffer.from([NOTHING_TAG])), NULL_INTERVAL],
  isExact: false,
};
const EVERYTHING = { low: Buffer.from([0]), high: AFTER, isPoint: false };

/**
 * The intervals of a condition on the path of an index; null when the index cannot tell. A sparse
 * index does not know documents without the field.
 */
export function conditionIntervals(condition: Condition, isSparse: boolean): KeyIntervals | null {
  const intervals = anyIntervals(condition, isSparse);
  if (intervals === null) return null;
  // At a position an array is compared as a whole, while the index has its elements.
  return intervals.isExact && hasPosition(condition.path)
    ? { list: intervals.list, isExact: false }
    : intervals;
}

function anyIntervals(condition: Condition, isSparse: boolean): KeyIntervals | null {
  switch (condition.kind) {
    case "equal":
      return equalIntervals(condition.value, isSparse);
    case "range":
      return rangeIntervals(condition.operator, condition.value, isSparse);
    case "in": {
      const all = condition.values.map((value) => equalIntervals(value, isSparse));
      return all.every((one) => one !== null) ? union(all) : null;
    }
    case "exists":
      return isSparse ? exactly([EVERYTHING]) : null;
    case "type":
      return typeIntervals(VALUE_TYPES.indexOf(condition.type));
    case "prefix":
      return exactly([prefixInterval(condition.prefix)]);
    case "regex": {
      const { prefix } = literalPrefix(condition.source, condition.flags);
      // Bytes of a key that are no UTF-8 are U+FFFD to an expression, but not to the index.
      const known = prefix.split("\ufffd", 1)[0] ?? "";
      return known === "" ? null : { list: [prefixInterval(known)], isExact: false };
    }
    case "size":
      return null;
    case "element":
      return condition.of === "values" ? elementIntervals(condition, isSparse) : null;
  }
}

function equalIntervals(value: Value, isSparse: boolean): KeyIntervals | null {
  if (value === null) return isSparse ? null : exactly([NULL_INTERVAL]);
  if (!isArray(value)) return exactly([point(keyOf(value))]);
  // As an element it is in the index itself; as the whole value its elements are.
  if (value.length === 0) return exactly([EMPTY_ARRAY_INTERVAL, point(keyOf(value))]);
  return { list: ascending([point(keyOf(value[0])), point(keyOf(value))]), isExact: false };
}

function rangeIntervals(
  operator: RangeOperator,
  value: Value,
  isSparse: boolean,
): KeyIntervals | null {
  const withEqual = operator === "<=" || operator === ">=";
  if (value === null) return withEqual ? equalIntervals(null, isSparse) : exactly([]);
  const tag = TYPE_TAGS[typeRank(value)];
  if (tag === ARRAY_TAG) return null;
  const key = keyOf(value);
  const behind = Buffer.concat([key, AFTER]);
  const isUpper = operator === "<" || operator === "<=";
  const low = isUpper ? Buffer.from([tag]) : withEqual ? key : behind;
  const high = isUpper ? (withEqual ? behind : key) : Buffer.from([tag + 1]);
  return exactly([{ low, high, isPoint: false }]);
}

/**
 * Which fields hold an array, only their elements are in the index; null is there for a missing
 * field too.
 */
function typeIntervals(rank: number): KeyIntervals | null {
  const tag = TYPE_TAGS[rank];
  if (tag === ARRAY_TAG) return null;
  const interval = { low: Buffer.from([tag]), high: Buffer.from([tag + 1]), isPoint: false };
  return { list: [interval], isExact: tag !== NULL_TAG };
}

function prefixInterval(prefix: string): KeyInterval {
  const whole = keyOf(prefix);
  // Without the byte that ends a string.
  const low = whole.subarray(0, whole.length - 1);
  return { low, high: nextPrefix(low), isPoint: false };
}

/** The least bytes above all that begin with these; the tag of the type in front is never ff. */
function nextPrefix(bytes: Buffer): Buffer {
  let size = bytes.length;
  while (bytes[size - 1] === 0xff) size--;
  const next = Buffer.from(bytes.subarray(0, size));
  next[size - 1]++;
  return next;
}

/**
 * All conditions on one element hold for one key. Whether it was an element, or a value outside any
 * array, is unknown.
 */
function elementIntervals(
  condition: Extract<Condition, { kind: "element" }>,
  isSparse: boolean,
): KeyIntervals | null {
  if (hasPosition(condition.path)) return null;
  const { filter } = condition;
  const parts = filter.kind === "and" ? filter.parts : [filter];
  let common: readonly KeyInterval[] | null = null;
  for (const part of parts) {
    if (!("path" in part) || part.kind === "element") continue;
    const intervals = anyIntervals(part, isSparse);
    if (intervals === null || part.kind === "exists") continue;
    common = common === null ? intervals.list : intersection(common, intervals.list);
  }
  return common === null ? null : { list: common, isExact: false };
}

// ---- arithmetic ----

function exactly(list: readonly KeyInterval[]): KeyIntervals {
  return { list: ascending(list), isExact: true };
}

function point(key: Buffer): KeyInterval {
  return { low: key, high: Buffer.concat([key, AFTER]), isPoint: true };
}

export function union(all: readonly KeyIntervals[]): KeyIntervals {
  return {
    list: ascending(all.flatMap(({ list }) => list)),
    isExact: all.every(({ isExact }) => isExact),
  };
}

/** In order, those that meet made one. */
export function ascending(list: readonly KeyInterval[]): KeyInterval[] {
  const joined: KeyInterval[] = [];
  for (const interval of list.toSorted((one, other) => Buffer.compare(one.low, other.low))) {
    const last = joined.at(-1);
    if (last === undefined || Buffer.compare(interval.low, last.high) >= 0) joined.push(interval);
    else if (Buffer.compare(interval.high, last.high) > 0) {
      joined[joined.length - 1] = { low: last.low, high: interval.high, isPoint: false };
    }
  }
  return joined;
}

export function intersection(
  one: readonly KeyInterval[],
  other: readonly KeyInterval[],
): KeyInterval[] {
  const common: KeyInterval[] = [];
  for (let i = 0, j = 0; i < one.length && j < other.length; ) {
    const [a, b] = [one[i], other[j]];
    const low = Buffer.compare(a.low, b.low) >= 0 ? a.low : b.low;
    const endsFirst = Buffer.compare(a.high, b.high) <= 0;
    const high = endsFirst ? a.high : b.high;
    if (Buffer.compare(low, high) < 0) common.push({ low, high, isPoint: a.isPoint || b.isPoint });
    if (endsFirst) i++;
    else j++;
  }
  return common;
}

/** Whether each interval of `inner` lies within one of `outer`. */
export function isWithin(inner: readonly KeyInterval[], outer: readonly KeyInterval[]): boolean {
  return inner.every(({ low, high }) =>
    outer.some((one) => Buffer.compare(one.low, low) <= 0 && Buffer.compare(high, one.high) <= 0),
  );
}

export function hasPosition(path: FieldPath): boolean {
  return pathNames(path).some(({ position }) => position >= 0);
}

/** The key of a value, however long. */
function keyOf(value: Value): Buffer {
  writer.begin();
  writer.value(value);
  return writer.key();
}
