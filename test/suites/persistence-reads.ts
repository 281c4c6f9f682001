/**
 * What every persistence must do whose log can be read while it is written (`read`): every record comes back from
 * wherever somebody asks, once it is durable as promised and not before, to many readers at a time; and what is gone
 * is told as a gap, never passed over in silence.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import type { Persistence, RecordBatch, Revision } from "../../src/plugin.ts";
import { takeCheckpoint } from "./checkpoint-run.ts";
import type { MemoryDisk } from "./memory-files.ts";
import { type Appender, createLog, emptyDisk, FOLDER, type Subject } from "./persistence-case.ts";
import {
  createRecordingSink,
  createTestContext,
  type ReadRecord,
  recordsOf,
} from "./persistence-context.ts";

export function readTests(subject: Subject): void {
  describe("reading the log", () => {
    placeTests(subject);
    writingTests(subject);
    if (subject.supports.checkpoints) keepingTests(subject);
  });
}

// ---- a log that is read ----

/** Opens for somebody who reads: what a checkpoint covers is kept. */
async function open(
  { make }: Subject,
  disk: MemoryDisk,
  isFollowed = true,
): Promise<Appender & { readonly instance: ReadablePersistence }> {
  const instance = make(createTestContext({ files: disk.files, folder: FOLDER }));
  await instance.open();
  await instance.load(createRecordingSink());
  if (isFollowed) instance.keepForReaders?.();
  const log = createLog(instance);
  return { ...log, instance: instance as ReadablePersistence };
}

type ReadablePersistence = Persistence & Required<Pick<Persistence, "read" | "readableFrom">>;

/** Records from `from` on, each once. */
async function readFrom(instance: ReadablePersistence, from: Revision): Promise<ReadRecord[]> {
  const read: ReadRecord[] = [];
  for await (const batch of instance.read(from)) addRecords(batch, from, read);
  return read;
}

function addRecords(batch: RecordBatch, from: Revision, read: ReadRecord[]): void {
  for (const record of recordsOf(batch)) {
    if (record.revision >= Math.max(from, (read.at(-1)?.revision ?? 0) + 1)) read.push(record);
  }
}

/** Appends batches of one to three records, each made durable. */
async function write(log: Appender, first: Revision, last: Revision): Promise<void> {
  for (let revision = first; revision <= last; ) {
    const count = Math.min(1 + (revision % 3), last - revision + 1);
    log.append(
      revision,
      Array.from({ length: count }, (_, i) => 20 + ((revision + i) % 90)),
    );
    await log.instance.flush(true);
    revision += count;
  }
}

// ---- groups of tests ----

function placeTests(subject: Subject): void {
  test("from every revision on the records come back, byte for byte, with time and revision", async () => {
    const log = await open(subject, await emptyDisk());
    await write(log, 1, 60);
    for (let from = log.instance.readableFrom; from <= 60; from++) {
      expect(await readFrom(log.instance, from)).toEqual(log.appended.slice(from - 1));
    }
    expect(await readFrom(log.instance, 61)).toEqual([]);
    expect(log.instance.readableFrom).toBe(1);
    await log.instance.close();
  });

  test("revisions may jump: whoever asks for one that no record has is given what follows", async () => {
    const log = await open(subject, await emptyDisk());
    await write(log, 1, 10);
    await write(log, 1000, 1010);
    for (const from of [5, 11, 500, 1000]) {
      const expected = log.appended.filter(({ revision }) => revision >= from);
      expect(await readFrom(log.instance, from)).toEqual(expected);
    }
    await log.instance.close();
  });

  test("records of a life before are read too, after a stop and after a kill", async () => {
    const disk = await emptyDisk();
    const first = await open(subject, disk);
    await write(first, 1, 20);
    await first.instance.close();
    const second = await open(subject, disk);
    await write(second, 21, 40);
    disk.kill();
    const third = await open(subject, disk);
    await write(third, 2 ** 24, 2 ** 24 + 5);
    const written = [...first.appended, ...second.appended, ...third.appended];
    for (const from of [1, 15, 21, 40, 41]) {
      const expected = written.filter(({ revision }) => revision >= from);
      expect(await readFrom(third.instance, from)).toEqual(expected);
    }
    await third.instance.close();
  });

  test("batches of one byte to some MiB, of one to thousands of records", async () => {
    const log = await open(subject, await emptyDisk());
    let revision = 1;
    for (const sizes of [[1], [3 << 20], new Array(5000).fill(40), [1 << 20, 7, 1 << 20], [1]]) {
      log.append(revision, sizes);
      revision += sizes.length;
      await log.instance.flush(true);
    }
    const read = await readFrom(log.instance, 1);
    expect(read.length).toBe(log.appended.length);
    expect(read).toEqual(log.appended);
    expect(await readFrom(log.instance, 2000)).toEqual(log.appended.slice(1999));
    await log.instance.close();
  });
}

