/** find and index at a terminal: tables, the place of what is wrong, Tab, pages, Ctrl-C; and their help, whose lines run. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { argumentExamples, lineExamples } from "../../src/shell/examples.ts";
import { kvdb, run } from "./support/run.ts";
import { keys, Terminal, type TerminalOptions } from "./support/screen.ts";
import { Workspace } from "./support/workspace.ts";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});
afterAll(() => workspace[Symbol.asyncDispose]());

const PEOPLE = [
  'set user:1 {"name":"Ada","age":36,"city":"Oslo","tags":["admin","x"]}',
  'set user:2 {"name":"Bob","age":20,"city":"New York"}',
  'set user:3 {"name":"Åse","age":41,"city":"Oslo","email":"aase@example.com"}',
];

/** A script on a folder of its own, all of whose lines succeed. */
async function filled(folder: string, lines: readonly string[] = PEOPLE): Promise<void> {
  const input = lines.map((line) => `${line}\n`).join("");
  const { code, stderr } = await kvdb(workspace, ["--dir", folder], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

/** A shell at its first prompt. */
async function shell(folder: string, options: TerminalOptions = {}): Promise<Terminal> {
  const terminal = new Terminal(workspace, {
    rows: 40,
    ...options,
    args: ["--dir", folder],
    env: { KVDB_HISTORY: workspace.path(`${folder}.history`), ...options.env },
  });
  await terminal.line(`${folder}>`);
  return terminal;
}

describe("at a terminal", () => {
  test("documents are a table, an index tells its entries", async () => {
    await filled("table");
    await using terminal = await shell("table");
    terminal.enter("index city");
    await terminal.row("3 entries");
    terminal.enter('find city = "Oslo" sort -age fields name,age,tags');
    const screen = await terminal.row("2 documents");
    expect(screen.slice(-6, -1)).toEqual([
      "@key    name   age  tags",
      "──────  ─────  ───  ─────────────",
      'user:3  "Åse"   41',
      'user:1  "Ada"   36  ["admin","x"]',
      "2 documents",
    ]);
    terminal.enter("find city = Bergen");
    await terminal.row("no documents");
    terminal.enter("find age > 30 COUNT");
    await terminal.until("a count", (rows) => rows.at(-2) === "2 documents");
    terminal.enter("find * group by city count");
    await terminal.row("2 groups");
    expect(terminal.screen).toContain('"New York"      1');
    terminal.enter("explain find city = Oslo using city");
    await terminal.row("index                city");
    terminal.enter("index nothing sparse");
    await terminal.row("no document belongs into it yet");
    terminal.enter("find limit 1 cursor 0");
    await terminal.until("where to go on", (rows) =>
      rows.some((row) => row.startsWith("there are more documents: go on with cursor ")),
    );
  });

  test("what does not fit into a table has a line for each document", async () => {
    await filled("lines", ['set b {"x":1}', 'set a "text"', "set c 5"]);
    await using terminal = await shell("lines");
    terminal.enter("find * sort @key");
    await terminal.row("2 documents");
    await terminal.line("lines>");
    expect(terminal.screen.slice(-4, -2)).toEqual(['b  {"x":1}', "c  5"]);
  });

  test("a mark stands under what is wrong in a filter", async () => {
    await filled("caret");
    await using terminal = await shell("caret");
    terminal.enter('find name = "Åse" an age > 3 limit 5');
    const screen = await terminal.until("an error", (rows) =>
      rows.some((row) => row.startsWith("ERR column ")),
    );
    const at = screen.findIndex((row) => row.startsWith("ERR column "));
    expect(screen[at - 1]).toBe(`${" ".repeat((screen[at - 2] ?? "").indexOf(" an ") + 1)}^`);
    // A line of several rows: the end of the filter is shown once more.
    terminal.enter(`find ${"age > 1 and ".repeat(10)}age >`);
    const rows = await terminal.until("an error", (shown) =>
      shown.some((row) => row.startsWith("ERR column 126:")),
    );
    const [line = "", mark = ""] = rows.slice(-4, -2);
    expect(line).toStartWith("  …");
    expect(line).toEndWith("age >");
    expect(mark).toBe(`${" ".repeat(line.length)}^`);
    // An order has columns of its own.
    terminal.enter("find age > 3 sort -");
    await terminal.until("its error", (rows) => rows.at(-2)?.startsWith("ERR column 2") === true);
    expect(terminal.screen.at(-3)).toContain("sort -");
  });

  test("Tab completes fields, indexes and words", async () => {
    await filled("tab");
    await using terminal = await shell("tab");
    terminal.enter("index city");
    await terminal.row("3 entries");
    terminal.type("find ci", keys.tab);
    await terminal.line("tab> find city");
    terminal.type("= Oslo an", keys.tab);
    await terminal.line("tab> find city = Oslo and");
    terminal.type("em", keys.tab);
    await terminal.line("tab> find city = Oslo and email");
    terminal.type(keys.ctrlU, "find age > 3 usi", keys.tab);
    await terminal.line("tab> find age > 3 using");
    terminal.type("ci", keys.tab);
    await terminal.line("tab> find age > 3 using city");
  });

  test("an open bracket goes on in the next line", async () => {
    await filled("open");
    await using terminal = await shell("open");
    terminal.enter("find (name = Ada");
    await terminal.line("...");
    terminal.enter("or age > 40) count");
    await terminal.row("2 documents");
  });

  test("a long answer goes to the pager", async () => {
    await filled(
      "long",
      Array.from({ length: 100 }, (_, number) => `set k:${number} {"n":${number}}`),
    );
    await using terminal = await shell("long", { rows: 20, env: { PAGER: "head -3; echo paged" } });
    terminal.enter("find * sort n");
    await terminal.row("paged");
    expect(terminal.screen).toContain("k:0    0");
    terminal.enter("find * sort n limit 5");
    await terminal.row("5 documents");
    terminal.enter("find n < 5 | wc -l");
    await terminal.row("5");
  });

  test("Ctrl-C while documents are searched leaves a prompt that works", async () => {
    const text = "abcdefghij".repeat(500);
    await filled(
      "scan",
      Array.from({ length: 5000 }, (_, number) => `set k:${number} {"text":"${text}"}`),
    );
    await using terminal = await shell("scan", { rows: 60 });
    // Much longer than a person has to wait for a key.
    const conditions = Array.from({ length: 60 }, (_, number) => `text ~ /[^a-j]${number}/`);
    terminal.paste(`find ${conditions.join(" or ")} count`);
    await terminal.until("the line", (rows) => rows.some((row) => row.endsWith(" count")));
    terminal.type(keys.enter);
    await terminal.until("that it takes long", (rows) =>
      rows.some((row) => row.startsWith("waiting for the answer")),
    );
    terminal.type(keys.ctrlC);
    await terminal.until("the prompt", (rows) => rows.at(-1)?.startsWith("scan") === true);
    terminal.enter("dbsize");
    await terminal.row("5000");
  });
});

test("in a script an error shows the line, and the place in the filter", async () => {
  await filled("script");
  const input = "find age > 30 count\nfind (age > 30\n or city is is) count\n";
  const { code, stdout, stderr } = await kvdb(workspace, ["--dir", "script"], { input });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "2\n" });
  const [error, line, mark] = stderr.split("\n");
  expect(error).toStartWith("line 2: ERR column ");
  expect(line).toBe("   or city is is)");
  expect(mark).toBe("              ^");
  const json = await kvdb(workspace, ["--dir", "script", "--json", "find", "age >"]);
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "ERR" } });
});

