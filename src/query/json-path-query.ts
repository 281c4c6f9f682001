/**
 * JSONPath queries by json-p3, made fit for a server: regular expressions run in linear time, the work of a query has a
 * bound, and members come in the order in which the document has them.
 *
 * The libraries are loaded when a query first needs them: nearly all paths are plain, and a start must not wait for them.
 */
import type { JSONPathEnvironment, JSONPathNode, JSONPathQuery } from "json-p3";
import { MAX_JSON_DEPTH, MAX_JSON_PATH_STEPS } from "../limits.ts";
import type { JsonLocation } from "../store/json-spans.ts";
import {
  isContainer,
  JsonChildren,
  type JsonStep,
  MemberName,
  OPEN_OBJECT,
} from "../store/json-walk.ts";
import { allowPatterns, linearFunctions } from "./json-path-functions.ts";
import { PathError } from "./path-error.ts";

type Library = typeof import("json-p3");

interface Loaded {
  readonly library: Library;
  readonly environment: JSONPathEnvironment;
}

let loaded: Loaded | null = null;

function load(): Loaded {
  if (loaded !== null) return loaded;
  const library = require("json-p3") as Library;
  class Environment extends library.JSONPathEnvironment {
    override entries(object: Parameters<JSONPathEnvironment["entries"]>[0]) {
      const keys = keyOrder.get(object);
      if (keys === undefined) return Object.entries(object);
      return keys.map((key): [string, (typeof object)[string]] => [key, object[key]]);
    }
  }
  // Levels of a document, of which none is as deep, and the value at its bottom.
  const environment = new Environment({ maxRecursionDepth: MAX_JSON_DEPTH + 3 });
  for (const [name, filter] of linearFunctions(library)) {
    environment.functionRegister.set(name, filter);
  }
  loaded = { library, environment };
  return loaded;
}

/** Compiles a query. `given`: what its user wrote, when that is not the text. */
export function compileQuery(text: string, given = text): JSONPathQuery {
  const { library, environment } = load();
  try {
    return environment.compile(text);
  } catch (error) {
    if (error instanceof library.JSONPathError)
      throw new PathError(pathProblem(error, text, given));
    throw tooComplex(error);
  }
}

/** What its lexer means when it cannot go back at the end of the text. */
const ENDS = "unexpected end";

/** The library's message ends with an extract in parentheses; the column says more, where the text is the user's. */
function pathProblem(
  error: { readonly message: string; readonly token: { readonly index: number } },
  text: string,
  given: string,
): string {
  const message = error.message.replace(/ \('.*':\d+\)$/s, "").replace(/^can't backup .*/, ENDS);
  const shown = given.length > 80 ? `${given.slice(0, 80)}…` : given;
  const place = given === text ? ` at column ${error.token.index + 1}` : "";
  return `invalid path '${shown}'${place}: ${message}`;
}

/** The library is recursive: what is left, after all bounds, may still pass the stack. */
function tooComplex(error: unknown): unknown {
  return error instanceof RangeError ? new PathError("a path that is too complex") : error;
}

/** The steps of a query that leads to one place at most; null: it may lead to more. */
export function plainSteps(query: JSONPathQuery): JsonStep[] | null {
  if (!query.singularQuery()) return null;
  const { NameSelector, IndexSelector } = load().library.jsonpath.selectors;
  return query.segments.map(({ selectors: [selector] }) => {
    if (selector instanceof NameSelector) return new MemberName(selector.name);
    if (selector instanceof IndexSelector) return selector.index;
    throw new Error("a singular query has names and indexes alone");
  });
}

/** The places in the document bytes[start, end) that the query finds. */
export function runQuery(
  query: JSONPathQuery,
  bytes: Buffer,
  start: number,
  end: number,
): JsonLocation[] {
  const { library } = load();
  const text = bytes.toString("utf8", start, end);
  const value = JSON.parse(text);
  if (NUMBERED_KEY.test(text) && isContainer(bytes[start])) noteOrder(bytes, start, value);
  allowPatterns();
  let passed = 0;
  function* counted(nodes: Iterable<JSONPathNode>): Generator<JSONPathNode> {
    for (const node of nodes) {
      passed += node.location.length + 1;
      if (passed > MAX_JSON_PATH_STEPS) {
        throw new PathError("a path that passes too many places of this document");
      }
      yield node;
    }
  }
  let nodes: Iterable<JSONPathNode> = [new library.JSONPathNode(value, [], value)];
  for (const segment of query.segments) nodes = counted(segment.lazyResolve(nodes));
  try {
    return Array.from(nodes, ({ location }) => location);
  } catch (error) {
    if (error instanceof library.JSONPathError) throw new PathError(error.message);
    throw tooComplex(error);
  }
}

// ---- the order of members ----

/** The keys of objects that do not keep their order: JavaScript puts those that are numbers first. */
const keyOrder = new WeakMap<object, string[]>();

/** Text that may have a key which is a number, perhaps as an escape. */
const NUMBERED_KEY = /"(?:[0-9]|\\u003)[^"]*":/;

const INDEX = /^(?:0|[1-9][0-9]{0,9})$/;

/** Notes the order of keys of objects in the value, whose text begins at `at`. */
function noteOrder(bytes: Buffer, at: number, value: unknown): void {
  // Of a key that comes twice, in an old record, the text may be of one value and the parsed one of the other; the last
  // one of the text is the parsed one.
  if (typeof value !== "object" || value === null) return;
  const isObject = bytes[at] === OPEN_OBJECT;
  const children = new JsonChildren().begin(bytes, at);
  const keys: string[] = [];
  const container = value as Record<string | number, unknown>;
  while (children.next()) {
    const key = isObject ? children.key() : children.index;
    if (typeof key === "string") keys.push(key);
    if (isContainer(bytes[children.start])) noteOrder(bytes, children.start, container[key]);
  }
  if (!isObject) return;
  if (keys.some((key) => INDEX.test(key))) keyOrder.set(container, [...new Set(keys)]);
  else keyOrder.delete(container);
}
