/**
 * redis-server 7.0.15 as a replica of kvdb: it gets all data, follows every change, goes on where it was behind a break of its
 * connection, and its digest is ours. And Redis's tools that act as replicas.
 */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "./support/client.ts";
import { CuttingProxy } from "./support/cutting-proxy.ts";
import { everyType, fill } from "./support/every-type.ts";
import { until } from "./support/poll.ts";
import { REDIS, REDIS_CHECK, REDIS_CLI, Redis } from "./support/redis.ts";
import { run } from "./support/run.ts";
import { freePort, infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

/** A redis-server that lost its link comes again a second later. */
setDefaultTimeout(60_000);

const AT_ONCE = ["CONFIG", "SET", "repl-diskless-sync-delay", "0"] as const;

async function infoText(client: Client, section: string, field: string): Promise<string> {
  const text = String(await client.call("INFO", section));
  return new RegExp(`^${field}:(.*?)\r?$`, "m").exec(text)?.[1] ?? "";
}

async function linkIsUp(replica: Client): Promise<boolean> {
  return (await infoText(replica, "replication", "master_link_status")) === "up";
}

/**
 * Resolves when both have the same data, behind everything that the primary has done. What expires meanwhile is removed by
 * one of them a moment before the other.
 */
async function equal(primary: Client, replica: Client): Promise<void> {
  await until("the replica has what the primary has", async () => {
    const offset = await infoNumber(primary, "master_repl_offset");
    if (!(await linkIsUp(replica))) return false;
    if ((await infoNumber(replica, "slave_repl_offset")) < offset) return false;
    const digests = [await primary.call("DEBUG", "DIGEST"), await replica.call("DEBUG", "DIGEST")];
    return digests[0] === digests[1];
  });
}

/** Changes of every kind, in two databases, with a transaction, deadlines and keys that expire meanwhile. */
async function change(client: Client, round: number): Promise<void> {
  for (const command of everyType(Date.now())) {
    const [name, key, ...rest] = command;
    if (name === "SELECT" || name === "XDEL" || name === "XREADGROUP") continue;
    const other = typeof key === "string" ? `${key}:${round}` : "bytes";
    await client.call(
      name as string,
      name === "XGROUP" ? (key as string) : other,
      ...rest.map((part, i) => (name === "XGROUP" && i === 0 ? `${part}:${round}` : part)),
    );
  }
  await client.call("SELECT", 5);
  await client.call("SET", "over", "soon", "PX", 1);
  await client.call("MULTI");
  await client.call("INCR", "counter");
  await client.call("SELECT", 0);
  await client.call("SADD", "popped", ...Array.from({ length: 50 }, (_, i) => i));
  await client.call("SPOP", "popped", 20);
  await client.call("EXEC");
  await client.call("LPUSH", "list", `round ${round}`);
  await client.call("INCRBYFLOAT", "float", "0.1");
  await client.call("RENAME", "popped", `popped:${round}`);
}

describe.skipIf(REDIS === null)("redis-server follows kvdb", () => {
  test.each([
    ["wal", "yes"],
    ["aof", "no"],
    ["json-snapshot", "yes"],
    ["none", "yes"],
    ["none", "no"],
  ])("with the persistence %s and repl-diskless-sync %s", async (persistence, isDiskless) => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", { dir: "data", persistence });
    await using server = await Server.start(workspace);
    const primary = await server.connect();
    await primary.call(...AT_ONCE);
    await primary.call("CONFIG", "SET", "repl-diskless-sync", isDiskless);
    await fill(primary);
    await using redis = await Redis.start(workspace);
    const replica = await redis.connect();
    await replica.call("REPLICAOF", "127.0.0.1", server.port);
    await until("the replica follows", () => linkIsUp(replica));
    await equal(primary, replica);
    for (let round = 0; round < 3; round++) await change(primary, round);
    expect(await primary.call("WAIT", 1, 20_000)).toBe(1);
    await equal(primary, replica);
    const role = (await primary.call("ROLE")) as [string, number, unknown[]];
    expect(role[0]).toBe("master");
    expect(role[2]).toEqual([["127.0.0.1", String(redis.port), expect.stringMatching(/^\d+$/)]]);
    expect(await infoText(primary, "replication", "slave0")).toMatch(
      new RegExp(
        `^ip=127.0.0.1,port=${redis.port},state=online,offset=\\d+,lag=\\d,lag_bytes=\\d+$`,
      ),
    );
    expect(await infoNumber(primary, "sync_full")).toBe(1);
    expect(await primary.call("CLIENT", "LIST", "TYPE", "replica")).toContain(" flags=S ");
  });

  test("goes on where it was behind a break of its connection, without a copy", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    await using proxy = await CuttingProxy.start(server.port);
    const primary = await server.connect();
    await primary.call(...AT_ONCE);
    await fill(primary);
    await using redis = await Redis.start(workspace);
    const replica = await redis.connect();
    await replica.call("REPLICAOF", "127.0.0.1", proxy.port);
    await until("the replica follows", () => linkIsUp(replica));
    for (let round = 0; round < 5; round++) {
      proxy.cut();
      await change(primary, round);
      proxy.mend();
      await equal(primary, replica);
    }
    expect(await infoNumber(primary, "sync_full")).toBe(1);
    expect(await infoNumber(primary, "sync_partial_ok")).toBe(5);
  });

  test("has documents as their texts, from the copy and from the stream", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const primary = await server.connect();
    await primary.call(...AT_ONCE);
    await primary.call("INDEX", "CREATE", "by_age", "USING", "hash", "FIELD", "age");
    await primary.call("JSON.SET", "user:1", "$", '{"name":"Ada","age":36}');
    await using redis = await Redis.start(workspace);
    const replica = await redis.connect();
    await replica.call("REPLICAOF", "127.0.0.1", server.port);
    await until("the replica follows", () => linkIsUp(replica));
    expect(await replica.call("GET", "user:1")).toBe('{"name":"Ada","age":36}');
    await primary.call("JSON.NUMINCRBY", "user:1", "$.age", 1);
    await primary.call("JSON.SET", "user:2", "$", '{"age":1.0}');
    expect(await primary.call("WAIT", 1, 20_000)).toBe(1);
    expect(await replica.call("GET", "user:1")).toBe('{"name":"Ada","age":37}');
    expect(await replica.call("GET", "user:2")).toBe('{"age":1.0}');
  });

  test("and its subscribers are told what is published at the primary", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const primary = await server.connect();
    await primary.call(...AT_ONCE);
    await using redis = await Redis.start(workspace);
    const replica = await redis.connect();
    await replica.call("REPLICAOF", "127.0.0.1", server.port);
    await until("the replica follows", () => linkIsUp(replica));
    const subscriber = await redis.connect();
    await subscriber.call("SUBSCRIBE", "news");
    await primary.call("PUBLISH", "news", "one");
    await primary.call("MULTI");
    await primary.call("PUBLISH", "news", "two");
    await primary.call("SET", "key", "value");
    await primary.call("EXEC");
    await until("both came", () => subscriber.unasked.length >= 2);
    expect(subscriber.unasked).toEqual([
      ["message", "news", "one"],
      ["message", "news", "two"],
    ]);
    await equal(primary, replica);
  });

  test("a primary that starts again goes on with the stream", async () => {
    await using workspace = await Workspace.create();
    const server = await Server.start(workspace);
    await using redis = await Redis.start(workspace);
    const replica = await redis.connect();
    {
      await using first = server;
      const primary = await first.connect();
      await primary.call(...AT_ONCE);
      await fill(primary);
      await replica.call("REPLICAOF", "127.0.0.1", first.port);
      await until("the replica follows", () => linkIsUp(replica));
      await change(primary, 0);
      expect(await primary.call("WAIT", 1, 20_000)).toBe(1);
      await first.stop();
    }
    await using again = await Server.start(workspace, { port: server.port });
    const primary = await again.connect();
    await change(primary, 1);
    await equal(primary, replica);
    expect(await infoNumber(primary, "sync_full")).toBe(0);
    expect(await infoNumber(primary, "sync_partial_ok")).toBe(1);
  });

  test("two that come together share a copy, and one that dies harms nobody", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const primary = await server.connect();
    await primary.call("CONFIG", "SET", "repl-diskless-sync-delay", 2);
    await fill(primary);
    await using one = await Redis.start(workspace);
    await using other = await Redis.start(workspace);
    const replicas = [await one.connect(), await other.connect()];
    for (const replica of replicas) await replica.call("REPLICAOF", "127.0.0.1", server.port);
    for (const replica of replicas) await until("it follows", () => linkIsUp(replica));
    expect(server.log.match(/a replica needs a full copy/g)).toHaveLength(2);
    one.signal("SIGKILL");
    await until("one is gone", async () => (await infoNumber(primary, "connected_slaves")) === 1);
    await change(primary, 0);
    await equal(primary, replicas[1] as Client);
    expect(await primary.call("WAIT", 2, 50)).toBe(1);
  });
});

