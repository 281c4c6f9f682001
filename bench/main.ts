// The figures of PERFORMANCE.md, measured against redis-server and printed as one table.
//
//   npm run bench                      all figures (about ten minutes)
//   bun bench/main.ts P1 P4            some of them
//
// It needs Linux, redis-server, redis-benchmark and redis-cli (Debian: redis-server redis-tools),
// and kvdb's built executable. Nothing here is a test: the test suite has no timings. Ends with 1
// when a bar is missed or a figure failed, with 2 when it could not begin.
// A new figure: write it in a file of rows/ and add it to the list below.

import { accessSync, constants, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { type Bench, type Figure, type Row, verdict } from "./figure.ts";
import { p2 } from "./rows/collections.ts";
import { p6, p7 } from "./rows/durability.ts";
import { hits } from "./rows/hit-rates.ts";
import { p4, p5 } from "./rows/memory.ts";
import { p11 } from "./rows/one-shot.ts";
import { p10 } from "./rows/pauses.ts";
import { p12 } from "./rows/queries.ts";
import { copy, feed } from "./rows/replicas.ts";
import { p8, r18 } from "./rows/snapshots.ts";
import { p9 } from "./rows/starts.ts";
import { p1, p3 } from "./rows/throughput.ts";
import { commandSubject, kvdbSubject, output, redisSubject, type Subject } from "./servers.ts";
import { FOOTNOTE, machine, table } from "./table.ts";

const figures: readonly Figure[] = [
  p1,
  p2,
  p3,
  p4,
  p5,
  p6,
  p7,
  p8,
  p9,
  p10,
  p11,
  p12,
  r18,
  copy,
  feed,
  hits,
];

const USAGE = `usage: bun bench/main.ts [${figures.map((one) => one.id).join("|")} ...] [options]

  --runs N              runs of each figure, the median counts (5)
  --kvdb FILE           the executable to measure (dist/kvdb)
  --kvdb-command LINE   instead: any program that speaks RESP on a port, started without a shell
                        and with its data folder as working folder; placeholders {port} {dir}
                        {appendonly} {appendfsync}
  --dir FOLDER          where the data folders are made, on a disk (the system's temporary folder)
  --json FILE           also write the rows as JSON
  --help                this text
`;

interface Failure {
  id: string;
  reason: string;
}

process.exit(await main(process.argv.slice(2)));

async function main(words: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parse(words);
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const chosen = choose(positionals);
    const bench = await prepare(values);
    return await measure(bench, chosen, values.json);
  } catch (error) {
    console.error(`bench: ${reasonOf(error)}`);
    return 2;
  }
}

type Options = ReturnType<typeof parse>["values"];

function parse(words: readonly string[]) {
  return parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "5" },
      kvdb: { type: "string", default: "dist/kvdb" },
      "kvdb-command": { type: "string" },
      dir: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
}

function choose(ids: readonly string[]): readonly Figure[] {
  if (ids.length === 0) return figures;
  return ids.map((id) => {
    const figure = figures.find((one) => one.id === id.toUpperCase());
    if (figure === undefined) throw new Error(`no figure "${id}" here\n\n${USAGE}`);
    return figure;
  });
}

async function prepare(values: Options): Promise<Bench> {
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs takes a whole number above 0");
  const folder = resolve(values.dir ?? tmpdir());
  const fileSystem = (await output(["df", "--output=fstype", folder])).split("\n").at(-1) ?? "";
  return {
    ...{ kvdb: subjectOf(values), redis: redisSubject, runs, folder },
    fileSystem: fileSystem.trim(),
    progress: (text) => console.error(`… ${text}`),
  };
}

function subjectOf(values: Options): Subject {
  const line = values["kvdb-command"];
  if (line !== undefined) return commandSubject(line);
  const path = resolve(values.kvdb);
  try {
    accessSync(path, constants.X_OK);
  } catch (error) {
    throw new Error(`no executable ${values.kvdb}: build it, or name one with --kvdb`, {
      cause: error,
    });
  }
  return kvdbSubject(path);
}

async function measure(
  bench: Bench,
  chosen: readonly Figure[],
  jsonFile: string | undefined,
): Promise<number> {
  const redis = /v=(\S+)/.exec(await output(["redis-server", "--version"]))?.[1] ?? "unknown";
  const rows: Row[] = [];
  const failures: Failure[] = [];
  for (const figure of chosen) {
    try {
      rows.push(...(await figure.run(bench)));
    } catch (error) {
      // One figure that fails must not cost the minutes of the others; it counts in the end.
      failures.push({ id: figure.id, reason: reasonOf(error) });
    }
  }
  const about = `${machine()}, redis-server ${redis}, ${bench.fileSystem}, ${bench.runs} runs`;
  print(about, rows, failures);
  if (jsonFile !== undefined) {
    const judged = rows.map((row) => ({ ...row, verdict: verdict(row) }));
    writeFileSync(jsonFile, `${JSON.stringify({ about, rows: judged, failures }, null, 2)}\n`);
  }
  const bad = rows.some((row) => ["MISSED", "NO FIGURE"].includes(verdict(row)));
  return bad || failures.length > 0 ? 1 : 0;
}

function print(about: string, rows: readonly Row[], failures: readonly Failure[]): void {
  console.log(table(rows));
  for (const { id, reason } of failures) console.log(`\n${id} FAILED: ${reason}`);
  console.log(`\n${about}`);
  console.log(FOOTNOTE);
  const notes = rows.flatMap((row) => row.notes ?? []);
  if (notes.length > 0) console.log(`\n${notes.join("\n")}`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
