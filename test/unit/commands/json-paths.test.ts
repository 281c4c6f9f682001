// JSONPath by the compliance test suite and JSON by JSONTestSuite, both through the commands; what makes a server of it: order,
// bounds, regular expressions in linear time; and random bytes, which must give an error or an answer.

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MAX_JSON_DEPTH, MAX_JSON_PATH_BYTES } from "../../../src/limits.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";
import type { Value } from "../../suites/value-reply.ts";

const DATA = join(import.meta.dir, "../../../../shared/data");
const PATHS = join(DATA, "jsonpath-cts.json");
const TEXTS = join(DATA, "json-parsing.jsonl");

interface PathCase {
  readonly name: string;
  readonly selector: string;
  readonly document?: unknown;
  readonly result?: unknown[];
  /** Where the order of members decides, several are right. */
  readonly results?: unknown[][];
  readonly invalid_selector?: boolean;
}

const isError = (value: Value): boolean =>
  value !== null && typeof value === "object" && "error" in value;

describe.skipIf(!existsSync(PATHS))("JSONPath (shared/data/jsonpath-cts.json)", () => {
  test("each of the cases, with no exception", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    const { tests }: { tests: PathCase[] } = JSON.parse(readFileSync(PATHS, "utf8"));
    const wrong = tests.filter((one) => !isRight(db, one));
    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(tests.length).toBe(703);
  });

  function isRight(db: EngineHarness, one: PathCase): boolean {
    db.run("JSON.SET", "k", "$", JSON.stringify(one.document ?? null));
    const answer = db.run("JSON.GET", "k", one.selector);
    if (one.invalid_selector === true) return isError(answer);
    const found: unknown = typeof answer === "string" ? JSON.parse(answer) : answer;
    return (one.results ?? [one.result]).some((result) => Bun.deepEquals(result, found));
  }
});

describe.skipIf(!existsSync(TEXTS))("JSON (shared/data/json-parsing.jsonl)", () => {
  /** Which of the two values counts is left to the reader by RFC 8259; kvdb refuses to choose. */
  const REFUSED = ["y_object_duplicated_key", "y_object_duplicated_key_and_value"];

  test("JSON.SET takes and refuses what it should, and keeps the text", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    const lines = readFileSync(TEXTS, "utf8").trim().split("\n");
    for (const line of lines) {
      const { name, expect: expected, base64 } = JSON.parse(line);
      const text = Buffer.from(base64, "base64");
      db.run("DEL", "k");
      const answer = db.run("JSON.SET", "k", "$", text);
      const isTaken = answer === "OK";
      if (expected !== "either") {
        expect([name, isTaken]).toEqual([name, expected === "accept" && !REFUSED.includes(name)]);
      }
      if (isTaken)
        expect(JSON.parse(db.run("GET", "k") as string)).toEqual(JSON.parse(text.toString()));
      else {
        expect(answer).toEqual({ error: expect.stringContaining("ERR invalid JSON at ") });
        expect(db.run("EXISTS", "k")).toBe(0);
      }
    }
    expect(lines.length).toBe(318);
  });
});

describe("the order of what a path finds", () => {
  test("is that of the document, for keys that are numbers too", () => {
    const db = new EngineHarness();
    const text = '{"b":1,"2":{"z":2,"\\u0031":3,"x":[{"9":4,"y":5}]},"1":6,"a":7}';
    db.run("JSON.SET", "k", "$", text);
    const all = ["1", '{"z":2,"\\u0031":3,"x":[{"9":4,"y":5}]}', "6", "7"];
    expect(db.run("JSON.GET", "k", "$.*")).toBe(`[${all.join(",")}]`);
    expect(db.run("JSON.GET", "k", "$..[?@<9]")).toBe("[1,6,7,2,3,4,5]");
    expect(db.run("JSON.OBJKEYS", "k", "$['2']")).toEqual([["z", "1", "x"]]);
    expect(db.run("JSON.GET", "k", "$['1','b','2'].z")).toBe("[2]");
    expect(db.run("JSON.GET", "k", "$['1','b']")).toBe("[6,1]");
  });

  test("names that JavaScript knows are names like others", () => {
    const db = new EngineHarness();
    const text = '{"__proto__":{"toString":1},"constructor":2,"length":3,"hasOwnProperty":4}';
    db.run("JSON.SET", "k", "$", text);
    expect(db.run("JSON.GET", "k", "$.__proto__.toString")).toBe("[1]");
    expect(db.run("JSON.GET", "k", "$..toString")).toBe("[1]");
    expect(db.run("JSON.GET", "k", "$['constructor','length','hasOwnProperty']")).toBe("[2,3,4]");
    expect(db.run("JSON.GET", "k", "$['valueOf','isPrototypeOf']")).toBe("[]");
    expect(db.run("JSON.DEL", "k", "$['__proto__','length']")).toBe(2);
    expect(db.run("GET", "k")).toBe('{"constructor":2,"hasOwnProperty":4}');
  });
});

