/**
 * Sets one place of a JSON text with comments, and leaves every other byte as it is: comments, order, layout. jsonc-parser
 * tells where things stand; where a new key goes is said here, because its own insertion takes the comment behind the last
 * key for one of the new key.
 */
import { applyEdits, type Edit, findNodeAtLocation, type Node, parseTree } from "jsonc-parser";
import { assert } from "../assert.ts";

export type Segments = readonly (string | number)[];

/** The text parses, and what is on the way to the place is an object or a list. Objects that are missing are made. */
export function setInJsonc(text: string, path: Segments, value: unknown): string {
  const root = parseTree(text, undefined, { allowTrailingComma: true });
  assert(root !== undefined, "the text was parsed before");
  for (let depth = path.length; ; depth--) {
    const node = findNodeAtLocation(root, [...path.slice(0, depth)]);
    if (node === undefined) continue;
    if (depth === path.length) return applyEdits(text, [replacement(node, inline(value))]);
    // What is missing on the way is made with it.
    const missing = path
      .slice(depth + 1)
      .reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    const property = `${JSON.stringify(path[depth])}: ${inline(missing)}`;
    return applyEdits(text, insertion(text, node, property));
  }
}

function replacement({ offset, length }: Node, content: string): Edit {
  return { offset, length, content };
}

/** A value on one line, spaced as people write it. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, one]) => `${JSON.stringify(key)}: ${inline(one)}`,
  );
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

/** What may stand behind the last value of an object on its line. */
const REST_OF_LINE = /[ \t]*(,?)[ \t]*(\/\/[^\n\r]*|\/\*[^\n\r]*?\*\/)?[ \t]*(?=\r?\n)/y;

/** A new property as the last one of an object. */
function insertion(text: string, object: Node, property: string): Edit[] {
  const last = object.children?.at(-1);
  if (last === undefined) return [filled(text, object, property)];
  const end = last.offset + last.length;
  REST_OF_LINE.lastIndex = end;
  const rest = REST_OF_LINE.exec(text);
  const indent = indentAt(text, last.offset);
  const behindComma = endOfComma(text, end);
  const hasComma = behindComma !== undefined;
  const comma: Edit[] = hasComma ? [] : [{ offset: end, length: 0, content: "," }];
  // A comma that no other key followed was meant to stand behind the last one.
  const tail = hasComma ? "," : "";
  if (rest === null || indent === undefined || hasComma !== (rest[1] === ",")) {
    return [...comma, { offset: behindComma ?? end, length: 0, content: ` ${property}${tail}` }];
  }
  const lineEnd = text.startsWith("\r\n", end + rest[0].length) ? "\r\n" : "\n";
  const line = `${lineEnd}${indent}${property}${tail}`;
  return [...comma, { offset: end + rest[0].length, length: 0, content: line }];
}

/** Of a comma that follows, perhaps behind comments. */
function endOfComma(text: string, end: number): number | undefined {
  const found = /^(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*,/.exec(text.slice(end));
  return found === null ? undefined : end + found[0].length;
}

/** What stands before a place on its line, when it is blank: the key is the first of its line. */
function indentAt(text: string, offset: number): string | undefined {
  const before = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[ \t]*$/.test(before) ? before : undefined;
}

/** An object without keys: comments in it stay behind the new one. */
function filled(text: string, { offset, length }: Node, property: string): Edit {
  const inside = text.slice(offset + 1, offset + length - 1);
  if (inside.trim() === "") {
    const isRoot = offset === 0 || text.slice(0, offset).trim() === "";
    const content = isRoot ? `{\n  ${property}\n}` : `{ ${property} }`;
    return { offset, length, content };
  }
  return { offset: offset + 1, length: 0, content: ` ${property}` };
}
