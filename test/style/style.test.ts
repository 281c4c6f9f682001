// Style is a test: each check over the whole project, and each check over small made-up files that
// break its rule, so that a check which finds nothing is known to be able to find something.

import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import {
  deadFiles,
  importCycles,
  loadedWith,
  PUBLIC_MODULES,
  wrongArrows,
} from "./import-rules.ts";
import { readSources, type SourceFile, sourceFile } from "./sources.ts";
import { bannedCalls, missingHeaders, overlongFiles, wrongNames } from "./text-rules.ts";

const project = await readSources(resolve(import.meta.dir, "../.."));

/** Public modules by their names, and the source of each. */
const exported = Object.entries(packageJson.exports).flatMap(([name, one]) =>
  typeof one === "string" ? [] : [[name.replace(".", "kvdb"), one.bun.replace("./", "")] as const],
);
const entries = ["src/main.ts", ...exported.map(([, path]) => path)];

describe("the project", () => {
  test("imports follow the arrows", () => expect(wrongArrows(project)).toEqual([]));
  test("no import cycles", () => expect(importCycles(project)).toEqual([]));
  test("no dead files", () => expect(deadFiles(project, entries)).toEqual([]));
  test("P11: a one-shot command loads nothing of the shell", () => {
    const loaded = [...loadedWith(["src/main.ts", "src/cli/one-shot.ts"], project)];
    expect(loaded).toContain("src/cli/run.ts");
    expect(
      loaded.filter((path) => /^plugins\/repl\/|\/shell\.ts$|remote-commands/.test(path)),
    ).toEqual([]);
  });
  test("P11: who has a server to ask makes no engine and reads no commands", () => {
    const entries = ["src/main.ts", "src/cli/one-shot.ts", "src/client/remote-commands.ts"];
    const loaded = [...loadedWith(entries, project)];
    expect(loaded).toContain("src/client/socket-link.ts");
    const heavy =
      /^plugins\/.*\/|^src\/(index|journal|rdb)\/|\/(engine|kernel|prepare)\.ts$|^src\/commands\/index\.ts$/;
    expect(loaded.filter((path) => heavy.test(path))).toEqual([]);
  });
  test("P11: what a one-shot command loads takes no built-in module that costs a millisecond", () => {
    const plugins = ["wal", "hash-index", "ordered-index"].map(
      (name) => `plugins/${name}/index.ts`,
    );
    const commandLine = ["src/main.ts", "src/cli/one-shot.ts", "src/cli/one-shot-folder.ts"];
    const loaded = loadedWith([...commandLine, "src/kernel/engine.ts", ...plugins], project);
    const builtIns = project
      .filter(({ path }) => loaded.has(path))
      .flatMap(({ imports }) => imports.filter(({ kind }) => kind === "static"))
      .map(({ specifier }) => specifier)
      .filter((specifier) => specifier.startsWith("node:"));
    // node:crypto and node:zlib bring all of node's streams with them.
    const cheap = ["buffer", "fs", "fs/promises", "os", "path", "perf_hooks"];
    expect([...new Set(builtIns)].sort()).toEqual(cheap.map((name) => `node:${name}`));
  });
  test("no banned calls", () => expect(bannedCalls(project)).toEqual([]));
  test("file names", () => expect(wrongNames(project)).toEqual([]));
  test("every file has a header", () => expect(missingHeaders(project)).toEqual([]));
  test("no overlong files", () => expect(overlongFiles(project)).toEqual([]));

  test("package.json exports what plugins may import", () => {
    expect(exported.length).toBeGreaterThan(3);
    for (const [name, path] of exported) expect(PUBLIC_MODULES[name]).toBe(path);
  });
});

