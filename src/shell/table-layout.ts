/**
 * Cells in aligned columns, fitted to the width of a terminal. Widths are counted as the terminal
 * shows them: a wide character takes two columns, a mark on a letter none.
 */
import { type Paint, paintFor } from "./paint.ts";

export interface Cell {
  /** Safe to show (printable.ts), one line, without paint. */
  readonly text: string;
  readonly paint: keyof Paint | undefined;
}

export interface TableStyle {
  readonly columns: number;
  readonly colour: boolean;
}

const GAP = "  ";
/** Below this a cell says nothing any more. */
const NARROWEST = 6;

/**
 * Lines, or undefined when the columns would get too narrow to be read. Cells that do not fit end
 * in `…`. Rows may be shorter than the widest one. `header` is a row of its own above a rule.
 */
export function layOutTable(
  rows: readonly (readonly Cell[])[],
  header: readonly Cell[] | undefined,
  style: TableStyle,
): string[] | undefined {
  const all = header === undefined ? rows : [header, ...rows];
  const widths = fit(naturalWidths(all), style.columns);
  if (widths === undefined) return undefined;
  const paint = paintFor(style.colour);
  const rightAligned = widths.map((_, column) => isNumeric(rows, column));
  const lines = all.map((row) => line(row, { widths, rightAligned, paint }));
  if (header !== undefined) {
    lines.splice(1, 0, paint.faint(widths.map((width) => "─".repeat(width)).join(GAP)));
  }
  return lines;
}

function naturalWidths(rows: readonly (readonly Cell[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, { text }] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, Bun.stringWidth(text));
    }
  }
  return widths;
}

/**
 * The first column names its row, and stays whole where the others can still be read beside it: what is cut can be typed
 * by nobody.
 */
function fit(natural: readonly number[], columns: number): number[] | undefined {
  const room = columns - GAP.length * (natural.length - 1);
  const [first = 0, ...others] = natural;
  const beside = share(others, room - first);
  return beside === undefined ? share(natural, room) : [first, ...beside];
}

/** The widest columns give until all fit; those that need less than their share keep what they need. */
function share(natural: readonly number[], columns: number): number[] | undefined {
  let room = columns;
  const widths: number[] = [];
  const narrowFirst = natural.map((_, column) => column).sort((a, b) => natural[a] - natural[b]);
  for (const [done, column] of narrowFirst.entries()) {
    const part = Math.floor(room / (natural.length - done));
    const width = Math.min(natural[column], part);
    if (width < natural[column] && width < NARROWEST) return undefined;
    widths[column] = width;
    room -= width;
  }
  return widths;
}

function isNumeric(rows: readonly (readonly Cell[])[], column: number): boolean {
  return rows.every(
    ({ [column]: cell }) => cell === undefined || cell.text === "" || cell.paint === "number",
  );
}

interface LineShape {
  readonly widths: readonly number[];
  readonly rightAligned: readonly boolean[];
  readonly paint: Paint;
}

function line(row: readonly Cell[], { widths, rightAligned, paint }: LineShape): string {
  const parts = row.map((cell, column) => {
    const text = cut(cell.text, widths[column]);
    const padding = " ".repeat(widths[column] - Bun.stringWidth(text));
    const painted = cell.paint === undefined ? text : paint[cell.paint](text);
    if (rightAligned[column]) return padding + painted;
    return column === row.length - 1 ? painted : painted + padding;
  });
  return parts.join(GAP);
}

/** Made when something is cut for the first time: most runs cut nothing, and it takes 2 ms. */
let graphemes: Intl.Segmenter | undefined;

/** At most `width` columns; what is cut shows a `…` in its last one. */
export function cut(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  graphemes ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  let kept = "";
  let room = width - 1;
  for (const { segment } of graphemes.segment(text)) {
    room -= Bun.stringWidth(segment);
    if (room < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}
