/** Every kind of reply, whole, byte by byte and at each split; what is malformed is told. */
import { expect, test } from "bun:test";
import type { Answer } from "../../../src/resp/answer.ts";
import { ReplyDecoder } from "../../../src/resp/reply-decoder.ts";

const bulk = (text: string): Answer => ({ kind: "bulk", bytes: Buffer.from(text) });
const integer = (value: number | bigint): Answer => ({ kind: "integer", value });
const nothing: Answer = { kind: "null" };

const cases: [wire: string, answers: Answer[]][] = [
  ["+OK\r\n", [{ kind: "status", text: "OK" }]],
  ["-WRONGTYPE Operation\r\n", [{ kind: "error", code: "WRONGTYPE", text: "Operation" }]],
  ["-no code\r\n", [{ kind: "error", code: "ERR", text: "no code" }]],
  ["!8\r\nERR a\r\nb\r\n", [{ kind: "error", code: "ERR", text: "a\r\nb" }]],
  [":-7\r\n", [integer(-7)]],
  [":9223372036854775807\r\n", [integer(2n ** 63n - 1n)]],
  [
    "(3492890328409238509324850943850943825024385\r\n",
    [integer(3492890328409238509324850943850943825024385n)],
  ],
  [
    ",1.5\r\n,inf\r\n,-inf\r\n,nan\r\n",
    [1.5, Infinity, -Infinity, NaN].map((value) => ({ kind: "double", value })),
  ],
  ["#t\r\n#f\r\n", [true, false].map((value) => ({ kind: "boolean", value }))],
  ["$3\r\na\r\n\r\n$0\r\n\r\n", [bulk("a\r\n"), bulk("")]],
  ["$-1\r\n*-1\r\n_\r\n", [nothing, nothing, nothing]],
  ["=8\r\ntxt:some\r\n", [{ kind: "verbatim", format: "txt", text: "some" }]],
  [
    "*0\r\n~0\r\n%0\r\n",
    [
      { kind: "array", items: [] },
      { kind: "set", items: [] },
      { kind: "map", entries: [] },
    ],
  ],
  [
    "*2\r\n:1\r\n*1\r\n$1\r\nx\r\n",
    [{ kind: "array", items: [integer(1), { kind: "array", items: [bulk("x")] }] }],
  ],
  [
    "%1\r\n+k\r\n~1\r\n:2\r\n",
    [
      {
        kind: "map",
        entries: [
          [
            { kind: "status", text: "k" },
            { kind: "set", items: [integer(2)] },
          ],
        ],
      },
    ],
  ],
  [
    ">2\r\n+message\r\n:1\r\n",
    [{ kind: "push", items: [{ kind: "status", text: "message" }, integer(1)] }],
  ],
  [
    "|1\r\n+ttl\r\n:9\r\n*1\r\n|0\r\n:1\r\n:5\r\n",
    [{ kind: "array", items: [integer(1)] }, integer(5)],
  ],
];

/** Answers of a stream that comes in these pieces. */
function decode(pieces: readonly Buffer[]): Answer[] {
  const decoder = new ReplyDecoder();
  const answers = pieces.flatMap((piece) => decoder.push(Buffer.from(piece)));
  expect(decoder.isIdle).toBe(true);
  return answers;
}

test.each(cases)("%j", (wire, answers) => {
  const bytes = Buffer.from(wire);
  expect(decode([bytes])).toEqual(answers);
  expect(decode([...bytes].map((byte) => Buffer.of(byte)))).toEqual(answers);
  for (let at = 1; at < bytes.length; at++) {
    expect(decode([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(answers);
  }
});

test("all of them as one stream", () => {
  const wire = Buffer.from(cases.map(([text]) => text).join(""));
  expect(decode([wire])).toEqual(cases.flatMap(([, answers]) => answers));
});

test("a huge string in many pieces costs time linear in its size", () => {
  const size = 64 * 1024 * 1024;
  const piece = Buffer.alloc(64 * 1024, 0x61);
  const decoder = new ReplyDecoder();
  expect(decoder.push(Buffer.from(`$${size}\r\n`))).toEqual([]);
  for (let sent = 0; sent < size; sent += piece.length) expect(decoder.push(piece)).toEqual([]);
  const [answer] = decoder.push(Buffer.from("\r\n"));
  expect(answer?.kind === "bulk" && answer.bytes.length).toBe(size);
});

test.each([
  "HTTP/1.1 400 Bad Request\r\n",
  ":12a\r\n",
  ",1.2.3\r\n",
  "$x\r\n",
  "$-2\r\n",
  "$99999999999\r\n",
  "$1\r\nabc\r\n",
  "+OK\rx",
  `${"*1\r\n".repeat(2000)}`,
  `+${"a".repeat(2 * 1024 * 1024)}`,
])("is malformed: %.30j", (wire) => {
  expect(() => new ReplyDecoder().push(Buffer.from(wire))).toThrow("does not speak RESP");
});
