/** The file as people see it: what kvdb writes, byte for byte, and what they may write by hand. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type EntryShape, elementRun, readEntryOf } from "../../suites/index.ts";
import {
  comparable,
  diskWith,
  emptyDisk,
  expectRead,
  FILE,
  fileOf,
  json,
  look,
  save,
  start,
} from "./support.ts";

const FORMAT = readFileSync(
  join(import.meta.dir, "../../../plugins/json-snapshot/FORMAT.md"),
  "utf8",
);

const examples = FORMAT.split("```json\n")
  .slice(1)
  .map((part) => part.slice(0, part.indexOf("```")));

function index(name: string, definition: string): EntryShape {
  return { key: name, value: definition, type: "index" };
}

const TEN_YEARS_ON = Date.UTC(2036, 0, 1, 0, 0, 0, 1);

/** Each form, and how kvdb writes it. */
const forms: readonly [line: string, entry: EntryShape][] = [
  [`"a": ""`, { key: "a", value: "" }],
  [`"": "no name"`, { key: "", value: "no name" }],
  [`"a": "Grüße, 世界 🎈"`, { key: "a", value: "Grüße, 世界 🎈" }],
  [String.raw`"a": "\"\\/\b\f\n\r\t\u0000\u001f"`, { key: "a", value: '"\\/\b\f\n\r\t\0\x1f' }],
  [String.raw`"\"\\\n": "x"`, { key: '"\\\n', value: "x" }],
  [`"a": {"$base64": "AAH/"}`, { key: "a", value: Buffer.from([0, 1, 255]) }],
  [`"a": {"$base64": "gA=="}`, { key: "a", value: Buffer.from([0x80]) }],
  [`"$base64:AAH/": "x"`, { key: Buffer.from([0, 1, 255]), value: "x" }],
  [`"$$": "x"`, { key: "$", value: "x" }],
  [
    `"$index:by_city": {"use":"hash","field":"a.b"}`,
    index("by_city", '{"use":"hash","field":"a.b"}'),
  ],
  [`"$index:A.b:c-1_": {}`, index("A.b:c-1_", "{}")],
  [`"$index:a": {"$json":{"$value":1},"$b":"é"}`, index("a", '{"$json":{"$value":1},"$b":"é"}')],
  [`"$$index:a": {"b":1}`, json("$index:a", '{"b":1}')],
  [`"$$base64:AAH/": "x"`, { key: "$base64:AAH/", value: "x" }],
  [`"$$$a": "x"`, { key: "$$a", value: "x" }],
  [String.raw`"$$\n": "x"`, { key: "$\n", value: "x" }],
  [`"a$": "$value"`, { key: "a$", value: "$value" }],
  [`"a": 1.0`, json("a", "1.0")],
  [`"a": -12345678901234567890e+5`, json("a", "-12345678901234567890e+5")],
  [`"a": null`, json("a", "null")],
  [`"a": []`, json("a", "[]")],
  [`"a": {}`, json("a", "{}")],
  [`"a": {"b":{"$c":1},"b":["$d",{"$e":2}]}`, json("a", '{"b":{"$c":1},"b":["$d",{"$e":2}]}')],
  [`"a": {"b":"$c,\\"$d","e":["{"]}`, json("a", '{"b":"$c,\\"$d","e":["{"]}')],
  [String.raw`"a": {"\u00e9":"\ud800"}`, json("a", String.raw`{"\u00e9":"\ud800"}`)],
  [`"a": {"$json": {"$value":1}}`, json("a", '{"$value":1}')],
  [`"a": {"$json": {"b":1,"$c":2}}`, json("a", '{"b":1,"$c":2}')],
  [String.raw`"a": {"$json": {"\u0024c":2}}`, json("a", String.raw`{"\u0024c":2}`)],
  [`"a": {"$json": "text"}`, json("a", '"text"')],
  [`"a": {"$json": ""}`, json("a", '""')],
  [
    `"a": {"$value": "x", "$expires": "2036-01-01T00:00:00.001Z"}`,
    { key: "a", value: "x", deadlineMs: TEN_YEARS_ON },
  ],
  [
    `"a": {"$value": {"b":1}, "$expires": "2036-01-01T00:00:00.001Z"}`,
    json("a", '{"b":1}', { deadlineMs: TEN_YEARS_ON }),
  ],
  [
    `"a": {"$value": {"$json": {"$b":[]}}, "$expires": "2036-01-01T00:00:00.001Z"}`,
    json("a", '{"$b":[]}', { deadlineMs: TEN_YEARS_ON }),
  ],
  [
    `"a": {"$value": {"$base64": "/w=="}, "$expires": "1970-01-01T00:00:00.001Z"}`,
    { key: "a", value: Buffer.from([255]), deadlineMs: 1 },
  ],
  [
    `"a": {"$value": "x", "$expires": "+275760-09-13T00:00:00.000Z"}`,
    { key: "a", value: "x", deadlineMs: 8.64e15 },
  ],
  [
    `"a": {"$value": "x", "$expires": 9007199254740991}`,
    { key: "a", value: "x", deadlineMs: Number.MAX_SAFE_INTEGER },
  ],
];

