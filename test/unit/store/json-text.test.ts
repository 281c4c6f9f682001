import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MAX_JSON_DEPTH } from "../../../src/limits.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { JsonScanner, placeInText, writeCompact } from "../../../src/store/json-text.ts";
import { seeds } from "../../suites/seeds.ts";

const scanner = new JsonScanner();

/** The compact text, or null when it is no JSON. The bytes lie within others, which must not matter. */
function compact(text: string | Uint8Array): Buffer | null {
  const inner = Buffer.from(text as string);
  const bytes = Buffer.concat([Buffer.from('"['), inner, Buffer.from('1"]}')]);
  if (!scanner.scan(bytes, 2, 2 + inner.length)) return null;
  const target = Buffer.alloc(scanner.compactSize + 2, 0xee);
  writeCompact(bytes, scanner.start, scanner.end, target, 1);
  expect([target.at(0), target.at(-1)]).toEqual([0xee, 0xee]);
  return target.subarray(1, -1);
}

/** Where and what the problem is. */
function problem(text: string): string {
  const bytes = Buffer.from(text);
  expect(scanner.scan(bytes, 0, bytes.length)).toBe(false);
  return `${placeInText(bytes, 0, scanner.problemAt)}: ${scanner.problem}`;
}

test("whitespace goes only between parts", () => {
  const text = ' {\r\n\t"a b" : [ 1.0 , -2e+5,\t"c \\" d \\\\" , { } , [ ] ] , "": null } \n';
  expect(compact(text)?.toString()).toBe('{"a b":[1.0,-2e+5,"c \\" d \\\\",{},[]],"":null}');
});

test.each([
  ["", "column 1: unexpected end"],
  ["  ", "column 3: unexpected end"],
  ["[", "column 2: unexpected end"],
  ['{"a"', "column 5: unexpected end"],
  ['{"a":', "column 6: unexpected end"],
  ['{"a":1,', "column 8: unexpected end"],
  ['{"a":1,}', "column 8: expected a key in double quotes"],
  ["[1}", "column 3: expected ',' or ']'"],
  ['{"a":1]', "column 7: expected ',' or '}'"],
  ["[]]", "column 3: unexpected text behind the value"],
  ["-", "column 2: unexpected end"],
  ["-x", "column 2: expected a digit"],
  ["1.", "column 3: unexpected end"],
  ["[1.]", "column 4: expected a digit"],
  ["[1e+]", "column 5: expected a digit"],
  ["01", "column 2: unexpected text behind the value"],
  ["[+1]", "column 2: expected a value"],
  ['["a\nb"]', "column 4: a control character in a string must be escaped"],
  ['["\\x"]', "column 4: unknown escape in a string"],
  ['["\\u12g4"]', "column 7: expected four hexadecimal digits behind '\\u'"],
  ['["\\u12', "column 7: unexpected end"],
  ['["abc', "column 6: unexpected end"],
  ['["abc\\', "column 7: unexpected end"],
  ["fals", "column 5: unexpected end"],
  ["nulL", "column 1: expected a value"],
  ['["é", ü]', "column 7: expected a value"],
  ["[1,\n2,\n  x]", "line 3, column 3: expected a value"],
])("%j: %s", (text, expected) => {
  expect(problem(text)).toBe(expected);
});

test("depth has a bound, and costs no stack", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(compact(nested(MAX_JSON_DEPTH))).not.toBeNull();
  expect(problem(nested(MAX_JSON_DEPTH + 1))).toBe(
    `column ${MAX_JSON_DEPTH + 1}: nested deeper than ${MAX_JSON_DEPTH} levels`,
  );
  expect(problem('{"a":'.repeat(1_000_000))).toContain("nested deeper");
});

test.each([
  ['{"a":1,"b":{"a":2,"b":3},"a":4}', 'column 26: the key "a" comes twice'],
  ['[{"a":1},{"a":2,"a":3}]', 'column 17: the key "a" comes twice'],
  ['{"\\u0061":1,"a":2}', 'column 13: the key "a" comes twice'],
  ['{"a":1,"\\u0061":2}', 'column 8: the key "\\u0061" comes twice'],
  ['{"":1,"":2}', 'column 7: the key "" comes twice'],
  [object(40, 40, "39"), 'column 312: the key "39" comes twice'],
  [object(13, 13, "5"), 'column 96: the key "5" comes twice'],
  [
    `{"${"x".repeat(99)}":1,"${"x".repeat(99)}":1}`,
    `column 106: the key "${"x".repeat(80)}…" comes twice`,
  ],
])("a key that comes twice is refused: %s", (text, expected) => {
  expect(problem(text)).toBe(expected);
  scanner.allowsDuplicates = true;
  expect(compact(text)?.toString()).toBe(text);
  scanner.allowsDuplicates = false;
});

test("keys that only look alike may stand together", () => {
  const half = '{"\\ud800":1,"\\ud801":2,"\\ufffd":3}';
  for (const text of [object(2000), half, '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}']) {
    expect(compact(text)?.toString()).toBe(text);
  }
});

/** An object with `count` keys that are numbers, and one more behind them. */
function object(count: number, value = 0, last?: string): string {
  const members = Array.from({ length: count }, (_, i) => `"${i}":${value}`);
  if (last !== undefined) members.push(`"${last}":0`);
  return `{${members.join(",")}}`;
}

test("bytes that are not UTF-8 are found", () => {
  const bytes = Buffer.concat([Buffer.from('["é'), Buffer.from([0xc3, 0x28]), Buffer.from('"]')]);
  expect(scanner.scan(bytes, 0, bytes.length)).toBe(false);
  expect(scanner.problemAt).toBe(4);
});

const CORPUS = join(import.meta.dir, "../../../../shared/data/json-parsing.jsonl");

describe.skipIf(!existsSync(CORPUS))("JSONTestSuite (shared/data/json-parsing.jsonl)", () => {
  test("accepts and rejects what it should", () => {
    const lines = readFileSync(CORPUS, "utf8").trim().split("\n");
    const wrong = lines
      .map((line) => JSON.parse(line) as { name: string; expect: string; base64: string })
      .filter(({ name, expect: expected, base64 }) => {
        const accepted = compact(Buffer.from(base64, "base64")) !== null;
        // RFC 8259 lets readers choose among the values of a key that comes twice, so kvdb takes none.
        if (name.startsWith("y_object_duplicated_key")) return accepted;
        return expected !== "either" && accepted !== (expected === "accept");
      });
    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(lines.length).toBeGreaterThan(300);
  });
});

const PIECES = [
  ...["{", "}", "[", "]", ",", ":", '"', "\\", '"a"', '"b c"', '"\\n"', " ", "\n", "1", "-", "0"],
  ...[".", "e", "E5", "true", "false", "null", "\\u00e9", "é", "u", "\t", "+"],
];

test.each(seeds(4))("agrees with JSON.parse on pieces put together, seed %d", (seed) => {
  const random = seededRandom(seed);
  let accepted = 0;
  for (let round = 0; round < 30_000; round++) {
    const count = 1 + random.below(9);
    const text = Array.from({ length: count }, () => PIECES[random.below(PIECES.length)]).join("");
    const expected = parsed(text);
    const actual = compact(text)?.toString() ?? null;
    if (actual === null && scanner.problem.endsWith("comes twice")) continue;
    if ((actual === null) !== (expected === undefined)) throw new Error(JSON.stringify(text));
    if (actual === null) continue;
    accepted++;
    expect(JSON.parse(actual)).toEqual(expected);
    expect(compact(actual)?.toString()).toBe(actual);
  }
  expect(accepted).toBeGreaterThan(100);
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
