/**
 * `index <field> [using kind] [unique] [sparse] [prefix text] [where filter] [option value …]`: an index in one line. It is
 * INDEX CREATE with a name made of the field, and equality as what the index is for:
 *
 *   index tags[*] unique     INDEX CREATE tags USING hash FIELD tags[*] unique
 *
 * With a field of its own, the word before is the name: `index by_city field address.city`. A field that is called like a
 * subcommand is indexed so, too.
 */
import { type Part, partText } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import { suggestion } from "../suggest.ts";
import { INDEX_END } from "./filter-keywords.ts";

export const INDEX_SYNTAX =
  "field [USING kind] [UNIQUE] [SPARSE] [PREFIX prefix] [WHERE filter] [option value [option value ...]]";

type Words = readonly [Part, ...Part[]];

/** `subcommands`: those of INDEX, in lower case. Throws a KvdbError USAGE. */
export function expandIndexWords(words: Words, subcommands: readonly string[]): Words {
  const [index, given, ...rest] = words;
  if (given === undefined) return [index, "help"];
  const field = partText(given);
  if (subcommands.includes(field.toLowerCase())) return words;
  requireOptions(field, rest.map(partText), subcommands);
  const has = (wanted: string) => rest.some((word) => partText(word).toLowerCase() === wanted);
  const using = has("using") ? [] : ["USING", DEFAULT_KIND];
  if (has("field")) return [index, "create", given, ...using, ...rest];
  return [index, "create", nameOf(field), ...using, "FIELD", field, ...rest];
}

const DEFAULT_KIND = "hash";

/** An index's name is made of fewer characters than a field's. */
function nameOf(field: string): string {
  const name = field.replaceAll("[*]", "").replace(/[^\w.:-]+/g, "_");
  return name.replace(/^_+(?=.)|(?<=.)_+$/g, "").slice(0, MAX_NAME_LENGTH);
}

/** store/index-definitions.ts */
const MAX_NAME_LENGTH = 64;

const FLAGS: readonly string[] = ["unique", "sparse"];

/** `index drpo by_city` is no index of a field `drpo`: behind a field come words of the command, most with a value. */
function requireOptions(
  field: string,
  rest: readonly string[],
  subcommands: readonly string[],
): void {
  for (let at = 0; at < rest.length; at++) {
    const word = (rest[at] ?? "").toLowerCase();
    if (FLAGS.includes(word)) continue;
    const isNamed = INDEX_END.keywords.has(word);
    if (++at < rest.length && (isNamed || /^[a-z][\w-]*$/.test(word))) continue;
    const near = suggestion(field, subcommands);
    if (near !== "") throw new KvdbError("USAGE", `unknown subcommand "index ${field}"${near}`);
    const shown = JSON.stringify(rest[at - 1]);
    const problem = isNamed ? `a value is missing behind ${shown}` : `unexpected ${shown}`;
    throw new KvdbError("USAGE", `${problem}; usage: kvdb index ${INDEX_SYNTAX}`);
  }
}
