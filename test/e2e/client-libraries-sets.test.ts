/** Sets and HyperLogLogs through the client libraries that people use, against the executable: RESP2 and RESP3 shapes. */
import { expect, test } from "bun:test";
import { connectBunClient, connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const MANY = Array.from({ length: 2000 }, (_, i) => `member:${i}`);

test("U1: ioredis", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectIoredis(server);
  expect(await client.sadd("a", 1, 2, 3)).toBe(3);
  expect(await client.sadd("b", "2", "3", "x")).toBe(3);
  expect(await client.smembers("a")).toEqual(["1", "2", "3"]);
  expect(await client.smismember("b", "x", "y")).toEqual([1, 0]);
  expect((await client.sinter("a", "b")).sort()).toEqual(["2", "3"]);
  expect(await client.sinterstore("c", "a", "b")).toBe(2);
  expect(await client.sintercard(2, "a", "b", "LIMIT", 1)).toBe(1);
  expect(await client.smove("b", "a", "x")).toBe(1);
  expect((await client.spop("a", 10)).sort()).toEqual(["1", "2", "3", "x"]);
  expect(await client.exists("a")).toBe(0);
  await client.sadd("many", ...MANY);
  const seen = new Set<string>();
  for await (const found of client.sscanStream("many", { count: 100 })) {
    for (const member of found as string[]) seen.add(member);
  }
  expect(seen).toEqual(new Set(MANY));
  expect(await client.pfadd("h", "a", "b", "c")).toBe(1);
  expect(await client.pfcount("h")).toBe(3);
});

test("U1: node-redis, over RESP3", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectNodeRedis(server, 3);
  expect(await client.sAdd("a", ["1", "2", "3"])).toBe(3);
  expect(await client.sMembers("a")).toEqual(["1", "2", "3"]);
  expect(await client.sAdd("b", ["x", "2"])).toBe(2);
  expect([...(await client.sUnion(["a", "b"]))].sort()).toEqual(["1", "2", "3", "x"]);
  expect(await client.sDiffStore("d", ["a", "b"])).toBe(2);
  expect(await client.sRandMemberCount("d", -5)).toHaveLength(5);
  expect(await client.sPop("d")).toBeOneOf(["1", "3"]);
  await client.sAdd("many", MANY);
  const seen = new Set<string>();
  for await (const found of client.sScanIterator("many", { COUNT: 100 })) {
    for (const member of found) seen.add(member);
  }
  expect(seen).toEqual(new Set(MANY));
  expect(await client.pfAdd("h", ["a", "b"])).toBe(1);
  expect(await client.pfMerge("g", ["h", "none"])).toBe("OK");
  expect(await client.pfCount(["g", "h"])).toBe(2);
});

test("U1: Bun.RedisClient", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  using client = await connectBunClient(server);
  expect(await client.sadd("a", "x", "y")).toBe(2);
  expect((await client.smembers("a")).sort()).toEqual(["x", "y"]);
  expect(await client.sismember("a", "x")).toBe(true);
  expect(await client.srem("a", "x")).toBe(1);
  expect(await client.spop("a")).toBe("y");
  expect(await client.send("SADD", ["i", "3", "1"])).toBe(2);
  expect(await client.send("SMEMBERS", ["i"])).toEqual(["1", "3"]);
  expect(await client.pfadd("h", "a")).toBe(1);
});
