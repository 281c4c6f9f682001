/**
 * README.md is true: its transcripts are run with the built executable, its tables are those that
 * the code makes, and what it names and links to exists.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import {
  CONFIGURATION_PATH,
  README_PATH,
  renderReadme,
  settingRows,
} from "../../scripts/readme.ts";
import { parseArguments } from "../../src/cli/arguments.ts";
import { ownCommands } from "../../src/cli/own-commands.ts";
import { ownWords, pluginWords } from "../../src/cli/own-words.ts";
import { CONFIG_VARIABLE, settings, variableOf } from "../../src/kernel/settings.ts";
import { anchorOf, parseDocument } from "./document.ts";
import { type KnownNames, unknownNames } from "./names.ts";
import { transcriptTests } from "./transcript-tests.ts";

const ROOT = resolve(import.meta.dir, "../..");
const text = await Bun.file(README_PATH).text();
const readme = parseDocument(text);

test("the generated parts are fresh (else: bun scripts/readme.ts)", async () => {
  expect(await renderReadme(text)).toBe(text);
  expect(text.match(/^<!-- generated: /gm)).toHaveLength(5);
});

test("the names of CONFIG in docs/configuration.md are fresh", async () => {
  const page = await Bun.file(CONFIGURATION_PATH).text();
  expect(await renderReadme(page)).toBe(page);
  expect(page).toContain("| `maxclients` | yes | `frontends[].maxclients` (resp) |");
});

transcriptTests(readme);

describe("names", () => {
  test("options, variables, commands, keys and scripts exist", async () => {
    expect(unknownNames(readme.words, await knownNames())).toEqual([]);
  });

  test.each([
    "--prot",
    "--not-built yet",
    "KVDB_PROT",
    "GETT key",
    "CLIENT LISTS",
    "kvdb --recover gett name",
    "kvdb serv",
    "memory.most",
    "fsnc: always",
    "npm run biuld",
  ])("%s is found wrong", async (wrong) => {
    expect(unknownNames([{ line: 1, text: wrong }], await knownNames())).toHaveLength(1);
  });

  test.each(["--port", "KVDB_PORT=6380", "kvdb --dir x get name", "SET key value", "CLIENT LIST"])(
    "%s is found right",
    async (right) => {
      expect(unknownNames([{ line: 1, text: right }], await knownNames())).toEqual([]);
    },
  );
});

async function knownNames(): Promise<KnownNames> {
  const help = [["--help"], ["serve", "--help"]].map((words) => {
    const invocation = parseArguments(words);
    return invocation.kind === "text" ? invocation.text : "";
  });
  const commands = ownCommands().map(({ name }) => name.replace("|", " "));
  const keys = (await settingRows()).map(({ key }) => key);
  return {
    options: new Set([
      ...(help.join("").match(/--[a-z-]+/g) ?? []),
      ...pluginWords.map(({ name }) => name),
    ]),
    variables: new Set([...settings.map(variableOf), CONFIG_VARIABLE]),
    commands: new Set([...commands, "NO_COLOR"]), // a variable, not of ours, that looks like a command
    words: new Set([
      ...["delete", "list"],
      ...ownWords.map(({ name }) => name),
      ...commands.map((name) => name.split(" ", 1)[0].toLowerCase()),
    ]),
    keys: new Set(keys.flatMap((key) => [key, key.split(".").at(-1) ?? key])),
    replyCodes: new Set(["DENIED", "LOADING", "MISCONF", "NOAUTH", "OOM", "WRONGTYPE"]),
    scripts: new Set(Object.keys(packageJson.scripts)),
  };
}

test("what is said not to be there is not", () => {
  const [, list = ""] = /^- Not there,([\s\S]*?)^- /m.exec(text) ?? [];
  const missing = list.replace(/\s+/g, " ").match(/\b[A-Z]{3,}(?: [A-Z]+)?\b/g) ?? [];
  const present = new Set(ownCommands().map(({ name }) => name.replace("|", " ")));
  expect(missing.length).toBeGreaterThan(10);
  expect(missing.filter((name) => present.has(name))).toEqual([]);
});

describe("links", () => {
  test("what they point to exists", () => {
    const anchors = new Set(readme.headings.map((heading) => `#${anchorOf(heading.text)}`));
    const broken = readme.links.filter(({ text: target }) => {
      if (/^https?:/.test(target)) return false;
      return target.startsWith("#") ? !anchors.has(target) : !existsSync(join(ROOT, target));
    });
    expect(broken).toEqual([]);
    expect(readme.links.length).toBeGreaterThan(10);
  });
});

describe("dependencies", () => {
  test("each has its line, and no other", () => {
    const listed = [...text.matchAll(/^\| \[?`?([@a-z0-9/-]+)`?\]? \| (core|tools) \|/gm)];
    const rows = listed.map(([, name, kind]) => [name, kind]).sort();
    const expected = [
      ...Object.keys(packageJson.dependencies).map((name) => [name, "core"]),
      ...Object.keys(packageJson.devDependencies).map((name) => [name, "tools"]),
    ].sort();
    expect(rows).toEqual(expected);
  });
});
