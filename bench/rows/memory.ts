// P4: what 5 million small keys cost in resident memory. P5: what collections cost.
// The growth over the same server after warm-up and FLUSHALL, so that neither a runtime's own size
// nor its compiled code counts. Each run is a new server: memory that a server keeps after FLUSHALL
// would make its second growth look like none.

import { chunks, digits, sendAll, type Words } from "../elements.ts";
import { atMost, type Bench, type Figure, type Row, ratioRow } from "../figure.ts";
import { loadKeys } from "../load.ts";
import { type Pair, settledResidentBytes } from "../measure.ts";
import { redisBenchmark } from "../race.ts";
import { inMemory, order, type Server, startServer } from "../servers.ts";

const KEY_COUNT = 5_000_000;

/** Enough for the compiler and for the buffers of 50 connections. */
const WARM_UP_REQUESTS = 300_000;

export const p4: Figure = { id: "P4", run: smallKeys };

async function smallKeys(bench: Bench): Promise<Row[]> {
  const warmUp = async (server: Server) => {
    for (const test of ["set", "get"]) {
      await redisBenchmark(server.port, { test, pipeline: 16 }, WARM_UP_REQUESTS);
    }
  };
  const fill = (server: Server) => loadKeys(server, { count: KEY_COUNT, batch: 1_000 });
  const what = "5 million keys of 16 bytes, values of 32: growth of VmRSS";
  const pairs = await growths(bench, "P4", { warmUp, fill });
  return [ratioRow({ id: "P4", what, unit: "bytes", bar: atMost(0.65) }, pairs)];
}

// ---- P5 ----

interface DataSet {
  what: string;
  commands(count: number): Iterable<Words>;
  /** The argument of `commands` for all of it. */
  count: number;
}

const member = (number: number): string => `member:${digits(number)}`;

const dataSets: readonly DataSet[] = [
  {
    what: "1 hash of 1 million fields",
    commands: (count) =>
      chunks(["HSET", "h"], count, (number) => [`field:${digits(number)}`, "v".repeat(32)]),
    count: 1_000_000,
  },
  {
    what: "100 000 hashes of 10 fields",
    *commands(count) {
      for (let number = 0; number < count; number++) {
        const fields = Array.from({ length: 10 }, (_, i) => [
          `f${i}`,
          `value-${digits(number + i)}`,
        ]);
        yield ["HSET", `hash:${digits(number)}`, ...fields.flat()];
      }
    },
    count: 100_000,
  },
  {
    what: "1 list of 1 million",
    commands: (count) => chunks(["RPUSH", "l"], count, (number) => [member(number)]),
    count: 1_000_000,
  },
  {
    what: "1 set of 1 million",
    commands: (count) => chunks(["SADD", "s"], count, (number) => [member(number)]),
    count: 1_000_000,
  },
  {
    what: "1 sorted set of 1 million",
    commands: (count) =>
      chunks(["ZADD", "z"], count, (number) => [(number * 7919) % 1_000_000, member(number)]),
    count: 1_000_000,
  },
];

/** Of the elements: enough for the compiler, and for what a structure of this size allocates. */
const WARM_UP_SHARE = 0.2;

export const p5: Figure = { id: "P5", run: collections };

async function collections(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { what, commands, count } of dataSets) {
    const send = (server: Server, share: number) => sendAll(server, commands(count * share));
    const pairs = await growths(bench, `P5 ${what}`, {
      warmUp: (server) => send(server, WARM_UP_SHARE),
      fill: (server) => send(server, 1),
    });
    const about = { id: "P5", what: `${what}: growth of VmRSS`, unit: "bytes" } as const;
    rows.push(ratioRow({ ...about, bar: atMost(1) }, pairs));
  }
  return rows;
}

// ---- both ----

interface Filling {
  /** What is there after it goes before memory is measured. */
  warmUp(server: Server): Promise<void>;
  fill(server: Server): Promise<void>;
}

async function growths(bench: Bench, name: string, filling: Filling): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let run = 0; run < bench.runs; run++) {
    const growth: Pair = { kvdb: 0, redis: 0 };
    for (const side of order(run)) {
      bench.progress(`${name} run ${run + 1}, ${side}`);
      const server = await startServer(bench[side], inMemory, bench.folder);
      growth[side] = await growthBytes(server, filling).finally(() => server.stop());
    }
    pairs.push(growth);
  }
  return pairs;
}

async function growthBytes(server: Server, { warmUp, fill }: Filling): Promise<number> {
  await warmUp(server);
  await server.ask("FLUSHALL");
  const before = await settledResidentBytes(server.pid);
  await fill(server);
  await finishRehash(server);
  return (await settledResidentBytes(server.pid)) - before;
}

/**
 * Redis is still moving to its larger table when the last key is in, and holds the old one (33 MB
 * here) until then: seconds, at its usual 10 rounds of housekeeping a second. It shall not pay for
 * our hurry. Both are asked; a server without this setting has no such rounds to hurry.
 */
async function finishRehash(server: Server): Promise<void> {
  await server.set("hz", "500");
  await Bun.sleep(500);
}
