/**
 * The parts of JSON text, for colours: tolerant, because it is looked at while it is being typed.
 * Parts follow each other without a gap; white space belongs to `mark`.
 */

export type JsonPartKind = "key" | "string" | "number" | "literal" | "mark" | "wrong";

export interface JsonPart {
  readonly kind: JsonPartKind;
  readonly start: number;
  readonly end: number;
}

/** White space, brackets and commas; a string, closed or not; a number; a word. */
const PART =
  /(?<mark>[\s{}[\],:]+)|(?<string>"(?:[^"\\]|\\[\s\S])*(?:"|\\?$))|(?<number>-?\d[\w.+-]*)|(?<word>[^\s{}[\],:"]+)/y;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const LITERAL = /^(?:true|false|null)$/;
const KEY_FOLLOWS = /\s*:/y;

export function jsonParts(text: string): JsonPart[] {
  const parts: JsonPart[] = [];
  for (let at = 0; at < text.length; ) {
    PART.lastIndex = at;
    const match = PART.exec(text);
    const end = match === null ? at + 1 : PART.lastIndex;
    parts.push({ kind: kindOf(match, text, end), start: at, end });
    at = end;
  }
  return parts;
}

function kindOf(match: RegExpExecArray | null, text: string, end: number): JsonPartKind {
  const { mark, string, number, word } = match?.groups ?? {};
  if (mark !== undefined) return "mark";
  if (string !== undefined) {
    KEY_FOLLOWS.lastIndex = end;
    return KEY_FOLLOWS.test(text) ? "key" : "string";
  }
  if (number !== undefined) return NUMBER.test(number) ? "number" : "wrong";
  // While it is being typed, the beginning of a word is not wrong yet.
  return LITERAL.test(word ?? "") ? "literal" : "wrong";
}
