/**
 * How the command line speaks: to programs through pipes, to people at a terminal. Through the
 * executable, in an empty folder.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { kvdb, type RunOptions, run } from "./support/run.ts";
import { TerminalRun } from "./support/terminal.ts";
import { Workspace } from "./support/workspace.ts";

let workspace: Workspace;
beforeEach(async () => {
  workspace = await Workspace.create();
});
afterEach(() => workspace[Symbol.asyncDispose]());

/** Standard output of a run that goes well. */
async function out(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kvdb(workspace, args);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout;
}

/** What a person sees; the program must end by itself. */
async function seen(args: string[], options: ConstructorParameters<typeof TerminalRun>[2] = {}) {
  await using run = new TerminalRun(workspace, [workspace.executable, ...args], options);
  const code = await run.exited;
  return { code, text: run.text.replaceAll("\r\n", "\n") };
}

const document = '{"name":"Ada","version":1.0,"id":12345678901234567890,"langs":["en","fr"]}';

// ---- programs ----

test("each form prints the same answer in its way", async () => {
  await out("set", "user", document);
  await out("set", "name", "Ada");
  const forms: [args: string[], text: string][] = [
    [["get", "user"], `${document}\n`],
    [["--json", "get", "user"], `${document}\n`],
    [["--raw", "get", "user"], document],
    [
      ["--csv", "get", "user"],
      'name,Ada\nversion,1.0\nid,12345678901234567890\nlangs,"[""en"",""fr""]"\n',
    ],
    [["--json", "get", "name"], '"Ada"\n'],
    [["--raw", "get", "name"], "Ada"],
    [["--json", "mget", "name", "nobody"], '["Ada",null]\n'],
    [["--raw", "mget", "name", "nobody"], "Ada\n\n"],
    [["--csv", "mget", "name", "nobody"], "Ada\n\n"],
    [["--json", "config", "get", "databases"], '{"databases":"16"}\n'],
    [["--json", "dbsize"], "2\n"],
  ];
  for (const [args, text] of forms)
    expect({ args, text: await out(...args) }).toEqual({ args, text });
});

test("--raw gives bytes back as they were", async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).reverse());
  const quoted = [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  const script = await kvdb(workspace, [], { input: `setrange image 0 "${quoted}"\n` });
  expect(script).toMatchObject({ code: 0, stdout: "256\n" });
  for (const word of ["get", "getrange"]) {
    const args = word === "get" ? ["get", "image"] : ["getrange", "image", "0", "-1"];
    const child = Bun.spawn([workspace.executable, "--raw", ...args], { cwd: workspace.folder });
    expect(Buffer.from(await child.stdout.bytes())).toEqual(bytes);
    expect(await child.exited).toBe(0);
  }
  const document = '{"$base64":"aGk="}';
  const input = `set like-bytes ${document}\nget like-bytes\n`;
  expect((await kvdb(workspace, ["--raw"], { input })).stdout).toBe(`OK\n${document}\n`);
  expect(await out("--raw", "get", "like-bytes")).toBe(document);
});

test("an argument that is not UTF-8 is refused; what stands for such bytes may be typed", async () => {
  const typed = (bytes: string) => `${workspace.executable} set typed "$(printf '${bytes}')"`;
  const refused = await run(workspace, ["sh", "-c", typed("caf\\351")]);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain("not UTF-8");
  expect(await out("get", "typed")).toBe("null\n");
  const taken = await run(workspace, ["sh", "-c", typed("\\357\\277\\275")]);
  expect(taken).toMatchObject({ code: 0, stdout: "OK\n" });
  expect(await out("get", "typed")).toBe('"\ufffd"\n');
});

test("errors go to standard error, with --json as JSON", async () => {
  await out("set", "k", "text");
  const command = await kvdb(workspace, ["--json", "incr", "k"]);
  expect(command).toMatchObject({ code: 1, stdout: "" });
  expect(JSON.parse(command.stderr)).toEqual({
    error: { code: "ERR", message: "value is not an integer or out of range" },
  });
  const usage = await kvdb(workspace, ["--json", "incr"]);
  expect(usage).toMatchObject({ code: 2, stdout: "" });
  expect(JSON.parse(usage.stderr)).toMatchObject({ error: { code: "USAGE" } });
});

