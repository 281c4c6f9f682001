// redis-benchmark against both servers in turns: throughput as it reports it, and the CPU time that
// the server used per operation meanwhile. The CPU time is the steadier of the two: on a machine
// with few cores the throughput is also that of redis-benchmark itself.

import { cpuTimeUsec, type Pair } from "./measure.ts";
import { order, output, type Server, type Servers } from "./servers.ts";

/** Values as PERFORMANCE.md has them. */
const CLIENTS = 50;
const VALUE_BYTES = 32;
export const KEY_COUNT = 100_000;

/** Long enough that a tick of CPU time (10 ms) is half a percent, short enough for many runs. */
const RUN_SECONDS = 2;

/** Requests per pipeline slot of the trial run that finds out how many fill RUN_SECONDS. */
const TRIAL_REQUESTS = 20_000;

/** A test by its name for redis-benchmark's -t, lower case; or a command of one's own. */
export type Workload = { readonly pipeline: number } & (
  | { readonly test: string }
  | { readonly command: readonly (string | number)[] }
);

/** The runs of one workload; index N of both lists comes from the same run. */
export interface Race {
  requestsPerSecond: Pair[];
  cpuUsecPerOperation: Pair[];
}

interface Lap {
  requestsPerSecond: number;
  cpuUsecPerOperation: number;
}

export async function race(servers: Servers, workload: Workload, runs: number): Promise<Race> {
  const requests = await requestsToRun(servers.redis, workload);
  // One run each that does not count: a just-in-time compiler needs it, and it is fair to both.
  for (const side of order(0)) await lap(servers[side], workload, requests);
  const result: Race = { requestsPerSecond: [], cpuUsecPerOperation: [] };
  for (let run = 0; run < runs; run++) {
    const laps: Partial<Record<Server["side"], Lap>> = {};
    for (const side of order(run)) laps[side] = await lap(servers[side], workload, requests);
    record(result, laps.kvdb, laps.redis);
  }
  return result;
}

function record(result: Race, kvdb: Lap | undefined, redis: Lap | undefined): void {
  if (kvdb === undefined || redis === undefined) throw new Error("a run without both servers");
  result.requestsPerSecond.push({
    kvdb: kvdb.requestsPerSecond,
    redis: redis.requestsPerSecond,
  });
  result.cpuUsecPerOperation.push({
    kvdb: kvdb.cpuUsecPerOperation,
    redis: redis.cpuUsecPerOperation,
  });
}

/** The same number for both servers, so that both do the same work: what Redis does in the time. */
async function requestsToRun(redis: Server, workload: Workload): Promise<number> {
  const trial = await lap(redis, workload, TRIAL_REQUESTS * workload.pipeline);
  const requests = trial.requestsPerSecond * RUN_SECONDS;
  return Math.max(10_000, Math.round(requests / 10_000) * 10_000);
}

export async function lap(server: Server, workload: Workload, requests: number): Promise<Lap> {
  const before = cpuTimeUsec(server.pid);
  const requestsPerSecond = await redisBenchmark(server.port, workload, requests);
  const cpuUsec = cpuTimeUsec(server.pid) - before;
  return { requestsPerSecond, cpuUsecPerOperation: cpuUsec / requests };
}

/** Runs one test and gives its requests per second. */
export async function redisBenchmark(
  port: number,
  workload: Workload,
  requests: number,
): Promise<number> {
  const csv = await output([
    ...["redis-benchmark", "-p", String(port), "--csv"],
    ...["-P", String(workload.pipeline), "-n", String(requests)],
    ...["-c", String(CLIENTS), "-d", String(VALUE_BYTES), "-r", String(KEY_COUNT)],
    ...("test" in workload ? ["-t", workload.test] : workload.command.map(String)),
  ]);
  // A header line, then "SET","983284.19","0.512",…; a command is its own name.
  const rate = Number(/^".+?","([\d.]+)"/.exec(csv.split("\n").at(-1) ?? "")?.[1]);
  if (!(rate > 0)) throw new Error(`redis-benchmark printed no rate:\n${csv}`);
  return rate;
}
