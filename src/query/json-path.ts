/**
 * Paths into JSON documents, in the two dialects that RedisJSON takes:
 *
 *   $.a.b[0]   $..price   $[?@.age > 30]    JSONPath (RFC 9535): any number of places, in the order of the document
 *   .a.b[0]    a["b c"]   .                 the older one: the first place alone; names may have any characters but . [ ]
 *
 * A plain path (one step after another, to one place) becomes steps, which are followed in the text of a document without
 * parsing it. Any other is compiled by json-p3, the older dialect after it was rewritten. Some paths are kept compiled:
 * they are few where there are many requests.
 */
import { isUtf8 } from "node:buffer";
import type { JSONPathQuery } from "json-p3";
import { MAX_JSON_PATH_BYTES, MAX_JSON_PATH_NESTING } from "../limits.ts";
import { type JsonStep, MemberName } from "../store/json-walk.ts";
import { compileQuery, plainSteps } from "./json-path-query.ts";
import { PathError } from "./path-error.ts";

export interface JsonPath {
  /** As it was written. */
  readonly text: string;
  /** Whether it is in the older dialect, which answers one value instead of an array. */
  readonly isLegacy: boolean;
  /** The way of a plain path; [] is the root. Null: `query` finds the places. */
  readonly steps: readonly JsonStep[] | null;
  readonly query: JSONPathQuery | null;
}

/** Compiled paths that are kept, and the longest of them. */
const MAX_KEPT_PATHS = 256;
const MAX_KEPT_BYTES = 128;

/** By the path's bytes; the one that was compiled first goes first. */
const kept = new Map<string, JsonPath>();

/** The path bytes[start, end). Throws a PathError when it is none. */
export function readPath(bytes: Buffer, start: number, end: number): JsonPath {
  if (end - start > MAX_KEPT_BYTES) return compile(bytes, start, end);
  const key = bytes.toString("latin1", start, end);
  const found = kept.get(key);
  if (found !== undefined) return found;
  const path = compile(bytes, start, end);
  if (kept.size === MAX_KEPT_PATHS) {
    for (const oldest of kept.keys()) {
      kept.delete(oldest);
      break;
    }
  }
  kept.set(key, path);
  return path;
}

function compile(bytes: Buffer, start: number, end: number): JsonPath {
  if (end - start > MAX_JSON_PATH_BYTES) {
    throw new PathError(
      `a path may have ${MAX_JSON_PATH_BYTES} bytes, this one has ${end - start}`,
    );
  }
  if (!isUtf8(bytes.subarray(start, end))) throw new PathError("a path that is not UTF-8");
  const text = bytes.toString("utf8", start, end);
  requireShallow(text);
  return isJsonPath(text) ? compileJsonPath(text) : compileLegacy(text);
}

/** A name of the older dialect may begin with a dollar sign too. */
function isJsonPath(text: string): boolean {
  return /^\$(?:$|[.[\s])/.test(text);
}

/** Brackets within strings count too: nobody needs so many. */
function requireShallow(text: string): void {
  let depth = 0;
  for (const character of text) {
    if (character === "[" || character === "(") depth++;
    else if (character === "]" || character === ")") depth--;
    if (depth > MAX_JSON_PATH_NESTING) {
      throw new PathError(`a path with more than ${MAX_JSON_PATH_NESTING} brackets in one another`);
    }
  }
}

/** What stands between dots and brackets of nearly all paths, so that json-p3 need not be asked, or even loaded. */
const PLAIN_STEP =
  /\.([A-Za-z_][A-Za-z0-9_-]*)|\[(0|-?[1-9][0-9]{0,8})\]|\[(["'])([^"'\\\p{Cc}]*)\3\]/uy;

function compileJsonPath(text: string): JsonPath {
  const steps = readSteps(text, 1, PLAIN_STEP);
  if (steps.end === text.length) return { text, isLegacy: false, steps: steps.found, query: null };
  const query = compileQuery(text);
  const plain = plainSteps(query);
  return { text, isLegacy: false, steps: plain, query: plain === null ? query : null };
}

interface ReadSteps {
  readonly found: JsonStep[];
  /** Behind the last step that was read. */
  readonly end: number;
}

function readSteps(text: string, from: number, pattern: RegExp): ReadSteps {
  const found: JsonStep[] = [];
  let end = from;
  for (;;) {
    pattern.lastIndex = end;
    const match = pattern.exec(text);
    if (match === null || match[0] === "") return { found, end };
    const [whole, name, index, , quoted] = match;
    found.push(index === undefined ? new MemberName(name ?? quoted) : Number(index));
    end += whole.length;
  }
}

/** The same in the older dialect: `.name`, where a name may have more characters, `["name"]`, `[0]`, `.["name"]`. */
const LEGACY_STEP =
  /\.([^.[\]"'*?()@\s]+)|\.?\[\s*(0|-?[1-9][0-9]{0,8})\s*\]|\.?\[\s*(["'])([^"'\\\p{Cc}]*)\3\s*\]/uy;

function compileLegacy(text: string): JsonPath {
  if (text === "") throw new PathError("an empty path");
  if (text === ".") return { text, isLegacy: true, steps: [], query: null };
  const whole = text.startsWith(".") || text.startsWith("[") ? text : `.${text}`;
  const { found, end } = readSteps(whole, 0, LEGACY_STEP);
  if (end === whole.length) return { text, isLegacy: true, steps: found, query: null };
  const before = found.map((step) =>
    typeof step === "number" ? `[${step}]` : `[${JSON.stringify(step.text)}]`,
  );
  const rest = whole.slice(end).replace(/^\.\[/, "[");
  const query = compileQuery(`$${before.join("")}${rest}`, text);
  const steps = plainSteps(query);
  return { text, isLegacy: true, steps, query: steps === null ? query : null };
}
