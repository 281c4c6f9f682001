/** Lines that begin as an entry or a database does are found wherever a slice ends. */
import { expect, test } from "bun:test";
import { findLine, indentBefore } from "../../../plugins/json-snapshot/line-search.ts";
import { diskWith, FILE } from "./support.ts";

/** What is read at once. */
const SLICE_BYTES = 1 << 18;

const FRONTS = [
  ["entry", '      "'],
  ["database", '    "'],
] as const;

async function open(content: string) {
  return (await diskWith(content)).files.open(FILE, "read");
}

test("a line across the end of a slice", async () => {
  for (let before = SLICE_BYTES - 20; before <= SLICE_BYTES + 2; before++) {
    const content = `${"x".repeat(before)}\n      "key": 1\n`;
    const found = await findLine(await open(content), 0, content.length, FRONTS);
    expect(found).toEqual({ kind: "entry", offset: before + 7 });
  }
});

test("the first of several, at or behind where it is asked for, before the limit", async () => {
  const content =
    '{\n    "0": {\n      "a": 1,\n       "deeper": 1,\n     "less": 2,\n      "b": 2\n';
  const file = await open(content);
  const at = (name: string) => content.indexOf(`"${name}"`);
  const find = (from: number, limit = content.length) => findLine(file, from, limit, FRONTS);
  expect(await find(0)).toEqual({ kind: "database", offset: at("0") });
  expect(await find(at("0"))).toEqual({ kind: "database", offset: at("0") });
  expect(await find(at("0") + 1)).toEqual({ kind: "entry", offset: at("a") });
  expect(await find(at("a"))).toEqual({ kind: "entry", offset: at("a") });
  expect(await find(at("a") + 1)).toEqual({ kind: "entry", offset: at("b") });
  expect(await find(at("b") + 1)).toBeUndefined();
  expect(await find(at("a") + 1, at("b"))).toBeUndefined();
});

test("the white space before, if there is nothing else", async () => {
  const content = '{"0": {\n\t "a": 1, "b": 2\n"c": 3';
  const file = await open(content);
  const before = (name: string) => indentBefore(file, content.indexOf(`"${name}"`));
  expect(await before("a")).toBe("\t ");
  expect(await before("b")).toBeUndefined();
  expect(await before("c")).toBe("");
  expect(await before("0")).toBeUndefined();
});
