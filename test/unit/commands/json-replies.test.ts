// What each JSON.* command answers, in both path dialects and both protocols: the replies of RedisJSON.

import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";
import type { Value } from "../../suites/value-reply.ts";

const DOCUMENT =
  '{"a":{"b":[1,2.50,"x"],"c":true},"n":null,"s":"yé\\n","big":12345678901234567890,"e":[],"o":{}}';

const NO_KEY = {
  error: "ERR could not perform this operation on a key that doesn't exist",
};
const WRONG_TYPE = {
  error: "WRONGTYPE Operation against a key holding the wrong kind of value",
};
const missing = (path: string, or = "") => ({
  error: `ERR Path '${path}' does not exist${or}`,
});
const unexpected = (expected: string, found: string) => ({
  error: `WRONGTYPE wrong type of path value - expected ${expected} but found ${found}`,
});

/** A database with the document under `k`, a string under `string`. */
function prepared(document = DOCUMENT, protocol: 2 | 3 = 2): EngineHarness {
  const db = new EngineHarness();
  db.session.protocol = protocol;
  expect(db.run("JSON.SET", "k", "$", document)).toBe("OK");
  db.run("SET", "string", "x");
  return db;
}

/** Words of one command, parted by one space each. */
const words = (line: string) => line.split(" ");

type Row = readonly [line: string, answer: Value];

/** All rows of a table run on one database; what they change is put back before the next one. */
function check(rows: readonly Row[], document = DOCUMENT, protocol: 2 | 3 = 2) {
  const db = prepared(document, protocol);
  test.each(rows.map(([line, answer]) => [line, answer] as const))("%s", (line, answer) => {
    db.run("JSON.SET", "k", "$", document);
    expect(db.run(...words(line))).toEqual(answer as never);
  });
}

describe("JSON.GET and JSON.MGET", () => {
  check([
    ["JSON.GET k", DOCUMENT],
    ["JSON.GET k .", DOCUMENT],
    ["JSON.GET k $", `[${DOCUMENT}]`],
    ["JSON.GET k $.a.b[1]", "[2.50]"],
    ["JSON.GET k $['a'][\"b\"][-1]", '["x"]'],
    ["JSON.GET k .a.b[1]", "2.50"],
    ["JSON.GET k a.b[-1]", '"x"'],
    ['JSON.GET k ["a"]["c"]', "true"],
    ['JSON.GET k .["a"].c', "true"],
    ["JSON.GET k .a.b[3]", missing(".a.b[3]")],
    ["JSON.GET k .zz", missing(".zz")],
    ["JSON.GET k zz", missing("zz")],
    ["JSON.GET k $.zz", "[]"],
    ["JSON.GET k $.a.b.c", "[]"],
    ["JSON.GET k $..b[0,1]", "[1,2.50]"],
    ["JSON.GET k ..b", '[1,2.50,"x"]'],
    ["JSON.GET k .a.*", '[1,2.50,"x"]'],
    ["JSON.GET k $.a.b[?@>1]", "[2.50]"],
    ["JSON.GET k $.a.b[?(@>1)]", "[2.50]"],
    ["JSON.GET k $.big $.n", '{"$.big":[12345678901234567890],"$.n":[null]}'],
    ["JSON.GET k .big .n", '{".big":12345678901234567890,".n":null}'],
    ["JSON.GET k .n $.n", '{".n":[null],"$.n":[null]}'],
    ["JSON.GET k $.n $.n", '{"$.n":[null]}'],
    ["JSON.GET k $.n $.zz", '{"$.n":[null],"$.zz":[]}'],
    ["JSON.GET k .n .zz", missing(".zz")],
    ["JSON.GET k NOESCAPE .s", '"yé\\n"'],
    ["JSON.GET k INDENT _ NEWLINE | SPACE ~ .a", '{|_"b":~[|__1,|__2.50,|__"x"|_],|_"c":~true|}'],
    ["JSON.GET k INDENT _ $.e $.o", '{_"$.e":[__[]_],_"$.o":[__{}_]}'],
    ["JSON.GET k INDENT", { error: "ERR syntax error" }],
    ["JSON.GET k FORMAT STRING $", { error: "ERR FORMAT argument is not supported on RESP2" }],
    ["JSON.GET none", null],
    ["JSON.GET none $.a", null],
    ["JSON.GET string", WRONG_TYPE],
    ["JSON.MGET k none string k $.a.c", ["[true]", null, null, "[true]"]],
    ["JSON.MGET k none .a.c", ["true", null]],
    ["JSON.MGET k .zz", [null]],
    ["JSON.MGET k $.zz", ["[]"]],
  ]);

  test("FORMAT is for RESP3, where only STRING is there", () => {
    const db = prepared("[1]", 3);
    expect(db.run("JSON.GET", "k", "FORMAT", "STRING", "$")).toBe("[[1]]");
    expect(db.run("JSON.GET", "k", "$")).toBe("[[1]]");
    const refused = { error: "ERR wrong reply format" };
    expect(db.run("JSON.GET", "k", "FORMAT", "EXPAND", "$")).toEqual(refused);
  });
});

