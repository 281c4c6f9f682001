// P10: the longest turn while the keyspace grows, while a million keys expire at one moment, while
// FLUSHALL ASYNC frees many keys, and while collections of a million go. P8 (during a snapshot) is in snapshots.ts.
// Redis plays the same scenes once, only to be printed beside: its longest PING tells how much of
// ours is the machine's.

import { chunks, digits, sendAll, type Words } from "../elements.ts";
import type { Bar, Bench, Figure, Row } from "../figure.ts";
import { loadKeys } from "../load.ts";
import { type Spread, spread } from "../measure.ts";
import { type RoundTrips, startProber } from "../prober.ts";
import { inMemory, order, type Server, type Side, startServer } from "../servers.ts";
import { longestTurnMs, resetTurns } from "../turns.ts";

/** As many commands under way as redis-benchmark -c 50 -P 16 has: a turn has 800 at most. */
const BATCH = 400;

const WARM_UP_KEYS = 300_000;

/** Setting the keys must be over before they are due, on a slow machine too. */
const DEADLINE_AHEAD_MS = 6_000;

/** For whatever a scene leaves to be done in the background, at least and at most. */
const AFTERMATH_MS = 1_000;
const WAIT_LIMIT_MS = 30_000;

const POLL_MS = 100;

const bar: Bar = { relation: "<", value: 10, of: "kvdb" };

/** What was seen of one server during one scene. */
interface Pause {
  turnMs: number | null;
  roundTrips: RoundTrips;
}

type Pauses = Record<Side, Pause[]>;

interface Scene {
  what: string;
  /** Unwatched. */
  prepare?(server: Server): Promise<void>;
  play(server: Server): Promise<void>;
}

/**
 * Each inner list is played in one life of a server. Two lives, because an allocator goes on giving
 * back the memory of 10 million keys for many seconds, and that is not the next scene's pause.
 */
const lives: readonly (readonly Scene[])[] = [
  [
    {
      what: "growing from 0 to 10 million keys by SET",
      play: (server) => fill(server, 10_000_000),
    },
    { what: "FLUSHALL ASYNC of 10 million keys", play: flushAsync },
  ],
  [
    {
      what: "FLUSHALL ASYNC of 1 million keys",
      prepare: (server) => fill(server, 1_000_000),
      play: flushAsync,
    },
    {
      what: "expiry of 1 million keys due at the same moment",
      prepare: fillUntilNearlyDue,
      play: untilEmpty,
    },
  ],
  [
    {
      what: "UNLINK of a hash of 1 million fields",
      prepare: (server) => fillWith(server, ["HSET", "key"], (name) => [name, "value"]),
      play: (server) => goes(server, "UNLINK", "key"),
    },
    {
      what: "expiry of a sorted set of 1 million members",
      prepare: (server) => fillWith(server, ["ZADD", "key"], (name, number) => [number, name]),
      async play(server) {
        await server.ask("PEXPIRE", "key", "1");
        await untilEmpty(server);
        await untilFreed(server);
      },
    },
    {
      what: "FLUSHALL ASYNC of a set and a list of 1 million each",
      async prepare(server) {
        await fillWith(server, ["SADD", "set"], (name) => [name]);
        await fillWith(server, ["RPUSH", "list"], (name) => [name]);
      },
      play: flushAsync,
    },
  ],
];

export const p10: Figure = { id: "P10", run: pauses };

async function pauses(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const scenes of lives) {
    const seen = scenes.map((scene) => ({ scene, pauses: { kvdb: [], redis: [] } as Pauses }));
    for (let run = 0; run < bench.runs; run++) {
      // The bar is absolute and there is no ratio to steady, so Redis need not take minutes.
      for (const side of run === 0 ? order(run) : (["kvdb"] as const)) {
        bench.progress(`P10 run ${run + 1}, ${side}`);
        const life = await oneLife(bench, side, scenes);
        for (const [index, pause] of life.entries()) seen[index]?.pauses[side].push(pause);
      }
    }
    for (const { scene, pauses } of seen) rows.push(...sceneRows(scene, pauses));
  }
  return rows;
}

