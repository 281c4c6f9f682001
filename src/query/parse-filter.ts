/**
 * A filter from its text, in either way of writing: MongoDB's when it begins with `{`, else the
 * short form.
 */
import { ALL, type Filter } from "./filter.ts";
import { parseJsonFilter } from "./filter-json.ts";
import { FilterText } from "./filter-text.ts";
import { parseWordFilter } from "./filter-words.ts";
import type { Value } from "./value.ts";

/**
 * Nothing, `*` and `{}` pass everything. `$1` takes the first of `params` as it is, whatever its
 * text looks like: what a user of the caller typed never becomes a part of the filter. A QueryError
 * tells what is wrong at which column.
 */
export function parseFilter(text: string, params: readonly Value[] = []): Filter {
  const reading = new FilterText(text, params);
  reading.skipSpace();
  const filter = parseAt(reading);
  reading.requireAllParams();
  return filter;
}

function parseAt(reading: FilterText): Filter {
  const rest = reading.text.slice(reading.at).trimEnd();
  if (rest === "" || rest === "*") return ALL;
  return rest.startsWith("{") ? parseJsonFilter(reading) : parseWordFilter(reading);
}
