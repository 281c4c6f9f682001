// JSON.* commands that change documents: what they answer, and the text that is left, byte for byte.

import { describe, expect, test } from "bun:test";
import { MAX_BULK_BYTES, MAX_JSON_DEPTH } from "../../../src/limits.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import type { Value } from "../../suites/value-reply.ts";

type Row = readonly [before: string | null, line: string, answer: Value, after: string | null];

/** `after` null: there is no key then. A document that stays makes no record; a replay gives the same as the commands. */
function check(rows: readonly Row[]) {
  const db = new EngineHarness();
  test.each(rows.map((row) => [...row] as const))("%s: %s", (before, line, answer, after) => {
    db.run("DEL", "k");
    if (before !== null) db.run("JSON.SET", "k", "$", before);
    db.records();
    expect(db.run(...line.split(" "))).toEqual(answer as never);
    expect(db.records()).toHaveLength(after === before ? 0 : 1);
    expect(db.run("GET", "k")).toBe(after);
    if (after !== null) db.run("COPY", "k", `copy:${before}:${line}`);
  });
  test("a replay gives the same", () => {
    expect(db.run("DBSIZE")).toBeGreaterThan(1);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });
}

const error = (text: string) => ({ error: text });
const NOT_ROOT = error("ERR new objects must be created at the root");
const ROOM = '{"a":1.0,"b":{"c":[1,{"a":2e0}]},"\\u00e9":"\\/"}';

describe("JSON.SET", () => {
  check([
    [null, "JSON.SET k $ {}", "OK", "{}"],
    [null, "JSON.SET k . 1.50", "OK", "1.50"],
    [null, 'JSON.SET k $ "x"', "OK", '"x"'],
    [null, "JSON.SET k $ 1 NX", "OK", "1"],
    [null, "JSON.SET k $ 1 XX", null, null],
    [null, "JSON.SET k $.a 1", NOT_ROOT, null],
    [null, "JSON.SET k $.a 1 XX", null, null],
    ["[1]", "JSON.SET k $ 2 NX", null, "[1]"],
    ["[1]", "JSON.SET k $ 2 XX", "OK", "2"],
    [ROOM, "JSON.SET k $.b.c[0] [true]", "OK", ROOM.replace("[1,", "[[true],")],
    [ROOM, "JSON.SET k .b.c[1].a null", "OK", ROOM.replace("2e0", "null")],
    [ROOM, "JSON.SET k $.é 0", "OK", ROOM.replace('"\\/"', "0")],
    [ROOM, "JSON.SET k $..a 7", "OK", ROOM.replace("1.0", "7").replace("2e0", "7")],
    [ROOM, "JSON.SET k $.new 7", "OK", ROOM.replace(/\}$/, ',"new":7}')],
    [ROOM, "JSON.SET k $.b.d 7", "OK", ROOM.replace("]}", '],"d":7}')],
    [ROOM, 'JSON.SET k .["a\\tb"] 7', "OK", ROOM.replace(/\}$/, ',"a\\tb":7}')],
    ["{}", "JSON.SET k $.a 1", "OK", '{"a":1}'],
    ['{"x":{}}', "JSON.SET k $.x.a-b 1", "OK", '{"x":{"a-b":1}}'],
    ['{"x":{}}', "JSON.SET k .x.a-b 1", "OK", '{"x":{"a-b":1}}'],
    [ROOM, "JSON.SET k $.a 2 NX", null, ROOM],
    [ROOM, "JSON.SET k $.a 2 XX", "OK", ROOM.replace("1.0", "2")],
    [ROOM, "JSON.SET k $.new 2 XX", null, ROOM],
    [ROOM, "JSON.SET k $.new 2 NX", "OK", ROOM.replace(/\}$/, ',"new":2}')],
    [ROOM, "JSON.SET k $.x.y 2", null, ROOM],
    [ROOM, "JSON.SET k $.a.y 2", null, ROOM],
    [ROOM, "JSON.SET k $.b.c.y 2", null, ROOM],
    [ROOM, "JSON.SET k $.b.c[2] 2", error("ERR array index out of range"), ROOM],
    [ROOM, "JSON.SET k $.*.y 2", error("ERR wrong static path"), ROOM],
    // Of places within one another the outer one counts.
    ['{"a":{"a":{"a":1}},"b":{"a":2}}', "JSON.SET k $..a 0", "OK", '{"a":0,"b":{"a":0}}'],
    ["[1,2]", "JSON.SET k $[0,0,-2] 9", "OK", "[9,2]"],
  ]);

  test("whitespace goes, nothing else does", () => {
    const db = new EngineHarness();
    db.run("JSON.SET", "k", "$", ' { "a" : 1.0 } ');
    db.run("JSON.SET", "k", "$.b", ' [ 1 , "x  y" ] ');
    expect(db.run("GET", "k")).toBe('{"a":1.0,"b":[1,"x  y"]}');
  });

  test("keeps the time to live, at the root too", () => {
    const db = new EngineHarness();
    db.run("JSON.SET", "k", "$", "{}");
    db.run("PEXPIRE", "k", 5000);
    db.run("JSON.SET", "k", "$.a", "1");
    db.run("JSON.SET", "k", "$", "[2,3]");
    db.run("JSON.MSET", "k", "$", "[[]]", "l", "$", "1");
    db.run("JSON.MERGE", "k", "$", '{"a":1}');
    db.run("JSON.NUMINCRBY", "k", "$.a", "1");
    expect(db.run("PTTL", "k")).toBe(5000);
    expect(db.run("GET", "k")).toBe('{"a":2}');
    db.advance(6000);
    expect(db.run("JSON.GET", "k")).toBeNull();
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });
});

