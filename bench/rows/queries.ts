// P12: finds over a million documents: by a hash index in the process itself, which has the bar, and beside it other ways,
// what an index costs, and JSON.GET and JSON.SET against GET and SET of the same text. Redis has neither documents nor
// indexes without a module.

import { join } from "node:path";

import { digits, sendAll, type Words } from "../elements.ts";
import { type Bar, type Bench, type Figure, type Row, ratioRow, type Unit } from "../figure.ts";
import type { FindFigures } from "../finds.ts";
import { type Pair, spread } from "../measure.ts";
import { KEY_COUNT, lap } from "../race.ts";
import { inMemory, order, output, type Servers, withServers } from "../servers.ts";
import { longestTurnMs, resetTurns } from "../turns.ts";

const DOCUMENTS = 1_000_000;
const PIPELINE = 16;
const REQUESTS = 200_000;
const FINDS = 50_000;
/** As P10: the compiler is no part of the turns. */
const WARM_UP = 300_000;
/** With the commands that are under way at a time (elements.ts) as many as P10 has: a turn has 400 at most. */
const DOCUMENTS_AT_ONCE = 20;

const underFiftyUsec: Bar = { relation: "<", value: 50, of: "kvdb" };
const underTenMs: Bar = { relation: "<", value: 10, of: "kvdb" };

export const p12: Figure = { id: "P12", run: queries };

async function queries(bench: Bench): Promise<Row[]> {
  return [...(await inProcess(bench)), ...(await overSocket(bench)), ...(await plainPaths(bench))];
}

function row(what: string, unit: Unit, values: readonly number[], bar: Bar | null = null): Row {
  return { id: "P12", what, unit, kvdb: spread(values), redis: null, ratio: null, bar };
}

// ---- in the process itself ----

const answers: readonly (readonly [name: string, what: string, bar: Bar | null])[] = [
  ["hash", "find by a hash index", underFiftyUsec],
  ["ordered", "find by an ordered index", null],
  ["range of 100", "find a range of 100", null],
  ["sorted, first 10", "find sorted, the first 10", null],
  ["count", "count 1000 by an index", null],
  ["scan", "find by a scan", null],
  ["get", "GET of a document, beside it", null],
];

async function inProcess(bench: Bench): Promise<Row[]> {
  const runs: FindFigures[] = [];
  for (let run = 0; run < bench.runs; run++) {
    bench.progress(`P12 in process, run ${run + 1}`);
    const program = join(import.meta.dir, "../finds.ts");
    runs.push(JSON.parse(await output([process.execPath, program, String(DOCUMENTS)])));
  }
  const of = (part: keyof FindFigures, name: string) => runs.map((run) => run[part][name] ?? NaN);
  const kinds = Object.keys(runs[0]?.buildMs ?? {});
  return [
    ...answers.map(([name, what, bar]) =>
      row(`${what}, in process: p50`, "usec", of("usec", name), bar),
    ),
    ...kinds.flatMap((kind) => [
      row(`index of 1 million, ${kind}: build`, "ms", of("buildMs", kind)),
      row(`index of 1 million, ${kind}: build, CPU`, "ms", of("buildCpuMs", kind)),
      row(`index of 1 million, ${kind}: each`, "bytes each", of("bytesPerEntry", kind)),
    ]),
    ...["0", "1", "3"].map((count) =>
      row(`JSON.SET with ${count} indexes, in process: CPU`, "usec", of("writeUsec", count)),
    ),
  ];
}

// ---- through the socket ----

function* people(count: number): Generator<Words> {
  for (let first = 0; first < count; first += DOCUMENTS_AT_ONCE) {
    const triples = Array.from({ length: DOCUMENTS_AT_ONCE }, (_, at) => first + at).flatMap(
      (number) => [
        ...[`user:${digits(number)}`, "$"],
        `{"email":"${digits(number)}","city":"city${number % 1000}","score":${number}}`,
      ],
    );
    yield ["JSON.MSET", ...triples];
  }
}

