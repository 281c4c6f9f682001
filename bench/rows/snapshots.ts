// P8: a snapshot of 5 million keys while 50 clients write: the longest turn, and how much anonymous
// memory grows. The write load runs before as well, so that its own buffers are no growth: the
// highest figure meanwhile is compared with the highest before.
// Redis takes one by BGSAVE in the same way, only to be printed beside: its growth is what
// copy-on-write cost the parent and the child together (rdb_last_cow_size).
//
// R18: the same for a backup, which is compressed, and verified by a second engine that loads it.

import type { Bar, Bench, Figure, Row } from "../figure.ts";
import { loadKeys } from "../load.ts";
import { anonymousBytes, type Spread, spread } from "../measure.ts";
import { type RoundTrips, startProber } from "../prober.ts";
import {
  inMemory,
  order,
  type Persistence,
  type Server,
  type Side,
  startServer,
} from "../servers.ts";
import { longestTurnMs, resetTurns } from "../turns.ts";

const KEY_COUNT = 5_000_000;
const VALUE_BYTES = 32;
const CLIENTS = 50;
const PIPELINE = 16;
/** Until the buffers of the load have their size. */
const WARM_UP_MS = 3_000;
const POLL_MS = 20;
const LIMIT_MS = 120_000;

const underTenMs: Bar = { relation: "<", value: 10, of: "kvdb" };
const underTenPercent: Bar = { relation: "<", value: 10, of: "kvdb" };

/** A log, since a snapshot needs a place; synced once a second, as most people have it. */
export const withLog: Persistence = { appendonly: "yes", appendfsync: "everysec" };

export interface Taken {
  turnMs: number | null;
  growthPercent: number;
  /** Of the load, before and during. */
  before: number;
  during: number;
  seconds: number;
  roundTrips: RoundTrips;
}

export const p8: Figure = { id: "P8", run: snapshots };

async function snapshots(bench: Bench): Promise<Row[]> {
  const taken: Record<Side, Taken[]> = { kvdb: [], redis: [] };
  for (let run = 0; run < bench.runs; run++) {
    // The bars are absolute: Redis need not take minutes more than once.
    for (const side of run === 0 ? order(run) : (["kvdb"] as const)) {
      bench.progress(`P8 run ${run + 1}, ${side}`);
      const persistence = side === "kvdb" ? withLog : inMemory;
      const server = await startServer(bench[side], persistence, bench.folder);
      taken[side].push(await oneSnapshot(server, takeSnapshot).finally(() => server.stop()));
    }
  }
  return rows({ id: "P8", what: "snapshot of 5 million keys under SET -P 16" }, taken);
}

export const r18: Figure = { id: "R18", run: backups };

async function backups(bench: Bench): Promise<Row[]> {
  const taken: Taken[] = [];
  for (let run = 0; run < bench.runs; run++) {
    bench.progress(`R18 run ${run + 1}`);
    const server = await startServer(bench.kvdb, withLog, bench.folder);
    taken.push(await oneSnapshot(server, takeBackup).finally(() => server.stop()));
  }
  const what = "verified backup of 5 million keys under SET -P 16";
  return rows({ id: "R18", what }, { kvdb: taken, redis: [] }).filter(
    // The second engine is a second copy of the data: it is printed, and has no bar.
    ({ bar }) => bar !== underTenPercent,
  );
}

/** Answers when it is verified. */
async function takeBackup(server: Server): Promise<void> {
  await server.ask("BACKUP", "START");
}

export async function oneSnapshot(
  server: Server,
  take: (server: Server) => Promise<void>,
): Promise<Taken> {
  await server.set("auto-aof-rewrite-percentage", "0");
  await loadKeys(server, { count: KEY_COUNT, batch: 1_000 });
  const load = startLoad(server.port);
  const prober = await startProber(server.port);
  try {
    await Bun.sleep(WARM_UP_MS);
    const watch = <Result>(meanwhile: () => Promise<Result>) => mostBytes(server, meanwhile);
    const quiet = await watch(() => ratePerSecond(server, () => Bun.sleep(WARM_UP_MS)));
    await resetTurns(server);
    const begun = performance.now();
    const busy = await watch(() => ratePerSecond(server, () => take(server)));
    const seconds = (performance.now() - begun) / 1000;
    const turnMs = await longestTurnMs(server);
    const grown = (await copiedBytes(server)) ?? busy.most - quiet.most;
    const growthPercent = (100 * grown) / quiet.most;
    const [before, during] = [quiet.result, busy.result];
    return { turnMs, growthPercent, before, during, seconds, roundTrips: await prober.stop() };
  } finally {
    load.kill();
    await load.exited;
  }
}

