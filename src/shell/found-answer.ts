/**
 * What FIND answers, as people and programs want to see it. Keys are strings, documents are JSON as it is stored.
 *
 *   at a terminal   a table: the key, and a column for each field of the documents; what is nested stands in its cell as
 *                   JSON. Documents with too many fields for the width, and those that are no objects, a line each
 *   plain           "user:1": {"name":"Ada"}
 *   --json          [{"key":"user:1","value":{"name":"Ada"}}]; a page {"cursor":"…","documents":[…]}
 *   --csv           a row of the names, `@key` first, then a row for each document
 *   --raw           a line for the key, a line for the document
 *
 * GROUP BY answers documents without keys, and is shown in the same ways.
 */
import type { Answer } from "../resp/answer.ts";
import { countText } from "./amounts.ts";
import { csvAnswer } from "./csv-answer.ts";
import { documentAsAnswer, documentMembers } from "./document-answer.ts";
import { jsonAnswer } from "./json-answer.ts";
import { paintFor } from "./paint.ts";
import { plainAnswer } from "./plain-answer.ts";
import { escapeControls, quote } from "./printable.ts";
import { rawAnswer } from "./raw-answer.ts";
import { type Cell, layOutTable } from "./table-layout.ts";
import { documentCell, keyCell, showJson, terminalAnswer } from "./terminal-answer.ts";

export interface Found {
  /** What is counted: `document`, `group`; of an index `entry`. */
  readonly unit: string;
  readonly units: string;
  /** Undefined for a count. */
  readonly rows: readonly FoundRow[] | undefined;
  readonly count: Answer & { readonly kind: "integer" };
  /** Where the next page begins; undefined without pages. */
  readonly cursor: string | undefined;
}

export interface FoundRow {
  /** Undefined for a group. */
  readonly key: Buffer | undefined;
  readonly document: Buffer;
}

export interface FoundStyle {
  readonly mode: "plain" | "json" | "raw" | "csv";
  readonly colour: boolean;
  /** 0: for a program. */
  readonly columns: number;
}

/** The key's column, as filters call it. */
const KEY_NAME = "@key";
/** The column of documents that are no objects. */
const VALUE_NAME = "value";

/** Undefined for an answer that is none of FIND's. */
export function readFound(answer: Answer): Found | undefined {
  if (answer.kind === "integer") return countOf(answer, "document", "documents");
  if (answer.kind !== "array") return undefined;
  const [cursor, page] = answer.items;
  if (answer.items.length === 2 && cursor?.kind === "bulk" && page?.kind === "array") {
    const found = readFound(page);
    return found && { ...found, cursor: cursor.bytes.toString() };
  }
  const rows = answer.items.map(readRow);
  if (!rows.every((row) => row !== undefined)) return undefined;
  const isGroups = rows.some(({ key }) => key === undefined);
  const [unit, units] = isGroups ? ["group", "groups"] : ["document", "documents"];
  return { ...countOf({ kind: "integer", value: rows.length }, unit, units), rows };
}

function readRow(item: Answer): FoundRow | undefined {
  if (item.kind === "bulk") return { key: undefined, document: item.bytes };
  if (item.kind !== "array" || item.items.length !== 2) return undefined;
  const [key, document] = item.items;
  if (key?.kind !== "bulk" || document?.kind !== "bulk") return undefined;
  return { key: key.bytes, document: document.bytes };
}

/** A number of things, which stands in words where a person reads it. */
export function countOf(count: Found["count"], unit: string, units: string): Found {
  return { unit, units, rows: undefined, count, cursor: undefined };
}

/** With its last newline. */
export function renderFound(found: Found, style: FoundStyle): Buffer {
  const isTerminal = style.columns > 0;
  const { rows, count } = found;
  if (style.mode === "json") {
    const text = foundJson(found);
    return Buffer.from(`${isTerminal ? showJson(text, style) : text}\n`);
  }
  if (rows === undefined) {
    const isForPerson = isTerminal && style.mode === "plain";
    return isForPerson ? Buffer.from(`${inWords(found, style)}\n`) : plainAnswer(count, false);
  }
  switch (style.mode) {
    case "raw":
      return rawAnswer({ kind: "array", items: rows.map(rawRow) }, { isValue: false, isTerminal });
    case "csv":
      return csvAnswer({ kind: "array", items: rows.map(record) }, { isValue: false, isTerminal });
    case "plain":
      return isTerminal
        ? Buffer.from(`${foundLines(found, rows, style).join("\n")}\n`)
        : plainAnswer(plainRows(rows), true);
  }
}

