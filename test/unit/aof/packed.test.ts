/**
 * Sealed increments that were compressed: their bytes, stops and failures at every moment of it, damage
 * to every byte, and what others make of the files: zstd unpacks them, redis-server refuses them.
 */
import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemFiles } from "../../../src/platform/files.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import {
  createBatch,
  createFaultyFiles,
  type MemoryDisk,
  type ReadRecord,
  recordsOf,
} from "../../suites/index.ts";
import { seeds } from "../../suites/seeds.ts";
import { AOF_FOLDER, emptyDisk, FOLDER, type Found, look, lookOrRefuse, start } from "./support.ts";

/** One or two records a file; nothing is rewritten. */
const options = { segmentBytes: 100_000, compression: 3, compaction: { ratio: 0 } } as const;
const CALM_MS = 30_000;
const PACKED = `${AOF_FOLDER}/appendonly.aof.1.incr.aof.zst`;

/** Records of some 90 KB, which fill a file each. */
async function fill({ instance }: Found, from: number, count: number): Promise<ReadRecord[]> {
  const written: ReadRecord[] = [];
  for (let revision = from; revision < from + count; revision++) {
    const batch = createBatch({ firstRevision: revision, sizes: [90_000], words: true });
    instance.append(batch);
    await instance.flush(true);
    written.push(...recordsOf(batch));
  }
  return written;
}

