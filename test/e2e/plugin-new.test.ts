/** `kvdb plugin new` in an empty folder: what it writes runs at once, type-checks, and its test passes. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, stat, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InstalledPackage } from "./support/installed-package.ts";
import { until } from "./support/poll.ts";
import { kvdb, type Outcome, run } from "./support/run.ts";
import { freePort } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const ROOT = resolve(import.meta.dir, "../..");
const USAGE = 2;
const CONFIG = 78;
/** To pack and install the package, to type-check and to test. */
const LIMIT_MS = 60_000;
const STRICTER = [
  "--exactOptionalPropertyTypes",
  "--noUncheckedIndexedAccess",
  "--noPropertyAccessFromIndexSignature",
  "--noUnusedLocals",
  "--noUnusedParameters",
];

let workspace: Workspace;
beforeEach(async () => {
  workspace = await Workspace.create();
});
afterEach(() => workspace[Symbol.asyncDispose]());

const call = (...args: readonly string[]): Promise<Outcome> => kvdb(workspace, args);
const names = async (...path: readonly string[]) => (await readdir(workspace.path(...path))).sort();
const text = (...path: readonly string[]) => readFile(workspace.path(...path), "utf8");

test("sources have the mode that the umask leaves; a configuration is its owner's", async () => {
  const words = ["plugin", "new", "hello", "--command", "--dir", "mine"];
  await run(workspace, ["sh", "-c", 'umask 027; exec "$0" "$@"', workspace.executable, ...words]);
  const modeOf = async (...path: string[]) => (await stat(workspace.path(...path))).mode & 0o777;
  expect(await modeOf("mine")).toBe(0o750);
  for (const name of ["hello.ts", "hello.test.ts", "tsconfig.json"]) {
    expect(await modeOf("mine", name)).toBe(0o640);
  }
  expect(await modeOf("kvdb.config.json")).toBe(0o600);
});

