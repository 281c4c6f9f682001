/**
 * Backups on S3 through the executable, against a small server that speaks the real protocol: made,
 * listed, restored and removed by people; made and removed on time by a server; and refused.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { S3Server } from "../suites/s3-server.ts";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

let store: S3Server;
beforeAll(async () => {
  store = await S3Server.start({ region: "eu-central-1" });
});
afterAll(() => store[Symbol.asyncDispose]());
beforeEach(() => {
  store.heal();
  for (const key of store.keys()) store.drop(key);
});

const credentials = () => ({
  AWS_ACCESS_KEY_ID: store.accessKeyId,
  AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
});

async function workspaceWith(backup: Record<string, unknown>): Promise<Workspace> {
  const workspace = await Workspace.create();
  const s3 = { endpoint: store.endpoint, region: store.region };
  const config = { dir: "data", backup: { to: "s3://bucket/kvdb", s3, ...backup } };
  await workspace.write("kvdb.config.json", JSON.stringify(config));
  return workspace;
}

const isBackup = (key: string) => key.endsWith(".rdb.zst");

describe("one command after the other", () => {
  test("a backup goes there and comes back into an empty folder with the same digest", async () => {
    await using workspace = await workspaceWith({});
    const env = credentials();
    await kvdb(workspace, ["set", "name", "Ada"], { env });
    await kvdb(workspace, ["rpush", "list", "a", "b", "c"], { env });
    const digest = await kvdb(workspace, ["debug", "digest"], { env });
    const made = await kvdb(workspace, ["backup"], { env });
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const [url = ""] = made.stdout.match(/s3:\/\/bucket\/kvdb\/\S+\.rdb\.zst/) ?? [];
    expect(store.keys().filter(isBackup)).toEqual([url.slice("s3://bucket/".length)]);
    const listed = await kvdb(workspace, ["backup", "list"], { env });
    expect(listed.stdout).toContain("restore");

    const restored = await kvdb(workspace, ["restore", url, "--to", "other"], { env });
    expect(restored).toMatchObject({ code: 0 });
    const other = await kvdb(workspace, ["--dir", "other", "debug", "digest"], { env });
    expect(other.stdout).toBe(digest.stdout);

    const name = url.slice(url.lastIndexOf("/") + 1);
    const removed = await kvdb(workspace, ["backup", "delete", name], { env });
    expect(removed).toMatchObject({ code: 0 });
    expect(store.keys()).toEqual([]);
  });

  test("a service that has a bad moment costs a moment", async () => {
    await using workspace = await workspaceWith({});
    const env = credentials();
    await kvdb(workspace, ["set", "name", "Ada"], { env });
    store.failNext({ method: "PUT", kind: "status", status: 503, code: "SlowDown", times: 2 });
    store.failNext({ method: "GET", target: /rdb\.zst/, kind: "truncate" });
    const made = await kvdb(workspace, ["backup"], { env });
    expect(made).toMatchObject({ code: 0 });
    expect(store.keys().filter(isBackup)).toHaveLength(1);
  });
});

describe("refused, and the data is served all the same", () => {
  const secret = "WRONG-secret-WRONG";
  const wrongs: [string, () => Record<string, string>, RegExp][] = [
    ["no credentials", () => ({}), /AWS_ACCESS_KEY_ID/],
    [
      "a wrong secret",
      () => ({ ...credentials(), AWS_SECRET_ACCESS_KEY: secret }),
      /SignatureDoesNotMatch/,
    ],
  ];
  test.each(wrongs)("%s", async (_, environment, message) => {
    await using workspace = await workspaceWith({});
    const env = environment();
    expect(await kvdb(workspace, ["set", "name", "Ada"], { env })).toMatchObject({ code: 0 });
    const made = await kvdb(workspace, ["backup"], { env });
    expect([made.code, made.stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(made.stderr + made.stdout).not.toContain(secret);
    expect((await kvdb(workspace, ["get", "name"], { env })).stdout).toContain("Ada");
    expect(store.keys()).toEqual([]);
  });

  test("a bucket that is not there", async () => {
    await using workspace = await workspaceWith({ to: "s3://missing/kvdb" });
    const env = credentials();
    await kvdb(workspace, ["set", "name", "Ada"], { env });
    const made = await kvdb(workspace, ["backup"], { env });
    expect([made.code, made.stderr]).toEqual([1, expect.stringContaining("NoSuchBucket")]);
  });

  test("secrets of the configuration are not shown", async () => {
    const s3 = { endpoint: store.endpoint, accessKeyId: "KEYID", secretAccessKey: secret };
    await using workspace = await workspaceWith({ s3 });
    for (const words of [["config", "show"], ["config", "check"], ["backup"]]) {
      const { stdout, stderr } = await kvdb(workspace, words);
      expect(stdout + stderr).not.toContain(secret);
    }
  });
});

describe("a server", () => {
  test("R11, R19: makes them on time, verifies them, and removes those whose time is over", async () => {
    await using workspace = await workspaceWith({ everySeconds: 1, keep: { last: 2 } });
    await using server = await Server.start(workspace, { env: credentials() });
    using client = await server.connect();
    await client.call("SET", "name", "Ada");
    const seen = new Set<string>();
    await until("five backups, two of which stay", () => {
      const there = store.keys().filter(isBackup);
      for (const key of there) seen.add(key);
      return seen.size >= 5 && there.length <= 2;
    });
    const info = String(await client.call("INFO", "backup"));
    expect(info).toContain("backup_last_result:ok");
    expect(Number(/backup_last_verified_age:(-?\d+)/.exec(info)?.[1])).toBeWithin(0, 30);
    expect(Number(/backup_count:(\d+)/.exec(info)?.[1])).toBeWithin(1, 4);
  });

  test("goes on when the service is gone, and says so", async () => {
    await using workspace = await workspaceWith({});
    await using server = await Server.start(workspace, { env: credentials() });
    using client = await server.connect();
    await client.call("SET", "name", "Ada");
    store.failNext({ kind: "status", status: 403, code: "AccessDenied", times: 999 });
    const refusal = await client.call("BACKUP", "START").catch((error: unknown) => error);
    expect(String(refusal)).toContain("AccessDenied");
    expect(await client.call("GET", "name")).toBe("Ada");
    store.heal();
    expect(String(await client.call("BACKUP", "START"))).toContain("s3://bucket/kvdb/");
  });
});
