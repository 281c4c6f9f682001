/** Waiting for elements through the executable: several clients, the libraries that people use, a crash behind it. */
import { expect, test } from "bun:test";
import type { Client } from "./support/client.ts";
import { connectBunClient, connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { until, within } from "./support/poll.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

async function untilBlocked(client: Client, count: number): Promise<void> {
  await until(`${count} wait`, async () => (await infoNumber(client, "blocked_clients")) === count);
}

test("first come, first served; what came behind it runs then; who goes takes nothing", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const [gone, first] = [await server.connect(), await server.connect()];
  const [second, pusher] = [await server.connect(), await server.connect()];
  void gone.ask("BLPOP", "jobs", "0").catch((error: unknown) => error);
  await untilBlocked(pusher, 1);
  const one = first.pipeline([
    ["BLPOP", "none", "jobs", "0"],
    ["RPUSH", "done", "by the first"],
  ]);
  await untilBlocked(pusher, 2);
  const two = second.call("BRPOP", "jobs", "0");
  await untilBlocked(pusher, 3);
  expect(await pusher.call("EXISTS", "done")).toBe(0);
  gone.close();
  await untilBlocked(pusher, 2);
  expect(await pusher.call("RPUSH", "jobs", "a", "b", "c")).toBe(3);
  expect(await one).toEqual([["jobs", "a"], 1]);
  expect(await two).toEqual(["jobs", "c"]);
  expect(await pusher.call("LRANGE", "jobs", "0", "-1")).toEqual(["b"]);
  expect(await pusher.call("LRANGE", "done", "0", "-1")).toEqual(["by the first"]);
});

test("an element that was given out does not come back after kill -9, one that was moved is there", async () => {
  await using workspace = await Workspace.create();
  let digest: unknown;
  {
    await using server = await Server.start(workspace, { args: ["--appendfsync", "always"] });
    const [taker, mover, pusher] = [
      await server.connect(),
      await server.connect(),
      await server.connect(),
    ];
    const taken = taker.call("BLPOP", "jobs", "0");
    await untilBlocked(pusher, 1);
    const moved = mover.call("BLMOVE", "jobs", "busy", "LEFT", "RIGHT", "0");
    await untilBlocked(pusher, 2);
    await pusher.call("RPUSH", "jobs", "a", "b", "c");
    expect([await taken, await moved]).toEqual([["jobs", "a"], "b"]);
    digest = await pusher.call("DEBUG", "DIGEST");
    await server.kill();
  }
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await client.call("LRANGE", "jobs", "0", "-1")).toEqual(["c"]);
  expect(await client.call("LRANGE", "busy", "0", "-1")).toEqual(["b"]);
  expect(await client.call("DEBUG", "DIGEST")).toBe(digest as string);
});

test("ioredis, node-redis and Bun's client wait, and push to one another", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const observer = await server.connect();
  await using io = await connectIoredis(server);
  await using node = await connectNodeRedis(server, 3);
  using bun = await connectBunClient(server);
  const popped = io.blpop("to:io", 0);
  await untilBlocked(observer, 1);
  expect(await node.rPush("to:io", ["one", "two"])).toBe(2);
  expect(await within("BLPOP", popped)).toEqual(["to:io", "one"]);
  const moved = node.blMove("to:node", "seen", "LEFT", "RIGHT", 0);
  await untilBlocked(observer, 1);
  await bun.lpush("to:node", "three");
  expect(await within("BLMOVE", moved)).toBe("three");
  const last = bun.brpop("none", "to:bun", 0);
  await untilBlocked(observer, 1);
  await io.rpush("to:bun", "four", "five");
  expect(await within("BRPOP", last)).toEqual(["to:bun", "five"]);
  expect(await node.lRange("seen", 0, -1)).toEqual(["three"]);
  expect(await node.lmPop(["none", "to:io"], "LEFT")).toEqual(["to:io", ["two"]]);
  expect(await io.brpop("none", 0.01)).toBeNull();
  expect(await node.blPop("none", 0.01)).toBeNull();
  expect(await bun.blpop("none", 0.01)).toBeNull();
});

test("ioredis, node-redis and Bun's client wait for members of sorted sets", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const observer = await server.connect();
  await using io = await connectIoredis(server);
  await using node = await connectNodeRedis(server, 3);
  using bun = await connectBunClient(server);
  const lowest = io.bzpopmin("z", 0);
  await untilBlocked(observer, 1);
  const both = node.bzmPop(0, ["none", "z"], "MAX", { COUNT: 2 });
  await untilBlocked(observer, 2);
  const highest = bun.bzpopmax("none", "z", 0);
  await untilBlocked(observer, 3);
  const members = ["1", "a", "2", "b", "2.5", "c", "inf", "d"];
  expect(await observer.call("ZADD", "z", ...members)).toBe(4);
  expect(await within("BZPOPMIN", lowest)).toEqual(["z", "a", "1"]);
  expect(await within("BZMPOP", both)).toEqual({
    key: "z",
    members: [
      { value: "d", score: Infinity },
      { value: "c", score: 2.5 },
    ],
  });
  expect(await within("BZPOPMAX", highest)).toEqual(["z", "b", 2]);
  expect(await observer.call("EXISTS", "z")).toBe(0);
  expect(await io.bzpopmax("none", 0.01)).toBeNull();
  expect(await node.bzPopMin("none", 0.01)).toBeNull();
  expect(await bun.bzpopmin("none", 0.01)).toBeNull();
});

test("Bun's client waits for entries of a stream", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const observer = await server.connect();
  using bun = await connectBunClient(server);
  const read = bun.send("XREAD", ["BLOCK", "0", "STREAMS", "s", "$"]);
  await untilBlocked(observer, 1);
  expect(await observer.call("XADD", "s", "1-1", "field", "value")).toBe("1-1");
  expect(await within("XREAD", read)).toEqual({ s: [["1-1", ["field", "value"]]] });
});
