/** What may follow the words of a command: every command of the table, and the shapes that syntax has. */
import { describe, expect, test } from "bun:test";
import { coreCommands } from "../../../src/commands/index.ts";
import { expectedAfter } from "../../../src/shell/syntax-hint.ts";

const SET = "key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]";

describe("what may follow", () => {
  test.each<[syntax: string, words: string[], text: string]>([
    [SET, [], SET],
    [SET, ["k"], "value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]"],
    [SET, ["k", "v"], "[NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]"],
    [SET, ["k", "v", "px"], "milliseconds [NX | XX] [GET]"],
    [SET, ["k", "v", "PX", "5"], "[NX | XX] [GET]"],
    [SET, ["k", "v", "PX", "5", "nx"], "[GET]"],
    ["key [key ...]", ["a"], "[key [key ...]]"],
    ["key [key ...]", ["a", "b"], "[key [key ...]]"],
    ["key value [key value ...]", ["a"], "value [key value [key value ...]]"],
    ["key value [key value ...]", ["a", "b", "c"], "value [key value [key value ...]]"],
    ["cursor [MATCH pattern] [COUNT count]", ["0", "COUNT"], "count [MATCH pattern]"],
    ["", [], ""],
  ])("%j after %j", (syntax, words, text) => {
    const expected = expectedAfter(syntax, words);
    expect([expected?.next, expected?.rest].filter(Boolean).join(" ")).toBe(text);
  });

  test.each<[syntax: string, words: string[]]>([
    ["key", ["a", "b"]],
    [SET, ["k", "v", "what"]],
    ["[[", []],
  ])("%j after %j is nothing that is known", (syntax, words) => {
    expect(expectedAfter(syntax, words)).toBeUndefined();
  });

  test("words of the command, and arguments", () => {
    expect(expectedAfter(SET, [])?.argument).toEqual({ name: "key", type: "key" });
    expect(expectedAfter(SET, ["k"])?.tokens).toEqual([]);
    expect(expectedAfter(SET, ["k", "v"])?.tokens).toEqual([
      "NX",
      "XX",
      "GET",
      "EX",
      "PX",
      "KEEPTTL",
    ]);
    expect(expectedAfter(SET, ["k", "v", "EX"])?.argument?.name).toBe("seconds");
  });
});

test("every command of the table has a syntax that hints can be made of", () => {
  for (const { name, syntax } of coreCommands) {
    const expected = expectedAfter(syntax, []);
    expect([name, [expected?.next, expected?.rest].filter(Boolean).join(" ")]).toEqual([
      name,
      syntax,
    ]);
  }
});
