/**
 * K12 by examples: each *.txt beside this file is a folder, an environment and a command line, and
 * the configuration or the errors that come of it. A new case is a new file and no code. README.md
 * draws the format.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtins } from "../../plugins/index.ts";
import { parseArguments } from "../../src/cli/arguments.ts";
import { errorTable, KvdbError } from "../../src/errors.ts";
import { type LoadedConfig, loadConfig } from "../../src/kernel/config.ts";
import { Engine } from "../../src/kernel/engine.ts";
import type { Platform } from "../../src/kernel/kernel.ts";
import { prepare } from "../../src/kernel/prepare.ts";
import { compiledSchemas } from "../../src/kernel/validators.generated.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemFiles } from "../../src/platform/files.ts";
import { seededRandom } from "../../src/platform/random.ts";

const opened = () => {
  throw new Error("a case opens nothing");
};

const platform: Platform = {
  ...{ clock: systemClock, random: seededRandom(1), files: systemFiles },
  ...{ lockFolder: opened, startSnapshotWorker: opened, writeLog: () => {} },
};

interface Section {
  readonly head: string;
  readonly body: string;
}

let root = "";
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "kvdb-config-cases-")));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const names = [...new Bun.Glob("*.txt").scanSync(import.meta.dir)].sort();

for (const name of names) {
  test(`K12: config case ${name}`, async () => {
    const sections = parseSections(await Bun.file(join(import.meta.dir, name)).text());
    const folder = join(root, name);
    await layOut(sections, folder);
    const outcome = await resolveCase(sections, folder);
    compare(sections, outcome, folder);
  });
}

test("K12: at least forty cases", () => expect(names.length).toBeGreaterThanOrEqual(40));

/** What comes before the first separator is the case's title, for people. */
function parseSections(text: string): Section[] {
  return text
    .split(/^--- /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf("\n");
      return { head: part.slice(0, end).trim(), body: part.slice(end + 1) };
    });
}

async function layOut(sections: readonly Section[], folder: string): Promise<void> {
  await Bun.write(join(folder, ".git/HEAD"), ""); // the search stops here, whatever lies above
  for (const { head, body } of sections) {
    if (!head.startsWith("file ")) continue;
    await Bun.write(join(folder, head.slice(5)), body);
  }
  await Bun.write(join(folder, currentOf(sections), ".keep"), "");
}

function currentOf(sections: readonly Section[]): string {
  return setting(sections, "current") ?? ".";
}

async function resolveCase(
  sections: readonly Section[],
  folder: string,
): Promise<LoadedConfig | KvdbError> {
  const foreign = setting(sections, "foreign");
  try {
    const invocation = parseArguments(lines(sections, "arguments"));
    if (invocation.kind === "text") throw new Error("the case asks for help");
    const loaded = await loadConfig({
      surroundings: {
        currentFolder: join(folder, currentOf(sections)),
        homeFolder: join(folder, setting(sections, "home") ?? "."),
        files: systemFiles,
        ownerOf: async (path) => (foreign !== undefined && path === join(folder, foreign) ? 2 : 1),
        user: 1,
      },
      environment: environmentOf(sections),
      configFile: invocation.flags.configFile,
      options: invocation.flags.given,
      serve: invocation.kind === "start" && invocation.serve,
      schemas: compiledSchemas,
    });
    await prepare({
      ...{ loaded, builtins, platform },
      createEngine: (settings) => new Engine(settings),
      purpose: { kind: "use" },
      role: "server",
      onStopRequest: () => {},
    });
    return loaded;
  } catch (error) {
    if (error instanceof KvdbError) return error;
    throw error;
  }
}

function compare(
  sections: readonly Section[],
  outcome: LoadedConfig | KvdbError,
  folder: string,
): void {
  const [config] = bodies(sections, "config");
  if (config !== undefined) {
    if (outcome instanceof KvdbError) throw outcome;
    const expected = JSON.parse(config.replaceAll("$ROOT", folder)) as object;
    expect(outcome.config).toMatchObject(expected);
  }
  for (const facts of bodies(sections, "warnings")) {
    if (outcome instanceof KvdbError) throw outcome;
    expectFacts(outcome.warnings, facts.replaceAll("$ROOT", folder));
  }
  const error = sections.find(({ head }) => head.startsWith("error "));
  if (error === undefined) {
    expect(config).toBeDefined();
    return;
  }
  if (!(outcome instanceof KvdbError)) throw new Error("no error came of it");
  expect(`${outcome.code} ${errorTable[outcome.code].exit}`).toBe(error.head.slice(6));
  expectFacts(outcome.message.split("\n"), error.body.replaceAll("$ROOT", folder));
}

/** One line of facts for each message, in its order: `kvdb.config.json:3 | memory.max | 2gb`. */
function expectFacts(messages: readonly string[], facts: string): void {
  const expected = facts.split("\n").filter((line) => line !== "");
  expect({ messages, count: messages.length }).toEqual({ messages, count: expected.length });
  expected.forEach((line, index) => {
    for (const fact of line.split(" | ")) expect(messages[index]).toContain(fact);
  });
}

function bodies(sections: readonly Section[], head: string): string[] {
  return sections.filter((section) => section.head === head).map(({ body }) => body);
}

function lines(sections: readonly Section[], head: string): string[] {
  return bodies(sections, head)
    .flatMap((body) => body.split("\n"))
    .filter((line) => line !== "");
}

function setting(sections: readonly Section[], name: string): string | undefined {
  const line = lines(sections, "surroundings").find((one) => one.startsWith(`${name}: `));
  return line?.slice(name.length + 2);
}

function environmentOf(sections: readonly Section[]): Record<string, string> {
  return Object.fromEntries(
    lines(sections, "environment").map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}
