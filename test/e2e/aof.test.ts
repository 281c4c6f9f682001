/**
 * The persistence `aof` in the executable: rewritten while clients write, switched on and off at run
 * time, an RDB alone with its save points; and the same folder under redis-server and back.
 */
import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { RedisInWords } from "../oracle/redis-in-words.ts";
import { findRedisServer, startRedisInFolder } from "../oracle/servers.ts";
import type { Client } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const TIMEOUT_MS = 60_000;

async function create(options: object = {}): Promise<Workspace> {
  const workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", {
    dir: "data",
    persistence: { use: "aof", ...options },
  });
  return workspace;
}

async function filesIn(workspace: Workspace): Promise<string[]> {
  return (await readdir(workspace.path("data/appendonlydir"))).sort();
}

async function info(client: Client, name: string): Promise<string | undefined> {
  const text = String(await client.call("INFO", "persistence"));
  return new RegExp(`^${name}:(.*)$`, "m").exec(text)?.[1]?.trim();
}

function rewritten(client: Client, count: number): Promise<unknown> {
  return until("the rewrite", async () => (await info(client, "aof_rewrites")) === `${count}`);
}

describe.each([true, false])("aof-use-rdb-preamble %p", (preamble) => {
  test(
    "BGREWRITEAOF while clients write: all of it is there after kill -9",
    async () => {
      await using workspace = await create({ "aof-use-rdb-preamble": preamble });
      let digest: unknown;
      {
        await using server = await Server.start(workspace);
        const client = await server.connect();
        await client.call("JSON.SET", "doc", "$", '{"city":"Bern"}');
        await client.call("INDEX", "CREATE", "by_city", "USING", "hash", "FIELD", "city");
        await client.call("HSET", "hash", "a", "1", "b", "2");
        await client.call("HPEXPIRE", "hash", "9000000", "FIELDS", "1", "a");
        const writing = writeMany(await server.connect(), 3000);
        for (let count = 1; count <= 3; count++) {
          expect(await client.call("BGREWRITEAOF")).toBeString();
          await rewritten(client, count);
        }
        await writing;
        digest = await client.call("DEBUG", "DIGEST");
        const [base] = (await filesIn(workspace)).filter((name) => name.includes(".base."));
        expect(base).toEndWith(preamble ? ".3.base.rdb" : ".3.base.aof");
        await server.kill();
      }
      await using server = await Server.start(workspace);
      const client = await server.connect();
      expect(await client.call("DEBUG", "DIGEST")).toEqual(digest as string);
      expect(await client.call("TYPE", "doc")).toBe("ReJSON-RL");
      expect(await client.call("HPTTL", "hash", "FIELDS", "1", "a")).not.toEqual([-1]);
      expect(await client.call("INDEX", "LIST")).toHaveLength(1);
    },
    TIMEOUT_MS,
  );
});

test(
  "it is rewritten by itself when it has grown, and CONFIG has Redis's names",
  async () => {
    await using workspace = await create();
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call("CONFIG", "SET", "auto-aof-rewrite-min-size", "64kb");
    await writeMany(client, 2000);
    await until("a rewrite", async () => Number(await info(client, "aof_rewrites")) > 0);
    for (const [name, value] of [
      ["appendonly", "yes"],
      ["appendfilename", "appendonly.aof"],
      ["appenddirname", "appendonlydir"],
      ["dbfilename", "dump.rdb"],
      ["save", ""],
      ["aof-use-rdb-preamble", "yes"],
      ["aof-timestamp-enabled", "no"],
      ["aof-load-truncated", "yes"],
    ]) {
      expect(await client.call("CONFIG", "GET", name as string)).toEqual([name, value] as string[]);
    }
  },
  TIMEOUT_MS,
);

test(
  "CONFIG SET appendonly at run time: nothing that counts is lost, whichever way",
  async () => {
    await using workspace = await create({ appendonly: false, save: "" });
    {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      await client.call("SET", "before", "1");
      expect(await client.call("CONFIG", "SET", "appendonly", "yes")).toBe("OK");
      const writing = writeMany(await server.connect(), 500);
      await until("it is on", async () => (await info(client, "aof_pending_rewrite")) === "0");
      await writing;
      await client.call("SET", "on", "1");
      await server.kill();
    }
    await workspace.write("kvdb.config.json", { dir: "data", persistence: "aof" });
    {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      expect(await client.call("MGET", "before", "on", "key:499")).toEqual(["1", "1", "499"]);
      expect(await client.call("CONFIG", "SET", "appendonly", "no")).toBe("OK");
      await until("the save", async () => (await info(client, "rdb_saves")) === "1");
      await client.call("SET", "late", "1");
      expect(await client.call("SAVE")).toBe("OK");
      await server.kill();
    }
    // The old append-only file is there, and does not win over the save.
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await client.call("MGET", "on", "late")).toEqual(["1", "1"]);
    expect(await client.call("CONFIG", "GET", "appendonly")).toEqual(["appendonly", "yes"]);
  },
  TIMEOUT_MS,
);

