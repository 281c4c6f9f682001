/** Messages in each form of output. */
import { expect, test } from "bun:test";
import type { Answer } from "../../../src/resp/answer.ts";
import type { OutputMode } from "../../../src/shell/answer-text.ts";
import { beginsToListen, renderMessage } from "../../../src/shell/message-answer.ts";

const text = (value: string): Answer => ({ kind: "bulk", bytes: Buffer.from(value) });
const push = (...items: Answer[]): Answer => ({ kind: "push", items });
const message = push(text("message"), text("news"), text('a "b"'));

const forms: readonly (readonly [OutputMode, Answer, string])[] = [
  ["json", message, '{"type":"message","channel":"news","message":"a \\"b\\""}\n'],
  [
    "json",
    push(text("pmessage"), text("n*"), text("news"), text("x")),
    '{"type":"pmessage","pattern":"n*","channel":"news","message":"x"}\n',
  ],
  [
    "json",
    push(text("punsubscribe"), text("n*"), { kind: "integer", value: 0 }),
    '{"type":"punsubscribe","pattern":"n*","subscriptions":0}\n',
  ],
  ["csv", message, 'message,news,"a ""b"""\n'],
  ["plain", { kind: "status", text: '1.5 [0 a:1] "GET" "k"' }, '1.5 [0 a:1] "GET" "k"\n'],
  ["raw", message, 'message\nnews\na "b"\n'],
];

test.each(forms)("%s", (mode, answer, shown) => {
  const style = { mode, colour: false, columns: 0 };
  expect(renderMessage(answer, style).toString()).toBe(shown);
});

test("which commands begin to listen", () => {
  expect(beginsToListen({ name: "PSUBSCRIBE" }, ["psubscribe", "a"])).toBe(true);
  expect(beginsToListen({ name: "" }, ["ssubscribe", "a"])).toBe(true);
  expect(beginsToListen({ name: "UNSUBSCRIBE" }, ["unsubscribe"])).toBe(false);
  expect(beginsToListen({ name: "MONITOR" }, ["monitor"])).toBe(true);
  expect(beginsToListen({ name: "GET" }, ["subscribe"])).toBe(false);
});
