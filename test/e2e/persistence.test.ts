/** What was acknowledged is there after a restart, in order or not, in every mode of fsync. */
import { describe, expect, test } from "bun:test";
import { cp } from "node:fs/promises";
import type { Client } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const HOUR_MS = 3_600_000;

/** Data of every kind that there is, in two databases. */
async function fill(client: Client): Promise<void> {
  await client.call("MSET", "name", "Ada", "count", 7, "empty", "", "unicode", "žluťoučký 🐎");
  await client.call("SET", "binary", Buffer.from([0, 1, 13, 10, 255, 0]));
  await client.call("SET", "large", "x".repeat(300_000));
  await client.call("VALUE.SET", "user", '{"name":"Ada","tags":["a",1.0,null]}');
  await client.call("SET", "expiring", "later", "PX", HOUR_MS);
  await client.call("INCRBYFLOAT", "float", "0.1");
  await client.call("SETBIT", "bits", 77, 1);
  await client.pipeline(Array.from({ length: 2000 }, (_, i) => ["SET", `key:${i}`, `value ${i}`]));
  await client.call("SELECT", 9);
  await client.call("SET", "name", "in another database");
  await client.call("SELECT", 0);
}

async function contentOf(server: Server) {
  const client = await server.connect();
  const digest = await client.call("DEBUG", "DIGEST");
  const count = await client.call("DBSIZE");
  return { digest, count, deadline: await client.call("PEXPIRETIME", "expiring") };
}

test("V1: what was set is there after a restart", async () => {
  await using workspace = await Workspace.create();
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await client.call("SET", "name", "Ada")).toBe("OK");
    expect(await server.stop()).toBe(0);
  }
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await client.call("GET", "name")).toBe("Ada");
});

test("V2: a start with a prepared folder loads all of it", async () => {
  await using workspace = await Workspace.create();
  const before = await (async () => {
    await using server = await Server.start(workspace);
    await fill(await server.connect());
    const content = await contentOf(server);
    await server.stop();
    return content;
  })();
  expect(before.count).toBe(2010);
  await cp(workspace.path(".kvdb"), workspace.path("prepared"), { recursive: true });
  await using server = await Server.start(workspace, { args: ["--dir", "prepared"] });
  expect(await contentOf(server)).toEqual(before);
  const client = await server.connect();
  await client.call("SELECT", 9);
  expect(await client.call("GET", "name")).toBe("in another database");
});

test("V4: get removes what has expired: it is in no list and not counted", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await client.call("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  await client.call("SET", "kept", "for ever");
  await client.call("SET", "gone", "soon", "PX", 1);
  const deadlineMs = Date.now() + 5; // nobody but GET may remove it
  await until("its deadline passes", () => Date.now() > deadlineMs);
  expect(await client.call("DBSIZE")).toBe(2);
  expect(await client.call("GET", "gone")).toBeNull();
  expect(await client.call("DBSIZE")).toBe(1);
  expect(await client.call("KEYS", "*")).toEqual(["kept"]);
  expect(await client.call("SCAN", 0)).toEqual(["0", ["kept"]]);
});

test("V5: a deleted key is gone after kill -9 and a restart", async () => {
  await using workspace = await Workspace.create();
  await kvdb(workspace, ["set", "name", "Ada"]);
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.pipeline([
      ["SET", "kept", 1],
      ["SET", "other", 1],
    ]);
    expect(
      await client.pipeline([
        ["DEL", "name"],
        ["UNLINK", "other"],
      ]),
    ).toEqual([1, 1]);
    await server.kill();
  }
  expect((await kvdb(workspace, ["get", "name"])).stdout).toBe("null\n");
  expect((await kvdb(workspace, ["keys", "*"])).stdout).toBe('"kept"\n');
});

describe.each(["always", "everysec", "no"])("appendfsync %s", (mode) => {
  test("V11: everything that was replied survives an orderly stop", async () => {
    await using workspace = await Workspace.create();
    const before = await (async () => {
      await using server = await Server.start(workspace, { args: ["--appendfsync", mode] });
      const client = await server.connect();
      expect(await client.call("CONFIG", "GET", "appendfsync")).toEqual(["appendfsync", mode]);
      await fill(client);
      const content = await contentOf(server);
      expect(await server.stop()).toBe(0);
      return content;
    })();
    await using server = await Server.start(workspace, { args: ["--appendfsync", mode] });
    expect(await contentOf(server)).toEqual(before);
  });

  test("V1: kill -9 of the process alone loses nothing that the log was given", async () => {
    await using workspace = await Workspace.create();
    const before = await (async () => {
      await using server = await Server.start(workspace, { args: ["--appendfsync", mode] });
      const client = await server.connect();
      await fill(client);
      const content = await contentOf(server);
      const isWritten = async () => (await infoNumber(client, "wal_unwritten_bytes")) === 0;
      if (mode !== "always") await until("all is written", isWritten);
      await server.kill();
      return content;
    })();
    await using server = await Server.start(workspace, { args: ["--appendfsync", mode] });
    expect(await contentOf(server)).toEqual(before);
  });
});
