/** The row under the line: what may follow the words that were typed, and what the command does. */
import {
  type Catalog,
  commandName,
  expectedAfter,
  type FilterPlace,
  type ParsedLine,
  summaryOf,
  syntaxOf,
} from "kvdb/shell";
import { filterAtCursor, withFilter } from "./filter-line.ts";
import type { Piece } from "./layout.ts";
import { findLocalWord } from "./local-words.ts";
import type { Theme } from "./theme.ts";

interface Subject {
  /** As it is typed: `client kill`. */
  readonly name: string;
  readonly syntax: string;
  readonly summary: string;
  /** How many words the name takes. */
  readonly length: number;
}

/** Undefined where nothing is known to say. `cursor`: where the next character would stand. */
export function lineHint(
  text: string,
  parsed: ParsedLine,
  cursor: number,
  { catalog, theme }: { readonly catalog: Catalog; readonly theme: Theme },
): Piece[] | undefined {
  const subject = subjectOf(parsed, catalog);
  if (subject === undefined || parsed.program !== undefined) return undefined;
  const { name, syntax, summary, length } = subject;
  const words = withFilter(completeWords(parsed, cursor), parsed);
  const expected = expectedAfter(syntax, words.slice(length));
  if (expected === undefined) return undefined;
  const { rest } = expected;
  const next = filterHint(text.slice(0, cursor), parsed) ?? expected.next;
  return [
    { text: name, style: theme.hint },
    { text: next === "" ? "" : ` ${next}`, style: theme.hintNow },
    { text: rest === "" ? "" : ` ${rest}`, style: theme.hint },
    { text: summary === "" ? "" : `  ${summary}`, style: theme.hint },
  ];
}

/** What may stand in a filter where the cursor is; undefined outside. */
function filterHint(text: string, parsed: ParsedLine): string | undefined {
  const isWhole = parsed.wordTokens.at(-1)?.end === text.length || /\s$/.test(text);
  const filter = isWhole ? filterAtCursor(text, parsed) : undefined;
  return filter === undefined ? undefined : placeHints[filter.place];
}

const placeHints: Readonly<Record<FilterPlace, string | undefined>> = {
  start: undefined, // the syntax says it
  field: "field",
  operator: "= != < <= > >= ~ in has exists between starts with size is",
  value: "value",
  between: "and",
  after: "and or",
  json: undefined,
};

/** The words that the cursor has left behind: one that it still touches may yet become another. */
export function completeWords({ words, wordTokens }: ParsedLine, cursor: number): string[] {
  return words.filter((_, at) => (wordTokens[at]?.end ?? 0) < cursor).map(String);
}

function subjectOf({ words }: ParsedLine, catalog: Catalog): Subject | undefined {
  if (words.length === 0) return undefined;
  const [word = "", second = ""] = words.map(String);
  const local = findLocalWord(word);
  if (local !== undefined) return { ...local, length: 1 };
  const name = commandName(word, catalog);
  const subcommand = catalog.get(`${name}|${second.toUpperCase()}`);
  if (subcommand !== undefined) {
    const { summary } = subcommand;
    const typed = `${word} ${second}`.toLowerCase();
    return { name: typed, syntax: syntaxOf(subcommand, word), summary, length: 2 };
  }
  const command = catalog.get(name);
  if (command === undefined) return undefined;
  const summary = summaryOf(command, word);
  return { name: word.toLowerCase(), syntax: syntaxOf(command, word), summary, length: 1 };
}
