/**
 * Data folders that earlier versions of kvdb wrote load for ever: each folder of
 * test/fixtures/formats (its README says what they are) comes back whole, can be written on, and is
 * whole again after that. A new folder needs no code.
 */
import { describe, expect, test } from "bun:test";
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Content, readContent } from "./support/content.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const FIXTURES = join(import.meta.dir, "../fixtures/formats");
const DAMAGE = 65;
const NEW_KEY = "written by today's version";

interface Expected {
  /** It was damaged: refused, unless --recover is given. */
  readonly recover?: boolean;
  readonly content: Content;
}

const found = await readdir(FIXTURES, { withFileTypes: true });
const names = found.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();

test("there are folders of earlier versions", () => {
  expect(names.length).toBeGreaterThan(0);
});

describe.each(names)("%s", (name) => {
  test("it loads, it can be written on, and it loads again", async () => {
    await using workspace = await Workspace.create();
    await cp(join(FIXTURES, name), workspace.folder, { recursive: true });
    const text = await readFile(workspace.path("expected.json"), "utf8");
    const { recover = false, content } = JSON.parse(text) as Expected;
    expect(Object.keys(content).length).toBeGreaterThan(0);

    if (recover) await expectRefused(workspace);
    await expectContent(workspace, content, recover ? ["--recover"] : []);
    const main = { ...content[0], [NEW_KEY]: { type: "string", value: "@1" } };
    await expectContent(workspace, { ...content, 0: main });
  });
});

async function expectRefused(workspace: Workspace): Promise<void> {
  await using server = await Server.start(workspace, { awaitReady: false });
  expect(await server.ended()).toBe(DAMAGE);
}

/** Compares all that is there, then writes, then stops. */
async function expectContent(
  workspace: Workspace,
  content: Content,
  flags: readonly string[] = [],
): Promise<void> {
  await using server = await Server.start(workspace, { flags });
  const client = await server.connect();
  expect(await readContent(client)).toEqual(content);
  expect(await client.call("SET", NEW_KEY, "@1")).toBe("OK");
  expect(await server.stop()).toBe(0);
}
