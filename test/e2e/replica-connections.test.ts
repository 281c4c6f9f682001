/** What both sides tell of the connection between them, to who knows Redis: CLIENT LIST and KILL, and the counters of INFO. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Client } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { REDIS, Redis } from "./support/redis.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

setDefaultTimeout(60_000);

const isUp = async (replica: Client) =>
  String(await replica.call("INFO", "replication")).includes("master_link_status:up");

interface Pair extends AsyncDisposable {
  readonly server: Server | Redis;
  readonly primary: Client;
  readonly replica: Client;
  readonly port: number;
}

/** kvdb as a replica of either. */
async function startPair(kind: "kvdb" | "redis"): Promise<Pair> {
  const stack = new AsyncDisposableStack();
  const workspaces = [await Workspace.create(), await Workspace.create()] as const;
  for (const workspace of workspaces) stack.use(workspace);
  const [here, there] = workspaces;
  const server = stack.use(await (kind === "redis" ? Redis.start(here) : Server.start(here)));
  const primary = await server.connect();
  await primary.call("CONFIG", "SET", "repl-diskless-sync-delay", "0");
  const follower = await Server.start(there, { args: ["--replicaof", String(server.port)] });
  const replica = await stack.use(follower).connect();
  await until("the replica follows", () => isUp(replica));
  await primary.call("MSET", "a", "1", "b", "2");
  await until("the replica has it", async () => (await replica.call("EXISTS", "b")) === 1);
  return {
    ...{ server, primary, replica, port: follower.port },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The one line of CLIENT LIST of a type, as fields. */
async function line(client: Client, type: string): Promise<Record<string, string>> {
  const list = String(await client.call("CLIENT", "LIST", "TYPE", type));
  const lines = list.split("\n").filter((one) => one !== "");
  expect(lines.length).toBe(1);
  const fields = lines[0]?.split(" ").map((field) => field.split("=") as [string, string]);
  return Object.fromEntries(fields ?? []);
}

describe.each(["kvdb", ...(REDIS === null ? [] : (["redis"] as const))] as const)("%s", (kind) => {
  test("the connection to the primary is listed as Redis lists it, and can be killed", async () => {
    await using pair = await startPair(kind);
    const { server, primary, replica } = pair;
    const address = `127.0.0.1:${server.port}`;
    const first = await line(replica, "MASTER");
    expect(first).toMatchObject({ addr: address, flags: "M", cmd: "mset", user: "(superuser)" });
    expect(first).toMatchObject({ name: "", db: "0", multi: "-1", resp: "2", events: "r" });
    expect(first["laddr"]).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await infoNumber(replica, "connected_clients")).toBe(2);
    const id = first["id"] as string;
    expect(String(await replica.call("CLIENT", "LIST", "ID", id))).toContain(" flags=M ");
    expect(await replica.call("CLIENT", "UNBLOCK", id)).toBe(0);
    expect(await replica.call("CLIENT", "KILL", "USER", "default")).toBe(0);
    for (const words of [
      ["TYPE", "MASTER"],
      ["ADDR", address],
      ["ID", id],
    ]) {
      const { laddr } = await line(replica, "MASTER");
      expect(await replica.call("CLIENT", "KILL", ...words)).toBe(1);
      expect(await isUp(replica)).toBe(false);
      expect(await replica.call("CLIENT", "LIST", "TYPE", "MASTER")).toBe("");
      await until("the link comes again", () => isUp(replica));
      const again = await line(replica, "MASTER");
      expect(again["laddr"]).not.toBe(laddr);
      expect(again["id"]).toBe(id);
    }
    await primary.call("SET", "later", "1");
    await until("the stream goes on", async () => (await replica.call("EXISTS", "later")) === 1);
    expect(await infoNumber(primary, "sync_full")).toBe(1);
  });

  test("bytes are counted on both sides, and what they need", async () => {
    await using pair = await startPair(kind);
    const { primary, replica } = pair;
    await primary.call("SET", "big", "x".repeat(100_000));
    await until("it has come", async () => (await replica.call("EXISTS", "big")) === 1);
    for (const client of [primary, replica]) {
      expect(await infoNumber(client, "mem_replication_backlog")).toBeGreaterThan(100_000);
      expect(await infoNumber(client, "mem_total_replication_buffers")).toBeGreaterThan(100_000);
      expect(await infoNumber(client, "repl_backlog_histlen")).toBeGreaterThan(100_000);
      expect(await infoNumber(client, "repl_backlog_active")).toBe(1);
    }
    const sent = "total_net_repl_output_bytes";
    const received = "total_net_repl_input_bytes";
    expect(await infoNumber(primary, sent)).toBeGreaterThan(100_000);
    expect(await infoNumber(replica, received)).toBeGreaterThan(100_000);
    expect(await infoNumber(primary, received)).toBe(0);
    expect(await infoNumber(replica, sent)).toBe(0);
    await until("it shows as a rate", async () => {
      const output = await infoNumber(primary, "instantaneous_output_repl_kbps");
      const input = await infoNumber(replica, "instantaneous_input_repl_kbps");
      return output > 1 && input > 1;
    });
    await replica.call("REPLICAOF", "NO", "ONE");
    expect(await infoNumber(replica, received)).toBeGreaterThan(100_000);
    await replica.call("CONFIG", "RESETSTAT");
    expect(await infoNumber(replica, received)).toBe(0);
  });
});

test("a replica is listed as Redis lists it, and can be killed", async () => {
  await using pair = await startPair("kvdb");
  const { primary, replica } = pair;
  await until("it has acknowledged something", async () => {
    const { cmd } = await line(primary, "REPLICA");
    return cmd === "replconf";
  });
  const one = await line(primary, "SLAVE");
  expect(one).toMatchObject({ flags: "S", name: "", user: "default", db: "0", multi: "-1" });
  expect(Number(one["tot-mem"])).toBeGreaterThanOrEqual(Number(one["omem"]));
  expect(await infoNumber(primary, "connected_clients")).toBe(1);
  expect(await primary.call("CLIENT", "KILL", "TYPE", "REPLICA")).toBe(1);
  await until("it comes again", async () => (await infoNumber(primary, "sync_partial_ok")) === 1);
  await until("it knows", () => isUp(replica));
});
