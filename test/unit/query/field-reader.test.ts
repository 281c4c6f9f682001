/**
 * Reading fields from the text of documents: against JSON.parse and MongoDB's rules told plainly,
 * and on broken bytes.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../../src/platform/random.ts";
import { parseFieldPath } from "../../../src/query/field-path.ts";
import { FieldReader } from "../../../src/query/field-reader.ts";
import { type AtArrays, PathWalk } from "../../../src/query/path-walk.ts";
import { JsonScanner, writeCompact } from "../../../src/store/json-text.ts";
import { seeds } from "../../suites/seeds.ts";
import { escapedText, randomDocument, randomPath } from "./generated.ts";
import { plainLooks } from "./plain-matcher.ts";

/** What a condition on the path looks at, "-" for missing. */
function looks(text: string, path: string, atArrays: AtArrays = "elements too"): string[] {
  return looksOfAll(text, [path], atArrays)[0] ?? [];
}

function looksOfAll(text: string, paths: string[], atArrays: AtArrays): string[][] {
  const bytes = Buffer.from(`##${text}##`);
  const parsed = paths.map((path) => parseFieldPath(path));
  const reader = new FieldReader(parsed);
  reader.read(bytes, 2, bytes.length - 2);
  return parsed.map((path, index) => {
    const seen: string[] = [];
    const walk = new PathWalk(path, atArrays, (from, start, end) => {
      seen.push(start < 0 ? "-" : from.toString("utf8", start, end));
      return false;
    });
    reader.some(index, walk);
    return seen;
  });
}

test.each([
  ['{"a":1,"b":2}', "b", ["2"]],
  ['{"a":1}', "b", ["-"]],
  ['{"a":{"b":{"c":null}}}', "a.b.c", ["null"]],
  ['{"a":5}', "a.b", ["-"]],
  ['{"a":[1,[2],{}]}', "a", ["1", "[2]", "{}", "[1,[2],{}]"]],
  ['{"a":[]}', "a", ["[]"]],
  ['{"a":[]}', "a.b", []],
  ['{"a":[1,{"b":2},{"c":3},[{"b":4}],{"b":[5]}]}', "a.b", ["2", "-", "5", "[5]"]],
  ['{"a":[5,{"1":4},3]}', "a.1", ["4", '{"1":4}']],
  ['{"a":[5,[2,4],3]}', "a.1", ["[2,4]"]],
  ['{"a":{"1":[2]}}', "a.1", ["2", "[2]"]],
  ['{"a":[[{"b":1}]]}', "a.0.b", ["1"]],
  ['{"a":[[7]]}', "a.0.0", ["7"]],
  ['{"a":[{"b":1}]}', "a.0.b", ["-", "1"]],
  ['{"a":1,"a":2}', "a", ["2"]],
  ['{"a":{"b":1},"a":{"c":1}}', "a.b", ["-"]],
  ['{"a":{"b":1},"a":7}', "a.b", ["-"]],
  ['{"x":[{"a":1,"a":2}]}', "x.a", ["2"]],
  ['{"\\u0061":{"\\u0062":1}}', "a.b", ["1"]],
  ['{"x":[{"\\u0061":3}]}', "x.a", ["3"]],
  ['{"a\\\\":1,"\\"":2}', '"a\\\\"', ["1"]],
  ['{"a\\\\":1,"\\"":2}', '"\\""', ["2"]],
  ['{"a\\nb":1}', '"a\\\\nb"', ["-"]],
  ['{"":1}', '""', ["1"]],
  ['[{"a":1},{"a":2}]', "a", ["1", "2"]],
  ["[5,6]", "1", ["6"]],
  ["5", "a", ["-"]],
  ["{}", "a", ["-"]],
])("%s: %s", (text, path, expected) => expect(looks(text, path)).toEqual(expected));

test("arrays as a whole", () => {
  expect(looks('{"a":[1,[2]]}', "a", "whole only")).toEqual(["[1,[2]]"]);
  expect(looks('{"x":[{"a":[1]},{"a":2}]}', "x.a", "whole only")).toEqual(["[1]", "2"]);
});

