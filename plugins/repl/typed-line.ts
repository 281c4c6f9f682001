/** Of a line that was run, what its answer must know. */
import type { ParsedLine } from "kvdb/shell";
import type { Piece } from "./layout.ts";

export interface TypedLine {
  /** What stands behind the bar; it gets what a pipe of the system's shell would get. */
  readonly program: string | undefined;
  /** The column of the screen in which its filter begins; undefined where it does not stand in one row. */
  readonly filterColumn: number | undefined;
}

/** `columns`: of the screen; the line is the last one on it, behind its prompt. */
export function filterColumn(
  text: string,
  { wordTokens }: ParsedLine,
  { prompt, columns }: { readonly prompt: readonly Piece[]; readonly columns: number },
): number | undefined {
  const token = wordTokens.find(({ kind }) => kind === "filter");
  // The editor shows a control character in a way of its own.
  if (token === undefined || /\p{Cc}/u.test(text)) return undefined;
  const before = Bun.stringWidth(prompt.map((piece) => piece.text).join(""));
  const isOneRow = before + Bun.stringWidth(text) < columns;
  return isOneRow ? before + Bun.stringWidth(text.slice(0, token.start)) : undefined;
}