async function settle({ context }: Found): Promise<void> {
  context.clock.advance(CALM_MS);
  while (context.info("persistence")["aof_packing_in_progress"] === 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function packedHistory(): Promise<{ disk: MemoryDisk; written: ReadRecord[] }> {
  const disk = await emptyDisk();
  const running = await start(disk, { options });
  const written = await fill(running, 1, 3);
  await settle(running);
  expect(running.context.info("persistence")["aof_packed_increments"]).toBe(2);
  await running.instance.close();
  return { disk, written };
}

test("records come back out of compressed and plain files, and go on behind them", async () => {
  const { disk, written } = await packedHistory();
  expect(disk.paths().filter((path) => path.includes(".incr."))).toEqual([
    PACKED,
    PACKED.replace(".1.", ".2."),
    `${AOF_FOLDER}/appendonly.aof.3.incr.aof`,
  ]);
  const again = await start(disk, { options });
  expect(again.read).toEqual(written);
  expect(again.report).toMatchObject({ clean: true, dropped: [] });
  const more = await fill(again, 4, 1);
  await again.instance.close();
  expect((await look(disk)).read).toEqual([...written, ...more]);
});

test.skipIf(Bun.which("zstd") === null)("zstd -d gives the file as it was written", async () => {
  const disk = await emptyDisk();
  const running = await start(disk, { options });
  await fill(running, 1, 2);
  const plain = disk.contents(PACKED.slice(0, -".zst".length));
  await settle(running);
  await running.instance.close();
  const unpacked = Bun.spawnSync(["zstd", "-dc"], { stdin: disk.contents(PACKED) });
  expect(Buffer.from(unpacked.stdout).equals(plain)).toBe(true);
});

test.skipIf(Bun.which("redis-server") === null)("redis-server refuses the folder", async () => {
  const { disk } = await packedHistory();
  const folder = await mkdtemp(join(tmpdir(), "kvdb-packed-"));
  try {
    await systemFiles.makeFolder(join(folder, "appendonlydir"));
    for (const path of disk.paths()) {
      await systemFiles.replace(join(folder, path.slice(FOLDER.length)), disk.contents(path));
    }
    const words = ["--port", "0", "--unixsocket", "s", "--dir", folder, "--appendonly", "yes"];
    const redis = Bun.spawnSync(["redis-server", ...words]);
    expect(redis.exitCode).toBe(1);
    expect(redis.stdout.toString()).toContain("Bad file format reading the append only file");
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe("stops and failures", () => {
  test("a stop at every moment: all that was acknowledged is there, compressed or not", async () => {
    const disk = await emptyDisk();
    const moments: { disk: MemoryDisk; count: number }[] = [];
    const written: ReadRecord[] = [];
    const keep = () => void moments.push({ disk: disk.copy(), count: written.length });
    const { files } = createFaultyFiles(disk.files, undefined, { beforeOperation: keep });
    const running = await start(Object.assign(Object.create(disk) as MemoryDisk, { files }), {
      options,
    });
    for (let revision = 1; revision <= 3; revision++) {
      written.push(...(await fill(running, revision, 1)));
    }
    await settle(running);
    await running.instance.close();
    expect(moments.length).toBeGreaterThan(20);
    for (const [index, moment] of moments.entries()) {
      const copy = moment.disk.copy();
      copy.crash(seededRandom(index));
      const { read } = await look(copy);
      expect([index, read.length >= moment.count]).toEqual([index, true]);
      expect(read).toEqual(written.slice(0, read.length));
    }
  });

  test("operation N fails, for every N: nothing is lost", async () => {
    let struck = true;
    for (let at = 1; struck; at++) {
      const disk = await emptyDisk();
      const running = await start(disk, { options });
      const written = await fill(running, 1, 2);
      await running.instance.close();
      const faulty = createFaultyFiles(disk.files, { at, kind: "once" });
      const failing = Object.assign(Object.create(disk) as MemoryDisk, { files: faulty.files });
      const [second] = await Promise.allSettled([start(failing, { options })]);
      if (second.status === "fulfilled") {
        await settle(second.value);
        await Promise.allSettled([second.value.instance.close()]);
      }
      struck = faulty.struck;
      disk.kill();
      expect([at, (await look(disk)).read]).toEqual([at, written]);
    }
  });
});

for (const change of ["flip", "cut"] as const) {
  test(`${change} anywhere: the same, or refused; recover keeps what is intact`, async () => {
    const { disk, written } = await packedHistory();
    const bytes = disk.contents(PACKED);
    const step = Math.max(1, Math.floor(bytes.length / 400));
    let refused = 0;
    for (let offset = 0; offset < bytes.length; offset += offset < 64 ? 1 : step) {
      const changed = Buffer.from(change === "cut" ? bytes.subarray(0, offset) : bytes);
      if (change === "flip") changed[offset] = (changed[offset] as number) ^ (1 << (offset % 8));
      const copy = disk.copy();
      copy.put(PACKED, changed);
      const found = await lookOrRefuse(copy.copy());
      if (found === undefined) refused++;
      else expect([offset, found.read]).toEqual([offset, written]);
      const recovered = await look(copy, { purpose: { kind: "recover" } });
      expect([offset, recovered.read.length >= written.length - 1]).toEqual([offset, true]);
      for (const record of recovered.read) expect(written).toContainEqual(record);
    }
    expect(refused).toBeGreaterThan(300);
  });
}

test.each(seeds(1))("U19: documents take a third at most: seed %d", async (seed) => {
  const random = seededRandom(seed);
  const disk = await emptyDisk();
  const running = await start(disk, { options: { ...options, segmentBytes: 1 << 20 } });
  for (let i = 0; i < 10_000; i += 10) {
    running.instance.append(documents(random, i));
    if (i % 500 === 0) await running.instance.flush(true);
  }
  await running.instance.flush(true);
  const plain = sizesOf(disk);
  await settle(running);
  await running.instance.close();
  const packed = sizesOf(disk);
  expect(packed.sealed * 3).toBeLessThan(plain.sealed);
  expect((await look(disk)).read).toHaveLength(10_000);
});

function documents(random: { below(bound: number): number }, from: number) {
  const words = ["Bern", "Basel", "Genf", "Ada", "Grace", "Edsger", "red", "green", "blue"];
  const pick = () => words[random.below(words.length)];
  const frames = Array.from({ length: 10 }, (_, i) => {
    const value = { id: from + i, name: pick(), city: pick(), tags: [pick(), pick()] };
    const text = JSON.stringify({ ...value, age: random.below(90), address: { street: pick() } });
    const key = `user:${from + i}`;
    const set = `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${text.length}\r\n${text}\r\n`;
    const payload = Buffer.from(`#kvdb-json\r\n${set}`);
    const front = Buffer.alloc(8);
    front.writeUInt32LE(payload.length);
    return Buffer.concat([front, payload]);
  });
  const bytes = Buffer.concat(frames);
  return { firstRevision: from + 1, count: 10, timeMs: from, bytes, start: 0, end: bytes.length };
}

/** Of the increments that are sealed: bytes on disk. */
function sizesOf(disk: MemoryDisk): { sealed: number } {
  const files = disk.paths().filter((path) => path.includes(".incr."));
  const sealed = files.slice(0, -1).reduce((sum, path) => sum + disk.contents(path).length, 0);
  return { sealed };
}