describe("match and search", () => {
  const db = new EngineHarness();
  const text = "a".repeat(30_000);
  db.run("JSON.SET", "k", "$", JSON.stringify([text, "ab", "xaby", "a.b", "line\nend"]));

  test.each([
    ["$[?match(@,'a.')]", '["ab"]'],
    ["$[?search(@,'a.')][?match(@,'x')]", "[]"],
    ["$[?search(@,'x?ab')]", '["ab","xaby"]'],
    ["$[?match(@,'a[.]b')]", '["a.b"]'],
    ["$[?match(@,'a\\\\.b')]", '["a.b"]'],
    ["$[?match(@,'line.end')]", "[]"],
    ["$[?match(@,'(')]", "[]"],
    ["$[?match(@,'(?=a)ab')]", "[]"],
    ["$[?match(@,'\\\\p{Ll}+')][?length(@)<9]", "[]"],
  ])("%s", (path, found) => {
    expect(db.run("JSON.GET", "k", path)).toBe(found);
  });

  test("patterns may come from the document, but not without end", () => {
    const patterns = (count: number) => Array.from({ length: count }, (_, i) => `a{${i + 1}}`);
    db.run("JSON.SET", "p", "$", JSON.stringify(patterns(200)));
    expect(db.run("JSON.GET", "p", "$[?match('aaa', @)]")).toBe('["a{3}"]');
    db.run("JSON.SET", "p", "$", JSON.stringify(patterns(300)));
    expect(db.run("JSON.GET", "p", "$[?search('aaa', @)]")).toEqual({
      error: "ERR a path that needs more than 200 patterns",
    });
    expect(db.run("JSON.GET", "p", "$[?@=='a{3}']")).toBe('["a{3}"]');
  });

  // A backtracking engine takes 2^30000 steps for the first.
  test.each(["$[?match(@,'(a*)*c')]", "$[?search(@,'(a|a)*(a|a)*c')]", "$[?match(@,'(a|aa)+c')]"])(
    "%s ends soon",
    (path) => {
      const started = performance.now();
      expect(db.run("JSON.GET", "k", path)).toBe("[]");
      expect(performance.now() - started).toBeLessThan(5000);
    },
  );
});

describe("bounds", () => {
  const problem = (text: string) => ({ error: `ERR ${text}` });

  test("a document as deep as one may be is searched to its bottom", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    const deep = `${'{"a":['.repeat(MAX_JSON_DEPTH / 2)}"x"${"]}".repeat(MAX_JSON_DEPTH / 2)}`;
    db.run("JSON.SET", "k", "$", deep);
    expect(db.run("JSON.STRAPPEND", "k", "$..[?@=='x']", '"y"')).toEqual([2]);
    expect(db.run("JSON.GET", "k", `$${".a[0]".repeat(MAX_JSON_DEPTH / 2)}`)).toBe('["xy"]');
    expect(db.run("JSON.RESP", "k", "$..[?@=='xy']")).toEqual(["xy"]);
    expect(db.run("JSON.DEL", "k", "$..[?@=='xy']")).toBe(1);
  });

  test("a path that is too long, too nested, or passes too much, is refused", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    db.run("JSON.SET", "k", "$", JSON.stringify(Array.from({ length: 200 }, () => [1, [2, [3]]])));
    const long = `$${".a".repeat(MAX_JSON_PATH_BYTES / 2)}`;
    expect(db.run("JSON.GET", "k", long)).toEqual(
      problem(
        `a path may have ${MAX_JSON_PATH_BYTES} bytes, this one has ${MAX_JSON_PATH_BYTES + 1}`,
      ),
    );
    for (const nested of [
      `$${"[?@".repeat(80)}`,
      `$[?${"(".repeat(5000)}@.a${")".repeat(2000)}]`,
    ]) {
      expect(db.run("JSON.GET", "k", nested)).toEqual(
        problem("a path with more than 64 brackets in one another"),
      );
    }
    expect(db.run("JSON.GET", "k", `$${"..*".repeat(20)}`)).toBe("[]");
    db.run("JSON.SET", "k", "$", `${'{"a":['.repeat(400)}1${"]}".repeat(400)}`);
    expect(db.run("JSON.GET", "k", "$..*..*..*")).toEqual(
      problem("a path that passes too many places of this document"),
    );
    expect(db.run("JSON.GET", "k", Buffer.from([0x24, 0x2e, 0xff]))).toEqual(
      problem("a path that is not UTF-8"),
    );
    // As many terms as fit into a path, which the library takes one within another.
    const terms = Array.from({ length: 1500 }, () => "@.b").join("||");
    expect(db.run("JSON.GET", "k", `$[?${terms}]`)).toBe("[]");
    expect(db.run("JSON.GET", "k", `$[?${"!".repeat(8000)}@.b]`)).toBe("[]");
  });

  test("an array with more elements than a call may have arguments", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    const many = JSON.stringify(Array.from({ length: 300_000 }, (_, i) => i % 10));
    db.run("JSON.SET", "k", "$", many);
    expect(db.run("JSON.GET", "k", "$[*]")).toBe(many);
    expect(db.run("JSON.GET", "k", "$[0:300000:30000]")).toBe("[0,0,0,0,0,0,0,0,0,0]");
    expect(db.run("JSON.NUMINCRBY", "k", "$[?@==9]", "1")).toHaveLength(30_000 * 3 + 1);
    expect(db.run("JSON.ARRLEN", "k")).toBe(300_000);
    expect(db.run("JSON.DEL", "k", "$[?@!=10]")).toBe(270_000);
    expect(db.run("JSON.ARRLEN", "k")).toBe(30_000);
  });
});

