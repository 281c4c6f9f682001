/**
 * MongoDB's semantics told plainly, over parsed values and filters as they are written: what the
 * matcher, which works on text, is compared with. Slow, and without any check of the filter.
 */
import { compareValues, toValue, typeOfValue } from "../../../src/query/value.ts";
import type { Json } from "./generated.ts";

type JsonObject = { [name: string]: Json };
type Seen = Json | undefined;

/** `isElement`: an array then stands for a document whose fields are its positions. */
export function plainlyMatches(document: Json, filter: JsonObject, isElement = false): boolean {
  const matches = (part: JsonObject): boolean => plainlyMatches(document, part, isElement);
  const root: Json = isElement && Array.isArray(document) ? { ...(document as object) } : document;
  return Object.entries(filter).every(([name, argument]) => {
    if (name === "$and") return parts(argument).every(matches);
    if (name === "$or") return parts(argument).some(matches);
    if (name === "$nor") return !parts(argument).some(matches);
    return condition(argument, (whole) => plainLooks(root, name.split("."), whole));
  });
}

function parts(argument: Json | undefined): JsonObject[] {
  return argument as JsonObject[];
}

type Looks = (wholeOnly: boolean) => Seen[];

function condition(argument: Json, looks: Looks): boolean {
  if (!isObject(argument) || !Object.keys(argument)[0]?.startsWith("$")) {
    return operator("$eq", argument, looks);
  }
  return Object.entries(argument).every(([name, value]) => operator(name, value, looks));
}

function operator(name: string, argument: Json, looks: Looks): boolean {
  const some = (test: (seen: Seen) => boolean): boolean => looks(false).some(test);
  switch (name) {
    case "$eq":
      return some((seen) => compareValues(valueOfSeen(seen), valueOfSeen(argument)) === 0);
    case "$ne":
      return !operator("$eq", argument, looks);
    case "$in":
      return (argument as Json[]).some((one) => operator("$eq", one, looks));
    case "$nin":
      return !operator("$in", argument, looks);
    case "$all":
      return (argument as Json[]).every((one) => operator("$eq", one, looks));
    case "$exists":
      return looks(true).some((seen) => seen !== undefined) === argument;
    case "$type": {
      const type = argument === "bool" ? "boolean" : argument;
      return some((seen) => seen !== undefined && typeOfValue(valueOfSeen(seen)) === type);
    }
    case "$regex":
      return some((seen) => typeof seen === "string" && new RegExp(argument as string).test(seen));
    case "$size":
      return looks(true).some((seen) => Array.isArray(seen) && seen.length === argument);
    case "$not":
      return !condition(argument, looks);
    case "$elemMatch":
      return looks(true).some((seen) => Array.isArray(seen) && someElement(seen, argument));
    default:
      return some((seen) => isInRange(name, seen, argument));
  }
}

function isInRange(name: string, seen: Seen, argument: Json): boolean {
  const [one, other] = [valueOfSeen(seen), valueOfSeen(argument)];
  if (typeOfValue(one) !== typeOfValue(other)) return false;
  const apart = compareValues(one, other);
  return name === "$lt"
    ? apart < 0
    : name === "$lte"
      ? apart <= 0
      : name === "$gt"
        ? apart > 0
        : apart >= 0;
}

function someElement(elements: Json[], argument: Json): boolean {
  const [first = ""] = Object.keys(argument as JsonObject);
  const isOnValues = first.startsWith("$") && !["$and", "$or", "$nor"].includes(first);
  return elements.some((element) => {
    if (isOnValues) return condition(argument, () => [element]);
    return isContainer(element) && plainlyMatches(element, argument as JsonObject, true);
  });
}

/** What a condition on the path looks at, by the rules of path-walk.ts; undefined for missing. */
export function plainLooks(value: Seen, names: readonly string[], wholeOnly = false): Seen[] {
  const [name, ...rest] = names;
  if (name === undefined) {
    return Array.isArray(value) && !wholeOnly ? [...value, value] : [value];
  }
  if (!Array.isArray(value)) {
    return isObject(value) ? plainLooks(value[name], rest, wholeOnly) : [undefined];
  }
  return value.flatMap((element, index) => {
    const within = isObject(element) ? plainLooks(element, names, wholeOnly) : [];
    if (String(index) !== name || (rest.length > 0 && !isContainer(element))) return within;
    return [...within, ...plainLooks(element, rest, wholeOnly || rest.length === 0)];
  });
}

function isObject(value: Seen): value is JsonObject {
  return isContainer(value) && !Array.isArray(value);
}

function isContainer(value: Seen): value is JsonObject | Json[] {
  return value !== null && typeof value === "object";
}

function valueOfSeen(seen: Seen) {
  return toValue(seen) ?? null;
}
