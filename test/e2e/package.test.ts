/**
 * The npm package in an empty folder: its types under strict flags, its modules at run time, its
 * command, and the examples of the embedded API's documentation, each type-checked and run.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import * as contract from "../../src/plugin.ts";
import { parseDocument } from "../readme/document.ts";
import { InstalledPackage } from "./support/installed-package.ts";

const ROOT = resolve(import.meta.dir, "../..");
/** Documents whose blocks in `ts` are programs of their own; a block with a file name is none. */
const DOCUMENTS = ["README.md", "docs/embedded.md"];
/** Documents whose blocks with the name of a `.ts` file are plugins. */
const PLUGIN_DOCUMENTS = ["README.md", "docs/plugins.md"];
/** Sources whose doc comments have examples. */
const SOURCES = [
  "src/plugin.ts",
  ...["database", "find-types", "store-types"].map((name) => `src/embedded/${name}.ts`),
];

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await InstalledPackage.create();
});
afterAll(() => installed[Symbol.asyncDispose]());

test("types: generics, errors where there should be some, both ways of module resolution", async () => {
  await installed.write("program.ts", PROGRAM);
  expect(await installed.typeCheck(["program.ts"])).toBe("");
  expect(await installed.typeCheck(["program.ts"], "nodenext")).toBe("");
  await installed.write("wrong.ts", PROGRAM.replace("// @ts-expect-error: no User", ""));
  expect(await installed.typeCheck(["wrong.ts"])).toContain("wrong.ts(14,");
});

const PROGRAM = `
import { API_VERSION, type Database, definePlugin, type Json, KvdbError, open } from "kvdb";
import { readRdb, writeRdb } from "kvdb/rdb";
import { Decoder, RespEncoder } from "kvdb/resp";
import { renderAnswer } from "kvdb/shell";
import { MemoryDisk } from "kvdb/testing";

interface User { name: string; age?: number }

const db: Database<User> = await open<User>("./data");
await db.set("ada", { name: "Ada" });
const user: User | undefined = db.get("ada");
// @ts-expect-error: no User
await db.set("bob", { nam: "Bob" }).catch(() => undefined);
const any: Json | undefined = db.get<Json>("ada");
await db.close();
const closed = await db.set("x", { name: "X" }).catch((error: unknown) => error);
if (!(closed instanceof KvdbError) || closed.code !== "UNAVAILABLE") throw closed;
const plugin = definePlugin({ name: "p", apiVersion: API_VERSION, commands: () => [] });
process.stdout.write(JSON.stringify([user, any, plugin.name]));
export const modules = [Decoder, RespEncoder, readRdb, writeRdb, renderAnswer, MemoryDisk];
`;

test("a program runs, and every module is there", async () => {
  const program = PROGRAM.replace('import { MemoryDisk } from "kvdb/testing";', "").replace(
    ", MemoryDisk",
    "",
  );
  await installed.write("run/program.ts", program);
  const outcome = await installed.run(["bun", "program.ts"], join(installed.folder, "run"));
  expect(outcome).toEqual({
    code: 0,
    stdout: '[{"name":"Ada"},{"name":"Ada"},"p"]',
    stderr: "",
  });
  // kvdb/testing has tests in it: it runs where tests run.
  await installed.write(
    "run/suite.test.ts",
    'import { test } from "bun:test";\nimport { MemoryDisk } from "kvdb/testing";\ntest("disk", () => void new MemoryDisk());\n',
  );
  const tested = await installed.run(["bun", "test"], join(installed.folder, "run"));
  expect(tested.code).toBe(0);
});

