/**
 * K10: what a start does with a log whose end was never synced, and with one whose durable part was damaged.
 * KVDB_TEST_LONG=1 cuts at every byte.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Random } from "../oracle/random.ts";
import { copyWith, flipped, groupOffsets, SEGMENT_HEADER_BYTES } from "./support/log-file.ts";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const IS_LONG = process.env["KVDB_TEST_LONG"] === "1";
const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
const DAMAGE = 65;
const KEYS = 12;
const SEGMENT = "wal-00000001.log";
const allKeys = Array.from({ length: KEYS }, (_, index) => `key${index}`);

/** A folder `data` of a server that was killed, one group in the log for each key. */
async function writeLog(workspace: Workspace, fsync: string, segmentBytes: number): Promise<void> {
  await workspace.write("kvdb.config.json", {
    dir: "data",
    persistence: { use: "wal", fsync, segmentBytes },
  });
  await using server = await Server.start(workspace);
  const client = await server.connect();
  for (const [index, key] of allKeys.entries()) {
    await client.call("SET", key, `value of ${key}`);
    // Where no reply waits for the disk, the next one could come into the same group.
    await until("it is written", async () => (await infoNumber(client, "wal_groups")) > index);
  }
  await server.kill();
}

const LARGE_SEGMENT = 1_048_576;

async function keysIn(workspace: Workspace, folder: string): Promise<string[]> {
  const { code, stdout, stderr } = await kvdb(workspace, ["--dir", folder, "keys", "*"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const keys = stdout.split("\n").filter((line) => line !== "");
  return keys.map((line) => JSON.parse(line) as string).sort();
}

/** What a folder holds, but for the lock, whose content is of no account. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const name of (await readdir(folder)).sort()) {
    if (name !== "kvdb.lock") content[name] = await readFile(join(folder, name), "latin1");
  }
  return content;
}

describe("an unsynced tail", () => {
  let segment: Buffer;
  let offsets: number[];
  let source: Workspace;

  beforeAll(async () => {
    source = await Workspace.create();
    await writeLog(source, "no", LARGE_SEGMENT);
    segment = await readFile(source.path("data", SEGMENT));
    offsets = groupOffsets(segment);
  });
  afterAll(() => source[Symbol.asyncDispose]());

  /** A start that writes, then one that finds a log without a fault: both find what was whole, and nothing else. */
  async function expectPrefix(folder: string, count: number, toldOffset: number | undefined) {
    const first = await kvdb(source, ["--dir", folder, "set", "new", "1"]);
    expect({ folder, code: first.code, stdout: first.stdout }).toEqual({
      ...{ folder, code: 0, stdout: "OK\n" },
    });
    if (toldOffset === undefined) expect(first.stderr).toBe("");
    else {
      expect(first.stderr).toContain(SEGMENT);
      expect(first.stderr).toMatch(new RegExp(`\\b${toldOffset}\\b`));
    }
    expect(await keysIn(source, folder)).toEqual([...allKeys.slice(0, count), "new"].sort());
  }

  /** Boundaries of groups, the bytes beside them, and some others; in a long run every byte. */
  function cuts(): number[] {
    const end = offsets[offsets.length - 1] as number;
    if (IS_LONG) return Array.from({ length: end - SEGMENT_HEADER_BYTES + 1 }, (_, i) => i + 32);
    const random = new Random(SEED);
    const beside = offsets.slice(0, 4).flatMap((offset) => [offset, offset + 1, offset - 1]);
    const others = Array.from({ length: 12 }, () => random.integer(SEGMENT_HEADER_BYTES, end));
    return [...beside, ...others].filter((cut) => cut >= SEGMENT_HEADER_BYTES);
  }

  test(`K10: the log cut anywhere in it starts and says what was cut, seed ${SEED}`, async () => {
    expect(offsets).toHaveLength(KEYS + 1);
    for (const cut of cuts()) {
      const whole = offsets.findLastIndex((offset) => offset <= cut);
      const start = offsets[whole] as number;
      await copyWith(source.path("data"), source.path(`cut-${cut}`), SEGMENT, (bytes) =>
        bytes.subarray(0, cut),
      );
      await expectPrefix(`cut-${cut}`, whole, cut === start ? undefined : start);
    }
  });

  test("K10: sectors of it that never reached the disk cut what follows them", async () => {
    for (const [lost, what] of [
      [1, "zeros"],
      [5, "zeros"],
      [5, "old bytes"],
    ] as const) {
      const [start, end] = offsets.slice(lost, lost + 2) as [number, number];
      const folder = `lost-${lost}-${what}`;
      await copyWith(source.path("data"), source.path(folder), SEGMENT, (bytes) =>
        Buffer.from(bytes).fill(what === "zeros" ? 0 : "old!", start, end),
      );
      await expectPrefix(folder, lost, start);
    }
  });
});