describe("JSON.MERGE", () => {
  check([
    [null, 'JSON.MERGE k $ {"a":null,"b":{"c":null,"d":1}}', "OK", '{"b":{"d":1}}'],
    [null, "JSON.MERGE k $.a 1", NOT_ROOT, null],
    ['{"a":1.0,"b":2}', 'JSON.MERGE k $ {"b":null,"c":3}', "OK", '{"a":1.0,"c":3}'],
    ['{"a":{"x":1.0,"y":2}}', 'JSON.MERGE k $ {"a":{"y":null}}', "OK", '{"a":{"x":1.0}}'],
    ['{"a":{"x":1.0,"y":2}}', 'JSON.MERGE k $.a {"y":[null]}', "OK", '{"a":{"x":1.0,"y":[null]}}'],
    ['{"a":[1]}', 'JSON.MERGE k $.a {"y":1}', "OK", '{"a":{"y":1}}'],
    ['{"a":[1]}', "JSON.MERGE k $.a null", "OK", '{"a":null}'],
    ['{"a":[1]}', 'JSON.MERGE k $.b {"x":null,"y":1}', "OK", '{"a":[1],"b":{"y":1}}'],
    ['{"a":[1]}', "JSON.MERGE k $.b.c 1", null, '{"a":[1]}'],
    ['{"a":[1]}', "JSON.MERGE k $.*.c 1", error("ERR wrong static path"), '{"a":[1]}'],
    ['{"\\u0061":1}', 'JSON.MERGE k $ {"a":2}', "OK", '{"\\u0061":2}'],
    ["[{},{}]", 'JSON.MERGE k $[*] {"a":1}', "OK", '[{"a":1},{"a":1}]'],
    // Of places within one another the inner one is merged first.
    [
      '{"a":{"a":{"x":1.0}}}',
      'JSON.MERGE k $..a {"y":2}',
      "OK",
      '{"a":{"a":{"x":1.0,"y":2},"y":2}}',
    ],
    ['{"a":{"a":{"x":1}}}', 'JSON.MERGE k $..a {"a":5}', "OK", '{"a":{"a":5}}'],
    ['{"a":{"a":{"x":1}}}', 'JSON.MERGE k $..a {"a":null}', "OK", '{"a":{}}'],
    ["5", 'JSON.MERGE k $ {"a":1}', "OK", '{"a":1}'],
  ]);

  /** The cases of RFC 7396, appendix A. */
  test.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', "{}"],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', "null", "null"],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
    ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])("RFC 7396: %s and %s", (target, patch, merged) => {
    const db = new EngineHarness();
    db.run("JSON.SET", "k", "$", target);
    expect(db.run("JSON.MERGE", "k", "$", patch)).toBe("OK");
    expect(db.run("GET", "k")).toBe(merged);
  });
});

