// Where values are in the text of a document, against what JSON.parse makes of the same text.

import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { DocumentEdits, editOrder, PartList } from "../../../src/store/json-edit.ts";
import { isSameJson } from "../../../src/store/json-equal.ts";
import {
  findLocations,
  findSteps,
  type JsonLocation,
  JsonSpans,
} from "../../../src/store/json-spans.ts";
import { countChildren, JsonChildren, MemberName } from "../../../src/store/json-walk.ts";
import { seeds } from "../../suites/seeds.ts";

const STRINGS = [
  '"a"',
  '"b c"',
  '""',
  '"\\n"',
  '"é😀"',
  '"\\u00e9"',
  '"\\"]"',
  '"\\\\"',
  '"{,:}"',
  '"1"',
];
const SCALARS = ["0", "-1.50", "1e5", "12345678901234567890", "true", "false", "null", ...STRINGS];

/** A document as text, with escapes in strings and keys that JSON.parse would not write so. */
function documentText(random: Random, depth: number): string {
  const kind = depth === 0 ? 9 : random.below(6);
  const count = random.below(5);
  if (kind < 2) {
    return `[${Array.from({ length: count }, () => documentText(random, depth - 1)).join(",")}]`;
  }
  if (kind > 3) return SCALARS[random.below(SCALARS.length)];
  const members = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const key = STRINGS[random.below(STRINGS.length)];
    if (members.has(JSON.parse(key))) continue;
    members.set(JSON.parse(key), `${key}:${documentText(random, depth - 1)}`);
  }
  return `{${[...members.values()].join(",")}}`;
}

/** All places of a parsed value. */
function placesOf(value: unknown, at: JsonLocation = []): JsonLocation[] {
  if (value === null || typeof value !== "object") return [at];
  const steps = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  return [at, ...steps.flatMap((step) => placesOf(valueAt(value, [step]), [...at, step]))];
}

function valueAt(value: unknown, location: JsonLocation): unknown {
  return location.reduce<unknown>(
    (inner, step) => (inner as Record<string | number, unknown>)[step],
    value,
  );
}

/** The text within other bytes, which must not matter. */
function placed(text: string): { bytes: Buffer; start: number; end: number } {
  const bytes = Buffer.from(`1"[{${text}0"]}`);
  return { bytes, start: 4, end: bytes.length - 4 };
}

test.each(seeds(4))("each place of generated documents is found, seed %d", (seed) => {
  const random = seededRandom(seed);
  const spans = new JsonSpans();
  for (let round = 0; round < 2000; round++) {
    const text = documentText(random, 5);
    const value: unknown = JSON.parse(text);
    const { bytes, start, end } = placed(text);
    const all = placesOf(value);
    const chosen = all.filter(() => random.below(3) > 0).sort(() => random.below(3) - 1);
    findLocations(bytes, start, end, chosen, spans);
    expect(spans.count).toBe(chosen.length);
    chosen.forEach((location, i) => {
      const found = bytes.toString("utf8", spans.start[i], spans.end[i]);
      expect(JSON.parse(found)).toEqual(valueAt(value, location));
      expect(spans.depth[i]).toBe(location.length);
      requirePlain({ bytes, start, end }, location, value, found);
    });
  }
});

/** A plain path leads to the same text, with indexes from either end. */
function requirePlain(
  { bytes, start, end }: { bytes: Buffer; start: number; end: number },
  location: JsonLocation,
  value: unknown,
  found: string,
): void {
  const spans = new JsonSpans();
  const fromEnd = location.map((step, i) =>
    typeof step === "number"
      ? step - (valueAt(value, location.slice(0, i)) as unknown[]).length
      : new MemberName(step),
  );
  const plain = location.map((step) => (typeof step === "number" ? step : new MemberName(step)));
  for (const steps of [plain, fromEnd]) {
    findSteps(bytes, start, end, steps, spans);
    expect(bytes.toString("utf8", spans.start[0], spans.end[0])).toBe(found);
    for (const wrong of [new MemberName("none"), 99, -99]) {
      findSteps(bytes, start, end, [...steps, wrong], spans);
      expect(spans.count).toBe(0);
    }
  }
}

test.each(seeds(3))("children, equality and edits of generated documents, seed %d", (seed) => {
  const random = seededRandom(seed);
  const spans = new JsonSpans();
  for (let round = 0; round < 1500; round++) {
    const text = documentText(random, 4);
    const value: unknown = JSON.parse(text);
    const { bytes, start, end } = placed(text);
    if (value !== null && typeof value === "object") {
      const children: [string | number, unknown][] = [];
      for (const child = new JsonChildren().begin(bytes, start); child.next(); ) {
        const inner = JSON.parse(bytes.toString("utf8", child.start, child.end));
        children.push([Array.isArray(value) ? child.index : child.key(), inner]);
      }
      expect(countChildren(bytes, start)).toBe(children.length);
      expect(Object.fromEntries(children)).toEqual({ ...(value as object) });
    }
    requireEqual({ bytes, start, end }, value);
    // Every place replaced by a marked copy of itself, inner ones first: nothing else may change.
    const all = placesOf(value);
    findLocations(bytes, start, end, all, spans);
    const edits = new DocumentEdits(bytes, start, end);
    const order = editOrder(spans, false);
    expect(order).toHaveLength(all.length);
    for (const number of order) {
      const mark = Buffer.from("<>");
      const marked = edits.take(
        new PartList().add(mark, 0, 1),
        spans.start[number],
        spans.end[number],
      );
      edits.replace(spans.start[number], spans.end[number], marked.add(mark, 1, 2));
    }
    const edited = edits.finish();
    const target = Buffer.alloc(edited.size);
    expect(edited.write(target, 0)).toBe(
      text.length + (Buffer.byteLength(text) - text.length) + 2 * all.length,
    );
    expect(target.toString().replace(/[<>]/g, "")).toBe(text);
  }
});

/** Equal to itself written by JSON.stringify with its members turned round; not to something put into it. */
function requireEqual(text: { bytes: Buffer; start: number; end: number }, value: unknown): void {
  const turned = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(turned);
    if (one === null || typeof one !== "object") return one;
    return Object.fromEntries(
      Object.entries(one)
        .reverse()
        .map(([key, inner]) => [key, turned(inner)]),
    );
  };
  // JSON.stringify cannot write these two numbers as they were.
  const lexeme = (written: string) =>
    written.replaceAll("12345678901234567000", "12345678901234567890");
  const other = placed(lexeme(JSON.stringify(turned(value))).replaceAll("100000", "1e5"));
  expect(isSameJson(text, other)).toBe(true);
  expect(isSameJson(text, placed(`[${lexeme(JSON.stringify(value))}]`))).toBe(false);
}

test.each([
  ["1", "1.0", false],
  ["1.0", "1.00", true],
  ["1e2", "100.0", true],
  ["100", "1e2", false],
  ["9007199254740993", "9007199254740992", false],
  ["18446744073709551616", "18446744073709551617", true],
  ['"\\u0061"', '"a"', true],
  ["[1,2]", "[2,1]", false],
  ["[1]", "[1,1]", false],
  ['{"a":1,"b":2}', '{"b":2,"\\u0061":1}', true],
  ['{"a":1}', '{"a":1,"b":2}', false],
  ['{"a":1}', '{"b":1}', false],
  ["null", "false", false],
  ["{}", "[]", false],
  ['"1"', "1", false],
])("%s and %s: %p", (a, b, same) => {
  expect(isSameJson(placed(a), placed(b))).toBe(same);
  expect(isSameJson(placed(b), placed(a))).toBe(same);
});
