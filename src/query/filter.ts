/**
 * A filter as a tree: what both ways of writing one become (filter-json.ts, filter-words.ts), what
 * matchers and bounds of indexes are made of. The functions here make its nodes, and make the same
 * node of the same meaning where that is cheap.
 */
import { type FieldPath, KEY_PATH } from "./field-path.ts";
import { literalPrefix } from "./pattern.ts";
import type { Value, ValueType } from "./value.ts";

export type RangeOperator = "<" | "<=" | ">" | ">=";

/**
 * A condition on the values that a path leads to: it holds when it holds for one of them
 * (path-walk.ts).
 */
export type Condition =
  /** Null stands also for a missing field. */
  | { readonly kind: "equal"; readonly path: FieldPath; readonly value: Value }
  /** Only values of the same type are compared. */
  | {
      readonly kind: "range";
      readonly path: FieldPath;
      readonly operator: RangeOperator;
      readonly value: Value;
    }
  | { readonly kind: "in"; readonly path: FieldPath; readonly values: readonly Value[] }
  | { readonly kind: "exists"; readonly path: FieldPath }
  | { readonly kind: "type"; readonly path: FieldPath; readonly type: ValueType }
  | { readonly kind: "prefix"; readonly path: FieldPath; readonly prefix: string }
  | {
      readonly kind: "regex";
      readonly path: FieldPath;
      readonly source: string;
      readonly flags: string;
    }
  /** An array of so many elements. */
  | { readonly kind: "size"; readonly path: FieldPath; readonly size: number }
  /**
   * An array one element of which passes `filter`: a value by conditions on ELEMENT, or a document
   * by its fields.
   */
  | {
      readonly kind: "element";
      readonly path: FieldPath;
      readonly of: "values" | "documents";
      readonly filter: Filter;
    };

export type Filter =
  | { readonly kind: "all" }
  | { readonly kind: "and"; readonly parts: readonly Filter[] }
  | { readonly kind: "or"; readonly parts: readonly Filter[] }
  | { readonly kind: "not"; readonly part: Filter }
  | Condition;

/** Passes everything. */
export const ALL: Filter = { kind: "all" };

export function and(parts: readonly Filter[]): Filter {
  const flat = parts.flatMap((part) =>
    part.kind === "and" ? part.parts : part.kind === "all" ? [] : [part],
  );
  return flat.length === 0 ? ALL : flat.length === 1 ? flat[0] : { kind: "and", parts: flat };
}

/** Of at least one part. */
export function or(parts: readonly Filter[]): Filter {
  const flat = parts.flatMap((part) => (part.kind === "or" ? part.parts : [part]));
  return flat.length === 1 ? flat[0] : { kind: "or", parts: flat };
}

export function not(part: Filter): Filter {
  return { kind: "not", part };
}

/** Both ends belong to the range. */
export function between(path: FieldPath, low: Value, high: Value): Filter {
  return and([
    { kind: "range", path, operator: ">=", value: low },
    { kind: "range", path, operator: "<=", value: high },
  ]);
}

/** Each of the values is there; of no values at all MongoDB says that nothing has them. */
export function hasAll(path: FieldPath, values: readonly Value[]): Filter {
  if (values.length === 0) return { kind: "in", path, values: [] };
  return and(values.map((value) => ({ kind: "equal", path, value })));
}

/**
 * `source` is one that `compilePattern` takes. What only asks for a beginning needs no expression.
 */
export function regex(path: FieldPath, source: string, flags: string): Filter {
  const { prefix, isAll } = literalPrefix(source, flags);
  return isAll ? { kind: "prefix", path, prefix } : { kind: "regex", path, source, flags };
}

/**
 * A filter that is meant of keys without a prefix, as one of whole keys, which all begin with the
 * prefix: so that an index of keys leads to them.
 */
export function onWholeKeys(filter: Filter, prefix: string): Filter {
  if (prefix === "") return filter;
  return and([{ kind: "prefix", path: KEY_PATH, prefix }, withKeyPrefix(filter, prefix)]);
}

function withKeyPrefix(filter: Filter, prefix: string): Filter {
  if (filter.kind === "all") return filter;
  if (filter.kind === "not") return not(withKeyPrefix(filter.part, prefix));
  if (filter.kind === "and") return and(filter.parts.map((part) => withKeyPrefix(part, prefix)));
  if (filter.kind === "or") return or(filter.parts.map((part) => withKeyPrefix(part, prefix)));
  return filter.path.isKey ? onWholeKey(filter, prefix) : filter;
}

/** A value that is no string is no key, with a prefix or without. */
function onWholeKey(condition: Condition, prefix: string): Condition {
  const whole = (value: Value) => (typeof value === "string" ? prefix + value : value);
  switch (condition.kind) {
    case "equal":
    case "range":
      return { ...condition, value: whole(condition.value) };
    case "in":
      return { ...condition, values: condition.values.map(whole) };
    case "prefix":
      return { ...condition, prefix: prefix + condition.prefix };
    case "regex": {
      // An expression cannot be lengthened: `^` would be elsewhere. The text keeps it apart from
      // conditions on the whole key, which an index knows what to do with.
      const skippedBytes = Buffer.byteLength(prefix);
      const text = `${KEY_PATH.text}[${skippedBytes}]`;
      return { ...condition, path: { ...KEY_PATH, text, skippedBytes } };
    }
    default:
      return condition;
  }
}

/**
 * The paths that a filter reads in a document, each once; not those within elements, nor the key.
 */
export function pathsOf(filter: Filter): FieldPath[] {
  const paths = new Map<string, FieldPath>();
  const visit = (one: Filter): void => {
    if (one.kind === "and" || one.kind === "or") one.parts.forEach(visit);
    else if (one.kind === "not") visit(one.part);
    else if (one.kind !== "all" && !one.path.isKey && one.path.names.length > 0) {
      paths.set(one.path.text, one.path);
    }
  };
  visit(filter);
  return [...paths.values()];
}

/** What a filter demands of some paths, whatever else it does: all of these must hold. */
export function conditionsOf(filter: Filter, paths: readonly FieldPath[]): Condition[] {
  if (filter.kind === "and") return filter.parts.flatMap((part) => conditionsOf(part, paths));
  if (filter.kind === "all" || filter.kind === "or" || filter.kind === "not") return [];
  return paths.some(({ text }) => text === filter.path.text) ? [filter] : [];
}

/** Whether no document without the field fulfils it. */
export function needsField(condition: Condition): boolean {
  switch (condition.kind) {
    case "equal":
      return condition.value !== null;
    case "in":
      return !condition.values.includes(null);
    case "range":
      return condition.value !== null;
    case "type":
      return condition.type !== "null";
    default:
      return true;
  }
}