test("answers for programs", async () => {
  await filled("program", ['set a:1 {"n":1,"t":{"x":[1,"é"]}}', "set a:2 2.50", 'set b {"n":"1"}']);
  const printed = async (...args: string[]) =>
    (await kvdb(workspace, ["--dir", "program", ...args])).stdout;
  expect(await printed("find", "in", "a:*", "sort", "@key")).toBe(
    '"a:1": {"n":1,"t":{"x":[1,"é"]}}\n"a:2": 2.50\n',
  );
  expect(await printed("--json", "find", "*", "sort", "@key", "limit", "2")).toBe(
    '[{"key":"a:1","value":{"n":1,"t":{"x":[1,"é"]}}},{"key":"a:2","value":2.50}]\n',
  );
  expect(await printed("--csv", "find", "*", "sort", "@key")).toBe(
    '@key,n,t,value\na:1,1,"{""x"":[1,""é""]}",\na:2,,,2.50\nb,1,,\n',
  );
  expect(await printed("--raw", "find", "n", "=", "1")).toBe('a:1\n{"n":1,"t":{"x":[1,"é"]}}\n');
  expect(await printed("find", "nothing", "exists")).toBe("");
  expect(await printed("find", "n", "exists", "count")).toBe("2\n");
  expect(await printed("find", "n", "exists", "group", "by", "n", "count")).toBe(
    '{"n":1,"count":1}\n{"n":"1","count":1}\n',
  );
  expect(await printed("--json", "find", "n = 5", "cursor", "0")).toBe(
    '{"cursor":"0","documents":[]}\n',
  );
});

describe("help", () => {
  test.each(["find", "index", "explain"])("on %s has lines that run at a prompt", async (word) => {
    const { examples } = lineExamples(word);
    expect(examples.length).toBeGreaterThan(0);
    await filled(`prompt-${word}`, [...PEOPLE, ...examples.map(({ line }) => line)]);
  });

  test.each(["find", "index", "explain"])("on %s has lines that run in a shell", async (word) => {
    await using place = await Workspace.create();
    await kvdb(place, [], { input: PEOPLE.join("\n") });
    const { stdout: help } = await kvdb(place, ["help", word]);
    const { examples } = argumentExamples(word);
    for (const { line, what } of examples) {
      expect(help.split(/ {2,}|\n/)).toContain(line);
      expect(help).toContain(what);
      const command = line.replace(/^kvdb/, `'${place.executable}'`);
      const { code, stderr } = await run(place, ["sh", "-c", command]);
      expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: "" });
    }
  });
});