/** How long the turns are while a million documents come in under three indexes, and finds. */
async function overSocket(bench: Bench): Promise<Row[]> {
  const turns: number[] = [];
  const rates: number[] = [];
  const cpu: number[] = [];
  const options = { persistence: inMemory, folder: bench.folder };
  for (let run = 0; run < bench.runs; run++) {
    bench.progress(`P12 through the socket, run ${run + 1}`);
    await withServers([bench.kvdb, bench.redis], options, async ({ kvdb }) => {
      const create = (name: string, kind: string) =>
        kvdb.ask("INDEX", "CREATE", name, "USING", kind, "FIELD", name);
      await create("email", "hash");
      await create("city", "ordered");
      await create("score", "ordered");
      await sendAll(kvdb, people(WARM_UP));
      await kvdb.ask("FLUSHALL");
      await resetTurns(kvdb);
      await sendAll(kvdb, people(DOCUMENTS));
      turns.push((await longestTurnMs(kvdb)) ?? NaN);
      const command = ["FIND", 'email = "__rand_int__"'];
      await lap(kvdb, { command, pipeline: PIPELINE }, FINDS);
      const found = await lap(kvdb, { command, pipeline: PIPELINE }, FINDS);
      rates.push(found.requestsPerSecond);
      cpu.push(found.cpuUsecPerOperation);
    });
  }
  const find = `FIND by a hash index, -P ${PIPELINE}`;
  return [
    row("loading 1 million documents with 3 indexes: longest turn, CPU", "ms", turns, underTenMs),
    row(`${find}: CPU per operation`, "usec", cpu),
    row(`${find}: throughput`, "per second", rates),
  ];
}

// ---- documents against strings ----

const TEXT = JSON.stringify({ name: "Somebody", age: 30, city: "Oslo", tags: ["one", "another"] });
const KEY = "key:__rand_int__";

const plain: readonly (readonly [what: string, kvdb: Words, redis: Words])[] = [
  ["JSON.SET $ (SET)", ["JSON.SET", KEY, "$", TEXT], ["SET", KEY, TEXT]],
  ["JSON.SET $.age (SET)", ["JSON.SET", KEY, "$.age", "31"], ["SET", KEY, TEXT]],
  ["JSON.GET (GET)", ["JSON.GET", KEY], ["GET", KEY]],
  ["JSON.GET $.age (GET)", ["JSON.GET", KEY, "$.age"], ["GET", KEY]],
];

async function plainPaths(bench: Bench): Promise<Row[]> {
  const options = { persistence: inMemory, folder: bench.folder };
  return withServers([bench.kvdb, bench.redis], options, async (servers) => {
    await sendAll(
      servers.kvdb,
      everyKey((key) => ["JSON.SET", key, "$", TEXT]),
    );
    await sendAll(
      servers.redis,
      everyKey((key) => ["SET", key, TEXT]),
    );
    const rows: Row[] = [];
    for (const [what, kvdb, redis] of plain) {
      bench.progress(`P12 ${what}`);
      rows.push(...(await compare(bench, servers, what, { kvdb, redis })));
    }
    return rows;
  });
}

function* everyKey(command: (key: string) => Words): Generator<Words> {
  for (let number = 0; number < KEY_COUNT; number++) yield command(`key:${digits(number)}`);
}

async function compare(
  bench: Bench,
  servers: Servers,
  what: string,
  commands: { readonly kvdb: Words; readonly redis: Words },
): Promise<Row[]> {
  const cpu: Pair[] = [];
  const rate: Pair[] = [];
  // The first run does not count: a just-in-time compiler needs it.
  for (let run = -1; run < bench.runs; run++) {
    const [cpuOf, rateOf]: [Pair, Pair] = [
      { kvdb: 0, redis: 0 },
      { kvdb: 0, redis: 0 },
    ];
    for (const side of order(Math.max(run, 0))) {
      const workload = { command: commands[side], pipeline: PIPELINE };
      const result = await lap(servers[side], workload, REQUESTS);
      cpuOf[side] = result.cpuUsecPerOperation;
      rateOf[side] = result.requestsPerSecond;
    }
    if (run < 0) continue;
    cpu.push(cpuOf);
    rate.push(rateOf);
  }
  const about = { id: "P12", bar: null };
  const name = `${what} -P ${PIPELINE}`;
  return [
    ratioRow({ ...about, what: `${name}: CPU per operation`, unit: "usec" }, cpu),
    ratioRow({ ...about, what: `${name}: throughput`, unit: "per second" }, rate),
  ];
}
