/**
 * How `wal` writes: how many writes and syncs, when segments and zeros ahead are made, what happens
 * at a failure, and what the operator sees and sets.
 */
import { describe, expect, test } from "bun:test";
import { CommandError } from "../../../src/plugin.ts";
import {
  createFaultyFiles,
  createRecordingSink,
  type MemoryDisk,
  type ReadRecord,
} from "../../suites/index.ts";
import {
  append,
  emptyDisk,
  FOLDER,
  look,
  MANIFEST,
  makeWal,
  type StartOptions,
  segmentPath,
  start,
} from "./history.ts";

async function begin(options: StartOptions = {}) {
  const disk = await emptyDisk();
  const started = await start(disk.files, options);
  const appended: ReadRecord[] = [];
  return { disk, appended, ...started };
}

function segmentFiles(disk: MemoryDisk): string[] {
  return disk.paths().filter((path) => path.endsWith(".log"));
}

describe("one group a flush", () => {
  test("what is appended between two flushes costs one write and one sync", async () => {
    const { instance, context, appended } = await begin();
    for (let revision = 1; revision <= 1000; revision++) append(instance, appended, revision, [40]);
    await instance.flush(true);
    const info = context.info("persistence");
    expect(info).toMatchObject({ wal_groups: 1, wal_writes: 1, wal_syncs: 1 });
    await instance.close();
  });

  test("10 000 records in 100 turns with a flush each: at most 100 writes and syncs", async () => {
    const { instance, context, appended } = await begin();
    const flushes: Promise<void>[] = [];
    for (let turn = 0; turn < 100; turn++) {
      append(instance, appended, 1 + turn * 100, new Array<number>(100).fill(32));
      flushes.push(instance.flush(true)); // the journal would wait; the writer need not rely on it
    }
    await Promise.all(flushes);
    const { wal_writes, wal_syncs } = context.info("persistence");
    expect(Number(wal_writes)).toBeLessThanOrEqual(100);
    expect(Number(wal_syncs)).toBeLessThanOrEqual(100);
    await instance.close();
  });

  test("flushes during a flush are one", async () => {
    const { instance, context, appended } = await begin();
    const flushes: Promise<void>[] = [];
    for (let revision = 1; revision <= 50; revision++) {
      append(instance, appended, revision, [10]);
      flushes.push(instance.flush(true));
    }
    await Promise.all(flushes);
    expect(context.info("persistence")).toMatchObject({ wal_groups: 2, wal_writes: 2 });
    await instance.close();
  });

  test("a record longer than the buffer, and a flush longer than it", async () => {
    const { disk, instance, appended } = await begin();
    append(instance, appended, 1, [5, 3 << 20]);
    append(instance, appended, 3, [6]);
    for (let revision = 4; revision < 9; revision++)
      append(instance, appended, revision, [600_000]);
    await instance.flush(true);
    disk.crash();
    expect((await look(disk.files)).read).toEqual(appended);
  });
});

describe("everysec", () => {
  test("a flush during a sync is written at once, and durable only with the next sync", async () => {
    const { disk, instance, appended, context } = await begin({ fsync: "everysec" });
    append(instance, appended, 1, [10]);
    await instance.flush(true);
    append(instance, appended, 2, [10]);
    await instance.flush(false);
    const sync = instance.flush(true);
    expect(context.info("persistence")).toMatchObject({ aof_pending_bio_fsync: 1 });
    append(instance, appended, 3, [10]);
    await instance.flush(false);
    expect(context.info("persistence")).toMatchObject({ wal_writes: 3 });
    await sync;
    expect(Number(context.info("persistence")["wal_pending_bytes"])).toBeGreaterThan(0);
    const between = disk.copy();
    between.crash();
    expect((await look(between.files)).read).toEqual(appended.slice(0, 2));
    await instance.flush(true);
    disk.crash();
    expect((await look(disk.files)).read).toEqual(appended);
  });

  test("a sync that fails while more was written: all of it is written again", async () => {
    const disk = await emptyDisk();
    const faulty = createFaultyFiles(disk.files, undefined, {
      afterFailedSync: (path) => disk.poison(path),
    });
    const { instance } = await start(faulty.files, { fsync: "everysec" });
    const appended: ReadRecord[] = [];
    append(instance, appended, 1, [10]);
    await instance.flush(true);
    append(instance, appended, 2, [10]);
    await instance.flush(false);
    faulty.failNext({ operation: "syncing" });
    const sync = instance.flush(true);
    append(instance, appended, 3, [10]);
    const write = instance.flush(false);
    const ends = await Promise.allSettled([sync, write]);
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await instance.flush(true);
    disk.crash();
    expect((await look(disk.files)).read).toEqual(appended);
  });
});

