/** What FIND answers in each form, and the place in a filter that an error is about. */
import { describe, expect, test } from "bun:test";
import type { Answer } from "../../../src/resp/answer.ts";
import { renderAnswer } from "../../../src/shell/answer-text.ts";
import { filterProblem, pointerLines } from "../../../src/shell/filter-problem.ts";
import { type Found, readFound } from "../../../src/shell/found-answer.ts";
import { array, bulk } from "./answers.ts";

const rows = array(
  array(bulk("user:1"), bulk('{"name":"Ada","age":36,"a":{"b":[1]}}')),
  array(bulk("a b"), bulk('{"age":1.50,"name":null}')),
);

function shown(answer: Answer, mode: "plain" | "json" | "raw" | "csv", columns = 0): string {
  const found = readFound(answer);
  return renderAnswer(answer, { mode, colour: false, columns, isValue: false, found }).toString();
}

describe("documents", () => {
  test("for programs", () => {
    expect(shown(rows, "plain")).toBe(
      '"user:1": {"name":"Ada","age":36,"a":{"b":[1]}}\n"a b": {"age":1.50,"name":null}\n',
    );
    expect(shown(rows, "json")).toBe(
      '[{"key":"user:1","value":{"name":"Ada","age":36,"a":{"b":[1]}}},{"key":"a b","value":{"age":1.50,"name":null}}]\n',
    );
    expect(shown(rows, "csv")).toBe('@key,name,age,a\nuser:1,Ada,36,"{""b"":[1]}"\na b,,1.50,\n');
    expect(shown(rows, "raw")).toStartWith('user:1\n{"name"');
  });

  test("for people are a table with the columns of all of them", () => {
    expect(shown(rows, "plain", 80).split("\n")).toEqual([
      "@key    name    age  a",
      "──────  ─────  ────  ─────────",
      'user:1  "Ada"    36  {"b":[1]}',
      '"a b"   null   1.50  ',
      "2 documents",
      "",
    ]);
  });

  test("that are too many columns, or no objects, are lines", () => {
    const wide = (fields: number) =>
      bulk(
        JSON.stringify(
          Object.fromEntries(Array.from({ length: fields }, (_, i) => [`field${i}`, i])),
        ),
      );
    expect(shown(array(array(bulk("k"), wide(20))), "plain", 80)).toStartWith('k  {"field0":0,');
    expect(shown(array(array(bulk("k"), wide(3))), "plain", 80)).toStartWith("@key");
    const mixed = array(array(bulk("k"), bulk("[1]")), array(bulk("long:key"), bulk('{"a":1}')));
    expect(shown(mixed, "plain", 80)).toBe('k         [1]\nlong:key  {"a":1}\n2 documents\n');
    expect(shown(array(array(bulk("k"), bulk("{}"))), "plain", 80)).toBe("k  {}\n1 document\n");
  });

  test("do not reach a terminal with what it would obey", () => {
    const nasty = array(array(bulk("\u001b[2J"), bulk('{"\\u001b[2J":"\u202e","b":1}')));
    const text = shown(nasty, "plain", 80);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
    expect(text).not.toMatch(/[\u001b\u202e]/);
    expect(text).toContain("\\u202e");
  });

  test("a key that is no text is its bytes", () => {
    const binary = array(array({ kind: "bulk", bytes: Buffer.of(0xff) }, bulk("1")));
    expect(shown(binary, "json")).toBe('[{"key":{"$base64":"/w=="},"value":1}]\n');
    expect(shown(binary, "plain")).toBe('"\\xff": 1\n');
  });

  test("none", () => {
    expect(shown(array(), "plain")).toBe("");
    expect(shown(array(), "plain", 80)).toBe("no documents\n");
    expect(shown(array(), "json")).toBe("[]\n");
  });
});

test("pages have their cursor in JSON alone", () => {
  const page = array(bulk("next"), rows);
  expect(readFound(page)).toMatchObject({ cursor: "next" });
  expect(shown(page, "json")).toStartWith('{"cursor":"next","documents":[{"key":"user:1",');
  expect(shown(page, "plain")).toBe(shown(rows, "plain"));
  expect(shown(array(bulk("0"), array()), "json")).toBe('{"cursor":"0","documents":[]}\n');
});

test("groups have no keys", () => {
  const groups = array(bulk('{"city":"Oslo","count":2}'), bulk('{"city":null,"count":1}'));
  expect(shown(groups, "plain")).toBe('{"city":"Oslo","count":2}\n{"city":null,"count":1}\n');
  expect(shown(groups, "json")).toBe('[{"city":"Oslo","count":2},{"city":null,"count":1}]\n');
  expect(shown(groups, "csv")).toBe("city,count\nOslo,2\n,1\n");
  expect(shown(groups, "plain", 80)).toEndWith("2 groups\n");
});

test("counts are words for people alone", () => {
  const one: Answer = { kind: "integer", value: 1 };
  expect(shown(one, "plain", 80)).toBe("1 document\n");
  expect(shown({ kind: "integer", value: 0 }, "plain", 80)).toBe("0 documents\n");
  for (const mode of ["plain", "json", "csv", "raw"] as const) expect(shown(one, mode)).toBe("1\n");
});

test("what is none of FIND's answers is shown as any answer", () => {
  const others: Answer[] = [
    { kind: "status", text: "QUEUED" },
    array({ kind: "integer", value: 1 }),
    array(array(bulk("one"))),
  ];
  for (const answer of others)
    expect(readFound(answer) satisfies Found | undefined).toBeUndefined();
});

describe("the place of a problem", () => {
  const problem = (parts: readonly string[], text: string) =>
    filterProblem(parts, { kind: "error", code: "ERR", text });

  test("is in the filter whose error it is", () => {
    const text = "column 9: expected a value, found the end";
    const filter = '"é🙂" >= ';
    expect(problem(["FIND", filter], text)).toMatchObject({ filter, at: filter.length });
    expect(problem(["EXPLAIN", "FIND", "abcde > "], text)).toMatchObject({ at: 8 });
    expect(problem(["FIND", "a = 1", "sort", "abcde > "], text)).toBeUndefined();
    expect(problem(["FIND", "abcde > "], "wrong")).toBeUndefined();
    expect(filterProblem(["FIND", "abcde > "], { kind: "null" })).toBeUndefined();
  });

  test("is known among parameters", () => {
    const text = "column 12: expected a value, found the end";
    expect(problem(["FIND", "a = $1 and ", "PARAMS", "x"], text)).toBeUndefined();
    const found = "column 12: expected a condition, found the end";
    expect(problem(["FIND", "a = $1 and ", "PARAMS", "x"], found)).toMatchObject({ at: 11 });
  });

  test("is shown under its line, by columns of the screen", () => {
    expect(pointerLines({ filter: "a = 日本 x", at: 7 }, 80)).toEqual([
      "  a = 日本 x",
      "           ^",
    ]);
    expect(pointerLines({ filter: "a = 1 and\nb = x y\nor c", at: 16 }, 80)).toEqual([
      "  b = x y",
      "        ^",
    ]);
    expect(pointerLines({ filter: "", at: 0 }, 80)).toEqual(["  ", "  ^"]);
    const long = `${"a = 1 and ".repeat(50)}x`;
    const [line = "", mark = ""] = pointerLines({ filter: long, at: 500 }, 40);
    expect(line.length).toBeLessThanOrEqual(40);
    expect(line[mark.length - 1]).toBe("x");
  });
});