describe("JSON.DEL, JSON.FORGET and JSON.CLEAR", () => {
  check([
    [ROOM, "JSON.DEL k", 1, null],
    [ROOM, "JSON.FORGET k $", 1, null],
    [null, "JSON.DEL k $.a", 0, null],
    [ROOM, "JSON.DEL k $.a", 1, ROOM.replace('"a":1.0,', "")],
    [ROOM, "JSON.DEL k $.é", 1, ROOM.replace(',"\\u00e9":"\\/"', "")],
    [ROOM, "JSON.DEL k .b.c[0]", 1, ROOM.replace("1,", "")],
    [ROOM, "JSON.DEL k $..a", 2, '{"b":{"c":[1,{}]},"\\u00e9":"\\/"}'],
    [ROOM, "JSON.DEL k $..*", 3, null],
    [ROOM, "JSON.DEL k $.zz", 0, ROOM],
    ["[0,1,2,3,4]", "JSON.DEL k $[1,3,-1,1]", 3, "[0,2]"],
    ["[0,1,2,3,4]", "JSON.DEL k $[*]", 5, null],
    ['{"a":{"a":1},"b":{"a":2,"x":1}}', "JSON.DEL k $..a", 2, '{"b":{"x":1}}'],
    // A document that would be left without values goes, as in RedisJSON.
    ['{"a":1}', "JSON.DEL k $.a", 1, null],
    ['{"a":{"b":1}}', "JSON.DEL k $.a.b", 1, '{"a":{}}'],
    [
      null,
      "JSON.CLEAR k",
      error("ERR could not perform this operation on a key that doesn't exist"),
      null,
    ],
    [ROOM, "JSON.CLEAR k", 1, "{}"],
    [ROOM, "JSON.CLEAR k $.*", 2, '{"a":0,"b":{},"\\u00e9":"\\/"}'],
    [ROOM, "JSON.CLEAR k $..a", 2, ROOM.replace("1.0", "0").replace("2e0", "0")],
    [
      '[[],{},0,0.0,"x",null,true,[1],-1]',
      "JSON.CLEAR k $[*]",
      2,
      '[[],{},0,0.0,"x",null,true,[],0]',
    ],
    ["[[],{}]", "JSON.CLEAR k $[*]", 0, "[[],{}]"],
    ["[[[1]]]", "JSON.CLEAR k $..*", 1, "[[]]"],
  ]);
});

