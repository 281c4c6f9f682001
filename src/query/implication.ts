/**
 * Whether every document that passes one filter passes another: whether a partial index holds all
 * that is asked for. Sound, not complete: false means only that it was not seen.
 */
import type { Condition, Filter } from "./filter.ts";
import {
  conditionIntervals,
  hasPosition,
  intersection,
  isWithin,
  NULL_INTERVAL,
} from "./key-interval.ts";

export function implies(filter: Filter, wanted: Filter): boolean {
  if (wanted.kind === "all" || Bun.deepEquals(filter, wanted, true)) return true;
  if (wanted.kind === "and") return wanted.parts.every((part) => implies(filter, part));
  if (filter.kind === "or") return filter.parts.every((part) => implies(part, wanted));
  if (filter.kind === "and" && filter.parts.some((part) => implies(part, wanted))) return true;
  if (wanted.kind === "or") return wanted.parts.some((part) => implies(filter, part));
  if (filter.kind === "not" && wanted.kind === "not") return implies(wanted.part, filter.part);
  if (!("path" in filter) || !("path" in wanted)) return false;
  return filter.path.text === wanted.path.text && conditionImplies(filter, wanted);
}

/** Both are on the same path: what meets the first has a key where each key meets the second. */
function conditionImplies(condition: Condition, wanted: Condition): boolean {
  // An element itself is compared as a whole, which the keys of a field do not tell.
  if (hasPosition(wanted.path) || (wanted.path.names.length === 0 && !wanted.path.isKey)) {
    return false;
  }
  if (wanted.kind === "exists" && isOnValue(condition)) return true;
  const inner = conditionIntervals(condition, false);
  if (inner === null) return false;
  if (wanted.kind === "exists") return intersection(inner.list, [NULL_INTERVAL]).length === 0;
  const outer = conditionIntervals(wanted, false);
  return outer?.isExact === true && isWithin(inner.list, outer.list);
}

/** Conditions that nothing but a value can meet. */
function isOnValue({ kind }: Condition): boolean {
  return ["type", "prefix", "regex", "size", "element"].includes(kind);
}