test("the command, by its link and by `bun x`", async () => {
  const folder = join(installed.folder, "command");
  await mkdir(folder);
  await Bun.write(join(folder, ".env"), "KVDB_DIR=elsewhere\n");
  const ok = { code: 0, stdout: "OK\n", stderr: "" };
  expect(await installed.run(["bun", "x", "kvdb", "set", "a", "1"], folder)).toEqual(ok);
  expect(await installed.run(["kvdb", "set", "b", "2"], folder)).toEqual(ok);
  expect((await installed.run(["kvdb", "mget", "a", "b"], folder)).stdout).toBe('"1"\n"2"\n');
  expect(await Bun.file(join(folder, ".kvdb/kvdb.lock")).exists()).toBe(true);
  expect((await installed.run(["kvdb", "sett"], folder)).code).toBe(2);
});

describe("another runtime", () => {
  test.skipIf(Bun.which("node") === null)("is told that Bun is needed", async () => {
    await installed.write("node.mjs", 'import { open } from "kvdb";\nawait open("./data");\n');
    const { code, stderr } = await installed.run([Bun.which("node") ?? "node", "node.mjs"]);
    expect(code).toBe(1);
    expect(stderr).toContain("kvdb runs on Bun");
  });

  test("would find every name of the contract, so that it gets that far", async () => {
    const text = await Bun.file(join(ROOT, packageJson.exports["."].default)).text();
    // On one line or on several: that is the formatter's.
    const [, names = ""] = /^export let ([^;]*);$/m.exec(text) ?? [];
    expect([...(names.match(/\w+/g) ?? [])].sort()).toEqual(Object.keys(contract).sort());
  });
});

describe("examples", async () => {
  const examples = [
    ...(await Promise.all(DOCUMENTS.map(examplesOfDocument))).flat(),
    ...(await Promise.all(SOURCES.map(examplesOfSource))).flat(),
  ];

  test("there are some, and all type-check", async () => {
    expect(examples.length).toBeGreaterThan(15);
    for (const [index, { text }] of examples.entries()) {
      await installed.write(`example-${index}/program.ts`, text);
    }
    const files = examples.map((_, index) => `example-${index}/program.ts`);
    expect(await installed.typeCheck(files)).toBe("");
  });

  test.each(examples)("$place runs, and prints what it says", async ({ text, place }) => {
    const folder = join(installed.folder, "examples", place.replaceAll(/\W/g, "-"));
    await mkdir(folder, { recursive: true });
    await Bun.write(join(folder, "program.ts"), text);
    const outcome = await installed.run(["bun", "program.ts"], folder);
    const lines = printedBy(text).map((line) => `${line}\n`);
    expect(outcome).toEqual({ code: 0, stdout: lines.join(""), stderr: "" });
  });
});

test("the plugins that documents show type-check", async () => {
  const files: string[] = [];
  for (const path of PLUGIN_DOCUMENTS) {
    const { fences } = parseDocument(await Bun.file(join(ROOT, path)).text());
    for (const { line, lines, attributes } of fences) {
      const name = attributes.get("file");
      if (name === undefined || !name.endsWith(".ts")) continue;
      files.push(`shown/${path}-${line}/${name}`);
      await installed.write(files.at(-1) ?? "", lines.join("\n"));
    }
  }
  expect(files.length).toBeGreaterThan(3);
  expect(await installed.typeCheck(files)).toBe("");
});

interface Example {
  /** `docs/embedded.md:12`. */
  readonly place: string;
  readonly text: string;
}

async function examplesOfDocument(path: string): Promise<Example[]> {
  const { fences } = parseDocument(await Bun.file(join(ROOT, path)).text());
  return fences
    .filter(({ language, attributes }) => language === "ts" && attributes.size === 0)
    .map(({ line, lines }) => ({ place: `${path}:${line}`, text: lines.join("\n") }));
}

async function examplesOfSource(path: string): Promise<Example[]> {
  const text = await Bun.file(join(ROOT, path)).text();
  const blocks = text.matchAll(/^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm);
  return [...blocks].map((block) => ({
    place: `${path}:${text.slice(0, block.index).split("\n").length}`,
    text: (block[1] ?? "").replaceAll(/^ *\* ?/gm, ""),
  }));
}

/** What `console.log(…); // text` says, in order. */
function printedBy(text: string): string[] {
  return [...text.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => line ?? "");
}