describe("numbers", () => {
  const or = " or does not contains a number";
  check([
    ['{"a":1}', "JSON.NUMINCRBY k $.a 2", "[3]", '{"a":3}'],
    ['{"a":1}', "JSON.NUMINCRBY k .a -2", "-1", '{"a":-1}'],
    ['{"a":1}', "JSON.NUMINCRBY k .a 0.5", "1.5", '{"a":1.5}'],
    ['{"a":1.0}', "JSON.NUMINCRBY k .a 1", "2.0", '{"a":2.0}'],
    ['{"a":1}', "JSON.NUMINCRBY k .a 1.0", "2.0", '{"a":2.0}'],
    ['{"a":0.1}', "JSON.NUMINCRBY k .a 0.2", "0.30000000000000004", '{"a":0.30000000000000004}'],
    [
      '{"a":9007199254740993}',
      "JSON.NUMINCRBY k .a 2",
      "9007199254740995",
      '{"a":9007199254740995}',
    ],
    [
      '{"a":4611686018427387904}',
      "JSON.NUMMULTBY k .a -2",
      "-9223372036854775808",
      '{"a":-9223372036854775808}',
    ],
    [
      '{"a":9223372036854775807}',
      "JSON.NUMINCRBY k .a 1",
      error("ERR numeric overflow"),
      '{"a":9223372036854775807}',
    ],
    [
      '{"a":123456789012345678901}',
      "JSON.NUMINCRBY k .a 0",
      error("ERR numeric overflow"),
      '{"a":123456789012345678901}',
    ],
    ['{"a":1e308}', "JSON.NUMMULTBY k .a 10", error("ERR result is not a number"), '{"a":1e308}'],
    ['{"a":3}', "JSON.NUMMULTBY k $.a 1.5", "[4.5]", '{"a":4.5}'],
    [
      '[1,"x",{"a":2},2.5]',
      "JSON.NUMINCRBY k $..* 1",
      "[2,null,null,3.5,3]",
      '[2,"x",{"a":3},3.5]',
    ],
    ['[1,"x",2]', "JSON.NUMINCRBY k .[*] 1", "3", '[2,"x",3]'],
    ["[1,2]", "JSON.NUMINCRBY k $[0,0] 1", "[2,2]", "[2,2]"],
    ['{"a":"x"}', "JSON.NUMINCRBY k $.a 1", "[null]", '{"a":"x"}'],
    ['{"a":"x"}', "JSON.NUMINCRBY k .a 1", error(`ERR Path '.a' does not exist${or}`), '{"a":"x"}'],
    ['{"a":"x"}', "JSON.NUMINCRBY k $.b 1", "[]", '{"a":"x"}'],
    ['{"a":1}', 'JSON.NUMINCRBY k $.a "1"', error("ERR bad input number"), '{"a":1}'],
    [
      '{"a":1}',
      "JSON.NUMINCRBY k $.a x",
      error("ERR invalid JSON at column 1: expected a value"),
      '{"a":1}',
    ],
    ["7", "JSON.NUMMULTBY k $ 6", "[42]", "42"],
    // All or nothing: the first place could be added to.
    [
      "[1,9223372036854775807]",
      "JSON.NUMINCRBY k $[*] 1",
      error("ERR numeric overflow"),
      "[1,9223372036854775807]",
    ],
  ]);

  /** A number with a fraction is written as RedisJSON (Rust's ryu) writes it. */
  test.each([
    ["1e15", "1000000000000000.0"],
    ["1e16", "1e16"],
    ["123456789012345680000.0", "1.2345678901234568e20"],
    ["1e21", "1e21"],
    ["0.00001", "0.00001"],
    ["0.000001", "1e-6"],
    ["1.5e-7", "1.5e-7"],
    ["-2.5", "-2.5"],
    ["-0.0", "0.0"],
    ["1e300", "1e300"],
    ["100.0", "100.0"],
  ])("%s plus 0.0 is written %s", (number, written) => {
    const db = new EngineHarness();
    db.run("JSON.SET", "k", "$", number);
    expect(db.run("JSON.NUMINCRBY", "k", ".", "0.0")).toBe(written);
    expect(db.run("GET", "k")).toBe(written);
  });
});

describe("strings and booleans", () => {
  check([
    ['{"a":"x"}', 'JSON.STRAPPEND k $.a "\\u00e9y"', [4], '{"a":"x\\u00e9y"}'],
    ['{"a":"\\n"}', 'JSON.STRAPPEND k .a "é"', 3, '{"a":"\\né"}'],
    ['"x"', 'JSON.STRAPPEND k "y"', 2, '"xy"'],
    ['["a",1,"b"]', 'JSON.STRAPPEND k $[*] "c"', [2, null, 2], '["ac",1,"bc"]'],
    ['["a",1,"bb"]', 'JSON.STRAPPEND k .[*] "c"', 3, '["ac",1,"bbc"]'],
    [
      '{"a":1}',
      'JSON.STRAPPEND k .a "c"',
      error("ERR Path '.a' does not exist or not a string"),
      '{"a":1}',
    ],
    [
      '{"a":"x"}',
      "JSON.STRAPPEND k .a 1",
      error("WRONGTYPE wrong type of path value - expected string but found 1"),
      '{"a":"x"}',
    ],
    ["[true,false,1]", "JSON.TOGGLE k $[*]", [0, 1, null], "[false,true,1]"],
    ["[true,false,1]", "JSON.TOGGLE k .[0]", "false", "[false,false,1]"],
    [
      "[true,false,1]",
      "JSON.TOGGLE k .[2]",
      error("ERR Path '.[2]' does not exist or not a bool"),
      "[true,false,1]",
    ],
  ]);
});

