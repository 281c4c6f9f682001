/** Values: what is read of a text, and MongoDB's order, on chosen values and generated ones. */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { compareValues, jsonText, toValue } from "../../../src/query/value.ts";
import { seeds } from "../../suites/seeds.ts";
import { escapedText, type Json, randomValue, valueFromText } from "./generated.ts";

describe("reading", () => {
  test.each([
    ["0", 0],
    ["-0", 0],
    ["-0.0", 0],
    ["12.50", 12.5],
    ["0.1", 0.1],
    ["-123456789012345", -123456789012345],
    ["1.7976931348623157e308", Number.MAX_VALUE],
    ["5e-324", 5e-324],
    ["123456.789e-3", 123.456789],
    ["0.12345678901234567", 0.12345678901234566],
    ["9007199254740992", 2 ** 53],
    ["9007199254740993", 9007199254740993n],
    ["1234567890123456789", 1234567890123456789n],
    ["-1234567890123456789", -1234567890123456789n],
    ["1000000000000000000000", 1e21],
    ["1e400", Number.POSITIVE_INFINITY],
    [`-${"9".repeat(400)}`, Number.NEGATIVE_INFINITY],
    ['"\\u0061\\n\\ud83d\\ude00"', "a\n\u{1f600}"],
  ])("%s", (text, value) => expect(valueFromText(text)).toBe(value));

  test("objects keep the order of their fields, and the last of two equal keys", () => {
    expect(valueFromText('{"b":1,"1":2,"b":3,"__proto__":4}')).toEqual(
      new Map([
        ["b", 3],
        ["1", 2],
        ["__proto__", 4],
      ]),
    );
  });

  test.each(seeds(3))("agrees with JSON.parse, and is written back, seed %d", (seed) => {
    const random = seededRandom(seed);
    for (let round = 0; round < 3000; round++) {
      const json = randomValue(random, 4);
      const value = valueFromText(escapedText(random, json));
      expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(json)));
      expect(compareValues(value, toValue(json) ?? null)).toBe(0);
    }
  });

  test("values of the language", () => {
    const date = { toJSON: () => "2020" };
    expect(toValue({ a: undefined, b: [undefined, date, 2n ** 60n + 1n, -0] })).toEqual(
      new Map([["b", [null, "2020", 2n ** 60n + 1n, 0]]]),
    );
    expect(toValue(undefined)).toBeUndefined();
  });
});

/** Each text is smaller than the next. */
const ASCENDING = [
  ...["null", "-1e400", "-1234567890123456790", "-1234567890123456789", "-1e3", "-1.5", "0"],
  ...["5e-324", "1.5", "9007199254740991", "9007199254740992", "9007199254740993"],
  ...["9007199254740994", "1e300", "1e400"],
  ...[
    '""',
    '"\\u0000"',
    '"\\u0000a"',
    '"\\u0001"',
    '"\\u0002"',
    '"A"',
    '"a"',
    '"a\\u0000"',
    '"ab"',
  ],
  ...['"z"', '"é"', '"\\ud83d"', '"\\ud83dz"'],
  ...['"\\ud83d\\ud83d\\ude00"', '"\\udc00"', '"\\uffee"'],
  ...['"\\ud83d\\ude00"', '"\\ud83d\\ude01"'],
  ...["{}", '{"b":1}', '{"a":"x"}', '{"a":"x","b":1}', '{"b":"x"}', '{"a":{}}', '{"a":true}'],
  ...['{"b":false}', "[]", "[null]", "[null,1]", "[1]", "[1,1]", "[2]", '["a"]', "[[]]", "[true]"],
  ...["false", "true"],
];

test("the order is MongoDB's", () => {
  const values = ASCENDING.map(valueFromText);
  const wrong: string[] = [];
  for (const [i, one] of values.entries()) {
    for (const [j, other] of values.entries()) {
      if (Math.sign(compareValues(one, other)) !== Math.sign(i - j)) {
        wrong.push(`${ASCENDING[i]} and ${ASCENDING[j]}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

test.each(seeds(2))("strings are in the order of their code points, seed %d", (seed) => {
  const random = seededRandom(seed);
  const units = ["a", "é", "\ud83d", "\ude00", "\ue000", "\uffff", "\u{1f600}"];
  const text = (): string =>
    Array.from({ length: random.below(5) }, () => units[random.below(units.length)]).join("");
  const points = (one: string): Json[] => [...one].map((point) => point.codePointAt(0) ?? 0);
  for (let round = 0; round < 5000; round++) {
    const [one, other] = [text(), text()];
    const expected = compareValues(toValue(points(one)) ?? null, toValue(points(other)) ?? null);
    const actual = compareValues(one, other);
    if (Math.sign(actual) !== Math.sign(expected)) throw new Error(JSON.stringify([one, other]));
  }
});