describe("arrows", () => {
  test.each([
    ["src/store/a.ts", "../platform/clock.ts"],
    ["src/store/a.ts", "./b.ts"],
    ["src/store/a.ts", "../errors.ts"],
    ["src/cli/a.ts", "../store/b.ts"],
    ["src/embedded/a.ts", "../kernel/b.ts"],
    ["src/embedded/a.ts", "../../plugins/index.ts"],
    ["src/commands/a.ts", "../session/session.ts"],
    ["src/commands/a.ts", "fastest-levenshtein"],
    ["src/kernel/a.ts", "../../plugins/index.ts"],
    ["src/kernel/a.ts", "../plugin.ts"],
    ["src/plugin.ts", "./kernel/open.ts"],
    ["src/main.ts", "./cli/cli.ts"],
    ["src/platform/files.ts", "node:fs"],
    ["src/metrics/a.ts", "../../package.json"],
    ["plugins/index.ts", "./wal/index.ts"],
    ["plugins/wal/index.ts", "kvdb"],
    ["plugins/wal/index.ts", "kvdb/resp"],
    ["plugins/wal/index.ts", "node:zlib"],
    ["plugins/wal/deep/a.ts", "../segment.ts"],
    ["examples/commands/hello/hello.ts", "kvdb"],
    ["examples/commands/hello/hello.test.ts", "kvdb/testing"],
    ["examples/commands/hello/hello.test.ts", "./hello.ts"],
  ])("%s may import %s", (path, specifier) => {
    expect(wrongArrows([importing(path, specifier)])).toEqual([]);
  });

  test.each([
    ["src/platform/a.ts", "../store/b.ts"],
    ["src/store/a.ts", "../resp/b.ts"], // neighbours
    ["src/store/a.ts", "../kernel/b.ts"],
    ["src/store/a.ts", "../plugin.ts"],
    ["src/store/a.ts", "kvdb"],
    ["src/store/a.ts", "../../bench/b.ts"],
    ["src/journal/a.ts", "../../plugins/index.ts"],
    ["src/kernel/a.ts", "../../plugins/wal/index.ts"],
    ["src/kernel/a.ts", "../main.ts"],
    ["src/kernel/a.ts", "../embedded/b.ts"],
    ["src/cli/a.ts", "../embedded/b.ts"], // neighbours
    ["src/errors.ts", "./store/a.ts"],
    ["src/kernel/a.ts", "node:fs/promises"],
    ["src/main.ts", "fs"],
    ["src/services/a.ts", "./b.ts"],
    ["src/types.ts", "./errors.ts"],
    ["plugins/wal/index.ts", "../aof/index.ts"],
    ["plugins/wal/index.ts", "../../src/errors.ts"],
    ["plugins/wal/index.ts", "node:fs"],
    ["plugins/wal/index.ts", "ajv"],
    ["plugins/echo.ts", "kvdb"],
    ["examples/commands/hello/hello.ts", "../../../src/errors.ts"],
    ["examples/commands/hello/hello.ts", "node:fs"],
  ])("%s may not import %s", (path, specifier) => {
    expect(wrongArrows([importing(path, specifier)])).toHaveLength(1);
  });

  test("type imports count, and lines are told", () => {
    const text = '// A.\n\nimport type { Kernel } from "../kernel/kernel.ts";\n';
    const [finding] = wrongArrows([sourceFile("src/store/a.ts", text)]);
    expect(finding).toStartWith("src/store/a.ts:3: ");
  });
});

describe("cycles", () => {
  const b = importing("src/store/b.ts", "./c.ts");
  const c = importing("src/store/c.ts", "./a.ts");

  test("are found, once", () => {
    const a = importing("src/store/a.ts", "./b.ts");
    expect(importCycles([a, b, c])).toEqual([
      "src/store/a.ts -> src/store/b.ts -> src/store/c.ts -> src/store/a.ts",
    ]);
  });

  test("through a public module too", () => {
    const contract = importing("src/plugin.ts", "../plugins/wal/index.ts");
    expect(importCycles([contract, importing("plugins/wal/index.ts", "kvdb")])).toHaveLength(1);
  });

  test.each([
    'import type { B } from "./b.ts";',
    'export type { B } from "./b.ts";',
    'const b = () => import("./b.ts");',
  ])("not by %s", (line) => {
    expect(importCycles([sourceFile("src/store/a.ts", line), b, c])).toEqual([]);
  });
});

describe("dead files", () => {
  test("are found, also when they import each other", () => {
    const files = [
      sourceFile("src/main.ts", 'import type { B } from "./b.ts";\nimport("./c.ts");\n'),
      sourceFile("src/b.ts", 'new Worker(new URL("./worker.ts", import.meta.url).href);\n'),
      ...["src/c.ts", "src/worker.ts"].map((path) => sourceFile(path, "")),
      importing("src/x.ts", "./y.ts"),
      importing("plugins/y.ts", "../src/x.ts"),
      sourceFile("src/ambient.d.ts", ""),
      sourceFile("test/alone.test.ts", ""),
    ];
    expect(deadFiles(files, ["src/main.ts"])).toEqual([
      "src/x.ts: nobody imports it",
      "plugins/y.ts: nobody imports it",
    ]);
  });
});