describe("questions", () => {
  check([
    ["JSON.TYPE k", "object"],
    ["JSON.TYPE k $.*", ["object", "null", "string", "integer", "array", "object"]],
    ["JSON.TYPE k $.a.b[*]", ["integer", "number", "string"]],
    ["JSON.TYPE k $..c", ["boolean"]],
    ["JSON.TYPE k .zz", null],
    ["JSON.TYPE k $.zz", []],
    ["JSON.TYPE none", null],
    ["JSON.TYPE none $", null],
    ["JSON.TYPE string", WRONG_TYPE],
    ["JSON.STRLEN k .s", 4],
    ["JSON.STRLEN k $.*", [null, null, 4, null, null, null]],
    ["JSON.STRLEN k .n", unexpected("string", "null")],
    ["JSON.STRLEN k .zz", missing(".zz")],
    ["JSON.STRLEN none .s", null],
    ["JSON.STRLEN none $.s", NO_KEY],
    ["JSON.ARRLEN k .a.b", 3],
    ["JSON.ARRLEN k $.e", [0]],
    ["JSON.ARRLEN k $.*", [null, null, null, null, 0, null]],
    ["JSON.ARRLEN k .a", missing(".a", " or not an array")],
    ["JSON.ARRLEN k .zz", missing(".zz")],
    ["JSON.ARRLEN none .e", null],
    ["JSON.ARRLEN none $.e", NO_KEY],
    ["JSON.OBJKEYS k", ["a", "n", "s", "big", "e", "o"]],
    ["JSON.OBJKEYS k $.*", [["b", "c"], null, null, null, null, []]],
    ["JSON.OBJKEYS k .e", missing(".e", " or not an object")],
    ["JSON.OBJKEYS k .zz", null],
    ["JSON.OBJKEYS none", null],
    ["JSON.OBJKEYS none $", NO_KEY],
    ["JSON.OBJLEN k", 6],
    ["JSON.OBJLEN k $.*", [2, null, null, null, null, 0]],
    ["JSON.OBJLEN k .e", unexpected("object", "array")],
    ["JSON.OBJLEN k .zz", null],
    ["JSON.OBJLEN none", null],
    ["JSON.OBJLEN none $", missing("$", " or not an object")],
    ["JSON.ARRINDEX k .a.b 2.50", 1],
    ["JSON.ARRINDEX k .a.b 2.5", 1],
    ["JSON.ARRINDEX k .a.b 1.0", -1],
    ['JSON.ARRINDEX k .a.b "\\u0078"', 2],
    ['JSON.ARRINDEX k $.a.b "x" 0 2', [-1]],
    ['JSON.ARRINDEX k $.a.b "x" -1', [2]],
    ['JSON.ARRINDEX k $.a.b "x" 9', [2]],
    ["JSON.ARRINDEX k $.a.b 1 1", [-1]],
    ["JSON.ARRINDEX k $.a.b 1 0 -3", [-1]],
    ["JSON.ARRINDEX k $.a.b 1 -9 -2", [0]],
    ["JSON.ARRINDEX k $.* 1", [null, null, null, null, -1, null]],
    ["JSON.ARRINDEX k .a 1", unexpected("array", "object")],
    ["JSON.ARRINDEX k .zz 1", missing(".zz")],
    ["JSON.ARRINDEX none .zz 1", missing(".zz")],
    ["JSON.ARRINDEX k .a.b x", { error: "ERR invalid JSON at column 1: expected a value" }],
    ["JSON.ARRINDEX k .a.b 1 x", { error: "ERR value is not an integer or out of range" }],
    ["JSON.RESP k .a", ["{", "b", ["[", 1, 2.5, "x"], "c", "true"]],
    ["JSON.RESP k $.n", [null]],
    ["JSON.RESP k .o", ["{"]],
    ["JSON.RESP k .s", "yé\n"],
    ["JSON.RESP k .zz", missing(".zz")],
    ["JSON.RESP none", null],
    ["JSON.DEBUG MEMORY k .a.b", 12],
    ["JSON.DEBUG MEMORY k $.*", [27, 4, 7, 20, 2, 2]],
    ["JSON.DEBUG MEMORY k .zz", missing(".zz")],
    ["JSON.DEBUG MEMORY none", 0],
    ["JSON.DEBUG MEMORY none $", []],
  ]);

  test("JSON.RESP has integers up to 64 bits, and keys without escapes", () => {
    const db = prepared('{"\\u0061\\n":[9223372036854775807,9223372036854775808,-0,1e2]}');
    const numbers = ["[", 9223372036854775807n, 2 ** 63, -0, 100];
    expect(db.run("JSON.RESP", "k")).toEqual(["{", "a\n", numbers]);
    expect(db.run("JSON.OBJKEYS", "k")).toEqual(["a\n"]);
    const types = ["integer", "integer", "number", "number"];
    expect(db.run("JSON.TYPE", "k", "$.*[*]")).toEqual(types);
  });

  test("JSON.DEBUG HELP tells of MEMORY", () => {
    expect(prepared().run("JSON.DEBUG", "HELP")).toContain("MEMORY key [path]");
  });

  describe("in RESP3", () => {
    check(
      [
        ["JSON.TYPE k $.a.b[*]", [["integer", "number", "string"]]],
        ["JSON.TYPE k .a", ["object"]],
        ["JSON.TYPE k .zz", [null]],
        ["JSON.TYPE none $", [null]],
        ["JSON.NUMINCRBY k $.a.b[*] 1", [[2, 3.5, null]].flat()],
        ["JSON.NUMINCRBY k .a.b[0] 1", [2]],
        ["JSON.NUMMULTBY k $.a.b[1] 2", [5]],
        ["JSON.NUMINCRBY k .zz 1", missing(".zz", " or does not contains a number")],
        ["JSON.TOGGLE k $..c", [0]],
        ["JSON.ARRPOP k $.a.b", ['"x"']],
        ["JSON.OBJKEYS k $.a", [["b", "c"]]],
      ],
      DOCUMENT,
      3,
    );
  });
});

