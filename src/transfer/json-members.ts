/**
 * Parts of documents by their place in the compact text (query/json-walk.ts): members of an object, the value along a path,
 * the text of some fields alone. Texts of parts stay byte for byte.
 */
import { hasEscape, nextValue, skipString, skipValue } from "../query/json-walk.ts";

const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/** A value, bytes[start, end). */
export interface ValueSpan {
  readonly start: number;
  readonly end: number;
}

export interface Member extends ValueSpan {
  readonly name: string;
  /** Where its name stands, with its quotes. */
  readonly nameStart: number;
}

export function isObjectAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === OPEN_OBJECT;
}

export function isArrayAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === OPEN_ARRAY;
}

/** Of the object bytes[start, end). */
export function membersOf(bytes: Buffer, start: number, end: number): Member[] {
  const members: Member[] = [];
  const inside = end - 1;
  for (let at = start + 1; at < inside; ) {
    const nameEnd = skipString(bytes, at, inside);
    const name = nameAt(bytes, at, nameEnd);
    const value = bytes[nameEnd] === COLON ? nameEnd + 1 : nameEnd;
    const valueEnd = skipValue(bytes, value, inside);
    members.push({ name, nameStart: at, start: value, end: valueEnd });
    at = nextValue(bytes, valueEnd, inside);
  }
  return members;
}

function nameAt(bytes: Buffer, start: number, end: number): string {
  if (hasEscape(bytes, start, end)) return JSON.parse(bytes.toString("utf8", start, end)) as string;
  return bytes.toString("utf8", start + 1, end - 1);
}

/** Of the array bytes[start, end). */
export function elementsOf(bytes: Buffer, start: number, end: number): ValueSpan[] {
  const elements: ValueSpan[] = [];
  const inside = end - 1;
  for (let at = start + 1; at < inside; ) {
    const valueEnd = skipValue(bytes, at, inside);
    elements.push({ start: at, end: valueEnd });
    at = nextValue(bytes, valueEnd, inside);
  }
  return elements;
}

/** The value that the names lead to, through objects alone; undefined: there is none. */
export function valueAlong(
  bytes: Buffer,
  whole: ValueSpan,
  names: readonly string[],
): ValueSpan | undefined {
  let at: ValueSpan = whole;
  for (const name of names) {
    if (!isObjectAt(bytes, at.start)) return undefined;
    const member = membersOf(bytes, at.start, at.end).find((one) => one.name === name);
    if (member === undefined) return undefined;
    at = member;
  }
  return at;
}

/** Fields to pick: of a name the fields below it; null: all that is there. */
export type FieldTree = Map<string, FieldTree | null>;

export function fieldTree(paths: readonly (readonly string[])[]): FieldTree {
  const root: FieldTree = new Map();
  for (const path of paths) {
    let tree = root;
    for (const [index, name] of path.entries()) {
      const below: FieldTree | null | undefined = tree.get(name);
      if (below === null) break;
      const isLast = index === path.length - 1;
      const next: FieldTree = below ?? new Map();
      tree.set(name, isLast ? null : next);
      tree = next;
    }
  }
  return root;
}

/** The text of the object with the fields of the tree alone, in the order of the document; through arrays, as MongoDB's. */
export function pickFields(bytes: Buffer, { start, end }: ValueSpan, tree: FieldTree): string {
  const parts: string[] = [];
  for (const member of membersOf(bytes, start, end)) {
    const below = tree.get(member.name);
    if (below === undefined) continue;
    const value = below === null ? textAt(bytes, member) : pickBelow(bytes, member, below);
    if (value !== undefined) parts.push(`${JSON.stringify(member.name)}:${value}`);
  }
  return `{${parts.join(",")}}`;
}

/** Undefined: the value has no fields. */
function pickBelow(bytes: Buffer, value: ValueSpan, tree: FieldTree): string | undefined {
  if (isObjectAt(bytes, value.start)) return pickFields(bytes, value, tree);
  if (!isArrayAt(bytes, value.start)) return undefined;
  const picked = elementsOf(bytes, value.start, value.end).map((one) =>
    pickBelow(bytes, one, tree),
  );
  return `[${picked.filter((text) => text !== undefined).join(",")}]`;
}

export function textAt(bytes: Buffer, { start, end }: ValueSpan): string {
  return bytes.toString("utf8", start, end);
}
