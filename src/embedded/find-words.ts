/** What a program asks documents with, as the words of FIND; each option judged. */
import { KvdbError } from "../errors.ts";
import { parseFieldPath, parseFieldPaths } from "../query/field-path.ts";
import { parseFilter } from "../query/parse-filter.ts";
import { parseSortOrder } from "../query/sort-order.ts";
import { parseValue, type Value } from "../query/value.ts";
import { positiveInteger, requireKeys, requireText } from "./checked-options.ts";
import { filterWords, valueText } from "./filter-json.ts";

/** All options that a question may have; the types say which has which (find-types.ts). */
export interface AnyOptions {
  readonly prefix?: unknown;
  readonly using?: unknown;
  readonly params?: unknown;
  readonly limit?: unknown;
  readonly skip?: unknown;
  readonly sort?: unknown;
  readonly fields?: unknown;
  readonly groupBy?: unknown;
  readonly count?: unknown;
  readonly sum?: unknown;
  readonly avg?: unknown;
  readonly min?: unknown;
  readonly max?: unknown;
}

type OptionName = keyof AnyOptions;

const ASKING = ["prefix", "using", "params"] as const;
export const COUNT_OPTIONS: readonly OptionName[] = [...ASKING, "limit", "skip"];
export const FIND_EACH_OPTIONS: readonly OptionName[] = [...ASKING, "limit", "sort", "fields"];
export const FIND_OPTIONS: readonly OptionName[] = [...FIND_EACH_OPTIONS, "skip"];
const FIGURES = ["sum", "avg", "min", "max"] as const;
export const AGGREGATE_OPTIONS: readonly OptionName[] = [
  ...COUNT_OPTIONS,
  ...(["groupBy", "count", "sort"] as const),
  ...FIGURES,
];

/** FIND in two halves: the words that PARAMS ends are the last. */
export interface FindWords {
  readonly words: readonly string[];
  readonly params: readonly string[];
}

/**
 * `storePrefix`: what the store puts before its keys. Throws a KvdbError: COMMAND with the column for
 * a filter, a path or an order that is wrong, USAGE for all else.
 */
export function findWords(
  filter: unknown,
  options: AnyOptions,
  known: readonly OptionName[],
  storePrefix: string,
): FindWords {
  requireKeys("options", options, known);
  const { text, params } = filterOf(filter, options.params);
  const words = [text];
  if (storePrefix !== "") words.push("WITHIN", storePrefix);
  const { prefix, using, sort, fields } = options;
  // FIND takes one star away, and that is this one.
  if (prefix !== undefined) words.push("IN", `${textOption("prefix", prefix)}*`);
  if (using !== undefined) words.push("USING", textOption("using", using));
  if (sort !== undefined)
    words.push(...wordIfAny("SORT", sortText(sort, known === AGGREGATE_OPTIONS)));
  for (const name of ["limit", "skip"] as const) {
    const count = options[name];
    if (count !== undefined) words.push(name.toUpperCase(), countText(name, count));
  }
  if (fields !== undefined) words.push("FIELDS", pathsText("fields", fields));
  addGroups(words, options);
  return { words, params };
}

function filterOf(filter: unknown, given: unknown): { text: string; params: readonly string[] } {
  if (typeof filter === "string") {
    requireText("filter", filter);
    const params = paramsOf(given);
    parseFilter(filter, params.map(valueOfJson));
    return { text: filter, params };
  }
  if (filter === null || typeof filter !== "object") {
    throw new KvdbError("USAGE", `filter: expected an object or a string, found ${filter}`);
  }
  if (given !== undefined) {
    const message = "options.params: they go with a filter as text; in an object all is a value";
    throw new KvdbError("USAGE", message);
  }
  const words = filterWords(filter);
  parseFilter(words.text, words.params.map(valueOfJson));
  return words;
}

function valueOfJson(json: string): Value {
  const bytes = Buffer.from(json);
  return parseValue(bytes, 0, bytes.length);
}

