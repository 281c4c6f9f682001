/**
 * What compaction does for who runs kvdb: the folder stays small, what is gone is gone from disk, and whatever is killed in
 * the middle of it loses nothing.
 */
import { expect, test } from "bun:test";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Random } from "../oracle/random.ts";
import type { Client } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const MIB = 2 ** 20;
const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);

/** So that what is in a file can be found there. */
const plain = { persistence: { use: "wal", compression: { checkpoints: 0 } } };

async function folderBytes(folder: string): Promise<number> {
  let total = 0;
  for (const name of await readdir(folder)) {
    try {
      const { size, blocks } = await stat(join(folder, name));
      // What a user sees of it: `ls -l` and `du`, whichever is more.
      total += Math.max(size, blocks * 512);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return total;
}

/** The files of the folder that hold the text. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    if (name.endsWith(".sock")) continue;
    const bytes = await readFile(join(folder, name));
    if (bytes.includes(text)) found.push(name);
  }
  return found;
}

test("V7: 100 000 overwrites of 10 keys: the folder is small soon, by itself, while clients run", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const reader = await server.connect();
  let reads = 0;
  let isDone = false;
  const reading = (async () => {
    while (!isDone) {
      await reader.call("GET", "key:3");
      reads++;
    }
  })();
  for (let batch = 0; batch < 100; batch++) {
    const sets = Array.from({ length: 1000 }, (_, i) => [
      "SET",
      `key:${i % 10}`,
      `value ${batch * 1000 + i}`,
    ]);
    await client.pipeline(sets);
  }
  const folder = workspace.path(".kvdb");
  const begunMs = performance.now();
  await until(
    "the folder is at most 1 MiB",
    async () => (await folderBytes(folder)) <= MIB,
    50_000,
  );
  const tookMs = performance.now() - begunMs;
  isDone = true;
  await reading;
  expect(reads).toBeGreaterThan(100);
  expect(tookMs).toBeLessThan(20_000); // four times the time named
  expect(await client.call("GET", "key:9")).toBe("value 99999");
  await server.kill();
  await using again = await Server.start(workspace);
  const values = await (await again.connect()).call("MGET", "key:0", "key:9");
  expect(values).toEqual(["value 99990", "value 99999"]);
}, 90_000);

test("V8, V10: keys that expire and are never read are gone from disk after one compaction", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", plain);
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const sets = Array.from({ length: 1000 }, (_, i) => [
    "SET",
    `short-lived:${i}`,
    "v",
    "PX",
    "1000",
  ]);
  await client.pipeline([...sets, ["SET", "long-lived", "v"]]);
  const folder = workspace.path(".kvdb");
  expect(await filesWith(folder, "short-lived:999")).not.toEqual([]);
  await until("all are over", async () => (await client.call("DBSIZE")) === 1, 10_000);
  await client.call("COMPACT");
  expect(await filesWith(folder, "short-lived:")).toEqual([]);
  expect(await filesWith(folder, "long-lived")).not.toEqual([]);
}, 30_000);

/** A server on which nothing expires by itself. */
async function withoutActiveExpiry(server: Server): Promise<Client> {
  const client = await server.connect();
  await client.call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
  return client;
}

async function isOver(client: Client, key: string): Promise<void> {
  await until(`${key} is over`, async () => (await client.call("PTTL", key)) === -2, 10_000);
}

test("V10: compaction alone removes an expired key from disk", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", plain);
  await using server = await Server.start(workspace);
  const client = await withoutActiveExpiry(server);
  await client.pipeline([
    ["SET", "untouched-key", "v", "PX", "50"],
    ["SET", "clock", "v", "PX", "50"],
  ]);
  await isOver(client, "clock");
  expect(await client.call("DBSIZE")).toBe(1); // nobody has asked for it
  await client.call("COMPACT");
  expect(await filesWith(workspace.path(".kvdb"), "untouched-key")).toEqual([]);
  await server.kill();
  await using again = await Server.start(workspace);
  expect(await (await again.connect()).call("DBSIZE")).toBe(0);
}, 30_000);

test("V10: at retrieval an expired key is not there, and after a restart neither", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await withoutActiveExpiry(server);
  await client.call("SET", "k", "v", "PX", "50");
  await isOver(client, "k");
  expect(await client.call("GET", "k")).toBeNull();
  expect(await client.call("DBSIZE")).toBe(0);
  await server.kill();
  await using again = await Server.start(workspace);
  expect(await (await again.connect()).call("GET", "k")).toBeNull();
}, 30_000);

test("V10: deleting an expired key deletes nothing", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await withoutActiveExpiry(server);
  await client.pipeline([
    ["SET", "k", "v", "PX", "50"],
    ["SET", "clock", "v", "PX", "50"],
  ]);
  await isOver(client, "clock");
  expect(await client.call("DEL", "k")).toBe(0);
  expect(await client.call("DBSIZE")).toBe(0);
}, 30_000);

test("V10: without anybody asking, an expired key goes by itself", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await client.call("SET", "k", "v", "PX", "50");
  await until("it is gone", async () => (await client.call("DBSIZE")) === 0, 10_000);
}, 30_000);

test("K9: a deleted key stays deleted, and after compaction its tombstone is gone from disk", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", plain);
  const folder = workspace.path(".kvdb");
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call("SET", "doomed-key", "its value");
    await client.call("DEL", "doomed-key");
    await client.call("SET", "other", "v");
    await server.kill();
  }
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await client.call("GET", "doomed-key")).toBeNull();
  expect(await filesWith(folder, "doomed-key")).not.toEqual([]);
  await client.call("COMPACT");
  expect(await filesWith(folder, "doomed-key")).toEqual([]);
  await server.kill();
  await using again = await Server.start(workspace);
  const other = await again.connect();
  expect(await other.call("GET", "doomed-key")).toBeNull();
  expect(await other.call("GET", "other")).toBe("v");
}, 30_000);

