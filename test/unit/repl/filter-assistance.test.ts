/** Completion, hints and colours of find and index, over a real engine with documents in it. */
import { beforeAll, describe, expect, test } from "bun:test";
import { complete } from "../../../plugins/repl/completion.ts";
import { highlight } from "../../../plugins/repl/highlight.ts";
import { lineHint } from "../../../plugins/repl/line-hint.ts";
import { findLocalWord } from "../../../plugins/repl/local-words.ts";
import { themeOf } from "../../../plugins/repl/theme.ts";
import type { Part } from "../../../src/client/link.ts";
import { LocalLink } from "../../../src/kernel/local-link.ts";
import type { Answer } from "../../../src/resp/answer.ts";
import { parseLine } from "../../../src/shell/line.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { FakeClock } from "../../suites/fake-clock.ts";

const harness = new EngineHarness({ background: false });
const catalog = harness.engine.commands;
const link = new LocalLink(harness.engine, { address: "test" });
const theme = themeOf({ colour: true, isDumb: false });

/** Commands that were sent, for how often the store is asked. */
const asked: string[] = [];

async function call(parts: readonly Part[]): Promise<Answer> {
  asked.push(parts.map(String).join(" "));
  const answer = link.run(parts);
  harness.endTurn();
  return answer;
}

beforeAll(async () => {
  await call(["JSON.SET", "u:1", "$", '{"city":"Oslo","age":3,"odd name":1,"address":{"zip":1}}']);
  await call(["JSON.SET", "u:2", "$", '{"citizen":true}']);
  await call(["SET", "text", "no document"]);
});

async function candidates(line: string): Promise<readonly string[]> {
  const source = { catalog, clock: new FakeClock(), call };
  return (await complete(line, line.length, source)).candidates;
}

describe("completion", () => {
  test.each<[line: string, candidates: string[]]>([
    ["fin", ["find"]],
    ["find ci", ["citizen", "city"]],
    ["find city = Oslo and ag", ["age"]],
    ["find (ag", ["age"]],
    ["find @", ["@key"]],
    ['find "o', ['"odd name"']],
    ["find address.", ["address.zip"]],
    ["find not ci", ["citizen", "city"]],
    ["find lim", ["limit"]],
    ["FIND LIM", ["LIMIT"]],
    ["find city = Oslo lim", ["limit"]],
    ["find city = Oslo ", [...["and", "count", "cursor", "fields", "group", "in", "limit"], "or"]],
    ["find city = Oslo a", ["and"]],
    ["find city b", ["between"]],
    ["find city st", ["starts with"]],
    ["find city !", ["!=", "!~"]],
    ["find city = tr", ["true"]],
    ["find age between 1 a", ["and"]],
    ['find {"ci', ['"citizen"', '"city"']],
    ["find {ag", ["age"]],
    ["find {'ag", ["'age'"]],
    ['find {"age": {"$gt', ['"$gt"', '"$gte"']],
    ["find city = Oslo sort ag", ["age"]],
    ["find city = Oslo sort -city,-ag", ["-city,-age"]],
    ["find fields city,ag", ["city,age"]],
    ["find group by ci", ["citizen", "city"]],
    ["explain find ci", ["citizen", "city"]],
    ["index ci", ["citizen", "city"]],
    ["index dr", ["drop"]],
    ["index city un", ["unique"]],
    ["index city where ag", ["age"]],
    ["index city where age = 1 un", ["unique"]],
    ["find city = 'x | le", []],
  ])("%j", async (line, expected) => {
    const found = await candidates(line);
    // Of a list of all keywords the beginning: it is as long as FIND's syntax.
    if (line.endsWith("Oslo ")) expect(found).toEqual(expect.arrayContaining(expected));
    else expect(found).toEqual(expected);
  });

  test("replaces the word of the filter, and no more", async () => {
    const source = { catalog, clock: new FakeClock(), call };
    const line = "find city = 1 and ag";
    expect(await complete(line, line.length, source)).toMatchObject({ start: 18, end: 20 });
    expect(await complete(line, "find ci".length, source)).toMatchObject({ start: 5, end: 7 });
    expect(await complete("find city ", 10, source)).toMatchObject({ start: 10, end: 10 });
  });

  test("asks a bounded number of times, and for no document", async () => {
    asked.length = 0;
    await candidates("find ci");
    expect(asked.length).toBeLessThanOrEqual(22);
    expect(asked.filter((line) => /^(?:GET|JSON\.GET|FIND)/.test(line))).toEqual([]);
  });

  test("without answers there are keywords", async () => {
    const failing = async (): Promise<Answer> => ({ kind: "error", code: "NOAUTH", text: "" });
    const source = { catalog, clock: new FakeClock(), call: failing };
    expect((await complete("find li", 7, source)).candidates).toEqual(["limit"]);
  });
});

describe("hints", () => {
  const hint = (line: string): string | undefined =>
    lineHint(line, parseLine(line), line.length, { catalog, theme })
      ?.slice(0, 2)
      .map(({ text }) => text)
      .join("");

  test.each([
    ["find", "find filter"],
    ["find city ", "find = != <"],
    ["find city = ", "find value"],
    ["find city = Oslo ", "find and or"],
    ["find city = Oslo and ", "find field"],
    ["find age between 1 ", "find and"],
    ["find limit ", "find count"],
    ["find city = Oslo limit 5 ", "find [IN prefix]"],
    ["index ", "index field"],
    ["index city ", "index [USING kind]"],
    ["index drop ", "index drop name"],
  ])("%j", (line, expected) => expect(hint(line)).toStartWith(expected));
});

describe("colours", () => {
  const isLocalWord = (word: string): boolean => findLocalWord(word) !== undefined;
  const pieces = (line: string) =>
    highlight(line, parseLine(line), { theme, catalog, isLocalWord });

  test.each<[line: string, text: string, look: keyof typeof theme]>([
    ["find city = 5", "city", "key"],
    ["find city = 5", "5", "number"],
    ["find city = Oslo", "Oslo", "string"],
    ["find city = true", "true", "literal"],
    ["find a = 1 and b = 2", "and", "command"],
    ['find {"a": [1]}', '"a"', "key"],
    ["find a = 1 limit 5", "limit", "option"],
    ["find a = 1)", ")", "wrong"],
    ["index city using hash", "using", "option"],
  ])("%j: %s", (line, text, look) => {
    expect(pieces(line)).toContainEqual({ text, style: theme[look] });
  });

  test("the pieces are the text", () => {
    const lines = ["find  a = 'x", "find {", "find a  and (b", "explain find a = 1  limit 5 | wc"];
    for (const line of lines)
      expect(
        pieces(line)
          .map(({ text }) => text)
          .join(""),
      ).toBe(line);
  });
});
