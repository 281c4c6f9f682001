// P9: from the start of the process until 5 million keys are served, from a snapshot (Redis: from
// RDB) and from a log (from AOF, without an RDB preamble): from each one's own files, and both from
// the very same files of Redis's. The files were written just before, so both read them from the
// page cache: what is measured is the loading.

import { atMost, type Bench, type Figure, type Row, ratioRow } from "../figure.ts";
import { loadKeys } from "../load.ts";
import type { Pair } from "../measure.ts";
import {
  copyFolder,
  order,
  type Persistence,
  type Server,
  type Side,
  startAgain,
  startServer,
} from "../servers.ts";

const KEY_COUNT = 5_000_000;
const POLL_MS = 5;
const LIMIT_MS = 120_000;

interface Case {
  what: string;
  persistence: Readonly<Record<Side, Persistence>>;
  /** Redis writes the files, and kvdb starts from a copy. */
  isRedisFile?: boolean;
  /** The keys are set: brings them into the form to start from. */
  prepare(server: Server): Promise<void>;
}

const withLog: Persistence = { appendonly: "yes", appendfsync: "no" };
const snapshotOnly: Persistence = { appendonly: "no", appendfsync: "no" };

const save = async (server: Server) => void (await server.ask("SAVE"));

const cases: readonly Case[] = [
  {
    what: "start with 5 million keys from a snapshot",
    persistence: { kvdb: withLog, redis: snapshotOnly },
    prepare: save,
  },
  {
    what: "start with 5 million keys from a log",
    persistence: { kvdb: withLog, redis: withLog },
    prepare: async () => {},
  },
  {
    what: "start with 5 million keys from the same RDB of Redis's",
    persistence: { kvdb: { ...snapshotOnly, redisFiles: true }, redis: snapshotOnly },
    isRedisFile: true,
    prepare: save,
  },
  {
    what: "start with 5 million keys from the same AOF of Redis's",
    persistence: { kvdb: { ...withLog, redisFiles: true }, redis: withLog },
    isRedisFile: true,
    prepare: async () => {},
  },
];

export const p9: Figure = { id: "P9", run: starts };

async function starts(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const one of cases) {
    const { folders, written } = await writeFolders(bench, one);
    const pairs: Pair[] = [];
    for (let run = 0; run < bench.runs; run++) {
      const pair: Pair = { kvdb: 0, redis: 0 };
      for (const side of order(run)) {
        bench.progress(`P9 ${one.what}: run ${run + 1}, ${side}`);
        pair[side] = await startTimeMs(bench, side, { ...one, folder: folders[side] });
      }
      pairs.push(pair);
    }
    for (const server of written) await server.stop();
    rows.push(ratioRow({ id: "P9", what: one.what, unit: "ms", bar: atMost(1) }, pairs));
  }
  return rows;
}

/** By servers that are paused afterwards: who stops them removes their folders. */
async function writeFolders(
  bench: Bench,
  one: Case,
): Promise<{ folders: Record<Side, string>; written: readonly Server[] }> {
  const folders: Record<Side, string> = { kvdb: "", redis: "" };
  const written: Server[] = [];
  for (const side of one.isRedisFile === true ? (["redis"] as const) : order(0)) {
    bench.progress(`P9 ${one.what}: writing, ${side}`);
    const server = await startServer(bench[side], one.persistence[side], bench.folder);
    written.push(server);
    folders[side] = server.folder;
    await server.set("auto-aof-rewrite-percentage", "0");
    await server.set("aof-use-rdb-preamble", "no");
    await loadKeys(server, { count: KEY_COUNT, batch: 1_000 });
    await one.prepare(server);
    await server.pause();
  }
  if (one.isRedisFile === true) folders.kvdb = copyFolder(folders.redis, "kvdb", bench.folder);
  return { folders, written };
}

async function startTimeMs(
  bench: Bench,
  side: Side,
  { persistence, folder }: Case & { folder: string },
): Promise<number> {
  const begun = performance.now();
  const server = startAgain(bench[side], persistence[side], folder);
  try {
    await untilServed(server.port);
    return performance.now() - begun;
  } finally {
    await server.pause();
  }
}

/** Asks DBSIZE over and over: no connection at first, then LOADING, then the number of keys. */
async function untilServed(port: number): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const answer = await dbsize(port);
    if (answer === `:${KEY_COUNT}`) return;
    if (answer.startsWith(":")) throw new Error(`only ${answer.slice(1)} keys came back`);
    if (performance.now() > limit) throw new Error(`not served within ${LIMIT_MS} ms: ${answer}`);
    await Bun.sleep(POLL_MS);
  }
}

/** The reply's line; empty: nobody listens yet. */
async function dbsize(port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  try {
    await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => void socket.write("*1\r\n$6\r\nDBSIZE\r\n"),
        data: (socket, chunk) => {
          resolve(chunk.toString("latin1").trimEnd());
          socket.end();
        },
        close: () => resolve(""),
      },
    });
  } catch (error) {
    if (!(error instanceof Error && /ECONNREFUSED|Failed to connect/.test(String(error))))
      throw error;
    return "";
  }
  return promise;
}