test("R8: after SAVE, kill -9 and a restart the data is there", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await client.call("SET", "name", "Alice");
  expect(await client.call("SAVE")).toBe("OK");
  expect(await client.call("LASTSAVE")).toBeGreaterThan(1_700_000_000);
  await server.kill();
  await using again = await Server.start(workspace);
  expect(await (await again.connect()).call("GET", "name")).toBe("Alice");
}, 30_000);

const ROUNDS = process.env["KVDB_TEST_LONG"] === "1" ? 150 : 15;

test(`V9: kill -9 in the middle of compaction, ${ROUNDS} rounds, seed ${SEED}`, async () => {
  await using workspace = await Workspace.create();
  const random = new Random(SEED);
  let round = 0;
  let survived = 0;
  for (; round < ROUNDS; round++) {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    if (round > 0) expect(await client.call("GET", "round")).toBe(String(round - 1));
    expect(await client.call("DBSIZE")).toBe(round === 0 ? 0 : 2001);
    const sets = Array.from({ length: 2000 }, (_, i) => ["SET", `key:${i}`, `${round} ${i}`]);
    await client.pipeline([...sets, ["SET", "round", String(round)]]);
    const compacting = client.call("COMPACT").then(
      () => survived++,
      () => {}, // the connection is lost
    );
    await Bun.sleep(random.integer(0, 60)); // the random moment that this is about
    await server.kill();
    await compacting;
  }
  // What is unfinished in the folder now, and this one for certain, is of no compaction that goes on.
  await workspace.write(".kvdb/manifest.json.new", "{");
  await workspace.write("kvdb.config.json", {
    persistence: { use: "wal", compaction: { ratio: 0 } },
  });
  await using server = await Server.start(workspace);
  const client = await server.connect();
  for (const i of [0, 999, 1999]) {
    expect(await client.call("GET", `key:${i}`)).toBe(`${ROUNDS - 1} ${i}`);
  }
  const names = await readdir(workspace.path(".kvdb"));
  expect(names.filter((name) => /\.(new|image)$/.test(name))).toEqual([]);
  await client.call("COMPACT");
  expect(await infoNumber(client, "rdb_saves")).toBeGreaterThan(0);
}, 240_000);

test("BGSAVE CANCEL gives up, leaves nothing behind, and the next one works", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", {
    persistence: { use: "wal", compaction: { ratio: 0 } },
  });
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const value = "v".repeat(1000);
  for (let batch = 0; batch < 20; batch++) {
    const sets = Array.from({ length: 1000 }, (_, i) => ["SET", `key:${batch * 1000 + i}`, value]);
    await client.pipeline(sets);
  }
  await client.pipeline([["BGSAVE"], ["BGSAVE", "CANCEL"], ["SET", "after", "v"]]);
  await until("it is over", async () => (await infoNumber(client, "rdb_bgsave_in_progress")) === 0);
  expect(await infoNumber(client, "rdb_saves")).toBe(0);
  const names = await readdir(workspace.path(".kvdb"));
  expect(names.filter((name) => /image|checkpoint/.test(name))).toEqual([]);
  expect(await client.call("SAVE")).toBe("OK");
  await server.kill();
  await using again = await Server.start(workspace);
  expect(await (await again.connect()).call("DBSIZE")).toBe(20_001);
}, 60_000);

test("CHECK: the disk has what the memory has, while clients write", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const writer = await server.connect();
  let isDone = false;
  const writing = (async () => {
    for (let i = 0; !isDone; i++) {
      await writer.pipeline([
        ["SET", `key:${i % 500}`, `value ${i}`],
        ["VALUE.SET", `doc:${i % 100}`, `{"n":${i},"x":1.0}`],
        ["SET", `short:${i % 50}`, "v", "PX", "20"],
        ["DEL", `key:${(i * 7) % 500}`],
      ]);
    }
  })();
  for (let round = 0; round < 5; round++) {
    const answer = (await client.call("CHECK")) as unknown[];
    expect(answer.slice(0, 2)).toEqual(["status", "ok"]);
    expect(answer.at(-1)).toEqual([]);
  }
  isDone = true;
  await writing;
  // What is over but not removed yet would count for one of the two alone.
  await client.call("DEL", ...Array.from({ length: 50 }, (_, i) => `short:${i}`));
  expect((await client.call("CHECK")) as unknown[]).toContain(await client.call("DEBUG", "DIGEST"));
}, 60_000);

test("V7: one command after the other, without a server: a long log is compacted all the same", async () => {
  await using workspace = await Workspace.create();
  const folder = workspace.path(".kvdb");
  const off = await workspace.write("off.json", {
    persistence: { use: "wal", compaction: { ratio: 0 } },
  });
  {
    await using server = await Server.start(workspace, { flags: ["--config", off] });
    const client = await server.connect();
    for (let batch = 0; batch < 30; batch++) {
      await client.pipeline(
        Array.from({ length: 1000 }, (_, i) => ["SET", `key:${i % 10}`, "v".repeat(50)]),
      );
    }
    await server.kill();
  }
  expect(await folderBytes(folder)).toBeGreaterThan(MIB);
  const { stdout } = await kvdb(workspace, ["get", "key:3"]);
  expect(stdout).toBe(`"${"v".repeat(50)}"\n`);
  expect(await folderBytes(folder)).toBeLessThan(100_000);
  expect((await kvdb(workspace, ["get", "key:9"])).stdout).toBe(stdout);
}, 60_000);
