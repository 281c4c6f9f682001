/** A place of a JSON text is set; every other byte stays. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Segments, setInJsonc } from "../../../src/kernel/jsonc-edit.ts";

const FILE = `{
  // how much
  "memory": { "max": "1gb" }, // tail
  "frontends": ["resp", { "use": "repl" },],
  "log": {
    "level": "info" // why
  }
}
`;

const cases: readonly (readonly [
  what: string,
  path: Segments,
  value: unknown,
  from: string,
  to: string,
])[] = [
  ["a value is replaced", ["memory", "max"], 5, '"1gb"', "5"],
  [
    "a key comes behind the others of its line",
    ["memory", "policy"],
    "x",
    '"1gb" }',
    '"1gb", "policy": "x" }',
  ],
  [
    "an entry becomes an object",
    ["frontends", 0],
    { use: "resp", port: 1 },
    '"resp"',
    '{ "use": "resp", "port": 1 }',
  ],
  ["a key of an entry", ["frontends", 1, "prompt"], ">", '"repl" }', '"repl", "prompt": ">" }'],
  [
    "a comment stays with the key before it",
    ["log", "file"],
    "a.log",
    '"info" // why\n',
    '"info", // why\n    "file": "a.log"\n',
  ],
  [
    "objects on the way are made",
    ["parameters", "list-max-listpack-size"],
    -2,
    "  }\n}\n",
    '  },\n  "parameters": { "list-max-listpack-size": -2 }\n}\n',
  ],
];

describe("in a file of many lines", () => {
  test.each(cases)("%s", (_what, path, value, from, to) => {
    expect(setInJsonc(FILE, path, value)).toBe(FILE.replace(from, to));
  });
});

test.each([
  ["{}\n", '{\n  "a": 1\n}\n'],
  ["{ // nothing yet\n}\n", '{ "a": 1 // nothing yet\n}\n'],
  ['{"b":2}', '{"b":2, "a": 1}'],
  ['{\r\n\t"b": 2,\r\n}', '{\r\n\t"b": 2,\r\n\t"a": 1,\r\n}'],
  ['{\n  "b": 2 /* one\n two */ }', '{\n  "b": 2, "a": 1 /* one\n two */ }'],
  ['{\n  "b": 2 // c\n  ,\n}', '{\n  "b": 2 // c\n  , "a": 1,\n}'],
])("a key into %j", (text, expected) => {
  expect(setInJsonc(text, ["a"], 1)).toBe(expected);
  expect(Bun.JSONC.parse(expected)).toMatchObject({ a: 1 });
});

test("whatever the text, the place holds the value and all else is as it was", () => {
  const key = fc.constantFrom("a", "b", "c d", '"', "é");
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null));
  const inner = fc.dictionary(key, leaf, { noNullPrototype: true });
  const whole = fc.dictionary(key, inner, { noNullPrototype: true });
  const indent = fc.constantFrom(undefined, 2, "\t");
  fc.assert(
    fc.property(whole, indent, key, key, leaf, (value, space, outer, name, set) => {
      const text = JSON.stringify(value, undefined, space);
      const expected = { ...value, [outer]: { ...value[outer], [name]: set } };
      expect(Bun.JSONC.parse(setInJsonc(text, [outer, name], set))).toEqual(expected);
    }),
  );
});
