/**
 * The words of a line as the command takes them. `set` takes JSON, and what stands in double quotes is
 * a JSON string: `set zip "00501"` stores the text, `set zip 501` a number.
 */
import type { Part } from "../client/link.ts";
import type { ParsedLine } from "./line.ts";
import { type Catalog, commandName } from "./words.ts";

/** Undefined for a line without words. */
export function lineWords(
  { words, wordTokens }: ParsedLine,
  catalog: Catalog,
): readonly [Part, ...Part[]] | undefined {
  const [word, ...data] = words;
  if (word === undefined) return undefined;
  const value = words[VALUE_PLACE];
  const isString = wordTokens[VALUE_PLACE]?.kind === "text" && typeof value === "string";
  if (isString && commandName(String(word), catalog) === "VALUE.SET") {
    return [word, data[0] as Part, JSON.stringify(value), ...data.slice(2)];
  }
  return [word, ...data];
}

/** set key VALUE */
const VALUE_PLACE = 2;
