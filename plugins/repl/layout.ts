/**
 * Text with colours, laid out in the rows of a terminal: where lines break, how wide characters are,
 * where the cursor comes to stand. Draws nothing.
 *
 * Invariant: no row is wider than the terminal, and no control character is in one.
 */

/** A stretch of text in one look. `style`: parameters of SGR, as `1;36`; empty for none. */
export interface Piece {
  readonly text: string;
  readonly style: string;
}

export interface Row {
  /** With its colours. */
  readonly text: string;
  /** In cells. */
  readonly width: number;
}

export interface Layout {
  readonly rows: readonly Row[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

export interface LayoutOptions {
  readonly columns: number;
  /** Where the cursor stands: an offset in the texts of all pieces together. */
  readonly cursor: number;
  /** What begins the rows behind a line break. */
  readonly continuation: Piece;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export function layOut(pieces: readonly Piece[], options: LayoutOptions): Layout {
  const builder = new RowBuilder(options);
  for (const piece of pieces) builder.add(piece);
  return builder.finish();
}

class RowBuilder {
  readonly #options: LayoutOptions;
  readonly #rows: Row[] = [];
  #text = "";
  #width = 0;
  #style = "";
  #offset = 0;
  #cursor: { row: number; column: number } | undefined;

  constructor(options: LayoutOptions) {
    this.#options = options;
  }

  add({ text, style }: Piece): void {
    if (isPlain(text)) {
      // The common case by far: each character is one cell.
      for (const character of text) this.#put(character, character, 1, style);
      return;
    }
    for (const { segment } of segmenter.segment(text)) {
      if (segment === "\n") this.#lineBreak();
      else {
        const shown = visible(segment);
        this.#put(segment, shown, Bun.stringWidth(shown), style);
      }
    }
  }

  finish(): Layout {
    this.#placeCursor();
    const cursor = this.#cursor ?? { row: this.#rows.length, column: this.#width };
    this.#endRow();
    return { rows: this.#rows, cursorRow: cursor.row, cursorColumn: cursor.column };
  }

  #put(source: string, shown: string, width: number, style: string): void {
    if (this.#width + width > this.#options.columns) this.#endRow();
    this.#placeCursor();
    this.#setStyle(style);
    this.#text += shown;
    this.#width += width;
    this.#offset += source.length;
  }

  #lineBreak(): void {
    this.#placeCursor();
    this.#endRow();
    this.#offset += 1;
    const { text, style } = this.#options.continuation;
    this.#setStyle(style);
    this.#text += text;
    this.#width = Bun.stringWidth(text);
  }

  /** A cursor behind the last cell of a row stands at the beginning of the next one. */
  #placeCursor(): void {
    const { cursor, columns } = this.#options;
    if (this.#cursor !== undefined || this.#offset < cursor) return;
    if (this.#width >= columns) this.#endRow();
    this.#cursor = { row: this.#rows.length, column: this.#width };
  }

  #endRow(): void {
    this.#setStyle("");
    this.#rows.push({ text: this.#text, width: this.#width });
    this.#text = "";
    this.#width = 0;
  }

  #setStyle(style: string): void {
    if (style === this.#style) return;
    this.#text += style === "" ? "\x1b[0m" : `\x1b[0;${style}m`;
    this.#style = style;
  }
}

function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** A control character as people write it, `^A`; what has no width at all as a mark. */
function visible(segment: string): string {
  if (segment === "\t") return "  ";
  const code = segment.charCodeAt(0);
  if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`;
  if (/^[\p{C}\p{Z}]/u.test(segment) && Bun.stringWidth(segment) === 0) return "\ufffd";
  return /^\p{Cc}/u.test(segment) ? "\ufffd" : segment;
}

export function paint({ text, style }: Piece): string {
  return style === "" ? text : `\x1b[${style}m${text}\x1b[0m`;
}