describe("refusals", () => {
  const invalid = (text: string) => ({ error: `ERR invalid path ${text}` });
  check([
    ["JSON.GET k $.", invalid("'$.' at column 3: unexpected end")],
    ["JSON.GET k $[", invalid("'$[' at column 3: unclosed bracketed selection")],
    ["JSON.GET k $.a[?@.b==]", invalid("'$.a[?@.b==]' at column 11: unexpected end of expression")],
    ["JSON.GET k a..", invalid("'a..': bald descendant segment")],
    ["JSON.GET k ", { error: "ERR an empty path" }],
    ['JSON.SET k $ {"a":1', { error: "ERR invalid JSON at column 7: unexpected end" }],
    [
      'JSON.SET k $.a {"a":1,"a":2}',
      { error: 'ERR invalid JSON at column 8: the key "a" comes twice' },
    ],
    ["JSON.ARRAPPEND k $.a.b 1 x", { error: "ERR invalid JSON at column 1: expected a value" }],
    ["JSON.SET k $ 1 XX NX", { error: "ERR syntax error" }],
    ["JSON.SET k $ 1 GET", { error: "ERR syntax error" }],
    ["JSON.MSET k $ 1 l $", { error: "ERR wrong number of arguments for 'json.mset' command" }],
    ["JSON.DEBUG WHAT k", { error: "ERR unknown subcommand 'WHAT'. Try JSON.DEBUG HELP." }],
  ]);

  const db = prepared();

  test.each(
    [
      ...["JSON.SET string $ 1", "JSON.SET string $ 1 NX", "JSON.SET string . 1 XX"],
      ...["JSON.MERGE string $ 1", "JSON.MSET new $ 1 string $ 1", "JSON.DEL string"],
      ...["JSON.FORGET string $.a", "JSON.CLEAR string", "JSON.NUMINCRBY string $ 1"],
      ...["JSON.NUMMULTBY string . 1", 'JSON.STRAPPEND string $ "a"', "JSON.TOGGLE string $"],
      ...["JSON.ARRAPPEND string $ 1", "JSON.ARRINSERT string $ 0 1", "JSON.ARRPOP string"],
      ...["JSON.ARRTRIM string $ 0 1", "JSON.STRLEN string", "JSON.ARRLEN string $"],
      ...["JSON.OBJKEYS string", "JSON.OBJLEN string $", "JSON.ARRINDEX string $ 1"],
      ...["JSON.RESP string", "JSON.DEBUG MEMORY string"],
    ].map((line) => [line]),
  )("%s: WRONGTYPE, and nothing changes", (line) => {
    db.records();
    expect(db.run(...words(line))).toEqual(WRONG_TYPE);
    expect(db.records()).toEqual([]);
  });

  test.each([
    ...["JSON.CLEAR none", "JSON.NUMINCRBY none $ 1", "JSON.NUMMULTBY none . 1"],
    ...['JSON.STRAPPEND none $ "a"', "JSON.TOGGLE none $", "JSON.ARRAPPEND none $ 1"],
    ...["JSON.ARRINSERT none $ 0 1", "JSON.ARRPOP none", "JSON.ARRTRIM none $ 0 1"],
  ])("%s needs its key", (line) => {
    expect(db.run(...words(line))).toEqual(NO_KEY);
  });
});

describe("the table of commands", () => {
  test.each([
    ["JSON.MSET a $ 1 b $.x 2", ["a", "b"]],
    ["JSON.MGET a b c $.x", ["a", "b", "c"]],
    ["JSON.DEBUG MEMORY a $", ["a"]],
    ["JSON.ARRAPPEND a $ 1 2", ["a"]],
  ])("the keys of %s", (line, keys) => {
    expect(prepared().run("COMMAND", "GETKEYS", ...words(line))).toEqual(keys);
  });
});
