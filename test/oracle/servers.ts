/**
 * Starts the servers that the oracle compares: redis-server when it is installed, and kvdb's
 * executable. Each gets a free loopback port and a temporary folder of its own, and is stopped by
 * its process, never by its name.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBytes } from "./byte-text.ts";
import { RespClient } from "./resp-client.ts";
import { encodeArray } from "./step.ts";

export type RunningServer = AsyncDisposable & { readonly port: number };

/** Both servers start in milliseconds; ten seconds is a machine under heavy load. */
const START_TIMEOUT_MS = 10_000;
const START_POLL_MS = 10;

/** Path of redis-server, or null when it is not installed. */
export function findRedisServer(): string | null {
  return Bun.which("redis-server");
}

export function startRedisServer(executable: string): Promise<RunningServer> {
  return start((port, dir) => [
    ...[executable, "--port", String(port), "--bind", "127.0.0.1", "--dir", dir],
    ...["--save", "", "--appendonly", "no", "--enable-debug-command", "yes"],
  ]);
}

/** One that loads the text of an append-only file, as one file: the way before Redis 7. Fails when it does not. */
export function startRedisOnFile(executable: string, text: Uint8Array): Promise<RunningServer> {
  return start(
    (port, dir) => [
      ...[executable, "--port", String(port), "--bind", "127.0.0.1", "--dir", dir],
      ...["--save", "", "--appendonly", "yes", "--enable-debug-command", "yes"],
    ],
    (dir) => writeFile(join(dir, "appendonly.aof"), text),
  );
}

/** One on a folder of the caller's, which stays. */
export function startRedisInFolder(
  executable: string,
  folder: string,
  options: readonly string[],
): Promise<RunningServer> {
  return start((port) => [
    ...[executable, "--port", String(port), "--bind", "127.0.0.1"],
    ...["--save", "", "--enable-debug-command", "yes", "--dir", folder, ...options],
  ]);
}

export function startKvdb(executable: string): Promise<RunningServer> {
  return start((port, dir) => [
    ...[executable, "serve", "--port", String(port), "--dir", dir, "--appendonly", "no"],
  ]);
}

async function start(
  commandLine: (port: number, dir: string) => string[],
  prepare: (dir: string) => Promise<void> = async () => {},
): Promise<RunningServer> {
  const dir = await mkdtemp(join(tmpdir(), "kvdb-oracle-"));
  await prepare(dir);
  const port = freePort();
  const child = Bun.spawn(commandLine(port, dir), {
    cwd: dir,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  const stop = async (): Promise<void> => {
    child.kill();
    await child.exited;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await untilItAnswers(port, () => child.exitCode);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { port, [Symbol.asyncDispose]: stop };
}

/** A port that was free a moment ago: the system gives it out, we give it back and use it. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

async function untilItAnswers(port: number, exitCode: () => number | null): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (exitCode() !== null) throw new Error(`the server ended with code ${exitCode()} at start`);
    if (await answers(port)) return;
    await Bun.sleep(START_POLL_MS);
  }
  throw new Error(`no server answered on port ${port} within ${START_TIMEOUT_MS} ms`);
}

/** Whether a server on the port answers PING now, its data loaded. */
export async function answers(port: number): Promise<boolean> {
  const client = await RespClient.open(port);
  const { ending, replies } = await client.exchange([toBytes(encodeArray(["PING"]))]);
  client.close();
  return (
    ending === "open" &&
    !Buffer.from(replies[0] ?? [])
      .toString()
      .startsWith("-LOADING")
  );
}
