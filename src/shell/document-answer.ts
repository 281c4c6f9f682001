/**
 * A JSON document as an answer, as deep as a table looks: rows, and the cells in them. What is
 * deeper stays JSON text, and so does every number: its lexeme is what was stored.
 */
import type { Answer } from "../resp/answer.ts";

/** `text` is valid JSON, without whitespace between its parts or with it. */
export function documentAsAnswer(text: string): Answer {
  return answerOf(text.trim(), 2);
}

function answerOf(text: string, levels: number): Answer {
  const first = text[0];
  if (levels > 0 && first === "[") {
    return { kind: "array", items: parts(text).map((part) => answerOf(part, levels - 1)) };
  }
  if (levels > 0 && first === "{") {
    const members = parts(text);
    const entries: [Answer, Answer][] = [];
    for (let at = 0; at < members.length; at += 2) {
      entries.push([answerOf(members[at], 0), answerOf(members[at + 1], levels - 1)]);
    }
    return { kind: "map", entries };
  }
  if (text === "null") return { kind: "null" };
  if (text === "true" || text === "false") return { kind: "boolean", value: text === "true" };
  return { kind: "bulk", bytes: Buffer.from(first === '"' ? JSON.parse(text) : text) };
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
