/**
 * Steps over the compact JSON text of a document, byte by byte, building nothing: the innermost
 * loops of scans and of index maintenance.
 *
 * The text was checked when it was stored. Whatever the bytes are all the same, no step reads at or
 * behind `end`, and each answers an offset in [at, end].
 */
import type { ReadonlyBytes } from "../store/arena.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const CLOSE_OBJECT = 0x7d;

/**
 * Past so many bytes of a string the search of the runtime, which takes many at once, beats the
 * loop.
 */
const LONG_STRING = 24;

/** The offset behind the value that begins at `at`; `at` itself where none does. */
export function skipValue(bytes: ReadonlyBytes, at: number, end: number): number {
  if (at >= end) return end;
  const first = bytes[at];
  if (first === QUOTE) return skipString(bytes, at, end);
  // `{` and `[` differ in one bit, so do `}` and `]`.
  if ((first & 0xdf) === 0x5b) return skipNested(bytes, at, end);
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) return at;
  }
  return end;
}

/** The offset behind the string whose opening quote stands at `at`. */
export function skipString(bytes: ReadonlyBytes, at: number, end: number): number {
  const near = Math.min(end, at + LONG_STRING);
  const start = at++;
  for (; at < near; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
  }
  return at >= end ? end : skipLongString(bytes as Buffer, start, at, end);
}

/**
 * A quote ends the string unless it is escaped, that is unless an odd number of backslashes stands
 * before it.
 */
function skipLongString(bytes: Buffer, start: number, at: number, end: number): number {
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0 || quote >= end) return end;
    let from = quote;
    while (from - 1 > start && bytes[from - 1] === BACKSLASH) from--;
    if (((quote - from) & 1) === 0) return quote + 1;
    at = quote + 1;
  }
}

function skipNested(bytes: ReadonlyBytes, at: number, end: number): number {
  let depth = 0;
  while (at < end) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at, end);
      continue;
    }
    at++;
    const bracket = byte & 0xdf;
    if (bracket === 0x5b) depth++;
    else if (bracket === 0x5d && --depth === 0) return at;
  }
  return end;
}

/** Where the next value or key begins, behind the end of a value; `end` when none follows. */
export function nextValue(bytes: ReadonlyBytes, valueEnd: number, end: number): number {
  return valueEnd < end && bytes[valueEnd] === COMMA ? valueEnd + 1 : end;
}

/** Whether a backslash stands in bytes[start, end). */
export function hasEscape(bytes: ReadonlyBytes, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return true;
  return false;
}

/** Whether bytes[start, …) begins with all of `wanted`, which must fit. */
export function sameBytes(bytes: ReadonlyBytes, start: number, wanted: ReadonlyBytes): boolean {
  const size = wanted.length;
  for (let at = 0; at < size; at++) if (bytes[start + at] !== wanted[at]) return false;
  return true;
}
