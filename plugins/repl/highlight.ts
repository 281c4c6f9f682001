/** The colours of a line that is being edited: commands, keys, JSON, what is wrong. */
import {
  type Catalog,
  commandName,
  FIND_END,
  type FilterPart,
  type FilterPartKind,
  INDEX_END,
  type JsonPartKind,
  jsonParts,
  type ParsedLine,
  type Token,
} from "kvdb/shell";
import { filterParts } from "./filter-line.ts";
import type { Piece } from "./layout.ts";
import type { Look, Theme } from "./theme.ts";

export interface HighlightOptions {
  readonly theme: Theme;
  readonly catalog: Catalog;
  /** Words that the shell knows itself. */
  readonly isLocalWord: (word: string) => boolean;
}

const jsonLooks: Readonly<Record<JsonPartKind, Look>> = {
  key: "key",
  string: "string",
  number: "number",
  literal: "literal",
  mark: "mark",
  wrong: "wrong",
};

/** The pieces together are the text. */
export function highlight(text: string, parsed: ParsedLine, options: HighlightOptions): Piece[] {
  const { tokens, wordTokens } = parsed;
  const pieces: Piece[] = [];
  const add = (start: number, end: number, look: Look) => {
    pieces.push({ text: text.slice(start, end), style: options.theme[look] });
  };
  const keys = keyPlaces(parsed, options.catalog);
  for (const token of tokens) {
    const place = wordTokens.indexOf(token);
    if (token.kind === "filter") {
      addFilter(filterParts(text, parsed, place), add, token.start);
      continue;
    }
    if (token.kind !== "json" || keys(place)) {
      add(token.start, token.end, lookOf(token, place, { text, parsed, keys, options }));
      continue;
    }
    for (const { kind, start, end } of jsonParts(text.slice(token.start, token.end))) {
      add(token.start + start, token.start + end, jsonLooks[kind]);
    }
  }
  return pieces;
}

const filterLooks: Readonly<Record<FilterPartKind, Look>> = {
  field: "key",
  operator: "mark",
  joint: "command",
  string: "string",
  number: "number",
  literal: "literal",
  word: "word",
  parameter: "literal",
  pattern: "string",
  mark: "mark",
  wrong: "wrong",
};

function addFilter(
  parts: readonly FilterPart[],
  add: (start: number, end: number, look: Look) => void,
  start: number,
): void {
  let at = start;
  for (const { kind, place, start: from, end } of parts) {
    if (from > at) add(at, from, "word");
    add(from, end, kind === "word" && place === "value" ? "string" : filterLooks[kind]);
    at = end;
  }
}

interface Surroundings {
  readonly text: string;
  readonly parsed: ParsedLine;
  readonly keys: (place: number) => boolean;
  readonly options: HighlightOptions;
}

function lookOf(token: Token, place: number, surroundings: Surroundings): Look {
  const { text, parsed, keys, options } = surroundings;
  switch (token.kind) {
    case "space":
      return "word";
    case "comment":
      return "comment";
    case "pipe":
    case "program":
      return "program";
  }
  if (place === 0) return lookOfCommand(String(parsed.words[0]), options);
  if (isUnbalanced(token, parsed)) return "wrong";
  if (keys(place)) return "key";
  if (token.kind === "text" || token.kind === "raw") return "string";
  const word = text.slice(token.start, token.end);
  if (/^-?\d+(\.\d+)?$/.test(word)) return "number";
  if (/^(true|false|null)$/.test(word)) return "literal";
  if (/^(--[a-z]|[A-Z]{2,}$)/.test(word)) return "option";
  return isKeyword(word, parsed) ? "option" : "word";
}

/** Words of FIND and of an index, in small letters too: they stand among names that people gave. */
function isKeyword(word: string, { words }: ParsedLine): boolean {
  const folded = word.toLowerCase();
  const first = String(words[0]).toLowerCase();
  if (first === "index") return INDEX_END.keywords.has(folded);
  const isFind = first === "find" || (first === "explain" && words.length > 1);
  return isFind && (FIND_END.keywords.has(folded) || folded === "find" || folded === "by");
}

function lookOfCommand(word: string, { catalog, isLocalWord }: HighlightOptions): Look {
  const isKnown = isLocalWord(word) || catalog.get(commandName(word, catalog)) !== undefined;
  return isKnown ? "command" : "unknown";
}

/** A quote that is being typed is not wrong before the line ends; one with text behind it is. */
function isUnbalanced({ end }: Token, { problems }: ParsedLine): boolean {
  return problems.some((problem) => problem.start === end);
}

/** Which words are keys, by the positions that the command declares. */
function keyPlaces({ words }: ParsedLine, catalog: Catalog): (place: number) => boolean {
  if (words.length === 0) return () => false;
  const name = commandName(String(words[0]), catalog);
  const command = catalog.get(`${name}|${String(words[1]).toUpperCase()}`) ?? catalog.get(name);
  if (command?.keys === undefined) return () => false;
  const [first, last, step] = command.keys;
  // A line that is being typed has no end yet: a range that is counted from there has all words.
  const bound = last < 0 ? words.length - 1 : last;
  return (place) => place >= first && place <= bound && (place - first) % step === 0;
}
