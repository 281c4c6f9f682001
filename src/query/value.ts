/**
 * A JSON value as queries see it: built from the text of a document, ordered against others,
 * written back as text. Not a document: lexemes of numbers, escapes and the first of two equal keys
 * are gone.
 *
 * Invariants: each number has one representation, so that `===` is equality: a number where a
 * double holds it exactly, a bigint for the other integers, never -0. An object is a Map, because a
 * plain object forgets where `"1"` and `__proto__` stood, and MongoDB compares objects in the order
 * of their fields.
 */
import type { ReadonlyBytes } from "../store/arena.ts";
import { nextValue, skipString, skipValue } from "./json-walk.ts";

export type Value = null | boolean | number | bigint | string | readonly Value[] | ObjectValue;
export type ObjectValue = ReadonlyMap<string, Value>;

const QUOTE = 0x22;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/** Integers of so many digits are exact in a double, and so are powers of ten up to 10^22. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

// ---- from the text of a document ----

/** The value that bytes[start, end) is the text of. */
export function parseValue(bytes: ReadonlyBytes, start: number, end: number): Value {
  switch (bytes[start]) {
    case OPEN_OBJECT:
      return parseObject(bytes, start, end);
    case OPEN_ARRAY:
      return parseArray(bytes, start, end);
    case QUOTE:
      return parseString(bytes, start, end);
    case 0x74:
      return true;
    case 0x66:
      return false;
    case 0x6e:
      return null;
    default:
      return parseNumber(bytes, start, end);
  }
}

/** The last of several equal keys counts, where the first stood: what JSON.parse does. */
function parseObject(bytes: ReadonlyBytes, start: number, end: number): ObjectValue {
  const fields = new Map<string, Value>();
  let at = start + 1;
  while (at < end && bytes[at] === QUOTE) {
    const keyEnd = skipString(bytes, at, end);
    const name = parseString(bytes, at, keyEnd);
    at = keyEnd < end && bytes[keyEnd] === COLON ? keyEnd + 1 : keyEnd;
    const valueEnd = skipValue(bytes, at, end);
    fields.set(name, parseValue(bytes, at, valueEnd));
    at = nextValue(bytes, valueEnd, end);
  }
  return fields;
}

function parseArray(bytes: ReadonlyBytes, start: number, end: number): Value[] {
  const elements: Value[] = [];
  let at = start + 1;
  while (at < end) {
    const elementEnd = skipValue(bytes, at, end);
    if (elementEnd === at) break;
    elements.push(parseValue(bytes, at, elementEnd));
    at = nextValue(bytes, elementEnd, end);
  }
  return elements;
}

/** The string whose text, quotes included, is bytes[start, end). */
export function parseString(bytes: ReadonlyBytes, start: number, end: number): string {
  for (let at = start + 1; at < end; at++) {
    if (bytes[at] === 0x5c) return JSON.parse(bytes.toString("utf8", start, end));
  }
  return bytes.toString("utf8", start + 1, end - 1);
}

/** The number whose text is bytes[start, end); most have few digits, and need no string. */
export function parseNumber(bytes: ReadonlyBytes, start: number, end: number): number | bigint {
  const isNegative = bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  let digits = 0;
  let fraction = -1;
  let magnitude = 0;
  for (let at = first; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit >= 0 && digit <= 9) {
      magnitude = magnitude * 10 + digit;
      digits++;
    } else if (bytes[at] === DOT && fraction < 0) fraction = digits;
    else return parseLongNumber(bytes.toString("latin1", start, end));
  }
  if (digits > EXACT_DIGITS) return parseLongNumber(bytes.toString("latin1", start, end));
  // Both are exact, so that the division rounds once, and correctly.
  if (fraction >= 0) magnitude /= POWERS_OF_TEN[digits - fraction];
  return isNegative ? 0 - magnitude : magnitude;
}

/**
 * Any number by its text. An integer too large for a double is infinite, as it is for JSON.parse:
 * this bounds the digits that are computed with.
 */
export function parseLongNumber(text: string): number | bigint {
  const nearest = Number(text) + 0; // -0 becomes 0
  if (!Number.isFinite(nearest) || !/^-?\d+$/.test(text)) return nearest;
  return exactInteger(BigInt(text));
}

/** An integer in its one representation. */
export function exactInteger(integer: bigint): number | bigint {
  const nearest = Number(integer);
  return Number.isFinite(nearest) && BigInt(nearest) !== integer ? integer : nearest;
}

// ---- from and to values of the language ----

