/** Values with elements in the file: how kvdb writes them, what may be written by hand, long ones, damaged ones. */
import { describe, expect, test } from "bun:test";
import { type EntryShape, elementRun, readEntryOf } from "../../suites/index.ts";
import { diskWith, expectRead, FILE, fileOf, look, parse, reasons, refusal } from "./support.ts";

const LATER_MS = Date.UTC(2036, 0, 1);
const MOMENT = '"2036-01-01T00:00:00.000Z"';
const bytes = Buffer.from([0, 1, 255]);
const { POSITIVE_INFINITY: INFINITY, NEGATIVE_INFINITY: BELOW } = Number;

const list = (...elements: (string | Uint8Array)[]): EntryShape => ({
  key: "a",
  type: "list",
  value: elementRun(...elements),
});
const set = (...members: string[]): EntryShape => ({ ...list(...members), type: "set" });
const zset = (...members: (string | number)[]): EntryShape => ({
  key: "a",
  type: "zset",
  value: elementRun(...members),
});
const hash = (...fields: (string | Uint8Array)[]): EntryShape => ({
  ...list(...fields),
  type: "hash",
});
const timed = (...fields: (string | Uint8Array | number)[]): EntryShape => ({
  key: "a",
  type: "hash",
  value: elementRun(...fields),
  isTimed: true,
});

const forms: [line: string, entry: EntryShape][] = [
  [`{"$list": ["b", "", "b"]}`, list("b", "", "b")],
  ['{"$list": ["\\"\\n", "é", {"$base64": "AAH/"}]}', list('"\n', "é", bytes)],
  [`{"$set": ["$a", "1"]}`, set("$a", "1")],
  [
    `{"$zset": [["low", "-inf"], ["a", -0], ["b", 0.1], ["top", "inf"]]}`,
    zset("low", BELOW, "a", -0, "b", 0.1, "top", INFINITY),
  ],
  [
    `{"$zset": [["a", 1e-320], ["b", 1.7976931348623157e+308]]}`,
    zset("a", 1e-320, "b", Number.MAX_VALUE),
  ],
  [`{"$hash": {"f": "v", "$$f": "$v", "": ""}}`, hash("f", "v", "$f", "$v", "", "")],
  [
    `{"$hash": {"$base64:AAH/": {"$base64": "AAH/"}, "$$base64:": "x"}}`,
    hash(bytes, bytes, "$base64:", "x"),
  ],
  [
    `{"$hash": {"f": {"$value": "v", "$expires": ${MOMENT}}, "g": "w"}}`,
    timed("f", "v", LATER_MS, "g", "w", 0),
  ],
  [
    `{"$hash": {"f": "v", "g": {"$value": {"$base64": "AAH/"}, "$expires": ${MOMENT}}}}`,
    timed("f", "v", 0, "g", bytes, LATER_MS),
  ],
  [`{"$expires": ${MOMENT}, "$value": {"$list": ["a"]}}`, { ...list("a"), deadlineMs: LATER_MS }],
];

const id = (ms: bigint, sequence: bigint) => {
  const made = Buffer.alloc(16);
  made.writeBigUInt64LE(ms);
  made.writeBigUInt64LE(sequence, 8);
  return made;
};
const number = (value: number) => elementRun(value);
const item = (tag: string, ...parts: Buffer[]) => Buffer.concat([Buffer.from(tag), ...parts]);
const [one, last] = [id(1n, 1n), id(2n ** 64n - 1n, 5n)];

/** As src/store/stream-elements.ts draws it. */
const stream: EntryShape = {
  key: "a",
  type: "stream",
  value: elementRun(
    item("S", last, id(0n, 0n), number(2)),
    ...[item("E", one, Buffer.from([1, 0, 0, 0])), "f", bytes],
    ...[item("E", last, Buffer.from([2, 0, 0, 0])), "f", "", "g", '"'],
    ...[item("G", one, number(-1)), "group"],
    ...[item("C", number(LATER_MS)), "Ada"],
    item("P", one, Buffer.from([0, 0, 0, 0]), number(LATER_MS), number(7)),
  ),
};

