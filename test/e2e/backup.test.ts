/**
 * Backups through the executable: made by hand, on time, under load, to a folder and to S3; brought back into an empty
 * folder, over data, into a server that runs; kill -9 in the middle. What each step does when it fails is in
 * test/unit/kernel/backups.test.ts, restore.test.ts and live-restore.test.ts.
 */
import { describe, expect, test } from "bun:test";
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Random } from "../oracle/random.ts";
import { startRedisOnFile } from "../oracle/servers.ts";
import { S3Server } from "../suites/s3-server.ts";
import { Client, type Reply, ReplyError } from "./support/client.ts";
import { flipped } from "./support/log-file.ts";
import { until } from "./support/poll.ts";
import { cleanEnvironment, kvdb, outcomeOf, run } from "./support/run.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);

/** A key of each type, deadlines, a document, an index, two databases. */
const DATA: readonly (readonly string[])[] = [
  ["SET", "string", "text"],
  ["SET", "until", "then", "PXAT", "4000000000000"],
  ["RPUSH", "list", "1", "2", "3"],
  ["SADD", "set", "a", "b", "c"],
  ["ZADD", "zset", "1", "a", "2.5", "b"],
  ["HSET", "hash", "f", "1", "g", "2"],
  ["HPEXPIREAT", "hash", "4000000000000", "FIELDS", "1", "f"],
  ["XADD", "stream", "1-1", "field", "value"],
  ["XGROUP", "CREATE", "stream", "group", "0"],
  ["VALUE.SET", "person", '{"name":"Ada","city":"Oslo"}'],
  ["INDEX", "CREATE", "by_city", "USING", "hash", "FIELD", "city"],
  ["SELECT", "3"],
  ["SET", "elsewhere", "1"],
  ["SELECT", "0"],
];

async function fill(client: Client): Promise<void> {
  for (const reply of await client.pipeline(DATA)) expect(reply).not.toBeInstanceOf(ReplyError);
}

/** Of a map, over RESP2. */
function fieldOf(reply: Reply, name: string): Reply {
  const items = reply as Reply[];
  return items[items.indexOf(name) + 1] ?? null;
}

async function listed(client: Client, field: string): Promise<Reply[]> {
  const backups = (await client.call("BACKUP", "LIST")) as Reply[];
  return backups.map((backup) => fieldOf(backup, field));
}

async function ok(workspace: Workspace, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kvdb(workspace, args);
  expect([args.join(" "), code, stderr]).toEqual([args.join(" "), 0, ""]);
  return stdout.trimEnd();
}

/** A folder with data and a backup of it, whose path it resolves to. */
async function filledFolder(workspace: Workspace): Promise<{ path: string; digest: string }> {
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await fill(client);
  const path = String(await client.call("BACKUP"));
  const digest = String(await client.call("DEBUG", "DIGEST"));
  expect(await server.stop()).toBe(0);
  return { path, digest };
}

test("R9: backup prints a path, restore into an empty folder gives the same digest", async () => {
  await using workspace = await Workspace.create();
  for (const [key, value] of [
    ["name", '"Ada"'],
    ["user", '{"age":36}'],
    ["n", "1"],
  ]) {
    await ok(workspace, "set", key as string, value as string);
  }
  const path = await ok(workspace, "backup");
  expect((await readFile(path)).length).toBeGreaterThan(100);
  const digest = await ok(workspace, "debug", "digest");
  await rm(workspace.path("empty"), { recursive: true, force: true });
  expect(await ok(workspace, "--dir", "empty", "restore", path)).toContain(digest);
  expect(await ok(workspace, "--dir", "empty", "debug", "digest")).toBe(digest);
  expect(await ok(workspace, "--dir", "empty", "get", "user")).toBe('{"age":36}');
});