describe("damage in the durable part", () => {
  const LOST = 4;
  const others = allKeys.filter((_, index) => index !== LOST).sort();

  /** Refused as it is and left alone; with --recover all that is intact is there, now and from then on. */
  async function expectRecovery(workspace: Workspace, place: RegExp, left: readonly string[]) {
    const before = await contentOf(workspace.path("damaged"));
    const folder = ["--dir", "damaged"];
    const refused = await kvdb(workspace, [...folder, "get", "key0"]);
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: DAMAGE, stdout: "" });
    expect(refused.stderr).toMatch(place);
    expect(await contentOf(workspace.path("damaged"))).toEqual(before);

    const recovered = await kvdb(workspace, ["--recover", ...folder, "set", "new", "1"]);
    expect({ code: recovered.code, stdout: recovered.stdout }).toEqual({ code: 0, stdout: "OK\n" });
    expect(await keysIn(workspace, "damaged")).toEqual([...left, "new"].sort());
  }

  test.each([
    ["a flipped bit in a record", 60],
    ["a flipped bit in the header of a group", 9],
    ["a flipped bit in the mark of a group", 1],
  ])("K10: %s is refused with its place, --recover keeps the rest", async (_, within) => {
    await using workspace = await Workspace.create();
    await writeLog(workspace, "always", LARGE_SEGMENT);
    let start = 0;
    await copyWith(workspace.path("data"), workspace.path("damaged"), SEGMENT, (bytes) => {
      start = groupOffsets(bytes)[LOST] as number;
      return flipped(bytes, start + within);
    });
    const place = new RegExp(`${SEGMENT}.*\\b${start}\\b`, "s");
    await expectRecovery(workspace, place, others);
    expect(await readdir(workspace.path("damaged"))).toContain(`${SEGMENT}.damaged-${start}`);
  });

  test("K10: a server is refused in the same way, and serves with --recover", async () => {
    await using workspace = await Workspace.create();
    await writeLog(workspace, "always", LARGE_SEGMENT);
    await copyWith(workspace.path("data"), workspace.path("damaged"), SEGMENT, (bytes) =>
      flipped(bytes, (groupOffsets(bytes)[LOST] as number) + 60),
    );
    const args = ["--dir", "damaged"];
    {
      await using refused = await Server.start(workspace, { args, awaitReady: false });
      expect(await refused.ended()).toBe(DAMAGE);
      expect(refused.log).toContain("--recover");
    }
    await using server = await Server.start(workspace, { flags: ["--recover"], args });
    const client = await server.connect();
    expect(await client.call("DBSIZE")).toBe(KEYS - 1);
    expect(await client.call("GET", `key${LOST + 1}`)).toBe(`value of key${LOST + 1}`);
    expect(server.log).toContain(SEGMENT);
  });

  test("K10: a damaged manifest is refused, --recover reads the segments without it", async () => {
    await using workspace = await Workspace.create();
    await writeLog(workspace, "always", LARGE_SEGMENT);
    await copyWith(workspace.path("data"), workspace.path("damaged"), "manifest.json", (bytes) =>
      flipped(bytes, bytes.indexOf("salt") + 8),
    );
    await expectRecovery(workspace, /manifest\.json/, allKeys);
  });

  test("K10: a segment that is gone is refused, --recover keeps the others", async () => {
    await using workspace = await Workspace.create();
    await writeLog(workspace, "always", 4096);
    await (async () => {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      // Each fills a segment: the next one begins with the next key.
      for (const key of ["large0", "large1", "large2"]) {
        await client.call("SET", key, "x".repeat(5000));
      }
      await server.kill();
    })();
    const segments = (await readdir(workspace.path("data"))).filter((name) => /\.log$/.test(name));
    expect(segments.length).toBeGreaterThanOrEqual(4);
    const [, second = ""] = segments.sort();
    await copyWith(workspace.path("data"), workspace.path("damaged"), second, () => undefined);
    await expectRecovery(workspace, new RegExp(second), [...allKeys, "large1", "large2"]);
  });
});
