/**
 * FIND's arguments as a request:
 *
 *   filter [IN prefix*] [USING index] [SORT -age,name] [LIMIT n] [SKIP n] [FIELDS a,b] [COUNT] [CURSOR c]
 *          [GROUP BY a,b [COUNT] [SUM path] [AVG path] [MIN path] [MAX path] …] [WITHIN prefix] [PARAMS v …]
 *
 * in any order behind the filter, but PARAMS, behind which everything is a value: JSON, or text if it is none, as VALUE.SET
 * takes it. WITHIN is what a store with a prefix says (../embedded/key-store.ts): only keys that begin so, which are asked
 * for, grouped by and answered without it.
 */
import { isUtf8 } from "node:buffer";
import type { Arguments } from "../commands/arguments.ts";
import { CommandError } from "../commands/command-error.ts";
import { KvdbError } from "../errors.ts";
import type { Figure } from "../query/aggregation.ts";
import { KEY_PATH, parseFieldPath, parseFieldPaths } from "../query/field-path.ts";
import { and, type Filter, onWholeKeys } from "../query/filter.ts";
import { parseFilter } from "../query/parse-filter.ts";
import { parseSortOrder } from "../query/sort-order.ts";
import { parseValue, type Value } from "../query/value.ts";
import { JsonScanner } from "../store/json-text.ts";
import { suggestion } from "../suggest.ts";
import type { FindRequest } from "./find-request.ts";
import { parseGroupOrder } from "./group-order.ts";

/** Rows of a page, when nobody says how many. */
const PAGE_ROWS = 100;

type Draft = { -readonly [Member in keyof FindRequest]: FindRequest[Member] } & {
  /** Of rows or of groups: that is known when all is read. */
  order: string | undefined;
  /** What the keys begin with behind `keyPrefix`: IN's. */
  prefix: string;
};

/** What a word with one value behind it means. */
const WITH_VALUE: Readonly<Record<string, (draft: Draft, value: string) => void>> = {
  IN: (draft, value) => {
    // `user:*`, or what stands before the star: no character of it is special.
    draft.prefix = value.endsWith("*") ? value.slice(0, -1) : value;
    draft.filter = and([draft.filter, { kind: "prefix", path: KEY_PATH, prefix: draft.prefix }]);
  },
  USING: (draft, value) => {
    draft.using = value;
  },
  SORT: (draft, value) => {
    draft.order = value;
  },
  LIMIT: (draft, value) => {
    draft.limit = numberOf("LIMIT", value);
  },
  SKIP: (draft, value) => {
    draft.skip = numberOf("SKIP", value);
  },
  FIELDS: (draft, value) => {
    draft.fields = parseFieldPaths(value);
  },
  CURSOR: (draft, value) => {
    draft.cursor = value;
  },
  WITHIN: (draft, value) => {
    draft.keyPrefix = value;
  },
};

const FIGURES = ["SUM", "AVG", "MIN", "MAX"] as const;
/** Those that a person is told of. */
const WORDS = [
  ...Object.keys(WITH_VALUE).filter((word) => word !== "WITHIN"),
  "COUNT",
  "GROUP BY",
  ...FIGURES,
  "PARAMS",
];

const scanner = new JsonScanner();

/** `at`: where the filter stands. Throws a CommandError, or a QueryError for a filter, a path or an order that is none. */
export function readFindArguments(args: Arguments, at: number): FindRequest {
  const end = paramsAt(args, at + 1);
  const draft = newDraft(parseFilter(textAt(args, at), valuesOf(args, end + 1)));
  readWords(args, at + 1, end, draft);
  requireSense(draft);
  readOrder(draft);
  draft.filter = onWholeKeys(draft.filter, draft.keyPrefix);
  if (draft.cursor !== undefined) draft.limit = Math.min(draft.limit, MAX_PAGE_ROWS);
  return draft;
}

/**
 * What every key begins with whose document could be read. Undefined: the arguments are not right, and nothing will be.
 * `at`: where the filter stands.
 */
export function prefixRead(args: Arguments, at: number): Buffer | undefined {
  const draft = newDraft({ kind: "all" });
  try {
    readWords(args, at + 1, paramsAt(args, at + 1), draft);
  } catch (error) {
    if (error instanceof CommandError || error instanceof KvdbError) return undefined;
    throw error;
  }
  return Buffer.from(draft.keyPrefix + draft.prefix);
}

function newDraft(filter: Filter): Draft {
  return {
    ...{ filter, using: undefined, sort: [], limit: Number.POSITIVE_INFINITY, skip: 0, fields: [] },
    ...{ isCount: false, cursor: undefined, groupBy: undefined, figures: [] },
    ...{ keyPrefix: "", groupOrder: [], order: undefined, prefix: "" },
  };
}