function writingTests(subject: Subject): void {
  test("ends at what is durable as promised, and goes on behind it later", async () => {
    const log = await open(subject, await emptyDisk());
    await write(log, 1, 4);
    log.append(5, [10]);
    expect(await readFrom(log.instance, 1)).toEqual(log.appended.slice(0, 4));
    await log.instance.flush(false);
    if (log.instance.durability !== "no") {
      expect(await readFrom(log.instance, 1)).toEqual(log.appended.slice(0, 4));
    }
    await log.instance.flush(true);
    expect(await readFrom(log.instance, 1)).toEqual(log.appended);
    expect(await readFrom(log.instance, 5)).toEqual(log.appended.slice(4));
    await log.instance.close();
  });

  test("many readers at different places, while records are written", async () => {
    const random = seededRandom(5);
    const log = await open(subject, await emptyDisk());
    await write(log, 1, 30);
    const readers = [1, 7, 15, 22, 30].map((from) => ({
      ...{ from, read: [] as ReadRecord[] },
      batches: log.instance.read(from)[Symbol.asyncIterator](),
    }));
    const isBehind = ({ read }: (typeof readers)[0]) => read.at(-1)?.revision !== 90;
    for (let revision = 31; readers.some(isBehind); revision += 3) {
      if (revision < 90) await write(log, revision, revision + 2);
      const reader = readers[random.below(readers.length)] as (typeof readers)[0];
      const { done, value } = await reader.batches.next();
      if (done !== true) addRecords(value, reader.from, reader.read);
      else reader.batches = log.instance.read(next(reader))[Symbol.asyncIterator]();
    }
    for (const { from, read } of readers) expect(read).toEqual(log.appended.slice(from - 1));
    await log.instance.close();
  });

  test("a reader that is left half way holds nothing up", async () => {
    const log = await open(subject, await emptyDisk());
    await write(log, 1, 20);
    for await (const batch of log.instance.read(3)) {
      expect(batch.count).toBeGreaterThan(0);
      break;
    }
    await write(log, 21, 25);
    expect(await readFrom(log.instance, 1)).toEqual(log.appended);
    await log.instance.close();
  });
}

const next = ({ from, read }: { from: Revision; read: ReadRecord[] }) =>
  (read.at(-1)?.revision ?? from - 1) + 1;

