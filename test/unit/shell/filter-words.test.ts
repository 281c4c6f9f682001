/** Filters among the words of a line and among the arguments of a shell: where they end, and what they are then. */
import { describe, expect, test } from "bun:test";
import { type Part, partText } from "../../../src/client/link.ts";
import { coreCommands } from "../../../src/commands/index.ts";
import { CommandTable } from "../../../src/commands/table.ts";
import { argumentWords } from "../../../src/shell/argument-words.ts";
import { CommandLines, splitCommands } from "../../../src/shell/command-lines.ts";
import { FIND_END } from "../../../src/shell/filter-keywords.ts";
import { scanFilter } from "../../../src/shell/filter-parts.ts";
import { parseLine } from "../../../src/shell/line.ts";
import { lineWords } from "../../../src/shell/line-words.ts";

const catalog = new CommandTable();
catalog.add(coreCommands, "kvdb");

function typed(line: string): readonly string[] {
  const parsed = parseLine(line);
  expect(parsed.problems).toEqual([]);
  return (lineWords(parsed, catalog) ?? []).map((word: Part) => partText(word));
}

function given(...words: [string, ...string[]]): readonly string[] {
  return argumentWords(words);
}

/** Lines with their filter between guillemets, which are taken away before they are read. */
const filtersInLines = [
  `find «city = "Oslo" and name = 'a b'» sort -age limit 5`,
  `find «{"age": {"$gte": 30}, "city": "Oslo"}» sort -age`,
  `find «{"a": "}"} » sort a`.replace(" »", "»"),
  `find «{'a': '}', b: [1, (2)]}» sort a`,
  "find «*» limit 2",
  `FIND «city = Oslo» LIMIT 5`,
  "explain find «a = 1» using by_a",
  "Explain Find «a = 1» count",
  // Keywords that are none: in quotes, in brackets, as values, as fields.
  `find «a = " limit 5 "» limit 5`,
  `find «a = ' limit 5 '» limit 5`,
  `find «a = "\\" limit 5 "» limit 5`,
  `find «a matches / limit 5 \\/ sort /i» limit 5`,
  `find «a ~ / limit 5 /» limit 5`,
  "find «(a = 1 or limit = 5)» limit 5",
  "find «a has (count > 5 and sort = 1)» limit 5",
  "find «a has ( >= 5 and < 7)» sort a",
  `find «a has all ("x", "limit")» limit 5`,
  `find «a in [1, 2, "sort"]» sort a`,
  `find «a in (1, 2)» in user:*`,
  "find «name = max» max age",
  "find «name = limit» limit 5",
  "find «count > 3» count",
  "find «limit=3» limit 3",
  "find «count exists» limit 3",
  "find «count exists and max = 1» limit 3",
  "find «group in (1, 2)» group by group",
  `find «sort starts with "a"» sort sort`,
  "find «limit not in (1)» limit 3",
  "find «a = 1 and limit = 2» limit 3",
  "find «a = 1 or not count = 2» limit 3",
  "find «min >= 3 and max <= 5» min age max age",
  "find «a between 1 and 5» sort and",
  "find «fields has 5» fields a,b",
  // Conditions in words.
  "find «a exists» limit 1",
  "find «not a exists» limit 1",
  "find «not(a = 1)and(b = 2)» limit 1",
  "find «a is null» limit 1",
  "find «a is not null» limit 1",
  "find «a is string» limit 1",
  "find «a type string» limit 1",
  "find «a size 3» limit 1",
  `find «a starts with "x"» limit 1`,
  "find «a not between 1 and 5» limit 1",
  `find «@key starts with "user:"» limit 1`,
  `find «"a b".c[0].d[*] = 1» limit 1`,
  `find «"limit" = 1» limit 1`,
  "find «a = $1» params x",
  // IN: the operator behind a field, the keyword before what ends in a star.
  `find «x in ("a","b")»`,
  "find «x in $1» params [1]",
  "find «city = Oslo» in user:*",
  "find «city» in user:*",
  "find «in = 3» in user:*",
  "find «city = Oslo» in user:",
  // What is wrong is left to whoever parses the filter, up to the first keyword.
  "find «city» limit 5",
  "find «city = Oslo an age > 3» limit 5",
  `find «city "Oslo"» limit 5`,
  "find «a = 1)» limit 5",
  "find «a =»",
  `index city where «age > 30 and unique = true» unique`,
  `index city where «{"age": {"$gt": 30}}» hash sha256`,
] as const;

