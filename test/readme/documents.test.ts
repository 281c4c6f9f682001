/**
 * The pages beside README.md are true too: those of docs/, and the one that each example has. Their
 * transcripts are run, their links lead somewhere, and docs/plugins.md names every member of the
 * contract and no other.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { API_VERSION } from "../../src/plugin.ts";
import { anchorOf, type Document, parseDocument } from "./document.ts";
import { transcriptTests } from "./transcript-tests.ts";

const ROOT = resolve(import.meta.dir, "../..");
const PLUGINS = "docs/plugins.md";

const read = (path: string) => Bun.file(join(ROOT, path)).text();
const paths = [...new Bun.Glob("{docs,examples}/**/*.md").scanSync({ cwd: ROOT })].sort();

for (const path of paths) {
  const document = parseDocument(await read(path));
  describe(path, () => {
    if (document.fences.some(({ language }) => language === "console")) {
      const isExample = path.startsWith("examples/");
      transcriptTests(document, isExample ? join(ROOT, dirname(path)) : undefined);
    }
    test("links lead to what exists", async () => {
      expect(await brokenLinks(path, document)).toEqual([]);
    });
  });
}

async function brokenLinks(path: string, document: Document): Promise<string[]> {
  const broken: string[] = [];
  for (const { text: target } of document.links) {
    if (!/^https?:/.test(target) && !(await leadsSomewhere(target, path))) broken.push(target);
  }
  return broken;
}

/** Of a link into a page there must be the heading as well. */
async function leadsSomewhere(target: string, from: string): Promise<boolean> {
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? from : join(dirname(from), file);
  if (!existsSync(join(ROOT, path))) return false;
  if (anchor === undefined) return true;
  const { headings } = parseDocument(await read(path));
  return headings.some(({ text }) => anchorOf(text) === anchor);
}

test("every example has its page, its configuration and its test", () => {
  const folders = [...new Bun.Glob("examples/*/*/kvdb.config.json").scanSync({ cwd: ROOT })].map(
    dirname,
  );
  expect(folders.length).toBeGreaterThan(3);
  for (const folder of folders) {
    const name = basename(folder);
    for (const file of [`${name}.ts`, `${name}.test.ts`, "README.md"]) {
      expect([folder, file, existsSync(join(ROOT, folder, file))]).toEqual([folder, file, true]);
    }
  }
});

describe(`${PLUGINS}: the contract`, async () => {
  const text = await read(PLUGINS);
  const tables = [...text.matchAll(/^<!-- members: (\w+) -->\n([\s\S]*?)^<!-- end -->$/gm)];
  const sources = await Promise.all(
    ["src/plugin.ts", "src/commands/command.ts", "src/index/contract.ts"].map(read),
  );

  test.each(tables.map(([, name, table]) => [name, table] as const))(
    "the table of %s has its members, in their order",
    (name, table) => {
      const rows = [...table.matchAll(/^\| (`.*?`) \|/gm)].map(([, cell]) => cell);
      const named = rows.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, one]) => one));
      expect(named).toEqual(membersOf(name, sources.join("\n")));
    },
  );

  test("what a plugin makes and is given has a table", () => {
    expect(tables.map(([, name]) => name).sort()).toEqual(
      [
        ...["Client", "CommandInfo", "CommandSession", "Frontend", "FrontendContext"],
        ...["Index", "IndexHost", "IndexKind", "LoadReport"],
        ...["Persistence", "PersistenceContext", "Plugin", "PluginContext"],
        "ShellContext",
      ].sort(),
    );
  });

  test("the version of the contract is the one that is", () => {
    const versions = [...text.matchAll(/apiVersion`?(?: is|:)? (\d+)/g)].map(([, one]) => one);
    expect(versions.length).toBeGreaterThan(3);
    expect(new Set(versions)).toEqual(new Set([String(API_VERSION)]));
  });

  test("the rules are numbered without a gap", () => {
    const numbers = [...text.matchAll(/^(\d+)\. +\*\*/gm)].map(([, one]) => Number(one));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThan(10);
  });
});

/** The members that an interface has of its own. */
function membersOf(name: string, source: string): string[] {
  const [, body] = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, "m").exec(
    source,
  ) ?? [undefined, undefined];
  if (body === undefined) throw new Error(`there is no interface ${name}`);
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, member]) => member);
}