function keepingTests(subject: Subject): void {
  test("what a checkpoint covers is kept for who reads, also over a stop and a kill", async () => {
    const disk = await emptyDisk();
    const written: ReadRecord[] = [];
    for (let round = 0; round < 4; round++) {
      // Who read once is expected to come back.
      const log = await open(subject, disk, round === 0);
      expect(log.instance.readableFrom).toBe(1);
      await write(log, 1 + round * 10, 10 + round * 10);
      written.push(...log.appended);
      await checkpoint(subject, log.instance, disk, 10 + round * 10);
      expect(await readFrom(log.instance, 1)).toEqual(written);
      expect(await readFrom(log.instance, 7 + round)).toEqual(written.slice(6 + round));
      if (round % 2 === 0) await log.instance.close();
      else disk.kill();
    }
  });

  test("who followed the changes in a life before finds them, though a checkpoint came first", async () => {
    const disk = await emptyDisk();
    const first = await open(subject, disk);
    await write(first, 1, 10);
    await first.instance.close();
    const log = await open(subject, disk, false);
    await checkpoint(subject, log.instance, disk, 10);
    expect(await readFrom(log.instance, 1)).toEqual(first.appended);
    await log.instance.close();
  });

  test("where nobody reads, nothing is kept, and what is gone is told as a gap", async () => {
    const disk = await emptyDisk();
    const log = await open(subject, disk, false);
    await write(log, 1, 20);
    await checkpoint(subject, log.instance, disk, 20);
    await write(log, 21, 25);
    expect(log.instance.readableFrom).toBe(21);
    expect(await readFrom(log.instance, 21)).toEqual(log.appended.slice(20));
    await expect(readFrom(log.instance, 20)).rejects.toMatchObject({ reply: "LOGGAP" });
    await log.instance.close();
  });

  test("a reader under whom a checkpoint lets files go reads on, or is told of a gap", async () => {
    const disk = await emptyDisk();
    const log = await open(subject, disk, false);
    await write(log, 1, 60);
    const read: ReadRecord[] = [];
    let failure: unknown;
    try {
      for await (const batch of log.instance.read(1)) {
        addRecords(batch, 1, read);
        if (read.length > 10 && read.length < 14) {
          await checkpoint(subject, log.instance, disk, 60);
          await write(log, 61, 70);
        }
      }
    } catch (error) {
      failure = error;
    }
    expect(read).toEqual(log.appended.slice(0, read.length));
    expect(read.length).toBeGreaterThan(10);
    if (failure !== undefined) expect(failure).toMatchObject({ reply: "LOGGAP" });
    else expect(read.length).toBe(log.appended.length);
    await log.instance.close();
  });

  test("nothing before a state that replaced all leads to it", async () => {
    const disk = await emptyDisk();
    const log = await open(subject, disk);
    await write(log, 1, 20);
    await checkpoint(subject, log.instance, disk, 20, { replacesAll: true });
    await write(log, 21, 25);
    expect(log.instance.readableFrom).toBe(21);
    await expect(readFrom(log.instance, 20)).rejects.toMatchObject({ reply: "LOGGAP" });
    expect(await readFrom(log.instance, 21)).toEqual(log.appended.slice(20));
    await log.instance.close();
    const again = await open(subject, disk);
    expect(again.instance.readableFrom).toBe(21);
    await again.instance.close();
  });

  test("what follows a state that replaced nothing is kept behind the next one, also when it is opened again", async () => {
    const disk = await emptyDisk();
    const log = await open(subject, disk);
    await checkpoint(subject, log.instance, disk, 20, { replacesAll: true });
    await write(log, 21, 30);
    await checkpoint(subject, log.instance, disk, 30);
    await write(log, 31, 35);
    expect(log.instance.readableFrom).toBe(21);
    expect(await readFrom(log.instance, 21)).toEqual(log.appended);
    await log.instance.close();
    const again = await open(subject, disk);
    expect(again.instance.readableFrom).toBe(21);
    expect(await readFrom(again.instance, 21)).toEqual(log.appended);
    await again.instance.close();
  });
}

async function checkpoint(
  subject: Subject,
  instance: Persistence,
  { files }: MemoryDisk,
  revision: Revision,
  parts: { readonly replacesAll?: boolean } = {},
): Promise<void> {
  const state = { revision, entries: [{ key: "k", value: String(revision) }] };
  await takeCheckpoint(subject, { instance, files, state, ...parts });
}
