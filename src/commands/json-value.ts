/** The values within documents, as commands read them: their kinds by RedisJSON's words, strings, numbers, and signs. */
import { isInteger } from "../store/json-number.ts";
import { OPEN_ARRAY, OPEN_OBJECT, QUOTE, stringAt } from "../store/json-walk.ts";
import type { DocumentText } from "./document-value.ts";

export type JsonKind = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

export function kindOf(bytes: Buffer, start: number, end: number): JsonKind {
  switch (bytes[start]) {
    case OPEN_OBJECT:
      return "object";
    case OPEN_ARRAY:
      return "array";
    case QUOTE:
      return "string";
    case 0x74:
    case 0x66:
      return "boolean";
    case 0x6e:
      return "null";
    default:
      return isInteger(numberAt(bytes, start, end)) ? "integer" : "number";
  }
}

/** Whether the value with this first byte is a number. */
export function isNumberAt(bytes: Buffer, start: number): boolean {
  const first = bytes[start];
  return first === 0x2d || (first >= 0x30 && first <= 0x39);
}

/** The number as it is written. */
export function numberAt(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("latin1", start, end);
}

/** The length of the string in bytes, escapes counting as what they mean. */
export function stringSize(bytes: Buffer, start: number, end: number): number {
  const inner = end - start - 2;
  return bytes.subarray(start, end).includes(0x5c)
    ? Buffer.byteLength(stringAt(bytes, start, end))
    : inner;
}

function sign(text: string): DocumentText {
  const bytes = Buffer.from(text);
  return { bytes, start: 0, end: bytes.length };
}

/** Pieces of text that edits put in. */
export const COMMA_SIGN = sign(",");
export const COLON_SIGN = sign(":");
export const OPEN_ARRAY_SIGN = sign("[");
export const CLOSE_ARRAY_SIGN = sign("]");
export const EMPTY_ARRAY = sign("[]");
export const OPEN_OBJECT_SIGN = sign("{");
export const CLOSE_OBJECT_SIGN = sign("}");
export const EMPTY_OBJECT = sign("{}");
export const ZERO = sign("0");
export const TRUE = sign("true");
export const FALSE = sign("false");

/** Text as a piece. */
export const textPart = sign;
