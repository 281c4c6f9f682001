/** Hashes through the executable: by the clients that people use, and with deadlines of fields over a crash and a restart. */
import { expect, test } from "bun:test";
import type { Client } from "./support/client.ts";
import { connectBunClient, connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { until } from "./support/poll.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const HOUR_MS = 3_600_000;

test("ioredis", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectIoredis(server);
  expect(await client.hset("h", { a: "1", b: "2" })).toBe(2);
  expect(await client.hgetall("h")).toEqual({ a: "1", b: "2" });
  expect(await client.hincrby("h", "a", 5)).toBe(6);
  expect(await client.hmget("h", "a", "none")).toEqual(["6", null]);
  expect(await client.hscan("h", 0)).toEqual(["0", ["a", "6", "b", "2"]]);
  expect(await client.hrandfield("h", 2, "WITHVALUES")).toEqual(["a", "6", "b", "2"]);
  expect(await client.hdel("h", "a", "b")).toBe(2);
  expect(await client.exists("h")).toBe(0);
});

test("node-redis, in RESP3", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectNodeRedis(server, 3);
  expect(await client.hSet("h", { a: "1", b: "2" })).toBe(2);
  expect({ ...(await client.hGetAll("h")) }).toEqual({ a: "1", b: "2" });
  expect(await client.hExpire("h", ["a", "none"], 100)).toEqual([1, -2]);
  expect(await client.hTTL("h", ["a", "b"])).toEqual([100, -1]);
  expect(await client.hPersist("h", "a")).toEqual([1]);
  expect(await client.hRandFieldCountWithValues("h", 1)).toHaveLength(1);
  expect(await client.hIncrByFloat("h", "b", 0.5)).toBe("2.5");
  expect(await client.hGetDel("h", ["a"])).toEqual(["1"]);
});

test("Bun's own client", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  using client = await connectBunClient(server);
  await client.hmset("h", ["a", "1", "b", "2"]);
  expect(await client.hmget("h", ["a", "b", "none"])).toEqual(["1", "2", null]);
  expect(await client.hgetall("h")).toEqual({ a: "1", b: "2" });
  expect(await client.hincrby("h", "a", 4)).toBe(5);
});

async function fill(client: Client): Promise<void> {
  await client.call("HSET", "small", "a", 1, "b", 2, "c", 3);
  await client.pipeline(Array.from({ length: 3000 }, (_, i) => ["HSET", "big", `field:${i}`, i]));
  for (const key of ["small", "big"]) {
    await client.call("HSET", key, "later", 1, "soon", 1);
    await client.call("HPEXPIRE", key, HOUR_MS, "FIELDS", 1, "later");
  }
}

async function contentOf(client: Client) {
  const times = (key: string) => client.call("HPEXPIRETIME", key, "FIELDS", 2, "later", "soon");
  return [await client.call("DEBUG", "DIGEST"), await times("small"), await times("big")];
}

test.each([
  ["from the log", false],
  ["from a checkpoint and the log behind it", true],
])(
  "what was set is there after kill -9, and fields expire as they would have: %s",
  async (_, saves) => {
    await using workspace = await Workspace.create();
    let before: unknown;
    {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      await fill(client);
      if (saves) await client.call("SAVE");
      for (const key of ["small", "big"]) {
        await client.call("HINCRBYFLOAT", key, "later", "0.5");
        await client.call("HPEXPIRE", key, HOUR_MS, "FIELDS", 1, "soon");
      }
      before = await contentOf(client);
      await server.kill();
    }
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await contentOf(client)).toEqual(before as never);
    await client.call("HPEXPIRE", "small", 50, "FIELDS", 5, "a", "b", "c", "later", "soon");
    await client.call("HPEXPIRE", "big", 50, "FIELDS", 1, "soon");
    await until(
      "the small hash is gone by itself",
      async () => (await client.call("DBSIZE")) === 1,
    );
    await until(
      "one field of the big one",
      async () => (await client.call("HLEN", "big")) === 3001,
    );
  },
);