describe("arrays", () => {
  const NO_ARRAY = error("ERR Path '.a' does not exist or not an array");
  check([
    ["[]", "JSON.ARRAPPEND k $ 1 [2]", [2], "[1,[2]]"],
    ["[0.0]", "JSON.ARRAPPEND k . 1 [2]", 3, "[0.0,1,[2]]"],
    ['{"a":[1],"b":2,"c":[]}', "JSON.ARRAPPEND k $.* 9", [2, null, 1], '{"a":[1,9],"b":2,"c":[9]}'],
    ['{"a":1}', "JSON.ARRAPPEND k .a 9", NO_ARRAY, '{"a":1}'],
    ["[[1],[[2]]]", "JSON.ARRAPPEND k $..* 9", [2, 2, null, 2, null], "[[1,9],[[2,9],9]]"],
    ["[1,2,3]", "JSON.ARRINSERT k $ 0 8 9", [5], "[8,9,1,2,3]"],
    ["[1,2,3]", "JSON.ARRINSERT k $ 3 9", [4], "[1,2,3,9]"],
    ["[1,2,3]", "JSON.ARRINSERT k . -1 9", 4, "[1,2,9,3]"],
    ["[]", "JSON.ARRINSERT k $ 0 9", [1], "[9]"],
    ["[1,2,3]", "JSON.ARRINSERT k $ 4 9", error("ERR index out of bounds"), "[1,2,3]"],
    ["[1,2,3]", "JSON.ARRINSERT k $ -4 9", error("ERR index out of bounds"), "[1,2,3]"],
    ["[[1,2],[1]]", "JSON.ARRINSERT k $[*] 2 9", error("ERR index out of bounds"), "[[1,2],[1]]"],
    ["[1,2.0,3]", "JSON.ARRPOP k", "3", "[1,2.0]"],
    ["[1,2.0,3]", "JSON.ARRPOP k $ 0", ["1"], "[2.0,3]"],
    ["[1,2.0,3]", "JSON.ARRPOP k $ 1", ["2.0"], "[1,3]"],
    ["[1,2.0,3]", "JSON.ARRPOP k . -2", "2.0", "[1,3]"],
    ["[1,2.0,3]", "JSON.ARRPOP k . 99", "3", "[1,2.0]"],
    ["[1,2.0,3]", "JSON.ARRPOP k . -99", "1", "[2.0,3]"],
    ["[[]]", "JSON.ARRPOP k $[0]", [null], "[[]]"],
    ["[]", "JSON.ARRPOP k", null, "[]"],
    ["[1]", "JSON.ARRPOP k $ x", error("ERR value is not an integer or out of range"), "[1]"],
    ['{"a":1}', "JSON.ARRPOP k .a", NO_ARRAY, '{"a":1}'],
    // From the inside out, as in RedisJSON.
    [
      '{"a":[[1,2,3],[4,5,6]]}',
      "JSON.ARRPOP k $..* -1",
      ["[4,5]", "3", "6", null, null, null, null, null, null],
      '{"a":[[1,2]]}',
    ],
    ["[0,1,2,3,4]", "JSON.ARRTRIM k $ 1 3", [3], "[1,2,3]"],
    ["[0,1,2,3,4]", "JSON.ARRTRIM k . -2 -1", 2, "[3,4]"],
    ["[0,1,2,3,4]", "JSON.ARRTRIM k $ 0 99", [5], "[0,1,2,3,4]"],
    ["[0,1,2,3,4]", "JSON.ARRTRIM k $ -99 0", [1], "[0]"],
    ["[0,1,2,3,4]", "JSON.ARRTRIM k $ 3 1", [0], "[]"],
    ["[0,1,2,3,4]", "JSON.ARRTRIM k $ 5 9", [0], "[]"],
    ["[[],1]", "JSON.ARRTRIM k $[*] 0 0", [0, null], "[[],1]"],
    [
      "[[1,2],[3,4],5]",
      "JSON.ARRTRIM k $..* 1 1",
      [1, 1, null, null, null, null, null],
      "[[2],[4],5]",
    ],
  ]);
});

