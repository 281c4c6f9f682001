/**
 * Writes compact JSON text laid out for people, as JSON.GET does with INDENT, NEWLINE and SPACE: a line for each element and
 * member, none within what is empty. Each of the three is any text; nothing else is changed.
 */
import { COMMA, QUOTE, stringEnd } from "./json-walk.ts";

export interface JsonLayout {
  /** Before each line, once for each level. */
  readonly indent: Buffer;
  /** What ends a line. */
  readonly newline: Buffer;
  /** Behind the colon of a member. */
  readonly space: Buffer;
}

const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Bytes of the text bytes[start, end) when it is laid out. */
export function layoutSize(bytes: Buffer, start: number, end: number, layout: JsonLayout): number {
  return layOut(bytes, start, end, layout, null);
}

/** Writes the text bytes[start, end) laid out to the beginning of `target`, or only counts. Answers its size. */
export function layOut(
  bytes: Buffer,
  start: number,
  end: number,
  { indent, newline, space }: JsonLayout,
  target: Buffer | null,
): number {
  let to = 0;
  const put = (from: Buffer, at: number, behind: number): void => {
    if (target !== null) from.copy(target, to, at, behind);
    to += behind - at;
  };
  let depth = 0;
  const line = (): void => {
    put(newline, 0, newline.length);
    if (target === null) to += depth * indent.length;
    else for (let i = 0; i < depth; i++) put(indent, 0, indent.length);
  };
  for (let at = start; at < end; ) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const behind = stringEnd(bytes, at);
      put(bytes, at, behind);
      at = behind;
      continue;
    }
    const bracket = byte | 0x20;
    const isEmptyNext = bracket === OPEN_OBJECT && (bytes[at + 1] | 0x20) === CLOSE_OBJECT;
    if (bracket === CLOSE_OBJECT) {
      depth--;
      line();
    }
    put(bytes, at, isEmptyNext ? at + 2 : at + 1);
    if (isEmptyNext) at += 2;
    else {
      at++;
      if (bracket === OPEN_OBJECT) depth++;
      if (bracket === OPEN_OBJECT || byte === COMMA) line();
      else if (byte === COLON) put(space, 0, space.length);
    }
  }
  return to;
}
