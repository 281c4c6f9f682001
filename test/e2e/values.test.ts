/**
 * Values of every type on their way to disk and back, through the executable: the log, a checkpoint, CHECK, the readable file,
 * conversion; chosen ones, and generated ones below, at and above the bounds of the packed forms.
 */
import { expect, test } from "bun:test";
import { Random } from "../oracle/random.ts";
import type { Argument, Client } from "./support/client.ts";
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

// ---- generated ----

const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
/** Below, at and above Redis's thresholds (128 entries, 512 integers), and of several parts of 64 KiB. */
const COUNTS = [1, 5, 127, 128, 129, 512, 513, 5000];
const YEAR_2100_MS = 4_102_444_800_000;

function bytesOf(random: Random): Buffer {
  const sizes = [0, 1, 8, 20, 64, 65, 254, 255, 256];
  const size = sizes[random.below(sizes.length)] as number;
  return Buffer.from(Array.from({ length: size }, () => random.below(256)));
}

/** Commands that make a value of each type with about `count` elements. */
function* commands(random: Random, count: number): Generator<readonly Argument[]> {
  const element = (index: number) =>
    random.below(3) === 0
      ? Buffer.concat([bytesOf(random), Buffer.from(`:${index}`)])
      : `e${index}`;
  yield ["SET", `string:${count}`, bytesOf(random)];
  for (let index = 0; index < count; index++) {
    yield [random.below(2) === 0 ? "RPUSH" : "LPUSH", `list:${count}`, element(index)];
    yield ["SADD", `set:${count}`, element(index)];
    yield ["SADD", `integers:${count}`, String((index - 200) * 7_000_003 ** random.below(3))];
    yield ["ZADD", `zset:${count}`, String(random.below(100) / 8 - 4), element(index)];
    yield ["HSET", `hash:${count}`, element(index), bytesOf(random)];
    yield ["XADD", `stream:${count}`, `${1000 + index}-1`, "field", bytesOf(random), "n", index];
    yield ["PFADD", `hll:${count}`, element(index)];
  }
  yield ["ZADD", `zset:${count}`, "inf", "highest", "-inf", "lowest", "1e300", "far"];
  yield ["XGROUP", "CREATE", `stream:${count}`, "group", "0"];
  yield [
    "XREADGROUP",
    "GROUP",
    "group",
    "consumer",
    "COUNT",
    10,
    "STREAMS",
    `stream:${count}`,
    ">",
  ];
  yield ["XDEL", `stream:${count}`, "1000-1"];
  for (const type of ["list", "set", "zset", "hash"]) {
    yield ["COPY", `${type}:${count}`, `copy of ${type}:${count}`];
    yield ["PEXPIREAT", `copy of ${type}:${count}`, YEAR_2100_MS];
  }
  yield ["LREM", `list:${count}`, 2, "e3"];
  yield ["LTRIM", `copy of list:${count}`, 1, -2];
  yield ["HINCRBYFLOAT", `hash:${count}`, "float", "0.1"];
  yield ["SPOP", `copy of set:${count}`, Math.ceil(count / 3)];
  yield ["ZPOPMIN", `copy of zset:${count}`];
  yield ["RENAME", `copy of hash:${count}`, `renamed hash:${count}`];
}

async function fillAtRandom(client: Client, random: Random): Promise<void> {
  for (const count of COUNTS) {
    const all = [...commands(random, count)];
    for (let at = 0; at < all.length; at += 500) await client.pipeline(all.slice(at, at + 500));
  }
}

const digestOf = (client: Client) => client.call("DEBUG", "DIGEST");

/** Lets a server run, and answers the digest before and after `meanwhile`. */
async function digests(
  workspace: Workspace,
  end: "stop" | "kill",
  meanwhile: (client: Client) => Promise<unknown> = async () => {},
) {
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const before = await digestOf(client);
  await meanwhile(client);
  const after = await digestOf(client);
  await (end === "stop" ? server.stop() : server.kill());
  return { before, after };
}

test(`every type is the same after each way to disk and back, seed ${SEED}`, async () => {
  await using workspace = await Workspace.create();
  const random = new Random(SEED);
  const { after: made } = await digests(workspace, "kill", (client) =>
    fillAtRandom(client, random),
  );
  expect(made).not.toBe("0".repeat(40));

  const fromLog = await digests(workspace, "kill", (client) => client.call("COMPACT"));
  expect(fromLog).toEqual({ before: made, after: made });
  const fromCheckpoint = await digests(workspace, "stop", (client) => client.call("CHECK"));
  expect(fromCheckpoint).toEqual({ before: made, after: made });

  for (const persistence of ["json-snapshot", "wal"]) {
    const converted = await kvdb(workspace, ["convert", "--to", persistence]);
    expect(converted).toMatchObject({ code: 0 });
    await workspace.write("kvdb.config.json", JSON.stringify({ persistence }));
    const again = await digests(workspace, "stop");
    expect({ persistence, ...again }).toEqual({ persistence, before: made, after: made });
  }
}, 120_000);