// ---- for programs ----

function foundJson({ rows, count, cursor }: Found): string {
  if (rows === undefined) return jsonAnswer(count, false);
  const list = `[${rows.map(rowJson).join(",")}]`;
  return cursor === undefined ? list : `{"cursor":${JSON.stringify(cursor)},"documents":${list}}`;
}

function rowJson({ key, document }: FoundRow): string {
  const text = jsonAnswer({ kind: "bulk", bytes: document }, true);
  if (key === undefined) return text;
  return `{"key":${jsonAnswer({ kind: "bulk", bytes: key }, false)},"value":${text}}`;
}

function rawRow({ key, document }: FoundRow): Answer {
  const value: Answer = { kind: "bulk", bytes: document };
  return key === undefined
    ? value
    : { kind: "array", items: [{ kind: "bulk", bytes: key }, value] };
}

function plainRows(rows: readonly FoundRow[]): Answer {
  if (rows.some(({ key }) => key === undefined)) {
    return { kind: "array", items: rows.map(rawRow) };
  }
  const entries = rows.map(({ key, document }): [Answer, Answer] => [
    { kind: "status", text: quote(key ?? EMPTY) },
    { kind: "bulk", bytes: document },
  ]);
  return { kind: "map", entries };
}

const EMPTY = Buffer.alloc(0);

/** As a row of a table whose columns have names. */
function record({ key, document }: FoundRow): Answer {
  const value = documentAsAnswer(document.toString());
  const entries: (readonly [Answer, Answer])[] = [];
  if (key !== undefined) entries.push([named(KEY_NAME), { kind: "bulk", bytes: key }]);
  if (value.kind === "map") entries.push(...value.entries);
  else entries.push([named(VALUE_NAME), { kind: "bulk", bytes: document }]);
  return { kind: "map", entries };
}

function named(text: string): Answer {
  return { kind: "status", text };
}

// ---- for people ----

function inWords({ count, unit, units }: Found, { colour }: FoundStyle): string {
  return `${paintFor(colour).number(String(count.value))} ${Number(count.value) === 1 ? unit : units}`;
}

function foundLines(found: Found, rows: readonly FoundRow[], style: FoundStyle): string[] {
  const { unit, units } = found;
  const { faint } = paintFor(style.colour);
  if (rows.length === 0) return [faint(`no ${units}`)];
  const lines =
    table(rows, style) ??
    terminalAnswer(plainRowsOf(rows), { ...style, isValue: true }).split("\n");
  return [...lines, faint(countText(rows.length, unit, units))];
}

/** Keys as the shell shows them: without quotes where they are words. */
function plainRowsOf(rows: readonly FoundRow[]): Answer {
  if (rows.some(({ key }) => key === undefined)) return plainRows(rows);
  const entries = rows.map(({ key, document }): [Answer, Answer] => [
    { kind: "bulk", bytes: key ?? EMPTY },
    { kind: "bulk", bytes: document },
  ]);
  return { kind: "map", entries };
}

/** Undefined when it does not fit, or a document is no object. */
function table(rows: readonly FoundRow[], style: FoundStyle): string[] | undefined {
  const places = new Map<string, number>();
  const hasKeys = rows[0]?.key !== undefined;
  const first = hasKeys ? 1 : 0;
  const cells: Cell[][] = [];
  for (const { key, document } of rows) {
    const members = documentMembers(document.toString());
    if (members === undefined) return undefined;
    const row: Cell[] = key === undefined ? [] : [keyCell({ kind: "bulk", bytes: key })];
    for (const [name, text] of members) {
      if (!places.has(name)) places.set(name, first + places.size);
      if (first + places.size > style.columns) return undefined; // cannot fit any more
      row[places.get(name) as number] = documentCell(text);
    }
    cells.push(row);
  }
  const names = [...(hasKeys ? [KEY_NAME] : []), ...places.keys()];
  const header = names.map((name): Cell => ({ text: escapeControls(name), paint: "heading" }));
  const filled = cells.map((row) => names.map((_, place) => row[place] ?? ABSENT));
  return names.length === first ? undefined : layOutTable(filled, header, style);
}

const ABSENT: Cell = { text: "", paint: undefined };
