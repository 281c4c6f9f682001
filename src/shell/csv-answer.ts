/**
 * An answer as CSV (RFC 4180, with line ends of one byte): its elements are the rows.
 *
 *   a scalar            one row of one field
 *   an array, a set     a row for each element; an array within is a row of its elements
 *   an array of maps    a row of the names of all fields, then one row for each map
 *   a map               rows of a key and its value
 *   a JSON document     the same: arrays of objects are tables
 *
 * What is nested deeper stands in its field as JSON. Null is an empty field, an empty string is
 * `""`. Bytes stay as they are; for a terminal, control characters are escaped.
 */
import type { Answer } from "../resp/answer.ts";
import { documentAsAnswer } from "./document-answer.ts";
import { documentText, jsonAnswer, keyText } from "./json-answer.ts";
import { escapeControlsInLines } from "./printable.ts";
import { scalarBytes } from "./raw-answer.ts";

export interface CsvStyle {
  readonly isValue: boolean;
  /** Whether it goes to a terminal. */
  readonly isTerminal: boolean;
}

export function csvAnswer(answer: Answer, { isValue, isTerminal }: CsvStyle): Buffer {
  const lines = rowsOf(isValue ? withDocuments(answer) : answer).flatMap((row) => [
    ...row.flatMap((field, index) =>
      index === 0 ? [fieldBytes(field)] : [COMMA, fieldBytes(field)],
    ),
    NEWLINE,
  ]);
  const bytes = Buffer.concat(lines);
  return isTerminal ? Buffer.from(escapeControlsInLines(bytes.toString("utf8"))) : bytes;
}

const COMMA = Buffer.from(",");
const NEWLINE = Buffer.from("\n");

/** VALUE.GET's one string as what it says. */
function withDocuments(answer: Answer): Answer {
  const text = answer.kind === "bulk" ? documentText(answer.bytes) : undefined;
  return text === undefined ? answer : documentAsAnswer(text);
}

type Row = readonly Answer[];

function rowsOf(answer: Answer): readonly Row[] {
  if ("entries" in answer) return answer.entries;
  if (!("items" in answer)) return [[answer]];
  return recordRows(answer.items) ?? answer.items.map(rowOf);
}

function rowOf(item: Answer): Row {
  return "items" in item && item.items.length > 0 ? item.items : [item];
}

/** Maps with the same kind of keys as rows under their names; undefined when an item is none. */
function recordRows(items: readonly Answer[]): Row[] | undefined {
  const records: Map<string, Answer>[] = [];
  const names = new Set<string>();
  for (const item of items) {
    if (!("entries" in item)) return undefined;
    const record = new Map<string, Answer>();
    for (const [key, value] of item.entries) {
      const name = keyText(key);
      if (name === undefined) return undefined;
      record.set(name, value);
      names.add(name);
    }
    records.push(record);
  }
  if (names.size === 0) return undefined;
  const header = [...names].map((name): Answer => ({ kind: "status", text: name }));
  const rows = records.map((record) => [...names].map((name) => record.get(name) ?? NULL));
  return [header, ...rows];
}

const NULL: Answer = { kind: "null" };

function fieldBytes(field: Answer): Buffer {
  if (field.kind === "null") return Buffer.alloc(0);
  const isNested = "items" in field || "entries" in field;
  const bytes = isNested ? Buffer.from(jsonAnswer(field, false)) : scalarBytes(field, false);
  const text = bytes.toString("latin1");
  const needsQuotes = text === "" || /[",\r\n]|^\s|\s$/.test(text);
  return needsQuotes ? Buffer.from(`"${text.replaceAll('"', '""')}"`, "latin1") : bytes;
}