describe("an entry is a line", () => {
  for (const [line, entry] of forms) {
    test(line, async () => {
      const file = await fileOf([entry]);
      expect(file.toString().split("\n").slice(3, 6)).toEqual([
        '    "0": {',
        `      ${line}`,
        "    }",
      ]);
      expectRead((await look((await diskWith(file)).files)).entries, [entry]);
    });
  }
});

test("databases come by number, entries by name, with the head in front", async () => {
  const file = await fileOf([
    { key: "b", value: "2", database: 10 },
    { key: "b", value: "2" },
    { key: "a", value: "1", database: 2 },
    { key: "é", value: "3" },
    { key: "a b", value: "1" },
    { key: "a", value: "0" },
  ]);
  const head =
    /^ {2}"kvdb": \{"format": 1, "revision": 42, "time": "2026-01-02T00:00:00.000Z", "crc32": "[0-9a-f]{8}"\},$/;
  const [first, second, ...rest] = file.toString().split("\n");
  expect(first).toBe("{");
  expect(second).toMatch(head);
  expect(rest.join("\n")).toBe(`  "databases": {
    "0": {
      "a": "0",
      "a b": "1",
      "b": "2",
      "é": "3"
    },
    "2": {
      "a": "1"
    },
    "10": {
      "b": "2"
    }
  }
}
`);
});

test("an index and keys that look like it are not confused, whatever their order", async () => {
  const entries = [
    index("a", '{"use":"hash"}'),
    { key: "a", value: "1" },
    { key: "$index:a", value: "2" },
    { key: "index:a", value: "3" },
    { ...index("a", '{"use":"ordered"}'), database: 1 },
  ];
  for (const order of [entries, [...entries].reverse()]) {
    const file = await fileOf(order);
    expectRead((await look((await diskWith(file)).files)).entries, entries);
    // Changed by hand: names that come twice are looked for.
    const changed = file
      .toString()
      .replaceAll('"a"', '"\\u0061"')
      .replaceAll(': {"use', ':  {"use');
    expectRead((await look((await diskWith(changed)).files)).entries, entries);
  }
});

test("the definition of an index is compact, whatever a hand made of it", async () => {
  const content = String.raw`{"databases":{"2":{"\u0024index:a" : { "use" : "hash",
    "field": "b c" } }}}`;
  const { entries } = await look((await diskWith(content)).files);
  const definition = index("a", '{"use":"hash","field":"b c"}');
  expect(entries).toEqual([readEntryOf({ ...definition, database: 2, version: 0 })]);
});

test("a file without entries", async () => {
  const file = await fileOf([]);
  expect(file.toString().split("\n").slice(2)).toEqual(['  "databases": {}', "}", ""]);
  const { report, entries } = await look((await diskWith(file)).files);
  expect(entries).toEqual([]);
  expect(report).toMatchObject({ lastRevision: 42, clean: false, dropped: [] });
});

test("two saves of the same entries differ in the head alone, whatever the order they came in", async () => {
  const entries = Array.from({ length: 300 }, (_, i) => ({ key: `k${i}`, value: "v" }));
  const one = (await fileOf(entries)).toString().split("\n");
  const two = (await fileOf([...entries].reverse(), 43)).toString().split("\n");
  expect(two.filter((line, at) => line !== one[at])).toHaveLength(1);
});

