/** replica-read-only no: a replica that may be written does what redis-server's does, step by step. */
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Client } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { REDIS, Redis } from "./support/redis.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

setDefaultTimeout(60_000);

const AT_ONCE = ["--repl-diskless-sync-delay", "0"];

async function inStep(primary: Client, replica: Client): Promise<void> {
  await until("the replica has everything", async () => {
    const info = String(await replica.call("INFO", "replication"));
    if (!info.includes("master_link_status:up")) return false;
    const offsets = [primary, replica].map((one) => infoNumber(one, "master_repl_offset"));
    const [wanted, reached] = await Promise.all(offsets);
    return wanted === reached;
  });
}

test.skipIf(REDIS === null).each(["redis", "kvdb"])("%s as the replica", async (kind) => {
  await using stack = new AsyncDisposableStack();
  const workspace = async () => stack.use(await Workspace.create());
  const follower = async (port: number) =>
    kind === "redis"
      ? Redis.start(await workspace(), ...AT_ONCE, "--replicaof", "127.0.0.1", String(port))
      : Server.start(await workspace(), { args: ["--replicaof", String(port)] });
  const redis = stack.use(await Redis.start(await workspace(), ...AT_ONCE));
  const server = stack.use(await follower(redis.port));
  const [primary, replica] = await Promise.all([redis.connect(), server.connect()]);
  await inStep(primary, replica);
  await replica.call("CONFIG", "SET", "repl-diskless-sync-delay", "0");
  const below = stack.use(await follower(server.port));
  const other = await below.connect();
  await primary.call("MSET", "a", "1", "given", "v");
  await inStep(primary, other);
  expect(await replica.ask("SET", "local", "1")).toMatchObject({ code: "READONLY" });

  expect(await replica.call("CONFIG", "SET", "replica-read-only", "no")).toBe("OK");
  expect(await infoNumber(replica, "slave_read_only")).toBe(0);
  await replica.call("SET", "local", "1");
  await replica.call("APPEND", "a", "2");
  expect(await replica.ask("WAIT", 1, 10)).toMatchObject({ code: "ERR" });
  await inStep(primary, replica);
  await inStep(replica, other);
  expect(await replica.call("MGET", "local", "a")).toEqual(["1", "12"]);
  for (const one of [primary, other]) {
    expect(await one.call("MGET", "local", "a")).toEqual([null, "1"]);
  }
  // What the primary does then is done to what is here.
  await primary.call("APPEND", "a", "3");
  await inStep(primary, other);
  expect(await replica.call("GET", "a")).toBe("123");
  expect(await other.call("GET", "a")).toBe("13");

  await replica.call("SET", "short", "1", "PX", 200);
  await replica.call("PEXPIRE", "given", 200);
  expect(await replica.call("DBSIZE")).toBe(4);
  await until("both are gone, without the primary", async () => {
    return (await replica.call("DBSIZE")) === 2;
  });
  expect(await primary.call("GET", "given")).toBe("v");
  await primary.call("APPEND", "given", "x");
  await inStep(primary, other);
  expect(await replica.call("GET", "given")).toBe("x");
  expect(await other.call("GET", "given")).toBe("vx");

  // One that is over at the primary as well, which has not said so yet: a write makes it anew.
  await primary.call("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  await primary.call("SET", "over", "1", "PX", 50);
  await inStep(primary, replica);
  await until("it is over", async () => (await replica.call("GET", "over")) === null);
  expect(await replica.call("DBSIZE")).toBe(4);
  await replica.call("APPEND", "over", "new");
  expect(await replica.call("GET", "over")).toBe("new");
  expect(await replica.call("DBSIZE")).toBe(4);
  await primary.call("DEBUG", "SET-ACTIVE-EXPIRE", 1);
  await until("the primary has said so", async () => (await replica.call("EXISTS", "over")) === 0);

  // A full copy has the primary's data, and nothing else.
  await primary.call("DEBUG", "CHANGE-REPL-ID");
  await primary.call("CLIENT", "KILL", "TYPE", "replica");
  await until("another copy", async () => (await replica.call("EXISTS", "local")) === 0);
  await inStep(primary, replica);
  expect(await replica.call("MGET", "a", "given")).toEqual(["13", "vx"]);
  expect(await replica.call("DBSIZE")).toBe(2);
  await replica.call("CONFIG", "SET", "replica-read-only", "yes");
  expect(await replica.ask("SET", "local", "1")).toMatchObject({ code: "READONLY" });
});