describe("mode no", () => {
  test("written records leave memory, and come back from the file when it fails", async () => {
    const disk = await emptyDisk();
    const faulty = createFaultyFiles(disk.files, undefined, {
      afterFailedSync: (path) => disk.poison(path),
    });
    const { instance, context } = await start(faulty.files, { fsync: "no" });
    const appended: ReadRecord[] = [];
    for (let revision = 1; revision <= 5; revision++) {
      append(instance, appended, revision, [30]);
      await instance.flush(false);
    }
    expect(context.info("persistence")).toMatchObject({ wal_pending_bytes: 0 });
    faulty.failNext({ operation: "syncing" });
    expect(await instance.flush(true).catch(() => "refused")).toBe("refused");
    await instance.flush(true);
    disk.crash();
    expect((await look(disk.files)).read).toEqual(appended);
  });
});

describe("segments", () => {
  test("a full one is followed by the next, and only its groups are left in it", async () => {
    const { disk, instance, appended, context } = await begin({ segmentBytes: 4096 });
    for (let revision = 1; revision <= 100; revision++) {
      append(instance, appended, revision, [100]);
      await instance.flush(revision % 2 === 0);
    }
    expect(context.info("persistence")).toMatchObject({ wal_segments: 5, wal_groups: 100 });
    await instance.close();
    const files = segmentFiles(disk);
    expect(files.length).toBe(5);
    for (const path of files) expect(disk.contents(path).length).toBeLessThanOrEqual(4096);
    expect((await look(disk.files)).read).toEqual(appended);
  });

  test("zeros are written ahead once a segment has groups, and are gone after a stop in order", async () => {
    const { disk, instance, appended } = await begin();
    for (let revision = 1; revision <= 16; revision++) {
      append(instance, appended, revision, [10]);
      await instance.flush(true);
    }
    const before = disk.contents(segmentPath(1)).length;
    append(instance, appended, 17, [10]);
    await instance.flush(true);
    expect(before).toBeLessThan(2048);
    expect(disk.contents(segmentPath(1)).length).toBe(256 * 1024);
    const killed = disk.copy();
    killed.crash();
    const found = await look(killed.files);
    expect(found.read).toEqual(appended);
    expect(found.report.dropped).toEqual([]);
    await instance.close();
    expect(disk.contents(segmentPath(1)).length).toBeLessThan(2048);
  });

  test("the manifest names them in order with what counts of each", async () => {
    const { disk, instance, appended } = await begin({ segmentBytes: 4096 });
    for (let revision = 1; revision <= 3; revision++) {
      append(instance, appended, revision, [3000]);
      await instance.flush(true);
    }
    const manifest = JSON.parse(disk.contents(MANIFEST).toString());
    expect(manifest).toMatchObject({
      persistence: "wal",
      format: 2,
      segments: [
        { number: 1, firstRevision: 1, bytes: disk.contents(segmentPath(1)).length },
        { number: 2, firstRevision: 2, bytes: disk.contents(segmentPath(2)).length },
        { number: 3, firstRevision: 3 },
      ],
    });
    await instance.close();
  });
});