/** What JSON.stringify would write of it, as a value; undefined for what it would leave out. */
export function toValue(from: unknown): Value | undefined {
  if (from === null || typeof from === "boolean" || typeof from === "string") return from;
  if (typeof from === "number") return Number.isNaN(from) ? null : from + 0;
  if (typeof from === "bigint") return exactInteger(from);
  if (typeof from !== "object") return undefined;
  if (Array.isArray(from)) return from.map((element) => toValue(element) ?? null);
  if ("toJSON" in from && typeof from.toJSON === "function") return toValue(from.toJSON());
  const entries = from instanceof Map ? from.entries() : Object.entries(from);
  const fields = new Map<string, Value>();
  for (const [name, field] of entries) {
    const value = toValue(field);
    if (value !== undefined) fields.set(String(name), value);
  }
  return fields;
}

/** The compact JSON text of a value. */
export function jsonText(value: Value): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return value > 0 ? "1e999" : "-1e999";
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  const fields = [...value].map(([name, field]) => `${JSON.stringify(name)}:${jsonText(field)}`);
  return `{${fields.join(",")}}`;
}

// ---- order ----

export type ValueType = "null" | "number" | "string" | "object" | "array" | "boolean";

/** The types in their order, which is MongoDB's. */
export const VALUE_TYPES: readonly ValueType[] = [
  "null",
  "number",
  "string",
  "object",
  "array",
  "boolean",
];

/**
 * The place of the value's type in VALUE_TYPES: values of different types are ordered by it alone.
 */
export function typeRank(value: Value): number {
  switch (typeof value) {
    case "number":
    case "bigint":
      return 1;
    case "string":
      return 2;
    case "boolean":
      return 5;
    default:
      return value === null ? 0 : isArray(value) ? 4 : 3;
  }
}

export function typeOfValue(value: Value): ValueType {
  return VALUE_TYPES[typeRank(value)];
}

export function isArray(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/**
 * MongoDB's order, negative when `one` comes first. By type; then numbers by their exact value,
 * whatever their representation; strings by their code points, which is the order of their UTF-8
 * bytes; false before true. Objects field by field in the order in which they stand: the first
 * difference decides, of the types of both values, else of the names, else of the values; an object
 * that ends first is smaller. So {"a":1,"b":2} does not equal {"b":2,"a":1}. Arrays in the same
 * way, element by element.
 */
export function compareValues(one: Value, other: Value): number {
  const rank = typeRank(one);
  const apart = rank - typeRank(other);
  if (apart !== 0 || rank === 0) return apart;
  if (rank === 1) return compareNumbers(one as number | bigint, other as number | bigint);
  if (rank === 2) return compareText(one as string, other as string);
  if (rank === 5) return Number(one) - Number(other);
  if (rank === 3) return compareObjects(one as ObjectValue, other as ObjectValue);
  return compareArrays(one as readonly Value[], other as readonly Value[]);
}

/** The language compares numbers with bigints by their exact values. */
export function compareNumbers(one: number | bigint, other: number | bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/**
 * By code points. The order of 16-bit units is the same, except that the halves of pairs (U+D800 to
 * U+DFFF), which stand for code points from U+10000, must come behind U+E000 to U+FFFF.
 */
export function compareText(one: string, other: string): number {
  const shared = Math.min(one.length, other.length);
  for (let at = 0; at < shared; at++) {
    const a = one.charCodeAt(at);
    const b = other.charCodeAt(at);
    if (a === b) continue;
    // Where the second half of a pair differs, the whole pair does.
    const start = Math.min(pairStart(one, at), pairStart(other, at));
    return (one.codePointAt(start) ?? 0) - (other.codePointAt(start) ?? 0);
  }
  return one.length - other.length;
}

/** Where the code point begins that unit `at` belongs to. */
function pairStart(text: string, at: number): number {
  if (at === 0 || (text.charCodeAt(at) & 0xfc00) !== 0xdc00) return at;
  return (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 ? at - 1 : at;
}

function compareObjects(one: ObjectValue, other: ObjectValue): number {
  const others = other.entries();
  for (const [name, value] of one) {
    const next = others.next();
    if (next.done) return 1;
    const [otherName, otherValue] = next.value;
    const apart =
      typeRank(value) - typeRank(otherValue) ||
      compareText(name, otherName) ||
      compareValues(value, otherValue);
    if (apart !== 0) return apart;
  }
  return one.size - other.size;
}

function compareArrays(one: readonly Value[], other: readonly Value[]): number {
  const shared = Math.min(one.length, other.length);
  for (let index = 0; index < shared; index++) {
    const apart = compareValues(one[index], other[index]);
    if (apart !== 0) return apart;
  }
  return one.length - other.length;
}