describe("what it writes runs", () => {
  test("--command", async () => {
    const made = await call("plugin", "new", "hello", "--command");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(await names()).toEqual([
      "hello.test.ts",
      "hello.ts",
      "kvdb.config.json",
      "tsconfig.json",
    ]);
    const [, tried = ""] = /^try it: kvdb (.*)$/m.exec(made.stdout) ?? [];
    const answers = [await call(...tried.split(" ")), await call("hello.greet", "Ada")];
    expect(answers.map(({ stdout }) => stdout)).toEqual([
      '"Hello, Ada! (1)"\n',
      '"Hello, Ada! (2)"\n',
    ]);
    expect((await call("help", "hello.greet")).stdout).toContain("kvdb hello.greet key");
    expect((await call("plugins")).stdout).toContain("./hello.ts");
  });

  test("--index", async () => {
    const made = await call("plugin", "new", "my-words", "--index");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const tried = [...made.stdout.matchAll(/kvdb (set|find) .*?(?=, then|$)/gm)].map(
      ([command]) => command,
    );
    expect(tried).toHaveLength(2);
    const typed = tried.join("; ").replaceAll("kvdb ", '"$0" ');
    const answered = await run(workspace, ["sh", "-c", typed, workspace.executable]);
    expect(answered.stdout).toBe('OK\n"page": {"text":"a pineapple"}\n');
    const plan = await call("explain", "find", "text matches /apple/", "using", "by_text");
    expect(plan.stdout).toContain('"kind": "my-words"');
  });

  test("--persistence", async () => {
    expect(await call("plugin", "new", "store-2", "--persistence")).toMatchObject({ code: 0 });
    expect(await call("set", "name", "Ada")).toMatchObject({ code: 0, stderr: "" });
    expect(await call("get", "name")).toMatchObject({ code: 0, stdout: '"Ada"\n' });
    expect(await text(".kvdb", "changes.jsonl")).toContain("Ada");
  });

  test("--frontend", async () => {
    expect(await call("plugin", "new", "web", "--frontend")).toMatchObject({ code: 0 });
    const port = freePort();
    const config = await text("kvdb.config.json");
    await workspace.write("kvdb.config.json", config.replace("8080", String(port)));
    const child = Bun.spawn([workspace.executable], {
      cwd: workspace.folder,
      stdio: ["ignore", "ignore", "ignore"],
    });
    try {
      const url = `http://127.0.0.1:${port}/key/name`;
      const put = () => fetch(url, { method: "PUT", body: '"Ada"' }).catch(() => undefined);
      await until("the frontend answers", async () => (await put())?.status === 204);
      expect(await (await fetch(url)).text()).toBe('"Ada"');
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

describe("where it writes", () => {
  test("into another folder, and it shows what a configuration that is there needs", async () => {
    await workspace.write("kvdb.config.json", { dir: "data" });
    const made = await call("plugin", "new", "hi", "--command", "--dir", "my/plugins");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(await names("my", "plugins")).toEqual(["hi.test.ts", "hi.ts", "tsconfig.json"]);
    expect(await text("kvdb.config.json")).toBe('{"dir":"data"}');
    const [, shown = ""] = /add to kvdb\.config\.json:\n([\s\S]*?)\ntry/.exec(made.stdout) ?? [];
    const config = { dir: "data", ...JSON.parse(`{${shown}}`) };
    await workspace.write("kvdb.config.json", config);
    expect((await call("hi.greet", "Ada")).stdout).toBe('"Hello, Ada! (1)"\n');
  });

  test("a second one is shown as to be added to the file of the first", async () => {
    await call("plugin", "new", "one", "--command");
    const second = await call("plugin", "new", "two", "--command");
    expect(second.stdout).toContain("./two.ts");
    expect(await text("kvdb.config.json")).not.toContain("two");
    expect((await text("tsconfig.json")).length).toBeGreaterThan(0);
  });

  test.each(["hello.ts", "hello.test.ts"])("over %s: not at all", async (present) => {
    await workspace.write(present, "mine");
    const refused = await call("plugin", "new", "hello", "--command");
    expect(refused.code).toBe(USAGE);
    expect(refused.stderr).toContain(present);
    expect(await names()).toEqual([present]);
    expect(await text(present)).toBe("mine");
  });
});

test("beside a configuration that cannot be read: not at all, exit 78", async () => {
  await workspace.write("kvdb.config.json", "{");
  expect((await call("plugin", "new", "hello", "--command")).code).toBe(CONFIG);
  expect(await names()).toEqual(["kvdb.config.json"]);
});

describe("what it refuses", () => {
  test.each([
    [[], "kvdb plugin new"],
    [["nwe"], '"new"'],
    [["new"], "--command"],
    [["new", "hello"], "--command"],
    [["new", "hello", "--command", "--frontend"], "one kind"],
    [["new", "hello", "hi", "--command"], "usage"],
    [["new", "hello", "--comand"], '"--command"'],
    [["new", "hello", "--indx"], '"--index"'],
    [["new", "ordered-index", "--index"], "reserved"],
    [["new", "hello", "--command", "--dir"], "--dir"],
    [["new", "Hello", "--command"], "small letters"],
    [["new", "2-fast", "--command"], "small letters"],
    [["new", "../x", "--command"], "small letters"],
    [["new", "wal", "--persistence"], "reserved"],
    [["new", "index", "--command"], "reserved"],
  ])("%j: exit 2, and why", async (words, named) => {
    const refused = await call("plugin", ...words);
    expect(refused).toMatchObject({ code: USAGE, stdout: "" });
    expect(refused.stderr).toContain(named);
    expect(await names()).toEqual([]);
  });
});

test("a misspelt word is told the right one", async () => {
  const misspelt = await call("plugn", "new", "hello", "--command");
  expect(misspelt).toMatchObject({ code: USAGE, stdout: "" });
  expect(misspelt.stderr).toContain('"plugin"');
});

describe("its test", () => {
  const kinds = ["--command", "--persistence", "--frontend"];

  test(
    "passes with the npm package, and all is right by the types",
    async () => {
      await using installed = await InstalledPackage.create();
      const folder = join(installed.folder, "mine");
      await mkdir(folder);
      for (const [index, kind] of kinds.entries()) {
        const made = await installed.run(["kvdb", "plugin", "new", `mine-${index}`, kind], folder);
        expect(made).toMatchObject({ code: 0, stderr: "" });
      }
      const tested = await installed.run(["bun", "test"], folder);
      expect({ code: tested.code, failures: failuresOf(tested) }).toEqual({
        code: 0,
        failures: [],
      });
      // With the flags of the tsconfig.json that was written, and with stricter ones.
      const tsc = [process.execPath, join(ROOT, "node_modules/.bin/tsc"), "--project", "."];
      for (const flags of [[], STRICTER]) {
        expect((await installed.run([...tsc, ...flags], folder)).stdout).toBe("");
      }
    },
    LIMIT_MS,
  );

  test("passes with the executable as the runner, where the package is", async () => {
    await call("plugin", "new", "hello", "--command");
    const env = { BUN_BE_BUN: "1" };
    const without = await run(workspace, [workspace.executable, "test"], { env });
    expect(without.code).toBe(1);
    expect(without.stderr).toContain("kvdb");
    await workspace.write("node_modules/.keep", "");
    await symlink(ROOT, workspace.path("node_modules/kvdb"));
    const tested = await run(workspace, [workspace.executable, "test"], { env });
    expect({ code: tested.code, failures: failuresOf(tested) }).toEqual({ code: 0, failures: [] });
    // And the executable still loads the plugin, with its own modules before those of the package.
    expect((await call("hello.greet", "Ada")).stdout).toBe('"Hello, Ada! (1)"\n');
  });
});

function failuresOf({ stderr }: Outcome): string[] {
  return stderr.split("\n").filter((line) => line.startsWith("(fail)") || line.startsWith("error"));
}
