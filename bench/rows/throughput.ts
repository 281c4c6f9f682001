// P1 and P3: single commands in memory, with and without pipelining. P2 is in collections.ts.

import {
  atLeast,
  atMost,
  type Bar,
  type Bench,
  type Figure,
  type Row,
  ratioRow,
} from "../figure.ts";
import { loadKeys } from "../load.ts";
import { KEY_COUNT, race } from "../race.ts";
import { inMemory, type Servers, withServers } from "../servers.ts";

interface Test {
  name: string;
  cpuBar: Bar | null;
  throughputBar: Bar | null;
}

/** PERFORMANCE.md aims at 0.65 for GET; the bar is what must hold. */
const pipelined: readonly Test[] = [
  { name: "SET", cpuBar: atMost(0.7), throughputBar: null },
  { name: "INCR", cpuBar: atMost(0.7), throughputBar: null },
  { name: "GET", cpuBar: atMost(0.75), throughputBar: null },
];

const unpipelined: readonly Test[] = [
  { name: "SET", cpuBar: null, throughputBar: atLeast(1) },
  { name: "GET", cpuBar: null, throughputBar: atLeast(1) },
];

export const p1: Figure = { id: "P1", run: (bench) => testsInMemory(bench, "P1", 16, pipelined) };
export const p3: Figure = { id: "P3", run: (bench) => testsInMemory(bench, "P3", 1, unpipelined) };

async function testsInMemory(
  bench: Bench,
  id: string,
  pipeline: number,
  tests: readonly Test[],
): Promise<Row[]> {
  const options = { persistence: inMemory, folder: bench.folder };
  return withServers([bench.kvdb, bench.redis], options, async (servers) => {
    await fillKeys(servers);
    const rows: Row[] = [];
    for (const test of tests) {
      const what = `${test.name} -P ${pipeline}`;
      bench.progress(`${id} ${what}`);
      const result = await race(servers, { test: test.name.toLowerCase(), pipeline }, bench.runs);
      const cpu = {
        id,
        what: `${what}: CPU per operation`,
        unit: "usec",
        bar: test.cpuBar,
      } as const;
      const rate = { id, what: `${what}: throughput`, unit: "per second" } as const;
      rows.push(
        ratioRow(cpu, result.cpuUsecPerOperation),
        ratioRow({ ...rate, bar: test.throughputBar }, result.requestsPerSecond),
      );
    }
    return rows;
  });
}

/** Every key that redis-benchmark may ask for is there: each GET finds its value from the start. */
async function fillKeys(servers: Servers): Promise<void> {
  for (const server of Object.values(servers)) {
    await loadKeys(server, { count: KEY_COUNT, batch: 500 });
  }
}