async function oneLife(bench: Bench, side: Side, scenes: readonly Scene[]): Promise<Pause[]> {
  const server = await startServer(bench[side], inMemory, bench.folder);
  try {
    await fill(server, WARM_UP_KEYS);
    await server.ask("FLUSHALL");
    const result: Pause[] = [];
    for (const scene of scenes) {
      await scene.prepare?.(server);
      result.push(await watched(server, scene));
    }
    return result;
  } finally {
    await server.stop();
  }
}

async function watched(server: Server, scene: Scene): Promise<Pause> {
  const prober = await startProber(server.port);
  await resetTurns(server);
  await scene.play(server);
  const turnMs = await longestTurnMs(server);
  return { turnMs, roundTrips: await prober.stop() };
}

function fill(server: Server, count: number): Promise<void> {
  return loadKeys(server, { count, batch: BATCH });
}

function fillWith(
  server: Server,
  front: readonly string[],
  words: (name: string, number: number) => Words,
): Promise<void> {
  const element = (number: number) => words(`element:${digits(number)}`, number);
  return sendAll(server, chunks(front, 1_000_000, element));
}

function flushAsync(server: Server): Promise<void> {
  return goes(server, "FLUSHALL", "ASYNC");
}

async function goes(server: Server, ...command: string[]): Promise<void> {
  await server.ask(...command);
  await untilFreed(server);
}

async function untilFreed(server: Server): Promise<void> {
  await Bun.sleep(AFTERMATH_MS);
  await until("freed everything", async () => {
    const pending = /^lazyfree_pending_objects:(\d+)/m.exec(
      await server.ask("INFO", "memory"),
    )?.[1];
    return pending === undefined || pending === "0";
  });
}

async function fillUntilNearlyDue(server: Server): Promise<void> {
  const expireAtMs = Date.now() + DEADLINE_AHEAD_MS;
  await loadKeys(server, { count: 1_000_000, batch: BATCH, expireAtMs });
  const spareMs = expireAtMs - Date.now() - POLL_MS;
  if (spareMs < 0) throw new Error("the keys were due before all of them were set");
  await Bun.sleep(spareMs);
}

function untilEmpty(server: Server): Promise<void> {
  return until("removed all keys", async () => (await server.ask("DBSIZE")) === "0");
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + WAIT_LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`not within ${WAIT_LIMIT_MS} ms: ${what}`);
    await Bun.sleep(POLL_MS);
  }
}

function sceneRows(scene: Scene, seen: Pauses): Row[] {
  const longest = (pause: Pause): number => pause.roundTrips.longest;
  const turns: Row = {
    ...{ id: "P10", what: `${scene.what}: longest turn, CPU`, unit: "ms", bar },
    ...{ kvdb: turnSpread(seen.kvdb), redis: turnSpread(seen.redis), ratio: null },
  };
  const wall: Row = {
    ...{ id: "P10", what: `${scene.what}: longest PING, wall`, unit: "ms", bar: null },
    ...{ kvdb: spread(seen.kvdb.map(longest)), redis: spread(seen.redis.map(longest)) },
    ratio: null,
    notes: (["kvdb", "redis"] as const).map((side) => histogram(scene, side, seen[side])),
  };
  return [turns, wall];
}

function turnSpread(list: readonly Pause[]): Spread | null {
  const known = list.map((pause) => pause.turnMs).filter((ms) => ms !== null);
  return known.length === list.length ? spread(known) : null;
}

/** The quantiles of the worst run: that is the one a reader asks about. */
function histogram(scene: Scene, side: Side, list: readonly Pause[]): string {
  const worst = list.map((pause) => pause.roundTrips).toSorted((a, b) => b.longest - a.longest)[0];
  if (worst === undefined) return "";
  const { count, p50, p99, p999, longest } = worst;
  const [a, b, c, d] = [p50, p99, p999, longest].map((ms) => ms.toFixed(2));
  const quantiles = `p50 ${a}, p99 ${b}, p99.9 ${c}, longest ${d} of ${count}`;
  return `P10 ${scene.what}, ${side}: PING ms ${quantiles}`;
}
