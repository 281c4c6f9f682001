import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

describe("VALUE.SET and VALUE.GET", () => {
  test("NX and XX are SET's, and so are all times", () => {
    const db = new EngineHarness();
    expect(db.run("VALUE.SET", "k", "1", "XX")).toBeNull();
    expect(db.run("VALUE.SET", "k", "{}", "NX")).toBe("OK");
    expect(db.run("VALUE.SET", "k", "2", "NX")).toBeNull();
    expect(db.run("VALUE.SET", "k", "[1]", "XX", "EX", 10)).toBe("OK");
    expect(db.run("PTTL", "k")).toBe(10_000);
    expect(db.run("VALUE.SET", "k", "3", "EXAT", Math.ceil(db.now() / 1000) + 5)).toBe("OK");
    expect(db.run("VALUE.SET", "k", "4", "PXAT", db.now() + 700, "XX")).toBe("OK");
    expect(db.run("PTTL", "k")).toBe(700);
    expect(db.run("VALUE.GET", "k")).toBe("4");
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
    const last = db.records().at(-1)?.commands;
    expect(last).toEqual([`VALUE.SET k 4 PXAT ${db.now() + 700}`]);
    for (const wrong of [["NX", "XX"], ["EX"], ["EX", 1, "PX", 1], ["GET"], ["IFEQ", "1"], ["x"]]) {
      expect(db.run("VALUE.SET", "k", "5", ...wrong)).toEqual({ error: "ERR syntax error" });
    }
  });

  /** What is given, the type it gets, what GET answers, what VALUE.GET answers. */
  test.each([
    ['{"a":[1,2,{"b":null}],"x":true}', "ReJSON-RL", null, null],
    [' { "b" : 1 , "a" : "x y" } ', "ReJSON-RL", '{"b":1,"a":"x y"}', null],
    ["[ ]", "ReJSON-RL", "[]", null],
    ["[1.0, 1e2, 100000000000000000000]", "ReJSON-RL", "[1.0,1e2,100000000000000000000]", null],
    ['["\\u00e9 \\" é"]', "ReJSON-RL", null, null],
    ["5", "ReJSON-RL", null, null],
    [" -0.50 ", "ReJSON-RL", "-0.50", null],
    ["true", "ReJSON-RL", null, null],
    ["null", "ReJSON-RL", null, null],
    ['"Ada"', "string", "Ada", '"Ada"'],
    ["Ada", "string", null, '"Ada"'],
    ["Ada Lovelace", "string", null, '"Ada Lovelace"'],
    ['"a\\n\\u00e9\\ud83d\\ude00"', "string", "a\n\u00e9\u{1f600}", '"a\\n\u00e9\u{1f600}"'],
    ['""', "string", "", '""'],
    ["", "string", null, '""'],
    [" spaces ", "string", null, '" spaces "'],
    ['"no end', "string", null, '"\\"no end"'],
    ["1.2.3", "string", null, '"1.2.3"'],
    ["01", "string", null, '"01"'],
    ["truer", "string", null, '"truer"'],
    ["nul", "string", null, '"nul"'],
    ["tab\there\0", "string", null, '"tab\\there\\u0000"'],
  ])("%j", (given, type, stored, shown) => {
    const db = new EngineHarness();
    expect(db.run("VALUE.SET", "k", given)).toBe("OK");
    expect(db.run("TYPE", "k")).toBe(type);
    expect(db.run("GET", "k")).toBe(stored ?? given);
    const answer = db.run("VALUE.GET", "k") as string;
    expect(answer).toBe(shown ?? stored ?? given);
    expect(() => JSON.parse(answer)).not.toThrow();
    // What was answered can be given again.
    db.run("VALUE.SET", "k", answer);
    expect(db.run("GET", "k")).toBe(stored ?? given);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test.each([
    ['{"a":1', "column 7: unexpected end"],
    ['{"a" 1}', "column 6: expected ':'"],
    ["{a:1}", "column 2: expected a key in double quotes"],
    ["[1,]", "column 4: expected a value"],
    ["[1 2]", "column 4: expected ',' or ']'"],
    ['{"é":x}', "column 6: expected a value"],
    ['{"a":1} x', "column 9: unexpected text behind the value"],
    ['{\n  "a": 1,\n  b: 2\n}', "line 3, column 3: expected a key in double quotes"],
    ["[tru]", "column 2: expected a value"],
    ['{"a":1, "a":2}', 'column 9: the key "a" comes twice'],
    ['[{"\\u0061":{"a":1},"a":2}]', 'column 20: the key "a" comes twice'],
  ])("%j is refused at its %s", (text, problem) => {
    const db = new EngineHarness();
    db.run("SET", "k", "old");
    expect(db.run("VALUE.SET", "k", text)).toEqual({ error: `ERR invalid JSON at ${problem}` });
    expect(db.run("GET", "k")).toBe("old");
  });

  test("a record is taken by the rules of its time: a key that comes twice was right once", () => {
    const db = new EngineHarness();
    const replaying = Object.create(db.session, { origin: { value: "replay" } });
    expect(db.runIn(replaying, "VALUE.SET", "k", '{"a":1,"a":2}')).toBe("OK");
    expect(db.run("GET", "k")).toBe('{"a":1,"a":2}');
    expect(db.run("JSON.GET", "k", "$..a")).toBe("[2]");
    expect(db.run("JSON.DEL", "k", "$.b")).toBe(0);
    expect(db.run("VALUE.SET", "k", '{"a":1,"a":2}')).toEqual({
      error: 'ERR invalid JSON at column 8: the key "a" comes twice',
    });
  });

  test("half a surrogate pair is no text", () => {
    const db = new EngineHarness();
    expect(db.run("VALUE.SET", "k", ' "\\ud800"')).toEqual({
      error: "ERR invalid JSON at column 2: a string with half of a surrogate pair has no UTF-8",
    });
  });

  test("bytes that are no text", () => {
    const db = new EngineHarness();
    const bytes = Buffer.from([0xff, 0x00, 0x41]);
    db.run("VALUE.SET", "k", bytes);
    expect(db.run("GET", "k")).toEqual(bytes);
    expect(db.run("VALUE.GET", "k")).toBe('{"$base64":"/wBB"}');
    const document = Buffer.concat([Buffer.from('["'), bytes, Buffer.from('"]')]);
    expect(db.run("VALUE.SET", "k", document)).toHaveProperty("error");
  });

  test("a missing key is null", () => {
    expect(new EngineHarness().run("VALUE.GET", "k")).toBeNull();
  });

  test("a document longer than a chunk", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    const array = Array.from({ length: 2_000_000 }, (_, index) => index);
    const text = JSON.stringify(array).replaceAll(",", ", ");
    expect(text.length).toBeGreaterThan(16 * 1024 * 1024);
    expect(db.run("VALUE.SET", "k", text)).toBe("OK");
    const answer = db.run("VALUE.GET", "k") as string;
    expect(answer === JSON.stringify(array)).toBe(true);
  });
});

describe("the time to live", () => {
  test("PX is recorded as a moment", () => {
    const db = new EngineHarness();
    db.run("VALUE.SET", "k", "[1, 2]", "PX", 1000);
    expect(db.run("PTTL", "k")).toBe(1000);
    expect(db.records()[0]?.commands).toEqual([`VALUE.SET k "[1, 2]" PXAT ${db.now() + 1000}`]);
    db.run("VALUE.SET", "k", "{}", "KEEPTTL");
    expect(db.run("PTTL", "k")).toBe(1000);
    const copy = db.replayed();
    expect(copy.run("PTTL", "k")).toBe(1000);
    db.run("VALUE.SET", "k", "{}");
    expect(db.run("PTTL", "k")).toBe(-1);
    db.run("VALUE.SET", "k", "text", "PXAT", 1);
    expect(db.run("EXISTS", "k")).toBe(0);
  });

  test.each([
    [["PX", "0"], "ERR invalid expire time in 'value.set' command"],
    [["PX", "x"], "ERR value is not an integer or out of range"],
    [["PX"], "ERR syntax error"],
    [["EX"], "ERR syntax error"],
    [["PX", "1", "KEEPTTL"], "ERR syntax error"],
  ])("%p", (options, error) => {
    const db = new EngineHarness();
    expect(db.run("VALUE.SET", "k", "1", ...options)).toEqual({ error });
    expect(db.run("DBSIZE")).toBe(0);
  });
});
