/**
 * Questions to an index as the planner asks them: conditions on its fields, and the ranges of keys in which every document
 * that fulfils them has one.
 */

import { MAX_INDEX_KEY_BYTES } from "../../src/limits.ts";
import type { IndexQuestion, KeyRange } from "../../src/plugin.ts";
import { ELEMENT, type FieldPath, parseFieldPath } from "../../src/query/field-path.ts";
import { and, type Condition, type Filter } from "../../src/query/filter.ts";
import { IndexKeyWriter, NUMBER_TAG, STRING_TAG } from "../../src/query/index-key.ts";
import type { Value } from "../../src/query/value.ts";
import { generatedText, pick, type Random } from "./index-documents.ts";

export interface GeneratedQuestion extends IndexQuestion {
  readonly filter: Filter;
}

const SCALARS: readonly Value[] = [
  ...[1, 2, 3, 4.5, -7, 1e300, 7, "x", "yy", "", true, false],
  ...["apple", "apple pie", "pineapple", "Äpfel", "\u0000", "😀 grin"],
];
const BEGINNINGS = ["a", "apple", "Ä", "pine", "😀", "x", "p", "q:1"];
const PATTERNS = [
  ...["apple", "ap+le", "^pine", "p{1,2}le", "[a-c]p", "appl?e pie", "(apple|pear)", "fig.quince"],
  ...["pi\\.e", "\\bpie", "Zü", "e$", "gri", "plum|fig", "a*pple", "apples*", "x{0}apple", "."],
];

/** Of an index of one field, or of the keys of the database. */
export function generatedQuestion(field: string, random: Random): GeneratedQuestion {
  const path = parseFieldPath(field);
  const one = QUESTIONS[random.below(QUESTIONS.length)] as (typeof QUESTIONS)[number];
  const [condition, ranges] = one(path, random);
  const [second] = random.below(4) === 0 ? pick(random, QUESTIONS)(path, random) : [];
  const conditions = second === undefined ? [condition] : [condition, second];
  const wantsOrder = random.below(2) === 0;
  return { conditions, ranges, wantsOrder, filter: and(conditions) };
}

/** Both fields have one value: what every kind that is compound can answer. */
export function compoundQuestion(
  fields: readonly [string, string],
  values: readonly [Value, Value],
): GeneratedQuestion {
  const conditions = fields.map(
    (field, at): Condition => ({
      kind: "equal",
      path: parseFieldPath(field),
      value: values[at] as Value,
    }),
  );
  return {
    conditions,
    ranges: [point(keyOf(...values))],
    wantsOrder: false,
    filter: and(conditions),
  };
}

type Maker = (path: FieldPath, random: Random) => [Condition, readonly KeyRange[] | undefined];

const QUESTIONS: readonly Maker[] = [
  (path, random) => {
    const value = pick(random, SCALARS);
    return [{ kind: "equal", path, value }, [point(keyOf(value))]];
  },
  (path, random) => {
    const value = generatedText(random);
    return [{ kind: "equal", path, value }, [point(keyOf(value))]];
  },
  (path, random) => {
    const values = SCALARS.filter(() => random.below(4) === 0);
    const keys = values.map((value) => keyOf(value)).sort(Buffer.compare);
    return [{ kind: "in", path, values }, keys.map(point)];
  },
  (path, random) => {
    const prefix = pick(random, BEGINNINGS);
    const low = keyOf(prefix).subarray(0, -1);
    return [{ kind: "prefix", path, prefix }, [from(low, Buffer.concat([low, AFTER]))]];
  },
  (path, random) => rangeQuestion(path, random),
  (path, random) => [
    { kind: "regex", path, source: pick(random, PATTERNS), flags: pick(random, ["", "i"]) },
    undefined,
  ],
  (path) => [
    { kind: "type", path, type: "string" },
    [from(Buffer.of(STRING_TAG), Buffer.of(STRING_TAG + 1))],
  ],
  (path) => [{ kind: "exists", path }, undefined],
  (path, random) => [{ kind: "size", path, size: random.below(3) }, undefined],
  (path, random) => {
    const filter: Filter = { kind: "equal", path: ELEMENT, value: pick(random, SCALARS) };
    return [{ kind: "element", path, of: "values", filter }, undefined];
  },
];

/** Values are compared with those of their type alone. */
function rangeQuestion(path: FieldPath, random: Random): ReturnType<Maker> {
  const value = pick(
    random,
    SCALARS.filter((one) => typeof one !== "boolean"),
  );
  const operator = pick(random, ["<", "<=", ">", ">="] as const);
  const tag = typeof value === "string" ? STRING_TAG : NUMBER_TAG;
  const key = keyOf(value);
  const behindKey = Buffer.concat([key, AFTER]);
  const range =
    operator === "<"
      ? from(Buffer.of(tag), key)
      : operator === "<="
        ? from(Buffer.of(tag), behindKey)
        : from(operator === ">" ? behindKey : key, Buffer.of(tag + 1));
  return [{ kind: "range", path, operator, value }, [range]];
}

/** Above every byte that goes on a key or a text. */
const AFTER = Buffer.of(0xff);

function keyOf(...values: readonly Value[]): Buffer {
  const writer = new IndexKeyWriter(MAX_INDEX_KEY_BYTES);
  writer.begin();
  for (const value of values) writer.value(value);
  return writer.key();
}

function point(key: Uint8Array): KeyRange {
  return { low: Buffer.from(key), high: Buffer.concat([key, AFTER]), isPoint: true };
}

function from(low: Buffer, high: Buffer): KeyRange {
  return { low, high, isPoint: false };
}

/** All keys there can be. */
export const EVERYTHING: KeyRange = { low: Buffer.alloc(0), high: AFTER, isPoint: false };

export function isInRanges(key: Uint8Array, ranges: readonly KeyRange[]): boolean {
  return ranges.some(
    ({ low, high }) => Buffer.compare(key, low) >= 0 && Buffer.compare(key, high) < 0,
  );
}