const streamLine = [
  '{"$stream": [["stream", "18446744073709551615-5", "0-0", "2"]',
  '["entry", "1-1", "f", {"$base64": "AAH/"}]',
  String.raw`["entry", "18446744073709551615-5", "f", "", "g", "\""]`,
  '["group", "group", "1-1", "-1"]',
  `["consumer", "Ada", "${LATER_MS}"]`,
  `["pending", "1-1", "0", "${LATER_MS}", "7"]]}`,
].join(", ");
forms.push([streamLine, stream]);

const most = id(2n ** 64n - 1n, 2n ** 64n - 1n);
const mostText = `"${2n ** 64n - 1n}-${2n ** 64n - 1n}"`;
const count = number(Number(2n ** 63n - 1n));
forms.push([
  `{"$stream": [["stream", ${mostText}, ${mostText}, "${2 ** 63}"], ["group", "g", ${mostText}, "${2 ** 63}"]]}`,
  {
    ...stream,
    value: elementRun(item("S", most, most, count), item("G", most, count), "g"),
  },
]);

const fileWith = (value: string): string => `{"databases":{"0":{"a":${value}}}}`;
const read = async (value: string) => (await look((await diskWith(fileWith(value))).files)).entries;

describe("as kvdb writes it", () => {
  test.each(forms)("%s", async (line, entry) => {
    const text = (await fileOf([entry])).toString();
    expect(text.split("\n").find((one) => one.startsWith("      "))).toBe(`      "a": ${line}`);
    expectRead(await read(line), [entry]);
  });

  test("each form is read whatever slices it comes in", () => {
    for (const [line, entry] of forms) {
      const file = Buffer.from(fileWith(line));
      for (let at = 1; at < file.length; at++) {
        const { entries, problem } = parse(file, [at]);
        expect(problem).toBeUndefined();
        expect(entries).toEqual([{ ...readEntryOf(entry), version: 0 }]);
      }
    }
  });
});

test.each(forms)("whatever value is behind it: %s", async (_line, entry) => {
  for (const [, other] of forms) {
    const both = [entry, { ...other, key: "b" }];
    expectRead((await look((await diskWith(await fileOf(both))).files)).entries, both);
  }
});

