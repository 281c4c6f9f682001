/**
 * Ranges of indexes: chosen filters, and on generated documents that no document is missed and that
 * exact means exact.
 */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { type BoundedIndex, indexBounds } from "../../../src/query/bounds.ts";
import { parseFieldPaths } from "../../../src/query/field-path.ts";
import type { Filter } from "../../../src/query/filter.ts";
import { implies } from "../../../src/query/implication.ts";
import { IndexKeyWriter } from "../../../src/query/index-key.ts";
import { IndexKeys } from "../../../src/query/index-keys.ts";
import { compileFilter } from "../../../src/query/matcher.ts";
import { parseFilter } from "../../../src/query/parse-filter.ts";
import { toValue } from "../../../src/query/value.ts";
import { seeds } from "../../suites/seeds.ts";
import { pick, randomDocument, randomPath } from "./generated.ts";
import { randomFilter } from "./generated-filters.ts";

function index(paths: string, options: Partial<BoundedIndex> = {}): BoundedIndex {
  return { paths: parseFieldPaths(paths), isSparse: false, isMultiKey: false, ...options };
}

/**
 * Which keys, each told by its values as JSON, are in the ranges; and whether the ranges are exact.
 */
function inRanges(filter: string, of: BoundedIndex, keys: string[]): string {
  const bounds = indexBounds(parseFilter(filter), of);
  if (bounds === null) return "no help";
  const found = keys.filter((key) => {
    const writer = new IndexKeyWriter(1024);
    writer.begin();
    for (const value of JSON.parse(`[${key}]`)) writer.value(toValue(value) ?? null);
    return bounds.ranges.some(({ low, high }) => isIn(writer.key(), low, high));
  });
  return `${bounds.isExact ? "exactly" : "at most"} ${found.join(" ")}`;
}

function isIn(key: Buffer, low: Buffer, high: Buffer): boolean {
  return Buffer.compare(low, key) <= 0 && Buffer.compare(key, high) < 0;
}

const KEYS = [
  "null",
  "-1",
  "0",
  "1",
  "2",
  "3",
  '""',
  '"a"',
  '"ab"',
  '"b"',
  "{}",
  "[1]",
  "[]",
  "false",
  "true",
];

describe("one path", () => {
  test.each([
    ["a = 1", "exactly 1"],
    ["a >= 1", "exactly 1 2 3"],
    ["a > 1 and a <= 2", "exactly 2"],
    ["a < 1", "exactly -1 0"],
    ['a >= "a"', 'exactly "a" "ab" "b"'],
    ['a < "ab"', 'exactly "" "a"'],
    ["a in (1, 3, true)", "exactly 1 3 true"],
    ["a = 1 or a > 2 or a = null", "exactly null 1 3"],
    ["a is null", "exactly null"],
    ["a = {}", "exactly {}"],
    ["a = []", "exactly []"],
    ["a = [1]", "at most 1 [1]"],
    ["a > false", "exactly true"],
    ["a > null", "exactly "],
    ["a in []", "exactly "],
    ['a starts with "a"', 'exactly "a" "ab"'],
    ["a ~ /^ab*/", 'at most "a" "ab"'],
    ["a is number", "exactly -1 0 1 2 3"],
    ["a not exists", "at most null"],
    ["a = 1 and b = 2", "at most 1"],
    ["a has (> 0 and < 3)", "at most 1 2"],
    ["a = 1 and (b = 1 or c = 2)", "at most 1"],
    ["b = 1", "no help"],
    ["a != 1", "no help"],
    ["a exists", "no help"],
    ["a ~ /a/", "no help"],
    ["a = 1 or b = 1", "no help"],
    ["a size 1", "no help"],
    ["a > [1]", "no help"],
    ["*", "no help"],
  ])("%s", (filter, expected) => expect(inRanges(filter, index("a"), KEYS)).toBe(expected));

  test("a multi-key index binds by one condition", () => {
    const multi = index("a", { isMultiKey: true });
    expect(inRanges("a > 0 and a < 2", multi, ["-1", "0", "1", "2"])).toBe("at most 1 2");
    expect(inRanges("a > 0 and a = 2", multi, ["1", "2"])).toBe("at most 2");
    expect(inRanges("a has (> 0 and < 2)", multi, ["0", "1", "2"])).toBe("at most 1");
  });

  test("a sparse index does not know what is missing", () => {
    const sparse = index("a", { isSparse: true });
    expect(inRanges("a is null", sparse, KEYS)).toBe("no help");
    expect(inRanges("a in (1, null)", sparse, KEYS)).toBe("no help");
    expect(inRanges("a not exists", sparse, KEYS)).toBe("no help");
    expect(inRanges("a exists", sparse, ["null", "true", "1"])).toBe("exactly null true 1");
    expect(inRanges("a >= 3", sparse, KEYS)).toBe("exactly 3");
  });

  test("the key, a path with a position, and a field within elements", () => {
    expect(inRanges('@key starts with "a"', index("@key"), KEYS)).toBe('exactly "a" "ab"');
    expect(inRanges("a.0 = 1", index("a.0"), ["0", "1"])).toBe("at most 1");
    expect(inRanges("a has (b = 1 and c = 2)", index("a.b"), ["0", "1"])).toBe("at most 1");
    expect(inRanges("a has (b is null)", index("a.b"), ["0", "1"])).toBe("no help");
  });
});