describe("a disk that refuses", () => {
  test("files do not pile up while it does, and writing goes on by itself", async () => {
    const disk = await emptyDisk();
    const faulty = createFaultyFiles(disk.files, { at: 40, kind: "lasting" });
    const { instance, context } = await start(faulty.files);
    const appended: ReadRecord[] = [];
    let refused = 0;
    for (let revision = 1; revision <= 100; revision++) {
      append(instance, appended, revision, [20]);
      await instance.flush(true).catch(() => refused++);
    }
    expect(refused).toBeGreaterThan(50);
    expect(context.info("persistence")).toMatchObject({ wal_last_write_status: "err" });
    expect(disk.paths().length).toBeLessThanOrEqual(4);
    faulty.heal();
    await instance.flush(true);
    expect(context.info("persistence")).toMatchObject({ wal_last_write_status: "ok" });
    disk.crash();
    expect((await look(disk.files)).read).toEqual(appended);
  });

  test("whose writes alone fail, again and again: the list of segments stays short", async () => {
    const disk = await emptyDisk();
    const faulty = createFaultyFiles(disk.files);
    const { instance, context } = await start(faulty.files);
    const appended: ReadRecord[] = [];
    for (let revision = 1; revision <= 30; revision++) {
      append(instance, appended, revision, [20]);
      faulty.failNext({ operation: "writing", longerThan: 32, path: /\.log$/ });
      expect(await instance.flush(true).catch(() => "refused")).toBe("refused");
    }
    faulty.heal();
    await instance.flush(true);
    expect(context.info("persistence")).toMatchObject({ wal_segments: 1 });
    expect(segmentFiles(disk).length).toBe(1);
    disk.crash();
    expect((await look(disk.files)).read).toEqual(appended);
  });

  test("a stop with records that never became durable is not clean", async () => {
    const disk = await emptyDisk();
    const faulty = createFaultyFiles(disk.files);
    const { instance } = await start(faulty.files);
    const appended: ReadRecord[] = [];
    append(instance, appended, 1, [20]);
    await instance.flush(true);
    append(instance, appended, 2, [20]);
    faulty.failNext({ operation: "writing" });
    expect(await instance.flush(true).catch(() => "refused")).toBe("refused");
    await instance.close();
    expect((await look(disk.files)).report.clean).toBe(false);
  });

  test("a stop whose last sync fails, and nothing helps: the next life can be trusted all the same", async () => {
    const disk = await emptyDisk();
    const afterFailedSync = (path: string) => disk.poison(path);
    const beforeOperation = () => {
      if (faulty.struck) faulty.failNext({ operation: "truncating" });
    };
    const faulty = createFaultyFiles(disk.files, undefined, { afterFailedSync, beforeOperation });
    const started = await start(faulty.files);
    const records: ReadRecord[] = [];
    append(started.instance, records, 1, [600]);
    await started.instance.flush(true);
    faulty.failNext({ operation: "syncing", path: /\.log$/ });
    await expect(started.instance.close()).rejects.toThrow("ENOSPC");
    disk.kill();
    const next = await start(disk.files);
    append(next.instance, records, 2 ** 25, [700]);
    await next.instance.flush(true);
    disk.crash();
    expect((await look(disk.files)).read).toEqual(records);
  });

  test("what a segment repeats after a failed sync is applied once, also without the manifest", async () => {
    const disk = await emptyDisk();
    const faulty = createFaultyFiles(disk.files);
    const { instance } = await start(faulty.files);
    const appended: ReadRecord[] = [];
    append(instance, appended, 1, [20]);
    await instance.flush(true);
    append(instance, appended, 2, [20, 30]);
    await instance.flush(false);
    faulty.failNext({ operation: "syncing" });
    expect(await instance.flush(true).catch(() => "refused")).toBe("refused");
    const both = disk.contents(segmentPath(1));
    append(instance, appended, 4, [40]);
    await instance.flush(true);
    await instance.close();
    disk.put(segmentPath(1), both);
    expect((await look(disk.copy().files)).read).toEqual(appended);
    disk.drop(MANIFEST);
    expect((await look(disk.files, { recover: true })).read).toEqual(appended);
  });
});

describe("what the operator sees and sets", () => {
  test("CONFIG appendfsync changes the promise at run time, and refuses other words", async () => {
    const { instance, context } = await begin();
    const parameter = context.parameters.get("appendfsync");
    expect(parameter?.get()).toBe("always");
    parameter?.set?.("EverySec");
    expect(instance.durability).toBe("everysec");
    expect(() => parameter?.set?.("sometimes")).toThrow(CommandError);
    expect(parameter?.get()).toBe("everysec");
    await instance.close();
  });

  test("from everysec to always: the next durable flush covers what was only written", async () => {
    const { disk, instance, context, appended } = await begin({ fsync: "everysec" });
    append(instance, appended, 1, [10]);
    await instance.flush(true);
    append(instance, appended, 2, [10]);
    await instance.flush(false);
    context.parameters.get("appendfsync")?.set?.("always");
    append(instance, appended, 3, [10]);
    await instance.flush(true);
    disk.crash();
    expect((await look(disk.files)).read).toEqual(appended);
  });

  test("INFO before open and after close does not fail", async () => {
    const disk = await emptyDisk();
    const [instance, context] = makeWal({}, disk.files);
    expect(context.info("persistence")).toMatchObject({ aof_current_size: 0, wal_segments: 0 });
    await instance.open();
    await instance.load(createRecordingSink());
    await instance.close();
    expect(context.info("persistence")).toMatchObject({ wal_segments: 1 });
  });

  test("progress ends at the total", async () => {
    const { disk, instance, appended } = await begin({ segmentBytes: 4096 });
    for (let revision = 1; revision <= 10; revision++) {
      append(instance, appended, revision, [1000]);
      await instance.flush(true);
    }
    await instance.close();
    const [again] = makeWal({ segmentBytes: 4096 }, disk.files);
    const sink = createRecordingSink();
    await again.open();
    await again.load(sink);
    await again.close();
    const last = sink.progressed.at(-1);
    expect(last?.done).toBe(last?.total);
    expect(sink.progressed.every(({ done, total }) => done <= total)).toBe(true);
    expect(disk.paths().every((path) => path.startsWith(FOLDER))).toBe(true);
  });
});
