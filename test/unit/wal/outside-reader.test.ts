/**
 * FORMAT.md is complete: a reader that was written from it alone (outside-reader.ts) finds in a
 * folder what the plugin finds, whatever is in it: packed segments, checkpoints, entries longer than
 * a block, a segment that was given up, and what earlier versions have left.
 */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { everyKind } from "../../suites/checkpoint-run.ts";
import {
  createFaultyFiles,
  type EntryShape,
  type MemoryDisk,
  type ReadRecord,
} from "../../suites/index.ts";
import { append, checkpoint, emptyDisk, FOLDER, look, type Started, start } from "./history.ts";
import { type OutsideReading, readFolder } from "./outside-reader.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures/formats");
const options = { segmentBytes: 100_000, compaction: { ratio: 0 } };

/** Reads the folder as it lies there, then as the plugin does. */
async function expectSame(disk: MemoryDisk): Promise<OutsideReading> {
  const outside = readFolder((name) => disk.contents(`${FOLDER}/${name}`));
  const { entries, read, report } = await look(disk.files, options);
  expect(outside.entries).toEqual(entries);
  expect(outside.records).toEqual(read);
  expect(outside.isClosed).toBe(report.clean);
  return outside;
}

/** Each a group of its own. */
async function write(
  { instance }: Pick<Started, "instance">,
  records: ReadRecord[],
  sizes: readonly number[],
): Promise<void> {
  for (const size of sizes) {
    append(instance, records, (records.at(-1)?.revision ?? 0) + 1, [size, 3]);
    await instance.flush(true);
  }
}

/** Packing begins when the log has grown slowly for a while. */
async function untilPacked({ context }: Started, count: number): Promise<void> {
  context.clock.advance(60_000);
  const packed = () => Number(context.info("persistence")["wal_packed_segments"]);
  for (let turn = 0; packed() < count; turn++) {
    if (turn > 5000) throw new Error(`${packed()} segments are packed, ${count} were to be`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("packed segments, a checkpoint, and the log behind it", async () => {
  const disk = await emptyDisk();
  const started = await start(disk.files, options);
  const records: ReadRecord[] = [];
  await write(started, records, [40_000, 10, 90_000]);
  const entries: EntryShape[] = [
    ...everyKind.map((entry) => ({ version: 6, ...entry })),
    { key: "k".repeat(70_000), value: "v".repeat(200_000), version: 6 },
    { key: "behind it", value: "x".repeat(65_500), deadlineMs: 4e12, database: 3, version: 6 },
  ];
  await checkpoint(started, 6, entries, options);
  await write(started, records, [150_000, 40_000, 50_000, 30, 80_000, 20]);
  await untilPacked(started, 2);
  await started.instance.close();
  const outside = await expectSame(disk);
  expect(outside.entries.length).toBe(entries.length);
  expect(outside.records).toEqual(records.slice(6));
  const kinds = ["checkpoint", "long entry", "value in parts", "packed", "zstd", "plain"] as const;
  for (const kind of kinds) {
    expect(outside.seen).toContain(kind);
  }
  expect(outside.isClosed).toBe(true);
});

test("a segment that was given up, and zeros ahead behind the last group", async () => {
  const disk = await emptyDisk();
  const faulty = createFaultyFiles(disk.files);
  const started = await start(faulty.files, options);
  const records: ReadRecord[] = [];
  await write(started, records, [10, 20]);
  faulty.failNext({ operation: "writing", path: /\.log$/ });
  append(started.instance, records, 5, [30]);
  await expect(started.instance.flush(true)).rejects.toThrow("ENOSPC");
  await started.instance.flush(true);
  await write(
    started,
    records,
    Array.from({ length: 20 }, (_, index) => index),
  );
  disk.kill();
  const outside = await expectSame(disk);
  expect(outside.records).toEqual(records);
  expect(outside.seen).toContain("zeros");
});

const older = readdirSync(FIXTURES).filter((name) =>
  /^wal-.*-(stopped|killed|given-up)$/.test(name),
);

test.each(older)("a folder of an earlier version: %s", async (name) => {
  const folder = join(FIXTURES, name, "data");
  const disk = await emptyDisk();
  for (const file of readdirSync(folder))
    disk.put(`${FOLDER}/${file}`, readFileSync(join(folder, file)));
  expect((await expectSame(disk)).records.length).toBeGreaterThan(10);
});
