/** The shell in a real pseudo-terminal: what a person types, and the screens they see. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { kvdb } from "./support/run.ts";
import { keys, Terminal, type TerminalOptions } from "./support/screen.ts";
import { Workspace } from "./support/workspace.ts";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});
afterAll(() => workspace[Symbol.asyncDispose]());

/** A shell at its first prompt, on a folder of its own. */
async function shell(folder: string, options: TerminalOptions = {}): Promise<Terminal> {
  const terminal = new Terminal(workspace, {
    ...options,
    args: ["--dir", folder, ...(options.args ?? [])],
    env: { KVDB_HISTORY: workspace.path(`${folder}.history`), ...options.env },
  });
  await terminal.line(`${folder}>`);
  return terminal;
}

describe("R13: the shell", () => {
  test("starts without a configuration, answers, and leaves with code 0", async () => {
    await using terminal = new Terminal(workspace);
    const greeting = await terminal.line(".kvdb>");
    expect(greeting.at(-2)).toBe('"help" lists the commands, Ctrl-D leaves');
    terminal.enter('set user:1 {"name":"Ada","langs":["ts",null,true,1.5]}');
    await terminal.row("OK");
    terminal.enter("get user:1");
    await terminal.row('{"name": "Ada", "langs": ["ts", null, true, 1.5]}');
    terminal.type(keys.ctrlD);
    expect(await terminal.ended()).toBe(0);
    const { stdout } = await kvdb(workspace, ["get", "user:1"]);
    expect(stdout).toBe('{"name":"Ada","langs":["ts",null,true,1.5]}\n');
  });

  test("Ctrl-C gives up the line, and not the shell", async () => {
    await using terminal = await shell("interrupt");
    terminal.type("set a 1");
    await terminal.line("interrupt> set a 1");
    terminal.type(keys.ctrlC);
    await terminal.row("interrupt> set a 1 ^C");
    await terminal.line("interrupt>");
    terminal.type(keys.ctrlC);
    await terminal.row("Ctrl-D or exit leaves");
    terminal.enter("get a");
    await terminal.row("null");
  });

  test("keys of readline", async () => {
    await using terminal = await shell("editing");
    terminal.type("get  two words", keys.altB, keys.altB, keys.backspace);
    await terminal.line("editing> get two words");
    expect(terminal.cursor.column).toBe("editing> get ".length);
    terminal.type(keys.ctrlK, keys.ctrlA, "x", keys.ctrlE, "y");
    await terminal.line("editing> xget y");
    terminal.type(keys.ctrlY, keys.left, keys.left, keys.ctrlW);
    await terminal.line("editing> xget ytwo ds");
    terminal.type(keys.ctrlU);
    await terminal.line("editing> ds");
    terminal.type(keys.ctrlL);
    await terminal.until("an empty screen", (screen) => screen[0] === "editing> ds");
  });

  test("text wider than the screen wraps, and is mended when the screen changes", async () => {
    await using terminal = await shell("narrow", { columns: 20, rows: 8 });
    terminal.type("set k 日本語日本語日本語");
    await terminal.line("日本語日本語");
    expect(terminal.screen).toContain("narrow> set k 日本語");
    terminal.type(keys.left, keys.left, "é");
    await terminal.line("日本語日é本語");
    terminal.resize(40, 8);
    await terminal.line("narrow> set k 日本語日本語日é本語");
    terminal.enter("");
    await terminal.row("OK");
    terminal.enter("get k");
    await terminal.row('"日本語日本語日é本語"');
    // No hint below: this emulator loses the cursor when rows under it wrap.
    terminal.type("unknown 日本語日本語日本語");
    await terminal.line("narrow> unknown 日本語日本語日本語");
    terminal.resize(16, 8);
    terminal.type("x");
    await terminal.line("語x");
    expect(terminal.screen.slice(-4)).toEqual([
      '本語"',
      "narrow> unknown",
      "日本語日本語日本",
      "語x",
    ]);
  });

  test("JSON may take several lines; pasted lines run when Return is pressed", async () => {
    await using terminal = await shell("lines");
    terminal.enter("set a {");
    await terminal.line("...");
    terminal.enter('"x": [1,');
    terminal.enter("2]}");
    await terminal.row("OK");
    terminal.paste('set b {"y":\n  [true]}\nset c 3\n');
    await terminal.until("the paste", (screen) => screen.includes("... set c 3"));
    terminal.enter("mget a b c");
    await terminal.row('3) "3"');
    expect(terminal.screen.filter((row) => row === "OK")).toHaveLength(3);
    expect(terminal.screen).toContain('1) "{\\"x\\":[1,2]}"');
  });

  test("controls in values do not reach the terminal", async () => {
    await using terminal = await shell("controls");
    terminal.enter(String.raw`set k "\x1b[2J\x07\u202e"`);
    terminal.enter(String.raw`set b "\xff\x00"`);
    terminal.enter("get k");
    await terminal.row(String.raw`"\u001b[2J\u0007\u202e"`);
    terminal.enter("mget b");
    await terminal.row(String.raw`1) "\xff\x00"`);
    terminal.enter("peek b");
    await terminal.row(String.raw`"\xff\x00"`);
    terminal.enter("mode raw");
    terminal.enter("get k");
    await terminal.line("controls>");
    expect(terminal.output).not.toContain("\x07");
  });

  test("errors are red and suggest what was meant", async () => {
    await using terminal = await shell("errors");
    terminal.enter("gte a");
    await terminal.row('unknown command "gte"; did you mean "get"?');
    expect(terminal.look("unknown command")?.colour).toBe("red");
    terminal.enter('set a "b');
    await terminal.row('unbalanced ", at column 7');
    terminal.enter("get");
    await terminal.row("wrong number of arguments; usage: get key");
    terminal.enter("set s abc");
    terminal.enter("incr s");
    await terminal.row("ERR value is not an integer or out of range");
    terminal.enter("mode jsno");
    await terminal.row('mode: expected plain, json, raw, csv, found "jsno"; did you mean "json"?');
  });

  test("colours: commands, keys, JSON; none with NO_COLOR", async () => {
    const line = 'set user {"a": "b", "n": 12} PX 5';
    await using terminal = await shell("colours");
    terminal.type(line);
    await terminal.line(`colours> ${line}`);
    expect(terminal.look("set user")).toMatchObject({ bold: true });
    expect(terminal.look("user {")?.colour).toBe("cyan");
    expect(terminal.look('"a"')?.colour).toBe("cyan");
    expect(terminal.look('"b"')?.colour).toBe("green");
    expect(terminal.look("12}")?.colour).toBe("yellow");
    terminal.type(keys.ctrlU, "nonsense");
    await terminal.line("colours> nonsense");
    expect(terminal.look("nonsense")?.colour).toBe("red");

    await using bare = await shell("colourless", { env: { NO_COLOR: "1" } });
    bare.type(line);
    await bare.line(`colourless> ${line}`);
    expect(bare.look('"b"')?.colour).toBe("default");
  });

  test("what has not one answer is refused", async () => {
    await using terminal = await shell("answerless");
    terminal.enter("client reply off");
    await terminal.row('"client reply" is for a connection of its own: it has not one answer');
    terminal.enter("ping");
    await terminal.row("PONG");
  });

  test("shutdown stops the engine that it runs on, and leaves", async () => {
    await using terminal = await shell("stopping");
    terminal.enter("set a 1");
    terminal.enter("shutdown");
    expect(await terminal.ended()).toBe(0);
    expect(terminal.screen.at(-1)).toBe("stopping> shutdown");
    const { stdout } = await kvdb(workspace, ["--dir", "stopping", "get", "a"]);
    expect(stdout).toBe("1\n");
  });

  test("a signal ends it in order, and the terminal is as before", async () => {
    await using terminal = await shell("signal");
    terminal.enter("info server | grep process_id");
    await terminal.until("its pid", (screen) => /^process_id:\d+$/.test(screen.at(-2) ?? ""));
    const pid = Number(/\d+/.exec(terminal.screen.at(-2) ?? "")?.[0]);
    terminal.type("half a line");
    await terminal.line("half a line");
    process.kill(pid, "SIGINT");
    await terminal.row("signal> half a line ^C");
    process.kill(pid, "SIGTERM");
    expect(await terminal.ended()).toBe(0);
    expect(terminal.output.trimEnd()).toEndWith("\x1b[?2004l");
  });

  test("a terminal without escapes gets text alone", async () => {
    await using terminal = await shell("dumb", { env: { TERM: "dumb" } });
    terminal.enter("set a {");
    await terminal.line("...");
    terminal.enter('"b": 1}');
    await terminal.row("OK");
    terminal.enter("get a");
    await terminal.row('{"b": 1}');
    terminal.type(keys.ctrlC);
    await terminal.row("Ctrl-D or exit leaves");
    terminal.type(keys.ctrlD);
    expect(await terminal.ended()).toBe(0);
    expect(terminal.output).not.toContain("\x1b");
  });
});