describe("in a line, the words up to the first keyword are the filter", () => {
  test.each(filtersInLines)("%s", (line) => {
    const [, before = "", filter = "", behind = ""] = /^(.*)«(.*)»(.*)$/s.exec(line) ?? [];
    const rest = `${before}1 ${behind}`.split(" ").filter((word) => word !== "");
    const words = typed(`${before}${filter}${behind}`);
    const at = before.trim().split(" ").length;
    expect(words[at]).toBe(filter);
    // The parameters are values of their own, and are looked at below.
    if (!line.includes("params")) expect(words.length).toBe(rest.length);
  });
});

test.each<[line: string, words: string[]]>([
  ["find", ["find", "*"]],
  ["find limit 5", ["find", "*", "limit", "5"]],
  ["find count", ["find", "*", "count"]],
  ["find sort type limit 5", ["find", "*", "sort", "type", "limit", "5"]],
  ["find sort size", ["find", "*", "sort", "size"]],
  ["find group by city count", ["find", "*", "group", "by", "city", "count"]],
  ["find in user:*", ["find", "*", "in", "user:*"]],
  ["explain find", ["explain", "find", "*"]],
  ["explain find limit 5", ["explain", "find", "*", "limit", "5"]],
  [`find 'city = "Oslo"' sort x`, ["find", 'city = "Oslo"', "sort", "x"]],
  [`find "city = 'Oslo'" limt 5`, ["find", "city = 'Oslo'", "limt", "5"]],
  [`find "a = 1" in user:*`, ["find", "a = 1", "in", "user:*"]],
  ["find ''", ["find", ""]],
  [`index a where 'b > 1' hash sha256`, ["index", "a", "where", "b > 1", "hash", "sha256"]],
  [`find a = $1 params "5" 5 x`, ["find", "a = $1", "params", '"5"', "5", "x"]],
  ["set find 1", ["set", "find", "1"]],
  ["find_all a = 1", ["find_all", "a", "=", "1"]],
])("%s", (line, words) => expect(typed(line)).toEqual(words));

test("a bar that stands alone ends a filter, one within it does not", () => {
  const { words, program } = parseLine(`find a = "x | y" and b ~ /c|d/ | less -S`);
  expect(words).toEqual(["find", `a = "x | y" and b ~ /c|d/`]);
  expect(program).toBe("less -S");
  expect(parseLine("find | less")).toMatchObject({ words: ["find"], program: "less" });
});

test("an open bracket goes on in the next line, an open quote is wrong", () => {
  const lines = new CommandLines();
  expect(lines.push("find (city = 'a)' or")).toBeUndefined();
  expect(lines.push("  tags has (")).toBeUndefined();
  expect(lines.push("  = 1)) limit 5")?.parsed.words).toEqual([
    "find",
    "(city = 'a)' or\n  tags has (\n  = 1))",
    "limit",
    "5",
  ]);
  expect(splitCommands('find {"a": {\n"$gt": 1}} sort a\nping')).toHaveLength(2);
  expect(parseLine('find a = "x')).toMatchObject({
    isIncomplete: false,
    problems: [{ message: 'unbalanced "', start: 9 }],
  });
  expect(lines.push("find (a = 1")).toBeUndefined();
  expect(lines.finish()?.parsed.problems).toMatchObject([{ message: "unbalanced (", start: 5 }]);
});

test("a filter that is never closed does not take all lines of a script", () => {
  const lines = new CommandLines();
  lines.push("find (a = 1");
  let count = 1;
  while (lines.push("set some:key some-value") === undefined) count++;
  expect(count).toBeLessThan(1024);
});

