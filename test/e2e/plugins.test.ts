/** Plugins from outside: `.ts` files that a configuration names, imported by the executable as they are. */
import { describe, expect, test } from "bun:test";
import { ReplyError } from "./support/client.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const INTERNAL = 70;
const CONFIG = 78;

const SHOUT = `
import { CommandError, definePlugin } from "kvdb";
import { exclaim } from "./lib/exclaim.ts";

interface Options { readonly times: number }

export default definePlugin<Options>({
  name: "shout",
  apiVersion: 1,
  schema: { type: "object", properties: { times: { type: "integer", default: 1 } } },
  commands: (options) => [
    {
      name: "SHOUT",
      arity: 2,
      flags: ["readonly", "fast"],
      group: "plugin",
      since: "1.0.0",
      summary: "Answers its argument, louder.",
      syntax: "text",
      run: (_session, args, reply) => {
        if (args.size(1) === 0) throw new CommandError("ERR", "nothing to shout");
        reply.text(exclaim(args.text(1).toUpperCase(), options.times));
      },
    },
  ],
});
`;

/** A command plugin of several files, with a package of its own beside it. */
async function writeShout(workspace: Workspace): Promise<void> {
  await workspace.write("kvdb.config.json", {
    plugins: [{ use: "./my-plugins/shout.ts", times: 2 }],
  });
  await workspace.write("my-plugins/shout.ts", SHOUT);
  await workspace.write(
    "my-plugins/lib/exclaim.ts",
    `import { mark } from "exclamation-mark";
    export const exclaim = (text: string, times: number): string => text + mark.repeat(times);`,
  );
  const folder = "my-plugins/node_modules/exclamation-mark";
  await workspace.write(`${folder}/package.json`, {
    ...{ name: "exclamation-mark", version: "1.0.0", type: "module", exports: "./main.js" },
  });
  await workspace.write(`${folder}/main.js`, 'export const mark = "!";');
}

describe("R14: a plugin that brings a command", () => {
  test("answers clients, with its relative import and its own node_modules", async () => {
    await using workspace = await Workspace.create();
    await writeShout(workspace);
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await client.call("SHOUT", "hello")).toBe("HELLO!!");
    expect(await client.call("shout", "žluťoučký")).toBe("ŽLUŤOUČKÝ!!");
    expect(await client.ask("SHOUT")).toMatchObject({
      message: "ERR wrong number of arguments for 'shout' command",
    });
    expect(await client.ask("SHOUT", "")).toMatchObject({ message: "ERR nothing to shout" });
    expect(await client.call("COMMAND", "INFO", "shout")).toEqual([
      expect.arrayContaining(["shout", 2, ["readonly", "fast"]]),
    ]);
  });

  test("is a word of the command line, with help", async () => {
    await using workspace = await Workspace.create();
    await writeShout(workspace);
    const spoken = await kvdb(workspace, ["shout", "hello"]);
    expect(spoken).toEqual({ code: 0, stdout: '"HELLO!!"\n', stderr: "" });
    const help = await kvdb(workspace, ["help", "shout"]);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain("kvdb shout text");
    expect(help.stdout).toContain("Answers its argument, louder.");
    const near = await kvdb(workspace, ["shuot", "hello"]);
    expect(near.code).toBe(2);
    expect(near.stderr).toContain("shout");
  });

  test("its options are judged by its schema: exit 78, with the place", async () => {
    await using workspace = await Workspace.create();
    await writeShout(workspace);
    await workspace.write("kvdb.config.json", {
      plugins: [{ use: "./my-plugins/shout.ts", tims: 2 }],
    });
    const { code, stderr } = await kvdb(workspace, ["config", "check"]);
    expect(code).toBe(CONFIG);
    expect(stderr).toContain("plugins[0].tims");
    expect(stderr).toContain('"times"');
  });
});

/** A configuration whose only plugin is `source`. */
async function writePlugin(workspace: Workspace, source: string, config: object = {}) {
  await workspace.write("plugin.ts", `import { definePlugin } from "kvdb";\n${source}`);
  await workspace.write("kvdb.config.json", { plugins: ["./plugin.ts"], ...config });
}

/** The exit code, the message, and that the folder is free and unharmed afterwards. */
async function expectFailure(workspace: Workspace, code: number, ...named: readonly string[]) {
  const outcome = await kvdb(workspace, ["serve", "--port", "0", "--unixsocket", "s.sock"]);
  expect(outcome.code).toBe(code);
  for (const word of named) expect(outcome.stderr).toContain(word);
  await workspace.write("kvdb.config.json", {});
  expect(await kvdb(workspace, ["set", "key", "1"])).toMatchObject({ code: 0, stderr: "" });
}

describe("R14: a plugin that cannot be read", () => {
  const COMMA = `export default definePlugin({\n  name: "slug"\n  apiVersion: 1,\n});`;

  test.each([
    ["by a missing comma", COMMA, ["plugin.ts:4:3: ", "apiVersion"]],
    ["by one fault alone", "\nlet a = ;", ["plugin.ts:3:9: "]],
    ["by a missing import", 'import "./none.ts";', ["plugin.ts: ", "'./none.ts'"]],
    ["by a missing package", 'import "none";', ["plugin.ts: ", "'none'"]],
    ["in a file it imports", 'import "./lib/other.ts";', ["lib/other.ts:1:1: "]],
  ])("%s: exit 78 and where, at start and in what looks at plugins", async (_, source, named) => {
    await using workspace = await Workspace.create();
    await writePlugin(workspace, source);
    await workspace.write("lib/other.ts", "}");
    for (const words of [["get", "key"], ["config", "check"], ["plugins"]]) {
      const outcome = await kvdb(workspace, words);
      expect(outcome.code).toBe(CONFIG);
      for (const word of named) expect(outcome.stderr).toContain(word);
      if (words[0] === "plugins") expect(outcome.stdout).toContain(named[0] as string);
    }
    await expectFailure(workspace, CONFIG, ...named);
  });
});

