/** JSON Lines and arrays of JSON: elements of any kind, places of what is wrong, chunks of any size. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { JsonArrayReader } from "../../../src/transfer/json-array-reader.ts";
import { type ItemOptions, itemText } from "../../../src/transfer/json-item.ts";
import { JsonLinesReader } from "../../../src/transfer/json-lines-reader.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { document, readAll, shown } from "./support.ts";

const USUAL: ItemOptions = { prefix: Buffer.alloc(0), keyPath: undefined };
const BY_ID: ItemOptions = { prefix: Buffer.from("u:"), keyPath: ["id"] };

const lines = (text: string | Uint8Array, options = USUAL, size?: number) =>
  readAll(new JsonLinesReader(options), text, size).map(shown);
const array = (text: string, options = USUAL, size?: number) =>
  readAll(new JsonArrayReader(options), text, size).map(shown);

describe("an element", () => {
  test.each([
    ['{"key":"k","value":{"a":1.0}}', '1: k = json {"a":1.0}'],
    ['{"value": [1, 2], "key": "k"}', "1: k = json [1,2]"],
    ['{"key":"k","value":"text"}', "1: k = string text"],
    ['{"key":"k","value":{"$json":"text"}}', '1: k = json "text"'],
    ['{"key":"k","value":{"$json":{"$list":1}}}', '1: k = json {"$list":1}'],
    ['{"key":"k","value":{"a":{"$list":1}}}', '1: k = json {"a":{"$list":1}}'],
    ['{"key":{"$base64":"AGE="},"value":{"$base64":"YWI="}}', "1: \0a = string ab"],
    ['{"key":"k","value":1,"expiresAt":5}', "1: k = json 1 until 5"],
    ['{"key":"k","value":1,"expiresAt":"1970-01-01T00:00:01Z"}', "1: k = json 1 until 1000"],
    ['{"key":"k","value":{"$set":["a"]}}', "1: k = dump <dump>"],
  ])("%s", (text, item) => {
    expect(lines(text)).toEqual([item]);
    expect(array(`[${text}]`)).toEqual([item]);
  });

  test.each([
    ['{"key":"k"', "1:11 invalid JSON: unexpected end"],
    ["[1]", '1:1 expected an object with "key" and "value"'],
    ['{"value":1}', /^1 "key" is missing/],
    ['{"key":"k"}', '1 "value" is missing'],
    ['{"key":"k","value":1,"ttl":5}', /^1:22 unexpected member "ttl" beside/],
    ['{"key":5,"value":1}', /^1 key: expected a string/],
    ['{"key":"k","value":1,"expiresAt":"soon"}', /^1 expiresAt: expected a moment/],
    ['{"key":"k","value":{"$text":1}}', /^1:21 unknown form "\$text"/],
    ['{"key":"k","value":{"$list":[1]}}', /^1 \$list: expected a string/],
    ['{"key":"k","value":{"$list":[]}}', "1 $list: a value has no elements"],
    ['{"key":"k","value":{"$set":["a","a"]}}', "1 $set: an element comes twice"],
    ['{"key":"k","value":{"$zset":[["a","x"]]}}', /^1 \$zset: expected \["member", score\]/],
    ['{"key":"k","value":{"$hash":{"$f":"x"}}}', /^1 a field: "\$" at the front/],
    ['{"key":"k","value":{"$stream":[["entry","1-1","a","b"]]}}', /^1 \$stream: /],
    ['{"key":"k","value":{"$list":["a"],"b":1}}', /^1:21 "\$list" stands alone/],
    ['{"key":"k","value":"\\ud800"}', /^1 value: half of a surrogate pair/],
  ])("%s is refused", (text, problem) => {
    const [found] = lines(text);
    if (typeof problem === "string") expect(found).toBe(problem);
    else expect(found).toMatch(problem);
  });

  test("by a path to its key it is a document, whatever it looks like", () => {
    expect(lines('{"id":12,"n":1}\n{"id":"x"}\n{"id":1.50}', BY_ID)).toEqual([
      ...[
        '1: u:12 = json {"id":12,"n":1}',
        '2: u:x = json {"id":"x"}',
        '3: u:1.50 = json {"id":1.50}',
      ],
    ]);
    expect(lines('{"a":{"b":"k"}}', { ...BY_ID, keyPath: ["a", "b"] })).toEqual([
      '1: u:k = json {"a":{"b":"k"}}',
    ]);
    expect(lines('{"n":1}\n{"id":null}\n5', BY_ID)).toEqual([
      '1 the field "id" for the key is missing',
      '2:7 the field "id" for the key: expected a string or a number, found null',
      '3 the field "id" for the key is missing',
    ]);
  });
});

describe("places", () => {
  test.each([1, 2, 7, 1000])("of lines, in chunks of %d bytes", (size) => {
    const text = '\ufeff{"id":1}\r\n\r\n  \n{"id":"ä"x}\r\n{"id":3}\n{"id"';
    expect(lines(text, BY_ID, size)).toEqual([
      '1: u:1 = json {"id":1}',
      expect.stringMatching(/^4:10 invalid JSON: /),
      '5: u:3 = json {"id":3}',
      "6:6 invalid JSON: unexpected end",
    ]);
  });

  test.each([1, 2, 7, 1000])("of an array, in chunks of %d bytes", (size) => {
    const text =
      '\ufeff[\r\n  {"id":1,\n   "s":"[,]\\"}"},\n\n  {"id":2\n   "x":"ä"}, {"n":3} ,{"id":4}\n]\n';
    expect(array(text, BY_ID, size)).toEqual([
      '2: u:1 = json {"id":1,"s":"[,]\\"}"}',
      expect.stringMatching(/^6:4 invalid JSON: /),
      '6:14 the field "id" for the key is missing',
      '6: u:4 = json {"id":4}',
    ]);
  });

  test.each([
    ["", /^1:1 expected an array of JSON/],
    ['{"id":1}', /^1:1 expected an array of JSON/],
    ["[", /^1:2 the file ends before the array does/],
    ['[{"id":1', /^1:9 the file ends before the array does/],
    ["[,]", "1:2 expected an element"],
    ["[] x", "1:4 unexpected text behind the array"],
  ])("of %j", (text, problem) => {
    const [found, ...more] = array(text, BY_ID);
    if (typeof problem === "string") expect(found).toBe(problem);
    else expect(found).toMatch(problem);
    expect(more).toEqual([]);
  });

  test("an empty array and an empty file of lines have nothing", () => {
    expect(array(" [ ] ")).toEqual([]);
    expect(lines("\n")).toEqual([]);
  });
});

test("any JSON reads as it was written", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.jsonValue(),
      fc.integer({ min: 1, max: 50 }),
      (key, value, size) => {
        const entry = document(key, value);
        const text = itemText(entry);
        for (const [reader, file] of [
          [new JsonLinesReader(USUAL), `${text}\n`],
          [new JsonArrayReader(USUAL), `[\n${text},\n${text}\n]\n`],
        ] as const) {
          const [item] = readAll(reader, file, size);
          if (item?.kind !== "entry") throw new Error(`${text}: ${item?.message}`);
          expect(item.entry).toEqual(entry);
        }
      },
    ),
  );
});

test("values of every type read as they were written", () => {
  const db = new EngineHarness();
  const bytes = new Uint8Array([0xff, 0, 0x22]);
  db.run("SET", "$text", "x", "PX", 70_000);
  db.run("SET", bytes, bytes);
  db.run("VALUE.SET", "form", '{"$set":["a"]}');
  db.run("VALUE.SET", "escaped", '{"\\u0024set":["a"]}');
  db.run("RPUSH", "list", "b", "a", "b", bytes, "12", "");
  db.run("SADD", "set", "1", "x", bytes);
  db.run("ZADD", "zset", "-inf", "a", "inf", bytes, 0.1, "c", -0, "d");
  db.run("HSET", "hash", "$f", "1", bytes, bytes, "__proto__", "p", "7", "seven");
  db.run("HPEXPIRE", "hash", 80_000, "FIELDS", 1, "$f");
  db.run("XADD", "stream", "5-1", "f", bytes);
  db.run("XADD", "stream", "6-1", "g", "v", "g", "w");
  db.run("XGROUP", "CREATE", "stream", "group", 0);
  db.run("XREADGROUP", "GROUP", "group", "me", "COUNT", 1, "STREAMS", "stream", ">");
  db.run("SADD", "large", ...Array.from({ length: 2000 }, (_, i) => `member ${i}`));
  const [, keys] = db.run("VALUE.KEYS") as [string, (string | Uint8Array)[]];
  const found = db.run("VALUE.EXPORT", ...keys) as [string, number, string | Uint8Array][];
  const text = found.map(([kind, deadlineMs, value], i) =>
    itemText({
      ...{ key: Buffer.from(keys[i] as string), kind: kind as "json" },
      ...{ deadlineMs, value: Buffer.from(value as string) },
    }).toString(),
  );
  const other = new EngineHarness();
  for (const item of readAll(new JsonLinesReader(USUAL), text.join("\n"))) {
    if (item.kind !== "entry") throw new Error(item.message);
    const { key, kind, deadlineMs, value } = item.entry;
    expect(other.run("VALUE.IMPORT", key, kind, deadlineMs, value)).toBe(1);
  }
  expect(other.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  expect(other.run("PTTL", "$text")).toBe(70_000);
  expect(other.run("HPTTL", "hash", "FIELDS", 1, "$f")).toEqual([80_000]);
  expect(other.run("XINFO", "STREAM", "stream", "FULL")).toEqual(
    db.run("XINFO", "STREAM", "stream", "FULL"),
  );
});
