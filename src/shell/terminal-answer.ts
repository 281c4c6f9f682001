/**
 * An answer for a person at a terminal: documents laid out and coloured, lists numbered, maps in
 * two columns, what has rows as a table. Nothing of a value is obeyed by the terminal
 * (printable.ts).
 *
 *   1) "Ada"              port  6379        name     age
 *   2) null               bind  "::1"       ───────  ───
 *                                           "Ada"     36
 */
import type { Answer } from "../resp/answer.ts";
import { documentText, keyText } from "./json-answer.ts";
import { type JsonLayout, layOutJson } from "./json-layout.ts";
import { type Paint, paintFor } from "./paint.ts";
import { scalarText } from "./plain-answer.ts";
import { escapeControls } from "./printable.ts";
import { type Cell, layOutTable } from "./table-layout.ts";

export interface TerminalStyle extends JsonLayout {
  /** Strings are JSON documents. */
  readonly isValue: boolean;
}

/** The lines of the answer, at least one. */
export function terminalAnswer(answer: Answer, style: TerminalStyle): string {
  return new Renderer(style).block(answer, style.columns).join("\n");
}

type Entries = readonly (readonly [Answer, Answer])[];

/** What is nested so deep that no width is left is written as if there were this much. */
const NARROWEST_BLOCK = 20;

class Renderer {
  readonly #style: TerminalStyle;
  readonly #paint: Paint;

  constructor(style: TerminalStyle) {
    this.#style = style;
    this.#paint = paintFor(style.colour);
  }

