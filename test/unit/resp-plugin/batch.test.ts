/** The batch of commands that is decoded ahead: what it holds, where it stops, and that it lets go of huge ones. */
import { expect, test } from "bun:test";
import { Batch } from "../../../plugins/resp/batch.ts";
import { LOOK_AHEAD } from "../../../src/plugin.ts";
import { Decoder, INCOMPLETE, MALFORMED } from "../../../src/resp/decoder.ts";
import { arrayOf } from "../resp/protocol-cases.ts";

function decode(text: string, most = LOOK_AHEAD): Batch {
  const input = Buffer.from(text, "latin1");
  const batch = new Batch();
  batch.decode(new Decoder(), input, 0, input.length, most);
  return batch;
}

const words = ({ commands, count }: Batch): string[] =>
  commands.slice(0, count).map((args) => args.text(args.count - 1));

test("at most so many commands, and where each of them ends", () => {
  const text = Array.from({ length: LOOK_AHEAD + 2 }, (_, i) => arrayOf("ECHO", `${i}`)).join("");
  const batch = decode(text);
  expect(words(batch)).toEqual(Array.from({ length: LOOK_AHEAD }, (_, i) => `${i}`));
  expect(batch.ends[1]).toBe(2 * arrayOf("ECHO", "0").length);
  expect([batch.end, batch.stopped]).toEqual([batch.ends[LOOK_AHEAD - 1] as number, 0]);
  expect(words(decode(text, 1))).toEqual(["0"]);
});

test.each([
  ["PING\r\n*1\r\n$4\r\nPI", ["PING"], 6, INCOMPLETE],
  ["PING\r\n*1\r\n$x\r\n", ["PING"], 6, MALFORMED],
  ["\r\n*0\r\nPING\r\n\r\n", ["PING"], 14, 0],
  ["\r\n\r\n", [], 4, 0],
])("%j", (text, expected, end, stopped) => {
  const batch = decode(text);
  expect({ words: words(batch), end: batch.end, stopped: batch.stopped }).toEqual({
    words: expected,
    end,
    stopped,
  });
});

test("the room that huge commands took is given back", () => {
  const batch = decode(`*1000000\r\n${"$1\r\na\r\n".repeat(1_000_000)}`.repeat(2));
  expect(batch.count).toBe(2);
  batch.release();
  for (const args of batch.commands) {
    expect(args.start.length).toBeLessThanOrEqual(65_536);
    expect([args.end.length, args.buffer.length]).toEqual([args.start.length, 0]);
  }
});
