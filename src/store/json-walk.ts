/**
 * Walking over the text of a JSON document: where a value ends, where a member or an element of it is. For text that was
 * checked and written compactly (json-text.ts), so nothing is checked again and there is no whitespace to skip.
 *
 * The text lies among other bytes. A number at its root has nothing behind it that ends it: `valueEnd` is asked about
 * values within an object or array only, of the root the end is known.
 */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

/** A member's name as it is looked for: its text, and its bytes as they stand in a document unless it has escapes there. */
export class MemberName {
  readonly text: string;
  readonly bytes: Buffer;

  constructor(text: string) {
    this.text = text;
    this.bytes = Buffer.from(text);
  }
}

/** A step from a value into it: a member's name, or the index of an element, from the end when it is negative. */
export type JsonStep = MemberName | number;

/** Behind the string whose opening quote is at `at`. */
export function stringEnd(bytes: Uint8Array, at: number): number {
  let i = at + 1;
  for (;;) {
    const byte = bytes[i];
    if (byte === QUOTE) return i + 1;
    i += byte === BACKSLASH ? 2 : 1;
  }
}

/** Behind the value at `at`, which is within an object or array, or is one, or is a string. */
export function valueEnd(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return stringEnd(bytes, at);
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return containerEnd(bytes, at);
  let i = at + 1;
  for (;;) {
    const byte = bytes[i];
    if (byte === COMMA || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) return i;
    i++;
  }
}

function containerEnd(bytes: Uint8Array, at: number): number {
  let depth = 1;
  let i = at + 1;
  while (depth > 0) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      i = stringEnd(bytes, i);
      continue;
    }
    // Of each kind of bracket the two differ in one bit only.
    const bracket = byte | 0x20;
    if (bracket === OPEN_OBJECT) depth++;
    else if (bracket === CLOSE_OBJECT) depth--;
    i++;
  }
  return i;
}

export function isContainer(first: number): boolean {
  return first === OPEN_OBJECT || first === OPEN_ARRAY;
}

/** The string whose text is bytes[start, end), quotes included. */
export function stringAt(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString("utf8", start + 1, end - 1);
  return text.includes("\\") ? JSON.parse(`"${text}"`) : text;
}

/**
 * Goes over the elements of an array or the values of an object, in order: `next` leads to the next one and is false at
 * the end. One object is used again and again, for no value within which another walk begins.
 */
export class JsonChildren {
  #bytes: Buffer = Buffer.alloc(0);
  #isObject = false;
  /** Where the member begins: at its key, or where the element does. */
  memberStart = 0;
  /** Behind the key with its quotes. */
  keyEnd = 0;
  start = 0;
  end = 0;
  index = -1;

  begin(bytes: Buffer, at: number): this {
    this.#bytes = bytes;
    this.#isObject = bytes[at] === OPEN_OBJECT;
    this.end = at;
    this.index = -1;
    return this;
  }

  next(): boolean {
    const bytes = this.#bytes;
    const before = this.end;
    const closing = this.#isObject ? CLOSE_OBJECT : CLOSE_ARRAY;
    if (bytes[before] === closing || (this.index < 0 && bytes[before + 1] === closing))
      return false;
    this.index++;
    let at = before + 1;
    this.memberStart = at;
    if (this.#isObject) {
      this.keyEnd = stringEnd(bytes, at);
      at = this.keyEnd + 1;
    }
    this.start = at;
    this.end = valueEnd(bytes, at);
    return true;
  }

  /** The key of the member, as what it means. */
  key(): string {
    return stringAt(this.#bytes, this.memberStart, this.keyEnd);
  }
}

/** How many elements or members the object or array at `at` has. */
export function countChildren(bytes: Buffer, at: number): number {
  let count = 0;
  for (const children = new JsonChildren().begin(bytes, at); children.next(); ) count++;
  return count;
}

/** Where the value of the member with this name begins in the object at `at`, -1 when it has none. */
export function findMember(bytes: Buffer, at: number, name: MemberName): number {
  if (bytes[at + 1] === CLOSE_OBJECT) return -1;
  let keyStart = at + 2;
  for (;;) {
    let end = keyStart;
    let hasEscape = false;
    for (let byte = bytes[end]; byte !== QUOTE; byte = bytes[end]) {
      if (byte === BACKSLASH) {
        hasEscape = true;
        end++;
      }
      end++;
    }
    const value = end + 2;
    if (hasEscape) {
      if (stringAt(bytes, keyStart - 1, end + 1) === name.text) return value;
    } else if (isName(bytes, keyStart, end, name)) return value;
    const next = valueEnd(bytes, value);
    if (bytes[next] !== COMMA) return -1;
    keyStart = next + 2;
  }
}

function isName(bytes: Buffer, start: number, end: number, name: MemberName): boolean {
  const wanted = name.bytes;
  if (end - start !== wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}

/** Where the element with this index begins in the array at `at`, -1 when it has none. */
export function findElement(bytes: Buffer, at: number, index: number): number {
  let left = index < 0 ? countChildren(bytes, at) + index : index;
  if (left < 0 || bytes[at + 1] === CLOSE_ARRAY) return -1;
  let element = at + 1;
  for (; left > 0; left--) {
    const end = valueEnd(bytes, element);
    if (bytes[end] !== COMMA) return -1;
    element = end + 1;
  }
  return element;
}
