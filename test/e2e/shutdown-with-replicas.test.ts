/** An orderly stop while replicas are behind: they get what was acknowledged, for as long as shutdown-timeout says. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Client, ConnectionLost, ReplyError } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { REDIS, Redis } from "./support/redis.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

setDefaultTimeout(60_000);

/** Longer than any test: who goes on has not waited for the end of it. */
const LONG_SECONDS = 1000;

type Replica = Pick<Server | Redis, "signal" | "connect"> & AsyncDisposable;

interface Pair extends AsyncDisposable {
  readonly server: Server;
  readonly primary: Client;
  readonly replica: Replica;
}

/** A server, and a replica of it that has stopped reading before the last change. */
async function startPair(seconds: number, kind: "kvdb" | "redis" = "kvdb"): Promise<Pair> {
  const stack = new AsyncDisposableStack();
  const workspace = stack.use(await Workspace.create());
  const server = stack.use(await Server.start(workspace));
  const primary = await server.connect();
  await primary.call("CONFIG", "SET", "repl-diskless-sync-delay", "0");
  await primary.call("CONFIG", "SET", "shutdown-timeout", seconds);
  const replica = stack.use(await startReplica(kind, server.port, stack));
  const client = await replica.connect();
  await until("the replica follows", async () =>
    String(await client.call("INFO", "replication")).includes("master_link_status:up"),
  );
  await primary.call("SET", "before", "1");
  await until("the replica has it", async () => (await client.call("EXISTS", "before")) === 1);
  replica.signal("SIGSTOP");
  await primary.call("SET", "last", "1");
  return {
    ...{ server, primary, replica },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function startReplica(
  kind: "kvdb" | "redis",
  port: number,
  stack: AsyncDisposableStack,
): Promise<Replica> {
  const workspace = stack.use(await Workspace.create());
  if (kind === "redis") return Redis.start(workspace, "--replicaof", "127.0.0.1", String(port));
  return Server.start(workspace, { args: ["--replicaof", String(port)] });
}

/** How long replicas are waited for. */
async function waits(client: Client): Promise<number> {
  let remainingMs = 0;
  await until("it waits for replicas", async () => {
    const info = String(await client.call("INFO", "server"));
    remainingMs = Number(/^shutdown_in_milliseconds:(\d+)/m.exec(info)?.[1] ?? 0);
    return remainingMs > 0;
  });
  return remainingMs;
}

async function hasLast(replica: Replica): Promise<boolean> {
  const client = await replica.connect();
  return (await client.call("GET", "last")) === "1";
}

describe.each(["kvdb", ...(REDIS === null ? [] : (["redis"] as const))] as const)("%s", (kind) => {
  test.each(["SIGTERM", "SHUTDOWN"])("%s: a slow replica gets everything first", async (how) => {
    await using pair = await startPair(LONG_SECONDS, kind);
    const { server, primary, replica } = pair;
    const asking = await server.connect();
    const asked = how === "SIGTERM" ? undefined : asking.ask("SHUTDOWN").catch((error) => error);
    if (asked === undefined) server.signal("SIGTERM");
    expect(await waits(primary)).toBeGreaterThan(900_000);
    expect(await primary.call("GET", "last")).toBe("1");
    const held = (await server.connect()).ask("SET", "held up", "1").catch((error) => error);
    await until("a write waits", async () => {
      const blocked = await infoNumber(primary, "blocked_clients");
      return blocked === (asked === undefined ? 1 : 2);
    });
    replica.signal("SIGCONT");
    expect(await server.ended()).toBe(0);
    if (asked !== undefined) expect(await asked).toBeInstanceOf(ConnectionLost);
    // Either it is told, or its connection ends first.
    expect(await held).toBeInstanceOf(Error);
    await until("the replica has it", () => hasLast(replica));
  });
});

test("SHUTDOWN ABORT calls off either, and writes go on", async () => {
  await using pair = await startPair(LONG_SECONDS);
  const { server, primary, replica } = pair;
  expect(await primary.ask("SHUTDOWN", "ABORT")).toMatchObject({ code: "ERR" });
  for (const how of ["SIGTERM", "SHUTDOWN"]) {
    const asking = await server.connect();
    const others = await Promise.all([server.connect(), server.connect()]);
    if (how === "SIGTERM") server.signal("SIGTERM");
    await (how === "SIGTERM" ? waits(primary) : undefined);
    const asked = asking.ask("SHUTDOWN");
    await waits(primary);
    // As in Redis it waits with who came first.
    const second = others[0]?.ask("SHUTDOWN", "NOW");
    const held = others[1]?.ask("INCR", "written");
    await until("all wait", async () => (await infoNumber(primary, "blocked_clients")) === 3);
    await primary.call("CLIENT", "UNPAUSE");
    expect(await infoNumber(primary, "blocked_clients")).toBe(3);
    expect(await primary.call("SHUTDOWN", "ABORT")).toBe("OK");
    for (const reply of [asked, second]) {
      expect(await reply).toEqual(new ReplyError("ERR Errors trying to SHUTDOWN. Check logs."));
    }
    expect(await held).toBe(how === "SIGTERM" ? 1 : 2);
    expect(await primary.ask("SHUTDOWN", "ABORT")).toMatchObject({ code: "ERR" });
  }
  replica.signal("SIGCONT");
  server.signal("SIGTERM");
  expect(await server.ended()).toBe(0);
});

test("NOW waits for nobody, and neither does shutdown-timeout 0", async () => {
  for (const words of [["SHUTDOWN", "NOW"], ["SHUTDOWN"]]) {
    await using pair = await startPair(LONG_SECONDS);
    const { server, primary } = pair;
    if (words.length === 1) await primary.call("CONFIG", "SET", "shutdown-timeout", "0");
    await expect(primary.ask(...words)).rejects.toBeInstanceOf(ConnectionLost);
    expect(await server.ended()).toBe(0);
  }
});

test("no longer than shutdown-timeout, and a replica that goes is not waited for", async () => {
  {
    await using pair = await startPair(1);
    const begunMs = performance.now();
    expect(await pair.server.stop()).toBe(0);
    expect(performance.now() - begunMs).toBeGreaterThanOrEqual(1000);
    expect(pair.server.log).toMatch(/warn.*replica=127\.0\.0\.1:\d+ state=online/);
  }
  await using pair = await startPair(LONG_SECONDS);
  pair.server.signal("SIGTERM");
  await waits(pair.primary);
  pair.replica.signal("SIGKILL");
  expect(await pair.server.ended()).toBe(0);
});

test("a second signal waits for nobody", async () => {
  await using pair = await startPair(LONG_SECONDS);
  pair.server.signal("SIGTERM");
  await waits(pair.primary);
  await until("one that is no echo of the first", () => {
    pair.server.signal("SIGTERM");
    return pair.server.exitCode !== null;
  });
  expect(await pair.server.ended()).toBe(1);
});

test("what is no such wish is refused, and changes nothing", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(String(await client.call("CONFIG", "GET", "shutdown-timeout"))).toEndWith(",10");
  for (const words of [
    ["SHUTDOWN", "ABORT", "NOW"],
    ["SHUTDOWN", "SOON"],
    ["SHUTDOWN", "ABORT"],
    ["CONFIG", "SET", "shutdown-timeout", "-1"],
  ]) {
    expect(await client.ask(...words)).toMatchObject({ code: "ERR" });
  }
  expect(await client.call("SET", "a", "1")).toBe("OK");
});