describe("JSON.MSET", () => {
  test("later pairs see earlier ones, and a key may come again", () => {
    const db = new EngineHarness();
    const pairs = ["a", "$", '{"x":[]}', "b", "$", "1", "a", "$.x[0]", "1"];
    expect(db.run("JSON.MSET", ...pairs)).toEqual(error("ERR array index out of range"));
    expect(db.run("DBSIZE")).toBe(0);
    expect(db.run("JSON.MSET", ...pairs.slice(0, 6), "a", "$.y", " [ 2 ] ")).toBe("OK");
    expect(db.run("MGET", "a", "b")).toEqual(['{"x":[],"y":[2]}', "1"]);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test.each([
    [["n", "$.x", "1"], "ERR new objects must be created at the root"],
    [["n", "$", "{"], "ERR invalid JSON at column 2: unexpected end"],
    [["a", "$.x.y", "1"], "ERR Path '$.x.y' does not exist"],
    [["a", "$[", "1"], "ERR invalid path '$[' at column 3: unclosed bracketed selection"],
  ])("with %j nothing is set", (wrong, text) => {
    const db = new EngineHarness();
    db.run("JSON.SET", "a", "$", '{"v":0}');
    expect(db.run("JSON.MSET", "a", "$.v", "1", "b", "$", "2", ...wrong)).toEqual(error(text));
    expect(db.run("MGET", "a", "b", "n")).toEqual(['{"v":0}', null, null]);
  });

  test("what a unique index refuses changes nothing, and values may change places", () => {
    const db = new EngineHarness();
    db.run("INDEX", "CREATE", "n", "USING", "hash", "FIELD", "n", "UNIQUE");
    db.run("JSON.SET", "a", "$", '{"n":1}');
    db.run("JSON.SET", "b", "$", '{"n":2}');
    db.run("PEXPIRE", "a", 5000);
    const before = db.run("DEBUG", "DIGEST");
    const taken = db.run("JSON.MSET", "c", "$", '{"n":3}', "b", "$.n", "4", "d", "$", '{"n":1}');
    expect(taken).toEqual(error('DUPLICATE index "n" is unique: 1 is taken, key "a" has it'));
    expect(db.run("DEBUG", "DIGEST")).toBe(before);
    expect(db.run("JSON.MSET", "a", "$.n", "2", "b", "$.n", "1")).toBe("OK");
    expect(db.run("MGET", "a", "b")).toEqual(['{"n":2}', '{"n":1}']);
    expect(db.run("PTTL", "a")).toBe(5000);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });
});

describe("limits", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const TOO_DEEP = error(`ERR document would be nested deeper than ${MAX_JSON_DEPTH} levels`);

  test("a value that would come too deep is refused, wherever it is put", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    db.run("JSON.SET", "k", "$", `{"a":[${nested(10)}],"o":{}}`);
    const deep = nested(MAX_JSON_DEPTH - 1);
    expect(db.run("JSON.SET", "k", "$.o", deep)).toBe("OK");
    for (const command of [
      ["JSON.SET", "k", "$.a[0]", deep],
      ["JSON.SET", "k", "$.a[0][0]", nested(MAX_JSON_DEPTH - 2)],
      ["JSON.SET", "k", "$..a[0]", deep],
      ["JSON.ARRAPPEND", "k", "$.a", deep],
      ["JSON.ARRINSERT", "k", "$..a", "0", deep],
      ["JSON.MERGE", "k", "$.a", `{"b":${deep}}`],
      ["JSON.MSET", "k", "$.a[0]", deep],
    ]) {
      expect(db.run(...(command as [string]))).toEqual(TOO_DEEP);
    }
    expect(db.run("JSON.SET", "k", "$.a[0]", nested(MAX_JSON_DEPTH - 2))).toBe("OK");
    expect(db.run("JSON.GET", "k", "$..a[0]")).toBe(`[${nested(MAX_JSON_DEPTH - 2)}]`);
    expect(db.run("JSON.TYPE", "k", "$..*")).toHaveLength(2 * MAX_JSON_DEPTH - 2);
  });

  test("a document longer than a string may be is refused, and so is such an answer", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    const long = `"${"x".repeat(1_000_000)}"`;
    const count = Math.ceil(MAX_BULK_BYTES / 1_000_000);
    const tooLong = error("ERR document exceeds maximum allowed size (proto-max-bulk-len)");
    const many = `[${Array.from({ length: count }, () => "[]").join(",")}]`;
    db.run("JSON.SET", "k", "$", many);
    expect(db.run("JSON.ARRAPPEND", "k", "$[*]", long)).toEqual(tooLong);
    expect(db.run("GET", "k")).toBe(many);
    expect(db.run("JSON.ARRAPPEND", "k", "$[0,1]", long)).toEqual([1, 1]);
    // The same string again and again, with each of the arrays around it.
    db.run("JSON.SET", "k", "$", "[".repeat(count) + long + "]".repeat(count));
    expect(db.run("JSON.GET", "k", "$..*")).toEqual(tooLong);
    expect(db.run("JSON.STRLEN", "k", "$..*")).toHaveLength(count);
  });

  test("memory.max holds for what an edit adds", () => {
    const db = new EngineHarness({ maxMemoryBytes: 4 * 1024 * 1024 });
    db.run("JSON.SET", "k", "$", `[${Array.from({ length: 200 }, () => "[]").join(",")}]`);
    const answer = db.run("JSON.ARRAPPEND", "k", "$[*]", `"${"x".repeat(100_000)}"`);
    expect(answer).toEqual(error("OOM command not allowed when used memory > 'maxmemory'."));
    expect(db.run("JSON.ARRLEN", "k", "$[0]")).toEqual([0]);
  });
});

