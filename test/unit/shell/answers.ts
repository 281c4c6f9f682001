/** Answers for tests: short ways to write them, and arbitrary ones for properties. */
import fc from "fast-check";
import type { Answer } from "../../../src/resp/answer.ts";
import { type OutputStyle, renderAnswer } from "../../../src/shell/answer-text.ts";

export const bulk = (text: string | Uint8Array): Answer => ({
  kind: "bulk",
  bytes: Buffer.from(text as string),
});
export const integer = (value: number | bigint): Answer => ({ kind: "integer", value });
export const double = (value: number): Answer => ({ kind: "double", value });
export const status = (text: string): Answer => ({ kind: "status", text });
export const array = (...items: Answer[]): Answer => ({ kind: "array", items });
export const map = (...entries: [Answer, Answer][]): Answer => ({ kind: "map", entries });
export const record = (values: Record<string, Answer>): Answer =>
  map(...Object.entries(values).map(([key, value]): [Answer, Answer] => [bulk(key), value]));
export const nil: Answer = { kind: "null" };
export const yes: Answer = { kind: "boolean", value: true };
export const failure: Answer = { kind: "error", code: "ERR", text: 'no "x"' };

export function rendered(answer: Answer, style: Partial<OutputStyle> = {}): string {
  const whole = { mode: "plain", colour: false, columns: 0, isValue: false, ...style } as const;
  return renderAnswer(answer, whole).toString();
}

const text = fc.string({ unit: "binary", maxLength: 12 });
const bytes = fc.oneof(
  text.map((one) => Buffer.from(one)),
  fc.uint8Array({ maxLength: 12 }).map((one) => Buffer.from(one)),
);

export const anyAnswer: fc.Arbitrary<Answer> = fc.letrec<{ answer: Answer }>((tie) => ({
  answer: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    bytes.map((one): Answer => ({ kind: "bulk", bytes: one })),
    text.map(status),
    text.map((one): Answer => ({ kind: "verbatim", text: one, format: "txt" })),
    text.map((one): Answer => ({ kind: "error", code: "ERR", text: one })),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(integer),
    fc.integer().map(integer),
    fc.double().map(double),
    fc.boolean().map((value): Answer => ({ kind: "boolean", value })),
    fc.constant(nil),
    fc
      .record({
        kind: fc.constantFrom("array", "set", "push"),
        items: fc.array(tie("answer"), { maxLength: 4 }),
      })
      .map((one): Answer => one),
    fc
      .array(fc.tuple(tie("answer"), tie("answer")), { maxLength: 4 })
      .map((entries): Answer => ({ kind: "map", entries })),
  ),
})).answer;

/** What paint adds to a text; nothing else of a terminal's codes is ever written. */
export function withoutPaint(painted: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes of colours begin with one
  return painted.replace(/\u001b\[(1|2|22|31|32|33|35|36|39)m/g, "");
}