test("who keeps nothing follows who keeps nothing, and leaves no file", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { dir: "data", persistence: "none" });
  await workspace.write("temporary/kvdb-scratch-0/kvdb.image", "of one that was killed");
  const env = { TMPDIR: workspace.path("temporary") };
  const empty = async () => (await readdir(env.TMPDIR)).length === 0;
  const port = freePort();
  const args = ["--replicaof", `127.0.0.1:${port}`];
  await using replicaServer = await Server.start(workspace, { env, args });
  const replica = await replicaServer.connect();
  const copyOf = async (primary: Client) => {
    await until("the replica follows", () => linkIsUp(replica));
    await equal(primary, replica);
    await until("nothing is left of the copy", empty);
    expect(await infoNumber(primary, "sync_full")).toBe(1);
  };
  const parameters = { "repl-diskless-sync-delay": "0" };
  const config = { dir: "data", persistence: "none", parameters };
  await workspace.write("kvdb.config.json", config);
  {
    await using server = await Server.start(workspace, { env, port });
    const primary = await server.connect();
    await fill(primary);
    await copyOf(primary);
    await change(primary, 0);
    await equal(primary, replica);
    server.signal("SIGKILL");
  }
  // What it had is nowhere, and so it goes there, too, as with Redis.
  await using again = await Server.start(workspace, { env, port });
  const primary = await again.connect();
  await copyOf(primary);
  expect(await replica.call("DBSIZE")).toBe(0);
  await primary.call("SET", "key", "value");
  await equal(primary, replica);
  expect(await replica.call("GET", "key")).toBe("value");
  expect(await readdir(workspace.folder)).not.toContain("data");
});