test(
  "appendonly of the configuration goes to no and back: the data goes with it",
  async () => {
    await using workspace = await create();
    expect(await kvdb(workspace, ["set", "a", "1"])).toMatchObject({ code: 0 });
    const off = { dir: "data", persistence: { use: "aof", appendonly: false } };
    await workspace.write("kvdb.config.json", off);
    expect(await kvdb(workspace, ["get", "a"])).toMatchObject({ code: 0, stdout: "1\n" });
    expect(await kvdb(workspace, ["set", "b", "2"])).toMatchObject({ code: 0 });
    expect(await readdir(workspace.path("data"))).toContain("dump.rdb");
    await workspace.write("kvdb.config.json", { dir: "data", persistence: "aof" });
    expect(await kvdb(workspace, ["get", "b"])).toMatchObject({ code: 0, stdout: "2\n" });
    expect(await kvdb(workspace, ["get", "a"])).toMatchObject({ code: 0, stdout: "1\n" });
  },
  TIMEOUT_MS,
);

test("elsewhere CONFIG SET appendonly names what chooses the persistence", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await client.call("CONFIG", "SET", "appendonly", "yes")).toBe("OK");
  const refused = client.call("CONFIG", "SET", "appendonly", "no");
  await expect(refused).rejects.toThrow("persistence.use");
  // Save points are checkpoints there.
  expect(await client.call("CONFIG", "SET", "save", "60 1")).toBe("OK");
});

test(
  "U4: save points write the RDB; after kill -9 it is what is there",
  async () => {
    await using workspace = await create({ appendonly: false, save: "1 1" });
    {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      await client.call("SET", "a", "1");
      await until("a save", async () => (await info(client, "rdb_saves")) === "1");
      await client.call("CONFIG", "SET", "save", "");
      await client.call("SET", "late", "1");
      await server.kill();
    }
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await client.call("MGET", "a", "late")).toEqual(["1", null]);
  },
  TIMEOUT_MS,
);

test(
  "U10: dir and dbfilename as redis-server has them",
  async () => {
    await using workspace = await Workspace.create();
    const args = ["--dir", "./x", "--dbfilename", "backup.rdb"];
    {
      await using server = await Server.start(workspace, { args });
      const client = await server.connect();
      await client.call("SET", "a", "1");
      await server.stop();
    }
    expect(await readdir(workspace.path("x"))).toContain("backup.rdb");
    await using server = await Server.start(workspace, { args });
    expect(await (await server.connect()).call("GET", "a")).toBe("1");
  },
  TIMEOUT_MS,
);

test.skipIf(findRedisServer() === null)(
  "U3: after kill -9 the folder is one of redis-server's, and comes back with what it wrote",
  async () => {
    await using workspace = await create();
    let digest: unknown;
    {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      await writeMany(client, 300);
      await client.call("BGREWRITEAOF");
      await rewritten(client, 1);
      await client.call("RPUSH", "list", "a", "b");
      digest = await client.call("DEBUG", "DIGEST");
      await server.kill();
    }
    const folder = workspace.path("data");
    {
      const appendonly = ["--appendonly", "yes"];
      await using redis = await startRedisInFolder(findRedisServer() ?? "", folder, appendonly);
      const words = await RedisInWords.open(redis.port);
      expect(await words.run("DEBUG", "DIGEST")).toEqual(digest as string);
      await words.run("SET", "of redis", "1");
      digest = await words.run("DEBUG", "DIGEST");
      words.close();
    }
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await client.call("DEBUG", "DIGEST")).toEqual(digest as string);
  },
  TIMEOUT_MS,
);

test.skipIf(findRedisServer() === null)(
  "what redis-server has done with the text of a document is there again, and the others are documents",
  async () => {
    await using workspace = await create();
    {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      for (const key of ["appended", "kept"]) await client.call("JSON.SET", key, "$", '{"a":1}');
    }
    {
      const appendonly = ["--appendonly", "yes"];
      const folder = workspace.path("data");
      await using redis = await startRedisInFolder(findRedisServer() ?? "", folder, appendonly);
      const words = await RedisInWords.open(redis.port);
      expect(await words.run("APPEND", "appended", "!")).toBe(8);
      words.close();
    }
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await client.call("GET", "appended")).toBe('{"a":1}!');
    expect(await client.call("JSON.GET", "kept", "$.a")).toBe("[1]");
  },
  TIMEOUT_MS,
);

async function writeMany(client: Client, count: number): Promise<void> {
  for (let from = 0; from < count; from += 100) {
    const calls = Array.from({ length: 100 }, (_, i) => {
      return client.call("SET", `key:${from + i}`, String(from + i));
    });
    await Promise.all(calls);
  }
}