  block(answer: Answer, width: number): string[] {
    const columns = Math.max(width, NARROWEST_BLOCK);
    if ("entries" in answer) return this.#map(answer.entries, columns);
    if ("items" in answer) return this.#list(answer.items, columns);
    if (answer.kind === "verbatim") return this.#verbatim(answer);
    if (answer.kind === "bulk" && this.#style.isValue) {
      const text = showDocument(answer.bytes, { ...this.#style, columns });
      if (text !== undefined) return text.split("\n");
    }
    return [this.#painted(this.#cell(answer))];
  }

  /** A document in a cell stays on its line. */
  #cell(answer: Answer): Cell {
    const isDocument = answer.kind === "bulk" && this.#style.isValue;
    const text = isDocument ? documentText(answer.bytes) : undefined;
    return text === undefined ? scalarCell(answer) : documentCell(text);
  }

  #painted({ text, paint }: Cell): string {
    return paint === undefined ? text : this.#paint[paint](text);
  }

  /** INFO's headings stand out. */
  #verbatim(answer: Answer): string[] {
    return scalarText(answer)
      .split("\n")
      .map((line) => (line.startsWith("# ") ? this.#paint.heading(line) : line));
  }

  #list(items: readonly Answer[], columns: number): string[] {
    if (items.length === 0) return [this.#paint.faint("(empty)")];
    return this.#table(items, columns) ?? this.#numbered(items, columns);
  }

  #numbered(items: readonly Answer[], columns: number): string[] {
    const labelWidth = String(items.length).length + 2;
    return items.flatMap((item, index) => {
      const label = `${index + 1}) `.padStart(labelWidth);
      return this.block(item, columns - labelWidth).map(
        (line, at) => (at === 0 ? this.#paint.faint(label) : " ".repeat(labelWidth)) + line,
      );
    });
  }

  /** Undefined when the items are no rows, or the rows do not fit. */
  #table(items: readonly Answer[], columns: number): string[] | undefined {
    const style = { columns, colour: this.#style.colour };
    const cellOf = (answer: Answer) => this.#cell(answer);
    const records = recordsOf(items, cellOf);
    if (records !== undefined) {
      const names = columnNames(records);
      const rows = records.map((record) => names.map((name) => record.get(name) ?? ABSENT));
      const header = names.map((name): Cell => ({ text: escapeControls(name), paint: "heading" }));
      return layOutTable(rows, header, style);
    }
    const rows = tuplesOf(items, cellOf);
    return rows === undefined ? undefined : layOutTable(rows, undefined, style);
  }

  #map(entries: Entries, columns: number): string[] {
    if (entries.length === 0) return [this.#paint.faint("(empty)")];
    if (entries.every(([key, value]) => isScalar(key) && isScalar(value))) {
      return this.#twoColumns(entries, columns);
    }
    return entries.flatMap(([key, value]) => this.#pair(key, value, columns));
  }

  /** Values are not cut: the line is broken by the terminal where it ends. */
  #twoColumns(entries: Entries, columns: number): string[] {
    const keys = entries.map(([key]) => keyCell(key));
    const widths = keys.map(({ text }) => Bun.stringWidth(text));
    const widest = Math.min(Math.max(...widths.slice(0, MANY)), Math.floor(columns / 2));
    return entries.map(([, value], index) => {
      const padding = " ".repeat(Math.max(0, widest - widths[index]));
      return `${this.#painted(keys[index])}${padding}  ${this.#painted(this.#cell(value))}`;
    });
  }

  #pair(key: Answer, value: Answer, columns: number): string[] {
    const label = isScalar(key) ? [this.#painted(keyCell(key))] : this.block(key, columns);
    const last = label.length - 1;
    label[last] += ":";
    if (isScalar(value)) {
      label[last] += ` ${this.#painted(this.#cell(value))}`;
      return label;
    }
    return [...label, ...this.block(value, columns - 2).map((line) => `  ${line}`)];
  }
}

/** As many arguments as a function may surely be given; later keys follow the width of the first. */
const MANY = 10_000;

const ABSENT: Cell = { text: "", paint: undefined };

/** Longer than a person reads; it is shown as it came, because the layout takes much memory. */
const MAX_LAYOUT_CHARACTERS = 8 * 1024 * 1024;

/** A JSON document for a terminal; undefined when the bytes are no JSON. */
function showDocument(bytes: Buffer, layout: JsonLayout): string | undefined {
  const text = documentText(bytes);
  return text === undefined ? undefined : showJson(text, layout);
}

export function showJson(text: string, layout: JsonLayout): string {
  return text.length > MAX_LAYOUT_CHARACTERS ? escapeControls(text) : layOutJson(text, layout);
}

function isScalar(answer: Answer): boolean {
  if (answer.kind === "verbatim") return !answer.text.includes("\n");
  return !("items" in answer || "entries" in answer);
}

function scalarCell(answer: Answer): Cell {
  return { text: scalarText(answer), paint: paintOf(answer) };
}

/** What is in a cell is JSON; it stays on its line. */
export function documentCell(text: string): Cell {
  const first = text[0];
  const word = first === "t" || first === "f" || first === "n" ? "literal" : "number";
  const paint = first === '"' ? "string" : first === "{" || first === "[" ? undefined : word;
  return { text: escapeControls(text), paint };
}

function paintOf(answer: Answer): keyof Paint | undefined {
  switch (answer.kind) {
    case "bulk":
      return "string";
    case "integer":
    case "double":
      return "number";
    case "boolean":
    case "null":
      return "literal";
    case "error":
      return "error";
    default:
      return undefined;
  }
}

/** A key that is a word needs no quotes. */
const WORD = /^[\p{L}\p{N}_.:/@+-]+$/u;

export function keyCell(key: Answer): Cell {
  const text = keyText(key);
  const shown = text !== undefined && WORD.test(text) ? escapeControls(text) : scalarText(key);
  return { text: shown, paint: "key" };
}

/** Items that are maps with scalar values: the rows of a table with names over its columns. */
function recordsOf(
  items: readonly Answer[],
  cellOf: (answer: Answer) => Cell,
): Map<string, Cell>[] | undefined {
  const records: Map<string, Cell>[] = [];
  for (const item of items) {
    if (!("entries" in item) || item.entries.length === 0) return undefined;
    const record = new Map<string, Cell>();
    for (const [key, value] of item.entries) {
      const name = keyText(key);
      if (name === undefined || record.has(name) || !isScalar(value)) return undefined;
      record.set(name, cellOf(value));
    }
    records.push(record);
  }
  return records;
}

/** The names of all records, in the order in which they first come. */
function columnNames(records: readonly ReadonlyMap<string, Cell>[]): string[] {
  const names = new Set<string>();
  for (const record of records) for (const name of record.keys()) names.add(name);
  return [...names];
}

/** Items that are lists of equally many scalars, at least two: the rows of a table without names. */
function tuplesOf(
  items: readonly Answer[],
  cellOf: (answer: Answer) => Cell,
): Cell[][] | undefined {
  const [first] = items;
  const length = first !== undefined && "items" in first ? first.items.length : 0;
  if (length < 2) return undefined;
  const rows: Cell[][] = [];
  for (const item of items) {
    if (!("items" in item) || item.items.length !== length || !item.items.every(isScalar)) {
      return undefined;
    }
    rows.push(item.items.map(cellOf));
  }
  return rows;
}