describe("banned calls", () => {
  test.each([
    ["src/store/a.ts", "const now = Date.now();"],
    ["src/store/a.ts", "const now = new Date( );"],
    ["src/commands/a.ts", "const now = performance.now();"],
    ["src/commands/a.ts", "const pick = Math.random();"],
    ["src/commands/a.ts", "setTimeout(next, 5);"],
    ["plugins/wal/index.ts", "const file = Bun.file(path);"],
    ["src/kernel/a.ts", 'console.log("hi");'],
    ["test/unit/a.test.ts", 'console.log("hi");'],
    ["src/cli/a.ts", "process.exit(1);"],
    ["src/kernel/a.ts", "try { a(); } catch {}"],
    ["src/kernel/a.ts", "try { a(); } catch (error) {\n  // never mind\n}"],
    ["src/kernel/a.ts", "await a().catch(() => {});"],
    ["src/kernel/a.ts", "function a(b: any): void {}"],
    ["src/kernel/a.ts", "const a = b as any;"],
    ["src/kernel/a.ts", "const a: Map<string, any> = b;"],
    ["src/kernel/a.ts", "const a = `$" + "{b as any}`;"],
    ["src/kernel/a.ts", "export default 5;"],
    ["src/kernel/a.ts", "export { a as default };"],
  ])("%s: %j", (path, text) => {
    expect(bannedCalls([sourceFile(path, text)])).toHaveLength(1);
  });

  test.each([
    ["src/platform/clock.ts", "const now = Date.now();"],
    ["src/store/a.ts", "const date = new Date(atMs);"],
    ["src/platform/files.ts", "const file = Bun.file(path);"],
    ["src/cli/a.ts", 'console.log("hi");'],
    ["src/main.ts", "process.exit(1);"],
    ["src/store/a.ts", "// Date.now() would make replay differ."],
    ["src/store/a.ts", 'const text = "Date.now()";'],
    ["src/store/a.ts", "const text = `Date.now() $" + "{`as any`} catch {}`;"],
    ["src/store/a.ts", "const pattern = /Date.now|'/;\nconst text = 'as any';"],
    ["src/store/a.ts", "const a = b / c; // as any\nconst d = e / f;"],
    ["src/kernel/a.ts", "try { a(); } catch (error) { report(error); }"],
    ["src/kernel/a.ts", "const winner = await Promise.any(all);"],
    ["plugins/wal/index.ts", "export default definePlugin({});"],
  ])("not in %s: %j", (path, text) => {
    expect(bannedCalls([sourceFile(path, text)])).toEqual([]);
  });
});

describe("files", () => {
  const named = (path: string): SourceFile => sourceFile(path, "");

  test("wrong names are found", () => {
    const bad = ["src/a/bigKey.ts", "src/a/utils.ts", "src/a/string-helpers.ts", "src/misc/a.ts"];
    expect(wrongNames(bad.map(named))).toHaveLength(bad.length);
    const good = ["src/store/sorted-set.ts", "test/unit/a.test.ts", "src/store/utility.ts"];
    expect(wrongNames(good.map(named))).toEqual([]);
  });

  test("missing headers are found", () => {
    expect(missingHeaders([sourceFile("src/a.ts", "export {};\n")])).toHaveLength(1);
    expect(missingHeaders([sourceFile("src/a.ts", "// What it is.\nexport {};\n")])).toEqual([]);
    expect(missingHeaders([sourceFile("src/a.ts", "/** What. */\nexport {};\n")])).toEqual([]);
  });

  test("overlong files are found, unless their header says why", () => {
    const lines = "a();\n".repeat(600);
    expect(overlongFiles([sourceFile("src/a.ts", lines)])).toEqual([]);
    expect(overlongFiles([sourceFile("src/a.ts", `// A table.\n${lines}`)])).toHaveLength(1);
    const example = (count: number) => sourceFile("examples/a/b/c.ts", "a();\n".repeat(count));
    expect(overlongFiles([example(99)])).toEqual([]);
    expect(overlongFiles([example(100)])).toHaveLength(1);
    const reason = "// A table, longer\n// than usual: one row per command.\n";
    expect(overlongFiles([sourceFile("src/a.ts", reason + lines)])).toEqual([]);
  });
});

describe("the scanner", () => {
  test("blanks nothing but prose: every file stays as long and as many lines", () => {
    for (const { path, text, code } of project) {
      expect([path, code.length]).toEqual([path, text.length]);
      expect([path, code.split("\n").length]).toEqual([path, text.split("\n").length]);
    }
  });

  test("misses no import that Bun sees", () => {
    const transpiler = new Bun.Transpiler({ loader: "ts" });
    for (const { path, text, imports } of project) {
      const own = imports.map(({ specifier }) => specifier);
      const missed = transpiler.scanImports(text).filter((one) => !own.includes(one.path));
      expect([path, missed]).toEqual([path, []]);
    }
  });
});

function importing(path: string, specifier: string): SourceFile {
  return sourceFile(path, `// A file.\n\nimport { name } from "${specifier}";\n`);
}
