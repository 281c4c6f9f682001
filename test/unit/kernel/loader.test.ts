/**
 * Third-party plugins: everything that can be wrong with one is refused, with its name and its
 * place.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backupConfig } from "../../../src/kernel/backup-config.ts";
import type { Builtins } from "../../../src/kernel/builtins.ts";
import type { LoadedConfig } from "../../../src/kernel/config.ts";
import { type Selection, selectPlugins } from "../../../src/kernel/loader.ts";
import type { Use } from "../../../src/kernel/schema.ts";
import type { Clock } from "../../../src/platform/clock.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { systemFiles } from "../../../src/platform/files.ts";
import { FakeClock } from "../../suites/fake-clock.ts";

let folder = "";
let count = 0;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "kvdb-loader-")));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const builtins: Builtins = {
  store: {
    brings: ["persistence"],
    load: async () => ({ default: { name: "store", apiVersion: 1 } }),
  },
};

interface Wish {
  readonly plugins: readonly Use[];
  readonly frontends?: readonly Use[];
  readonly persistence?: Use;
  readonly clock?: Clock;
}

function select({ plugins, frontends = [], persistence, clock }: Wish): Promise<Selection> {
  const loaded: LoadedConfig = {
    config: {
      file: join(folder, "kvdb.config.json"),
      folder,
      dir: join(folder, ".kvdb"),
      databases: 16,
      requirepass: "",
      keyEvents: "",
      outputLimits: "",
      ...{ users: {}, aclfile: "", channelsByDefault: "resetchannels", accessLogLength: 128 },
      debugCommand: "local",
      replication: { of: "", user: "", password: "" },
      memoryParameters: {},
      memoryMaxBytes: 0,
      persistence: persistence ?? { use: "store", options: {} },
      frontends,
      indexes: {},
      parameters: {},
      backup: backupConfig(
        { verify: "restore", keep: {} },
        { folder: "/", dir: folder, environment: {} },
      ),
      plugins,
      logLevel: "info",
      logFormat: "text",
      logFile: undefined,
    },
    placeOf: (pointer) => `file${pointer}`,
    warnings: [],
  };
  return selectPlugins({
    loaded,
    builtins,
    withFrontends: true,
    withSocket: false,
    files: systemFiles,
    clock: clock ?? systemClock,
    importLimitMs: 1000,
  });
}

/** Each test has a file of its own: a module is imported once for ever. */
async function pluginFile(source: string): Promise<string> {
  const name = `./plugin-${count++}.ts`;
  await Bun.write(join(folder, name), source);
  return name;
}

function plugin(members: string): string {
  return `export default { name: "mine", apiVersion: 1, frontend: () => ({}), ${members} };`;
}

async function errorsOf(source: string, options = {}): Promise<string[]> {
  const use = await pluginFile(source);
  const { errors } = await select({ plugins: [{ use, options }] });
  for (const { message } of errors) expect(message).toContain("plugin ");
  return errors.map(({ code, message }) => `${code} ${message}`);
}

const faulty: [what: string, source: string, code: string, facts: string[]][] = [
  ["no default export", "export const x = 1;", "CONFIG", ["default export"]],
  ["a default export that is no object", "export default () => {};", "CONFIG", ["function"]],
  ["no name", plugin("name: undefined"), "CONFIG", ["name"]],
  ["a name with other letters", plugin('name: "My Plugin"'), "CONFIG", ['"My Plugin"']],
  ["the name of a built-in", plugin('name: "store"'), "CONFIG", ['"store"', "reserved"]],
  ["a word of the kernel", plugin('name: "kvdb"'), "CONFIG", ['"kvdb"', "reserved"]],
  ["the name of a built-in to come", plugin('name: "repl"'), "CONFIG", ['"repl"', "reserved"]],
  ["another apiVersion", plugin("apiVersion: 2"), "CONFIG", ["apiVersion 1", "2"]],
  ["no apiVersion", plugin("apiVersion: undefined"), "CONFIG", ["apiVersion 1"]],
  ["nothing that it brings", plugin("frontend: undefined"), "CONFIG", ["frontend"]],
  [
    "a slip in what it brings",
    plugin("frontend: undefined, frontends() {}"),
    "CONFIG",
    ['mean "frontend"'],
  ],
  ["a member that is no function", plugin("frontend: {}"), "CONFIG", ["function", "frontend"]],
  ["a schema that is no object", plugin('schema: "x"'), "CONFIG", ["schema"]],
  ["a schema that is no schema", plugin('schema: { type: "strin" }'), "CONFIG", ["schema"]],
  ["an error while it is imported", 'throw new Error("sorry");', "INTERNAL", ["sorry"]],
  ["a syntax fault", "export default {", "CONFIG", ["importing", ".ts:1:"]],
  [
    "an import that is not there",
    'import "./nowhere.ts"; export default {};',
    "CONFIG",
    ["nowhere"],
  ],
];

for (const [what, source, code, facts] of faulty) {
  test(`a plugin with ${what} is refused and named`, async () => {
    const errors = await errorsOf(source);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toStartWith(`${code} file/plugins/0: plugins[0]: plugin "./plugin-`);
    for (const fact of facts) expect(errors[0]).toContain(fact);
  });
}

