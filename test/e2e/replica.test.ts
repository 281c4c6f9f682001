/** kvdb as a replica of redis-server 7.0: the whole copy, the stream, breaks, restarts, and being a primary instead. */
import { afterAll, describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "./support/client.ts";
import { fill } from "./support/every-type.ts";
import { inStep, replicationField as text } from "./support/in-step.ts";
import { until } from "./support/poll.ts";
import { PrivateNetwork } from "./support/private-network.ts";
import { REDIS, REDIS_CLI, Redis } from "./support/redis.ts";
import { kvdb, run } from "./support/run.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const network = await PrivateNetwork.create();
afterAll(() => network?.[Symbol.asyncDispose]());

/** Copies begin at once, so that no test waits for other replicas. */
const AT_ONCE = ["--repl-diskless-sync-delay", "0"];

async function write(client: Client, prefix: string): Promise<void> {
  await client.call("SET", `${prefix}:text`, "value", "EX", 1000);
  await client.call("RPUSH", `${prefix}:list`, "a", "b");
  await client.call("MULTI");
  await client.call("INCR", `${prefix}:counter`);
  await client.call("SELECT", 5);
  await client.call("SADD", `${prefix}:set`, "m");
  await client.call("EXEC");
  await client.call("SELECT", 0);
  await client.call("SPOP", `${prefix}:none`);
  await client.call("XADD", `${prefix}:stream`, "*", "f", "v");
}

/** A redis-server, a kvdb that follows it from its start, and a client of each. */
async function followedRedis() {
  await using parts = new AsyncDisposableStack();
  const workspace = parts.use(await Workspace.create());
  const redis = parts.use(await Redis.start(workspace, ...AT_ONCE));
  const args = ["--replicaof", String(redis.port)];
  const server = parts.use(await Server.start(workspace, { args }));
  const [primary, replica] = [await redis.connect(), await server.connect()];
  const kept = parts.move();
  return { server, primary, replica, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

describe.skipIf(REDIS === null)("a replica of redis-server", () => {
  test.skipIf(network === undefined)("U10: the line as it is written", async () => {
    const prefix = network?.prefix ?? [];
    await using workspace = await Workspace.create();
    const options = { through: prefix, awaitReady: false };
    const redis = Bun.spawn([...prefix, REDIS ?? "", "--port", "6379", "--save", "", ...AT_ONCE], {
      cwd: workspace.root,
      stdio: ["ignore", "ignore", "ignore"],
    });
    const cli = (port: number, ...words: string[]) =>
      run(workspace, [...prefix, REDIS_CLI ?? "", "-p", String(port), ...words]);
    try {
      await until("redis-server answers", async () =>
        (await cli(6379, "SET", "greeting", "hello")).stdout.startsWith("OK"),
      );
      const args = ["--dir", "./x", "--dbfilename", "backup.rdb", "--replicaof", "6379"];
      await using server = await Server.start(workspace, { ...options, port: 6380, args });
      await until("the copy is there", async () =>
        (await cli(6380, "GET", "greeting")).stdout.includes("hello"),
      );
      expect((await cli(6380, "SET", "greeting", "x")).stdout).toStartWith("READONLY");
      expect(await readdir(join(workspace.folder, "x"))).toContain("backup.rdb");
      server.signal("SIGTERM");
      expect(await server.ended()).toBe(0);
    } finally {
      redis.kill("SIGKILL");
      await redis.exited;
    }
  });

  test.each([
    ["--replicaof PORT", (port: number) => ["--replicaof", String(port)]],
    ["--replicaof HOST PORT", (port: number) => ["--replicaof", "127.0.0.1", String(port)]],
    ['--replicaof "HOST PORT"', (port: number) => ["--replicaof", `localhost ${port}`]],
    ["--replicaof HOST:PORT", (port: number) => ["--replicaof", `127.0.0.1:${port}`]],
  ])("U11: %s: all types arrive, breaks are made good, writes are refused", async (_, args) => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace, ...AT_ONCE);
    const primary = await redis.connect();
    await fill(primary);
    await using server = await Server.start(workspace, { args: args(redis.port) });
    const replica = await server.connect();
    await inStep(primary, replica);
    await write(primary, "later");
    await inStep(primary, replica);
    expect(await replica.ask("SET", "text", "x")).toMatchObject({ code: "READONLY" });
    expect(await replica.call("GET", "later:text")).toEqual("value");
    for (let i = 0; i < 3; i++) {
      await primary.call("CLIENT", "KILL", "TYPE", "replica");
      await write(primary, `break:${i}`);
      await inStep(primary, replica);
    }
    expect(await infoNumber(primary, "sync_full")).toBe(1);
    expect(await infoNumber(primary, "sync_partial_ok")).toBe(3);
  });

  test.each(["wal", "aof", "json-snapshot", "none"])(
    "V-T11: %s: stops and goes on, in order and by kill -9",
    async (persistence) => {
      await using workspace = await Workspace.create();
      await workspace.write("kvdb.config.json", JSON.stringify({ persistence }));
      await using redis = await Redis.start(workspace, ...AT_ONCE);
      const primary = await redis.connect();
      await fill(primary);
      const args = ["--replicaof", String(redis.port)];
      for (const how of ["SIGTERM", "SIGKILL", "SIGTERM"] as const) {
        await using server = await Server.start(workspace, { args });
        const replica = await server.connect();
        await inStep(primary, replica);
        await write(primary, how);
        expect(await primary.call("WAIT", 1, 10_000)).toBe(1);
        await inStep(primary, replica);
        server.signal(how);
        await server.ended();
        await write(primary, `without:${how}`);
      }
      await using last = await Server.start(workspace, { args });
      await inStep(primary, await last.connect());
      const full = await infoNumber(primary, "sync_full");
      // What was acknowledged is there again, so no other copy is needed.
      if (persistence !== "none") expect(full).toBe(1);
      else expect(full).toBe(4);
    },
    60_000,
  );

  test("becomes a primary, and a replica again", async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace, ...AT_ONCE);
    const primary = await redis.connect();
    await fill(primary);
    await using server = await Server.start(workspace);
    const replica = await server.connect();
    await replica.call("SET", "of my own", "1");
    const waiting = await server.connect();
    const blocked = waiting.ask("BLPOP", "no list", 0);
    await until("it waits", async () => (await infoNumber(replica, "blocked_clients")) === 1);
    expect(await replica.ask("REPLICAOF", "host", "port")).toMatchObject({ code: "ERR" });
    await replica.call("REPLICAOF", "127.0.0.1", redis.port);
    expect(await blocked).toMatchObject({ code: "UNBLOCKED" });
    await inStep(primary, replica);
    expect(await replica.call("EXISTS", "of my own")).toBe(0);
    expect(String(await replica.call("REPLICAOF", "127.0.0.1", redis.port))).toContain("Already");
    await primary.call("SELECT", 5);
    await primary.call("SET", "of the primary", "1");
    await inStep(primary, replica);
    await replica.call("REPLICAOF", "NO", "ONE");
    expect(await text(replica, "role")).toBe("master");
    // Without a copy, and nobody has told it of a database: what is said first must tell.
    await primary.call("REPLICAOF", "127.0.0.1", server.port);
    await until("it follows", async () => (await text(primary, "master_link_status")) === "up");
    await replica.call("SELECT", 5);
    await replica.call("SET", "of my own", "2");
    await inStep(replica, primary);
    expect(await primary.call("GET", "of my own")).toBe("2");
    expect(await infoNumber(replica, "sync_full")).toBe(0);
    await primary.call("REPLICAOF", "NO", "ONE");
    await replica.call("SET", "of my own", "3");
    await replica.call("SLAVEOF", redis.port);
    await until("it is one again", async () => (await text(replica, "role")) === "slave");
    await inStep(primary, replica);
    expect(await replica.call("GET", "of my own")).toBe("2");
  });

  test("PFCOUNT changes nothing", async () => {
    await using pair = await followedRedis();
    const { primary, replica } = pair;
    await primary.call("PFADD", "visitors", "Ada", "Bob");
    await inStep(primary, replica);
    expect(await replica.call("PFCOUNT", "visitors")).toBe(2);
    await inStep(primary, replica);
    expect(await primary.call("PFCOUNT", "visitors")).toBe(2);
    await inStep(primary, replica);
  });

  test("what has expired is not found, and goes when the primary says so", async () => {
    await using pair = await followedRedis();
    const { primary, replica } = pair;
    await primary.call("DEBUG", "SET-ACTIVE-EXPIRE", 0);
    await inStep(primary, replica);
    await primary.call("SET", "short", "1", "PX", 50);
    await inStep(primary, replica);
    await until("it is over", async () => (await replica.call("GET", "short")) === null);
    expect(await replica.call("DBSIZE")).toBe(1);
    expect(await replica.call("EXISTS", "short")).toBe(0);
    expect(await primary.call("GET", "short")).toBeNull();
    await inStep(primary, replica);
    expect(await replica.call("DBSIZE")).toBe(0);
  });

  test("with a password, and without its primary", async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace, ...AT_ONCE, "--requirepass", "secret");
    const primary = await redis.connect();
    await primary.call("AUTH", "secret");
    await primary.call("SET", "key", "value");
    await workspace.write(
      "kvdb.config.json",
      JSON.stringify({ replication: { of: `127.0.0.1:${redis.port}`, password: "wrong" } }),
    );
    await using server = await Server.start(workspace);
    const replica = await server.connect();
    await until("it is refused", () => server.log.includes("WRONGPASS"));
    expect(server.log).not.toContain("secret");
    await replica.call("CONFIG", "SET", "masterauth", "secret");
    await inStep(primary, replica);
    await replica.call("CONFIG", "SET", "replica-serve-stale-data", "no");
    expect(await replica.call("GET", "key")).toEqual("value");
    redis.signal("SIGKILL");
    await until(
      "the link is down",
      async () => (await text(replica, "master_link_status")) === "down",
    );
    expect(await replica.ask("GET", "key")).toMatchObject({ code: "MASTERDOWN" });
    await replica.call("CONFIG", "SET", "replica-serve-stale-data", "yes");
    expect(await replica.call("GET", "key")).toEqual("value");
  });

  test("who waits here hears of what happens there", async () => {
    await using pair = await followedRedis();
    const { primary, replica, server } = pair;
    await inStep(primary, replica);
    const waiting = await server.connect();
    const read = waiting.call("XREAD", "BLOCK", 0, "STREAMS", "stream", "$");
    await until("it waits", async () => (await infoNumber(replica, "blocked_clients")) === 1);
    await primary.call("XADD", "stream", "1-1", "f", "v");
    expect(await read).toEqual([["stream", [["1-1", ["f", "v"]]]]]);
    expect(await waiting.ask("BLPOP", "list", 0)).toMatchObject({ code: "READONLY" });
  });
});

