/**
 * An answer as people and programs want to see it: plain lines, JSON, bare bytes, CSV. Chooses the
 * form; each form has a file of its own.
 */
import type { Answer, ErrorAnswer } from "../resp/answer.ts";
import { type ChangePage, changeRows } from "./change-rows.ts";
import { csvAnswer } from "./csv-answer.ts";
import { type Found, renderFound } from "./found-answer.ts";
import { jsonAnswer, jsonError } from "./json-answer.ts";
import { paintFor } from "./paint.ts";
import { plainAnswer } from "./plain-answer.ts";
import { escapeControlsInLines } from "./printable.ts";
import { rawAnswer } from "./raw-answer.ts";
import { showJson, terminalAnswer } from "./terminal-answer.ts";

export const outputModes = ["plain", "json", "raw", "csv"] as const;
export type OutputMode = (typeof outputModes)[number];

export interface OutputStyle {
  readonly mode: OutputMode;
  /** Without a terminal it changes nothing. */
  readonly colour: boolean;
  /** Width of the terminal that it is for; 0: for a program, which relies on the documented form. */
  readonly columns: number;
  /** The answer is VALUE.GET's: its bulk is the text of a JSON document. */
  readonly isValue: boolean;
  /** What the answer is when FIND has given it, or a command that counts. */
  readonly found?: Found | undefined;
  /** What the answer is when CHANGES has given it. */
  readonly page?: ChangePage | undefined;
  /** It is EXPLAIN's: names and facts, which are words and not data. */
  readonly isExplanation?: boolean | undefined;
}

/** The whole answer with its last newline; bytes, because a string need not be UTF-8. */
export function renderAnswer(answer: Answer, style: OutputStyle): Buffer {
  const { mode, columns, isValue, found } = style;
  if (found !== undefined) return renderFound(found, style);
  const isTerminal = columns > 0;
  switch (mode) {
    case "raw":
      return rawAnswer(answer, { isValue, isTerminal });
    case "csv":
      return csvAnswer(answer, { isValue, isTerminal });
    case "json": {
      const text = jsonAnswer(answer, isValue);
      return Buffer.from(`${isTerminal ? showJson(text, style) : text}\n`);
    }
    case "plain":
      return isTerminal
        ? Buffer.from(`${terminalAnswer(forPeople(answer, style), style)}\n`)
        : plainAnswer(answer, isValue);
  }
}

function forPeople(answer: Answer, { page, isExplanation }: OutputStyle): Answer {
  if (page !== undefined) return changeRows(page);
  return isExplanation ? inWords(answer) : answer;
}

/** A person reads the names and facts of an explanation without quotes. */
function inWords(answer: Answer): Answer {
  if (answer.kind !== "map") return answer;
  const word = (one: Answer): Answer =>
    one.kind === "bulk" ? { kind: "status", text: one.bytes.toString() } : one;
  return {
    kind: "map",
    entries: answer.entries.map(([name, fact]) => [word(name), word(fact)]),
  };
}

/** An error that a command answered, for standard error: `ERR text`, in JSON an object. */
export function renderError(
  { code, text }: Pick<ErrorAnswer, "code" | "text">,
  { mode, colour }: Pick<OutputStyle, "mode" | "colour">,
): string {
  return renderFailure({ code, message: text, line: `${code} ${text}` }, { mode, colour });
}

/** Any failure: `line` is what a person reads, `code` and `message` are what a program gets. */
export function renderFailure(
  { code, message, line }: { code: string; message: string; line: string },
  { mode, colour }: Pick<OutputStyle, "mode" | "colour">,
): string {
  if (mode === "json") return `${jsonError(code, message)}\n`;
  return `${paintFor(colour).error(escapeControlsInLines(line))}\n`;
}