test("a place for a copy that is missing is named, and the server goes on", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { persistence: "none" });
  const env = { TMPDIR: workspace.path("missing") };
  await using server = await Server.start(workspace, { env });
  const primary = await server.connect();
  await primary.call(...AT_ONCE);
  await primary.call("SET", "key", "value");
  await using replica = await Server.start(workspace, {
    args: ["--replicaof", `127.0.0.1:${server.port}`],
  });
  await until("it is told", async () => server.log.includes(env.TMPDIR));
  expect(await primary.call("GET", "key")).toBe("value");
  expect(await infoText(await replica.connect(), "replication", "master_link_status")).toBe("down");
});

test("a server without a log keeps what comes while a replica loads its copy", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { dir: "data", persistence: "json-snapshot" });
  await using server = await Server.start(workspace);
  const primary = await server.connect();
  await primary.call(...AT_ONCE);
  await primary.call("CONFIG", "SET", "changes-memory", "1mb");
  let received = "";
  const replica = await Bun.connect({
    ...{ hostname: "127.0.0.1", port: server.port },
    socket: {
      data: (_socket, chunk) => {
        received += chunk.toString("latin1");
      },
    },
  });
  replica.write("REPLCONF capa eof\r\nPSYNC ? -1\r\n");
  await until("it has its copy", () => /\$EOF:(\w{40})\r\nREDIS.*\1/s.test(received));
  const copied = received.length;
  const value = "x".repeat(10_000);
  for (let i = 0; i < 5; i++) {
    await primary.pipeline(Array.from({ length: 100 }, (_, j) => ["SET", `k${i}:${j}`, value]));
  }
  expect(await infoNumber(primary, "changes_memory_bytes")).toBeGreaterThan(5_000_000);
  expect(received.length).toBe(copied);
  replica.write("REPLCONF ACK 0\r\n");
  await until("all came", () => received.slice(copied).includes("k4:99"));
  expect(received.slice(copied)).toContain("k0:0");
  await until("what nobody needs is forgotten", async () => {
    return (await infoNumber(primary, "changes_memory_bytes")) <= 1024 * 1024;
  });
  replica.end();
});

