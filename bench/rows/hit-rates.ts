// HITS: how many of a cache's questions find their key, for each policy of eviction. Both servers
// are asked the same, batch by batch at the same time, since Redis and kvdb count use by the second:
// who is faster must not have fewer of them. Twice: with the same maxmemory, where who needs less
// for a key has more of them; and with as many keys, which compares the choice alone.

import { seededRandom } from "../../src/platform/random.ts";
import { CacheClient, type LifeTime } from "../cache-client.ts";

import type { Bench, Figure, Row } from "../figure.ts";
import { spread } from "../measure.ts";
import { inMemory, type Server, type Servers, type Side, withServers } from "../servers.ts";
import { Zipf } from "../zipf.ts";

const KEYS = 100_000;
const SKEW = 0.9;
const BATCH = 50;
/** Until the cache is full and has settled; then what counts. */
const WARM_UP = 6_000;
const COUNTED = 6_000;
/** A fifth of what all keys would take, in round figures. */
const MAX_MEMORY = 5 * 1024 * 1024;
const HELD_KEYS = 20_000;
/** The promise. */
const WITHIN_POINTS = 1;
/** So many points in time are spread over the run: use is counted by the second. */
const PACE_MS = 1.5;

const POLICIES = [
  ...["allkeys-lru", "allkeys-lfu", "allkeys-random"],
  ...["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"],
];
const SIDES: readonly Side[] = ["kvdb", "redis"];

export const hits: Figure = { id: "HITS", run: hitRates };

async function hitRates(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const policy of POLICIES) {
    for (const bound of ["maxmemory", "keys"] as const) {
      bench.progress(`HITS ${policy}, same ${bound}`);
      rows.push(await row(bench, policy, bound));
    }
  }
  return rows;
}

async function row(bench: Bench, policy: string, bound: "maxmemory" | "keys"): Promise<Row> {
  const subjects = [bench.kvdb, bench.redis];
  const options = { persistence: inMemory, folder: bench.folder };
  return await withServers(subjects, options, async (servers) => {
    for (const side of SIDES) await limit(servers[side], policy, bound);
    const { shares, keys } = await play(servers, policy);
    return {
      id: "HITS",
      what: `${policy}, same ${bound}: hits (${keys.kvdb} and ${keys.redis} keys held)`,
      unit: "%",
      kvdb: spread([shares.kvdb]),
      redis: spread([shares.redis]),
      ratio: null,
      bar:
        bound === "keys"
          ? { relation: ">=", value: shares.redis - WITHIN_POINTS, of: "kvdb" }
          : null,
    };
  });
}

/** Of volatile-ttl it is what decides, so it differs each time that a key is stored. */
function lifeTimeOf(policy: string): LifeTime {
  const random = seededRandom(1);
  if (policy === "volatile-ttl") return () => 10_000 + random.below(10_000);
  return policy.startsWith("volatile") ? () => 10_000 : () => 0;
}

/** `keys`: what so many keys take in this server is its limit. */
async function limit(server: Server, policy: string, bound: "maxmemory" | "keys"): Promise<void> {
  let bytes = MAX_MEMORY;
  if (bound === "keys") {
    const client = await CacheClient.connect(server.port);
    for (let key = 0; key < HELD_KEYS; key += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, index) => key + index);
      await client.look(batch, lifeTimeOf(policy));
    }
    client.close();
    const used = /used_memory:(\d+)/.exec(await server.ask("INFO", "memory"))?.[1];
    bytes = Number(used);
    await server.ask("FLUSHALL");
  }
  await server.ask("CONFIG", "SET", "maxmemory", String(bytes), "maxmemory-policy", policy);
}

async function play(
  servers: Servers,
  policy: string,
): Promise<{ shares: Record<Side, number>; keys: Record<Side, string> }> {
  const zipf = new Zipf({ keys: KEYS, skew: SKEW, seed: 1 });
  const lifeTimes = { kvdb: lifeTimeOf(policy), redis: lifeTimeOf(policy) };
  const found = { kvdb: 0, redis: 0 };
  let asked = 0;
  const clients = {
    kvdb: await CacheClient.connect(servers.kvdb.port),
    redis: await CacheClient.connect(servers.redis.port),
  };
  for (let batch = 0; batch < WARM_UP + COUNTED; batch++) {
    const keys = [...new Set(Array.from({ length: BATCH }, () => zipf.next()))];
    const [ours, theirs] = await Promise.all(
      SIDES.map((side) => clients[side].look(keys, lifeTimes[side])),
    );
    if (batch % 2 === 0) await Bun.sleep(PACE_MS);
    if (batch < WARM_UP) continue;
    found.kvdb += ours as number;
    found.redis += theirs as number;
    asked += keys.length;
  }
  const share = (side: Side) => (100 * found[side]) / asked;
  const held = { kvdb: "", redis: "" };
  for (const side of SIDES) {
    clients[side].close();
    held[side] = await servers[side].ask("DBSIZE");
  }
  const shares = { kvdb: share("kvdb"), redis: share("redis") };
  return { shares, keys: held };
}
