/**
 * An answer as lines of text for a program. A status stands as it is, a number as a number, null as
 * `null`, a string as a JSON string, a container has one element a line, a pair as `key: value`;
 * what is nested is indented.
 *
 *   $ kvdb mget name visits      "Ada"
 *                                null
 */
import type { Answer } from "../resp/answer.ts";
import { escapeControls, escapeControlsInLines, quote } from "./printable.ts";

/** `isValue`: strings are JSON documents, printed as they came. */
export function plainAnswer(answer: Answer, isValue: boolean): Buffer {
  const parts: Buffer[] = [];
  render(answer, { depth: -1, parts, isValue });
  return Buffer.concat(parts);
}

interface Rendering {
  readonly depth: number;
  readonly parts: Buffer[];
  readonly isValue: boolean;
}

function render(answer: Answer, rendering: Rendering): void {
  const { depth, parts, isValue } = rendering;
  const inner = { ...rendering, depth: depth + 1 };
  switch (answer.kind) {
    case "array":
    case "set":
    case "push":
      for (const item of answer.items) render(item, inner);
      return;
    case "map":
      for (const [key, value] of answer.entries) renderPair(key, value, inner);
      return;
    default:
      parts.push(indented(depth, scalarBytes(answer, isValue)), NEWLINE);
  }
}

function renderPair(key: Answer, value: Answer, rendering: Rendering): void {
  const { depth, parts, isValue } = rendering;
  parts.push(indented(depth, scalarBytes(key, isValue)), COLON);
  if ("items" in value || "entries" in value) {
    parts.push(NEWLINE);
    render(value, rendering);
  } else parts.push(SPACE, scalarBytes(value, isValue), NEWLINE);
}

function scalarBytes(answer: Answer, isValue: boolean): Buffer {
  return isValue && answer.kind === "bulk" ? answer.bytes : Buffer.from(scalarText(answer));
}

/** An answer that is no container, as a person reads it; empty for a container. */
export function scalarText(answer: Answer): string {
  switch (answer.kind) {
    case "bulk":
      return quote(answer.bytes);
    case "verbatim":
      return escapeControlsInLines(answer.text.replaceAll("\r\n", "\n").replace(/\n$/, ""));
    case "error":
      return escapeControls(`(error) ${answer.code} ${answer.text}`);
    case "status":
      return escapeControls(answer.text);
    case "double":
      return doubleText(answer.value);
    case "integer":
    case "boolean":
      return String(answer.value);
    case "null":
      return "null";
    default:
      return "";
  }
}

/** Redis's words for what has no digits. */
export function doubleText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return value > 0 ? "inf" : value < 0 ? "-inf" : "nan";
}

const NEWLINE = Buffer.from("\n");
const COLON = Buffer.from(":");
const SPACE = Buffer.from(" ");

function indented(depth: number, text: Buffer): Buffer {
  return depth <= 0 ? text : Buffer.concat([Buffer.from("  ".repeat(depth)), text]);
}