test("several paths: values first, then one range", () => {
  const keys = ["1,1", "1,2", "1,3", "2,1", "2,2", "3,2"];
  const of = index("a,b");
  expect(inRanges("a = 1", of, keys)).toBe("exactly 1,1 1,2 1,3");
  expect(inRanges("a = 1 and b = 2", of, keys)).toBe("exactly 1,2");
  expect(inRanges("b >= 2 and a = 1", of, keys)).toBe("exactly 1,2 1,3");
  expect(inRanges("a in (1, 2) and b in (1, 2)", of, keys)).toBe("exactly 1,1 1,2 2,1 2,2");
  expect(inRanges("a > 1 and b = 2", of, keys)).toBe("at most 2,1 2,2 3,2");
  expect(inRanges("a = 1 and b = 2 and c = 3", of, keys)).toBe("at most 1,2");
  expect(inRanges("a = 1 and b = 3 or a = 2", of, keys)).toBe("exactly 1,3 2,1 2,2");
  expect(inRanges("b = 1", of, keys)).toBe("no help");
  const shared = index("x.a,x.b", { isMultiKey: true });
  expect(inRanges("x.a = 1 and x.b = 1", shared, keys)).toBe("at most 1,1 1,2 1,3");
  const points = indexBounds(parseFilter("a = 1 and b = 2"), of)?.ranges;
  expect(points?.map(({ isPoint }) => isPoint)).toEqual([true]);
  const open = indexBounds(parseFilter("a = 1"), of)?.ranges;
  expect(open?.map(({ isPoint }) => isPoint)).toEqual([false]);
});

test("values that are cut in keys are bound by what is left of them", () => {
  const long = "x".repeat(1500);
  for (const filter of [
    `a = ${long}`,
    `a >= ${long}`,
    `a <= ${long}`,
    `a > ${long}y`,
    `a < ${long}y`,
  ]) {
    const bounds = indexBounds(parseFilter(filter), index("a"));
    expect(bounds?.isExact).toBe(false);
    const writer = new IndexKeyWriter(1024);
    writer.begin();
    writer.value(long);
    expect(bounds?.ranges.map(({ low, high }) => isIn(writer.key(), low, high))).toEqual([true]);
  }
});

describe("what implies what", () => {
  test.each([
    ["a = 5", "a >= 3", true],
    ["a >= 5", "a >= 3", true],
    ["a >= 3", "a >= 5", false],
    ["a = 5 and b = 1", "a >= 3", true],
    ["a = 5", "a >= 3 and b = 1", false],
    ["a = 5 and b = 1", "a > 3 and b in (1, 2)", true],
    ["a = 5 or a = 6", "a > 3", true],
    ["a = 5 or b = 6", "a > 3", false],
    ["a = 5", "a = 5 or b = 1", true],
    ["a = 5", "a exists", true],
    ["a is null", "a exists", false],
    ["a size 1", "a exists", true],
    ["a ~ /x/", "a exists", true],
    ["a starts with abc", "a starts with ab", true],
    ["a ~ /^abc+/", "a starts with ab", true],
    ["a ~ /x/", "a ~ /x/", true],
    ["a != 1", "a != 1", true],
    ["not (a > 1)", "a not in (3, 4)", true],
    ["a = [1]", "a = 1", false],
    ["a = 1", "a = [1]", false],
    ["a = 1", "*", true],
    ["*", "a = 1", false],
    ["a.0 = 1", "a.0 > 0", false],
    ["b = 1", "a = 1", false],
  ])("%s implies %s: %p", (filter, wanted, expected) => {
    expect(implies(parseFilter(filter), parseFilter(wanted))).toBe(expected);
  });

  test("partial indexes help only where they hold all that is asked for", () => {
    const of = index("a", { where: parseFilter("b > 3") });
    expect(inRanges("a = 1 and b = 5", of, ["1"])).toBe("at most 1");
    expect(inRanges("a = 1 and b > 3", of, ["1"])).toBe("exactly 1");
    expect(inRanges("a = 1 and b = 2", of, ["1"])).toBe("no help");
    expect(inRanges("a = 1", of, ["1"])).toBe("no help");
  });
});

