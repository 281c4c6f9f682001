/** Changes as people and programs see them: a table at a terminal, a line or an object for each change of a feed. */
import { expect, test } from "bun:test";
import type { Answer } from "../../../src/resp/answer.ts";
import {
  changeJson,
  changeLine,
  changeRows,
  readChangePage,
} from "../../../src/shell/change-rows.ts";
import { terminalAnswer } from "../../../src/shell/terminal-answer.ts";

const bulk = (text: string | Buffer): Answer => ({
  kind: "bulk",
  bytes: Buffer.from(text as string),
});
const integer = (value: number): Answer => ({ kind: "integer", value });
const array = (...items: Answer[]): Answer => ({ kind: "array", items });

const change = (key: Answer, event: string, command: Answer) =>
  array(
    integer(7),
    integer(Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
    integer(1),
    key,
    bulk(event),
    command,
  );

const set = change(bulk("user:1"), "set", array(bulk("SET"), bulk("user:1"), bulk("Ada L")));
const renamed = change(bulk("b"), "rename", { kind: "null" });
const flush = change({ kind: "null" }, "flushdb", array(bulk("FLUSHDB")));
const strange = change(bulk("\u001b[31m"), "set", array(bulk("SET"), bulk(Buffer.from([255]))));

test("a line has what stands in a change, and nothing that a terminal obeys", () => {
  const front = "7  2026-01-02T03:04:05.006Z  1";
  expect(changeLine(set)).toBe(`${front}  user:1  set  SET user:1 "Ada L"`);
  expect(changeLine(renamed)).toBe(`${front}  b  rename`);
  expect(changeLine(flush)).toBe(`${front}  -  flushdb  FLUSHDB`);
  expect(changeLine(strange)).toBe(`${front}  "\\u001b[31m"  set  SET "\\xff"`);
});

test("an object has every part, whatever the bytes are", () => {
  expect(JSON.parse(changeJson(set))).toEqual({
    ...{ revision: 7, timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6), database: 1 },
    ...{ key: "user:1", event: "set", command: ["SET", "user:1", "Ada L"] },
  });
  expect(JSON.parse(changeJson(flush))).toMatchObject({ key: null, command: ["FLUSHDB"] });
  expect(JSON.parse(changeJson(strange)).command[1]).toEqual({ $base64: "/w==" });
});

test("a page is a table at a terminal", () => {
  const page = readChangePage(array(integer(8), array(set, renamed)));
  expect(page?.next).toBe("8");
  const style = { columns: 100, colour: false, isValue: false };
  const lines = terminalAnswer(changeRows(page as NonNullable<typeof page>), style).split("\n");
  expect(lines[0]).toMatch(/^revision +time +db +key +event +command$/);
  expect(lines[2]).toMatch(/ 7 +2026-01-02T03:04:05.006Z +1 +"user:1" +set +SET user:1 "Ada L"$/);
  expect(lines.length).toBe(4);
});

test("what is no page of changes is left alone", () => {
  for (const answer of [array(), integer(1), array(bulk("1"), array())]) {
    expect(readChangePage(answer)).toBeUndefined();
  }
});
