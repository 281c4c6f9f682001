/** The plain form of answers, for programs: every writer of Reply, nesting, binary strings. */
import { expect, test } from "bun:test";
import { AnswerRecorder } from "../../../src/client/answer-recorder.ts";
import type { Reply } from "../../../src/commands/reply.ts";
import { renderAnswer } from "../../../src/shell/answer-text.ts";
import { quote } from "../../../src/shell/printable.ts";

function printed(write: (reply: Reply) => void, isValue = false): string {
  const recorder = new AnswerRecorder();
  write(recorder);
  return renderAnswer(recorder.take(), {
    mode: "plain",
    colour: false,
    columns: 0,
    isValue,
  }).toString();
}

test("single answers", () => {
  const cases: [write: (reply: Reply) => void, text: string][] = [
    [(reply) => reply.ok(), "OK\n"],
    [(reply) => reply.status("PONG"), "PONG\n"],
    [(reply) => reply.integer(-7), "-7\n"],
    [(reply) => reply.integer(2n ** 63n - 1n), "9223372036854775807\n"],
    [(reply) => reply.double(1.5), "1.5\n"],
    [(reply) => reply.double(Number.NEGATIVE_INFINITY), "-inf\n"],
    [(reply) => reply.boolean(true), "true\n"],
    [(reply) => reply.text('a "b"\n'), '"a \\"b\\"\\n"\n'],
    [(reply) => reply.bulk(Buffer.from("xAday"), 1, 4), '"Ada"\n'],
    [(reply) => reply.verbatim("# Server\r\na:1\r\n", "txt"), "# Server\na:1\n"],
    [(reply) => reply.null(), "null\n"],
    [(reply) => reply.nullArray(), "null\n"],
    [(reply) => reply.array(0), ""],
  ];
  for (const [write, text] of cases) expect(printed(write)).toBe(text);
});

test("JSON is printed as it came", () => {
  expect(printed((reply) => reply.text('{"a":1.0}'), true)).toBe('{"a":1.0}\n');
});

test("arrays have one element a line, nested ones are indented", () => {
  const text = printed((reply) => {
    reply.array(3);
    reply.text("a");
    reply.set(2);
    reply.integer(1);
    reply.array(1);
    reply.null();
    reply.ok();
  });
  expect(text).toBe('"a"\n  1\n    null\nOK\n');
});

test("maps have one pair a line", () => {
  const text = printed((reply) => {
    reply.map(2);
    reply.text("dir");
    reply.text("/data");
    reply.text("list");
    reply.array(1);
    reply.integer(1);
  });
  expect(text).toBe('"dir": "/data"\n"list":\n  1\n');
});

test("bytes that are not UTF-8 are escaped in a way that JSON does not have", () => {
  expect(quote(Uint8Array.of(0x41, 0xff, 0x00, 0x22, 0x5c))).toBe('"A\\xff\\x00\\"\\\\"');
});

test("no control character reaches a terminal", () => {
  for (let code = 0; code < 0x100; code++) {
    const line = quote(Buffer.from(String.fromCharCode(code)));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(JSON.parse(line)).toBe(String.fromCharCode(code));
  }
});
