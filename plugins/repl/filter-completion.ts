/** What may be put into a filter where the cursor is: fields, operators, what joins conditions. */
import { CONDITION_SYMBOLS, CONDITION_WORDS } from "kvdb/shell";
import { fieldNames, type NameSource } from "./field-names.ts";
import type { TypedFilter } from "./filter-line.ts";

/** Of JSON filters, in query/filter-json.ts. */
const JSON_OPERATORS: readonly string[] = [
  ...["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$type", "$regex"],
  ...["$size", "$all", "$elemMatch", "$not", "$and", "$or", "$nor"],
];

const OPERATORS: readonly string[] = [
  ...CONDITION_SYMBOLS,
  ...CONDITION_WORDS.map((word) => (word === "starts" ? "starts with" : word)),
];

/** `keywords`: what may end the filter, or stand in its place. */
export async function filterCandidates(
  typed: string,
  { place }: TypedFilter,
  keywords: readonly string[],
  source: NameSource,
): Promise<string[]> {
  switch (place) {
    case "start":
      return [...(await fieldNames(typed, source)), ...beginning(typed, ["not", ...keywords])];
    case "field":
      return [...(await fieldNames(typed, source)), ...beginning(typed, ["not"])];
    case "operator":
      return beginning(typed, OPERATORS);
    case "value":
      return beginning(typed, ["true", "false", "null"]);
    case "between":
      return beginning(typed, ["and"]);
    case "after":
      return beginning(typed, ["and", "or", ...keywords]);
    case "json":
      return inJson(typed, source);
  }
}

/** Who types capitals gets capitals. */
function beginning(typed: string, words: readonly string[]): string[] {
  const isUpper = /[A-Z]/.test(typed) && typed === typed.toUpperCase();
  const found = words.filter((word) => word.startsWith(typed.toLowerCase()));
  return isUpper ? found.map((word) => word.toUpperCase()) : found;
}

/** Names stand in quotes; who began without them goes on so. */
async function inJson(typed: string, source: NameSource): Promise<string[]> {
  const [quote = ""] = /^["']/.exec(typed) ?? [];
  const name = typed.slice(quote.length);
  const mark = quote || (typed === "" ? '"' : "");
  const names = name.startsWith("$") ? [] : await fieldNames(name, source);
  return [...names.filter((one) => !one.includes('"')), ...JSON_OPERATORS]
    .filter((one) => one.startsWith(name))
    .map((one) => `${mark}${one}${mark}`);
}

/** The last of a list of fields: `-age,na` is completed to `-age,name`. */
export async function fieldList(typed: string, source: NameSource): Promise<string[]> {
  const [before = ""] = /^.*,|/s.exec(typed) ?? [];
  const [sign = ""] = /^[+-]?/.exec(typed.slice(before.length)) ?? [];
  const name = typed.slice(before.length + sign.length);
  return (await fieldNames(name, source)).map((field) => `${before}${sign}${field}`);
}
