/**
 * The whole kernel with `wal` over a disk in memory, ended at each operation of the disk: by a power loss, which keeps what
 * was synced and any other sectors or none, and by a kill, which keeps what was written.
 */
import { expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { createFaultyFiles, MemoryDisk } from "../../suites/index.ts";
import { DIR, inFolder } from "./conversion-harness.ts";

const WRITES = 12;

/** The disk as an end at this moment would find it, and how many writes had been answered. */
interface Moment {
  readonly disk: MemoryDisk;
  readonly answered: number;
}

/** Key i has the value i; one connection, so each write begins when the one before was answered. */
async function momentsOf(options: Readonly<Record<string, unknown>>): Promise<Moment[]> {
  const disk = new MemoryDisk();
  const moments: Moment[] = [];
  let answered = 0;
  const keep = () => void moments.push({ disk: disk.copy(), answered });
  const { files } = createFaultyFiles(disk.files, undefined, { beforeOperation: keep });
  await inFolder("wal", { files, options }, async (call) => {
    for (let i = 1; i <= WRITES; i++) {
      expect(await call("SET", `key:${i}`, String(i).repeat(90))).toMatchObject({ text: "OK" });
      answered = i;
      keep();
    }
  });
  return moments;
}

/** Of the writes, how many are there; the values must be whole. */
async function kept(disk: MemoryDisk, options: Readonly<Record<string, unknown>>): Promise<number> {
  let count = 0;
  await inFolder("wal", { files: disk.files, options }, async (call) => {
    const found = await call("DBSIZE");
    count = found.kind === "integer" ? Number(found.value) : -1;
    for (let i = 1; i <= count; i++) {
      const answer = await call("STRLEN", `key:${i}`);
      expect(answer).toMatchObject({ value: 90 * String(i).length });
    }
  });
  return count;
}

/** Answered writes that a power loss takes away, at the moment when it takes most. */
async function mostLost(options: Readonly<Record<string, unknown>>): Promise<number> {
  let most = 0;
  for (const { disk, answered } of await momentsOf(options)) {
    for (const seed of [0, 1, 2]) {
      const copy = disk.copy();
      copy.crash(seed === 0 ? undefined : seededRandom(seed));
      most = Math.max(most, answered - (await kept(copy, options)));
    }
  }
  return most;
}

test("K7: with fsync always a write is durable before it is answered, whenever the power fails", async () => {
  expect(await mostLost({ fsync: "always" })).toBe(0);
  // So the disk does forget: who is promised less loses something.
  expect(await mostLost({ fsync: "no" })).toBeGreaterThan(0);
});

test("K14: killed at any moment, between segment and manifest too, the old or the new state is whole", async () => {
  const options = { fsync: "always", segmentBytes: 400 };
  const moments = await momentsOf(options);
  let segments = 0;
  for (const { disk, answered } of moments) {
    disk.kill();
    const count = await kept(disk, options);
    expect(count).toBeGreaterThanOrEqual(answered);
    expect(count).toBeLessThanOrEqual(answered + 1);
    const named = await namedSegments(disk);
    expect(await segmentFiles(disk)).toEqual(named);
    segments = Math.max(segments, named.length);
  }
  expect(segments).toBeGreaterThan(3);
});

async function namedSegments(disk: MemoryDisk): Promise<string[]> {
  const file = await disk.files.open(`${DIR}/manifest.json`, "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0, bytes.length, 0);
  await file.close();
  const { segments } = JSON.parse(bytes.toString()) as { segments: { number: number }[] };
  return segments.map(({ number }) => `wal-${String(number).padStart(8, "0")}.log`);
}

async function segmentFiles(disk: MemoryDisk): Promise<string[]> {
  return (await disk.files.list(DIR)).filter((name) => name.startsWith("wal-"));
}
