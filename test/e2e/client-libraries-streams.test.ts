/** Streams with consumer groups, as the client libraries that people use drive them: ioredis, node-redis, Bun's own. */
import { expect, test } from "bun:test";
import { connectBunClient, connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { within } from "./support/poll.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

test("U17: ioredis reads a stream in a group, waits, acknowledges", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  await using client = await connectIoredis(server);
  await using reader = await connectIoredis(server);
  await client.xgroup("CREATE", "s", "g", "$", "MKSTREAM");
  const answer = reader.xreadgroup("GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">");
  const id = (await client.xadd("s", "MAXLEN", "~", 1000, "*", "field", "value")) ?? "";
  expect(id).toMatch(/^\d+-\d+$/);
  expect(await within("the entry", answer)).toEqual([["s", [[id, ["field", "value"]]]]]);
  expect(await client.xrange("s", "-", "+")).toEqual([[id, ["field", "value"]]]);
  expect(await client.xpending("s", "g")).toEqual([1, id, id, [["c", "1"]]]);
  expect(await client.xack("s", "g", id)).toBe(1);
  expect(await client.xlen("s")).toBe(1);
}, 20_000);

test.each([2, 3] as const)(
  "U17: node-redis reads a stream in a group, waits, claims, RESP%d",
  async (RESP) => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using client = await connectNodeRedis(server, RESP);
    await using reader = await connectNodeRedis(server, RESP);
    await client.xGroupCreate("s", "g", "$", { MKSTREAM: true });
    const answer = reader.xReadGroup("g", "c", { key: "s", id: ">" }, { BLOCK: 0 });
    const id = await client.xAdd("s", "*", { field: "value" });
    const found = JSON.stringify(await within("the entry", answer));
    expect(found).toContain(id);
    expect(found).toContain("value");
    expect(await client.xClaim("s", "g", "other", 0, id)).toMatchObject([
      { id, message: { field: "value" } },
    ]);
    const info = await client.xInfoGroups("s");
    expect(info).toMatchObject([{ name: "g", consumers: 2, pending: 1 }]);
    expect(await client.xInfoStream("s")).toMatchObject({ length: 1, groups: 1 });
  },
  20_000,
);

test("U17: Bun.RedisClient reads a stream in a group, over RESP3", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  using client = await connectBunClient(server);
  const id = await client.send("XADD", ["s", "*", "field", "value"]);
  expect(await client.send("XGROUP", ["CREATE", "s", "g", "0"])).toBe("OK");
  const read = ["GROUP", "g", "c", "STREAMS", "s", ">"];
  expect(await client.send("XREADGROUP", read)).toEqual({ s: [[id, ["field", "value"]]] });
  expect(await client.send("XACK", ["s", "g", id])).toBe(1);
  expect(await client.send("XINFO", ["GROUPS", "s"])).toMatchObject([
    { name: "g", pending: 0, lag: 0 },
  ]);
}, 20_000);
