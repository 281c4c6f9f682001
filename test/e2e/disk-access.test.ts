/**
 * How often a server goes to its disk: never to read, seldom to write. Counted by kvdb's own INFO, and from outside by
 * strace where that is permitted.
 */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Client, encodeCommand } from "./support/client.ts";
import { infoNumber, Server } from "./support/server.ts";
import { callsOf, mayTrace, Trace } from "./support/strace.ts";
import { Workspace } from "./support/workspace.ts";

const KEYS = 1000;
const GETS = 100_000;
const GETS_AT_ONCE = 5000;
const SETS = 10_000;
/** Of 10 000 sets: so many writes, and so many syncs. */
const MOST = 200;
const VALUE = "v".repeat(500);

const canTrace = await mayTrace();

/** A server that has loaded its data from a disk, and has no reason to compact it meanwhile. */
async function loadedServer(workspace: Workspace): Promise<Server> {
  await workspace.write("kvdb.config.json", {
    persistence: { use: "wal", compaction: { ratio: 0 } },
  });
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    const keys = Array.from({ length: KEYS }, (_, index) => ["SET", `key:${index}`, VALUE]);
    await client.pipeline(keys);
    await server.stop();
  }
  return Server.start(workspace);
}

async function getAll(client: Client): Promise<void> {
  const batch = Array.from({ length: GETS_AT_ONCE }, (_, i) => ["GET", `key:${i % KEYS}`]);
  const bytes = Buffer.concat(batch.map(encodeCommand));
  let wrong = 0;
  for (let done = 0; done < GETS; done += GETS_AT_ONCE) {
    await client.send(bytes, GETS_AT_ONCE, (reply) => {
      if (reply !== VALUE) wrong++;
    });
  }
  expect(wrong).toBe(0);
}

test.skipIf(!canTrace)("K6: 100 000 GETs read nothing from disk, by strace", async () => {
  await using workspace = await Workspace.create();
  await using server = await loadedServer(workspace);
  const client = await server.connect();
  await using trace = await Trace.attach(server.pid, join(workspace.root, "strace.txt"));
  await getAll(client);
  await client.call("SET", "last", "a write, so that the trace shows something");
  const calls = (await trace?.callsUnder(workspace.path(".kvdb"))) ?? [];
  expect(callsOf(calls, /^p?write/).length).toBeGreaterThan(0);
  expect(callsOf(calls, /read|open|mmap|sendfile/)).toEqual([]);
});

const hasCounters = existsSync(`/proc/${process.pid}/io`);

test.skipIf(!hasCounters)("K6: 100 000 GETs read nothing from disk, by counters", async () => {
  await using workspace = await Workspace.create();
  await using server = await loadedServer(workspace);
  const client = await server.connect();
  const readBytes = async () => {
    const text = await readFile(`/proc/${server.pid}/io`, "utf8");
    return Number(/^rchar: (\d+)$/m.exec(text)?.[1]);
  };
  const before = await readBytes();
  await getAll(client);
  // Through file reads of whatever kind, the page cache included. A read for every hundredth GET would be ten times that.
  expect((await readBytes()) - before).toBeLessThan((GETS * VALUE.length) / 1000);
});

/** Writes and syncs of `work`, as INFO counts them. */
async function countedByInfo(client: Client, work: () => Promise<void>) {
  const read = async () => ({
    writes: await infoNumber(client, "wal_writes"),
    syncs: await infoNumber(client, "wal_syncs"),
  });
  const before = await read();
  await work();
  const after = await read();
  return { writes: after.writes - before.writes, syncs: after.syncs - before.syncs };
}

async function setAll(server: Server, connections: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: connections }, () => server.connect()));
  const each = SETS / connections;
  const replies = await Promise.all(
    clients.map((client, c) => {
      const sets = Array.from({ length: each }, (_, i) => ["SET", `key:${c}:${i}`, VALUE]);
      return client.pipeline(sets);
    }),
  );
  expect(replies.flat().every((reply) => reply === "OK")).toBe(true);
}

test.each([1, 50])("V13: 10 000 sets, pipelined over %d connections, by INFO", async (count) => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const { writes, syncs } = await countedByInfo(client, () => setAll(server, count));
  expect(writes).toBeGreaterThan(0);
  expect(writes).toBeLessThanOrEqual(MOST);
  expect(syncs).toBeGreaterThan(0);
  expect(syncs).toBeLessThanOrEqual(MOST);
  expect(await client.call("DBSIZE")).toBe(SETS);
});

test.skipIf(!canTrace)("V13: 10 000 pipelined sets, by strace", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using trace = await Trace.attach(server.pid, join(workspace.root, "strace.txt"));
  await setAll(server, 1);
  const calls = (await trace?.callsUnder(workspace.path(".kvdb"))) ?? [];
  const writes = callsOf(calls, /^p?write/).length;
  expect(writes).toBeGreaterThan(0);
  // A write to a file that was opened for synced writes is a sync as well; nobody sees which is which.
  expect(writes + callsOf(calls, /sync/).length).toBeLessThanOrEqual(MOST);
});
