/** What is made of the documents found: their order, some of their fields, figures of groups. */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { Aggregation, type Figure } from "../../../src/query/aggregation.ts";
import { parseFieldPath, parseFieldPaths } from "../../../src/query/field-path.ts";
import { Projection } from "../../../src/query/projection.ts";
import { QueryError } from "../../../src/query/query-error.ts";
import { parseSortOrder, SortKeys, sortDirection } from "../../../src/query/sort-order.ts";
import { compareValues, jsonText, toValue, type Value } from "../../../src/query/value.ts";
import { seeds } from "../../suites/seeds.ts";
import { escapedText, type Json, randomDocument, randomPath } from "./generated.ts";
import { plainLooks } from "./plain-matcher.ts";

describe("the order of rows", () => {
  /** Documents told by their only field, in the order in which they are sorted. */
  function sorted(order: string, documents: string[]): string[] {
    const keys = new SortKeys(parseSortOrder(order));
    const rows = documents.map((document, index) => {
      const bytes = Buffer.from(`.${document}`);
      const key = Buffer.from(`-key${index}`);
      return { document, key: keys.of(bytes, 1, bytes.length, key, 1, key.length) };
    });
    return rows.toSorted((a, b) => Buffer.compare(a.key, b.key)).map(({ document }) => document);
  }

  const ASCENDING = [
    ...[
      '{"a":[]}',
      "{}",
      '{"a":-1}',
      '{"a":[2,0]}',
      '{"a":1}',
      '{"a":10}',
      '{"a":""}',
      '{"a":"a"}',
    ],
    ...['{"a":"a\\u0000"}', '{"a":"b"}', '{"a":{}}', '{"a":[[1]]}', '{"a":false}', '{"a":true}'],
  ];

  test("is of values, and an array stands by its smallest or largest", () => {
    expect(sorted("a", ASCENDING.toReversed())).toEqual(ASCENDING);
    const numbers = ['{"a":[1,9]}', '{"a":5}', '{"a":[2,3]}'];
    expect(sorted("a", numbers)).toEqual(['{"a":[1,9]}', '{"a":[2,3]}', '{"a":5}']);
    expect(sorted("-a", numbers)).toEqual(['{"a":[1,9]}', '{"a":5}', '{"a":[2,3]}']);
    const single = ASCENDING.filter((one) => !one.includes("[2"));
    expect(sorted("-a", single)).toEqual(single.toReversed());
  });

  test("is by several fields, each in its direction, and by the key", () => {
    const rows = ['{"a":1,"b":"x"}', '{"a":2,"b":"x"}', '{"a":1,"b":"y"}', '{"a":2}'];
    expect(sorted("-a,+b", rows)).toEqual([rows[3], rows[1], rows[0], rows[2]] as string[]);
    expect(sorted("b, -a", rows)).toEqual([rows[3], rows[1], rows[0], rows[2]] as string[]);
    expect(sorted("-@key", rows)).toEqual(rows.toReversed());
  });

  test("is told with the place of what is wrong", () => {
    for (const [order, column] of [
      ["", 1],
      ["-", 2],
      ["a,,b", 3],
      ["a,-b.", 6],
      ["a,b,-a", 5],
    ] as const) {
      expect(columnOf(() => parseSortOrder(order))).toBe(column);
    }
  });

  test("may be that of an index", () => {
    const paths = parseFieldPaths("a,b,c");
    expect(sortDirection(parseSortOrder("a,b"), paths)).toBe("forward");
    expect(sortDirection(parseSortOrder("-a,-b,-c"), paths)).toBe("backward");
    expect(sortDirection(parseSortOrder("a,-b"), paths)).toBeNull();
    expect(sortDirection(parseSortOrder("b"), paths)).toBeNull();
    expect(sortDirection(parseSortOrder("a,b,c,d"), paths)).toBeNull();
  });

  test.each(seeds(2))("follows the values that a path leads to, seed %d", (seed) => {
    const random = seededRandom(seed);
    for (let round = 0; round < 3000; round++) {
      const path = randomPath(random).replaceAll(/[01]/g, "a");
      const sign = random.below(2) === 0 ? "-" : "";
      const keys = new SortKeys(parseSortOrder(sign + path));
      const [one, other] = [0, 1].map(() => {
        const document = randomDocument(random, 3);
        const bytes = Buffer.from(escapedText(random, document));
        const key = keys.of(bytes, 0, bytes.length, bytes, 0, 0);
        return { value: standsFor(document, path, sign === "-"), key };
      }) as [Standing, Standing];
      const apart =
        one.value.rank - other.value.rank || compareValues(one.value.value, other.value.value);
      const expected = sign === "-" ? -apart : apart;
      expect(Math.sign(Buffer.compare(one.key, other.key))).toBe(Math.sign(expected) + 0);
    }
  });

  interface Standing {
    readonly value: { rank: number; value: Value };
    readonly key: Buffer;
  }

  /** Nothing, then empty arrays, then values. */
  function standsFor(document: Json, path: string, largest: boolean): Standing["value"] {
    const seen = plainLooks(document, path.split("."), true).flatMap((one) => {
      if (!Array.isArray(one)) return [{ rank: 2, value: toValue(one) ?? null }];
      if (one.length === 0) return [{ rank: 1, value: null }];
      return one.map((element) => ({ rank: 2, value: toValue(element) ?? null }));
    });
    seen.sort((a, b) => a.rank - b.rank || compareValues(a.value, b.value));
    return (largest ? seen.at(-1) : seen[0]) ?? { rank: 0, value: null };
  }
});

