/** The words that people bring from other prompts: `.exit`, `\q`, `?`, `quit;`, `list|head`. */
import { type Catalog, commandName } from "kvdb/shell";
import { findLocalWord } from "./local-words.ts";

/** Short forms elsewhere, without the mark before them. */
const abbreviations: Readonly<Record<string, string>> = { q: "exit", h: "help", "?": "help" };

/** What to type instead of the first word of a line; undefined for a word without such a mark. */
export function hintFor(word: string, catalog: Catalog): string | undefined {
  const isKnown = (name: string) =>
    findLocalWord(name) !== undefined || catalog.get(commandName(name, catalog)) !== undefined;
  if (isKnown(word)) return undefined;
  const [, command, program] = /^([^|]+)\|(.*)$/s.exec(word) ?? [];
  if (command !== undefined && program !== undefined && isKnown(command)) {
    return `the bar of a pipe stands alone: ${command} | ${program || "less"}`;
  }
  const bare = word.replace(/^[.:/\\]/, "").replace(/;+$/, "");
  const folded = bare.toLowerCase();
  const isMarked = bare !== word || word === "?";
  const meant = isMarked && Object.hasOwn(abbreviations, folded) ? abbreviations[folded] : bare;
  if (meant === undefined || meant === word || !isKnown(meant)) return undefined;
  return `unknown command "${word}"; did you mean "${meant}"?`;
}
