// P4: what 5 million small keys cost in resident memory. P5 (collections) is a further figure here.
// The growth over the same server after warm-up and FLUSHALL, so that neither a runtime's own size
// nor its compiled code counts. Each run is a new server: memory that a server keeps after FLUSHALL
// would make its second growth look like none.

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
  const pairs: Pair[] = [];
  for (let run = 0; run < bench.runs; run++) {
    const growth: Pair = { kvdb: 0, redis: 0 };
    for (const side of order(run)) {
      bench.progress(`P4 run ${run + 1}, ${side}`);
      const server = await startServer(bench[side], inMemory, bench.folder);
      growth[side] = await growthBytes(server).finally(() => server.stop());
    }
    pairs.push(growth);
  }
  const what = "5 million keys of 16 bytes, values of 32: growth of VmRSS";
  return [ratioRow({ id: "P4", what, unit: "bytes", bar: atMost(0.65) }, pairs)];
}

async function growthBytes(server: Server): Promise<number> {
  for (const test of ["set", "get"]) {
    await redisBenchmark(server.port, { test, pipeline: 16 }, WARM_UP_REQUESTS);
  }
  await server.ask("FLUSHALL");
  const before = await settledResidentBytes(server.pid);
  await loadKeys(server, { count: KEY_COUNT, batch: 1_000 });
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