describe("by hand", () => {
  test.each<[string, EntryShape]>([
    [`{ "$list" : [ "a" , "b" ] }`, list("a", "b")],
    [
      `{"$value": {"$list": ["a"]}, "$expires": ${LATER_MS}}`,
      { ...list("a"), deadlineMs: LATER_MS },
    ],
    [`{"$hash": {"f": {"$expires": ${MOMENT}, "$value": "v"}}}`, timed("f", "v", LATER_MS)],
    [`{"$hash": {"f": {"$value": "v"}}}`, hash("f", "v")],
    [String.raw`{"$l\u0069st": ["\u0061"]}`, list("a")],
  ])("%s", async (value, entry) => {
    expectRead(await read(value), [entry]);
  });

  test.each<[string, string]>([
    [`{"$list": ^{}}`, "'['"],
    [`{"$hash": ^[]}`, "'{'"],
    [`{"$list": [^1]}`, `a string in double quotes, or {"$base64": …}, or ']'`],
    [`{"$list": ["a",^]}`, `a string in double quotes, or {"$base64": …}`],
    [`{"$list": ["a" ^"b"]}`, "',' or ']'"],
    [`{"$list": ["a"]^, "b": 1}`, "'}'"],
    [`{"$set": [{^"$json": 1}]}`, '"$base64"'],
    [`{"$set": [{"$base64": "^_"}]}`, "base64"],
    [`{"$zset": [^"a"]}`, "a member with its score"],
    [`{"$zset": [["a"^]]}`, "',' and the score"],
    [`{"$zset": [["a", ^"1"]]}`, 'a score: a number, "inf" or "-inf"'],
    [`{"$zset": [["a", ^1e999]]}`, "a score"],
    [`{"$zset": [["a", ^null]]}`, "a score"],
    [`{"$zset": [["a", 1^, 2]]}`, "']'"],
    [`{"$hash": {"a": ^1}}`, "a string in double quotes"],
    [`{"$hash": {^"$a": "1"}}`, "a field, in which"],
    [`{"$hash": {"a": {^"$list": 1}}}`, '"$base64", "$value" or "$expires"'],
    [`{"$hash": {"a": {"$value": "1", ^"$value": "2"}}}`, '"$value" and "$expires", each once'],
    [`{"$hash": {"a": {"$value": {^"$value": "2"}}}}`, '"$base64"'],
    [`{"$hash": {"a": {"$value": "1", "$expires": ^"soon"}}}`, "a moment"],
    [`{"$hash": {"a": {"$expires": 1^}}}`, '"$value" beside "$expires"'],
    [`{"$stream": [["stream", "1-1"^]]}`, "an item of a stream"],
    [`{"$stream": [["entry", "1-x", "f", "v"^]]}`, "an item of a stream"],
    [`{"$stream": [["entry", "1-1", "f"^]]}`, "an item of a stream"],
    [`{"$stream": [["entry", ^1]]}`, "a string in double quotes"],
    [`{"$stream": [^"entry"]}`, "an item of a stream"],
    [`{^"$tree": []}`, "one of"],
  ])("%s is refused with its place", async (marked, expected) => {
    const whole = fileWith(marked);
    const at = whole.indexOf("^");
    const error = await refusal(whole.replace("^", ""));
    const place = `${FILE}:1:${at + 1}: expected `;
    expect(error.message.slice(0, place.length)).toBe(place);
    expect(error.message.slice(place.length)).toStartWith(expected);
  });
});

describe("a long value", () => {
  const parts = Array.from({ length: 5 }, (_, part) =>
    elementRun(...Array.from({ length: 6000 }, (_, i) => `part ${part} element ${i}`)),
  );
  const long: EntryShape = {
    ...list(),
    key: "long",
    value: parts[0] as Buffer,
    furtherParts: parts.slice(1),
    deadlineMs: LATER_MS,
  };
  const others = [
    { key: "before", value: "b" },
    { key: "zlast", value: "z" },
  ];

  test("comes in parts, and is sorted among the others", async () => {
    const file = await fileOf([long, ...others]);
    expectRead((await look((await diskWith(file)).files)).entries, [long, ...others]);
    const names = file.toString().match(/^ {6}"\w+"/gm);
    expect(names).toEqual(['      "before"', '      "long"', '      "zlast"']);
  });

  test("of more text than is sorted", async () => {
    const many = Array.from({ length: 60 }, (_, i) => ({ ...long, key: `long ${i}` }));
    const file = await fileOf([...others, ...many]);
    expect(file.length).toBeGreaterThan(17 << 20);
    expectRead((await look((await diskWith(file)).files)).entries, [...others, ...many]);
  }, 30_000);

  test("that is damaged keeps elements in front of the damage, and all other entries", async () => {
    const file = await fileOf([long, ...others]);
    const damaged = Buffer.from(file);
    const at = damaged.indexOf('"part 3 element 100"');
    damaged[at] = 0x7b;
    const disk = await diskWith(damaged);
    const { entries, report } = await look(disk.files, { purpose: { kind: "recover" } });
    const kept = entries.find(({ key }) => key === Buffer.from("long").toString("hex"));
    const whole = readEntryOf(long);
    expect(kept).toMatchObject({ type: "list", deadlineMs: LATER_MS });
    expect(kept?.value.length).toBeGreaterThan(2 * 2 * (parts[0] as Buffer).length);
    expect(whole.value.startsWith(kept?.value as string)).toBe(true);
    expect(entries.length).toBe(3);
    expect(reasons(report.dropped).join("\n")).toContain("expected");
  });
});