test("R9: everything that a backup may hold comes back", async () => {
  await using workspace = await Workspace.create();
  const { path, digest } = await filledFolder(workspace);
  const restored = await kvdb(workspace, ["restore", path, "--to", "other", "--json"]);
  expect(JSON.parse(restored.stdout)).toMatchObject({ digest, keys: 9, replaced: [] });
  await using server = await Server.start(workspace, { flags: ["--dir", "other"] });
  const client = await server.connect();
  expect(await client.call("DEBUG", "DIGEST")).toBe(digest);
  expect(await client.call("HPEXPIRETIME", "hash", "FIELDS", "1", "f")).toEqual([
    4_000_000_000_000,
  ]);
  expect(await client.call("XINFO", "GROUPS", "stream")).toHaveLength(1);
  expect(await client.call("TYPE", "person")).toBe("ReJSON-RL");
  expect(JSON.stringify(await client.call("FIND", '{"city":"Oslo"}'))).toContain("person");
  expect(JSON.stringify(await client.call("EXPLAIN", "FIND", '{"city":"Oslo"}'))).toContain(
    "by_city",
  );
});

const hasRedis = Bun.which("redis-server") !== null && Bun.which("zstd") !== null;

test.skipIf(!hasRedis)("zstd unpacks a backup to a file that redis-server loads", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const plain = DATA.filter(([name]) => !/^(HPEXPIREAT|VALUE.SET|INDEX)$/.test(name ?? ""));
  await client.pipeline(plain);
  const path = String(await client.call("BACKUP"));
  const digest = await client.call("DEBUG", "DIGEST");
  const unpacked = workspace.path("dump.rdb");
  expect((await run(workspace, ["zstd", "-q", "-d", path, "-o", unpacked])).code).toBe(0);
  // An append-only file may begin with an RDB, and end with it.
  const redisServer = Bun.which("redis-server") ?? "";
  await using redis = await startRedisOnFile(redisServer, await readFile(unpacked));
  using other = await Client.connect({ host: "127.0.0.1", port: redis.port });
  expect(await other.call("DEBUG", "DIGEST")).toBe(digest);
});

test.each(["wal", { use: "json-snapshot", file: "database.json" }])(
  "R10: %j: data is not overwritten without --force, and with it is the backup's",
  async (persistence) => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", { persistence });
    await ok(workspace, "set", "name", "Ada");
    const path = await ok(workspace, "backup");
    const digest = await ok(workspace, "debug", "digest");
    await ok(workspace, "set", "name", "Bob");
    await ok(workspace, "set", "more", "1");
    const changed = await ok(workspace, "debug", "digest");
    const refused = await kvdb(workspace, ["restore", path]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("--force");
    expect(await ok(workspace, "debug", "digest")).toBe(changed);
    await ok(workspace, "restore", "--force", basename(path));
    expect(await ok(workspace, "debug", "digest")).toBe(digest);
    expect(await ok(workspace, "get", "more")).toBe("null");
    const aside = (await readdir(workspace.path(".kvdb"))).filter((name) =>
      /^replaced-/.test(name),
    );
    expect(aside).toHaveLength(persistence === "wal" ? 1 : aside.length);
  },
);

test("R11: within the period a backup appears and is listed as verified", async () => {
  await using workspace = await Workspace.create();
  const backup = { everySeconds: 1, keep: { last: 2 }, to: "./backups" };
  await workspace.write("kvdb.config.json", { backup });
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await fill(client);
  await until("a verified backup", async () => (await listed(client, "verified")).includes("ok"));
  await until("others after it", async () => (await infoNumber(client, "backup_count")) >= 2);
  expect(await infoNumber(client, "backup_last_verified_age")).toBeLessThan(20);
  expect(await infoNumber(client, "backup_next_time")).toBeGreaterThan(0);
  // The first one goes when the third comes.
  const first = (await listed(client, "name"))[0] as string;
  await until("the first is gone", async () => !(await listed(client, "name")).includes(first));
  const names = await readdir(workspace.path("backups"));
  expect(names.filter((name) => name.endsWith(".zst")).length).toBeLessThanOrEqual(3);
});

