/**
 * Filters from their text: both ways of writing give the same tree, what is wrong is told with its
 * column, params stay values.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { describeFilter } from "../../../src/query/describe-filter.ts";
import { parseFilter } from "../../../src/query/parse-filter.ts";
import { QueryError } from "../../../src/query/query-error.ts";
import type { Value } from "../../../src/query/value.ts";
import { seeds } from "../../suites/seeds.ts";

const SAME: readonly [short: string, json: string][] = [
  ["", "{}"],
  ["*", "{}"],
  ['city = "Oslo"', '{"city":"Oslo"}'],
  ["city == 'Oslo'", '{"city":{"$eq":"Oslo"}}'],
  ["city = Oslo", '{"city":"Oslo"}'],
  ["mail = ada@example.org", '{"mail":"ada@example.org"}'],
  ["a = 'it\\'s \"so\"'", '{"a":"it\'s \\"so\\""}'],
  ['"first name".x = 1', '{"\\"first name\\".x":1}'],
  ["first-name = 1", '{"first-name":1}'],
  ["größe > 1", '{"größe":{"$gt":1}}'],
  ["items[*].sku = 1", '{"items.sku":1}'],
  ["items[0].sku = 1", '{"items.0.sku":1}'],
  ["a != 1", '{"a":{"$ne":1}}'],
  ["a <> 1", '{"a":{"$ne":1}}'],
  ["a<1 and b<=2 and c>3 and d>=4", '{"a":{"$lt":1},"b":{"$lte":2},"c":{"$gt":3},"d":{"$gte":4}}'],
  ["a >= 1 AND a < 5", '{"a":{"$gte":1,"$lt":5}}'],
  ["a between 1 and 5 and b = 2", '{"a":{"$gte":1,"$lte":5},"b":2}'],
  ['a in ("x", 2, null)', '{"a":{"$in":["x",2,null]}}'],
  ["a in [1, [2]]", '{"a":{"$in":[1,[2]]}}'],
  ["a not in (1)", '{"a":{"$nin":[1]}}'],
  ["a exists", '{"a":{"$exists":true}}'],
  ["a not exists", '{"a":{"$exists":false}}'],
  ["not a exists", '{"a":{"$exists":false}}'],
  ["a is null", '{"a":null}'],
  ["a IS NOT NULL", '{"a":{"$ne":null}}'],
  ["a is string", '{"a":{"$type":"string"}}'],
  ["a is not bool", '{"a":{"$not":{"$type":"bool"}}}'],
  ["a type null or a type 'number'", '{"a":{"$type":["null","number"]}}'],
  ["a has 1", '{"a":1}'],
  ["a has all (1, 2)", '{"a":{"$all":[1,2]}}'],
  ["a has all", '{"a":"all"}'],
  ["a has any (1, 2)", '{"a":{"$in":[1,2]}}'],
  ["a has (b = 1 and c > 2)", '{"a":{"$elemMatch":{"b":1,"c":{"$gt":2}}}}'],
  ["a has (>= 1 and < 5)", '{"a":{"$elemMatch":{"$gte":1,"$lt":5}}}'],
  ["a has (not in (1, 2))", '{"a":{"$elemMatch":{"$nin":[1,2]}}}'],
  ["a has (not (> 1))", '{"a":{"$elemMatch":{"$not":{"$gt":1}}}}'],
  ["a has (has (= 1))", '{"a":{"$elemMatch":{"$elemMatch":{"$eq":1}}}}'],
  ["a has (size = 1 and type.x = 2)", '{"a":{"$elemMatch":{"size":1,"type.x":2}}}'],
  ["a has (size 1)", '{"a":{"$elemMatch":{"$size":1}}}'],
  ["a has (b = 1 or c = 1)", '{"a":{"$elemMatch":{"$or":[{"b":1},{"c":1}]}}}'],
  ['a starts with "x.y"', '{"a":{"$regex":"^x\\\\.y"}}'],
  ["a matches /^b.*c/i", '{"a":{"$regex":"^b.*c","$options":"i"}}'],
  ['a ~ "b+"', '{"a":{"$regex":"b+"}}'],
  ["a !~ /b\\/c/", '{"a":{"$not":{"$regex":"b/c"}}}'],
  ["a size 3", '{"a":{"$size":3}}'],
  ["a = {x: [1, 'y'], \"z\": null}", '{"a":{"x":[1,"y"],"z":null}}'],
  ["a = 1 or b = 2 and c = 3", '{"$or":[{"a":1},{"b":2,"c":3}]}'],
  ["(a = 1 or b = 2) and c = 3", '{"$and":[{"$or":[{"a":1},{"b":2}]},{"c":3}]}'],
  ["not (a = 1 or b = 2)", '{"$nor":[{"a":1},{"b":2}]}'],
  ["a = -1.5e3 and b = TRUE and c = false", '{"a":-1500,"b":true,"c":false}'],
  ["a = 1234567890123456789", '{"a":1234567890123456789}'],
  ['@key starts with "user:"', '{"@key":{"$regex":"^user:"}}'],
  ['"@key" = 1', '{"\\"@key\\"":1}'],
  ['in = 1 and exists exists and "not" = 2', '{"in":1,"exists":{"$exists":true},"not":2}'],
  ["a = 1", "{a: 1}"],
  ["a.b = 'x'", "{a.b: 'x', $and: [{}]}"],
];

describe("both ways of writing give the same tree", () => {
  test.each(SAME)("%s", (short, json) => {
    const tree = parseFilter(short);
    expect(tree).toEqual(parseFilter(json));
    expect(parseFilter(describeFilter(tree))).toEqual(tree);
  });
});

test.each([
  ['{"a.b":{"$ne":"x"},"c":{"$nin":[1]}}', 'a.b != "x" and c not in (1)'],
  ['{"$or":[{"a":1,"b":2},{"$nor":[{"c":3}]}]}', "a = 1 and b = 2 or c != 3"],
  [
    '{"$and":[{"$or":[{"a":1},{"b":1}]},{"c":{"$exists":false}}]}',
    "(a = 1 or b = 1) and c not exists",
  ],
  ['{"not":1,"a b":{"$gt":"é"}}', '"not" = 1 and "a b" > "é"'],
  ['{"a":{"$elemMatch":{"$gt":1,"$not":{"$size":2}}}}', "a has (> 1 and not (size 2))"],
  ['{"a":{"$regex":"a/b\\nc","$options":"i"}}', "a ~ /a\\/b\nc/i"],
  ['{"a":{"$in":[]}}', "a in []"],
  ["{}", "*"],
])("%s is described as a person writes it", (json, described) => {
  expect(describeFilter(parseFilter(json))).toBe(described);
  expect(parseFilter(described)).toEqual(parseFilter(json));
});

const WRONG: readonly [filter: string, column: number, problem: string][] = [
  ["city = New York", 12, "expected 'and', 'or' or the end"],
  ["city = ", 8, "expected a value, found the end"],
  ["é = ", 5, "expected a value"],
  ["city", 5, "expected a condition such as"],
  ["= 1", 1, "expected the name of a field, found '='"],
  ["a = 1 and", 10, "expected a condition, found the end"],
  ["a = 1 and or b = 2", 11, "expected a condition, found 'or'"],
  ["a = 1 b = 2", 7, "found 'b'"],
  ["a = and", 5, "expected a value, found 'and'"],
  ["(a = 1", 7, "expected ')'"],
  ["a = 1)", 6, "found ')'"],
  ["a > 12abc", 5, "not a number"],
  ["a = 2024-01-01", 5, "not a number"],
  ["a = 01", 5, "not a number"],
  ["a = 'x", 5, "a quote is not closed"],
  ["a = '\\x'", 5, "an escape that JSON does not know"],
  ["a in 5", 6, "expected a list"],
  ["a in (1", 8, "expected ',' or ')'"],
  ["a in ()", 7, "expected a value"],
  ["a hass 1", 3, "unknown condition 'hass'; did you mean \"has\"?"],
  ["a start with 1", 3, 'did you mean "starts"?'],
  ["a starts 'x'", 10, "expected 'with'"],
  ["a starts with 5", 15, "expected a string"],
  ["a between 1 or 2", 13, "expected 'and'"],
  ["a is strng", 6, 'did you mean "string"?'],
  ["a is int", 6, "there are null, number"],
  ["a size 1.5", 8, "expected a number of elements"],
  ["a ~ /b", 5, "not closed by '/'"],
  ["a ~ /(b/", 5, "missing closing )"],
  ["a ~ '(?=b)'", 5, "no looking ahead"],
  ["a ~ /b/x", 5, "unknown option 'x'"],
  [`a ~ "${"x".repeat(1001)}"`, 5, "at most 1000 characters"],
  ["a ~ '(a{100}){99}'", 5, "repeat count"],
  ["a = $1", 5, "$1 is a parameter, but 0 parameters are given"],
  ["a = $name", 5, "expected a parameter such as $1"],
  ["a = {x: 1", 10, "expected ',' or '}'"],
  ["a = {x: 1, x: 2}", 12, "twice"],
  ["a.b. = 1", 5, "expected the name of a field"],
  ["@key.x = 1", 5, "a key has no fields"],
  ["a has (@key = 1)", 8, "an element has no key"],
  ["a has (b = 1 and > 2)", 18, "expected the name of a field"],
  ["a has (> 1 and b = 2)", 16, "expected a condition such as"],
  [`${"(".repeat(200)}a = 1`, 101, "nested deeper than 100"],
  [`${"not ".repeat(200)}a = 1`, 400, "nested deeper than 100"],
  [`a = ${"[".repeat(200)}`, 104, "nested deeper than 100"],
  ['{"a":{"$gtx":1}}', 7, 'unknown operator $gtx; did you mean "$gt"?'],
  ['{"a":{"$where":1}}', 7, "unknown operator $where"],
  ['{"$an":[]}', 2, 'unknown operator $an; did you mean "$and"?'],
  ['{"$not":{}}', 2, "use $nor here"],
  ['{"$gt":1}', 2, "stands within a field"],
  ['{"a":{"$or":[]}}', 7, "stands beside fields"],
  ['{"a":{"$gt":1,"b":2}}', 15, 'a field among operators: "b"'],
  ['{"a":{"$not":5}}', 14, "$not takes an object of operators"],
  ['{"a":{"$not":{}}}', 14, "$not takes an object of operators"],
  ['{"$and":[]}', 9, "a list of at least one filter"],
  ['{"$or":{}}', 8, "a list of at least one filter"],
  ['{"$or":[5]}', 9, "expected an object"],
  ['{"a":{"$in":5}}', 13, "$in takes a list"],
  ['{"a":{"$exists":"yes"}}', 17, "$exists takes true or false"],
  ['{"a":{"$type":"int"}}', 15, 'unknown type "int"'],
  ['{"a":{"$type":2}}', 15, "expected the name of a type"],
  ['{"a":{"$size":-1}}', 15, "expected a number of elements"],
  ['{"a":{"$all":5}}', 14, "$all takes a list"],
  ['{"a":{"$elemMatch":5}}', 20, "$elemMatch takes an object"],
  ['{"a":{"$regex":5}}', 16, "expected a string"],
  ['{"a":{"$regex":"[a"}}', 16, "missing closing ]"],
  ['{"a":{"$options":"i"}}', 7, "$options without $regex"],
  ['{"a":{"$regex":"x","$options":"g"}}', 31, "unknown option 'g'"],
  ['{"a":1', 7, "expected ',' or '}', found the end"],
  ['{"a" 1}', 6, "expected ':'"],
  ['{"a":1} x', 9, "expected the end of the filter"],
  ['{"a":1,"a":2}', 8, '"a" twice in one object'],
  ['{"a..b":1}', 5, "expected the name of a field"],
  ['{"a":"$2"}', 6, "$2 is a parameter"],
  ['{"a":tru}', 6, "expected a value"],
];

describe("what is wrong is told with its place", () => {
  test.each(WRONG)("%s", (filter, column, problem) => {
    const error = errorOf(filter);
    expect(error.problem).toContain(problem);
    expect(error.column).toBe(column);
    expect(error.text).toBe(filter);
    expect(error.message).toBe(`column ${column}: ${error.problem}`);
  });

  test("a filter that is too long", () => {
    expect(errorOf(`a = "${"x".repeat(2 ** 20)}"`).problem).toContain("at most");
  });
});

describe("params", () => {
  const params: Value[] = ['x" or b = "y', 42, [1, 2], new Map([["$gt", 1]])];

  test("are values, whatever they look like", () => {
    const filter = parseFilter("a = $1 and b > $2 and c in $3 and d = $4", params);
    const [a, b, c, d] = filter.kind === "and" ? filter.parts : [];
    expect(a).toMatchObject({ kind: "equal", value: params[0] });
    expect(b).toMatchObject({ kind: "range", value: 42 });
    expect(c).toMatchObject({ kind: "in", values: [1, 2] });
    expect(d).toMatchObject({ kind: "equal", value: params[3] });
    const json = '{"a":"$1","b":{"$gt":"$2"},"c":{"$in":"$3"},"d":{"$eq":"$4"}}';
    expect(parseFilter(json, params)).toEqual(filter);
  });

  test("stand in lists, patterns, sizes, and beginnings too", () => {
    expect(parseFilter("a in ($1, $2)", [1, 2])).toEqual(parseFilter("a in (1, 2)"));
    expect(parseFilter('{"a":{"$in":["$2","$1"]}}', [1, 2])).toEqual(parseFilter("a in (2, 1)"));
    expect(parseFilter("a starts with $1", ["x"])).toEqual(parseFilter("a starts with x"));
    expect(parseFilter("a ~ $1 and b size $2", ["x+", 2])).toEqual(
      parseFilter("a ~ /x+/ and b size 2"),
    );
    expect(parseFilter("a = '$1'")).toEqual(parseFilter("a = $1", ["$1"]));
  });

  test("all are used, and of the type that is wanted", () => {
    expect(errorOf("a = $1", [1, 2]).problem).toBe(
      "parameter $2 is given, but the filter has none",
    );
    expect(errorOf("", [1]).problem).toContain("parameter $1 is given");
    expect(errorOf("a = $2", [1]).problem).toBe("$2 is a parameter, but 1 parameter is given");
    expect(errorOf("a = $0", [1]).problem).toContain("$0");
    expect(errorOf("a in $1", [1]).problem).toContain("expected a list");
    expect(errorOf("a ~ $1", [1]).problem).toContain("expected a string");
    expect(errorOf("a ~ $1", ["("]).column).toBe(5);
  });
});

test.each(seeds(3))(
  "pieces of filters in any order are parsed or refused at a place, seed %d",
  (seed) => {
    const random = seededRandom(seed);
    const pieces = [
      "a",
      "and",
      "or",
      "not",
      "(",
      ")",
      "=",
      "<",
      "in",
      "has",
      "'x'",
      "1",
      "$1",
      ",",
      "[",
    ];
    pieces.push(
      "]",
      "{",
      "}",
      ":",
      '"$gt"',
      '"',
      "/x/",
      "~",
      "is",
      "null",
      "size",
      ".",
      "@key",
      "between",
    );
    for (let round = 0; round < 20_000; round++) {
      const count = random.below(9);
      const text = Array.from({ length: count }, () => pieces[random.below(pieces.length)]).join(
        " ",
      );
      try {
        const tree = parseFilter(text, text.includes("$1") ? [5] : []);
        expect(parseFilter(describeFilter(tree))).toEqual(tree);
      } catch (error) {
        if (!(error instanceof QueryError) || error.column > text.length + 1) throw error;
      }
    }
  },
);

function errorOf(filter: string, params: readonly Value[] = []): QueryError {
  try {
    parseFilter(filter, params);
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error(`not refused: ${filter}`);
}