test("a script's answers have the form that was asked for", async () => {
  const input = 'set a "x y"\nget a\nmget a b\n';
  expect((await kvdb(workspace, ["--json"], { input })).stdout).toBe('"OK"\n"x y"\n["x y",null]\n');
  expect((await kvdb(workspace, ["--raw"], { input })).stdout).toBe("OK\nx y\nx y\n\n");
});

test("wrong options are told what would be right, with exit code 2", async () => {
  const cases: [args: string[], fact: string][] = [
    [["--json", "--raw", "get", "k"], "--raw"],
    [["--jsn", "get", "k"], "--json"],
    [["serve", "--prot", "1"], "--port"],
    [["get", "k", "--json"], "stands before the command"],
    [["plugns"], "plugins"],
    [["inti"], "init"],
    [["config"], "show"],
    [["config", "chekc"], "check"],
    [["config", "show", "all"], "kvdb config show"],
    [["completion", "bsh"], "bash"],
    [["init", "--forse"], "--force"],
  ];
  for (const [args, fact] of cases) {
    const { code, stdout, stderr } = await kvdb(workspace, args);
    expect({ args, code, stdout, stderr }).toEqual({
      args,
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(fact),
    });
  }
});

// ---- people ----

test("a person sees documents laid out in colours, numbers as they were stored", async () => {
  await out("set", "user", document);
  const wide = await seen(["get", "user"], { columns: 120 });
  expect(wide.text).toContain("\u001b[33m12345678901234567890\u001b[39m");
  expect(wide.text.trimEnd().split("\n")).toHaveLength(1);
  const narrow = await seen(["--no-color", "get", "user"], { columns: 40 });
  expect(narrow).toEqual({
    code: 0,
    text: '{\n  "name": "Ada",\n  "version": 1.0,\n  "id": 12345678901234567890,\n  "langs": ["en", "fr"]\n}\n',
  });
});

test("a person sees lists numbered, maps in columns, errors in red", async () => {
  await out("set", "name", "Ada");
  const plain = { env: { NO_COLOR: "1" } };
  expect((await seen(["mget", "name", "nobody"], plain)).text).toBe('1) "Ada"\n2) null\n');
  expect((await seen(["config", "get", "databases"], plain)).text).toBe('databases  "16"\n');
  const error = await seen(["incr", "name"]);
  expect(error.code).toBe(1);
  expect(error.text).toStartWith("\u001b[31mERR ");
});

test("no value makes the terminal do anything", async () => {
  const evil = "\u001b]0;owned\u0007\u001b[2J\u009b2J\u202egnp.exe";
  await out("set", "evil", JSON.stringify({ evil }));
  await out("set", "text", evil);
  for (const args of [
    ["get", "evil"],
    ["get", "text"],
    ["mget", "text"],
    ["--csv", "get", "text"],
  ]) {
    const { text } = await seen(["--no-color", ...args]);
    expect(text).toContain("owned");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  }
});

test("colours come and go as flags, variables and the terminal say", async () => {
  await out("set", "n", "1");
  const colour = "\u001b[33m1\u001b[39m\n";
  const cases: [args: string[], env: RunOptions["env"], text: string][] = [
    [[], {}, colour],
    [[], { NO_COLOR: "1" }, "1\n"],
    [[], { NO_COLOR: "" }, colour],
    [[], { NO_COLOR: "1", FORCE_COLOR: "1" }, colour],
    [[], { FORCE_COLOR: "0" }, "1\n"],
    [[], { TERM: "dumb" }, "1\n"],
    [["--no-color"], { FORCE_COLOR: "1" }, "1\n"],
  ];
  for (const [args, env = {}, text] of cases) {
    expect({ args, env, ...(await seen([...args, "get", "n"], { env })) }).toEqual({
      args,
      env,
      code: 0,
      text,
    });
  }
  expect((await kvdb(workspace, ["get", "n"], { env: { FORCE_COLOR: "1" } })).stdout).toBe("1\n");
  expect(await out("--color", "get", "n")).toBe(colour);
});