describe("R12: help and exit", () => {
  test("help lists every command with one line, help set its usage", async () => {
    await using terminal = await shell("help", { rows: 500, env: { PAGER: "" } });
    terminal.enter("help");
    await terminal.row("help <command> tells how it is used");
    for (const word of ["set", "get", "delete", "list", "peek", "exit", "incr", "client"]) {
      expect(terminal.screen.some((row) => row.startsWith(`  ${word} `))).toBe(true);
    }
    const words = terminal.screen.flatMap((row) => /^ {2}(\S+) {2,}/.exec(row)?.[1] ?? []);
    expect(words.length).toBeGreaterThan(50);
    expect(new Set(words).size).toBe(words.length);
    expect(terminal.screen.join("\n")).toContain("SET and GET are what clients send");
    terminal.enter("help set");
    await terminal.until("its usage", (screen) => screen.some((row) => row.startsWith("set key")));
    await terminal.until("an example", (screen) => screen.some((row) => row.includes('{"name"')));
    terminal.enter(".exit");
    await terminal.row('unknown command ".exit"; did you mean "exit"?');
    terminal.enter("list|head");
    await terminal.row("the bar of a pipe stands alone: list | head");
    terminal.enter("help sett");
    await terminal.row('unknown command "sett"; did you mean "set"?');
  });

  test.each(["exit", "quit", "EXIT"])("%s leaves with code 0", async (word) => {
    await using terminal = await shell("leaving");
    terminal.enter("set kept 1");
    terminal.enter(word);
    expect(await terminal.ended()).toBe(0);
    const { stdout } = await kvdb(workspace, ["--dir", "leaving", "get", "kept"]);
    expect(stdout).toBe("1\n");
  });
});

