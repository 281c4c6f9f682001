/** `kvdb import` of an append-only file that a redis-server has made: the folder, the file of old, cut off, damaged. */
import { describe, expect, test } from "bun:test";
import { appendFile, cp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "./support/client.ts";
import { fill } from "./support/every-type.ts";
import { until } from "./support/poll.ts";
import { REDIS, Redis } from "./support/redis.ts";
import { kvdb } from "./support/run.ts";
import { Workspace } from "./support/workspace.ts";

const timeless = (text: string) => text.replace(/ in [\d.]+ m?s/, "");

async function digest(workspace: Workspace, ...flags: string[]): Promise<string> {
  return (await kvdb(workspace, [...flags, "debug", "digest"])).stdout.trim();
}

/** The files of a redis-server in `aof/` of the workspace: a base with every type, and some commands behind it. */
async function filled(): Promise<{ workspace: Workspace; digest: string }> {
  const workspace = await Workspace.create();
  // Always: what is copied below is read while it runs, and `everysec` puts a write off behind a sync that is slow.
  const appendonly = ["--appendonly", "yes", "--appendfsync", "always"];
  await using redis = await Redis.start(workspace, ...appendonly);
  const client = await redis.connect();
  await fill(client);
  await client.call("BGREWRITEAOF");
  await until("the rewrite is over", async () => {
    const info = String(await client.call("INFO", "persistence"));
    return ["in_progress", "scheduled"].every((one) => info.includes(`aof_rewrite_${one}:0`));
  });
  await changeMore(client);
  const told = String(await client.call("DEBUG", "DIGEST"));
  await cp(join(redis.folder, "appendonlydir"), workspace.path("aof"), { recursive: true });
  return { workspace, digest: told };
}

async function changeMore(client: Client): Promise<void> {
  await client.call("RPUSH", "list", "behind the base");
  await client.call("MULTI");
  await client.call("SET", "in a transaction", "1");
  await client.call("INCR", "in a transaction");
  await client.call("EXEC");
}

async function increment(workspace: Workspace): Promise<string> {
  const names = await readdir(workspace.path("aof"));
  return workspace.path("aof", names.find((name) => name.endsWith(".incr.aof")) ?? "");
}

/** Names, sizes and times of what is in the folder. */
async function look(workspace: Workspace) {
  const names = (await readdir(workspace.path("aof"))).sort();
  const stats = await Promise.all(names.map((name) => stat(workspace.path("aof", name))));
  return names.map((name, i) => [name, stats[i]?.size, stats[i]?.mtimeMs]);
}

describe.skipIf(REDIS === null)("an append-only file", () => {
  test("comes in as it is, and nothing of it changes", async () => {
    const { workspace, digest: there } = await filled();
    await using _ = workspace;
    const before = await look(workspace);
    const dry = await kvdb(workspace, ["import", "aof", "--dry-run"]);
    expect(timeless(dry.stdout)).toBe("would import 18 keys\n");
    expect(await readdir(workspace.folder)).toEqual(["aof"]);
    const imported = await kvdb(workspace, ["import", "aof/"]);
    expect(imported).toMatchObject({ code: 0, stderr: "" });
    expect(timeless(imported.stdout)).toBe("imported 18 keys\n");
    expect(await digest(workspace)).toBe(there);
    expect(await look(workspace)).toEqual(before);
    const one = ["--dir", "b", "import", "aof", "--from-database", "3", "--database", "0"];
    expect(timeless((await kvdb(workspace, one)).stdout)).toBe("imported 2 keys\n");
  });

  test("that is cut off in its last command or transaction comes without it, which is told", async () => {
    const { workspace, digest: there } = await filled();
    await using _ = workspace;
    await appendFile(await increment(workspace), "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na");
    const imported = await kvdb(workspace, ["import", "aof"]);
    expect(imported.code).toBe(0);
    expect(imported.stderr).toMatch(
      /^aof: tail: aof\/\S+\.incr\.aof, \d+ bytes at offset \d+: .*\n$/,
    );
    expect(await digest(workspace)).toBe(there);
  });

  test("that is damaged changes nothing", async () => {
    const { workspace } = await filled();
    await using _ = workspace;
    const path = await increment(workspace);
    const bytes = await readFile(path);
    const at = bytes.indexOf("behind the base");
    bytes.write("x", at - 5);
    await writeFile(path, bytes);
    const imported = await kvdb(workspace, ["import", "aof"]);
    expect(imported).toMatchObject({ code: 1, stdout: "" });
    expect(imported.stderr).toMatch(/\.incr\.aof.*offset \d+.*nothing was imported/);
    expect(await readdir(workspace.folder)).toEqual(["aof"]);
  });

  test("of old is one file, with an RDB in front or not", async () => {
    const { workspace, digest: there } = await filled();
    await using _ = workspace;
    const names = await readdir(workspace.path("aof"));
    const base = names.find((name) => name.endsWith(".base.rdb")) ?? "";
    const commands = await readFile(await increment(workspace));
    const whole = Buffer.concat([await readFile(workspace.path("aof", base)), commands]);
    await writeFile(workspace.path("old.aof"), whole);
    expect(await kvdb(workspace, ["import", "old.aof"])).toMatchObject({ code: 0, stderr: "" });
    expect(await digest(workspace)).toBe(there);
    await writeFile(workspace.path("bare.aof"), commands);
    const bare = await kvdb(workspace, ["--dir", "b", "import", "bare.aof"]);
    expect(timeless(bare.stdout)).toBe("imported 2 keys\n");
  });

  test("is no other folder", async () => {
    await using workspace = await Workspace.create();
    await workspace.write("other/dump.rdb", "");
    const outcome = await kvdb(workspace, ["import", "other"]);
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toContain("appendonlydir");
  });
});
