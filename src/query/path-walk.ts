/**
 * From a value in the text of a document along the names of a path to the values that a condition
 * on the path looks at, as MongoDB goes:
 *
 * - In an object, to the field; where there is none, to "missing".
 * - In an array, into each element that is an object, with the same names. When the next name is
 *   digits also to the element at that position, and through it if it is an array. Other elements
 *   lead nowhere, not even to "missing".
 * - Through anything else, to "missing".
 * - At the end an array is itself looked at, and before it each of its elements, unless a position
 *   led to it or the condition is on arrays as a whole.
 *
 * The same name twice in an object: the last one counts, as for JSON.parse.
 */
import type { ReadonlyBytes } from "../store/arena.ts";
import { type FieldPath, isPosition } from "./field-path.ts";
import { hasEscape, nextValue, sameBytes, skipString, skipValue } from "./json-walk.ts";
import { parseString } from "./value.ts";

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/**
 * Looks at one value, bytes[start, end); `start` is -1 for a field that is missing. True ends the
 * walk.
 */
export type Look = (bytes: ReadonlyBytes, start: number, end: number) => boolean;

/** Whether the elements of an array at the end of a path are looked at too. */
export type AtArrays = "elements too" | "whole only";

export interface PathName {
  readonly text: string;
  readonly bytes: Buffer;
  /** As a position in an array; -1: it cannot be one. */
  readonly position: number;
}

export function pathNames(path: FieldPath): PathName[] {
  return path.names.map((text) => ({
    text,
    bytes: Buffer.from(text),
    position: isPosition(text) ? Number(text) : -1,
  }));
}

/** A walk along one path, made once and gone many times; true when a look said true. */
export class PathWalk {
  readonly names: readonly PathName[];
  readonly #look: Look;
  readonly #takesElements: boolean;

  constructor(path: FieldPath, atArrays: AtArrays, look: Look) {
    this.names = pathNames(path);
    this.#look = look;
    this.#takesElements = atArrays === "elements too";
  }

  missing(bytes: ReadonlyBytes): boolean {
    return this.#look(bytes, -1, -1);
  }

  /** From the value bytes[start, end), to which the names before `next` have led. */
  from(bytes: ReadonlyBytes, start: number, end: number, next: number): boolean {
    if (next === this.names.length) return this.last(bytes, start, end);
    const first = bytes[start];
    if (first === OPEN_ARRAY) return this.throughArray(bytes, start, end, next);
    const field = first === OPEN_OBJECT ? findField(bytes, start, end, this.names[next]) : -1;
    if (field < 0) return this.#look(bytes, -1, -1);
    return this.from(bytes, field, skipValue(bytes, field, end), next + 1);
  }

  /** At the end of the path. */
  last(bytes: ReadonlyBytes, start: number, end: number): boolean {
    if (this.#takesElements && bytes[start] === OPEN_ARRAY) {
      for (let at = start + 1; at < end; ) {
        const elementEnd = skipValue(bytes, at, end);
        if (elementEnd === at) break;
        if (this.#look(bytes, at, elementEnd)) return true;
        at = nextValue(bytes, elementEnd, end);
      }
    }
    return this.#look(bytes, start, end);
  }

  throughArray(bytes: ReadonlyBytes, start: number, end: number, next: number): boolean {
    const position = this.names[next].position;
    let index = 0;
    for (let at = start + 1; at < end; index++) {
      const elementEnd = skipValue(bytes, at, end);
      if (elementEnd === at) return false;
      if (bytes[at] === OPEN_OBJECT && this.from(bytes, at, elementEnd, next)) return true;
      if (index === position && this.#atPosition(bytes, at, elementEnd, next + 1)) return true;
      at = nextValue(bytes, elementEnd, end);
    }
    return false;
  }

  #atPosition(bytes: ReadonlyBytes, start: number, end: number, next: number): boolean {
    if (next === this.names.length) return this.#look(bytes, start, end);
    const first = bytes[start];
    if (first === OPEN_OBJECT) return this.from(bytes, start, end, next);
    return first === OPEN_ARRAY && this.throughArray(bytes, start, end, next);
  }

  /**
   * The value bytes[start, end) is an array that stands for a document: its positions are its
   * fields.
   */
  fromPositions(bytes: ReadonlyBytes, start: number, end: number): boolean {
    const element = findElement(bytes, start, end, this.names[0].position);
    if (element < 0) return this.#look(bytes, -1, -1);
    return this.from(bytes, element, skipValue(bytes, element, end), 1);
  }
}

/** Where the value of the field begins in the object bytes[start, end); -1 when it is missing. */
export function findField(
  bytes: ReadonlyBytes,
  start: number,
  end: number,
  name: PathName,
): number {
  let found = -1;
  let at = start + 1;
  while (at < end && bytes[at] === QUOTE) {
    const keyEnd = skipString(bytes, at, end);
    const value = keyEnd < end && bytes[keyEnd] === COLON ? keyEnd + 1 : keyEnd;
    if (value < end && isName(bytes, at + 1, keyEnd - 1, name)) found = value;
    at = nextValue(bytes, skipValue(bytes, value, end), end);
  }
  return found;
}

function findElement(bytes: ReadonlyBytes, start: number, end: number, position: number): number {
  let index = 0;
  for (let at = start + 1; at < end && position >= 0; index++) {
    const elementEnd = skipValue(bytes, at, end);
    if (elementEnd === at) return -1;
    if (index === position) return at;
    at = nextValue(bytes, elementEnd, end);
  }
  return -1;
}

/**
 * Whether bytes[start, end), a key without its quotes, is the name. Escapes make a key longer than
 * its name.
 */
export function isName(bytes: ReadonlyBytes, start: number, end: number, name: PathName): boolean {
  const size = end - start;
  if (size < name.bytes.length) return false;
  if (size === name.bytes.length && !sameBytes(bytes, start, name.bytes)) return false;
  if (!hasEscape(bytes, start, end)) return size === name.bytes.length;
  return parseString(bytes, start - 1, end + 1) === name.text;
}