/** More at once would be an answer, and no page. */
const MAX_PAGE_ROWS = 10_000;

function readWords(args: Arguments, from: number, end: number, draft: Draft): void {
  const seen = new Set<string>();
  const figures: Figure[] = [];
  for (let i = from; i < end; i++) {
    const word = args.latin(i).toUpperCase();
    const isFigure = word === "COUNT" || FIGURES.some((name) => name === word);
    if (!isFigure && seen.has(word)) throw new CommandError("ERR", `${word} is given twice`);
    seen.add(word);
    if (word === "COUNT") {
      figures.push({ kind: "count", path: null });
      continue;
    }
    const isGroup = word === "GROUP" && i + 1 < end && args.is(i + 1, "BY");
    if (isGroup) i++;
    if (!isGroup && !isFigure && !Object.hasOwn(WITH_VALUE, word)) throw unknownWord(args, i);
    if (i + 1 === end) throw new CommandError("ERR", `a value is missing behind ${word}`);
    const value = textAt(args, ++i);
    if (isGroup) draft.groupBy = parseFieldPaths(value);
    else if (isFigure) figures.push({ kind: figureNamed(word), path: parseFieldPath(value) });
    else WITH_VALUE[word]?.(draft, value);
  }
  placeFigures(draft, figures);
}

/** COUNT alone counts documents; with a group, or beside another figure, it is one of its figures. */
function placeFigures(draft: Draft, figures: readonly Figure[]): void {
  const [first] = figures;
  if (draft.groupBy === undefined && figures.length === 1 && first?.kind === "count") {
    draft.isCount = true;
  } else if (figures.length > 0 || draft.groupBy !== undefined) {
    draft.groupBy ??= [];
    draft.figures = figures.length > 0 ? figures : [{ kind: "count", path: null }];
  }
}

function readOrder(draft: Draft): void {
  if (draft.order === undefined) return;
  if (draft.groupBy === undefined) draft.sort = parseSortOrder(draft.order);
  else draft.groupOrder = parseGroupOrder(draft.order, draft);
}

function figureNamed(word: string): Figure["kind"] {
  return word.toLowerCase() as Figure["kind"];
}

/** Where PARAMS stands, and is not the value of a word: a field may have that name. The end when it does not. */
function paramsAt(args: Arguments, from: number): number {
  for (let i = from; i < args.count; i++) {
    if (args.is(i, "PARAMS")) return i;
    const word = args.latin(i).toUpperCase();
    if (word === "GROUP" && i + 1 < args.count && args.is(i + 1, "BY")) i += 2;
    else if (Object.hasOwn(WITH_VALUE, word) || FIGURES.some((name) => name === word)) i++;
  }
  return args.count;
}

function valuesOf(args: Arguments, from: number): Value[] {
  const values: Value[] = [];
  for (let i = from; i < args.count; i++) {
    const [start, end] = [args.start[i] as number, args.end[i] as number];
    if (!scanner.scan(args.buffer, start, end)) values.push(textAt(args, i));
    else values.push(parseValue(args.buffer, scanner.start, scanner.end));
  }
  return values;
}

function numberOf(word: string, value: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number)) return number;
  throw new CommandError("ERR", `${word}: expected a number from 0 on, found ${value}`);
}

function textAt(args: Arguments, index: number): string {
  const bytes = args.bytes(index);
  if (isUtf8(bytes)) return bytes.toString("utf8");
  throw new CommandError("ERR", `argument ${index} is no UTF-8 text`);
}

function unknownWord(args: Arguments, index: number): CommandError {
  const word = args.text(index).slice(0, 64);
  return new CommandError("ERR", `unexpected "${word}" in FIND${suggestion(word, WORDS)}`);
}

/** What is asked for together must make sense together. */
function requireSense(draft: Draft): void {
  const { isCount, groupBy, cursor, fields, skip } = draft;
  const refuse = (one: string, other: string) => {
    throw new CommandError("ERR", `${one} and ${other} do not go together`);
  };
  if (cursor !== undefined) {
    if (isCount) refuse("CURSOR", "COUNT");
    if (groupBy !== undefined) refuse("CURSOR", "groups");
    if (skip > 0) refuse("CURSOR", "SKIP");
    if (draft.limit === Number.POSITIVE_INFINITY) draft.limit = PAGE_ROWS;
    if (draft.limit === 0) refuse("CURSOR", "LIMIT 0");
  }
  if (fields.length > 0 && isCount) refuse("FIELDS", "COUNT");
  if (fields.length > 0 && groupBy !== undefined) refuse("FIELDS", "groups");
}
