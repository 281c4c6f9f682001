/**
 * A filter written in the short form, for people who read EXPLAIN. Parsed again it is the same
 * tree, but for what only MongoDB's way of writing can say: empty lists of values are written as
 * `in []`.
 */
import type { FieldPath } from "./field-path.ts";
import type { Condition, Filter } from "./filter.ts";
import { FILTER_WORDS } from "./filter-words.ts";
import { jsonText, type Value } from "./value.ts";

export function describeFilter(filter: Filter): string {
  switch (filter.kind) {
    case "all":
      return "*";
    case "and":
      return filter.parts.map((part) => inParentheses(part, part.kind === "or")).join(" and ");
    case "or":
      return filter.parts.map((part) => describeFilter(part)).join(" or ");
    case "not":
      return describeNot(filter.part);
    default:
      return withPath(filter.path, describeCondition(filter));
  }
}

function describeNot(part: Filter): string {
  if (part.kind === "equal") return withPath(part.path, `!= ${jsonText(part.value)}`);
  if (part.kind === "regex") return withPath(part.path, `!~ ${patternText(part)}`);
  const hasWord = part.kind === "in" || part.kind === "exists";
  if (hasWord) return withPath(part.path, `not ${describeCondition(part)}`);
  return `not ${inParentheses(part, true)}`;
}

function inParentheses(filter: Filter, isNeeded: boolean): string {
  return isNeeded ? `(${describeFilter(filter)})` : describeFilter(filter);
}

function withPath(path: FieldPath, condition: string): string {
  return path.text === "" ? condition : `${pathText(path)} ${condition}`;
}

/** A name that is a word of the language stands in quotes. */
function pathText(path: FieldPath): string {
  const [first = ""] = path.names;
  const isWord = !path.isKey && FILTER_WORDS.has(first.toLowerCase());
  return isWord ? `"${first}"${path.text.slice(first.length)}` : path.text;
}

function describeCondition(condition: Condition): string {
  switch (condition.kind) {
    case "equal":
      return `= ${jsonText(condition.value)}`;
    case "range":
      return `${condition.operator} ${jsonText(condition.value)}`;
    case "in":
      return `in ${listText(condition.values)}`;
    case "exists":
      return "exists";
    case "type":
      return `type ${condition.type}`;
    case "prefix":
      return `starts with ${JSON.stringify(condition.prefix)}`;
    case "regex":
      return `~ ${patternText(condition)}`;
    case "size":
      return `size ${condition.size}`;
    case "element":
      return `has (${describeFilter(condition.filter)})`;
  }
}

function listText(values: readonly Value[]): string {
  return values.length === 0 ? "[]" : `(${values.map(jsonText).join(", ")})`;
}

function patternText({ source, flags }: { source: string; flags: string }): string {
  if (flags === "") return JSON.stringify(source);
  const escaped = source.replace(/\\.|\//gs, (one) => (one === "/" ? "\\/" : one));
  return `/${escaped}/${flags}`;
}
