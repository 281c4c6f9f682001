/** Bytes as lines, however they are cut. */
import { expect, test } from "bun:test";
import { TextLines } from "../../../src/cli/text-lines.ts";

function linesOf(...chunks: readonly Buffer[]): string[] {
  const lines = new TextLines();
  const all = chunks.flatMap((chunk) => [...lines.push(chunk)]);
  const last = lines.finish();
  return last === undefined ? all : [...all, last];
}

test.each([
  ["", []],
  ["\n", [""]],
  ["a\r\nb\n\nc", ["a", "b", "", "c"]],
  ["\ufeffa\n\ufeffb\n", ["a", "\ufeffb"]],
  ["é 日本 😀\r\nx", ["é 日本 😀", "x"]],
  ["a\rb\n", ["a\rb"]],
])("%j", (text, lines) => {
  const bytes = Buffer.from(text);
  expect(linesOf(bytes)).toEqual(lines);
  expect(linesOf(...[...bytes].map((byte) => Buffer.of(byte)))).toEqual(lines);
});

test("bytes that are not UTF-8 are told with their line", () => {
  expect(() => linesOf(Buffer.from("a\nb\n\xff\n", "latin1"))).toThrow("line 3: not UTF-8");
});