test("a plugin whose import never ends is given up and named", async () => {
  const clock = new FakeClock();
  const use = await pluginFile("await new Promise(() => {}); export default {};");
  const selection = select({ plugins: [{ use, options: {} }], clock });
  while (clock.pendingCount === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(1000);
  const { errors } = await selection;
  expect(errors[0].message).toContain(`plugin "${use}"`);
  expect(errors[0].code).toBe("INTERNAL");
});

test("who uses a plugin that could not be loaded is not told of an unknown name as well", async () => {
  const use = await pluginFile('throw new Error("not today");');
  const frontends = ["mine", "stroe"].map((name) => ({ use: name, options: {} }));
  const { errors } = await select({ plugins: [{ use, options: {} }], frontends });
  expect(errors.map(({ code }) => code)).toEqual(["INTERNAL", "CONFIG"]);
  expect(errors[0]?.message).toContain("not today");
  expect(errors[1]?.message).toContain('unknown frontend "stroe"');
});

test("two plugins of one name: the second is refused and the first is named", async () => {
  const first = await pluginFile(plugin(""));
  const second = await pluginFile(plugin(""));
  const plugins = [first, second].map((use) => ({ use, options: {} }));
  const { errors } = await select({ plugins });
  expect(errors).toHaveLength(1);
  expect(errors[0].message).toContain("plugins[1]");
  expect(errors[0].message).toContain(first);
});

test("without a schema any option is refused", async () => {
  const errors = await errorsOf(plugin(""), { precision: 8 });
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain("plugins[0].precision");
  expect(errors[0]).toContain('plugin "mine"');
});

const schema =
  'schema: { type: "object", properties: { precision: { type: "integer", maximum: 9 } } }';

test("options are judged by the schema, with the nearest name", async () => {
  const errors = await errorsOf(plugin(schema), { precison: 8, precision: 10 });
  expect(errors).toHaveLength(2);
  expect(errors.join("\n")).toContain('did you mean "precision"');
  expect(errors.join("\n")).toContain("at most 9");
});

test("a schema may be as rich as ajv allows: lengths, references, anyOf", async () => {
  const rich = `schema: {
    type: "object",
    definitions: { name: { type: "string", minLength: 2 } },
    properties: { a: { $ref: "#/definitions/name" }, b: { anyOf: [{ type: "string" }, { type: "null" }] } },
  }`;
  const errors = await errorsOf(plugin(rich), { a: "x", b: 1 });
  expect(errors).toHaveLength(2);
  expect(errors.join("\n")).toContain("a string or null");
});

test("options of the entry and of the place are laid together, the place wins", async () => {
  const use = await pluginFile(
    plugin(
      'schema: { type: "object", properties: { a: { type: "integer" }, b: { type: "integer" }, c: { default: 3 }, p: { type: "string", format: "path" } }, required: ["b"] }',
    ),
  );
  const { errors, frontends } = await select({
    plugins: [{ use, options: { a: 1, p: "sub/file" } }],
    frontends: [{ use: "mine", options: { a: 9, b: 2 } }],
  });
  expect(errors).toEqual([]);
  expect(frontends[0].options).toEqual({ a: 9, b: 2, c: 3, p: join(folder, "sub/file") });
});

test("a plugin imports kvdb itself: the very modules that kvdb runs on", async () => {
  const use = await pluginFile(
    'import { definePlugin, KvdbError } from "kvdb"; import { Decoder } from "kvdb/resp";' +
      'export default definePlugin({ name: "mine", apiVersion: 1, frontend: () => { throw new KvdbError("IO", typeof Decoder); } });',
  );
  const { errors, frontends } = await select({
    plugins: [{ use, options: {} }],
    frontends: [{ use: "mine", options: {} }],
  });
  expect(errors).toEqual([]);
  const { KvdbError } = await import("../../../src/errors.ts");
  expect(() => frontends[0].plugin.frontend?.({} as never, {} as never)).toThrow(KvdbError);
});

test("a package in node_modules is found by its name", async () => {
  await Bun.write(
    join(folder, "node_modules/kvdb-plugin-geo/package.json"),
    '{ "name": "kvdb-plugin-geo", "type": "module", "exports": "./geo.ts" }',
  );
  await Bun.write(
    join(folder, "node_modules/kvdb-plugin-geo/geo.ts"),
    plugin('name: "geo", commands: () => []'),
  );
  const { errors, commands } = await select({ plugins: [{ use: "kvdb-plugin-geo", options: {} }] });
  expect(errors).toEqual([]);
  expect(commands.map((one) => one.plugin.name)).toEqual(["geo"]);
});

test("a file whose ./ was forgotten is suggested", async () => {
  const use = await pluginFile(plugin(""));
  const { errors } = await select({ plugins: [{ use: use.slice(2), options: {} }] });
  expect(errors[0].code).toBe("CONFIG");
  expect(errors[0].message).toContain(`did you mean "${use}"`);
});

test("a built-in is not listed under plugins", async () => {
  const { errors } = await select({ plugins: [{ use: "store", options: {} }] });
  expect(errors[0].code).toBe("CONFIG");
  expect(errors[0].message).toContain("built in");
});

test("a name that is used for what the plugin does not bring is refused", async () => {
  const use = await pluginFile(plugin(""));
  const { errors } = await select({
    plugins: [{ use, options: {} }],
    persistence: { use: "mine", options: {} },
  });
  expect(errors[0].message).toContain("persistence");
  expect(errors[0].message).toContain('"mine"');
});

test("a plugin that is listed and used for nothing is told", async () => {
  const use = await pluginFile(plugin(""));
  const { errors, warnings } = await select({ plugins: [{ use, options: {} }] });
  expect(errors).toEqual([]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('"mine"');
});