// ---- what takes everything away ----

test("a person is asked before all keys are deleted", async () => {
  await out("set", "k", "1");
  const answers: [typed: string, code: number, left: string][] = [
    ["n\r", 1, "1\n"],
    ["\r", 1, "1\n"],
    ["\u0004", 1, "1\n"],
    ["yes\r", 0, "0\n"],
  ];
  for (const [typed, code, left] of answers) {
    await using run = new TerminalRun(workspace, [workspace.executable, "flushall"]);
    await run.until("Delete all keys of all databases? [y/N]");
    run.type(typed);
    expect({ typed, code: await run.exited }).toEqual({ typed, code });
    expect(await out("dbsize")).toBe(left);
  }
});

test("nobody is asked who would not see the question", async () => {
  await out("set", "k", "1");
  const unseen = `${workspace.executable} flushall 2>errors.txt`;
  await using run = new TerminalRun(workspace, ["sh", "-c", unseen]);
  expect(await run.exited).toBe(0);
  expect(await out("dbsize")).toBe("0\n");
});

test("--yes answers ahead, and a script is not asked", async () => {
  for (const flush of ["flushall", "flushdb"]) {
    await out("set", "k", "1");
    expect(await seen(["--yes", flush])).toEqual({ code: 0, text: "OK\n" });
    expect(await out("dbsize")).toBe("0\n");
    await out("set", "k", "1");
    expect(await out(flush)).toBe("OK\n");
    expect(await out("dbsize")).toBe("0\n");
  }
});

// ---- help ----

test("help tells of own words, of commands and their options, and lists all commands", async () => {
  const facts: [args: string[], facts: string[]][] = [
    [["help"], ["init", "config check", "plugins", "completion", "help commands"]],
    [
      ["help", "set"],
      ["kvdb set key", "--ttl"],
    ],
    [
      ["help", "config"],
      ["config check", "config show", "config get"],
    ],
    [
      ["help", "init"],
      ["kvdb init", "--force"],
    ],
    [
      ["help", "serve"],
      ["--port", "--appendfsync"],
    ],
    [
      ["help", "commands"],
      ["Strings and numbers:", "incrby ", "config get", "flushall"],
    ],
  ];
  for (const [args, expected] of facts) {
    const text = await out(...args);
    for (const fact of expected) expect(text).toContain(fact);
  }
});

test("help commands lists each word once, set and get as what they are here", async () => {
  const text = await out("help", "commands");
  const rows = [...text.matchAll(/^ {2}(\S+(?: \S+)?) {2,}(.*)$/gm)];
  const words = rows.map(([, word]) => word);
  expect(words.length).toBeGreaterThan(50);
  expect(new Set(words).size).toBe(words.length);
  const summaries = new Map(rows.map(([, word, summary]) => [word, summary]));
  expect(summaries.get("set")).toBe(summaries.get("value.set"));
  expect(summaries.get("get")).toBe(summaries.get("value.get"));
  expect(text).toContain("SET and GET are what clients send");
});

test("--help behind a word of kvdb's own is the help of that word, elsewhere it is data", async () => {
  for (const word of ["init", "shell", "plugin", "plugins", "config", "completion", "help"]) {
    const told = await out("help", word);
    for (const flag of ["--help", "-h"]) {
      expect({ word, flag, text: await out(word, flag) }).toEqual({ word, flag, text: told });
    }
  }
  const alone = await kvdb(workspace, ["set", "--help"]);
  expect(alone).toMatchObject({ code: 2, stdout: "" });
  expect(alone.stderr).toContain("usage: kvdb set key json");
  expect(await out("echo", "-h")).toBe('"-h"\n');
});
