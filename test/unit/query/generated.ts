/**
 * Documents and values from a seed: few names and few values, so that conditions meet them often.
 */
import type { Random } from "../../../src/platform/random.ts";
import { parseValue, type Value } from "../../../src/query/value.ts";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const NAMES = ["a", "b", "c", "0", "1"];
const SCALARS: readonly Json[] = [
  ...[null, true, false, 0, 1, 2, 3, -1, 1.5, -2.25, 1e300, 9007199254740991],
  ...["", "a", "ab", "b", "abc", "é", "z", "Oslo", "1", "\u{1f600}", "\uffee", 'q"\\\n', "\0"],
];

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

export function randomValue(random: Random, depth: number): Json {
  const kind = depth === 0 ? 0 : random.below(5);
  if (kind <= 2) return pick(random, SCALARS);
  if (kind === 3) {
    return Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
  }
  return randomDocument(random, depth - 1);
}

export function randomDocument(random: Random, depth: number): { [name: string]: Json } {
  const document: { [name: string]: Json } = {};
  for (let count = random.below(4); count >= 0; count--) {
    document[pick(random, NAMES)] = randomValue(random, depth);
  }
  return document;
}

export function randomPath(random: Random): string {
  return Array.from({ length: 1 + random.below(3) }, () => pick(random, NAMES)).join(".");
}

/**
 * JSON text of the value, in which some characters of names and strings are escaped that need not
 * be.
 */
export function escapedText(random: Random, value: Json): string {
  if (typeof value === "string") {
    const characters = [
      ...JSON.stringify(value)
        .slice(1, -1)
        .matchAll(/\\u.{4}|\\.|[^\\]/gu),
    ];
    const escaped = characters.map(([one]) =>
      one.length === 1 && random.below(4) === 0
        ? `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`
        : one,
    );
    return `"${escaped.join("")}"`;
  }
  if (Array.isArray(value)) return `[${value.map((one) => escapedText(random, one)).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([name, field]) => `${escapedText(random, name)}:${escapedText(random, field)}`,
  );
  return `{${fields.join(",")}}`;
}

/** The value of a JSON text. */
export function valueFromText(text: string): Value {
  const bytes = Buffer.from(text);
  return parseValue(bytes, 0, bytes.length);
}
