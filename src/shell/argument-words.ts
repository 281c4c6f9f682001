/**
 * The arguments that a shell of the system has made of a line, as the words that parseLine (line.ts) gives for it: a filter
 * is one word. What were quotes are gone, so places tell what an argument is:
 *
 *   kvdb find 'city = "New York" and age > 30'     one argument where a filter begins is text of the filter
 *   kvdb find city = 'New York' and age '>' 30     behind an operator, what is no value of the language is a string
 *   kvdb find zip = 00501                          the string "00501", because numbers have no such zeros
 *
 * `zip = 501` asks for the number whatever quotes stood around it; for the string there is `zip = '"501"'`.
 */
import { FILTER_WORDS } from "../query/filter-words.ts";
import { EVERYTHING, FIND_END, filterEnd } from "./filter-keywords.ts";
import { type FilterScan, scanFilter } from "./filter-parts.ts";

type Words = readonly [string, ...string[]];

export function argumentWords(words: Words): Words {
  const introduced = words.findIndex((_, at) => filterEnd(words.slice(0, at + 1)));
  const behind = introduced < 0 ? undefined : filterEnd(words.slice(0, introduced + 1));
  if (behind === undefined) return words;
  const [first, ...before] = words.slice(0, introduced + 1) as [string, ...string[]];
  const given = words.slice(introduced + 1);
  // `find -- …` as with other commands: nothing behind it is an option.
  const rest = given[0] === "--" ? given.slice(1) : given;
  const { filter, length } = joinedFilter(rest, { ...behind, endsAtBar: false });
  const joined = length > 0 ? [filter] : behind === FIND_END ? [EVERYTHING] : [];
  return [first, ...before, ...joined, ...rest.slice(length)];
}

interface JoinedFilter {
  readonly filter: string;
  /** How many arguments it takes. */
  readonly length: number;
}

/** The filter that the arguments begin with. */
function joinedFilter(words: readonly string[], options: FilterScan): JoinedFilter {
  if (words[0] === "") return { filter: EVERYTHING, length: 1 };
  let filter = "";
  for (const [at, word] of words.entries()) {
    const before = filter === "" ? "" : `${filter} `;
    const { place, openAt, isInLiteral } = scanFilter(filter, 0, options);
    if (place === "value" && !isInLiteral) {
      filter = before + valueText(word, openAt !== undefined);
      continue;
    }
    if (openAt === undefined && endsBefore(before, words.slice(at), options)) {
      return { filter, length: at };
    }
    filter = before + word;
  }
  return { filter, length: words.length };
}

/** Whether a keyword stands next. It is told from a field of that name by what follows it. */
function endsBefore(before: string, words: readonly string[], options: FilterScan): boolean {
  const following = words.slice(0, LOOKED_AT).join(" ");
  return scanFilter(before + following, 0, options).end <= before.length;
}

/** Words that tell: the keyword, an operator, what follows that. */
const LOOKED_AT = 3;

const VALUE =
  /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?|\$\d+|".*"|'.*'|[([{/].*|true|false|null)$/is;
const BARE_TEXT = /^[\p{L}_][\p{L}\p{N}_.@:/+-]*$/u;

/** An argument behind an operator: as it is when the language knows it so, else as a string. */
function valueText(word: string, isInGroup: boolean): string {
  const closing = isInGroup ? (/\)*$/.exec(word)?.[0] ?? "") : "";
  const value = word.slice(0, word.length - closing.length);
  const isWord = BARE_TEXT.test(value) && !FILTER_WORDS.has(value.toLowerCase());
  return `${isWord || VALUE.test(value) ? value : JSON.stringify(value)}${closing}`;
}

/** As it is typed to a shell of the system. The word has no single quotes. */
export function quoteArgument(word: string): string {
  return /^[\w%+,./:@=-]+$/.test(word) ? word : `'${word}'`;
}
