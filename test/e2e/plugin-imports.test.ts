/**
 * What a plugin's files may import, in the executable and with nothing of kvdb's sources in reach:
 * files of its own, packages, packages that import kvdb, JSON; and in which dialects they may be
 * written.
 */
import { describe, expect, test } from "bun:test";
import { kvdb } from "./support/run.ts";
import { Workspace } from "./support/workspace.ts";

const CONFIG = 78;

/** A plugin whose command WHAT answers an expression that `head` has put together. */
const answering = (head: string, expression: string): string => `${head}
import { definePlugin } from "kvdb";
export default definePlugin({
  name: "what", apiVersion: 1,
  commands: () => [{
    name: "WHAT", arity: 1, flags: ["readonly"], group: "plugin", since: "what 1.0.0",
    summary: "Answers.", syntax: "",
    run: (_session, _args, reply) => reply.text([${expression}].flat().join(" ")),
  }],
});
`;

type FilesOf = Readonly<Record<string, string | object>>;

const cases: readonly (readonly [what: string, answer: string, files: FilesOf])[] = [
  [
    "files of its own, with and without their ending, folders, JavaScript",
    "1 2 3 4",
    {
      "plugin.ts": answering(
        `import { one } from "./lib/one.ts"; import { two } from "./lib/two";
         import { three } from "./lib"; import { four } from "./lib/four.js";`,
        "[one, two, three, four]",
      ),
      "lib/one.ts": "export const one: number = 1;",
      "lib/two.ts": 'import { one } from "./one.ts"; export const two = one + one;',
      "lib/index.ts": "export const three = 3 as const;",
      "lib/four.js": "export const four = 4;",
    },
  ],
  [
    "JSON, with and without saying so",
    "36 Oslo",
    {
      "plugin.ts": answering(
        `import ada from "./ada.json"; import city from "./city.json" with { type: "json" };`,
        "[ada.age, city.name]",
      ),
      "ada.json": { age: 36 },
      "city.json": { name: "Oslo" },
    },
  ],
  [
    "syntax that only TypeScript has",
    "2 Ada 3 up",
    {
      "plugin.ts": answering(
        `import type { Command } from "kvdb";
         enum Colour { red, green, blue }
         namespace Names { export const first = "Ada"; }
         class Point { constructor(private readonly x: number) {} get value(): number { return this.x!; } }
         abstract class Base { abstract way(): string } class Up extends Base { override way() { return "up" } }
         const names = { a: 1 } satisfies Record<string, number>;
         function pick<T extends object, K extends keyof T>(from: T, key: K): T[K] { return from[key] as T[K]; }
         const used: Pick<Command, "name"> | undefined = undefined;`,
        "[Colour.blue, Names.first, new Point(2).value + pick(names, 'a'), new Up().way()]",
      ),
    },
  ],
  [
    "await at the top, and imports made at run time",
    "later",
    {
      "plugin.ts": answering(
        `const { word } = await import("./later.ts");
         await new Promise((resolve) => setTimeout(resolve, 5));`,
        "word",
      ),
      "later.ts": 'export const word: string = await Promise.resolve("later");',
    },
  ],
  [
    "its own node_modules: a module, CommonJS, TypeScript, one that imports another",
    "esm cjs ts deep",
    {
      "plugin.ts": answering(
        `import { esm } from "pack-esm"; import cjs from "pack-cjs"; import { ts } from "pack-ts";
         import { deep } from "pack-ts/deep";`,
        "[esm, cjs.cjs, ts, deep]",
      ),
      "node_modules/pack-esm/package.json": { type: "module", exports: "./main.js" },
      "node_modules/pack-esm/main.js": 'export const esm = "esm";',
      "node_modules/pack-cjs/package.json": { main: "main.cjs" },
      "node_modules/pack-cjs/main.cjs": 'module.exports = { cjs: "cjs" };',
      "node_modules/pack-ts/package.json": {
        type: "module",
        exports: { ".": { bun: "./main.ts", default: "./none.js" }, "./deep": "./deep.ts" },
      },
      "node_modules/pack-ts/main.ts": 'export const ts: string = "ts";',
      "node_modules/pack-ts/deep.ts": 'export { deep } from "pack-deep";',
      "node_modules/pack-ts/node_modules/pack-deep/package.json": { main: "main.js" },
      "node_modules/pack-ts/node_modules/pack-deep/main.js": 'exports.deep = "deep";',
    },
  ],
  [
    "modules of Node.js and of Bun",
    "a/b 5d41402a",
    {
      "plugin.ts": answering(
        `import { join } from "node:path"; import { createHash } from "crypto"; import { version } from "bun";
         const hash = version && createHash("md5").update("hello").digest("hex");`,
        "[join('a', 'b'), hash.slice(0, 8)]",
      ),
    },
  ],
  [
    "a package that imports kvdb: its classes are those of the executable",
    "true true",
    {
      "plugin.ts": answering(
        `import { CommandError, KvdbError } from "kvdb"; import * as other from "kvdb-base";`,
        "[other.CommandError === CommandError, other.failure() instanceof KvdbError]",
      ),
      "node_modules/kvdb-base/package.json": { type: "module", exports: "./main.ts" },
      "node_modules/kvdb-base/main.ts": `
        import { CommandError, KvdbError } from "kvdb";
        export { CommandError };
        export const failure = (): KvdbError => new KvdbError("IO", "none");`,
    },
  ],
  [
    "kvdb, where a package of that name is installed for the editor: the executable's own",
    "1 function function",
    {
      "plugin.ts": answering(
        `import { API_VERSION } from "kvdb"; import { Decoder } from "kvdb/resp";
         import { readRdb } from "kvdb/rdb";`,
        "[API_VERSION, typeof Decoder, typeof readRdb]",
      ),
      "node_modules/kvdb/package.json": { type: "module", exports: { ".": "./old.js" } },
      "node_modules/kvdb/old.js": 'throw new Error("the package, not the executable");',
    },
  ],
];