describe("R14: a plugin that fails", () => {
  test.each([
    ["when it is imported", 'throw new Error("not today");', ["plugin.ts", "not today"]],
    [
      "in the factory of its commands",
      `export default definePlugin({ name: "broken", apiVersion: 1,
        commands: () => { throw new Error("not today"); } });`,
      ["broken", "not today"],
    ],
    [
      "by a command that is there already",
      `export default definePlugin({ name: "broken", apiVersion: 1, commands: () => [{
        name: "GET", arity: 2, flags: [], group: "plugin", since: "1.0.0", summary: "", syntax: "",
        run: () => {} }] });`,
      ["broken", "GET"],
    ],
  ])("%s: no start, and its name", async (_, source, named) => {
    await using workspace = await Workspace.create();
    await writePlugin(workspace, source);
    const outcome = await kvdb(workspace, ["get", "key"]);
    expect([INTERNAL, CONFIG]).toContain(outcome.code);
    for (const word of named) expect(outcome.stderr).toContain(word);
    await expectFailure(workspace, outcome.code, ...named);
  });

  test.each([
    ["no plugin", "export const nothing = 1;", ["default export"]],
    ["without a name", "export default definePlugin({ apiVersion: 1 } as never);", ["name"]],
    [
      "of another contract",
      `export default { name: "future", apiVersion: 2, commands: () => [] };`,
      ["apiVersion 1", "2"],
    ],
    [
      "with a name of ours",
      `export default { name: "wal", apiVersion: 1, commands: () => [] };`,
      ['"wal"', "reserved"],
    ],
    ["that brings nothing", `export default { name: "empty", apiVersion: 1 };`, ["brings nothing"]],
  ])("%s: exit 78, and what to change", async (_, source, named) => {
    await using workspace = await Workspace.create();
    await writePlugin(workspace, source);
    await expectFailure(workspace, CONFIG, "plugins[0]", ...named);
  });

  const PERSISTENCE = `export default definePlugin({ name: "broken", apiVersion: 1,
    persistence: () => ({ supports: { records: true, checkpoints: false }, durability: "always",
      open: async () => { OPEN },
      load: async () => { LOAD; return { records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] } },
      append: () => {}, flush: async () => {}, close: async () => {} }) });`;

  test.each([
    [
      "in the factory of its persistence",
      PERSISTENCE.replace("() => ({", '() => { throw new Error("not today"); return ({').replace(
        "}) });",
        "}); } });",
      ),
    ],
    ["when its persistence opens", PERSISTENCE.replace("OPEN", 'throw new Error("not today")')],
    ["when its persistence loads", PERSISTENCE.replace("LOAD", 'throw new Error("not today")')],
  ])("%s: exit 70, its name, and the folder is free", async (_, source) => {
    await using workspace = await Workspace.create();
    const clean = source.replace("OPEN", "").replace("LOAD", "");
    await writePlugin(workspace, clean, { persistence: "broken" });
    await expectFailure(workspace, INTERNAL, "broken", "not today");
  });

  test.each([
    ["in the factory of its frontend", 'throw new Error("not today");', ""],
    ["when its frontend opens", "", 'throw new Error("not today");'],
  ])("%s: exit 70, its name, and the folder is free", async (_, factory, open) => {
    await using workspace = await Workspace.create();
    const source = `export default definePlugin({ name: "broken", apiVersion: 1, frontend: () => {
      ${factory}
      return { open: async () => { ${open} }, close: async () => {} };
    } });`;
    await writePlugin(workspace, source, { frontends: ["broken"] });
    const outcome = await kvdb(workspace, []);
    expect(outcome.code).toBe(INTERNAL);
    expect(outcome.stderr).toContain("broken");
    expect(outcome.stderr).toContain("not today");
    expect(await kvdb(workspace, ["set", "key", "1"])).toMatchObject({ code: 0, stderr: "" });
  });

  test("when it runs: its client is told, nobody else notices", async () => {
    await using workspace = await Workspace.create();
    await writePlugin(
      workspace,
      `export default definePlugin({ name: "broken", apiVersion: 1, commands: () => [{
        name: "BOOM", arity: 1, flags: [], group: "plugin", since: "1.0.0", summary: "Fails.",
        syntax: "",
        run: (_session, _args, reply) => { reply.array(2); reply.integer(1); throw new Error("a\\r\\nb"); },
      }] });`,
    );
    await using server = await Server.start(workspace);
    const client = await server.connect();
    const replies = await client.pipeline([["SET", "key", 1], ["BOOM"], ["GET", "key"]]);
    expect(replies[0]).toBe("OK");
    expect(replies[1]).toBeInstanceOf(ReplyError);
    expect((replies[1] as ReplyError).message).toBe('ERR plugin "broken": command BOOM threw: a b');
    expect(replies[2]).toBe("1");
    expect(server.log).toContain("BOOM");
  });
});