test(`V-T2: under load a backup has the state of its revision (seed ${SEED})`, async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const control = await server.connect();
  const first = Number(fieldOf(await control.call("DURABILITY", "STATUS"), "revision"));
  let isOver = false;
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    const client = await server.connect();
    for (let count = 0; !isOver; ) {
      const batch = Array.from({ length: 50 }, () => {
        count++;
        return count % 2 === 1 ? ["INCR", "total"] : ["RPUSH", `list:${writer}`, String(count / 2)];
      });
      await client.pipeline(batch);
    }
  });
  const paths: string[] = [];
  try {
    while (paths.length < 4) paths.push(String(await control.call("BACKUP")));
  } finally {
    isOver = true;
    await Promise.all(writers);
  }
  await server.stop();
  for (const [index, path] of paths.entries()) {
    const revision = Number(/-r(\d+)\./.exec(path)?.[1]);
    const flags = ["--dir", `restored-${index}`];
    await ok(workspace, ...flags, "restore", path);
    await using restored = await Server.start(workspace, { flags });
    const client = await restored.connect();
    let writes = Number(await client.call("GET", "total"));
    for (let writer = 0; writer < 8; writer++) {
      const list = (await client.call("LRANGE", `list:${writer}`, 0, -1)) as string[];
      // Each of them, in order, and none behind one that is missing.
      expect(list.map(Number)).toEqual(list.map((_, at) => at + 1));
      writes += list.length;
    }
    expect([index, writes]).toEqual([index, revision - first]);
  }
}, 120_000);

// How long a turn is meanwhile, the bench measures (R18).
test("R18: while a backup is made and verified, writes go on and are answered", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  for (let batch = 0; batch < 100; batch++) {
    const commands = Array.from({ length: 1000 }, (_, index) => {
      return ["SET", `key:${batch * 1000 + index}`, `value ${"x".repeat(100)} ${index}`];
    });
    await client.pipeline(commands);
  }
  const control = await server.connect();
  const backup = control.call("BACKUP");
  let isOver = false;
  void backup.finally(() => {
    isOver = true;
  });
  const stages = new Set<unknown>();
  let written = 0;
  while (!isOver) {
    const [count] = await client.pipeline([
      ["INCR", "counter"],
      ["SET", "key:5", "other"],
    ]);
    written = Number(count);
    stages.add(fieldOf(await client.call("BACKUP", "STATUS"), "stage"));
  }
  await backup;
  expect(stages).toContain("writing");
  expect(stages).toContain("verifying");
  expect(written).toBeGreaterThan(20);
}, 60_000);

describe("on a server that runs", () => {
  test("BACKUP RESTORE replaces data and indexes, and who waits for a key goes on waiting", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await fill(client);
    const name = basename(String(await client.call("BACKUP")));
    const digest = await client.call("DEBUG", "DIGEST");
    await client.pipeline([["FLUSHALL"], ["INDEX", "DROP", "by_city"], ["SET", "other", "1"]]);
    const waiting = (await server.connect()).call("BLPOP", "list", "20");
    await until("it waits", async () => (await infoNumber(client, "blocked_clients")) === 1);
    expect(await client.ask("BACKUP", "RESTORE", name)).toBeInstanceOf(ReplyError);
    expect(await client.call("GET", "other")).toBe("1");
    const restored = await client.call("BACKUP", "RESTORE", name, "FORCE");
    expect(fieldOf(restored, "digest")).toBe(digest);
    expect(await waiting).toEqual(["list", "1"]);
    await client.call("LPUSH", "list", "1");
    expect(await client.call("DEBUG", "DIGEST")).toBe(digest);
    expect(JSON.stringify(await client.call("FIND", '{"city":"Oslo"}'))).toContain("person");
    expect(fieldOf(await client.call("CHECK"), "status")).toBe("ok");
    await server.kill();
    await using again = await Server.start(workspace);
    const other = await again.connect();
    expect(await other.call("DEBUG", "DIGEST")).toBe(digest);
    expect(await other.call("INDEX", "LIST")).toEqual(["by_city"]);
  });

  test("`kvdb backup` and `kvdb restore` of another process", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await fill(client);
    const path = await ok(workspace, "backup");
    expect(await listed(client, "name")).toEqual([basename(path)]);
    const refused = await kvdb(workspace, ["restore", "--force", path]);
    expect(refused.code).toBe(75);
    expect(refused.stderr).toContain("backup restore");
    await client.call("FLUSHALL");
    await ok(workspace, "--yes", "backup", "restore", basename(path));
    expect(await client.call("GET", "string")).toBe("text");
  });

  test("kill -9 in the middle of a live restore: the one or the other", async () => {
    const random = new Random(SEED);
    await using workspace = await Workspace.create();
    let name = "";
    let saved = "";
    {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      await fill(client);
      name = basename(String(await client.call("BACKUP")));
      saved = String(await client.call("DEBUG", "DIGEST"));
    }
    for (let round = 0; round < 6; round++) {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      await client.pipeline([["FLUSHALL"], ["SET", "round", String(round)]]);
      const other = String(await client.call("DEBUG", "DIGEST"));
      const [restored] = await Promise.all([
        Promise.allSettled([client.call("BACKUP", "RESTORE", name, "FORCE")]),
        Bun.sleep(random.below(60)).then(() => server.kill()),
      ]);
      await using again = await Server.start(workspace);
      const digest = String(await (await again.connect()).call("DEBUG", "DIGEST"));
      expect([round, [saved, other].includes(digest)]).toEqual([round, true]);
      if (restored[0]?.status === "fulfilled") expect([round, digest]).toEqual([round, saved]);
    }
  }, 60_000);
});

