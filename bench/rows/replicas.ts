// COPY: the first copy of 5 million keys for a replica, taken and measured as the snapshot of P8 is, under the same write load:
// the longest turn of the primary, the growth of its memory. FEED: what a command costs a primary that has a replica.
//
// The replica is a redis-server in both cases, so that both primaries serve the same one. It shares the machine: throughput
// is printed, CPU time is compared.

import { type Bench, type Figure, type Row, ratioRow } from "../figure.ts";
import { race } from "../race.ts";
import {
  inMemory,
  order,
  redisSubject,
  type Server,
  type Servers,
  type Side,
  startServer,
  withServers,
} from "../servers.ts";
import { oneSnapshot, rows, type Taken, withLog } from "./snapshots.ts";

const POLL_MS = 20;
const LIMIT_MS = 300_000;
const PIPELINE = 16;
const TESTS = ["set", "incr", "get"];

export const copy: Figure = { id: "COPY", run: copies };

async function copies(bench: Bench): Promise<Row[]> {
  const taken: Record<Side, Taken[]> = { kvdb: [], redis: [] };
  for (let run = 0; run < bench.runs; run++) {
    // The bars are absolute: Redis need not take minutes more than once.
    for (const side of run === 0 ? order(run) : (["kvdb"] as const)) {
      bench.progress(`COPY run ${run + 1}, ${side}`);
      const persistence = side === "kvdb" ? withLog : inMemory;
      const server = await startServer(bench[side], persistence, bench.folder);
      const replica = await startServer(redisSubject, inMemory, bench.folder);
      const take = (primary: Server) => takeCopy(primary, replica);
      try {
        taken[side].push(await oneSnapshot(server, take));
      } finally {
        await replica.stop();
        await server.stop();
      }
    }
  }
  return rows({ id: "COPY", what: "first copy of 5 million keys under SET -P 16" }, taken);
}

/** Resolves when the primary has sent all of it; that the replica then loads it is no work of the primary's. */
async function takeCopy(primary: Server, replica: Server): Promise<void> {
  // The load goes on, and the replica reads none of it before it has loaded: else it would be dropped for that.
  await primary.set("client-output-buffer-limit", "replica 0 0 0");
  await primary.set("repl-diskless-sync-delay", "0");
  await follow(replica, primary);
}

async function follow(replica: Server, primary: Server): Promise<void> {
  await replica.ask("REPLICAOF", "127.0.0.1", String(primary.port));
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const text = await primary.ask("INFO", "replication");
    if (/^slave0:.*state=online/m.test(text)) return;
    if (performance.now() > limit) throw new Error(`${primary.side}: no copy in ${LIMIT_MS} ms`);
    await Bun.sleep(POLL_MS);
  }
}

export const feed: Figure = { id: "FEED", run: feeding };

async function feeding(bench: Bench): Promise<Row[]> {
  const options = { persistence: inMemory, folder: bench.folder };
  return await withServers([bench.kvdb, bench.redis], options, async (servers) => {
    const alone = await feedingRows(bench, servers, "no replica");
    const replicas: Server[] = [];
    try {
      for (const primary of Object.values(servers)) {
        const replica = await startServer(redisSubject, inMemory, bench.folder);
        replicas.push(replica);
        await takeCopy(primary, replica);
      }
      return [...alone, ...(await feedingRows(bench, servers, "one replica"))];
    } finally {
      for (const replica of replicas) await replica.stop();
    }
  });
}

async function feedingRows(bench: Bench, servers: Servers, replicas: string): Promise<Row[]> {
  const found: Row[] = [];
  for (const test of TESTS) {
    const what = `${test.toUpperCase()} -P ${PIPELINE}, ${replicas}`;
    bench.progress(`FEED ${what}`);
    const result = await race(servers, { test, pipeline: PIPELINE }, bench.runs);
    const cpu = { id: "FEED", what: `${what}: CPU per operation`, unit: "usec" } as const;
    const rate = { id: "FEED", what: `${what}: throughput`, unit: "per second" } as const;
    found.push(
      ratioRow({ ...cpu, bar: null }, result.cpuUsecPerOperation),
      ratioRow({ ...rate, bar: null }, result.requestsPerSecond),
    );
  }
  return found;
}
