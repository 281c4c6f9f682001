// The two servers of a comparison: starting them on loopback with the same persistence setting,
// asking them single commands, and stopping them.
// Each gets a free port and a new folder of its own. Whatever way the bench ends (done, error,
// Ctrl-C) every process started here is ended through its handle, never by name, and its folder
// is removed.

import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { Subprocess } from "bun";

/** A generous bound: a start on empty folders takes milliseconds. */
const START_LIMIT_MS = 10_000;

/** After SIGTERM; then SIGKILL, since nothing in the folder is needed any more. */
const STOP_LIMIT_MS = 5_000;

const LOG_FILE = "bench-output.log";

export type Side = "kvdb" | "redis";

/** How a server is started: words with {port}, {dir}, {appendonly} and {appendfsync} in them. */
export interface Subject {
  side: Side;
  command: readonly string[];
}

export interface Persistence {
  appendonly: "yes" | "no";
  appendfsync: "always" | "everysec" | "no";
  /** kvdb keeps Redis's files, too, instead of its own. */
  redisFiles?: boolean;
}

export const inMemory: Persistence = { appendonly: "no", appendfsync: "no" };

export interface Server {
  side: Side;
  pid: number;
  port: number;
  /** Of its data, and its own alone. */
  folder: string;
  /** Sends one command and gives redis-cli's raw text of the reply; an error reply throws. */
  ask(...words: string[]): Promise<string>;
  /** CONFIG SET; false: the server has no such setting. */
  set(setting: string, value: string): Promise<boolean>;
  /** Its folder goes too. */
  stop(): Promise<void>;
  /** Stops it in order and leaves its folder, for `startAgain`. */
  pause(): Promise<void>;
}

/** Both servers, up at the same time. The idle one costs next to nothing. */
export type Servers = Record<Side, Server>;

export const redisSubject: Subject = {
  side: "redis",
  command: [
    ...["redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--dir", "{dir}", "--save", ""],
    ...["--appendonly", "{appendonly}", "--appendfsync", "{appendfsync}"],
  ],
};

/** kvdb's own executable; `path` must be absolute, the server runs in its data folder. */
export function kvdbSubject(path: string): Subject {
  const words = "serve --port {port} --dir {dir} --appendonly {appendonly} {fsync}".split(" ");
  return { side: "kvdb", command: [path, ...words] };
}

/** Any program that speaks RESP on a port. No shell: the process must be the server itself. */
export function commandSubject(line: string): Subject {
  return { side: "kvdb", command: line.split(" ").filter((word) => word !== "") };
}

/** The command with its placeholders filled in. */
function fill(command: readonly string[], values: Record<string, string>): string[] {
  return command.map((word) => word.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all));
}

interface Running {
  process: Subprocess;
  folder: string;
}

const running = new Set<Running>();

