/** A server has the settings of the allocator that spare it giving memory back all the time: platform/allocator.ts. */
import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { freePort } from "../suites/free-port.ts";
import { infoNumber, Server, type ServerOptions } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const COMMAND_LINE = "/proc/self/cmdline";
const isThere = await Bun.file(COMMAND_LINE).exists();

async function settingsOf(pid: number): Promise<Record<string, string>> {
  const variables = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
  return Object.fromEntries(
    variables
      .filter((one) => one.startsWith("MIMALLOC_PURGE_"))
      .map((one) => one.split("=") as [string, string]),
  );
}

async function served(options: ServerOptions): Promise<Record<string, string>> {
  await using workspace = await Workspace.create();
  const { port } = options;
  await workspace.write("kvdb.config.json", { frontends: [{ use: "resp", port }] });
  await using server = await Server.start(workspace, options);
  const client = await server.connect();
  // The same process, as whoever started it knows it.
  expect(await infoNumber(client, "process_id")).toBe(server.pid);
  return await settingsOf(server.pid);
}

test.skipIf(!isThere)("a server begins once more, with them, and with its arguments", async () => {
  const given = { MIMALLOC_PURGE_DELAY: "10000", MIMALLOC_PURGE_HOLES: "0" };
  expect(await served({ args: ["--dir", "a folder with 'marks' and äöü"] })).toEqual(given);
  expect(await served({ fromConfig: true, port: freePort() })).toEqual(given);
});

test.skipIf(!isThere)("what the environment says stands", async () => {
  const env = { MIMALLOC_PURGE_DELAY: "5", MIMALLOC_PURGE_HOLES: "1" };
  expect(await served({ env })).toEqual(env);
  const one = { MIMALLOC_PURGE_HOLES: "1" };
  expect(await served({ env: one })).toEqual({ ...one, MIMALLOC_PURGE_DELAY: "10000" });
});
