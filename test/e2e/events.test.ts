/** Keyspace events through the executable: on time, as durable as promised, and behind what they tell of. */
import { expect, test } from "bun:test";
import type { Client, Reply } from "./support/client.ts";
import { connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { until } from "./support/poll.ts";
import { Server } from "./support/server.ts";
import { Injection, mayTrace } from "./support/strace.ts";
import { Workspace } from "./support/workspace.ts";

/** The next `count` messages of a subscriber. */
function messages(subscriber: Client, count: number, onMessage?: (reply: Reply) => void) {
  return subscriber.send(new Uint8Array(0), count, onMessage);
}

async function subscriberOf(server: Server, pattern: string): Promise<Client> {
  const subscriber = await server.connect();
  expect(await subscriber.call("PSUBSCRIBE", pattern)).toEqual(["psubscribe", pattern, 1]);
  return subscriber;
}

/** `event key`, of what came to a channel of an event. */
function eventOf(message: Reply): string {
  const [, , channel, key] = message as string[];
  return `${channel?.replace(/^__keyevent@\d+__:/, "")} ${key}`;
}

test("U12: a key expires, an event says so, and its time survives a restart as a moment", async () => {
  await using workspace = await Workspace.create();
  const args = ["--notify-keyspace-events", "Ex"];
  let deadline: Reply;
  {
    await using server = await Server.start(workspace, { args });
    const client = await server.connect();
    const expired = messages(await subscriberOf(server, "__keyevent@0__:expired"), 1);
    expect(await client.call("SET", "k", "v", "PX", "100")).toBe("OK");
    expect((await expired).map(eventOf)).toEqual(["expired k"]);
    expect(await client.call("GET", "k")).toBeNull();
    await client.call("SET", "later", "v", "EX", "1000");
    deadline = await client.call("PEXPIRETIME", "later");
    await client.call("SET", "soon", "v", "PX", "150");
    await server.kill();
  }
  await using server = await Server.start(workspace, { args });
  const client = await server.connect();
  expect(await client.call("PEXPIRETIME", "later")).toBe(deadline);
  await until("the key expires", async () => (await client.call("GET", "soon")) === null);
});

test("V-T6: keys expire and tell of it within 100 ms, though nobody asks for them", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { args: ["--notify-keyspace-events", "Ex"] });
  const client = await server.connect();
  const keys = Array.from({ length: 200 }, (_, i) => ({ key: `k${i}`, afterMs: 300 + 5 * i }));
  const sets = keys.map(({ key, afterMs }) => ["SET", key, "v", "PX", String(afterMs)]);
  const subscriber = await subscriberOf(server, "__keyevent@0__:expired");
  const arrivals = new Map<string, number>();
  const all = messages(subscriber, keys.length, (message) => {
    arrivals.set(eventOf(message).slice("expired ".length), Date.now());
  });
  await client.pipeline(sets);
  const deadlines = await client.pipeline(keys.map(({ key }) => ["PEXPIRETIME", key]));
  await all;
  const latenesses = keys.map(({ key }, i) => (arrivals.get(key) ?? 0) - Number(deadlines[i]));
  latenesses.sort((a, b) => a - b);
  expect(latenesses[0]).toBeGreaterThanOrEqual(0);
  // A machine that does something else for a moment may be late now and then.
  expect(latenesses[Math.floor(0.9 * latenesses.length)]).toBeLessThanOrEqual(100);
});

test("a listener knows nothing that kill -9 takes back", async () => {
  await using workspace = await Workspace.create();
  const args = ["--appendfsync", "always", "--notify-keyspace-events", "E$"];
  let told = 0;
  {
    await using server = await Server.start(workspace, { args });
    const subscriber = await subscriberOf(server, "__keyevent@0__:incrby");
    const client = await server.connect();
    const writing = client
      .pipeline(Array.from({ length: 20_000 }, () => ["INCR", "n"]))
      .catch((error: unknown) => error);
    const count = 500;
    void messages(subscriber, 20_000, () => told++).catch((error: unknown) => error);
    await until(`${count} events`, () => told >= count);
    await server.kill();
    await writing;
    await subscriber.closed;
  }
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(Number(await client.call("GET", "n"))).toBeGreaterThanOrEqual(told);
});

test.skipIf(!(await mayTrace()))(
  "while the disk refuses what was written, nobody is told of it",
  async () => {
    await using workspace = await Workspace.create();
    const args = ["--appendfsync", "always", "--notify-keyspace-events", "EA"];
    await using server = await Server.start(workspace, { args });
    const client = await server.connect();
    const subscriber = await subscriberOf(server, "__key*__:*");
    const told: string[] = [];
    void messages(subscriber, 100, (message) => told.push(eventOf(message))).catch(
      (error: unknown) => error,
    );
    await client.call("SET", "before", "1");
    await until("the first is told", () => told.length === 1);
    {
      const inject = { calls: ["pwrite64", "pwritev", "pwritev2"], inject: "error=EIO" };
      await using _injection = await Injection.attach(server.pid, inject);
      expect(await client.ask("SET", "during", "1")).toMatchObject({ code: "MISCONF" });
      expect(await client.call("PING")).toBe("PONG");
      expect(told).toEqual(["set before"]);
    }
    await until("it is told when it is durable", () => told.length === 2);
    expect(told).toEqual(["set before", "set during"]);
  },
);

test("CONFIG SET opens and closes it, and the flags stay in the configuration", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await client.call("CONFIG", "GET", "notify-*")).toEqual(["notify-keyspace-events", ""]);
  const coming = messages(await subscriberOf(server, "__key*__:*"), 7);
  await client.call("SET", "a", "1");
  await client.call("CONFIG", "SET", "notify-keyspace-events", "$gE");
  await client.call("SET", "b", "1");
  await client.call("CONFIG", "SET", "notify-keyspace-events", "");
  await client.call("SET", "c", "1");
  await client.call("CONFIG", "SET", "notify-keyspace-events", "KEA");
  await client.call("DEL", "a", "b", "c");
  const came = (await coming).map((message) => (message as string[]).slice(2));
  expect(came).toEqual([
    ["__keyevent@0__:set", "b"],
    ...["a", "b", "c"].flatMap((key) => [
      [`__keyspace@0__:${key}`, "del"],
      ["__keyevent@0__:del", key],
    ]),
  ]);
  const refused = await client.ask("CONFIG", "SET", "notify-keyspace-events", "KEq");
  expect(refused).toMatchObject({
    code: "ERR",
    message: expect.stringContaining("Ag$lshzxeKEtmdn"),
  });
  expect(await client.call("CONFIG", "GET", "notify-*")).toEqual(["notify-keyspace-events", "AKE"]);
});

test("ioredis and node-redis hear of it", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { args: ["--notify-keyspace-events", "KEA"] });
  await using ioredis = await connectIoredis(server);
  await using nodeRedis = await connectNodeRedis(server, 3);
  const heard: string[] = [];
  ioredis.on("pmessage", (_pattern, channel, key) => heard.push(`${channel} ${key}`));
  await ioredis.psubscribe("__keyevent@*__:expired");
  await nodeRedis.subscribe("__keyspace@0__:k", (event) => heard.push(`k ${event}`));
  const client = await server.connect();
  await client.call("SET", "k", "v", "PX", "50");
  await until("both have heard", () => heard.length === 4);
  const expected = ["k set", "k expire", "k expired", "__keyevent@0__:expired k"];
  expect(heard.sort()).toEqual(expected.sort());
});
