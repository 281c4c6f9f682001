// P11: `kvdb get key`, the whole process, as a script or a person pays for it: on a folder with a
// thousand keys, and beside a server that holds the folder. redis-cli asking its server is printed
// beside: it opens nothing and reads no log.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Bar, Bench, Figure, Row } from "../figure.ts";
import { spread } from "../measure.ts";
import { inMemory, type Persistence, type Server, startServer } from "../servers.ts";

const KEY_COUNT = 1_000;
const KEY = "key:500";

/** So that the server has a folder that can be held. */
const onDisk: Persistence = { appendonly: "yes", appendfsync: "always" };

/** Calls of one run, whose median counts: single ones meet whatever else the machine does. */
const CALLS = 20;

const bar: Bar = { relation: "<=", value: 30, of: "kvdb" };

export const p11: Figure = { id: "P11", run: oneShot };

async function oneShot(bench: Bench): Promise<Row[]> {
  const [executable] = bench.kvdb.command;
  if (executable === undefined) throw new Error("no executable to call");
  const folder = mkdtempSync(join(bench.folder, "kvdb-bench-"));
  try {
    return await measureIn(folder, executable, bench);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureIn(folder: string, executable: string, bench: Bench): Promise<Row[]> {
  const kvdb: Command = { words: [executable], folder };
  await fill(kvdb);
  bench.progress("P11 on a folder");
  const alone = await runsOf(bench.runs, get(kvdb));
  bench.progress("P11 beside a server");
  const held = await besideServer(executable, bench);
  const redis = await startServer(bench.redis, inMemory, bench.folder);
  const beside = await redisCalls(redis, bench.runs).finally(() => redis.stop());
  const row = { id: "P11", unit: "ms", redis: null, ratio: null } as const;
  return [
    { ...row, what: `kvdb get, ${KEY_COUNT} keys: whole process`, kvdb: spread(alone), bar },
    {
      ...{ ...row, what: "the same beside a server; redis-cli get", bar: null },
      ...{ kvdb: spread(held), redis: spread(beside) },
    },
  ];
}

/** What is called, and the data folder: by its variable, since a flag is more to read. */
interface Command {
  readonly words: readonly string[];
  readonly folder: string;
}

const get = ({ words, folder }: Command): Command => ({ words: [...words, "get", KEY], folder });

const environmentOf = ({ folder }: Command) => ({ ...process.env, KVDB_DIR: folder });

async function fill(kvdb: Command): Promise<void> {
  const lines = Array.from({ length: KEY_COUNT }, (_, i) => `set key:${i} value-${i}\n`);
  const child = Bun.spawn([...kvdb.words], {
    env: environmentOf(kvdb),
    stdin: Buffer.from(lines.join("")),
    stdout: "ignore",
  });
  if ((await child.exited) !== 0) throw new Error("the keys could not be set");
}

/** The server's folder is its own: the keys are set through it. */
async function besideServer(executable: string, bench: Bench): Promise<number[]> {
  const server = await startServer(bench.kvdb, onDisk, bench.folder);
  try {
    const kvdb: Command = { words: [executable], folder: server.folder };
    await fill(kvdb);
    return await runsOf(bench.runs, get(kvdb));
  } finally {
    await server.stop();
  }
}

async function redisCalls(server: Server, runs: number): Promise<number[]> {
  await server.ask("SET", "key", "value");
  const words = ["redis-cli", "-p", String(server.port), "get", "key"];
  return runsOf(runs, { words, folder: server.folder });
}

/** For each run the median of its calls, in milliseconds. */
async function runsOf(runs: number, command: Command): Promise<number[]> {
  const medians: number[] = [];
  for (let run = 0; run < runs; run++) {
    const times = Array.from({ length: CALLS }, () => timeOf(command));
    medians.push(spread(times).median);
  }
  return medians;
}

function timeOf(command: Command): number {
  const begunMs = performance.now();
  const { exitCode } = Bun.spawnSync([...command.words], {
    env: environmentOf(command),
    stdin: "ignore",
  });
  if (exitCode !== 0) throw new Error(`${command.words.join(" ")} ended with ${exitCode}`);
  return performance.now() - begunMs;
}
