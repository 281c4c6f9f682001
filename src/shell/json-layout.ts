/**
 * A JSON text laid out for a person: what fits stands on one line, else each element on a line of
 * its own; numbers fill lines. Works on the text, not on values: every number keeps its lexeme
 * (`1.0`, big integers), keys their order, strings their escapes.
 *
 *   {"name": "Ada", "langs": ["en", "fr"]}       {
 *                                                  "name": "Ada",
 *                                                  "langs": ["en", "fr"]
 *                                                }
 *
 * Two passes over a flat list of tokens, so that depth costs no stack: the first measures, the
 * second writes.
 */
import { type Paint, paintFor } from "./paint.ts";
import { escapeControls } from "./printable.ts";

export interface JsonLayout {
  /** Width that a line should not pass; one word that is longer does. */
  readonly columns: number;
  readonly colour: boolean;
}

/** `text` is valid JSON. No newline at the end. */
export function layOutJson(text: string, { columns, colour }: JsonLayout): string {
  return new Writer(measure(tokenize(text)), columns, paintFor(colour)).write();
}

type TokenKind = "open" | "close" | "comma" | "colon" | "key" | "string" | "number" | "literal";

interface Token {
  kind: TokenKind;
  readonly text: string;
  /** Columns that it takes on a line, with the space that follows a comma or a colon there. */
  readonly width: number;
  /** Of an opening bracket: where its closing one is. */
  closeAt: number;
  /** Of an opening bracket: the elements are numbers and literals. */
  fills: boolean;
}

const punctuation: Readonly<Record<string, { kind: TokenKind; width: number }>> = {
  "{": { kind: "open", width: 1 },
  "[": { kind: "open", width: 1 },
  "}": { kind: "close", width: 1 },
  "]": { kind: "close", width: 1 },
  ",": { kind: "comma", width: 2 },
  ":": { kind: "colon", width: 2 },
};

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const add = (kind: TokenKind, part: string, width: number) =>
    tokens.push({ kind, text: part, width, closeAt: 0, fills: false });
  for (let at = 0; at < text.length; ) {
    const mark = Object.hasOwn(punctuation, text[at]) ? punctuation[text[at]] : undefined;
    if (mark !== undefined) {
      if (mark.kind === "colon") tokens[tokens.length - 1].kind = "key";
      add(mark.kind, text[at++], mark.width);
    } else if (text[at] === '"') {
      const end = stringEnd(text, at);
      const shown = escapeControls(text.slice(at, end));
      add("string", shown, Bun.stringWidth(shown));
      at = end;
    } else if (isBlank(text[at])) at++;
    else {
      const end = wordEnd(text, at);
      add(/[a-z]/.test(text[at]) ? "literal" : "number", text.slice(at, end), end - at);
      at = end;
    }
  }
  return tokens;
}

/** By hand and not by a pattern: a string may be longer than patterns can bear. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function wordEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && !Object.hasOwn(punctuation, text[at]) && !isBlank(text[at])) at++;
  return at;
}

function isBlank(character: string): boolean {
  return character === " " || character === "\n" || character === "\r" || character === "\t";
}

interface Measured {
  readonly tokens: readonly Token[];
  /** Columns of all tokens before one, on one line. */
  readonly widthBefore: Float64Array;
}

function measure(tokens: readonly Token[]): Measured {
  const widthBefore = new Float64Array(tokens.length + 1);
  const open: Token[] = [];
  for (const [index, token] of tokens.entries()) {
    widthBefore[index + 1] = widthBefore[index] + token.width;
    if (token.kind === "open") {
      for (const outer of open.slice(-1)) outer.fills = false;
      token.fills = token.text === "[";
      open.push(token);
    } else if (token.kind === "close") {
      const opened = open.pop();
      if (opened !== undefined) opened.closeAt = index;
    } else if (token.kind === "string") {
      for (const outer of open.slice(-1)) outer.fills = false;
    }
  }
  return { tokens, widthBefore };
}

class Writer {
  readonly #measured: Measured;
  readonly #columns: number;
  readonly #paint: Paint;
  /** Pieces of the output; joined once. */
  readonly #out: string[] = [];
  /** Brackets that are open on lines of their own. */
  readonly #open: Token[] = [];
  #column = 0;

  constructor(measured: Measured, columns: number, paint: Paint) {
    this.#measured = measured;
    this.#columns = columns;
    this.#paint = paint;
  }

  write(): string {
    const { tokens } = this.#measured;
    for (let index = 0; index < tokens.length; index++) {
      const token = tokens[index];
      if (token.kind === "open") index = this.#openBracket(index, token);
      else if (token.kind === "close") {
        this.#open.pop();
        this.#newLine();
        this.#put(token);
      } else if (token.kind === "comma") this.#separate(index, token);
      else this.#put(token);
    }
    return this.#out.join("");
  }

  /** All up to the closing bracket if it fits; returns the index of what was written last. */
  #openBracket(index: number, token: Token): number {
    const { tokens, widthBefore } = this.#measured;
    const end = token.closeAt;
    const comma = tokens[end + 1]?.kind === "comma" ? 1 : 0;
    const width = widthBefore[end + 1] - widthBefore[index] + comma;
    if (end === index + 1 || this.#column + width <= this.#columns) {
      for (let inner = index; inner <= end; inner++) {
        this.#put(tokens[inner]);
        if (tokens[inner].kind === "comma") this.#space();
      }
      return end;
    }
    this.#put(token);
    this.#open.push(token);
    this.#newLine();
    return index;
  }

  #separate(index: number, token: Token): void {
    this.#put(token);
    const next = this.#measured.tokens[index + 1];
    const fills = this.#open[this.#open.length - 1]?.fills === true;
    // One column for the space before it, one for the comma behind it.
    if (fills && this.#column + next.width + 2 <= this.#columns) this.#space();
    else this.#newLine();
  }

  #put({ kind, text, width }: Token): void {
    this.#out.push(this.#painted(kind, text));
    this.#column += kind === "comma" ? 1 : width;
    if (kind === "colon") this.#out.push(" ");
  }

  #painted(kind: TokenKind, text: string): string {
    switch (kind) {
      case "key":
      case "string":
      case "number":
      case "literal":
        return this.#paint[kind](text);
      default:
        return text;
    }
  }

  #space(): void {
    this.#out.push(" ");
    this.#column++;
  }

  #newLine(): void {
    this.#column = 2 * this.#open.length;
    this.#out.push("\n", " ".repeat(this.#column));
  }
}
