/**
 * Changes as CHANGES answers them, for people and programs. At a terminal a page is a table; a feed that is followed has a
 * line for each change, in JSON an object:
 *
 *   4711  2026-09-21T14:13:20.000Z  0  user:1  set  SET user:1 Ada
 *   {"revision":4711,"timeMs":1790000000000,"database":0,"key":"user:1","event":"set","command":["SET","user:1","Ada"]}
 */
import type { Answer } from "../resp/answer.ts";
import { momentText } from "../store/moment-text.ts";
import { jsonAnswer } from "./json-answer.ts";
import { quote } from "./printable.ts";

/** One page of the feed. */
export interface ChangePage {
  /** The revision to ask from next. */
  readonly next: string;
  readonly changes: readonly Answer[];
}

/** undefined: it is no answer of CHANGES. */
export function readChangePage(answer: Answer): ChangePage | undefined {
  if (answer.kind !== "array" || answer.items.length !== 2) return undefined;
  const [next, changes] = answer.items;
  if (next?.kind !== "integer" || changes?.kind !== "array") return undefined;
  return { next: String(next.value), changes: changes.items };
}

const NAMES = ["revision", "timeMs", "database", "key", "event", "command"] as const;

/** Rows of a table, with the command on one line. */
export function changeRows({ changes }: ChangePage): Answer {
  return { kind: "array", items: changes.map((change) => ({ kind: "map", entries: row(change) })) };
}

function row(change: Answer): [Answer, Answer][] {
  const [revision, timeMs, database, key, event, command] = partsOf(change);
  const cells: [string, Answer | undefined][] = [
    ["revision", revision],
    ["time", { kind: "status", text: timeText(timeMs) }],
    ["db", database],
    ["key", key],
    ["event", { kind: "status", text: wordText(event) }],
    ["command", { kind: "status", text: commandText(command) }],
  ];
  return cells.map(([name, cell]) => [{ kind: "status", text: name }, cell ?? { kind: "null" }]);
}

/** A line for each change, without its end. */
export function changeLine(change: Answer): string {
  const [revision, timeMs, database, key, event, command] = partsOf(change);
  const parts = [numberText(revision), timeText(timeMs), numberText(database)];
  const words = [wordText(key), wordText(event), commandText(command)];
  return [...parts, ...words].filter((part) => part !== "").join("  ");
}

export function changeJson(change: Answer): string {
  const parts = partsOf(change);
  const members = NAMES.map((name, index) => {
    const part = parts[index];
    return `"${name}":${part === undefined ? "null" : jsonAnswer(part, false)}`;
  });
  return `{${members.join(",")}}`;
}

function partsOf(change: Answer): readonly Answer[] {
  return change.kind === "array" ? change.items : [];
}

function timeText(timeMs: Answer | undefined): string {
  return timeMs?.kind === "integer" ? momentText(Number(timeMs.value)).replaceAll('"', "") : "";
}

function numberText(number: Answer | undefined): string {
  return number?.kind === "integer" ? String(number.value) : "";
}

function commandText(command: Answer | undefined): string {
  return command?.kind === "array" ? command.items.map(wordText).join(" ") : "";
}

/** What needs no quotes has none: names of commands, most keys, numbers. Nothing of it is an escape. */
const PLAIN = /^[^\s"'\\]+$/u;

/** A missing key is a dash. */
function wordText(word: Answer | undefined): string {
  if (word?.kind !== "bulk") return "-";
  const quoted = quote(word.bytes);
  const bare = quoted.slice(1, -1);
  return PLAIN.test(bare) ? bare : quoted;
}