test.each(["host", "0", "a b c", "1.2.3.4:x", "70000"])(
  "--replicaof %p is refused",
  async (what) => {
    await using workspace = await Workspace.create();
    const { code, stderr } = await kvdb(workspace, ["serve", "--port", "0", "--replicaof", what]);
    expect(code).toBe(78);
    expect(stderr).toContain("replicaof");
  },
);

test.skipIf(REDIS === null)("CONFIG REWRITE writes down whom REPLICAOF has named", async () => {
  await using workspace = await Workspace.create();
  await using redis = await Redis.start(workspace, ...AT_ONCE);
  for (const file of ["kvdb.config.json", "redis.conf"]) {
    await workspace.write(file, file === "redis.conf" ? "databases 16\n" : "{}");
    const flags = ["--config", file];
    const expected = `127.0.0.1 ${redis.port}`;
    {
      await using server = await Server.start(workspace, { flags });
      const client = await server.connect();
      await client.call("REPLICAOF", "127.0.0.1", redis.port);
      await client.call("CONFIG", "REWRITE");
      expect(await client.call("CONFIG", "GET", "replicaof")).toEqual(["replicaof", expected]);
      expect(await server.stop()).toBe(0);
    }
    await using server = await Server.start(workspace, { flags });
    const client = await server.connect();
    expect(await text(client, "role")).toBe("slave");
    expect(await client.call("CONFIG", "GET", "slaveof")).toEqual(["slaveof", expected]);
    await client.call("REPLICAOF", "NO", "ONE");
    await client.call("CONFIG", "REWRITE");
    expect(await server.stop()).toBe(0);
    await using again = await Server.start(workspace, { flags });
    expect(await text(await again.connect(), "role")).toBe("master");
    expect(await again.stop()).toBe(0);
  }
});

test.skipIf(REDIS === null)("a replica of a replica has the same stream", async () => {
  await using workspace = await Workspace.create();
  await using other = await Workspace.create();
  await using redis = await Redis.start(workspace, ...AT_ONCE);
  const primary = await redis.connect();
  await fill(primary);
  await using middle = await Server.start(workspace, { args: ["--replicaof", String(redis.port)] });
  const between = await middle.connect();
  await between.call("CONFIG", "SET", "repl-diskless-sync-delay", 0);
  await inStep(primary, between);
  await using last = await Server.start(other, { args: ["--replicaof", String(middle.port)] });
  const end = await last.connect();
  await inStep(primary, end);
  await write(primary, "chained");
  await inStep(primary, end);
  expect(await text(end, "master_replid")).toBe(await text(primary, "master_replid"));
  // The middle goes its own way: what follows it goes along, without another copy.
  await between.call("REPLICAOF", "NO", "ONE");
  await between.call("SET", "own", "1");
  await inStep(between, end);
  expect(await infoNumber(between, "sync_full")).toBe(1);
});
