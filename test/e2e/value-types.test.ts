/**
 * Values of every type, small, at the bounds of the packed forms and far beyond them, on their way to disk and back: through
 * the log, a checkpoint, the readable file and to redis-server. DEBUG DIGEST says whether they are the same.
 */
import { expect, test } from "bun:test";
import { Random } from "../oracle/random.ts";
import type { Argument, Client } from "./support/client.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

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

async function fill(client: Client, random: Random): Promise<void> {
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
  const { after: made } = await digests(workspace, "kill", (client) => fill(client, random));
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