describe("documents and Redis's own commands", () => {
  test("read a document as its text, and SET replaces it", () => {
    const db = new EngineHarness();
    const text = '{"a":[1.0]}';
    db.run("JSON.SET", "k", "$", text);
    expect(db.run("TYPE", "k")).toBe("ReJSON-RL");
    expect(db.run("GET", "k")).toBe(text);
    expect(db.run("MGET", "k", "none")).toEqual([text, null]);
    expect(db.run("GETEX", "k", "PX", 5000)).toBe(text);
    expect(db.run("PTTL", "k")).toBe(5000);
    expect(db.run("COPY", "k", "copy")).toBe(1);
    expect(db.run("JSON.GET", "copy", ".a[0]")).toBe("1.0");
    expect(db.run("GETDEL", "copy")).toBe(text);
    expect(db.run("GETSET", "k", "plain")).toBe(text);
    expect(db.run("TYPE", "k")).toBe("string");
    db.run("DEL", "k");
    db.run("JSON.SET", "k", "$", "7");
    expect(db.run("INCR", "k")).toBe(8);
    expect(db.run("JSON.NUMINCRBY", "k", "$", "1")).toBe("[9]");
    expect(db.run("APPEND", "k", "1")).toEqual(
      error("WRONGTYPE Operation against a key holding the wrong kind of value"),
    );
    expect(db.run("SET", "k", "x")).toBe("OK");
    expect(db.run("TYPE", "k")).toBe("string");
  });
});
