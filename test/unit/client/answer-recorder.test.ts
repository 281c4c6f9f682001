/** What a command writes becomes one value; what it writes wrongly becomes an error, once. */
import { expect, test } from "bun:test";
import { AnswerRecorder } from "../../../src/client/answer-recorder.ts";

test("a container takes the answers that follow it", () => {
  const recorder = new AnswerRecorder();
  recorder.map(1);
  recorder.text("list");
  recorder.array(2);
  recorder.integer(2n ** 60n);
  recorder.integer(5n);
  expect(recorder.take()).toEqual({
    kind: "map",
    entries: [
      [
        { kind: "bulk", bytes: Buffer.from("list") },
        {
          kind: "array",
          items: [
            { kind: "integer", value: 2n ** 60n },
            { kind: "integer", value: 5 },
          ],
        },
      ],
    ],
  });
});

test("a string is copied when it is written: the buffer is used again", () => {
  const bytes = Buffer.from("xAday");
  const recorder = new AnswerRecorder();
  recorder.bulk(bytes, 1, 4);
  bytes.fill(0);
  expect(recorder.take()).toEqual({ kind: "bulk", bytes: Buffer.from("Ada") });
});

test("what was taken back is not in the answer", () => {
  const recorder = new AnswerRecorder();
  const mark = recorder.mark();
  recorder.array(2);
  recorder.text("half");
  recorder.rewind(mark);
  recorder.error("ERR", "no such thing");
  expect(recorder.take()).toEqual({ kind: "error", code: "ERR", text: "no such thing" });
});

test("no reply, half a reply and two replies are told, and do not spoil the next one", () => {
  const recorder = new AnswerRecorder();
  expect(() => recorder.take()).toThrow("no reply");
  recorder.array(1);
  expect(() => recorder.take()).toThrow("incomplete");
  recorder.ok();
  recorder.ok();
  expect(() => recorder.take()).toThrow("more than one");
  recorder.ok();
  expect(recorder.take()).toEqual({ kind: "status", text: "OK" });
});
