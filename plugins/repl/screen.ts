/**
 * Draws what is being edited at the bottom of a terminal, over and over at the same place, and makes
 * room for what is printed meanwhile. Knows rows and where the cursor is, nothing of lines.
 *
 * Invariant: between two calls the terminal's cursor stands where the last drawing put it.
 */
import type { Layout, Row } from "./layout.ts";

export interface ScreenOutput {
  readonly columns: number;
  readonly rows: number;
  write(text: string | Uint8Array): unknown;
}

export class Screen {
  readonly #output: ScreenOutput;
  /** The row of the drawing that the cursor stands in; undefined when nothing is drawn. */
  #cursorRow: number | undefined;

  constructor(output: ScreenOutput) {
    this.#output = output;
  }

  /** Some pseudo-terminals have no size. */
  get columns(): number {
    return this.#output.columns || 80;
  }

  get rows(): number {
    return this.#output.rows || 24;
  }

  /** Replaces the last drawing. `below`: rows under it, as many as there is room for. */
  draw(layout: Layout, below: readonly Row[]): void {
    const height = this.rows;
    const first = firstRow(layout, height);
    const own = layout.rows.slice(first, first + height);
    const rows = [...own, ...below.slice(0, Math.max(0, height - own.length))];
    const cursorRow = layout.cursorRow - first;
    const text = rows.map((row) => `\x1b[K${row.text}`).join("\r\n");
    // The cursor is hidden meanwhile: it would be seen to jump.
    this.#output.write(
      `\x1b[?25l${this.#toTop()}${text}\x1b[J${move(rows.length - 1 - cursorRow, layout.cursorColumn)}\x1b[?25h`,
    );
    this.#cursorRow = cursorRow;
  }

  /** Takes the drawing away; what is printed next stands in its place. */
  clear(): void {
    if (this.#cursorRow === undefined) return;
    this.#output.write(`${this.#toTop()}\x1b[J`);
    this.#cursorRow = undefined;
  }

  /** Leaves the drawing where it is, the cursor at the beginning of the row under it. */
  leave(layout: Layout): void {
    this.draw({ ...layout, ...endOf(layout) }, []);
    this.#output.write("\r\n");
    this.#cursorRow = undefined;
  }

  clearAll(): void {
    this.#output.write("\x1b[H\x1b[2J");
    this.#cursorRow = undefined;
  }

  /**
   * To the first row of the drawing. When the terminal has become narrower, some have wrapped the rows
   * above the cursor and some have not, and none tells; then a rest of the old drawing may stay above.
   * To go up further would take away answers in the others.
   */
  #toTop(): string {
    const up = this.#cursorRow ?? 0;
    return up === 0 ? "\r" : `\r\x1b[${up}A`;
  }
}

/** Of more rows than the terminal has: those around the cursor. */
function firstRow({ rows, cursorRow }: Layout, height: number): number {
  if (rows.length <= height) return 0;
  return Math.min(Math.max(0, cursorRow - height + 1), rows.length - height);
}

function endOf({ rows }: Layout): Pick<Layout, "cursorRow" | "cursorColumn"> {
  return { cursorRow: rows.length - 1, cursorColumn: rows.at(-1)?.width ?? 0 };
}

function move(up: number, column: number): string {
  return `\r${up > 0 ? `\x1b[${up}A` : ""}${column > 0 ? `\x1b[${column}C` : ""}`;
}