function paramsOf(given: unknown): string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) {
    throw new KvdbError("USAGE", `options.params: expected a list, found ${typeof given}`);
  }
  return Array.from(given, (value, index) => valueText(value, `options.params[${index}]`));
}

function textOption(name: string, text: unknown): string {
  requireText(`options.${name}`, text);
  return text as string;
}

function countText(name: string, count: unknown): string {
  return count === 0 ? "0" : positiveInteger(`options.${name}`, count);
}

function wordIfAny(word: string, text: string): string[] {
  return text === "" ? [] : [word, text];
}

/** `{ age: -1, name: 1 }` is `-age,name`. Of groups the names are those of their columns. */
function sortText(sort: unknown, isOfGroups: boolean): string {
  if (typeof sort === "string") {
    requireText("options.sort", sort);
    if (!isOfGroups) parseSortOrder(sort);
    return sort;
  }
  if (typeof sort !== "object" || sort === null || Array.isArray(sort)) {
    throw new KvdbError(
      "USAGE",
      'options.sort: expected an object or a string such as "-age,name"',
    );
  }
  const fields = Object.entries(sort);
  // JavaScript puts names of digits before all others, wherever they were written.
  if (fields.length > 1 && fields.some(([name]) => /^\d+$/.test(name))) {
    const message =
      "options.sort: beside a name of digits the order of fields is lost; give a string";
    throw new KvdbError("USAGE", message);
  }
  const signs = new Map<unknown, string>([
    [1, ""],
    [-1, "-"],
  ]);
  return fields
    .map(([name, direction]) => {
      const sign = signs.get(direction);
      if (sign !== undefined) return sign + (isOfGroups ? columnText(name) : pathText(name));
      throw new KvdbError("USAGE", `options.sort.${name}: expected 1 or -1, found ${direction}`);
    })
    .join(",");
}

/** In the one way of writing it: commas and signs of a name stand in quotes. */
function pathText(path: unknown): string {
  requireText("a path", path);
  return parseFieldPath(path as string).text;
}

/** A column of a group as FIND calls it: `sum("first name")` for `sum(first name)`. */
export function columnText(column: string): string {
  if (column === "count") return column;
  const [, figure, path] = /^(sum|avg|min|max)\((.*)\)$/s.exec(column) ?? [];
  return figure === undefined ? pathText(column) : `${figure}(${pathText(path)})`;
}

/** The columns that groups have, as the program calls them. */
export function columnsOf({ groupBy = [], ...options }: AnyOptions): string[] {
  const listed = (paths: unknown) => (Array.isArray(paths) ? paths : [paths]).map(String);
  return [
    ...listed(groupBy),
    ...FIGURES.flatMap((figure) =>
      listed(options[figure] ?? []).map((path) => `${figure}(${path})`),
    ),
  ];
}

function pathsText(name: string, paths: unknown): string {
  if (typeof paths === "string") {
    requireText(`options.${name}`, paths);
    parseFieldPaths(paths);
    return paths;
  }
  if (!Array.isArray(paths) || paths.length === 0) {
    throw new KvdbError(
      "USAGE",
      `options.${name}: expected a list of at least one path, or a string`,
    );
  }
  return paths.map(pathText).join(",");
}

function addGroups(words: string[], options: AnyOptions): void {
  const { groupBy, count = false } = options;
  if (groupBy !== undefined) {
    const paths = Array.isArray(groupBy) ? groupBy : [groupBy];
    words.push("GROUP", "BY", pathsText("groupBy", paths));
  }
  if (typeof count !== "boolean") {
    throw new KvdbError("USAGE", `options.count: expected true or false, found ${typeof count}`);
  }
  if (count) words.push("COUNT");
  for (const figure of FIGURES) {
    const given = options[figure] ?? [];
    for (const path of Array.isArray(given) ? given : [given]) {
      words.push(figure.toUpperCase(), pathText(path));
    }
  }
}
