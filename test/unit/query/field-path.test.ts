/** Paths of fields: their spellings, and what is refused at which column. */
import { expect, test } from "bun:test";
import { parseFieldPath, parseFieldPaths } from "../../../src/query/field-path.ts";
import { QueryError } from "../../../src/query/query-error.ts";

test.each([
  ["city", ["city"], "city"],
  ["address.city", ["address", "city"], "address.city"],
  ["tags[*]", ["tags"], "tags"],
  ["items[*].sku", ["items", "sku"], "items.sku"],
  ["items[0].sku", ["items", "0", "sku"], "items.0.sku"],
  ["items.0.sku", ["items", "0", "sku"], "items.0.sku"],
  ['"a.b".c', ["a.b", "c"], '"a.b".c'],
  ['"city"', ["city"], "city"],
  ['"a\\u0062"."@key"', ["ab", "@key"], 'ab."@key"'],
  ['""', [""], '""'],
  ["@type", ["@type"], '"@type"'],
  ["first name", ["first name"], '"first name"'],
  ["größe", ["größe"], "größe"],
])("%s", (text, names, written) => {
  const path = parseFieldPath(text);
  expect(path).toEqual({ text: written, names, isKey: false });
  expect(parseFieldPath(path.text)).toEqual(path);
});

test("@key is the key, not a field", () => {
  expect(parseFieldPath("@key")).toEqual({ text: "@key", names: [], isKey: true });
  expect(parseFieldPath("@keys").names).toEqual(["@keys"]);
});

test.each([
  ["", 1],
  [".a", 1],
  ["a.", 3],
  ["a..b", 3],
  ["a[x]", 2],
  ["a[01]", 2],
  ["a[", 2],
  ["a]", 2],
  ['é."b', 3],
  ['"\\x"', 1],
  ["@key.a", 5],
  [`${"a.".repeat(64)}a`, 129],
  ["a".repeat(2000), 1],
])("%j is refused at its place", (text, column) => {
  expect(columnOf(() => parseFieldPath(text))).toBe(column);
});

test("lists of paths", () => {
  expect(parseFieldPaths('a, "b,c".d ,e').map(({ text }) => text)).toEqual(["a", '"b,c".d', "e"]);
  expect(columnOf(() => parseFieldPaths("a, b.,c"))).toBe(6);
  expect(columnOf(() => parseFieldPaths("a,,c"))).toBe(3);
  expect(columnOf(() => parseFieldPaths("a,"))).toBe(3);
});

function columnOf(parse: () => unknown): number {
  try {
    parse();
  } catch (error) {
    if (error instanceof QueryError) return error.column;
    throw error;
  }
  throw new Error("not refused");
}
