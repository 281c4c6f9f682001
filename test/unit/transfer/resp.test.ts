/** Files of commands: what is written is read again, in chunks of any size; what is wrong is told with its place. */
import { describe, expect, test } from "bun:test";
import { OwnCommand } from "../../../src/journal/annotations.ts";
import { CommandWriter } from "../../../src/journal/effects.ts";
import { type RespItem, RespReader } from "../../../src/transfer/resp-reader.ts";
import { RespWriter } from "../../../src/transfer/resp-writer.ts";

function read(text: string | Buffer, chunk = 1 << 20): RespItem[] {
  const bytes = Buffer.from(text as string, "latin1");
  const reader = new RespReader();
  const items: RespItem[] = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    items.push(...reader.push(bytes.subarray(at, at + chunk)));
  }
  return [...items, ...reader.finish()];
}

/** `offset: word word`, or `offset! message`. */
const shown = (items: readonly RespItem[]) =>
  items.map((item) => {
    const { number, offset } = item.place;
    const text = item.kind === "problem" ? `! ${item.message}` : `: ${item.parts.join(" ")}`;
    return `${number} ${offset}${text}`;
  });

const FILE = [
  "#TS:1700000000\r\n",
  "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\n1\r\n2\r\n",
  "\r\n",
  'rpush "a list" \\x00 "\\xff"\n',
  '#kvdb-json\r\n*3\r\n$3\r\nSET\r\n$1\r\nd\r\n$7\r\n{"a":1}\r\n',
  "*2\r\n$4\r\nECHO\r\n$10\r\n#kvdb-json\r\n",
  "*5\r\n$3\r\nset\r\n$1\r\ne\r\n$2\r\n17\r\n$4\r\npxat\r\n$5\r\n99999\r\n",
  '#kvdb-do HPEXPIREAT session 1790000000000 FIELDS\r\n#kvdb-and  1 "the token"\r\n',
  "# a comment\n",
  "*2\r\n$4\r\nECHO\r\n$30\r\n#kvdb-do INDEX CREATE by USING\r\n",
  "*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n",
  "#kvdb-do last one",
].join("");

const COMMANDS = [
  "1: SET a 1\r\n2",
  "2: rpush a list \\x00 \ufffd",
  '3: VALUE.IMPORT d json 0 {"a":1}',
  "4: VALUE.IMPORT e json 99999 17",
  "5: HPEXPIREAT session 1790000000000 FIELDS 1 the token",
  "6: INDEX CREATE by USING",
  "7: ECHO hi",
  "8: last one",
];

describe("reading", () => {
  test("arrays, inline commands, comments, notes", () => {
    expect(shown(read(FILE)).map((line) => line.replace(/ \d+:/, ":"))).toEqual(COMMANDS);
  });

  test("in chunks of any size the same, with the same places", () => {
    const whole = shown(read(FILE));
    for (const size of [1, 2, 3, 7, 16, 61])
      expect([size, shown(read(FILE, size))]).toEqual([size, whole]);
    for (const item of read(FILE)) {
      if (item.kind !== "command") continue;
      expect("*#r".includes(FILE[item.place.offset] ?? "")).toBe(true);
    }
  });

  test.each([
    ["*2\r\n$3\r\nGET\r\n:1\r\n", ["1 0! Protocol error: expected '$', got ':'"]],
    ["PING\r\n*1\r\n$4\r\nPI", ["1 0: PING", "2 6! the file ends within the command"]],
    ["PING", ["1 0! the file ends within the command"]],
    ['set "a\r\nPING\r\n', ["1 0! Protocol error: unbalanced quotes in request"]],
    ['#kvdb-do set "a\r\nPING\r\n', ["1 0! its quotes are not balanced", "2 17: PING"]],
    [
      "#kvdb-json\r\nDEL a\r\nPING\r\n",
      ["1 12! behind #kvdb-json stands SET key text, with PXAT or without", "2 19: PING"],
    ],
    ["#kvdb-json\r\n", ["1 12! behind #kvdb-json stands SET key text, with PXAT or without"]],
    [
      "#kvdb-json\r\nSET a 1 EX 5\r\n",
      ["1 12! behind #kvdb-json stands SET key text, with PXAT or without"],
    ],
    ["", []],
    ["# nothing", []],
    ["\r\n\r\n", []],
  ])("%j", (text, expected) => {
    for (const size of [1, 1000]) expect(shown(read(text, size))).toEqual(expected);
  });

  test("a value of 8 MiB in small chunks takes no time", () => {
    const value = "x".repeat(8 << 20);
    const begunMs = performance.now();
    const items = read(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n${value}\r\n`, 4096);
    expect(items).toHaveLength(1);
    // Looked at again at each chunk it takes minutes.
    expect(performance.now() - begunMs).toBeLessThan(5000);
  });
});

test("lines of the log that go on are read as one command", () => {
  const words = [
    "HPEXPIREAT",
    "k",
    "5",
    "FIELDS",
    "40",
    ...Array.from({ length: 40 }, (_, i) => `f ${i}\xff`),
  ];
  const writer = new CommandWriter();
  const command = new OwnCommand();
  for (const word of words) {
    const bytes = Buffer.from(word, "latin1");
    command.word(bytes, 0, bytes.length);
  }
  command.writeTo(writer);
  const text = Buffer.from(writer.buffer.subarray(0, writer.size));
  expect(text.indexOf("#kvdb-and ")).toBeGreaterThan(0);
  for (const size of [1, 50, 10_000]) {
    const [item, ...more] = read(text.toString("latin1"), size);
    expect(more).toEqual([]);
    const parts =
      item?.kind === "command" ? item.parts.map((part) => (part as Buffer).toString("latin1")) : [];
    expect(parts).toEqual(words);
  }
});

describe("writing", () => {
  const writer = new RespWriter();
  const key = Buffer.from("a b");

  test("documents, deadlines and indexes in words that Redis takes", () => {
    const document = { key, kind: "json", deadlineMs: 5, value: Buffer.from('{"a":1}') } as const;
    const index = writer.index("by", '{"use":"hash","field":"a b","unique":true}');
    expect(String(writer.add(document))).toBe(
      '*2\r\n$4\r\nECHO\r\n$10\r\n#kvdb-json\r\n*5\r\n$3\r\nSET\r\n$3\r\na b\r\n$7\r\n{"a":1}\r\n' +
        "$4\r\nPXAT\r\n$1\r\n5\r\n",
    );
    expect(String(index)).toBe(
      '*2\r\n$4\r\nECHO\r\n$54\r\n#kvdb-do INDEX CREATE by USING hash FIELD "a b" UNIQUE\r\n',
    );
    const items = read(
      Buffer.concat([writer.database(3), writer.add(document), index]).toString("latin1"),
    );
    expect(shown(items).map((line) => line.replace(/^\d+ \d+/, ""))).toEqual([
      ": SELECT 3",
      ': VALUE.IMPORT a b json 5 {"a":1}',
      ": INDEX CREATE by USING hash FIELD a b UNIQUE",
    ]);
  });
});