describe("FORMAT.md", () => {
  const ada = '{"name":"Ada","tags":["math",1.0]}';
  const png = Buffer.from("iVBORw0KGgo=", "base64");
  const expected: readonly EntryShape[][] = [
    [
      { key: "name", value: "Alice" },
      { key: "session", value: "a1b2", deadlineMs: Date.UTC(2030, 0, 1) },
      json("user:1", ada),
      json("visits", "12"),
      { key: "picture", value: png, database: 3 },
    ],
    [{ key: "name", value: "Alice" }],
    [
      json("quoted", '"a document that is a string"'),
      json("filter", '{"$gt":5}'),
      json("fine as it is", '{"age":{"$gt":5}}'),
      { key: "token", value: Buffer.from([0, 1, 255]), deadlineMs: Date.UTC(2030, 0, 1) },
      { key: "queue", type: "list", value: elementRun("first", Buffer.from([0, 1, 255])) },
      { key: "scores", type: "zset", value: elementRun("Ada", -0.5, "Bob", Infinity) },
      {
        key: "user:1",
        type: "hash",
        value: elementRun("name", "Ada", 0, "$price", "5", 0, "token", "a1", Date.UTC(2030, 0, 1)),
        isTimed: true,
      },
    ],
    [
      index("by_city", '{"use":"hash","field":"address.city"}'),
      json("user:1", '{"name":"Ada","address":{"city":"London"}}'),
      { key: "$index:by_city", value: "a key that begins with $index:" },
    ],
  ];

  test("its examples load as it says", async () => {
    expect(examples).toHaveLength(expected.length);
    for (const [index, example] of examples.entries()) {
      const { entries } = await look((await diskWith(example)).files);
      expectRead(entries, expected[index] ?? []);
    }
  });

  test("its first example is as kvdb writes it, but for time and checksum", async () => {
    const disk = await diskWith(examples[0] ?? "");
    const file = await fileOf(expected[0] ?? []);
    const withoutHead = (content: Buffer) => content.toString().split("\n").toSpliced(1, 1);
    expect(withoutHead(file)).toEqual(withoutHead(disk.contents(FILE)));
  });

  test("the checksum is taken as it says", async () => {
    const file = await fileOf(expected[0] ?? []);
    const blank = file.toString().replace(/("crc32": ")[0-9a-f]{8}/, "$100000000");
    const crc32 = Bun.hash.crc32(Buffer.from(blank)).toString(16).padStart(8, "0");
    expect(file.toString()).toContain(`"crc32": "${crc32}"`);
  });
});

describe("written by hand", () => {
  const alice: EntryShape = { key: "name", value: "Alice" };

  test.each<[string, string, readonly EntryShape[]]>([
    ["the least", '{"databases":{"0":{"name":"Alice"}}}', [alice]],
    ["no database", '{"databases":{}}', []],
    ["an empty database", '{"databases":{"0":{},"3":{}}}', []],
    [
      "white space of all kinds",
      '\r\n{\t"databases" :\n{ "0":{"name"\t:\r"Alice" } } }\n\n ',
      [alice],
    ],
    ["a byte order mark", '\ufeff{"databases":{"0":{"name":"Alice"}}}', [alice]],
    [
      "the head behind, without some of it",
      '{"databases":{"0":{"name":"Alice"}},"kvdb":{"revision":5,"format":1}}',
      [alice],
    ],
    ["an empty head", '{"kvdb":{},"databases":{"0":{"name":"Alice"}}}', [alice]],
    [
      "databases in any order",
      '{"databases":{"3":{"name":"Alice"},"0":{"name":"Alice"}}}',
      [{ ...alice, database: 3 }, alice],
    ],
    [
      "names and forms with escapes",
      String.raw`{"databases":{"0":{"\u006eame":"\u0041lice","a":{"\u0024json":"x"},"\u0024$b":{"$base64":"\/w=\u003d"}}}}`,
      [alice, json("a", '"x"'), { key: "$b", value: Buffer.from([255]) }],
    ],
    [
      "a pair of surrogates",
      String.raw`{"databases":{"0":{"\ud83d\ude00":"\uD83C\uDF88!"}}}`,
      [{ key: "😀", value: "🎈!" }],
    ],
    [
      "a document over several lines",
      '{"databases":{"0":{"u":{\n  "a": [ 1.0,\n\t2 ],\n  "b c": "d e"\n}}}}',
      [json("u", '{"a":[1.0,2],"b c":"d e"}')],
    ],
    [
      "the moment before the value",
      '{"databases":{"0":{"name":{"$expires":"2036-01-01T01:30:00.0019+01:30","$value":"Alice"}}}}',
      [{ ...alice, deadlineMs: TEN_YEARS_ON }],
    ],
    ["a value without a moment", '{"databases":{"0":{"name":{"$value":"Alice"}}}}', [alice]],
    [
      "a moment that is long over",
      '{"databases":{"0":{"name":{"$value":"Alice","$expires":"1815-12-10T00:00Z"}}}}',
      [{ ...alice, deadlineMs: 1 }],
    ],
    [
      "a document that is a form",
      '{"databases":{"0":{"a":{"$json": {"$json" : {"$base64":1}}}}}}',
      [json("a", '{"$json":{"$base64":1}}')],
    ],
    [
      "keys alike in different databases",
      '{"databases":{"0":{"name":"Alice"},"1":{"name":"Alice"}}}',
      [alice, { ...alice, database: 1 }],
    ],
  ])("%s", async (_, content, entries) => {
    const disk = await diskWith(content);
    const found = await look(disk.files);
    expectRead(found.entries, entries);
    const hasRevision = content.includes('"revision"');
    expect(found.report).toMatchObject({ clean: !hasRevision, dropped: [] });
    expect(disk.contents(FILE).toString()).toBe(content);
  });

  test("has a revision of its own, above each that anybody may have seen", async () => {
    const withHead = '{"kvdb":{"revision":281},"databases":{"0":{"name":"Alice"}}}';
    const without = '{"databases":{"0":{"name":"Alice"}}}';
    for (const [content, lastRevision, revision] of [
      [withHead, 281, 282],
      [withHead, 500, 501],
      // Of this folder nothing is known, or less than somebody else has written into the file.
      [withHead, 0, 281 + 2 ** 24],
      [withHead, 280, 281 + 2 ** 24],
      [without, 0, 1],
      [without, 281, 282],
    ] as const) {
      const { files } = await diskWith(content);
      const found = await look(files, { context: { lastRevision } });
      expect(found.report).toMatchObject({ lastRevision: revision, clean: content === without });
      expect(found.entries).toEqual([readEntryOf({ ...alice, version: revision })]);
    }
  });

  test("what kvdb wrote has the revision that it was written with", async () => {
    const disk = await diskWith(await fileOf([alice]));
    for (const lastRevision of [0, 42, 99]) {
      const found = await look(disk.files, { context: { lastRevision } });
      expect(found.report).toMatchObject({ lastRevision: 42, clean: false });
      expect(found.entries).toEqual([readEntryOf({ ...alice, version: 42 })]);
    }
  });

  test("a file that kvdb wrote and somebody edited loads, and is told until the next save", async () => {
    const file = (await fileOf([alice])).toString();
    const disk = await diskWith(file.replace("Alice", "Bob"));
    const context = { lastRevision: 42 };
    const { instance, entries, report } = await start(disk.files, { context });
    expectRead(entries, [{ key: "name", value: "Bob" }]);
    expect(report).toMatchObject({
      lastRevision: 43,
      clean: false,
      dropped: [{ kind: "note", file: FILE }],
    });
    await save(instance, disk.files, [{ key: "name", value: "Bob" }], 44);
    await instance.close();
    expect((await look(disk.files)).report.dropped).toEqual([]);
  });

  test("jq's way to write it is another file with the same entries", async () => {
    const entries = forms.map(([, entry], at) => ({ ...entry, database: at }));
    const pretty = JSON.stringify(JSON.parse((await fileOf(entries)).toString()), undefined, 2);
    const found = await look((await diskWith(pretty)).files);
    expect(found.report.dropped).toMatchObject([{ kind: "note" }]);
    const keys = (read: readonly { key: string; database: number }[]) =>
      read.map(({ key, database }) => ({ key, database }));
    expect(keys(comparable(found.entries))).toEqual(
      keys(comparable(entries.map((entry) => readEntryOf(entry)))),
    );
  });
});

test("a folder without a file is empty and clean", async () => {
  const { report } = await look((await emptyDisk()).files);
  expect(report).toEqual({ records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] });
});
