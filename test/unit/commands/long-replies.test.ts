/**
 * Replies of many strings, as bytes of the protocol: more than are handed over at once, short ones and long ones, of
 * collections that lie in one place and in many.
 */
import { expect, test } from "bun:test";
import { Arguments } from "../../../src/commands/arguments.ts";
import { RespEncoder } from "../../../src/resp/index.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** Strings of the command's reply, which is an array of bulk strings. */
function strings(db: EngineHarness, ...words: string[]): string[] {
  const [args, encoder] = [new Arguments(), new RespEncoder()];
  args.assign(words);
  encoder.begin(db.session);
  db.engine.dispatch(db.session, args, encoder);
  const pieces = [
    ...encoder.takeFull(),
    { buffer: encoder.buffer, start: encoder.lastStart, end: encoder.at },
  ];
  const text = pieces
    .map(({ buffer, start, end }) => buffer.toString("latin1", start, end))
    .join("");
  const found: string[] = [];
  let at = text.indexOf("\r\n") + 2;
  const count = Number(text.slice(1, at));
  while (at < text.length) {
    const begin = text.indexOf("\r\n", at) + 2;
    const end = begin + Number(text.slice(at + 1, begin));
    expect(text.slice(end, end + 2)).toBe("\r\n");
    found.push(text.slice(begin, end));
    at = end + 2;
  }
  expect(found).toHaveLength(count);
  return found;
}

/** Of lengths from 5 to 1500, and some that fill a good part of the encoder's buffer. */
function element(number: number): string {
  return `${number}:`.padEnd(number % 200 === 199 ? 400_000 : ((number * 37) % 1500) + 5, "-");
}

test.each([3, 256, 257, 900])("of %d elements", (count) => {
  const db = new EngineHarness({ auditEvery: 0 });
  const elements = Array.from({ length: count }, (_, number) => element(number));
  elements.forEach((text, number) => {
    db.run("SADD", "set", text);
    db.run("HSET", "hash", `f${number}`, text);
    db.run("ZADD", "sorted", number, text);
  });
  expect(strings(db, "SMEMBERS", "set").sort()).toEqual(elements.toSorted());
  expect(strings(db, "HVALS", "hash").sort()).toEqual(elements.toSorted());
  expect(strings(db, "HKEYS", "hash").sort()).toEqual(
    elements.map((_, number) => `f${number}`).sort(),
  );
  const all = strings(db, "HGETALL", "hash");
  expect(all).toHaveLength(2 * count);
  elements.forEach((text, number) => {
    expect(all[all.indexOf(`f${number}`) + 1]).toBe(text);
  });
  expect(strings(db, "ZRANGE", "sorted", "0", "-1")).toEqual(elements);
  expect(strings(db, "ZRANGE", "sorted", "0", "-1", "REV")).toEqual(elements.toReversed());
});
