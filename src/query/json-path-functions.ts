/**
 * `match()` and `search()` of JSONPath filters by re2js, which takes time in proportion to the text. json-p3 has them run by
 * JavaScript's regular expressions, where a short pattern can take years, and a server with them.
 *
 * RFC 9485 says what a pattern is (I-Regexp); one that is none matches nothing, as RFC 9535 wants it. json-p3 knows which
 * are right, so it is asked, with an empty text.
 */
import { type LinearRegex, linearRegex } from "./linear-regex.ts";
import { PathError } from "./path-error.ts";

type Library = typeof import("json-p3");
type Filter = InstanceType<Library["jsonpath"]["functions"]["Match"]>;

/**
 * Patterns that one query may use: they may come from the document, and `a{1000}` takes some 10 ms to compile. Whether it was
 * compiled before must not matter: what a command changed has to be changed again by a replay.
 */
const MAX_QUERY_PATTERNS = 200;

/** Compiled patterns that are kept from one query to the next. */
const MAX_KEPT_PATTERNS = 64;

interface Pattern {
  readonly compiled: LinearRegex | null;
  /** The last query that has used it. */
  query: number;
}

const patterns = new Map<string, Pattern>();
let query = 0;
let usedCount = 0;

/** A query begins. */
export function allowPatterns(): void {
  query++;
  usedCount = 0;
  if (patterns.size > MAX_KEPT_PATTERNS) patterns.clear();
}

/** Longer ones are no pattern somebody wrote, and cost more to compile than to match. */
const MAX_PATTERN_LENGTH = 1000;

export function linearFunctions({ jsonpath }: Library): [string, Filter][] {
  const { Match } = jsonpath.functions;
  const checker = new Match({ throwErrors: true, cacheSize: 0 });
  class LinearFilter extends Match {
    readonly #isWhole: boolean;

    constructor(isWhole: boolean) {
      super();
      this.#isWhole = isWhole;
    }

    override call(text: unknown, pattern: unknown): boolean {
      if (typeof text !== "string" || typeof pattern !== "string") return false;
      const compiled = patternOf(checker, pattern);
      if (compiled === null) return false;
      return this.#isWhole ? compiled.matches(text) : compiled.matcher(text).find();
    }
  }
  return [
    ["match", new LinearFilter(true)],
    ["search", new LinearFilter(false)],
  ];
}

function patternOf(checker: Filter, text: string): LinearRegex | null {
  const known = patterns.get(text);
  if (known?.query === query) return known.compiled;
  if (++usedCount > MAX_QUERY_PATTERNS) {
    throw new PathError(`a path that needs more than ${MAX_QUERY_PATTERNS} patterns`);
  }
  const pattern = known ?? { compiled: compilePattern(checker, text), query };
  pattern.query = query;
  patterns.set(text, pattern);
  return pattern.compiled;
}

/** Null for what is no I-Regexp, or more than re2js compiles. */
function compilePattern(checker: Filter, pattern: string): LinearRegex | null {
  if (pattern.length > MAX_PATTERN_LENGTH || !isRegexp(checker, pattern)) return null;
  const { RE2JS, RE2JSException } = linearRegex();
  try {
    return RE2JS.compile(withDots(pattern));
  } catch (error) {
    if (error instanceof RE2JSException) return null;
    throw error;
  }
}

function isRegexp(checker: Filter, pattern: string): boolean {
  try {
    checker.call("", pattern);
    return true;
  } catch {
    // Whatever it is that the library says of it, it is no pattern.
    return false;
  }
}

/** The dot of I-Regexp is any character but the two that end lines. */
function withDots(pattern: string): string {
  let isEscaped = false;
  let isInClass = false;
  let text = "";
  for (const character of pattern) {
    const isDot = character === "." && !isEscaped && !isInClass;
    text += isDot ? "[^\\n\\r]" : character;
    if (isEscaped) isEscaped = false;
    else if (character === "\\") isEscaped = true;
    else if (character === "[") isInClass = true;
    else if (character === "]") isInClass = false;
  }
  return text;
}