test(`kill -9 in the middle of \`kvdb restore\`: the one or the other (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  await using workspace = await Workspace.create();
  const { path, digest } = await filledFolder(workspace);
  for (let round = 0; round < 8; round++) {
    await ok(workspace, "set", "round", String(round));
    const other = await ok(workspace, "debug", "digest");
    const child = Bun.spawn([workspace.executable, "restore", "--force", path], {
      ...{ cwd: workspace.folder, env: cleanEnvironment(workspace), stdin: "ignore" },
      ...{ stdout: "pipe", stderr: "pipe" },
    });
    await Bun.sleep(random.below(150));
    child.kill("SIGKILL");
    const { code } = await outcomeOf(child);
    // What was cut off behind its switch is finished now, which is told.
    const found = (await kvdb(workspace, ["debug", "digest"])).stdout.trimEnd();
    expect([round, [digest, other].includes(found)]).toEqual([round, true]);
    if (code === 0) expect([round, found]).toEqual([round, digest]);
    expect((await kvdb(workspace, ["check"])).code).toBe(0);
  }
}, 60_000);

test("a stop in the middle of a backup is an orderly one, and nothing half is listed", async () => {
  await using workspace = await Workspace.create();
  for (const word of ["BACKUP", "BACKUP RESTORE"]) {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    for (let batch = 0; batch < 20; batch++) {
      const commands = Array.from({ length: 5000 }, (_, index) => {
        return ["SET", `${word}:${batch}:${index}`, "x".repeat(50)];
      });
      await client.pipeline(commands);
    }
    const names = await listed(client, "name");
    const command = word === "BACKUP" ? [word] : ["BACKUP", "RESTORE", String(names[0]), "FORCE"];
    const answer = client.ask(...command).catch((error: Error) => error);
    const other = await server.connect();
    await until("it is under way", async () => {
      const status = await other.ask("BACKUP", "STATUS");
      return status instanceof ReplyError || fieldOf(status, "stage") !== "idle";
    });
    expect([word, await server.stop()]).toEqual([word, 0]);
    await answer;
    await using again = await Server.start(workspace);
    const third = await again.connect();
    if (word === "BACKUP") await third.call("BACKUP");
    expect(fieldOf(await third.call("CHECK"), "status")).toBe("ok");
    const left = await readdir(workspace.path(".kvdb/backups"));
    expect(left.filter((name) => !/\.rdb\.zst(\.json)?$/.test(name))).toEqual([]);
  }
}, 60_000);

test("what is no backup is told as what it is, and replaces nothing", async () => {
  await using workspace = await Workspace.create();
  await ok(workspace, "set", "name", "Ada");
  const path = await ok(workspace, "backup");
  await workspace.write("dump.rdb", "REDIS0011\u0000");
  for (const [what, code, message] of [
    [dirname(path), 2, "is a folder"],
    ["dump.rdb", 1, "kvdb import"],
    ["./nothing", 74, "there is no file"],
    ["kvdb-20200101T000000Z-r1", 1, "there is no backup"],
  ] as const) {
    const refused = await kvdb(workspace, ["restore", "--force", what]);
    expect([what, refused.code]).toEqual([what, code]);
    expect(refused.stderr).toContain(message);
  }
  expect(await ok(workspace, "get", "name")).toBe('"Ada"');
});

test("a single command tells a failure once, and knows the backups of the folder", async () => {
  await using workspace = await Workspace.create();
  await ok(workspace, "set", "name", "Ada");
  await ok(workspace, "backup");
  expect(await ok(workspace, "backup", "status")).toContain('"count": 1');
  expect(await ok(workspace, "info", "backup")).not.toContain("backup_last_verified_age");
  await workspace.write("kvdb.config.json", { backup: { to: "./taken" } });
  await workspace.write("taken", "a file");
  const status = JSON.parse(await ok(workspace, "--json", "backup", "status"));
  expect(status).toMatchObject({ count: null, problem: expect.stringContaining("/taken") });
  const failed = await kvdb(workspace, ["backup"]);
  expect(failed.code).toBe(1);
  expect(failed.stderr.trimEnd().split("\n")).toEqual([expect.stringContaining("/taken")]);
});

test("a damaged backup: VERIFY says where, restore replaces nothing", async () => {
  await using workspace = await Workspace.create();
  await ok(workspace, "set", "name", "Ada");
  const path = await ok(workspace, "backup");
  const digest = await ok(workspace, "debug", "digest");
  await Bun.write(path, flipped(await readFile(path), 40));
  const verified = await kvdb(workspace, ["backup", "verify", basename(path)]);
  expect(verified.code).toBe(1);
  expect(verified.stderr).toMatch(/damaged at offset \d+/);
  expect(await ok(workspace, "backup", "list")).toContain('"failed"');
  const restored = await kvdb(workspace, ["restore", "--force", path]);
  expect(restored.code).toBe(65);
  expect(restored.stderr).toMatch(/at offset \d+/);
  expect(await ok(workspace, "debug", "digest")).toBe(digest);
});

describe("S3", () => {
  const KEY = "AKIDEXAMPLE";

  async function configured(workspace: Workspace, s3: S3Server): Promise<void> {
    const { endpoint, secretAccessKey } = s3;
    await workspace.write("kvdb.config.json", {
      backup: {
        to: "s3://bucket/nightly",
        s3: { endpoint, accessKeyId: KEY, secretAccessKey },
      },
    });
  }

  test("a backup goes to a bucket, is verified from there, and comes back", async () => {
    await using s3 = await S3Server.start();
    await using workspace = await Workspace.create();
    await configured(workspace, s3);
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await fill(client);
    const url = String(await client.call("BACKUP"));
    expect(url).toMatch(/^s3:\/\/bucket\/nightly\/kvdb-.*\.rdb\.zst$/);
    expect(await listed(client, "verified")).toEqual(["ok"]);
    const digest = await client.call("DEBUG", "DIGEST");
    await client.call("FLUSHALL");
    await client.call("BACKUP", "RESTORE", basename(url));
    expect(await client.call("DEBUG", "DIGEST")).toBe(digest);
    const restored = await ok(workspace, "restore", url, "--to", "other");
    expect(restored).toContain(String(digest));
    await client.call("BACKUP", "DELETE", basename(url));
    expect(await listed(client, "name")).toEqual([]);
    const shown = await ok(workspace, "config", "show");
    for (const text of [shown, server.log]) expect(text).not.toContain(s3.secretAccessKey);
    expect(shown).toContain("***");
  });

  test("a bucket that refuses is told, and the service goes on", async () => {
    await using s3 = await S3Server.start();
    await using workspace = await Workspace.create();
    await configured(workspace, s3);
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await fill(client);
    s3.failNext({ kind: "status", status: 403, code: "AccessDenied", times: 1000 });
    const refused = await client.ask("BACKUP");
    expect(String(refused)).toContain("AccessDenied");
    expect(String(refused)).not.toContain(s3.secretAccessKey);
    expect(await client.call("SET", "a", "1")).toBe("OK");
    expect(String(await client.call("INFO", "backup"))).toContain("backup_last_result:err");
  });

  test("without credentials a server does not start, and other commands need none", async () => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", { backup: { to: "s3://bucket" } });
    await ok(workspace, "set", "a", "1");
    const backup = await kvdb(workspace, ["backup"]);
    expect(backup.code).toBe(1);
    expect(backup.stderr).toContain("AWS_ACCESS_KEY_ID");
    const served = await kvdb(workspace, ["serve", "--port", "0"]);
    expect(served.code).toBe(78);
  });
});
