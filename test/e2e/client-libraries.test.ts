/** The client libraries that people use, as they come, against the executable: ioredis, node-redis, Bun's own. */
import { describe, expect, test } from "bun:test";
import { RESP_TYPES } from "redis";
import { connectBunClient, connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { until, within } from "./support/poll.ts";
import { Server, type ServerOptions } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const BYTES = Buffer.from([0, 255, 13, 10, 128, 0]);

/** A server that comes back on the port of the one before. */
function restart(server: Server, options: ServerOptions = {}): Promise<Server> {
  return Server.start(server.workspace, { ...options, port: server.port });
}

describe("U1: ioredis", () => {
  test("sets, gets, counts, expires, deletes", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using client = await connectIoredis(server);
    expect(await client.set("key", "value", "EX", 100)).toBe("OK");
    expect(await client.get("key")).toBe("value");
    expect(await client.ttl("key")).toBe(100);
    expect(await client.incrby("n", 5)).toBe(5);
    expect(await client.expire("n", 50)).toBe(1);
    expect(await client.mset({ a: "1", b: "2" })).toBe("OK");
    expect(await client.mget("a", "b", "none")).toEqual(["1", "2", null]);
    expect(await client.del("key", "none")).toBe(1);
    expect(await client.get("key")).toBeNull();
    expect(await client.scan(0)).toEqual(["0", expect.arrayContaining(["a", "b", "n"])]);
  });

  test("keeps bytes, in keys and values", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using client = await connectIoredis(server);
    await client.set(BYTES, BYTES);
    expect(await client.getBuffer(BYTES)).toEqual(BYTES);
  });

  test("pipelines, errors included", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using client = await connectIoredis(server);
    const replies = await client.pipeline().set("s", "text").incr("s").get("s").exec();
    expect(replies?.[0]).toEqual([null, "OK"]);
    expect(replies?.[1]?.[0]?.message).toBe("ERR value is not an integer or out of range");
    expect(replies?.[2]).toEqual([null, "text"]);
    const many = Array.from({ length: 5000 }, (_, i) => client.set(`key:${i}`, i));
    expect(new Set(await Promise.all(many))).toEqual(new Set(["OK"]));
    expect(await client.dbsize()).toBe(5001);
  });

  test("chooses a database, and comes back with it when the server does", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using client = await connectIoredis(server, { db: 3, retryStrategy: () => 20 });
    await client.set("key", "in database 3");
    await server.kill();
    await using again = await restart(server);
    expect(await within("the answer", client.get("key"))).toBe("in database 3");
    expect(await (await again.connect()).call("DBSIZE")).toBe(0);
  });

  test("gives the password", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace, { password: "secret" });
    await using client = await connectIoredis(server, { password: "secret" });
    expect(await client.set("key", "value")).toBe("OK");
  });
});

describe.each([2, 3] as const)("U1: node-redis, RESP%d", (RESP) => {
  test("sets, gets, counts, expires, deletes", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using client = await connectNodeRedis(server, RESP);
    expect(await client.set("key", "value", { expiration: { type: "PX", value: 90_000 } })).toBe(
      "OK",
    );
    expect(await client.get("key")).toBe("value");
    expect(await client.ttl("key")).toBe(90);
    expect(await client.incr("n")).toBe(1);
    expect(await client.incrByFloat("f", 0.5)).toBe("0.5");
    expect(Number(await client.expire("n", 50))).toBe(1);
    expect(await client.mGet(["key", "none"])).toEqual(["value", null]);
    expect(await client.del(["key", "n"])).toBe(2);
    expect(await client.get("key")).toBeNull();
    expect(await client.configGet("port")).toEqual({ port: String(server.port) });
  });

  test("keeps bytes", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using client = await connectNodeRedis(server, RESP);
    const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    await client.set("key", BYTES);
    expect(await binary.get("key")).toEqual(BYTES);
  });

  test("sends what is asked for at once in one go", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using client = await connectNodeRedis(server, RESP);
    const many = Array.from({ length: 5000 }, (_, i) => client.set(`key:${i}`, `${i}`));
    expect(new Set(await Promise.all(many))).toEqual(new Set(["OK"]));
    const keys: string[] = [];
    for await (const found of client.scanIterator({ COUNT: 500 })) keys.push(...found);
    expect(new Set(keys).size).toBe(5000);
    await expect(client.sendCommand(["INCRBY", "key:1", "x"])).rejects.toThrow("not an integer");
  });

  test("comes back when the server does", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using client = await connectNodeRedis(server, RESP, { database: 2, name: "worker" });
    await client.set("key", "value");
    await server.kill();
    await using again = await restart(server);
    expect(await within("the answer", client.get("key"))).toBe("value");
    expect(await client.clientGetName()).toBe("worker");
    expect(await (await again.connect()).call("DBSIZE")).toBe(0);
  });

  test("gives the password", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace, { password: "secret" });
    await using client = await connectNodeRedis(server, RESP, { password: "secret" });
    expect(await client.set("key", "value")).toBe("OK");
  });
});

describe("U1: Bun.RedisClient", () => {
  test("sets, gets, counts, expires, deletes, over RESP3", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    using client = await connectBunClient(server);
    expect(await client.set("key", "value")).toBe("OK");
    expect(await client.get("key")).toBe("value");
    expect(await client.exists("key")).toBe(true);
    expect(await client.incr("n")).toBe(1);
    expect(Number(await client.expire("n", 50))).toBe(1);
    expect(await client.ttl("n")).toBe(50);
    expect(await client.mget("key", "none")).toEqual(["value", null]);
    expect(await client.del("key")).toBe(1);
    expect(await client.get("key")).toBeNull();
    expect(await client.send("CONFIG", ["GET", "port"])).toEqual({ port: String(server.port) });
  });

  test("keeps bytes, and sends many commands at once", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    using client = await connectBunClient(server);
    await client.set("key", BYTES);
    expect(Buffer.from((await client.getBuffer("key")) ?? [])).toEqual(BYTES);
    const many = Array.from({ length: 5000 }, (_, i) => client.set(`key:${i}`, `${i}`));
    expect(new Set(await Promise.all(many))).toEqual(new Set(["OK"]));
    await expect(client.incr("key")).rejects.toThrow("not an integer");
  });

  test("comes back when the server does", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    using client = await connectBunClient(server);
    await client.set("key", "value");
    await server.kill();
    await using _again = await restart(server);
    const found = await until("the answer", async () => {
      try {
        return (await client.get("key")) ?? false;
      } catch (error) {
        if (!/connection|closed/i.test(String(error))) throw error;
        return false; // it was not back yet
      }
    });
    expect(found).toBe("value");
  });

  test("gives the password", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace, { password: "secret" });
    using client = await connectBunClient(server, ":secret@");
    expect(await client.set("key", "value")).toBe("OK");
  });
});
