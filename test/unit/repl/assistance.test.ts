/** Colours, hints and completion, over the real command table and a real engine. */
import { describe, expect, test } from "bun:test";
import { commonStart, complete } from "../../../plugins/repl/completion.ts";
import { exampleOf } from "../../../plugins/repl/help-text.ts";
import { highlight } from "../../../plugins/repl/highlight.ts";
import { lineHint } from "../../../plugins/repl/line-hint.ts";
import { findLocalWord } from "../../../plugins/repl/local-words.ts";
import { hintFor } from "../../../plugins/repl/mistaken-word.ts";
import { lifeText } from "../../../plugins/repl/sample.ts";
import { themeOf } from "../../../plugins/repl/theme.ts";
import { coreCommands } from "../../../src/commands/index.ts";
import { CommandTable } from "../../../src/commands/table.ts";
import type { Answer } from "../../../src/resp/answer.ts";
import { parseLine } from "../../../src/shell/line.ts";
import { usageOf } from "../../../src/shell/words.ts";
import { FakeClock } from "../../suites/fake-clock.ts";

const catalog = new CommandTable();
catalog.add(coreCommands, "kvdb");

const theme = themeOf({ colour: true, isDumb: false });
const isLocalWord = (word: string): boolean => findLocalWord(word) !== undefined;

/** Text with the look of each piece that has one: `<key:user>`. */
function marked(line: string): string {
  const names = new Map(Object.entries(theme).map(([look, style]) => [style, look]));
  return highlight(line, parseLine(line), { theme, catalog, isLocalWord })
    .map(({ text, style }) => (style === "" ? text : `<${names.get(style)}:${text}>`))
    .join("");
}

describe("colours", () => {
  test("of a line with everything", () => {
    const style = marked('set user {"a": [1, nul, true]} PX 5 | wc');
    expect(style).toContain(`<${nameOf("command")}:set>`);
    expect(style).toContain(`<${nameOf("key")}:user>`);
    expect(style).toContain(`<${nameOf("key")}:"a">`);
    expect(style).toContain(`<${nameOf("number")}:1>`);
    expect(style).toContain(`<${nameOf("wrong")}:nul>`);
    expect(style).toContain(`<${nameOf("literal")}:true>`);
    expect(style).toContain(`<${nameOf("program")}:wc>`);
  });

  test.each([
    ["gte a", "unknown:gte"],
    ["PEEK a", "command:PEEK"],
    ["mget a b", "key:b"],
    ['set a "x"', 'string:"x"'],
    ['set a "x"y', 'wrong:"x"'],
    ["# note", "comment:# note"],
    ["client kill", "command:client"],
  ])("%j has <%s>", (line, piece) => {
    const [look = "", ...text] = piece.split(":");
    expect(marked(line)).toContain(`<${nameOf(look as keyof typeof theme)}:${text.join(":")}>`);
  });

  /** Looks of one style share a name. */
  function nameOf(look: keyof typeof theme): string {
    return new Map(Object.entries(theme).map(([name, style]) => [style, name])).get(
      theme[look],
    ) as string;
  }

  test("the pieces are the text", () => {
    for (const line of ['set a {"b":', "get  a ", '"', "| x", 'set k [1,"a\\', "  # x"]) {
      const pieces = highlight(line, parseLine(line), { theme, catalog, isLocalWord });
      expect(pieces.map(({ text }) => text).join("")).toBe(line);
    }
  });
});

describe("hints", () => {
  function hint(line: string): string | undefined {
    const pieces = lineHint(line, parseLine(line), line.length, { catalog, theme });
    return pieces
      ?.slice(0, 3)
      .map(({ text }) => text)
      .join("");
  }

  test.each<[line: string, hint: string | undefined]>([
    ["", undefined],
    ["nonsense", undefined],
    ["append", "append key value"],
    ["append k", "append key value"],
    ["append k ", "append value"],
    ["append k v ", "append"],
    ["append k v w ", undefined],
    ["client kill", "client kill"],
    ["peek ", "peek key"],
    ["get k | wc", undefined],
  ])("%j", (line, expected) => {
    if (expected === undefined) expect(hint(line)).toBeUndefined();
    else expect(hint(line)).toStartWith(expected);
  });

  test("list has its own syntax", () => expect(hint("list")).toContain("[pattern]"));
});

test.each([
  [".exit", 'did you mean "exit"?'],
  [".quit", 'did you mean "quit"?'],
  [".HELP", 'did you mean "HELP"?'],
  ["?", 'did you mean "help"?'],
  ["\\q", 'did you mean "exit"?'],
  [":q", 'did you mean "exit"?'],
  ["quit;", 'did you mean "quit"?'],
  ["dbsize;", 'did you mean "dbsize"?'],
  ["list|head", "list | head"],
  ["dbsize|", "dbsize | less"],
])("%s is known from elsewhere", (word, hint) => expect(hintFor(word, catalog)).toContain(hint));