const PIECES = [
  ...["$", ".", "..", "[", "]", "*", "?", "@", "(", ")", "'", '"', ",", ":", "-", "0", "1", "a"],
  ...[
    "b",
    "==",
    "<",
    "&&",
    "||",
    "!",
    "length(",
    "match(",
    " ",
    "\\",
    "é",
    "\u0000",
    "~",
    "#",
    "1e9",
  ],
];

describe("random bytes", () => {
  test.each(seeds(2))("keys that come twice, in records of old, do no harm, seed %d", (seed) => {
    const random = seededRandom(seed);
    const db = new EngineHarness({ auditEvery: 0 });
    const replaying = Object.create(db.session, { origin: { value: "replay" } });
    const value = (depth: number): string => {
      if (depth === 0 || random.below(4) === 0) return ["1", "{}", "[]", '"x"'][random.below(4)];
      const parts = Array.from({ length: 1 + random.below(3) }, () => value(depth - 1));
      if (random.below(3) === 0) return `[${parts.join(",")}]`;
      return `{${parts.map((part) => `${['"a"', '"1"', '"\\u0061"'][random.below(3)]}:${part}`).join(",")}}`;
    };
    const paths = ["$..a", "$..*", "$.a.a", "$..['1']", "$.a[0]", "$..[?@.a]", "$.*.a"];
    const commands = [["JSON.GET"], ["JSON.DEL"], ["JSON.CLEAR"], ["JSON.ARRAPPEND", "2"]];
    for (let round = 0; round < 3000; round++) {
      db.runIn(replaying, "JSON.SET", "k", "$", value(4));
      const [name, ...rest] = commands[random.below(commands.length)];
      const answer = db.run(name, "k", paths[random.below(paths.length)], ...rest);
      expect(isError(answer)).toBe(false);
      const left = db.run("GET", "k");
      if (left !== null) JSON.parse(left as string);
    }
  });

  test.each(seeds(3))(
    "as paths and documents give an error or an answer, seed %d",
    (seed) => {
      const random = seededRandom(seed);
      const db = new EngineHarness({ auditEvery: 0 });
      const text = '{"a":[1,{"b":"x"},[]],"b":{"a":true,"1":null},"é":-0.5}';
      const path = () => {
        const count = 1 + random.below(9);
        const pieces = Array.from({ length: count }, () => PIECES[random.below(PIECES.length)]);
        return (random.below(2) === 0 ? "$" : "") + pieces.join("");
      };
      const bytes = () =>
        Buffer.from(Array.from({ length: random.below(12) }, () => random.below(256)));
      const commands: (() => (string | Buffer)[])[] = [
        () => ["JSON.GET", "k", path()],
        () => ["JSON.GET", "k", bytes()],
        () => ["JSON.SET", "k", path(), "1"],
        () => ["JSON.SET", "k", "$.a[1]", bytes()],
        () => ["JSON.MERGE", "k", path(), '{"a":{"b":null},"c":1}'],
        () => ["JSON.DEL", "k", path()],
        () => ["JSON.CLEAR", "k", path()],
        () => ["JSON.ARRAPPEND", "k", path(), "1", "[]"],
        () => ["JSON.ARRPOP", "k", path()],
        () => ["JSON.NUMINCRBY", "k", path(), "1.5"],
        () => ["JSON.TYPE", "k", path()],
      ];
      for (let round = 0; round < 8000; round++) {
        db.run("JSON.SET", "k", "$", text);
        const command = commands[random.below(commands.length)]();
        const answer = db.run(...(command as [string]));
        if (isError(answer) && (answer as { error: string }).error.includes("internal error")) {
          throw new Error(`${JSON.stringify(command.map(String))}: ${JSON.stringify(answer)}`);
        }
        const left = db.run("GET", "k");
        if (left !== null) JSON.parse(left as string);
      }
    },
    60_000,
  );
});