function randomIndex(random: Random): { paths: string; isSparse: boolean; where?: Filter } {
  const count = 1 + (random.below(3) === 0 ? 1 : 0);
  const paths = Array.from({ length: count }, () => {
    const path = random.below(8) === 0 ? "@key" : randomPath(random);
    return count > 1 ? path.replaceAll(/[01]/g, "b") : path;
  });
  const where =
    random.below(4) === 0 ? { where: parseFilter(JSON.stringify(randomFilter(random, 1))) } : {};
  return { paths: [...new Set(paths)].join(","), isSparse: random.below(4) === 0, ...where };
}

/** A filter that often meets the paths of the index. */
function randomFilterFor(random: Random, paths: string): Filter {
  const text = JSON.stringify(randomFilter(random, 2));
  const path = (): string => pick(random, paths.split(","));
  const near = text.replaceAll(/"[abc01](?:\.[abc01])*":/g, (one) =>
    random.below(3) > 0 ? `"${path()}":` : one,
  );
  try {
    return parseFilter(near);
  } catch {
    return parseFilter(text);
  }
}

test.each(seeds(6))("no document is missed, and exact is exact, seed %d", (seed) => {
  const random = seededRandom(seed);
  let helped = 0;
  let exact = 0;
  for (let round = 0; round < 600; round++) {
    const { paths, ...rest } = randomIndex(random);
    const keys = new IndexKeys({ paths: parseFieldPaths(paths), isSparse: rest.isSparse });
    const holds = rest.where === undefined ? null : compileFilter(rest.where);
    const documents = Array.from({ length: 12 }, () => {
      const bytes = Buffer.from(JSON.stringify(randomDocument(random, random.below(4))));
      const key = Buffer.from(pick(random, ["a", "ab", "b", "1", "Oslo"]));
      return { bytes, key, held: heldKeys(keys, bytes, key) };
    }).filter(({ held }) => held !== null);
    const isMultiKey = documents.some(({ held }) => (held?.length ?? 0) > 1);
    const of = index(paths, { ...rest, isMultiKey });
    for (let count = 0; count < 12; count++) {
      const filter = randomFilterFor(random, paths);
      const bounds = indexBounds(filter, of);
      if (bounds === null) continue;
      helped++;
      if (bounds.isExact) exact++;
      const matcher = compileFilter(filter);
      for (const { bytes, key, held } of documents) {
        const isHeld = holds?.matches(bytes, 0, bytes.length, key, 0, key.length) ?? true;
        const inside =
          isHeld &&
          held?.some((one) => bounds.ranges.some(({ low, high }) => isIn(one, low, high)));
        const matches = matcher.matches(bytes, 0, bytes.length, key, 0, key.length);
        const isWrong = matches ? !inside : inside && bounds.isExact;
        if (!isWrong) continue;
        throw new Error(
          Bun.inspect(
            { paths, rest, isMultiKey, filter, text: String(bytes), matches },
            { depth: 9 },
          ),
        );
      }
    }
  }
  expect(helped).toBeGreaterThan(500);
  expect(exact).toBeGreaterThan(100);
});

/** Null when an index refuses the document. */
function heldKeys(keys: IndexKeys, bytes: Buffer, key: Buffer): Buffer[] | null {
  try {
    keys.read(bytes, 0, bytes.length, key, 0, key.length);
  } catch (error) {
    if (String(error).includes("two arrays")) return null;
    throw error;
  }
  return Array.from({ length: keys.count }, (_, at) => Buffer.from(keys.key(at)));
}
