/**
 * What works on keys of several types, through the client libraries that people use, against the executable: SORT, and DUMP and
 * RESTORE, whose payloads are bytes that a library must not take for text.
 */
import { expect, test } from "bun:test";
import { RESP_TYPES } from "redis";
import { connectBunClient, connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const BYTES = Buffer.from([0, 255, 13, 10, 128, 0]);

test("U17: ioredis sorts, and carries values from a server to another one", async () => {
  await using workspace = await Workspace.create();
  await using elsewhere = await Workspace.create();
  await using server = await Server.start(workspace);
  await using other = await Server.start(elsewhere);
  await using client = await connectIoredis(server);
  await using target = await connectIoredis(other);
  await client.rpush("list", 3, 1, 2);
  await client.mset({ "w:1": "30", "w:2": "20", "w:3": "10" });
  expect(await client.sort("list")).toEqual(["1", "2", "3"]);
  expect(await client.sort("list", "BY", "w:*", "GET", "#", "GET", "w:*")).toEqual([
    ...["3", "10", "2", "20", "1", "30"],
  ]);
  expect(await client.sort("list", "DESC", "STORE", "sorted")).toBe(3);
  expect(await client.lrange("sorted", 0, -1)).toEqual(["3", "2", "1"]);

  await client.hset("hash", { field: "value", bytes: BYTES });
  await client.zadd("zset", 1.5, "a");
  for (const key of ["list", "hash", "zset"]) {
    const payload = await client.dumpBuffer(key);
    expect(await target.restore(key, 0, payload)).toBe("OK");
    expect(await target.call("DEBUG", "DIGEST-VALUE", key)).toEqual(
      await client.call("DEBUG", "DIGEST-VALUE", key),
    );
    await expect(target.restore(key, 0, payload)).rejects.toThrow("BUSYKEY");
  }
  expect(await target.hgetBuffer("hash", "bytes")).toEqual(BYTES);
  expect(await target.zscore("zset", "a")).toBe("1.5");
  expect(await client.dumpBuffer("none")).toBeNull();
});

test.each([2, 3] as const)("U17: node-redis sorts, dumps and restores, RESP%d", async (RESP) => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectNodeRedis(server, RESP);
  await client.sAdd("set", ["b", "a", "c"]);
  expect(await client.sort("set", { ALPHA: true, DIRECTION: "DESC" })).toEqual(["c", "b", "a"]);
  const page = { ALPHA: true, LIMIT: { offset: 1, count: 1 } };
  expect(await client.sortRo("set", page)).toEqual(["b"]);
  expect(await client.sortStore("set", "sorted", page)).toBe(1);
  expect(await client.lRange("sorted", 0, -1)).toEqual(["b"]);

  const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  await client.set("bytes", BYTES);
  const payload = (await binary.dump("bytes")) as Buffer;
  expect(await client.restore("copy", 60_000, payload)).toBe("OK");
  expect(await binary.get("copy")).toEqual(BYTES);
  expect(await client.pTTL("copy")).toBeWithin(1, 60_001);
  expect(await client.restore("copy", 0, payload, { REPLACE: true })).toBe("OK");
  expect(await client.pTTL("copy")).toBe(-1);
  payload[1] = (payload[1] ?? 0) ^ 1;
  await expect(client.restore("damaged", 0, payload)).rejects.toThrow("checksum");
  expect(await client.exists("damaged")).toBe(0);
});

test("U17: Bun.RedisClient sorts, and restores what another library dumped", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  using client = await connectBunClient(server);
  await using dumping = await connectIoredis(server);
  await client.rpush("list", "3", "1", "2");
  expect(await client.send("SORT", ["list", "LIMIT", "0", "2"])).toEqual(["1", "2"]);
  expect(await client.send("SORT", ["list", "STORE", "sorted"])).toBe(3);
  const payload = await dumping.dumpBuffer("sorted");
  const words = ["copy", "0", payload] as string[]; // it takes bytes, its types say strings
  expect(await client.send("RESTORE", words)).toBe("OK");
  expect(await client.lrange("copy", 0, -1)).toEqual(["1", "2", "3"]);
});
