/**
 * What is there to set kvdb up and to look around: `init`, `config show`, `plugins`, `completion`.
 * Through the executable, in an empty folder.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { ownCommands } from "../../src/cli/own-commands.ts";
import { kvdb, type Outcome, type RunOptions, run } from "./support/run.ts";
import { TerminalRun } from "./support/terminal.ts";
import { Workspace } from "./support/workspace.ts";

let workspace: Workspace;
beforeEach(async () => {
  workspace = await Workspace.create();
  await workspace.write(".git/keep", ""); // no configuration of the machine is found from here
});
afterEach(() => workspace[Symbol.asyncDispose]());

const call = (args: readonly string[], options?: RunOptions): Promise<Outcome> =>
  kvdb(workspace, args, options);

// ---- init ----

/** A setting that is commented out, not a sentence. */
const COMMENTED = /^(\s*)\/\/ (["{[].*)$/;

test("init writes a configuration that is right, and each of its lines is", async () => {
  expect(await call(["init"])).toMatchObject({ code: 0, stderr: "" });
  const lines = (await readFile(workspace.path("kvdb.config.json"), "utf8")).split("\n");
  expect(await call(["config", "check"])).toMatchObject({ code: 0, stderr: "" });
  const commented = lines.flatMap((line, index) => (COMMENTED.test(line) ? [index] : []));
  expect(commented.length).toBeGreaterThan(10);
  const uncomment = (line: string) => line.replace(COMMENTED, "$1$2");
  for (const index of commented) {
    const text = lines.with(index, uncomment(lines[index] ?? "")).join("\n");
    await workspace.write("one.json", text);
    const { code, stderr } = await call(["--config", "one.json", "config", "check"]);
    expect({ line: lines[index], code, stderr }).toEqual({
      line: lines[index],
      code: 0,
      stderr: "",
    });
  }
  await workspace.write("all.json", lines.map(uncomment).join("\n"));
  expect(await call(["--config", "all.json", "config", "check"])).toMatchObject({ code: 0 });
}, 60_000); // a process for each of a hundred lines

test("init's file says what holds without it, and the schema beside it knows its keys", async () => {
  const settings = async (): Promise<Record<string, unknown>> => {
    const { stdout } = await call(["--json", "config", "show"]);
    const rows = JSON.parse(stdout) as { key: string; value: unknown }[];
    return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
  };
  const before = await settings();
  await call(["init"]);
  const { $schema, ...after } = await settings();
  // Who writes a configuration wants a server; without one, plain `kvdb` starts the shell.
  const others = (all: Record<string, unknown>) =>
    Object.entries(all).filter(([key]) => !key.startsWith("frontends"));
  expect(before).toMatchObject({ "frontends[0].use": "repl" });
  expect(others(after)).toEqual(others(before));
  expect(after).toMatchObject({ "frontends[0].use": "resp" });

  const schema = JSON.parse(await readFile(workspace.path(String($schema)), "utf8"));
  expect(Object.keys(schema.properties)).toContain("persistence");
  const text = await readFile(workspace.path("kvdb.config.json"), "utf8");
  for (const key of Object.keys(schema.properties)) expect(text).toContain(`"${key}":`);
});

test("init overwrites nothing unless it is told to", async () => {
  await workspace.write("kvdb.config.json", "{}");
  const refused = await call(["init"]);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain("kvdb.config.json");
  expect(await readFile(workspace.path("kvdb.config.json"), "utf8")).toBe("{}");
  expect(await call(["init", "--force"])).toMatchObject({ code: 0 });
  expect(await readFile(workspace.path("kvdb.config.json"), "utf8")).toContain("persistence");
});

test("init writes where it is told to", async () => {
  await workspace.write("conf/keep", "");
  expect(await call(["init", "conf/kvdb.config.jsonc"])).toMatchObject({ code: 0 });
  const check = await call(["--config", "conf/kvdb.config.jsonc", "config", "check"]);
  expect(check).toMatchObject({ code: 0 });
  for (const file of ["nowhere/kvdb.config.json", "kvdb.config.toml", "kvdb.schema.json"]) {
    expect({ file, ...(await call(["init", file])) }).toMatchObject({ file, code: 2, stdout: "" });
  }
});

// ---- config show ----

test("config show tells every value and what set it", async () => {
  await workspace.write(
    "kvdb.config.json",
    '{\n  "dir": "data",\n  "requirepass": "from the file",\n  "persistence": "wal",\n' +
      '  "memory": { "max": "2gb" },\n  "frontends": [{ "use": "resp",\n    "port": 7000 }]\n}\n',
  );
  const env = { KVDB_PORT: "7001", KVDB_APPENDFSYNC: "everysec" };
  const { code, stdout } = await call(["--dir", "other", "--json", "config", "show"], { env });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(
    expect.arrayContaining([
      { key: "dir", value: workspace.path("other"), origin: "--dir" },
      { key: "databases", value: 16, origin: "default" },
      { key: "requirepass", value: "***", origin: "kvdb.config.json:3" },
      { key: "memory.max", value: "2gb", origin: "kvdb.config.json:5" },
      { key: "memory.policy", value: "noeviction", origin: "default" },
      { key: "persistence.use", value: "wal", origin: "kvdb.config.json:4" },
      { key: "persistence.fsync", value: "everysec", origin: "KVDB_APPENDFSYNC" },
      { key: "frontends[0].use", value: "resp", origin: "kvdb.config.json:6" },
      { key: "frontends[0].port", value: 7001, origin: "KVDB_PORT" },
      { key: "frontends[0].timeout", value: 0, origin: "default" },
    ]),
  );
  const lines = (await call(["config", "show"])).stdout.split("\n");
  expect(lines.filter((line) => /^dir +".*data" +kvdb\.config\.json:2$/.test(line))).toHaveLength(
    1,
  );
});

test("config show tells where a path leads, whatever folder it is asked in", async () => {
  await workspace.write(
    "kvdb.config.json",
    '{ "log": { "file": "kvdb.log" }, "aclfile": "users" }',
  );
  const { stdout } = await call(["--json", "config", "show"]);
  expect(JSON.parse(stdout)).toEqual(
    expect.arrayContaining([
      { key: "aclfile", value: workspace.path("users"), origin: "kvdb.config.json:1" },
      { key: "log.file", value: workspace.path("kvdb.log"), origin: "kvdb.config.json:1" },
    ]),
  );
});

test("config show tells no secret", async () => {
  await workspace.write(
    "mail.ts",
    'export default { name: "mail", apiVersion: 1, commands: () => [], schema: { type: "object", ' +
      'properties: { password: { type: "string", writeOnly: true }, host: { type: "string" } } } };',
  );
  await workspace.write("broken.ts", "export default {");
  await workspace.write("kvdb.config.json", {
    plugins: [
      { use: "./mail.ts", password: "hidden-1", host: "shown" },
      { use: "./broken.ts", password: "hidden-2" },
    ],
  });
  for (const args of [
    ["config", "show"],
    ["--json", "config", "show"],
  ]) {
    const { code, stdout, stderr } = await call(args, { env: { KVDB_REQUIREPASS: "hidden-3" } });
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain("hidden");
    expect(stdout).toContain("shown");
  }
});

// ---- plugins ----

test("plugins lists what is built in and what is configured", async () => {
  await workspace.write(
    "echo.ts",
    'export default { name: "echo", apiVersion: 1, commands: () => [], frontend: () => ({}) };',
  );
  await workspace.write("kvdb.config.json", { plugins: ["./echo.ts"], frontends: ["resp"] });
  const { code, stdout, stderr } = await call(["--json", "plugins"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual(
    expect.arrayContaining([
      { name: "wal", brings: "persistence", from: "built in", apiVersion: 1, used: "persistence" },
      { name: "none", brings: "persistence", from: "built in", apiVersion: 1, used: "no" },
      { name: "resp", brings: "frontend", from: "built in", apiVersion: 1, used: "frontend" },
      {
        name: "echo",
        brings: "commands, frontend",
        from: "./echo.ts",
        apiVersion: 1,
        used: "commands",
      },
    ]),
  );
});

test("a broken plugin is listed with what is wrong, and is exit code 78", async () => {
  await workspace.write(
    "old.ts",
    'export default { name: "old", apiVersion: 0, commands: () => [] };',
  );
  await workspace.write("kvdb.config.json", { plugins: ["./old.ts", "./missing.ts"] });
  const { code, stdout, stderr } = await call(["plugins"]);
  expect(code).toBe(78);
  expect(stdout).toMatch(/^\.\/old\.ts .*apiVersion 1/m);
  expect(stdout).toMatch(/^\.\/missing\.ts .*no file/m);
  expect(stdout).toMatch(/^wal /m);
  expect(stderr).toContain("kvdb.config.json");
});

// ---- completion ----

/** Words that must be offered after what was typed, and words that must not. */
const typed: readonly [line: string, offered: string[], not: string[]][] = [
  ["kvdb plug", ["plugin", "plugins"], ["ping"]],
  ["kvdb plugin ", ["new"], ["check"]],
  ["kvdb --js", ["--json"], ["--csv"]],
  ["kvdb --dir x inc", ["incr", "incrby", "incrbyfloat"], ["init"]],
  ["kvdb config ", ["check", "show", "get", "set"], ["--port"]],
  ["kvdb client kil", ["kill"], []],
  ["kvdb serve --po", ["--port"], ["--json"]],
  ["kvdb completion ", ["bash", "zsh", "fish"], []],
  ["kvdb help getr", ["getrange"], []],
  ["kvdb set k v --t", ["--ttl"], []],
  ["kvdb list --", ["--limit", "--prefix", "--cursor"], ["--ttl"]],
];

describe("completion for bash", () => {
  async function offered(line: string): Promise<string[]> {
    const words = line.split(" ");
    const array = words.map((word) => `'${word}'`).join(" ");
    const script =
      `source <('${workspace.executable}' completion bash); COMP_WORDS=(${array}); ` +
      `COMP_CWORD=${words.length - 1}; _kvdb; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { code, stdout, stderr } = await run(workspace, ["bash", "--norc", "-c", script]);
    expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: "" });
    return stdout.split("\n").filter((word) => word !== "");
  }

  test("offers words, flags, subcommands and options", async () => {
    for (const [line, wanted, unwanted] of typed) {
      const words = await offered(line);
      expect({ line, words }).toEqual({ line, words: expect.arrayContaining(wanted) });
      for (const word of unwanted) expect(words).not.toContain(word);
    }
  });

  test("offers every command", async () => {
    const words = await offered("kvdb ");
    const names = ownCommands().map(({ name }) => name.toLowerCase());
    expect(names).toContain("find");
    for (const name of names) if (!name.includes("|")) expect(words).toContain(name);
  });

  test("offers files where one is meant", async () => {
    await workspace.write("my config.json", "{}");
    expect(await offered("kvdb --config my")).toEqual(["my config.json"]);
    expect(await offered("kvdb init my")).toEqual(["my config.json"]);
  });
});

describe.skipIf(Bun.which("fish") === null)("completion for fish", () => {
  test("offers words, flags, subcommands and options", async () => {
    for (const [line, wanted, unwanted] of typed) {
      const script = `'${workspace.executable}' completion fish | source; complete -C '${line}'`;
      const { stdout, stderr } = await run(workspace, ["fish", "--no-config", "-c", script]);
      const words = stdout.split("\n").map((one) => one.split("\t")[0]);
      expect({ line, words, stderr }).toEqual({
        line,
        words: expect.arrayContaining(wanted),
        stderr: "",
      });
      for (const word of unwanted) expect(words).not.toContain(word);
    }
  });
});

describe.skipIf(Bun.which("zsh") === null)("completion for zsh", () => {
  test("completes what is typed", async () => {
    await using shell = new TerminalRun(workspace, ["zsh", "-f", "-i"], { columns: 200 });
    const path = workspace.executable;
    shell.type(
      `PS1='> '; autoload -U compinit; compinit -u -D; source <(${path} completion zsh); echo re''ady\r`,
    );
    await shell.until("ready");
    const cases: [typed: string, line: string][] = [
      ["kvdb plugins\t", "kvdb plugins"], // "plugin" is a word as well
      ["kvdb complet\t", "kvdb completion"],
      ["kvdb --exit\t", "kvdb --exit-status"],
      ["kvdb --dir x incrbyf\t", "kvdb --dir x incrbyfloat"],
      ["kvdb config ch\t", "kvdb config check"],
      ["kvdb client kil\t", "kvdb client kill"],
      ["kvdb serve --po\t", "kvdb serve --port"],
      ["kvdb completion fi\t", "kvdb completion fish"],
    ];
    for (const [keys, line] of cases) {
      // The line is shown again by echo, so that nothing depends on how zsh draws it.
      shell.type(`${keys}\u0001echo "[\u0005]"\r`);
      await shell.until(`\n[${line}]`);
    }
  });
});