describe("some of the fields", () => {
  test.each([
    ['{"a":1.0,"b":2,"c":3}', "a,c", '{"a":1.0,"c":3}'],
    ['{"c":12345678901234567890,"a":1e2}', "a,c", '{"c":12345678901234567890,"a":1e2}'],
    ['{"a":{"b":1,"c":2},"d":3}', "a.b", '{"a":{"b":1}}'],
    ['{"a":{"c":2}}', "a.b", '{"a":{}}'],
    ['{"a":5}', "a.b", "{}"],
    ['{"a":[{"b":1,"c":2},5,{"c":3},[{"b":4}]]}', "a.b", '{"a":[{"b":1},{},[{"b":4}]]}'],
    ['{"a":{"b":1,"c":{"d":2,"e":3}}}', "a.c.d,a.b", '{"a":{"b":1,"c":{"d":2}}}'],
    ['{"a":{"b":1,"c":2}}', "a,a.b", '{"a":{"b":1,"c":2}}'],
    ['{"a":[7,8]}', "a.0", '{"a":[]}'],
    ['{"a":{"0":7}}', "a.0", '{"a":{"0":7}}'],
    ['{"a":1,"b":2,"a":3}', "a", '{"a":3}'],
    ['{"a":{"b":1},"a":5}', "a.b", "{}"],
    ['{"\\u0061":"\\u0062é"}', "a", '{"\\u0061":"\\u0062é"}'],
    ['[{"a":1,"b":2},3]', "a", '[{"a":1}]'],
    ["5", "a", "{}"],
    ["{}", "a", "{}"],
  ])("%s: %s", (document, fields, expected) => {
    const bytes = Buffer.from(`..${document}..`);
    const projection = new Projection(parseFieldPaths(fields));
    expect(projection.text(bytes, 2, bytes.length - 2)).toBe(expected);
    expect(projection.includesKey).toBe(false);
  });

  test("may include the key", () => {
    const projection = new Projection(parseFieldPaths("@key,a"));
    expect([projection.includesKey, projection.text(Buffer.from('{"a":1}'), 0, 7)]).toEqual([
      true,
      '{"a":1}',
    ]);
  });

  test.each(seeds(2))("are what JSON.parse finds, seed %d", (seed) => {
    const random = seededRandom(seed);
    for (let round = 0; round < 3000; round++) {
      const document = randomDocument(random, 3);
      const paths = [randomPath(random), randomPath(random)];
      const bytes = Buffer.from(escapedText(random, document));
      const text = new Projection(paths.map((path) => parseFieldPath(path))).text(
        bytes,
        0,
        bytes.length,
      );
      expect(JSON.parse(text)).toEqual(
        projected(
          document,
          paths.map((path) => path.split(".")),
        ) as object,
      );
    }
  });

  function projected(value: Json, paths: string[][]): Json | undefined {
    if (value === null || typeof value !== "object") return undefined;
    if (Array.isArray(value)) {
      return value.map((one) => projected(one, paths)).filter((one) => one !== undefined);
    }
    const entries = Object.entries(value).flatMap(([name, field]) => {
      const rest = paths.filter(([first]) => first === name).map(([, ...names]) => names);
      if (rest.length === 0) return [];
      const inside = rest.some((names) => names.length === 0) ? field : projected(field, rest);
      return inside === undefined ? [] : [[name, inside]];
    });
    return Object.fromEntries(entries);
  }
});

