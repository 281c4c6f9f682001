/**
 * An answer as lines of text. A status stands as it is, a number as a number,
 * null as `null`, a string as a JSON string, a container has one element a line, a pair as `key:
 * value`; what is nested is indented.
 *
 *   $ kvdb mget name visits      "Ada"
 *                                null
 */
import type { Answer } from "../resp/answer.ts";

export interface OutputStyle {
  readonly mode: "plain" | "json" | "raw" | "csv";
  readonly colour: boolean;
  /** Width of the terminal that it is for; 0: for a program, which relies on the documented form. */
  readonly columns: number;
  /** The answer is VALUE.GET's: its bulk is the text of a JSON document, printed as it came. */
  readonly isValue: boolean;
}

/** The whole answer, each line with its newline; bytes, because a raw string need not be UTF-8. */
export function renderAnswer(answer: Answer, style: OutputStyle): Buffer {
  const parts: Buffer[] = [];
  render(answer, { depth: -1, parts, style });
  return Buffer.concat(parts);
}

interface Rendering {
  readonly depth: number;
  readonly parts: Buffer[];
  readonly style: OutputStyle;
}

function render(answer: Answer, rendering: Rendering): void {
  const { depth, parts, style } = rendering;
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
      parts.push(indented(depth, scalar(answer, style)), NEWLINE);
  }
}

function renderPair(key: Answer, value: Answer, rendering: Rendering): void {
  const { depth, parts, style } = rendering;
  parts.push(indented(depth, scalar(key, style)), COLON);
  if ("items" in value || "entries" in value) {
    parts.push(NEWLINE);
    render(value, rendering);
  } else parts.push(SPACE, scalar(value, style), NEWLINE);
}

function scalar(answer: Answer, { isValue }: OutputStyle): Buffer {
  switch (answer.kind) {
    case "bulk":
      return isValue ? answer.bytes : Buffer.from(quote(answer.bytes));
    case "verbatim":
      return Buffer.from(answer.text.replaceAll("\r\n", "\n").replace(/\n$/, ""));
    case "error":
      return Buffer.from(`(error) ${answer.code} ${answer.text}`);
    case "status":
      return Buffer.from(answer.text);
    case "double":
      return Buffer.from(doubleText(answer.value));
    case "integer":
    case "boolean":
      return Buffer.from(String(answer.value));
    default:
      return Buffer.from("null");
  }
}

/** Redis's words for what has no digits. */
function doubleText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "inf" : value < 0 ? "-inf" : "nan";
}

const NEWLINE = Buffer.from("\n");
const COLON = Buffer.from(":");
const SPACE = Buffer.from(" ");

function indented(depth: number, text: Buffer): Buffer {
  return depth <= 0 ? text : Buffer.concat([Buffer.from("  ".repeat(depth)), text]);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A JSON string when the bytes are UTF-8. Other bytes are written `\xff`, which JSON does not have:
 * nobody can take the line for JSON. Control characters never reach a terminal as they are.
 */
export function quote(bytes: Uint8Array): string {
  const text = decode(bytes);
  return text === undefined ? quoteBinary(bytes) : escapeControls(JSON.stringify(text));
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** JSON.stringify leaves DEL and the controls of Latin-1 alone, which some terminals obey. */
function escapeControls(text: string): string {
  return text.replace(
    /[\u007f-\u009f]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function quoteBinary(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `${text}"`;
}
