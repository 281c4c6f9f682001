/** The folder of a replica that is not running: it is read, and nothing changes it behind the primary's back. */
import { describe, expect, test } from "bun:test";
import type { Client } from "./support/client.ts";
import { inStep, replicationField } from "./support/in-step.ts";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

interface Pair extends AsyncDisposable {
  readonly server: Server;
  readonly primary: Client;
  /** Of the replica. */
  readonly workspace: Workspace;
  /** In step with the primary. */
  replica(): Promise<{ server: Server; client: Client }>;
}

/** A primary that runs, and a replica's folder that has followed it. */
async function followed(config: Record<string, unknown> = {}): Promise<Pair> {
  const [there, workspace] = [await Workspace.create(), await Workspace.create()];
  const server = await Server.start(there);
  const primary = await server.connect();
  await primary.call("CONFIG", "SET", "repl-diskless-sync-delay", 0);
  await primary.call("SET", "name", "Ada");
  await workspace.write("kvdb.config.json", JSON.stringify(config));
  const servers = [server];
  const pair: Pair = {
    ...{ server, primary, workspace },
    async replica() {
      const started = await Server.start(workspace, { args: ["--replicaof", String(server.port)] });
      servers.push(started);
      const client = await started.connect();
      await inStep(primary, client);
      return { server: started, client };
    },
    async [Symbol.asyncDispose]() {
      for (const one of [...servers, there, workspace]) await one[Symbol.asyncDispose]();
    },
  };
  const { server: replica } = await pair.replica();
  expect(await replica.stop()).toBe(0);
  return pair;
}

const counts = async (primary: Client) => ({
  full: await infoNumber(primary, "sync_full"),
  partial: await infoNumber(primary, "sync_partial_ok"),
});

const WRITES: readonly (readonly string[])[] = [
  ["set", "name", "Bob"],
  ["VALUE.SET", "name", "1"],
  ["json.set", "d", "$", "1"],
  ["flushall"],
  ["swapdb", "0", "1"],
  ["VALUE.IMPORT", "imported", "json", "0", "1"],
];

describe.each(["wal", "aof", "json-snapshot"])("%s: the folder of a replica", (persistence) => {
  test("is read, and refuses writes, and goes on where it was", async () => {
    await using pair = await followed({ persistence });
    const { workspace, primary } = pair;
    expect(await kvdb(workspace, ["get", "name"])).toMatchObject({ code: 0, stdout: '"Ada"\n' });
    for (const words of WRITES) {
      const { code, stderr } = await kvdb(workspace, words);
      expect([words[0], code]).toEqual([words[0], 1]);
      expect(stderr).toContain("READONLY");
      expect(stderr).toContain("replicaof no one");
    }
    const script = await kvdb(workspace, [], { input: "get name\nset name Bob\n" });
    expect(script.code).toBe(1);
    expect(script.stderr).toContain("READONLY");
    await workspace.write("rows.jsonl", '{"key":"imported","value":1}\n');
    const imported = await kvdb(workspace, ["import", "rows.jsonl"]);
    expect(imported.code).not.toBe(0);
    expect(imported.stderr).toContain("READONLY");
    await primary.call("SET", "later", "1");
    const { client } = await pair.replica();
    expect(await client.call("DBSIZE")).toBe(2);
    expect((await counts(primary)).full).toBe(1);
  }, 60_000);
});