describe("figures of groups", () => {
  function figures(
    groupBy: string,
    wanted: string,
    documents: string[],
    maxGroups = 100,
  ): string[] {
    const aggregation = new Aggregation({
      groupBy: groupBy === "" ? [] : parseFieldPaths(groupBy),
      figures: wanted.split(" ").map((one) => {
        const [kind, path] = one.split(":") as [Figure["kind"], string | undefined];
        return { kind, path: path === undefined ? null : parseFieldPath(path) };
      }),
      maxGroups,
    });
    for (const [index, document] of documents.entries()) {
      const bytes = Buffer.from(`.${document}`);
      aggregation.add(bytes, 1, bytes.length, Buffer.from(`k${index % 2}`), 0, 2);
    }
    return aggregation
      .groups()
      .map((group) =>
        [...group.values, "=", ...group.figures]
          .map((one) => (one === "=" ? one : jsonText(one)))
          .join(" "),
      );
  }

  const PEOPLE = [
    '{"city":"Oslo","age":30,"tags":["a","b","a"]}',
    '{"city":"Rome","age":40,"tags":["b"]}',
    '{"city":"Oslo","age":33.5,"tags":[]}',
    '{"age":"old"}',
    '{"city":null,"age":null}',
  ];

  test("by a field, in the order of its values", () => {
    expect(figures("city", "count count:age sum:age avg:age min:age max:age", PEOPLE)).toEqual([
      'null = 2 1 0 null "old" "old"',
      '"Oslo" = 2 2 63.5 31.75 30 33.5',
      '"Rome" = 1 1 40 40 40 40',
    ]);
  });

  test("by each element of an array, once", () => {
    expect(figures("tags", "count", PEOPLE)).toEqual(["null = 2", '"a" = 1', '"b" = 2', "[] = 1"]);
    expect(figures("city,tags", "count", PEOPLE.slice(0, 2))).toEqual([
      '"Oslo" "a" = 1',
      '"Oslo" "b" = 1',
      '"Rome" "b" = 1',
    ]);
    expect(figures("", "sum:items.n count", ['{"items":[{"n":1},{"n":2}]}'])).toEqual(["= 3 1"]);
  });

  test("of all documents, also of none", () => {
    expect(figures("", "count sum:a avg:a min:a", [])).toEqual(["= 0 0 null null"]);
    expect(figures("a", "count", [])).toEqual([]);
    expect(figures("@key", "count", ["{}", "{}", "{}"])).toEqual(['"k0" = 2', '"k1" = 1']);
  });

  test("sums of integers are exact, of fractions as exact as a double can be", () => {
    const numbers = (...list: string[]): string[] => list.map((one) => `{"a":${one}}`);
    const sum = (...list: string[]): string => figures("", "sum:a", numbers(...list))[0] ?? "";
    expect(sum("9007199254740991", "1", "1")).toBe("= 9007199254740993");
    expect(sum("1234567890123456789", "1", "-1234567890123456789")).toBe("= 1");
    expect(sum("0.1", "0.2", "0.3", "-0.6")).toBe("= 2.7755575615628914e-17");
    expect(sum("1e100", "1.5", "-1e100")).toBe("= 1.5");
    expect(sum("0.5", "1e308", "1e308")).toBe("= 1e999");
    expect(figures("", "avg:a", numbers("9007199254740993", "9007199254740995"))[0]).toBe(
      "= 9007199254740994",
    );
    expect(figures("", "sum:a avg:a", numbers("1e999", "-1e999"))[0]).toBe("= null null");
  });

  test("one value whatever its spelling is one group", () => {
    expect(figures("a", "count", ['{"a":1}', '{"a":1.0}', '{"a":"x"}', '{"a":"\\u0078"}'])).toEqual(
      ["1 = 2", '"x" = 2'],
    );
  });

  test("too many groups are an error", () => {
    expect(() => figures("a", "count", ['{"a":1}', '{"a":2}', '{"a":3}'], 2)).toThrow(
      "more than 2 groups",
    );
    expect(figures("a", "count", ['{"a":1}', '{"a":2}', '{"a":1}'], 2)).toHaveLength(2);
    const wide = JSON.stringify({
      a: Array.from({ length: 200 }, (_, n) => n),
      b: Array.from({ length: 200 }, (_, n) => n),
    });
    expect(() => figures("a,b", "count", [wide], 1e6)).toThrow("one document is in more than");
  });
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
