/**
 * The path of a field in documents: `address.city`. Names with dots, brackets or quotes in them
 * stand in double quotes with JSON's escapes: `"a.b".c`. Paths go through arrays by themselves, as
 * MongoDB's do, so `tags[*]` is `tags` and `items[*].sku` is `items.sku`; a name of digits is also
 * a position in an array, and `[0]` is the same as `.0`. `@key` is no field: it is the key that the
 * document is stored under.
 *
 * Not a JSONPath: it names one place in the shape of documents, nothing is computed.
 */
import { MAX_PATH_LENGTH, MAX_PATH_NAMES } from "../limits.ts";
import { QueryError } from "./query-error.ts";

export interface FieldPath {
  /** The one way of writing it: two paths name the same fields when their texts are equal. */
  readonly text: string;
  /** Empty for the key, and for ELEMENT. */
  readonly names: readonly string[];
  readonly isKey: boolean;
  /** Of the key: bytes at its beginning that are not looked at (`onWholeKeys`); none when absent. */
  readonly skippedBytes?: number;
}

/** The key that a document is stored under. */
export const KEY_PATH: FieldPath = { text: "@key", names: [], isKey: true };

/** Within a condition on elements: the element itself. */
export const ELEMENT: FieldPath = { text: "", names: [], isKey: false };

/** `at` is where the path begins in `source`, for the place in errors. */
export function parseFieldPath(text: string, source = text, at = 0): FieldPath {
  const [path, end] = readFieldPath(text, 0, isPathCharacter, (problem, place) => {
    throw new QueryError(problem, source, at + place);
  });
  if (end < text.length) {
    throw new QueryError(`unexpected '${text[end]}' in a path`, source, at + end);
  }
  return path;
}

/** `a,b.c`, or `a, b.c`. */
export function parseFieldPaths(text: string): FieldPath[] {
  return splitPaths(text).map(({ part, at }) => parseFieldPath(part, text, at));
}

/** The parts between commas, without the spaces around them; commas in quotes divide nothing. */
export function splitPaths(text: string): { part: string; at: number }[] {
  const parts: { part: string; at: number }[] = [];
  for (let from = 0; from <= text.length; ) {
    let end = from;
    while (end < text.length && text[end] !== ",") {
      const close = text[end] === '"' ? quotedEnd(text, end) : end + 1;
      end = close < 0 ? text.length : close;
    }
    const whole = text.slice(from, end);
    const part = whole.trim();
    parts.push({ part, at: from + Math.max(0, whole.indexOf(part)) });
    from = end + 1;
  }
  return parts;
}

/** A path of these names, without any limit on them. */
export function pathOf(names: readonly string[]): FieldPath {
  return { text: names.map(nameText).join("."), names, isKey: false };
}

/** Whether it may also be a position in an array: `0`, `1`, `10`, not `01`. */
export function isPosition(name: string): boolean {
  return /^(0|[1-9]\d{0,8})$/.test(name);
}

type Fail = (problem: string, at: number) => never;

/**
 * The path that begins at `start`, and the offset behind it. `isCharacter` tells what may stand in
 * a name without quotes: among the words of a filter fewer than where the path stands alone.
 */
export function readFieldPath(
  text: string,
  start: number,
  isCharacter: (character: string) => boolean,
  fail: Fail,
): [path: FieldPath, end: number] {
  const names: string[] = [];
  let at = start;
  for (;;) {
    if (text.startsWith("@key", at) && names.length === 0) {
      const end = at + 4;
      if (end >= text.length || !isCharacter(text[end])) {
        if (text[end] === "." || text[end] === "[") fail("a key has no fields", end);
        return [KEY_PATH, end];
      }
    }
    const nameStart = at;
    const [name, end] = readName(text, at, isCharacter, fail);
    if (names.length === MAX_PATH_NAMES)
      fail(`a path has at most ${MAX_PATH_NAMES} names`, nameStart);
    names.push(name);
    at = readBrackets(text, end, names, fail);
    if (at - start > MAX_PATH_LENGTH)
      fail(`a path has at most ${MAX_PATH_LENGTH} characters`, start);
    if (text[at] !== ".") break;
    at++;
  }
  if (names.length > MAX_PATH_NAMES) fail(`a path has at most ${MAX_PATH_NAMES} names`, start);
  return [pathOf(names), at];
}

function readName(
  text: string,
  start: number,
  isCharacter: (character: string) => boolean,
  fail: Fail,
): [name: string, end: number] {
  if (text[start] === '"') {
    const end = quotedEnd(text, start);
    if (end < 0) fail("a quote is not closed", start);
    return [unquoted(text.slice(start, end), start, fail), end];
  }
  let end = start;
  while (end < text.length && isCharacter(text[end])) end++;
  if (end === start) {
    const found = start < text.length ? `found '${text[start]}'` : "found the end";
    fail(`expected the name of a field, ${found}`, start);
  }
  return [text.slice(start, end), end];
}

/** `[*]` adds nothing, `[0]` a position. */
function readBrackets(text: string, at: number, names: string[], fail: Fail): number {
  while (text[at] === "[") {
    const close = text.indexOf("]", at);
    const inside = close < 0 ? "" : text.slice(at + 1, close);
    if (inside !== "*" && !isPosition(inside)) fail("expected [*] or a position such as [0]", at);
    if (inside !== "*") names.push(inside);
    at = close + 1;
  }
  return at;
}

/** The offset behind the quote that closes the one at `start`; -1 when there is none. */
export function quotedEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === text[start]) return at + 1;
  }
  return -1;
}

function unquoted(quoted: string, at: number, fail: Fail): string {
  try {
    return JSON.parse(quoted);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return fail("not a string as in JSON", at);
  }
}

/** Where a path stands alone, everything but what divides names may stand in one. */
function isPathCharacter(character: string): boolean {
  return !/[.[\]"\p{Cc}]/u.test(character);
}

function nameText(name: string): string {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_-]*$/u.test(name) ? name : JSON.stringify(name);
}
