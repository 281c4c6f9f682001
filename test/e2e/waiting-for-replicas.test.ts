/** WAITAOF with replicas: who has it on disk counts, and who keeps nothing there does not. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { until } from "./support/poll.ts";
import { REDIS, Redis } from "./support/redis.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

setDefaultTimeout(60_000);

test("WAITAOF counts the replicas that have synced, whatever they promise", async () => {
  await using workspaces = new AsyncDisposableStack();
  const start = async (config: object, args: readonly string[] = []) => {
    const workspace = workspaces.use(await Workspace.create());
    await workspace.write("kvdb.config.json", JSON.stringify(config));
    return workspaces.use(await Server.start(workspace, { args }));
  };
  const server = await start({});
  const primary = await server.connect();
  await primary.call("CONFIG", "SET", "repl-diskless-sync-delay", "0");
  const of = ["--replicaof", String(server.port)];
  const kept = await start({ persistence: { use: "wal", fsync: "everysec" } }, of);
  const forgetful = await start({ persistence: "none" }, of);
  await until("both follow", async () => (await infoNumber(primary, "connected_slaves")) === 2);
  await primary.call("SET", "a", "1");
  expect(await primary.call("WAIT", 2, 15_000)).toBe(2);
  expect(await primary.call("WAITAOF", 1, 1, 15_000)).toEqual([1, 1]);
  expect(await primary.call("WAITAOF", 0, 2, 1500)).toEqual([1, 1]);
  for (const replica of [kept, forgetful]) {
    const client = await replica.connect();
    expect(String(await client.ask("WAITAOF", 0, 0, 0))).toContain("cannot be used with replica");
  }
  // Not before it is there.
  kept.signal("SIGSTOP");
  await primary.call("SET", "b", "1");
  expect(await primary.call("WAITAOF", 1, 1, 100)).toEqual([1, 0]);
  const waiting = primary.call("WAITAOF", 1, 1, 15_000);
  kept.signal("SIGCONT");
  expect(await waiting).toEqual([1, 1]);
});

test.skipIf(REDIS === null)("a Redis of before passes over what is on disk", async () => {
  await using here = await Workspace.create();
  await using there = await Workspace.create();
  await using redis = await Redis.start(here, "--repl-diskless-sync-delay", "0");
  const primary = await redis.connect();
  await using _replica = await Server.start(there, { args: ["--replicaof", String(redis.port)] });
  await until("it follows", async () => (await infoNumber(primary, "connected_slaves")) === 1);
  for (const value of ["1", "2", "3"]) {
    await primary.call("SET", "a", value);
    expect(await primary.call("WAIT", 1, 15_000)).toBe(1);
  }
});