describe("R14: a plugin imports", () => {
  test.each(cases)("%s", async (_, answer, files) => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", { plugins: ["./plugins/plugin.ts"] });
    for (const [name, content] of Object.entries(files)) {
      await workspace.write(`plugins/${name}`, content);
    }
    const { code, stdout, stderr } = await kvdb(workspace, ["--raw", "what"]);
    expect({ code, stdout: stdout.trimEnd(), stderr }).toEqual({
      code: 0,
      stdout: answer,
      stderr: "",
    });
  });
});

describe("R14: a package as a plugin", () => {
  const source = answering('import { word } from "words";', "word");

  test("by its name, with its own dependencies, beside the configuration or above", async () => {
    await using workspace = await Workspace.create();
    await workspace.write("app/kvdb.config.json", { plugins: ["kvdb-plugin-what", "@my/what"] });
    await workspace.write("app/node_modules/kvdb-plugin-what/package.json", {
      ...{ name: "kvdb-plugin-what", type: "module", exports: "./src/main.ts" },
    });
    await workspace.write("app/node_modules/kvdb-plugin-what/src/main.ts", source);
    await workspace.write("app/node_modules/words/package.json", { exports: "./main.js" });
    await workspace.write("app/node_modules/words/main.js", 'exports.word = "of the package";');
    await workspace.write("node_modules/@my/what/package.json", { exports: "./main.ts" });
    await workspace.write(
      "node_modules/@my/what/main.ts",
      answering("", "'scoped'").replaceAll("what", "scoped").replaceAll("WHAT", "SCOPED"),
    );
    const cwd = workspace.path("app");
    expect((await kvdb(workspace, ["--raw", "what"], { cwd })).stdout).toBe("of the package");
    expect((await kvdb(workspace, ["--raw", "scoped"], { cwd })).stdout).toBe("scoped");
  });

  test("that is missing, or whose name is nearly right: exit 78, and the name", async () => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", { plugins: ["kvdb-plugin-waht"] });
    await workspace.write("node_modules/kvdb-plugin-what/package.json", { exports: "./main.ts" });
    const { code, stderr } = await kvdb(workspace, ["get", "a"]);
    expect(code).toBe(CONFIG);
    expect(stderr).toContain("plugins[0]");
    expect(stderr).toContain('"kvdb-plugin-what"');
  });
});

test("a plugin that imports what kvdb does not have is refused by name", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { plugins: ["./plugin.ts"] });
  for (const [head, named] of [
    ['import { nothing } from "kvdb"; nothing();', "nothing"],
    ['import "kvdb/nothing";', '"kvdb/resp"'],
    ['import { MemoryDisk } from "kvdb/testing"; new MemoryDisk();', "kvdb/testing"],
    ['import "not-installed";', "not-installed"],
  ] as const) {
    await workspace.write("plugin.ts", answering(head, "1"));
    const { code, stderr } = await kvdb(workspace, ["what"]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("./plugin.ts");
    expect(stderr).toContain(named);
  }
});
