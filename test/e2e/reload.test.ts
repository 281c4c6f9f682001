/** V-T3: SIGHUP reads the configuration again, applies all of it that can be, or nothing; and the log, which it opens anew. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { freePort } from "../suites/free-port.ts";
import type { Client } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { Server } from "./support/server.ts";
import { TerminalRun } from "./support/terminal.ts";
import { Workspace } from "./support/workspace.ts";

const FILE = {
  databases: 4,
  memory: { max: "10mb" },
  persistence: { use: "wal", fsync: "always" },
  requirepass: "secret",
  parameters: { "list-max-listpack-size": -1 },
};

async function get(client: Client, ...names: readonly string[]): Promise<Record<string, string>> {
  const words = ((await client.call("CONFIG", "GET", ...names)) as string[]).map(String);
  return Object.fromEntries(names.map((name) => [name, words[words.indexOf(name) + 1] ?? ""]));
}

/** Sends the signal; resolves to what the log says from then on, up to the end of it. */
async function reload(server: Server): Promise<string> {
  const before = server.log.length;
  server.signal("SIGHUP");
  await until("the reload is over", () => /read again|refused/.test(server.log.slice(before)));
  return server.log.slice(before);
}

test("what changed and can change is applied, the rest is told with its place, a secret is not", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", FILE);
  await using server = await Server.start(workspace, {
    args: ["--timeout", "7"],
    password: "secret",
  });
  const client = await server.connect();
  await client.call("CONFIG", "SET", "appendfsync", "no");
  const next = {
    ...FILE,
    databases: 8,
    memory: { max: "20mb" },
    requirepass: "newsecret",
    parameters: { "list-max-listpack-size": -2, "set-max-intset-entries": 9 },
    frontends: [{ use: "resp", timeout: 99, maxclients: 77 }],
  };
  await workspace.write("kvdb.config.json", JSON.stringify(next, undefined, 2));
  const log = await reload(server);
  // What CONFIG SET said stays, for the file says what it said; what an option says stands above it.
  expect(
    await get(
      client,
      "appendfsync",
      "timeout",
      "maxclients",
      "maxmemory",
      "databases",
      "requirepass",
    ),
  ).toEqual({
    ...{ appendfsync: "no", timeout: "7", maxclients: "77", maxmemory: "20971520" },
    ...{ databases: "4", requirepass: "secret" },
  });
  expect(await get(client, "list-max-listpack-size", "set-max-intset-entries")).toEqual({
    "list-max-listpack-size": "-2",
    "set-max-intset-entries": "9",
  });
  expect(log).toMatch(/info {2}config: applied key=memory\.max place=kvdb\.config\.json:\d+/);
  expect(log).toMatch(/warn {2}config: changed, but needs a restart key=databases place=.*:2/);
  expect(log).not.toContain("secret");
});

test("a configuration that is wrong, or a value that is refused, changes nothing and says why", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", FILE);
  await using server = await Server.start(workspace, { args: ["--requirepass", ""] });
  const client = await server.connect();
  const faults = [
    ['{\n "memory": { "max": "5mb" },\n "databasse": 3\n}', "kvdb.config.json:3: databasse"],
    ['{ "memory": ', "kvdb.config.json:1"],
    [
      '{ "memory": { "max": "5mb" },\n "parameters": { "list-max-listpack-size": "many" } }',
      "kvdb.config.json:2: parameters.list-max-listpack-size",
    ],
  ];
  // What a plugin's code must judge is judged, too.
  const later = [
    [
      '{ "memory": { "max": "5mb" },\n "parameters": { "nonsense": 1 } }',
      "kvdb.config.json:2: parameters.nonsense",
    ],
    ['{ "memory": { "max": "5mb" },\n "plugins": ["./nowhere.ts"] }', "nowhere.ts"],
  ];
  for (const [text = "", place = ""] of [...faults, ...later]) {
    await workspace.write("kvdb.config.json", text);
    const log = await reload(server);
    expect(log).toContain("nothing was changed");
    expect(log).toContain(place);
    expect(await get(client, "maxmemory")).toEqual({ maxmemory: "10485760" });
  }
  await workspace.write("kvdb.config.json", { ...FILE, memory: { max: "5mb" } });
  await reload(server);
  expect(await get(client, "maxmemory")).toEqual({ maxmemory: "5242880" });
});

test("a file that is gone, or found before it, takes nothing away", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.jsonc", FILE);
  await using server = await Server.start(workspace, { password: "secret" });
  const client = await server.connect();
  const [file, aside] = [workspace.path("kvdb.config.jsonc"), workspace.path("aside")];
  await rename(file, aside);
  expect(await reload(server)).toContain("it is gone");
  await rename(aside, file);
  await workspace.write("kvdb.config.json", { memory: { max: "20mb" } });
  expect(await reload(server)).toContain("kvdb.config.json is found instead");
  expect(await get(client, "requirepass", "maxmemory")).toEqual({
    requirepass: "secret",
    maxmemory: "10485760",
  });
});

test("the log: an object a line, in a file that is opened again when it was moved away", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { log: { format: "json", file: "logs.txt" } });
  await using server = await Server.start(workspace);
  const [file, old] = [workspace.path("logs.txt"), workspace.path("old.txt")];
  const lines = async (path: string) => {
    const text = await readFile(path, "utf8");
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const ready = (await lines(file)).find(({ message }) => String(message).includes("is ready"));
  expect(ready).toMatchObject({ level: "info", part: "", persistence: "wal", records: 0 });
  expect(String(ready?.["time"])).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(server.log).toBe("");
  await rename(file, old);
  server.signal("SIGHUP");
  await until("the log is there again", () => existsSync(file));
  await until("a line is in it", async () => (await readFile(file, "utf8")).includes("\n"));
  expect(await server.stop()).toBe(0);
  expect((await lines(file)).at(-1)).toMatchObject({ message: "stopped" });
  expect(await readFile(old, "utf8")).not.toContain("stopped");
});

test("a log that cannot be opened is no start", async () => {
  await using workspace = await Workspace.create();
  await writeFile(workspace.path("file"), "");
  await using server = await Server.start(workspace, {
    args: ["--logfile", "file/log"],
    awaitReady: false,
  });
  expect(await server.ended()).toBe(74);
  expect(server.log).toContain("file/log");
});

test("at a terminal too: a person may send the signal; when the terminal is gone it is a wish to stop", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { memory: { max: "1mb" } });
  const port = freePort();
  await using run = new TerminalRun(workspace, [
    ...[workspace.executable, "serve", "--port", String(port)],
  ]);
  await run.until("is ready");
  await workspace.write("kvdb.config.json", { memory: { max: "2mb" } });
  run.signal("SIGHUP");
  await run.until("applied key=memory.max");
  expect(await run.hangUp()).toBe(0);
});
