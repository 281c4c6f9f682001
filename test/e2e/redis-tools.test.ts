/** Redis's own tools as clients, and the port where they look for a server. */
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { until } from "./support/poll.ts";
import { PrivateNetwork } from "./support/private-network.ts";
import { run } from "./support/run.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const hasCli = Bun.which("redis-cli") !== null;
const hasBenchmark = Bun.which("redis-benchmark") !== null;
const network = await PrivateNetwork.create();
afterAll(() => network?.[Symbol.asyncDispose]());

test.skipIf(!hasCli)("U1: redis-cli sets, gets and deletes", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const cli = async (...command: string[]) => {
    const place = ["-h", "127.0.0.1", "-p", String(server.port), "--no-raw"];
    return (await run(workspace, ["redis-cli", ...place, ...command])).stdout;
  };
  expect(await cli("SET", "key", "value")).toBe("OK\n");
  expect(await cli("GET", "key")).toBe('"value"\n');
  expect(await cli("DEL", "key")).toBe("(integer) 1\n");
  expect(await cli("GET", "key")).toBe("(nil)\n");
  expect(await cli("-3", "GET", "key")).toBe("(nil)\n");
});

test.skipIf(!hasCli)("U1: redis-cli reads commands from its input and from a pipe", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const cli = ["redis-cli", "-p", String(server.port)];
  const lines = Array.from({ length: 500 }, (_, i) => `SET key:${i} "value ${i}"`).join("\n");
  const typed = await run(workspace, cli, { input: `${lines}\nGET key:499\n` });
  expect(typed.stdout).toBe(`${"OK\n".repeat(500)}value 499\n`);
  const piped = await run(workspace, [...cli, "--pipe"], { input: `${lines}\n` });
  expect(piped.stdout).toContain("errors: 0, replies: 500");
});

test.skipIf(!hasBenchmark)("U5: redis-benchmark -t set,get -c 50 -P 16 has no errors", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const place = ["redis-benchmark", "-p", String(server.port), "-n", "100000", "-r", "10000"];
  const load = ["-t", "set,get", "-c", "50", "-P", "16", "--csv"];
  const { code, stdout, stderr } = await run(workspace, [...place, ...load]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^"SET","\d/m);
  expect(stdout).toMatch(/^"GET","\d/m);
  expect(stdout + stderr).not.toMatch(/error/i);
  const client = await server.connect();
  expect(await infoNumber(client, "total_commands_processed")).toBeGreaterThanOrEqual(200_000);
});

/** What a client in the private network is told on a port. */
async function say(workspace: Workspace, port: number, ...command: string[]): Promise<string> {
  const program = [process.execPath, join(import.meta.dir, "support/say.ts")];
  const prefix = network?.prefix ?? [];
  return (await run(workspace, [...prefix, ...program, String(port), ...command])).stdout.trim();
}

test.skipIf(network === undefined)("U9: serve listens on 127.0.0.1:6379", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, {
    ...{ through: network?.prefix ?? [], port: "default", awaitReady: false },
  });
  await until("it answers", async () => (await say(workspace, 6379, "PING")) === '"PONG"');
  expect(await say(workspace, 6379, "CONFIG", "GET", "port")).toBe('["port","6379"]');
  expect(await say(workspace, 6379, "CONFIG", "GET", "bind")).toBe('["bind","127.0.0.1"]');
  expect(await server.stop()).toBe(0);
});

test.skipIf(network === undefined)("U9: --port 6380 changes it", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, {
    ...{ through: network?.prefix ?? [], port: 6380, awaitReady: false },
  });
  await until("it answers", async () => (await say(workspace, 6380, "PING")) === '"PONG"');
  expect(await say(workspace, 6379, "PING")).toBe("ECONNREFUSED");
  expect(await server.stop()).toBe(0);
});
