/**
 * How far a long start is, for a person at a terminal: a persistence that loads as long as the test likes, a command, a
 * server, and a command that a loading server is asked. Never in a pipe.
 */
import { expect, test } from "bun:test";
import { until } from "./support/poll.ts";
import { cleanEnvironment, kvdb, outcomeOf } from "./support/run.ts";
import { Terminal } from "./support/screen.ts";
import { freePort, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

/**
 * Has loaded 400 of 1000 bytes, and goes on when there is a file `go`. `loads` is there when it has begun, `long` when a
 * person at a terminal would have seen so.
 */
const SLOW = `
import { join } from "node:path";
import { definePlugin } from "kvdb";
export default definePlugin({
  name: "slow",
  apiVersion: 1,
  persistence: (_options, { files, folder }) => ({
    supports: { records: true, checkpoints: false },
    durability: "always",
    async open() {},
    async load(sink) {
      sink.progress(0, 1000);
      await files.replace(join(folder, "loads"), Buffer.from(""));
      for (let step = 0; !(await files.exists(join(folder, "go"))); step++) {
        sink.progress(400, 1000);
        if (step === 70) await files.replace(join(folder, "long"), Buffer.from(""));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return { records: 0, bytes: 1000, lastRevision: 0, clean: true, dropped: [] };
    },
    append() {},
    async flush() {},
    async close() {},
  }),
});
`;

const SHOWN = /^loading \[#{8} {12}\] 40 %, 400 bytes of 1000 bytes, [\d.]+ s left$/;

async function slowWorkspace(): Promise<Workspace> {
  const workspace = await Workspace.create();
  await workspace.write("slow.ts", SLOW);
  await workspace.write("kvdb.config.json", {
    ...{ dir: "data", persistence: "slow", plugins: ["./slow.ts"] },
  });
  return workspace;
}

const isShown = (screen: string[]) => screen.some((row) => SHOWN.test(row));

test("a command at a terminal shows it in one line, which is gone when it is over", async () => {
  await using workspace = await slowWorkspace();
  await using terminal = new Terminal(workspace, { args: ["get", "name"] });
  await terminal.until("how far it is", isShown);
  await workspace.write("data/go", "");
  expect(await terminal.ended()).toBe(0);
  expect(await terminal.until("the answer", (screen) => screen.length > 0)).toEqual(["null"]);
});

test("a server at a terminal shows it, with its log above it", async () => {
  await using workspace = await slowWorkspace();
  const args = ["serve", "--port", String(await freePort())];
  await using terminal = new Terminal(workspace, { args, columns: 120 });
  await terminal.until("how far it is", isShown);
  await workspace.write("data/go", "");
  const screen = await terminal.until("it is ready", (rows) =>
    rows.some((row) => row.includes("ready")),
  );
  expect(screen.filter((row) => row.includes("loading"))).toEqual([]);
  terminal.type("\x03");
  expect(await terminal.ended()).toBe(0);
});

test("a command that a loading server is asked shows how far that one is", async () => {
  await using workspace = await slowWorkspace();
  await using server = await Server.start(workspace, { awaitReady: false });
  await until("its socket is there", () => Bun.file(workspace.path("data", "loads")).exists());
  await using terminal = new Terminal(workspace, { args: ["get", "name"] });
  await terminal.until("how far it is", isShown);
  await workspace.write("data/go", "");
  expect(await terminal.ended()).toBe(0);
  expect(await terminal.until("the answer", (screen) => screen.length > 0)).toEqual(["null"]);
  expect(server.log).not.toContain("\r");
});

test("in a pipe nothing of it is written", async () => {
  await using workspace = await slowWorkspace();
  const child = Bun.spawn([workspace.executable, "get", "name"], {
    cwd: workspace.folder,
    env: cleanEnvironment(workspace),
    stdio: ["ignore", "pipe", "pipe"],
  });
  await until("it is a long load", () => Bun.file(workspace.path("data", "long")).exists());
  await workspace.write("data/go", "");
  expect(await outcomeOf(child)).toEqual({ code: 0, stdout: "null\n", stderr: "" });
  expect((await kvdb(workspace, ["get", "name"])).stderr).toBe("");
});
