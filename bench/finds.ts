// Finds in the process itself: what bench/rows/queries.ts starts for P12. It fills a database with a
// million documents, asks it with and without indexes, and prints one line of JSON: figures by name.
//
//   bun bench/finds.ts [documents]

import { type Database, open } from "../src/plugin.ts";
import { spread } from "./measure.ts";

const QUESTIONS = 20_000;
/** Until the compiler has done its work. */
const WARM_UP = 5_000;
const SCANS = 5;
const WRITES = 100_000;
const CITIES = 1_000;

/** Any prime that does not divide the number of documents: it visits them in no order. */
const STRIDE = 611_953;

export interface FindFigures {
  /** Of one answer, in microseconds: the median. */
  readonly usec: Readonly<Record<string, number>>;
  readonly buildMs: Readonly<Record<string, number>>;
  /** CPU time, which other programs of the machine do not change. */
  readonly buildCpuMs: Readonly<Record<string, number>>;
  readonly bytesPerEntry: Readonly<Record<string, number>>;
  /** CPU time of one JSON.SET in microseconds, by how many indexes there are. */
  readonly writeUsec: Readonly<Record<string, number>>;
}

const count = Number(process.argv[2] ?? 1_000_000);

await using db = await open({ persistence: "none" });
await fill(db);
console.log(JSON.stringify(await figures(db)));

async function fill(database: Database): Promise<void> {
  for (let number = 0; number < count; number++) {
    await database.call("JSON.SET", keyOf(number), "$", textOf(number, 0));
  }
}

function keyOf(number: number): string {
  return `user:${number}`;
}

/** About 150 bytes. `round` changes the fields that are indexed. */
function textOf(number: number, round: number): string {
  const score = (number * STRIDE + round * 17) % count;
  return JSON.stringify({
    id: number,
    email: emailOf(number, round),
    city: `city${(number + round) % CITIES}`,
    score,
    name: `Somebody Number ${number}`,
    tags: ["one", "another"],
    address: { street: "Main Street", house: number % 300 },
  });
}

function emailOf(number: number, round: number): string {
  return `user${number}.${round}@example.com`;
}

async function figures(database: Database): Promise<FindFigures> {
  const usec: Record<string, number> = {};
  const buildMs: Record<string, number> = {};
  const buildCpuMs: Record<string, number> = {};
  const bytesPerEntry: Record<string, number> = {};
  const writeUsec: Record<string, number> = {};
  const ask = async (name: string, times: number, words: (number: number) => string[]) => {
    usec[name] = await medianUsec(database, times, words);
  };
  const build = async (name: string, field: string, kind: string) => {
    const from = performance.now();
    const cpuFrom = process.cpuUsage();
    await database.call("INDEX", "CREATE", field, "USING", kind, "FIELD", field);
    const { user, system } = process.cpuUsage(cpuFrom);
    buildMs[name] = performance.now() - from;
    buildCpuMs[name] = (user + system) / 1000;
    const info = new Map(await database.call<[string, unknown][]>("INDEX", "INFO", field));
    bytesPerEntry[name] = Number(info.get("bytes")) / count;
  };
  const byEmail = (number: number) => ["email = $1", "PARAMS", emailOf(number, 0)];

  await ask("scan", SCANS, byEmail);
  writeUsec["0"] = await writeCpuUsec(database, 0);
  await build("hash", "email", "hash");
  await ask("hash", QUESTIONS, byEmail);
  await ask("get", QUESTIONS, (number) => ["GET", keyOf(number)]);
  writeUsec["1"] = await writeCpuUsec(database, 1);
  await database.call("INDEX", "DROP", "email");
  await build("ordered, text", "email", "ordered");
  await ask("ordered", QUESTIONS, byEmail);
  await build("ordered, number", "score", "ordered");
  await build("ordered, 1000 values", "city", "ordered");
  await ask("range of 100", QUESTIONS / 10, (number) => [
    ...["score >= $1 and score < $2", "PARAMS"],
    ...[String(number % (count - 100)), String((number % (count - 100)) + 100)],
  ]);
  await ask("sorted, first 10", QUESTIONS / 10, () => ["", "SORT", "-score", "LIMIT", "10"]);
  await ask("count", QUESTIONS, (number) => [
    ...["city = $1", "COUNT", "PARAMS", `city${number % CITIES}`],
  ]);
  writeUsec["3"] = await writeCpuUsec(database, 3);
  return { usec, buildMs, buildCpuMs, bytesPerEntry, writeUsec };
}

async function medianUsec(
  database: Database,
  times: number,
  words: (number: number) => string[],
): Promise<number> {
  const taken: number[] = [];
  const warmUp = times > WARM_UP ? WARM_UP : 0;
  for (let at = -warmUp; at < times; at++) {
    const [first = "", ...rest] = words((Math.abs(at) * STRIDE) % count);
    const from = performance.now();
    if (first === "GET") await database.call(first, ...rest);
    else await database.call("FIND", first, ...rest);
    if (at >= 0) taken.push((performance.now() - from) * 1000);
  }
  return spread(taken).median;
}

/** Each write changes every indexed field; a second one puts the document back. */
async function writeCpuUsec(database: Database, indexes: number): Promise<number> {
  const each: number[] = [];
  for (const round of [indexes + 1, 0, indexes + 1, 0]) {
    const texts = Array.from({ length: WRITES }, (_, at) => textOf((at * STRIDE) % count, round));
    const from = process.cpuUsage();
    for (const [at, text] of texts.entries()) {
      await database.call("JSON.SET", keyOf((at * STRIDE) % count), "$", text);
    }
    const { user, system } = process.cpuUsage(from);
    each.push((user + system) / WRITES);
  }
  return spread(each.slice(1)).median;
}