describe("R20: history", () => {
  test("is there after a restart: arrow up, the search, the suggestion", async () => {
    {
      await using terminal = await shell("history");
      terminal.enter("set first 1");
      terminal.enter("set second 2");
      terminal.enter('set multi {"a":');
      terminal.enter("1}");
      terminal.type(keys.ctrlD);
      expect(await terminal.ended()).toBe(0);
    }
    await using terminal = await shell("history");
    terminal.type(keys.up);
    await terminal.line("... 1}");
    terminal.type(keys.up);
    await terminal.line("history> set second 2");
    terminal.type(keys.down, keys.down);
    await terminal.line("history>");
    terminal.type("set f", keys.up);
    await terminal.line("history> set first 1");
    terminal.type(keys.ctrlU, keys.ctrlR, "sec");
    await terminal.line("search: sec  set second 2");
    terminal.type(keys.enter);
    await terminal.row("history> set second 2");
    await terminal.row("OK");
    terminal.type("set fi");
    await terminal.line("history> set first 1");
    expect(terminal.cursor.column).toBe("history> set fi".length);
    expect(terminal.look("rst 1")?.faint).toBe(true);
    terminal.type(keys.right, "0");
    await terminal.line("history> set first 10");
    expect(terminal.look("rst 10")?.faint).toBe(false);
  });

  test("holds no secret, and is the user's alone", async () => {
    await using terminal = await shell("secrets");
    terminal.enter("auth hunter2");
    terminal.enter("config set requirepass hunter2");
    terminal.enter("config set requirepass ''");
    terminal.enter(" set hidden hunter2");
    terminal.enter("set shown 1");
    await terminal.until("the last answer", (screen) => screen.at(-1) === "secrets>");
    terminal.type("auth");
    await terminal.until("no suggestion", () => terminal.cursor.text === "secrets> auth");
    terminal.type(keys.ctrlU, keys.ctrlD);
    expect(await terminal.ended()).toBe(0);
    const path = workspace.path("secrets.history");
    expect(await readFile(path, "utf8")).toBe("set shown 1\n");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("a file that cannot be written is told once", async () => {
    await using terminal = await shell("unwritable", {
      env: { KVDB_HISTORY: workspace.path("unwritable.history", "is", "no", "folder") },
    });
    await writeFile(workspace.path("unwritable.history"), "");
    terminal.enter("set a 1");
    terminal.enter("get a");
    await terminal.row("1");
    const told = terminal.screen.join("").match(/the history is not kept/g);
    expect(told).toHaveLength(1);
  });

  test("an empty KVDB_HISTORY keeps none", async () => {
    await using terminal = await shell("forgetful", { env: { KVDB_HISTORY: "" } });
    terminal.enter("set a 1");
    await terminal.row("OK");
    terminal.type(keys.up);
    await terminal.line("forgetful> set a 1");
    terminal.type(keys.ctrlC, keys.ctrlD);
    expect(await terminal.ended()).toBe(0);
    await using again = await shell("forgetful", { env: { KVDB_HISTORY: "" } });
    again.type(keys.up, "x");
    await again.line("forgetful> x");
  });

  test("two shells at once keep each other's lines", async () => {
    const env = { KVDB_HISTORY: workspace.path("shared.history") };
    await using one = await shell("one", { env });
    await using two = await shell("two", { env });
    one.enter("set a 1");
    await one.row("OK");
    two.enter("set b 2");
    await two.row("OK");
    one.enter("set c 3");
    await one.until(
      "another answer",
      (screen) => screen.filter((row) => row === "OK").length === 2,
    );
    const text = await readFile(workspace.path("shared.history"), "utf8");
    expect(text).toBe("set a 1\nset b 2\nset c 3\n");
  });
});

test("R1: with persistence none values live as long as the shell, and no file is made", async () => {
  await using own = await Workspace.create();
  await own.write("kvdb.config.json", { persistence: "none" });
  await using terminal = new Terminal(own, { env: { KVDB_HISTORY: "" } });
  await terminal.until("a prompt", (screen) => screen.at(-1)?.endsWith(">") === true);
  terminal.enter('set k {"a":1}');
  await terminal.row("OK");
  terminal.enter("get k");
  await terminal.row('{"a": 1}');
  terminal.enter("exit");
  expect(await terminal.ended()).toBe(0);
  expect(await readdir(own.folder)).toEqual(["kvdb.config.json"]);
});

test("flags before the command hold in the shell, above what the configuration says", async () => {
  await using terminal = await shell("flags", { args: ["--json", "--no-color"] });
  terminal.enter("mget a b");
  await terminal.row("[null, null]");
  terminal.enter("mode");
  await terminal.row("mode json");
});

test("when its window is closed the shell ends in order", async () => {
  await using terminal = await shell("closed");
  terminal.enter("set k 1");
  await terminal.row("OK");
  expect(await terminal.hangUp()).toBe(0);
  expect(await stat(workspace.path("closed", "kvdb.sock")).catch(({ code }) => code)).toBe(
    "ENOENT",
  );
});

test("R7: set, get, delete and list", async () => {
  await using terminal = await shell("values", { rows: 30, env: { PAGER: "head -3; echo paged" } });
  terminal.enter("set name Ada");
  terminal.enter("get name");
  await terminal.row('"Ada"');
  terminal.enter("delete name");
  await terminal.line("values>");
  terminal.enter("delete name");
  await terminal.row("no such key");
  terminal.enter("get name");
  await terminal.row("null");
  const pairs = Array.from({ length: 40 }, (_, i) => `key:${10 + i} ${i}`);
  terminal.enter(`mset ${pairs.join(" ")}`);
  terminal.enter("list key:4* limit 2");
  await terminal.row('2) "key:41"');
  terminal.enter("list");
  await terminal.row("paged");
  expect(terminal.screen).toContain(' 3) "key:12"');
});

test("R3: values come back as they were written", async () => {
  await using terminal = await shell("values3", { rows: 40, columns: 60 });
  const values = [
    ['{"a":[1,2,{"b":null}],"x":true}', '{"a": [1, 2, {"b": null}], "x": true}'],
    ["12.50", "12.50"],
    ['"12.50"', '"12.50"'],
    ["false", "false"],
    ["null", "null"],
    ['"日本 \\u00e9 \\n"', '"日本 é \\n"'],
    ['""', '""'],
    ["[]", "[]"],
    ["two", '"two"'],
  ] as const;
  for (const [at, [written]] of values.entries()) terminal.enter(`set v${at} ${written}`);
  for (const at of values.keys()) terminal.enter(`get v${at}`);
  await terminal.line(`values3>`);
  await terminal.row('"two"');
  const rows = terminal.screen;
  for (const [at, [, shown]] of values.entries()) {
    expect(rows[rows.indexOf(`values3> get v${at}`) + 1]).toBe(shown);
  }
});

describe("R13: help while typing", () => {
  test("completion: commands, subcommands, words of the command, keys", async () => {
    await using terminal = await shell("completion");
    terminal.enter("mset user:1 a user:22 b 'odd key' c");
    await terminal.row("OK");
    terminal.type("expi", keys.tab);
    await terminal.line("completion> expire");
    terminal.type(keys.tab);
    await terminal.until("a list", (screen) => /expire +expireat/.test(screen.at(-1) ?? ""));
    terminal.type(keys.ctrlU, "get us", keys.tab);
    await terminal.line("completion> get user:");
    terminal.type("2", keys.tab);
    await terminal.until("a key", () => terminal.cursor.text === "completion> get user:22");
    terminal.type(keys.ctrlU, "get o", keys.tab);
    await terminal.line('completion> get "odd key"');
    terminal.type(keys.ctrlU, "client no", keys.tab);
    await terminal.line("completion> client no-");
    terminal.type(keys.ctrlU, "SET k v KEEP", keys.tab);
    await terminal.line("completion> SET k v KEEPTTL");
    terminal.type(keys.ctrlU, "set k v --", keys.tab);
    await terminal.line("completion> set k v --ttl");
    terminal.type(keys.ctrlU, "help cli", keys.tab);
    await terminal.line("completion> help client");
  });

  test("within MULTI nothing is asked that would be queued with what is typed", async () => {
    await using terminal = await shell("queued");
    terminal.enter("mset user:1 a user:22 b");
    await terminal.row("OK");
    terminal.enter("multi");
    await terminal.line("queued (in MULTI)>");
    terminal.type("strlen us", keys.tab, "er:1", keys.enter);
    await terminal.row("QUEUED");
    terminal.enter("peek user:1");
    await terminal.row("within MULTI this would be queued: EXEC or DISCARD first");
    terminal.enter("exec");
    await terminal.row("1) 1");
    await terminal.line("queued>");
    expect(terminal.screen).not.toContain("2) 1");
    expect(terminal.screen.some((row) => row.includes("strlen user:1"))).toBe(true);
  });

  test("the syntax stands under the line and goes on with it", async () => {
    await using terminal = await shell("hint");
    terminal.type("getrange");
    await terminal.until("the hint", (screen) => (screen.at(-1) ?? "").startsWith("getrange key"));
    terminal.type(" k 0");
    await terminal.until("the rest", (screen) =>
      (screen.at(-1) ?? "").startsWith("getrange start"),
    );
    terminal.type(" ");
    await terminal.until("the end", (screen) => (screen.at(-1) ?? "").startsWith("getrange end"));
    terminal.type(keys.enter);
    await terminal.row("wrong number of arguments; usage: getrange key start end");
    expect(terminal.screen.some((row) => row.startsWith("getrange"))).toBe(false);
  });
});

describe("R13: answers", () => {
  test("peek tells type, size, time to live and the beginning", async () => {
    await using terminal = await shell("peek");
    terminal.enter('set doc {"name":"Ada"} --ttl 2h');
    terminal.enter("peek doc");
    await terminal.row('{"name": "Ada"}');
    expect(terminal.screen).toContain("type      JSON");
    expect(terminal.screen.some((row) => /^memory {4}\d+ bytes$/.test(row))).toBe(true);
    expect(terminal.screen).toContain("expires   in 1 hour 59 minutes");
    terminal.enter("peek nothing");
    await terminal.row("null");
  });

  test("modes, pipes, and the pager for what is longer than the screen", async () => {
    await using terminal = await shell("answers", { rows: 10 });
    terminal.enter("mset k1 a k2 b k3 c");
    terminal.enter("mget k1 k2 | tr a-z A-Z");
    await terminal.row('"A"');
    terminal.enter("mode json");
    terminal.enter("mget k1 nothing");
    await terminal.row('["a", null]');
    terminal.enter("list | false");
    await terminal.row("exit code 1");
    terminal.enter("help");
    await terminal.line(":"); // less waits
    terminal.type("q");
    await terminal.line("answers>");
    terminal.enter("pager off");
    await terminal.row("pager off");
    terminal.enter("help");
    await terminal.row("help <command> tells how it is used");
  });

  test("Ctrl-C in a program ends the program alone", async () => {
    await using terminal = await shell("program");
    terminal.enter("list | (echo started; sleep 60)");
    await terminal.row("started");
    terminal.type(keys.ctrlC);
    await terminal.line("program>");
    terminal.enter("get nothing");
    await terminal.row("null");
  });

  test("a signal does not wait for a program", async () => {
    await using terminal = await shell("ending");
    terminal.enter("info server | grep process_id; sleep 60");
    await terminal.until("its pid", (screen) => /^process_id:\d+$/.test(screen.at(-1) ?? ""));
    process.kill(Number(/\d+/.exec(terminal.screen.at(-1) ?? "")?.[0]), "SIGTERM");
    expect(await terminal.ended()).toBe(0);
  });

  test("keys typed while a program runs wait", async () => {
    await using terminal = await shell("ahead");
    terminal.enter("list | (echo started; read line < /dev/tty; echo got $line)");
    await terminal.row("started");
    terminal.enter("theirs");
    await terminal.row("got theirs");
    terminal.enter("get a");
    await terminal.row("null");
  });
});

test("a configuration says how the shell is", async () => {
  const config = { dir: "configured", frontends: [{ use: "repl", mode: "json", history: "h" }] };
  await writeFile(workspace.path("shell.json"), JSON.stringify(config));
  await using terminal = new Terminal(workspace, { args: ["--config", "shell.json"] });
  await terminal.line("configured>");
  terminal.enter("mget a b");
  await terminal.row("[null, null]");
  expect(await readFile(workspace.path("h"), "utf8")).toBe("mget a b\n");
});
