/** The filter of a line that is being typed: its parts, and what may stand where the cursor is. */
import {
  FIND_END,
  type FilterPart,
  type FilterPlace,
  filterEnd,
  type ParsedLine,
  scanFilter,
} from "kvdb/shell";

export interface TypedFilter {
  readonly parts: readonly FilterPart[];
  /** What may stand where the cursor is. */
  readonly place: FilterPlace;
  /** Where the word begins that the cursor touches; the cursor itself when it touches none. */
  readonly start: number;
}

/** The parts of the filter that a token is; none for another token. */
export function filterParts(
  text: string,
  parsed: ParsedLine,
  place: number,
): readonly FilterPart[] {
  const token = parsed.wordTokens[place];
  const behind = filterEnd(parsed.words.slice(0, place));
  if (token?.kind !== "filter" || behind === undefined) return [];
  return scanFilter(text, token.start, { ...behind, endsAtBar: true }).parts;
}

/** Undefined when the cursor is not in a filter, nor where one may begin or go on. `text` ends at the cursor. */
export function filterAtCursor(text: string, parsed: ParsedLine): TypedFilter | undefined {
  const { words, wordTokens } = parsed;
  const last = wordTokens.at(-1);
  const isTouched = last !== undefined && last.end === text.length;
  const before = last?.kind === "filter" || isTouched ? words.slice(0, -1) : words;
  const behind = filterEnd(before);
  if (behind === undefined) return undefined;
  const start =
    last !== undefined && (last.kind === "filter" || isTouched) ? last.start : text.length;
  const { parts, place } = scanFilter(text, start, { ...behind, endsAtBar: true });
  const touched = parts.at(-1);
  if (touched?.end === text.length && touched.kind !== "mark") {
    return { parts, place: touched.place, start: touched.start };
  }
  // A keyword at the beginning is no part of a filter, but it stands where one may begin.
  return { parts, place, start: parts.length === 0 ? start : text.length };
}

/** The words behind `find` as FIND takes them: the filter first, also where none was typed. */
export function withFilter(
  words: readonly string[],
  { wordTokens }: ParsedLine,
): readonly string[] {
  const at = [1, 2].find((length) => filterEnd(words.slice(0, length)) === FIND_END);
  if (at === undefined || words.length === at || wordTokens[at]?.kind !== "word") return words;
  return [...words.slice(0, at), "*", ...words.slice(at)];
}
