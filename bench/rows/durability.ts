// P6 and P7: SET with a log, synced before every reply or once a second, on a real disk.

import {
  atLeast,
  atMost,
  type Bar,
  type Bench,
  type Figure,
  type Row,
  ratioRow,
} from "../figure.ts";
import { race } from "../race.ts";
import { type Persistence, type Server, withServers } from "../servers.ts";

interface Case {
  appendfsync: Persistence["appendfsync"];
  pipeline: number;
  throughputBar: Bar | null;
  cpuBar: Bar | null;
}

const always: readonly Case[] = [
  { appendfsync: "always", pipeline: 1, throughputBar: atLeast(1), cpuBar: null },
  { appendfsync: "always", pipeline: 16, throughputBar: atLeast(1.5), cpuBar: null },
];

const everysec: readonly Case[] = [
  { appendfsync: "everysec", pipeline: 16, throughputBar: null, cpuBar: atMost(0.8) },
];

/** File systems in memory: a sync costs nothing there, so these figures would mean nothing. */
const MEMORY_FILE_SYSTEMS = ["tmpfs", "ramfs"];

export const p6: Figure = { id: "P6", run: (bench) => cases(bench, "P6", always) };
export const p7: Figure = { id: "P7", run: (bench) => cases(bench, "P7", everysec) };

async function cases(bench: Bench, id: string, list: readonly Case[]): Promise<Row[]> {
  if (MEMORY_FILE_SYSTEMS.includes(bench.fileSystem)) {
    throw new Error(`the data folder is on ${bench.fileSystem}: give one on a disk with --dir`);
  }
  const rows: Row[] = [];
  for (const one of list) rows.push(...(await oneCase(bench, id, one)));
  return rows;
}

async function oneCase(bench: Bench, id: string, one: Case): Promise<Row[]> {
  const { appendfsync, pipeline } = one;
  const options = {
    persistence: { appendonly: "yes", appendfsync },
    folder: bench.folder,
  } as const;
  const what = `SET ${appendfsync} -P ${pipeline}`;
  bench.progress(`${id} ${what}`);
  return withServers([bench.kvdb, bench.redis], options, async (servers) => {
    const notes = [`${id} ${what}: file system ${bench.fileSystem}`];
    for (const server of Object.values(servers)) {
      if (!(await stopRewriting(server)))
        notes.push(`${server.side} may rewrite its log meanwhile`);
    }
    const result = await race(servers, { test: "set", pipeline }, bench.runs);
    notes.push(await syncTimes(servers.kvdb));
    const rate = { id, what: `${what}: throughput`, unit: "per second" } as const;
    const cpu = { id, what: `${what}: CPU per operation`, unit: "usec" } as const;
    const rateRow = ratioRow({ ...rate, bar: one.throughputBar }, result.requestsPerSecond);
    const cpuRow = ratioRow({ ...cpu, bar: one.cpuBar }, result.cpuUsecPerOperation);
    return [{ ...rateRow, notes: [notes.join("; ")] }, cpuRow];
  });
}

/** How long kvdb's syncs took over all runs, the trial included; Redis does not tell. */
async function syncTimes(server: Server): Promise<string> {
  const words = (await server.ask("DURABILITY", "STATUS")).split("\n");
  const value = (name: string) => words[words.indexOf(name) + 1] ?? "?";
  const quantiles = ["p50", "p95", "p99", "p99.9", "longest"].map(
    (name) => `${name} ${value(`sync_ms_${name}`)}`,
  );
  return `${value("syncs")} syncs, ms ${quantiles.join(", ")}`;
}

/**
 * Redis rewrites a grown log in a child process: its CPU time is not in the server's, and it takes
 * a core from everybody. Neither server is to rewrite while measured. False: it cannot be told so.
 */
function stopRewriting(server: Server): Promise<boolean> {
  return server.set("auto-aof-rewrite-percentage", "0");
}
