// P2: the tests of redis-benchmark on collections, and MSET, at -P 16: CPU per operation. Each
// begins in a state that is prepared outside the measured time, so that a pop has something to pop
// and LRANGE measures no pushes.

import { CHUNK, chunks, digits, sendAll, type Words } from "../elements.ts";
import { atMost, type Bench, type Figure, type Row, ratioRow } from "../figure.ts";
import type { Pair } from "../measure.ts";
import { KEY_COUNT, lap } from "../race.ts";
import { inMemory, order, type Server, type Servers, withServers } from "../servers.ts";

const PIPELINE = 16;
const REQUESTS = 400_000;
const VALUE = "x".repeat(32);
const MOST = 0.9;

interface Test {
  name: string;
  command: Words;
  /** Default: REQUESTS. */
  requests?: number;
  /** What is there when it begins. */
  fill?(requests: number): Iterable<Words>;
}

const element = "element:__rand_int__";
const list = () => chunks(["RPUSH", "mylist"], REQUESTS + CHUNK, () => [VALUE]);
const shortList = () => chunks(["RPUSH", "mylist"], 8 * CHUNK, () => [VALUE]);
const range = (count: number, requests: number): Test => ({
  ...{ name: `LRANGE_${count}`, command: ["LRANGE", "mylist", 0, count - 1], requests },
  fill: shortList,
});

const tests: readonly Test[] = [
  { name: "LPUSH", command: ["LPUSH", "mylist", VALUE] },
  { name: "RPUSH", command: ["RPUSH", "mylist", VALUE] },
  { name: "LPOP", command: ["LPOP", "mylist"], fill: list },
  { name: "RPOP", command: ["RPOP", "mylist"], fill: list },
  { name: "SADD", command: ["SADD", "myset", element] },
  { name: "HSET", command: ["HSET", "myhash", element, VALUE] },
  {
    ...{ name: "SPOP", command: ["SPOP", "myset"] },
    fill: () =>
      chunks(["SADD", "myset"], REQUESTS + CHUNK, (number) => [`element:${digits(number)}`]),
  },
  { name: "ZADD", command: ["ZADD", "myzset", "__rand_int__", element] },
  {
    ...{ name: "ZPOPMIN", command: ["ZPOPMIN", "myzset"] },
    fill: () =>
      chunks(["ZADD", "myzset"], REQUESTS + CHUNK, (number) => [
        (number * 7919) % KEY_COUNT,
        `element:${digits(number)}`,
      ]),
  },
  range(100, 100_000),
  range(300, 60_000),
  range(500, 40_000),
  range(600, 40_000),
  {
    name: "MSET (10 keys)",
    command: ["MSET", ...Array.from({ length: 10 }, () => ["key:__rand_int__", VALUE]).flat()],
    requests: 100_000,
  },
];

export const p2: Figure = { id: "P2", run: collections };

async function collections(bench: Bench): Promise<Row[]> {
  const options = { persistence: inMemory, folder: bench.folder };
  return withServers([bench.kvdb, bench.redis], options, async (servers) => {
    const rows: Row[] = [];
    for (const test of tests) rows.push(...(await rowsOf(bench, servers, test)));
    return rows;
  });
}

async function rowsOf(bench: Bench, servers: Servers, test: Test): Promise<Row[]> {
  const cpu: Pair[] = [];
  const rate: Pair[] = [];
  // The first run does not count: a just-in-time compiler needs it, and it is fair to both.
  for (let run = -1; run < bench.runs; run++) {
    bench.progress(`P2 ${test.name} run ${run + 1}`);
    const cpuOf: Pair = { kvdb: 0, redis: 0 };
    const rateOf: Pair = { kvdb: 0, redis: 0 };
    for (const side of order(Math.max(run, 0))) {
      const result = await once(servers[side], test);
      cpuOf[side] = result.cpuUsecPerOperation;
      rateOf[side] = result.requestsPerSecond;
    }
    if (run < 0) continue;
    cpu.push(cpuOf);
    rate.push(rateOf);
  }
  const what = `${test.name} -P ${PIPELINE}`;
  return [
    ratioRow(
      { id: "P2", what: `${what}: CPU per operation`, unit: "usec", bar: atMost(MOST) },
      cpu,
    ),
    ratioRow({ id: "P2", what: `${what}: throughput`, unit: "per second", bar: null }, rate),
  ];
}

async function once(server: Server, { command, requests = REQUESTS, fill }: Test) {
  await server.ask("FLUSHALL");
  if (fill !== undefined) await sendAll(server, fill(requests));
  return lap(server, { command, pipeline: PIPELINE }, requests);
}
