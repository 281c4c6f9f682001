/**
 * The transcripts of a document as tests: fenced blocks marked `console`, run with the built
 * executable and compared. The blocks of a section follow on one another, in a folder that has the
 * files of the section in it and nothing else. `console server`: beside a `kvdb serve`;
 * `console started`: beside what `kvdb` alone starts, on port 8080.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../e2e/support/poll.ts";
import { cleanEnvironment } from "../e2e/support/run.ts";
import { freePort, Server } from "../e2e/support/server.ts";
import { Workspace } from "../e2e/support/workspace.ts";
import type { Document, Fence } from "./document.ts";
import { type LocalPlace, localized, replay, stepsOf, withoutTimes } from "./transcript.ts";

/** Programs that a transcript may use and a machine may lack. */
const PROGRAMS = ["redis-cli", "curl"];

interface Place {
  readonly workspace: Workspace;
  readonly webPort: number;
}

/** `copied`: a folder whose files are there as well. */
export function transcriptTests(document: Document, copied?: string): void {
  describe("transcripts", () => {
    const transcripts = document.fences.filter(({ language }) => language === "console");
    const places = new Map<string, Promise<Place>>();
    afterAll(async () => {
      for (const place of places.values()) await (await place).workspace[Symbol.asyncDispose]();
    });

    test("there are some", () => expect(transcripts.length).toBeGreaterThan(0));

    for (const fence of transcripts) {
      const steps = stepsOf(fence);
      const needed = PROGRAMS.filter((name) =>
        steps.some(({ command }) => command.split(/\W*\s+/).includes(name)),
      );
      const note = needed.map((name) => ` (needs ${name})`).join("");
      const isMissing = needed.some((name) => Bun.which(name) === null);
      test.skipIf(isMissing)(`line ${fence.line}: ${steps[0]?.command}${note}`, async () => {
        const place = places.get(fence.section) ?? layOut(fence.section, document, copied);
        places.set(fence.section, place);
        await compare(fence, await place);
      });
    }
  });
}

/** A folder with the files of the section. */
async function layOut(section: string, document: Document, copied?: string): Promise<Place> {
  const workspace = await Workspace.create();
  const webPort = freePort();
  if (copied !== undefined) await cp(copied, workspace.folder, { recursive: true });
  for (const fence of document.fences) {
    const name = fence.attributes.get("file");
    if (fence.section !== section || name === undefined) continue;
    await workspace.write(name, `${fence.lines.join("\n")}\n`);
  }
  for await (const name of new Bun.Glob("*.json").scan(workspace.folder)) {
    const text = await Bun.file(workspace.path(name)).text();
    await workspace.write(name, text.replaceAll("8080", String(webPort)));
  }
  return { workspace, webPort };
}

async function compare(fence: Fence, { workspace, webPort }: Place): Promise<void> {
  const needsServer = fence.attributes.has("server");
  await using server = needsServer ? await Server.start(workspace) : null;
  await using _started = fence.attributes.has("started") ? await start(workspace) : null;
  const place: LocalPlace = {
    port: server?.port ?? freePort(),
    webPort,
    folder: workspace.folder,
  };
  const expected = localized(stepsOf(fence), place);
  const actual = await replay(expected, workspace);
  expect(withoutTimes(actual)).toEqual(withoutTimes(expected));
  if (server !== null) expect(await server.stop()).toBe(0);
}

/** `kvdb` as the configuration says, once its data is loaded. */
async function start(workspace: Workspace): Promise<AsyncDisposable> {
  const log = join(workspace.root, "started.log");
  const child = Bun.spawn([workspace.executable], {
    cwd: workspace.folder,
    env: cleanEnvironment(workspace),
    stdio: ["ignore", "ignore", Bun.file(log)],
  });
  const stop = async () => {
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  };
  await until("kvdb is ready", async () => {
    if (child.exitCode !== null) throw new Error(`kvdb ended: ${await Bun.file(log).text()}`);
    return (await Bun.file(log).text()).includes(" is ready ");
  });
  return { [Symbol.asyncDispose]: stop };
}