function endAll(): void {
  for (const { process: child, folder } of running) {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
  running.clear();
}

process.on("exit", endAll);
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

export async function startServer(
  subject: Subject,
  persistence: Persistence,
  parent: string,
): Promise<Server> {
  const folder = mkdtempSync(join(parent, `kvdb-bench-${subject.side}-`));
  const { server, entry } = spawn(subject, persistence, folder);
  await untilReady(server, entry);
  return server;
}

/** A folder of a side's own, gone at the end of the bench, with what another one's has in it. */
export function copyFolder(from: string, side: Side, parent: string): string {
  const folder = mkdtempSync(join(parent, `kvdb-bench-${side}-`));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(from, folder, { recursive: true });
  return folder;
}

/** A server on the folder that one left which was paused. It may still be loading. */
export function startAgain(subject: Subject, persistence: Persistence, folder: string): Server {
  return spawn(subject, persistence, folder).server;
}

function spawn(
  subject: Subject,
  persistence: Persistence,
  folder: string,
): { server: Server; entry: Running } {
  const port = freePort();
  // kvdb refuses a setting that would have no effect, as this one has none without persistence.
  const fsync = persistence.appendonly === "yes" ? `--appendfsync=${persistence.appendfsync}` : "";
  const { appendonly, appendfsync } = persistence;
  const values = { port: String(port), dir: folder, appendonly, appendfsync, fsync };
  const filled = fill(subject.command, values);
  const command =
    subject.side === "redis"
      ? filled
      : [...filled.filter((word) => word !== ""), ...redisFileWords(persistence)];
  const log = Bun.file(join(folder, LOG_FILE));
  // Its working folder is its own, so that whatever a server leaves behind goes away with it.
  const child = Bun.spawn(command, { cwd: folder, stdin: "ignore", stdout: log, stderr: log });
  const entry: Running = { process: child, folder };
  running.add(entry);
  const server: Server = {
    side: subject.side,
    pid: child.pid,
    port,
    folder,
    ask: (...words) => ask(port, words),
    set: (setting, value) => set(port, setting, value),
    stop: () => stop(entry),
    pause: () => end(entry),
  };
  return { server, entry };
}

/** What tells kvdb to keep Redis's files. */
function redisFileWords({ redisFiles, appendonly }: Persistence): string[] {
  if (redisFiles !== true) return [];
  return appendonly === "yes"
    ? ["--appenddirname", "appendonlydir"]
    : ["--dbfilename", "dump.rdb", "--save", ""];
}

/** Starts both, hands them to `use`, and stops them whatever happens there. */
export async function withServers<T>(
  subjects: readonly Subject[],
  options: { persistence: Persistence; folder: string },
  use: (servers: Servers) => Promise<T>,
): Promise<T> {
  const started: Partial<Servers> = {};
  try {
    for (const subject of subjects) {
      const server = await startServer(subject, options.persistence, options.folder);
      started[subject.side] = server;
    }
    const { kvdb, redis } = started;
    if (kvdb === undefined || redis === undefined) throw new Error("one subject a side is needed");
    return await use({ kvdb, redis });
  } finally {
    for (const server of Object.values(started)) await server.stop();
  }
}

/** Who goes first, in turns: what a run leaves behind (caches, dirty pages) hits both alike. */
export function order(run: number): readonly Side[] {
  return run % 2 === 0 ? ["kvdb", "redis"] : ["redis", "kvdb"];
}

async function untilReady(server: Server, entry: Running): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  let reason = "";
  while (performance.now() < deadline && entry.process.exitCode === null) {
    try {
      await server.ask("PING");
      return;
    } catch (error) {
      reason = String(error);
      await Bun.sleep(50);
    }
  }
  const output = readFileSync(join(entry.folder, LOG_FILE), "utf8").slice(-2_000);
  await stop(entry);
  throw new Error(`${server.side} did not come up: ${reason}\n${output}`);
}

async function stop(entry: Running): Promise<void> {
  if (!running.has(entry)) return;
  await end(entry);
  rmSync(entry.folder, { recursive: true, force: true });
  running.delete(entry);
}

async function end(entry: Running): Promise<void> {
  entry.process.kill("SIGTERM");
  const timer = setTimeout(() => entry.process.kill("SIGKILL"), STOP_LIMIT_MS);
  await entry.process.exited;
  clearTimeout(timer);
}

/** The system picks a free port; between closing it and the server's bind lies a small risk. */
function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** redis-cli rather than a client of ours: these commands are never inside what is measured. */
async function ask(port: number, words: readonly string[]): Promise<string> {
  return output(["redis-cli", "-e", "-p", String(port), ...words]);
}

async function set(port: number, setting: string, value: string): Promise<boolean> {
  try {
    await ask(port, ["CONFIG", "SET", setting, value]);
    return true;
  } catch (error) {
    // redis-cli prints an error reply as it is; anything else (no connection) is not an answer.
    if (error instanceof Error && /: ERR /.test(error.message)) return false;
    throw error;
  }
}

/** Runs a program to its end and gives its standard output; a failure throws with what it said. */
export async function output(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")}: ${(stderr || stdout).trim()}`);
  return stdout.trim();
}