describe("arguments of a shell", () => {
  test.each<[words: [string, ...string[]], filter: string, rest: string[]]>([
    [["city", "=", "Oslo"], "city = Oslo", []],
    [["city", "=", "New York"], 'city = "New York"', []],
    [["city", "=", "New York", "sort", "-age"], 'city = "New York"', ["sort", "-age"]],
    [['city = "New York"'], 'city = "New York"', []],
    [['city = "New York"', "limit", "5"], 'city = "New York"', ["limit", "5"]],
    [["city='New York'", "and", "age>30"], "city='New York' and age>30", []],
    [['{"age": {"$gte": 30}}', "sort", "-age"], '{"age": {"$gte": 30}}', ["sort", "-age"]],
    [["name", "=", "O'Hara"], `name = "O'Hara"`, []],
    [["name", "=", 'a "b"'], String.raw`name = "a \"b\""`, []],
    [["name", "=", ""], 'name = ""', []],
    [["zip", "=", "501"], "zip = 501", []],
    [["zip", "=", '"501"'], 'zip = "501"', []],
    [["zip", "=", "00501"], 'zip = "00501"', []],
    [["born", ">=", "2024-01-01"], 'born >= "2024-01-01"', []],
    [["a", "=", "true", "or", "a", "=", "null"], "a = true or a = null", []],
    [["a", "=", "not"], 'a = "not"', []],
    [["a", "=", "$1", "params", "x"], "a = $1", ["params", "x"]],
    [
      ["a", "between", "1", "and", "2024-01", "limit", "3"],
      'a between 1 and "2024-01"',
      ["limit", "3"],
    ],
    [["a", "starts", "with", "x y"], 'a starts with "x y"', []],
    [["tags", "has", "x y", "count"], 'tags has "x y"', ["count"]],
    [["tags", "has", "all", '("a b","c")'], 'tags has all ("a b","c")', []],
    [["x", "in", '("a","b")', "in", "user:*"], 'x in ("a","b")', ["in", "user:*"]],
    [["x", "in", "(", '"a"', ",", "1", ")", "limit", "1"], 'x in ( "a" , 1 )', ["limit", "1"]],
    [["(a", "=", "b c)", "or", "d", "=", "1"], '(a = "b c") or d = 1', []],
    [["a", "matches", "/x y/i"], "a matches /x y/i", []],
    [["name", "=", "max", "max", "age"], "name = max", ["max", "age"]],
    [["count", ">", "3", "COUNT"], "count > 3", ["COUNT"]],
    [["limit", "5"], "*", ["limit", "5"]],
    [["*", "limit", "5"], "*", ["limit", "5"]],
    [[""], "*", []],
    [["--", "a", "=", "--json"], 'a = "--json"', []],
    [["a", "|", "b"], "a | b", []],
  ])("%j", (words, filter, rest) => {
    expect(given("find", ...words)).toEqual(["find", filter, ...rest]);
    expect(given("EXPLAIN", "find", ...words)).toEqual(["EXPLAIN", "find", filter, ...rest]);
  });

  test("of other commands stay what they are", () => {
    expect(given("find")).toEqual(["find", "*"]);
    expect(given("set", "find", "a b")).toEqual(["set", "find", "a b"]);
    expect(given("index", "city", "unique")).toEqual(["index", "city", "unique"]);
    expect(given("index", "city", "where", "a", "=", "b c", "unique")).toEqual([
      ...["index", "city", "where", 'a = "b c"', "unique"],
    ]);
    expect(given("index", "city", "where", "a > 1", "hash", "sha256")).toEqual([
      ...["index", "city", "where", "a > 1", "hash", "sha256"],
    ]);
  });
});

test("the parts of any text are in order, with nothing but space between them", () => {
  const pieces = [
    ...["a", "limit", "in", "not", "has", "and", "between", "(", ")", "{", "}", "[", "]", '"', "'"],
    ...[
      "\\",
      "/",
      "~",
      "=",
      ">=",
      ",",
      ":",
      "|",
      "*",
      "$1",
      "@key",
      " ",
      " ",
      "\n",
      "é",
      "🙂",
      "-1",
    ],
  ];
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 20_000; round++) {
    const count = random(12);
    const text = Array.from({ length: count }, () => pieces[random(pieces.length)]).join("");
    let at = 0;
    const { parts, end } = scanFilter(text, 0, { ...FIND_END, endsAtBar: true });
    for (const part of parts) {
      expect(text.slice(at, part.start).trim()).toBe("");
      expect(part.end).toBeGreaterThan(part.start);
      at = part.end;
    }
    expect(end).toBe(at);
    const { tokens } = parseLine(`find ${text}`);
    expect(tokens.map(({ start, end: to }) => `find ${text}`.slice(start, to)).join("")).toBe(
      `find ${text}`,
    );
  }
});