/** The most anonymous memory that there was meanwhile, in bytes. */
async function mostBytes<Result>(server: Server, meanwhile: () => Promise<Result>) {
  let most = anonymousBytes(server.pid);
  const sampler = setInterval(() => {
    most = Math.max(most, anonymousBytes(server.pid));
  }, POLL_MS);
  const result = await meanwhile().finally(() => clearInterval(sampler));
  return { most, result };
}

/** More requests than it can ever send: it is ended when the snapshot is there. */
function startLoad(port: number) {
  return Bun.spawn(
    [
      ...["redis-benchmark", "-p", String(port), "-q", "-t", "set", "-n", "2000000000"],
      ...["-c", String(CLIENTS), "-P", String(PIPELINE), "-d", String(VALUE_BYTES)],
      ...["-r", String(KEY_COUNT)],
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
}

async function ratePerSecond(server: Server, meanwhile: () => Promise<void>): Promise<number> {
  const count = await commandCount(server);
  const begun = performance.now();
  await meanwhile();
  return ((await commandCount(server)) - count) / ((performance.now() - begun) / 1000);
}

async function commandCount(server: Server): Promise<number> {
  return field(await server.ask("INFO", "stats"), "total_commands_processed");
}

async function takeSnapshot(server: Server): Promise<void> {
  const before = field(await server.ask("INFO", "persistence"), "rdb_saves");
  await server.ask("BGSAVE");
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const text = await server.ask("INFO", "persistence");
    if (!/^rdb_last_bgsave_status:ok/m.test(text)) throw new Error(`${server.side}: BGSAVE failed`);
    // Redis counts it when it begins.
    const isOver = field(text, "rdb_bgsave_in_progress") === 0;
    if (isOver && field(text, "rdb_saves") > before) return;
    if (performance.now() > limit) throw new Error(`${server.side}: no snapshot in ${LIMIT_MS} ms`);
    await Bun.sleep(POLL_MS);
  }
}

/** What a fork copied; undefined: the server has none. */
async function copiedBytes(server: Server): Promise<number | undefined> {
  if (server.side === "kvdb") return undefined;
  return field(await server.ask("INFO", "persistence"), "rdb_last_cow_size");
}

function field(info: string, name: string): number {
  const value = new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1];
  if (value === undefined) throw new Error(`INFO has no ${name}`);
  return Number(value);
}

export function rows({ id, what }: Pick<Row, "id" | "what">, taken: Record<Side, Taken[]>): Row[] {
  const of = (side: Side, value: (one: Taken) => number): Spread | null =>
    taken[side].length === 0 ? null : spread(taken[side].map(value));
  const both = (value: (one: Taken) => number) => ({
    ...{ kvdb: of("kvdb", value), redis: of("redis", value), ratio: null },
  });
  const turns = taken.kvdb.map((one) => one.turnMs).filter((ms) => ms !== null);
  return [
    {
      ...{ id, what: `${what}: longest turn, CPU`, unit: "ms", bar: underTenMs },
      ...{ kvdb: turns.length === taken.kvdb.length ? spread(turns) : null },
      ...{ redis: null, ratio: null },
    },
    {
      ...{ id, what: `${what}: growth of RssAnon`, unit: "%", bar: underTenPercent },
      ...both((one) => one.growthPercent),
    },
    {
      ...{ id, what: `${what}: throughput meanwhile`, unit: "per second", bar: null },
      ...both((one) => one.during),
    },
    {
      ...{ id, what: `${what}: longest PING, wall`, unit: "ms", bar: null },
      ...both((one) => one.roundTrips.longest),
      notes: (["kvdb", "redis"] as const).flatMap((side) =>
        taken[side].slice(0, 1).map(noteOf(id, side)),
      ),
    },
  ];
}

function noteOf(id: string, side: Side): (one: Taken) => string {
  return ({ before, during, seconds, growthPercent, roundTrips }) => {
    const { p50, p99, p999, longest, count } = roundTrips;
    const [a, b, c, d] = [p50, p99, p999, longest].map((ms) => ms.toFixed(2));
    const rate = `${Math.round(before)} before, ${Math.round(during)} during`;
    const memory = `memory grew by ${growthPercent.toFixed(0)} %`;
    return `${id} ${side}: ${seconds.toFixed(1)} s, ${memory}, SET per second ${rate}; PING ms p50 ${a}, p99 ${b}, p99.9 ${c}, longest ${d} of ${count}`;
  };
}