describe("the folder of a replica", () => {
  test.each(["wal", "json-snapshot"])(
    "%s: keeps what is over until the primary says so, over checkpoints and whoever looks at it",
    async (persistence) => {
      await using pair = await followed({ persistence });
      const { workspace, primary } = pair;
      await primary.call("DEBUG", "SET-ACTIVE-EXPIRE", 0);
      await primary.call("SET", "short", "1", "PX", 1);
      const { server, client } = await pair.replica();
      await client.call("SAVE");
      await server.stop();
      expect((await kvdb(workspace, ["get", "short"])).stdout).toBe("null\n");
      expect((await kvdb(workspace, ["dbsize"])).stdout).toBe("2\n");
      const again = await pair.replica();
      expect(await again.client.call("DBSIZE")).toBe(2);
      await primary.call("GET", "short");
      await inStep(primary, again.client);
      expect(await again.client.call("DBSIZE")).toBe(1);
      expect((await counts(primary)).full).toBe(1);
    },
    60_000,
  );

  test("hears of what was over when its primary was stopped", async () => {
    await using pair = await followed();
    const { primary, server } = pair;
    const { client } = await pair.replica();
    await primary.call("DEBUG", "SET-ACTIVE-EXPIRE", 0);
    await primary.call("SET", "short", "1", "PX", 1);
    await primary.call("SAVE");
    await inStep(primary, client);
    expect(await client.call("DBSIZE")).toBe(2);
    expect(await server.stop()).toBe(0);
    await using next = await Server.start(server.workspace, { port: server.port });
    const later = await next.connect();
    await until("it is gone", async () => (await later.call("DBSIZE")) === 1);
    await inStep(later, client);
    expect(await client.call("DBSIZE")).toBe(1);
    expect((await counts(later)).full).toBe(0);
  }, 60_000);

  test("becomes a primary's own by REPLICAOF NO ONE, and is replaced when it follows again", async () => {
    await using pair = await followed();
    const { workspace, primary } = pair;
    const promoted = await kvdb(workspace, ["replicaof", "no", "one"]);
    expect(promoted).toMatchObject({ code: 0 });
    expect(await kvdb(workspace, ["set", "name", "Bob"])).toMatchObject({ code: 0 });
    {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      expect(await replicationField(client, "role")).toBe("master");
      expect(await client.call("GET", "name")).toBe("Bob");
    }
    const { client } = await pair.replica();
    expect(await client.call("GET", "name")).toBe("Ada");
    expect((await counts(primary)).full).toBe(2);
  }, 60_000);

  test("is nobody's to follow with", async () => {
    await using pair = await followed();
    const words = ["replicaof", "127.0.0.1", String(pair.server.port)];
    const { code, stderr } = await kvdb(pair.workspace, words);
    expect(code).toBe(1);
    expect(stderr).toContain("kvdb serve --replicaof");
  }, 60_000);

  test("of a configuration that names the primary: a script follows nobody", async () => {
    await using pair = await followed();
    const { workspace, primary } = pair;
    await workspace.write(
      "kvdb.config.json",
      JSON.stringify({ replication: { of: `127.0.0.1:${pair.server.port}` } }),
    );
    const before = await counts(primary);
    const { stdout } = await kvdb(workspace, [], { input: "get name\nset name Bob\n" });
    expect(stdout).toBe('"Ada"\n');
    expect(await counts(primary)).toEqual(before);
  }, 60_000);
});

describe("the place in the stream", () => {
  test("stays with the data that `kvdb convert` takes over, of a replica and of its primary", async () => {
    await using pair = await followed({ persistence: "wal" });
    const { workspace, primary, server } = pair;
    await convert(workspace, "json-snapshot");
    await primary.call("SET", "later", "1");
    const { server: replica } = await pair.replica();
    expect(await counts(primary)).toEqual({ full: 1, partial: 1 });
    expect(await replica.stop()).toBe(0);
    await convert(workspace, "wal");
    const again = await pair.replica();
    expect(await counts(primary)).toEqual({ full: 1, partial: 2 });
    expect(await server.stop()).toBe(0);
    await convert(server.workspace, "aof");
    await using next = await Server.start(server.workspace, { port: server.port });
    const later = await next.connect();
    await later.call("SET", "after", "1");
    await inStep(later, again.client);
    expect((await counts(later)).full).toBe(0);
  }, 60_000);

  test("is not that of a backup that `kvdb restore` puts there", async () => {
    await using pair = await followed();
    const { primary, server } = pair;
    const { client } = await pair.replica();
    const { stdout } = await kvdb(server.workspace, ["--raw", "backup"]);
    const path = stdout.trim();
    await primary.call("SET", "name", "Bob");
    // The place of a checkpoint is known to a start: nothing else may be taken for its data.
    await primary.call("SAVE");
    await inStep(primary, client);
    expect(await server.stop()).toBe(0);
    expect((await kvdb(server.workspace, ["restore", "--force", path])).code).toBe(0);
    await using next = await Server.start(server.workspace, { port: server.port });
    const later = await next.connect();
    await later.call("CONFIG", "SET", "repl-diskless-sync-delay", 0);
    await inStep(later, client);
    expect(await client.call("GET", "name")).toBe("Ada");
    expect((await counts(later)).full).toBe(1);
  }, 60_000);

  test("is no place for a backup: BACKUP RESTORE is refused on a replica that runs", async () => {
    await using pair = await followed();
    const { workspace } = pair;
    const { client } = await pair.replica();
    await client.call("CONFIG", "SET", "replica-read-only", "no");
    expect(await client.ask("BACKUP", "RESTORE", "any")).toMatchObject({ code: "READONLY" });
    const forwarded = await kvdb(workspace, ["--yes", "backup", "restore", "any"]);
    expect(forwarded.code).toBe(1);
    expect(forwarded.stderr).toContain("READONLY");
  }, 60_000);
});

async function convert(workspace: Workspace, to: string): Promise<void> {
  const { code } = await kvdb(workspace, ["convert", "--to", to]);
  expect(code).toBe(0);
  await workspace.write("kvdb.config.json", JSON.stringify({ persistence: to }));
}
