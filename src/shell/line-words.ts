/**
 * The words of a line as the command takes them. `set` takes JSON, and what stands in double quotes is
 * a JSON string: `set zip "00501"` stores the text, `set zip 501` a number. The same holds for the
 * parameters of `find`, which is given a filter if none was typed.
 */
import type { Part } from "../client/link.ts";
import { EVERYTHING, FIND_END, filterEnd } from "./filter-keywords.ts";
import type { ParsedLine } from "./line.ts";
import { type Catalog, commandName } from "./words.ts";

/** Undefined for a line without words. */
export function lineWords(
  parsed: ParsedLine,
  catalog: Catalog,
): readonly [Part, ...Part[]] | undefined {
  const { words, wordTokens } = parsed;
  const [word, ...data] = words;
  if (word === undefined) return undefined;
  const isValue = isJsonString(parsed, VALUE_PLACE);
  if (isValue && commandName(String(word), catalog) === "VALUE.SET") {
    return [word, data[0] as Part, JSON.stringify(words[VALUE_PLACE]), ...data.slice(2)];
  }
  const filterAt = [1, 2].find((at) => filterEnd(words.slice(0, at)) === FIND_END);
  if (filterAt === undefined) return [word, ...data];
  const typed = wordTokens[filterAt];
  const hasFilter = typed !== undefined && typed.kind !== "word";
  const found = data.slice(0, filterAt - 1);
  return [word, ...found, ...(hasFilter ? [] : [EVERYTHING]), ...withParams(parsed, filterAt)];
}

/** set key VALUE */
const VALUE_PLACE = 2;

function isJsonString({ words, wordTokens }: ParsedLine, place: number): boolean {
  return wordTokens[place]?.kind === "text" && typeof words[place] === "string";
}

/** The words from a place on, the parameters of `find` among them as values. */
function withParams(parsed: ParsedLine, from: number): Part[] {
  const { words, wordTokens } = parsed;
  const isParams = (place: number) =>
    wordTokens[place]?.kind === "word" && /^params$/i.test(String(words[place]));
  const paramsAt = words.findIndex((_, place) => place >= from && isParams(place));
  return words.flatMap((word, place) => {
    if (place < from) return [];
    const isParam = paramsAt >= 0 && place > paramsAt;
    return [isParam && isJsonString(parsed, place) ? JSON.stringify(word) : word];
  });
}
