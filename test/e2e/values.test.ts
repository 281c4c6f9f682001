/** Values of every type through the executable: restarts behind a checkpoint, CHECK, conversion to another persistence and back. */
import { expect, test } from "bun:test";
import type { Client } from "./support/client.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const HOUR_MS = 3_600_000;
const numbered = (count: number, text: string) =>
  Array.from({ length: count }, (_, i) => `${text} ${i}`);

/** Small ones, binary ones, and ones that come out of the engine in several parts. */
async function fill(client: Client): Promise<void> {
  const binary = Buffer.from([0, 255, 13, 10]);
  await client.pipeline([
    ["SET", "string", "text"],
    ["VALUE.SET", "document", '{"name":"Ada","n":1.0}'],
    ["RPUSH", "list", "a", binary, "", "a"],
    ["RPUSH", "long list", ...numbered(8000, "element")],
    ["SADD", "integers", 1, 2, 70_000],
    ["SADD", "set", "a", binary],
    ["SADD", "large set", ...numbered(8000, "member")],
    ["ZADD", "zset", "-inf", "low", 0.1, binary, "inf", "top"],
    ["ZADD", "large zset", ...numbered(5000, "m").flatMap((member, i) => [i / 7, member])],
    ["HSET", "hash", "field", "value", binary, binary],
    ["HSET", "large hash", ...numbered(8000, "field").flatMap((field, i) => [field, i])],
    ["HSET", "timed", "later", "1", "never", "2"],
    ["HPEXPIRE", "timed", HOUR_MS, "FIELDS", 1, "later"],
    ["XGROUP", "CREATE", "stream", "group", "$", "MKSTREAM"],
    ...numbered(3000, "v").map((value, i) => ["XADD", "stream", `${i + 1}-1`, "f", value]),
    ["XREADGROUP", "GROUP", "group", "Ada", "COUNT", 500, "STREAMS", "stream", ">"],
    ["PEXPIRE", "long list", HOUR_MS],
    ["SELECT", 5],
    ["RPUSH", "list", "in another database"],
    ["SELECT", 0],
  ]);
}

async function contentOf(client: Client) {
  return {
    digest: await client.call("DEBUG", "DIGEST"),
    size: await client.call("DBSIZE"),
    fieldDeadline: await client.call("HPEXPIRETIME", "timed", "FIELDS", 1, "later"),
    deadline: await client.call("PEXPIRETIME", "long list"),
    pending: await client.call("XPENDING", "stream", "group"),
  };
}

async function configure(workspace: Workspace, persistence: string): Promise<void> {
  const config = { dir: "data", persistence };
  await workspace.write("kvdb.config.json", JSON.stringify(config, null, 2));
}

test("values of every type outlive a checkpoint, a restart, and a conversion there and back", async () => {
  await using workspace = await Workspace.create();
  await configure(workspace, "wal");
  const withServer = async (run: (client: Client) => Promise<void>): Promise<void> => {
    await using server = await Server.start(workspace);
    await run(await server.connect());
    expect(await server.stop()).toBe(0);
  };
  let before: unknown;
  await withServer(async (client) => {
    await fill(client);
    before = await contentOf(client);
    expect(before).toMatchObject({ size: 13 });
    expect(await client.call("SAVE")).toBe("OK");
    const report = await client.call("CHECK");
    expect(report).toMatchObject({ 1: "ok" });
  });
  await withServer(async (client) => expect(await contentOf(client)).toEqual(before as never));

  const there = await kvdb(workspace, ["convert", "--to", "json-snapshot", "--json"]);
  expect(there.code).toBe(0);
  expect(JSON.parse(there.stdout)).toMatchObject({ entries: 14 });
  await configure(workspace, "json-snapshot");
  await withServer(async (client) => {
    expect(await contentOf(client)).toEqual(before as never);
    await client.call("SET", "string", "text"); // so that it saves anew
  });
  await configure(workspace, "wal");
  expect((await kvdb(workspace, ["convert"])).code).toBe(0);
  await withServer(async (client) => expect(await contentOf(client)).toEqual(before as never));
  expect((await kvdb(workspace, ["check"])).code).toBe(0);
}, 60_000);

test("CHECK tells a value that is another one on disk", async () => {
  await using workspace = await Workspace.create();
  await configure(workspace, "json-snapshot");
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await client.pipeline([["RPUSH", "list", "a", "b"], ["SADD", "set", "a", "b"], ["SAVE"]]);
  const path = workspace.path("data", "database.json");
  const text = await Bun.file(path).text();
  await Bun.write(path, text.replace('"$list": ["a", "b"]', '"$list": ["b", "a"]'));
  const report = (await client.call("CHECK")) as string[];
  expect(report[1]).toBe("damaged");
  expect(String(report.at(-1))).toContain('key "list": another value on disk');
  expect(String(report.at(-1))).not.toContain('"set"');
}, 30_000);