test("long strings are stepped over, whatever is escaped in them", () => {
  for (let size = 0; size < 70; size++) {
    for (const tail of ["", "\\", '"', '\\"', '\\\\"', "\\\\\\"]) {
      const text = JSON.stringify({
        x: "y".repeat(size) + tail,
        [`${"k".repeat(size)}"`]: [tail],
        a: 1,
      });
      expect(looks(text, "a")).toEqual(["1"]);
    }
  }
});

describe("an element that stands for a document", () => {
  test.each([
    ["[7,[8]]", "1", ["8", "[8]"]],
    ["[7]", "1", ["-"]],
    ["[7]", "a", ["-"]],
    ['[{"a":1}]', "a", ["-"]],
    ['[{"a":1}]', "0.a", ["1"]],
    ['{"a":1}', "a", ["1"]],
  ])("%s: %s", (text, path, expected) => {
    const bytes = Buffer.from(text);
    const reader = new FieldReader([parseFieldPath(path)]);
    reader.readElement(bytes, 0, bytes.length);
    const seen: string[] = [];
    const walk = new PathWalk(parseFieldPath(path), "elements too", (from, start, end) => {
      seen.push(start < 0 ? "-" : from.toString("utf8", start, end));
      return false;
    });
    reader.some(0, walk);
    expect(seen).toEqual(expected);
  });
});

test.each(seeds(4))("several paths at once, as over parsed values, seed %d", (seed) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 4000; round++) {
    const document = randomDocument(random, 4);
    const paths = Array.from({ length: 1 + random.below(4) }, () => randomPath(random));
    const text = escapedText(random, document);
    const expected = paths.map((path) =>
      plainLooks(document, path.split(".")).map((seen) => (seen === undefined ? "-" : seen)),
    );
    const actual = looksOfAll(text, paths, "elements too").map((seen) =>
      seen.map((one) => (one === "-" ? one : JSON.parse(one))),
    );
    if (!Bun.deepEquals(actual, expected)) throw new Error(`${text} ${paths}: ${actual}`);
  }
});

test.each(seeds(2))("broken bytes end every walk inside the document, seed %d", (seed) => {
  const random = seededRandom(seed);
  const pieces = ["{", "}", "[", "]", ",", ":", '"', '"a"', '"a":', "1", "null", "é"];
  for (let round = 0; round < 20_000; round++) {
    const count = random.below(12);
    const text = Array.from({ length: count }, () => pieces[random.below(pieces.length)]).join("");
    const bytes = Buffer.from(`${text}]]]]}}}}"a":1`);
    const end = Buffer.byteLength(text);
    const path = parseFieldPath(randomPath(random));
    const reader = new FieldReader([path]);
    reader.read(bytes, 0, end);
    const walk = new PathWalk(path, "elements too", (_, start, stop) => {
      if (start >= 0 && (start > end || stop > end)) throw new Error(`${text} ${path.text}`);
      return false;
    });
    reader.some(0, walk);
  }
});

const CORPUS = join(import.meta.dir, "../../../../shared/data/json-parsing.jsonl");

describe.skipIf(!existsSync(CORPUS))("JSONTestSuite (shared/data/json-parsing.jsonl)", () => {
  test("every accepted text is read without harm", () => {
    const scanner = new JsonScanner();
    let accepted = 0;
    for (const line of readFileSync(CORPUS, "utf8").trim().split("\n")) {
      const bytes = Buffer.from((JSON.parse(line) as { base64: string }).base64, "base64");
      if (!scanner.scan(bytes, 0, bytes.length)) continue;
      accepted++;
      const compact = Buffer.alloc(scanner.compactSize);
      writeCompact(bytes, scanner.start, scanner.end, compact, 0);
      const json = JSON.parse(compact.toString());
      const isObject = json !== null && typeof json === "object" && !Array.isArray(json);
      const seen = looksOfAll(compact.toString(), ["a", "0", "nothing.there"], "whole only");
      if (isObject) {
        expect(seen[0]?.map((one) => (one === "-" ? undefined : JSON.parse(one)))).toEqual([
          json.a,
        ]);
      }
    }
    expect(accepted).toBeGreaterThan(100);
  });
});
