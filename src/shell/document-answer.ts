/**
 * A JSON document as an answer, as deep as a table looks: rows, and the cells in them. What is
 * nested in a cell stays the JSON text that was stored, and so does every number: to a program 1.0
 * and 12345678901234567890 are what they were.
 */
import type { Answer } from "../resp/answer.ts";

/**
 * `text` is valid JSON, without whitespace between its parts or with it. An object is a row only
 * among objects alone: next to other elements its names would have no columns.
 */
export function documentAsAnswer(text: string): Answer {
  const whole = text.trim();
  if (whole[0] === "{") return record(whole);
  if (whole[0] !== "[") return cell(whole);
  const elements = parts(whole);
  if (elements.every((element) => element[0] === "{")) return array(elements.map(record));
  return array(
    elements.map((element) =>
      element[0] === "[" ? array(parts(element).map(cell)) : cell(element),
    ),
  );
}

/** The names of an object with the texts of their values; undefined for another document. */
export function documentMembers(text: string): [name: string, value: string][] | undefined {
  const whole = text.trim();
  if (whole[0] !== "{") return undefined;
  const members = parts(whole);
  const found: [string, string][] = [];
  for (let at = 0; at < members.length; at += 2) {
    found.push([JSON.parse(members[at]), members[at + 1]]);
  }
  return found;
}

function array(items: readonly Answer[]): Answer {
  return { kind: "array", items };
}

function record(text: string): Answer {
  const members = parts(text);
  const entries: [Answer, Answer][] = [];
  for (let at = 0; at < members.length; at += 2) {
    entries.push([cell(members[at]), cell(members[at + 1])]);
  }
  return { kind: "map", entries };
}

function cell(text: string): Answer {
  if (text === "null") return { kind: "null" };
  if (text === "true" || text === "false") return { kind: "boolean", value: text === "true" };
  return { kind: "bulk", bytes: Buffer.from(text[0] === '"' ? JSON.parse(text) : text) };
}

/** The texts between the brackets of a container: elements, or keys and values by turns. */
function parts(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 1;
  const end = text.length - 1;
  const take = (at: number) => {
    const part = text.slice(start, at).trim();
    if (part !== "") found.push(part);
    start = at + 1;
  };
  for (let at = 1; at < end; at++) {
    const character = text[at];
    if (character === '"') at = closingQuote(text, at);
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (depth === 0 && (character === "," || character === ":")) take(at);
  }
  take(end);
  return found;
}

function closingQuote(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
