/** Where in a filter the problem is that FIND has answered with, and how a person is shown the place. */
import { type Part, partText } from "../client/link.ts";
import { parseFilter } from "../query/parse-filter.ts";
import { QueryError } from "../query/query-error.ts";
import type { Answer } from "../resp/answer.ts";
import { escapeControls } from "./printable.ts";
import { cut } from "./table-layout.ts";

export interface FilterProblem {
  readonly filter: string;
  /** The offset into the filter, in UTF-16 units. */
  readonly at: number;
}

/**
 * Undefined when the error is about something else: an order and a list of fields are told with a column as well, so the
 * filter is asked whether it is the one. `parts`: the command as it was sent.
 */
export function filterProblem(parts: readonly Part[], answer: Answer): FilterProblem | undefined {
  if (answer.kind !== "error" || !answer.text.startsWith("column ")) return undefined;
  const words = parts.slice(0, 4).map(partText);
  const filter = words[(words[0] ?? "").toUpperCase() === "EXPLAIN" ? 2 : 1] ?? "";
  try {
    parseFilter(filter, paramsOf(parts));
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    if (error.message !== answer.text) return undefined;
    return { filter, at: [...filter].slice(0, error.column - 1).join("").length };
  }
  return undefined;
}

/** As many as were given; what they are is no matter of the filter's text. */
function paramsOf(parts: readonly Part[]): string[] {
  const at = parts.findLastIndex((part) => partText(part).toUpperCase() === "PARAMS");
  return at < 0 ? [] : parts.slice(at + 1).map(partText);
}

/** The line of the filter that has the problem, and below it a mark under the place. */
export function pointerLines({ filter, at }: FilterProblem, columns: number): string[] {
  const lineStart = filter.lastIndexOf("\n", at - 1) + 1;
  const [line = ""] = filter.slice(lineStart).split("\n");
  const room = Math.max(columns - INDENT.length - 1, NARROWEST);
  let before = escapeControls(filter.slice(lineStart, at));
  // Of a long line what stands around the place is shown.
  if (Bun.stringWidth(before) > room / 2) {
    while (Bun.stringWidth(before) > room / 2) before = before.slice(Math.ceil(before.length / 8));
    before = `…${before}`;
  }
  const behind = escapeControls(line.slice(at - lineStart));
  const mark = " ".repeat(Bun.stringWidth(before));
  return [`${INDENT}${cut(before + behind, room)}`, `${INDENT}${mark}^`];
}

const INDENT = "  ";
const NARROWEST = 20;
