/** Where a filter stands in a line, and the words that end it there. */

export interface FilterEnd {
  /** Words that end a filter, in lower case. */
  readonly keywords: ReadonlySet<string>;
  /** Behind a condition every word ends it, but `and` and `or`: there may be words that nobody knows here. */
  readonly isAnyWord: boolean;
}

/** Behind `find`: the words of FIND's syntax. */
export const FIND_END: FilterEnd = {
  keywords: new Set([
    ...["in", "using", "sort", "limit", "skip", "fields", "count", "cursor", "group"],
    ...["sum", "avg", "min", "max", "params"],
  ]),
  isAnyWord: false,
};

/** Behind `where` of an index: those of INDEX CREATE's, and options of a plugin's kind. */
export const INDEX_END: FilterEnd = {
  keywords: new Set(["using", "field", "prefix", "unique", "sparse", "where"]),
  isAnyWord: true,
};

/** The filter of `find` without one. */
export const EVERYTHING = "*";

/** The longest word that a filter follows: `explain`. */
const LONGEST_INTRODUCTION = 7;

/** What ends the filter that follows these words; undefined when none does. */
export function filterEnd(words: readonly unknown[]): FilterEnd | undefined {
  const { length } = words;
  if (length === 0) return undefined;
  const first = introduction(words[0]);
  if (length === 1) return first === "find" ? FIND_END : undefined;
  const last = introduction(words[length - 1]);
  if (length === 2) return first === "explain" && last === "find" ? FIND_END : undefined;
  return first === "index" && last === "where" ? INDEX_END : undefined;
}

/** Scripts of other commands are long, and so are their words. */
function introduction(word: unknown): string {
  const isShort = typeof word === "string" && word.length <= LONGEST_INTRODUCTION;
  return isShort ? word.toLowerCase() : "";
}