test.skipIf(REDIS === null)(
  "FAILOVER to and fro: no write is lost, and nobody needs a copy",
  async () => {
    await using workspace = await Workspace.create();
    await using other = await Workspace.create();
    await using first = await Server.start(workspace);
    await using second = await Server.start(other);
    await using redis = await Redis.start(workspace);
    const [one, two, three] = [
      await first.connect(),
      await second.connect(),
      await redis.connect(),
    ] as const;
    for (const client of [one, two, three]) await client.call(...AT_ONCE);
    await fill(one);
    await two.call("REPLICAOF", "127.0.0.1", first.port);
    await until("the second follows the first", () => linkIsUp(two));
    await three.call("REPLICAOF", "127.0.0.1", second.port);
    await until("redis-server follows the second", () => linkIsUp(three));
    let round = 0;
    const turn = async (from: Client, to: Client, port: number): Promise<void> => {
      await change(from, round++);
      await from.call("FAILOVER", "TO", "127.0.0.1", port, "TIMEOUT", 20_000);
      await until("the former primary follows", () => linkIsUp(from));
      expect(((await to.call("ROLE")) as string[])[0]).toBe("master");
      expect(await infoText(from, "replication", "master_failover_state")).toBe("no-failover");
      await to.call("SET", "written", port);
      await equal(to, from);
    };
    await turn(one, two, second.port);
    await equal(two, three);
    await turn(two, three, redis.port);
    await equal(three, one);
    await turn(three, two, second.port);
    await equal(two, one);
    const ids = [one, two, three].map((client) => infoText(client, "replication", "master_replid"));
    expect(new Set(await Promise.all(ids)).size).toBe(1);
    const copies = [one, two, three].map((client) => infoNumber(client, "sync_full"));
    expect(await Promise.all(copies)).toEqual([1, 1, 0]);
  },
);

describe.skipIf(REDIS_CLI === null || REDIS_CHECK === null)("Redis's tools as replicas", () => {
  test("redis-cli --rdb saves all data, which redis-check-rdb accepts", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call(...AT_ONCE);
    await fill(client);
    const path = join(workspace.root, "copy.rdb");
    const saved = await run(workspace, ["redis-cli", "-p", String(server.port), "--rdb", path]);
    expect(saved.code).toBe(0);
    const check = await run(workspace, ["redis-check-rdb", path]);
    expect(check.stdout).toContain("RDB looks OK");
    expect(await infoNumber(client, "connected_slaves")).toBe(0);
    const functions = join(workspace.root, "functions.rdb");
    const place = ["redis-cli", "-p", String(server.port), "--functions-rdb", functions];
    expect((await run(workspace, place)).code).toBe(0);
    expect((await readFile(functions)).toString("latin1")).toStartWith("REDIS0010");
  });

  test("redis-cli --replica shows each change", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call(...AT_ONCE);
    const cli = Bun.spawn(["redis-cli", "-p", String(server.port), "--replica"], {
      ...{ stdin: "ignore", stdout: "pipe", stderr: "ignore" },
    });
    try {
      await until("it follows", async () => (await infoNumber(client, "connected_slaves")) === 1);
      const reader = cli.stdout.getReader();
      let shown = "";
      for (let i = 0; !shown.includes("shown by"); i++) {
        await client.call("SET", "seen", `shown by ${i}`);
        const { value, done } = await reader.read();
        if (done) break;
        shown += Buffer.from(value).toString();
      }
      expect(shown).toMatch(/"?SET"?,"?seen"?,"?shown by \d+/i);
    } finally {
      cli.kill();
      await cli.exited;
    }
  });
});