test.each(["get", "exit", "q", "h", ".tables", "a|b", "sett", "config|get", ";", "|"])(
  "there is no such hint for %s",
  (word) => expect(hintFor(word, catalog)).toBeUndefined(),
);

describe("completion", () => {
  const keys = ["user:1", "user:2", "visits", "odd key", "a*b", "aXb"];

  /** SCAN of a store of these keys, three at a time. */
  async function call(parts: readonly (string | Uint8Array)[]): Promise<Answer> {
    const [, cursor, , pattern] = parts.map(String);
    const from = Number(cursor);
    const glob = new Bun.Glob(pattern ?? "*");
    const items = keys.slice(from, from + 3).filter((key) => glob.match(key));
    const next = from + 3 >= keys.length ? 0 : from + 3;
    return {
      kind: "array",
      items: [
        { kind: "bulk", bytes: Buffer.from(String(next)) },
        { kind: "array", items: items.map((key) => ({ kind: "bulk", bytes: Buffer.from(key) })) },
      ],
    };
  }

  async function candidates(line: string): Promise<readonly string[]> {
    const source = { catalog, clock: new FakeClock(), call };
    return (await complete(line, line.length, source)).candidates;
  }

  test.each<[line: string, candidates: string[]]>([
    ["pee", ["peek"]],
    ["PEE", ["PEEK"]],
    ["get us", ["user:1", "user:2"]],
    ["get o", ['"odd key"']],
    ["get a*", ["a*b"]],
    ["GET v", ["visits"]],
    ["mget user:1 v", ["visits"]],
    ["peek v", ["visits"]],
    ["set v 1 --t", ["--ttl"]],
    ["list --", ["--cursor", "--limit", "--prefix"]],
    ["SET k v KEEP", ["KEEPTTL"]],
    ["set k v keep", ["keepttl"]],
    ["mode c", ["csv"]],
    ["help incrbyf", ["incrbyfloat"]],
    ["client no-t", ["no-touch"]],
    ["get k | w", []],
    ['set k {"a": u', []],
    ["nonsense u", []],
  ])("%j", async (line, expected) => expect(await candidates(line)).toEqual(expected));

  test("replaces the word that the cursor touches, and no more", async () => {
    const source = { catalog, clock: new FakeClock(), call };
    expect(await complete("get vis 1", 7, source)).toEqual({
      start: 4,
      end: 7,
      candidates: ["visits"],
    });
  });

  test("a store without end is not searched without end", async () => {
    const clock = new FakeClock();
    let calls = 0;
    const endless = async (): Promise<Answer> => {
      calls++;
      const none: Answer = { kind: "array", items: [] };
      return { kind: "array", items: [{ kind: "bulk", bytes: Buffer.from("7") }, none] };
    };
    await complete("get x", 5, { catalog, clock, call: endless });
    expect(calls).toBeLessThanOrEqual(10);
  });

  test("an error is no candidate", async () => {
    const failing = async (): Promise<Answer> => ({ kind: "error", code: "NOAUTH", text: "" });
    const source = { catalog, clock: new FakeClock(), call: failing };
    expect((await complete("get x", 5, source)).candidates).toEqual([]);
  });

  test("how far candidates agree", () => {
    expect(commonStart(["user:1", "user:22"])).toBe("user:");
    expect(commonStart(["a", "b"])).toBe("");
    expect(commonStart([])).toBe("");
  });
});

test.each([
  [0, "in less than a second"],
  [1000, "in 1 second"],
  [7_325_000, "in 2 hours 2 minutes"],
  [86_400_000 * 3 + 5, "in 3 days"],
  [-1, "never"],
])("%d ms are %s", (milliseconds, words) => expect(lifeText(milliseconds)).toBe(words));

test.each([
  ["set key json [PX milliseconds | PXAT time]", 'set user:1 {"name": "Ada"}'],
  ["mget key [key ...]", "mget user:1"],
  ["bitop <AND | OR> destkey key [key [key ...]]", "bitop AND user:2 user:1"],
])("an example of %j", (usage, example) => expect(exampleOf(usage)).toBe(example));

test("an example is a line to type, or there is none", () => {
  const examples = coreCommands.map((command) => {
    const [word = ""] = command.name.toLowerCase().split("|");
    return { name: command.name, example: exampleOf(usageOf(command, word)) };
  });
  for (const { example } of examples) expect(example ?? "").not.toMatch(/[<>|[\]]/);
  const without = examples.filter(({ example }) => example === undefined);
  expect(without.map(({ name }) => name)).toEqual(["CLIENT|KILL", "GEOSEARCH", "GEOSEARCHSTORE"]);
});
