/** The whole values of a field, for kinds of indexes that read them. */
import { expect, test } from "bun:test";
import { parseFieldPath } from "../../../src/query/field-path.ts";
import { FieldValues } from "../../../src/query/field-values.ts";

function valuesOf(path: string, document: unknown): readonly unknown[] {
  const bytes = Buffer.from(JSON.stringify(document));
  return new FieldValues(parseFieldPath(path)).of(bytes, 0, bytes.length);
}

test.each([
  ["a", { a: "x" }, ["x"]],
  ["a", { a: ["x", 1, null] }, ["x", 1, null]],
  ["a.b", { a: [{ b: 1 }, { b: [2, 3] }, {}] }, [1, 2, 3]],
  ["a", {}, []],
])("%s of %j", (path, document, expected) => {
  expect(valuesOf(path, document)).toEqual(expected);
});

test("an array of any length", () => {
  const length = 1_000_000;
  expect(valuesOf("a", { a: new Array(length).fill(1) })).toHaveLength(length);
});
