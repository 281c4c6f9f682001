/**
 * What every persistence must do, run against each built-in one and against yours:
 * `persistenceSuite({ plugin, options })` at the head of its test file. It asserts what the
 * journal and the user would notice, on a disk in memory that forgets at a crash what was not
 * synced. A test is left out only for what the instance's `supports` denies.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import { createFaultyFiles } from "./faulty-files.ts";
import {
  createLog,
  emptyDisk,
  expectPrefix,
  FOLDER,
  outcome,
  type PersistenceCase,
  type Subject,
  session,
  start,
  subjectOf,
} from "./persistence-case.ts";
import { checkpointTests } from "./persistence-checkpoints.ts";
import { createRecordingSink, createTestContext, type ReadRecord } from "./persistence-context.ts";
import { readTests } from "./persistence-reads.ts";

export function persistenceSuite<Options>(tested: PersistenceCase<Options>): void {
  describe(`persistence ${tested.plugin.name}, ${tested.name ?? "default"}`, () => {
    const subject = subjectOf(tested);
    lifeCycleTests(subject);
    if (!subject.supports.records && !subject.supports.checkpoints) keepsNothingTests(subject);
    if (subject.supports.checkpoints) checkpointTests(subject);
    if (!subject.supports.records) return;
    recordTests(subject);
    if (subject.reads) readTests(subject);
    stopTests(subject);
    flushTests(subject);
    failureTests(subject);
  });
}

// ---- groups of tests ----

function lifeCycleTests({ make, supports }: Subject): void {
  test("the factory acquires nothing", async () => {
    const disk = await emptyDisk();
    make(createTestContext({ files: disk.files, folder: FOLDER }));
    expect(disk.paths()).toEqual([]);
  });

  test("a new folder is empty and clean", async () => {
    const { report, read, instance } = await start(make, await emptyDisk());
    await instance.close();
    expect(read).toEqual([]);
    expect(report).toMatchObject({ records: 0, lastRevision: 0, clean: true, dropped: [] });
  });

  test("close works without open, and after open without load", async () => {
    const disk = await emptyDisk();
    const context = createTestContext({ files: disk.files, folder: FOLDER });
    await make(context).close();
    const opened = make(context);
    await opened.open();
    await opened.close();
  });

  test("whichever operation of a start fails, close works and the next start is complete", async () => {
    const origin = await emptyDisk();
    await session(make, origin, async (log) => {
      if (!supports.records) return;
      log.append(1, [20, 30]);
      await log.instance.flush(true);
    });
    for (let at = 1; ; at++) {
      const disk = origin.copy();
      const faulty = createFaultyFiles(disk.files, { at, kind: "once", errno: "EIO" });
      const context = createTestContext({ files: faulty.files, folder: FOLDER });
      const instance = make(context);
      await outcome(async () => {
        await instance.open();
        await instance.load(createRecordingSink());
      });
      const struck = faulty.struck;
      await outcome(() => instance.close());
      disk.kill();
      const again = await start(make, disk);
      await again.instance.close();
      const before = await start(make, origin.copy());
      await before.instance.close();
      expect(again.read).toEqual(before.read);
      if (!struck) break;
    }
  });
}

function keepsNothingTests({ make }: Subject): void {
  test("promises nothing, leaves no file, and flush resolves", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(make, disk);
    expect(instance.durability).toBe("none");
    await instance.flush(true);
    await instance.close();
    expect(disk.paths()).toEqual([]);
  });
}

function recordTests({ make }: Subject): void {
  test("records come back in order and byte for byte, with time and revision", async () => {
    const disk = await emptyDisk();
    const written = await session(make, disk, async (log) => {
      log.append(1, [10]);
      log.append(2, [0, 1, 500]);
      await log.instance.flush(true);
      log.append(5, [3]);
      await log.instance.flush(true);
    });
    const { read, report, instance } = await start(make, disk);
    await instance.close();
    expect(read).toEqual(written);
    expect(report).toMatchObject({ records: 5, lastRevision: 5, clean: true, dropped: [] });
  });

  test("batches of one byte to some MiB, of one to thousands of records", async () => {
    const disk = await emptyDisk();
    const written = await session(make, disk, async (log) => {
      let revision = 1;
      for (const sizes of [[1], [3 << 20], repeat(40, 5000), [1 << 20, 7, 1 << 20], repeat(1, 3)]) {
        log.append(revision, sizes);
        revision += sizes.length;
        if (sizes.length !== 1) await log.instance.flush(true);
      }
    });
    const { read, instance } = await start(make, disk);
    await instance.close();
    expect(read.length).toBe(written.length);
    expect(read).toEqual(written);
  });

  test("many sessions on one folder: everything is there, in order", async () => {
    const disk = await emptyDisk();
    const written: ReadRecord[] = [];
    for (let round = 0; round < 20; round++) {
      const more = await session(make, disk, async (log) => {
        log.append(1 + round * 2, [round, 100]);
        await log.instance.flush(round % 2 === 0);
      });
      written.push(...more);
    }
    const { read, report, instance } = await start(make, disk);
    await instance.close();
    expect(read).toEqual(written);
    expect(report.lastRevision).toBe(40);
  });

  test("revisions may jump", async () => {
    const disk = await emptyDisk();
    const written = await session(make, disk, async (log) => {
      log.append(7, [1, 2]);
      log.append(9 + 2 ** 24, [3]);
      await log.instance.flush(true);
      log.append(2 ** 47, [4]);
      await log.instance.flush(true);
    });
    const { read, report, instance } = await start(make, disk);
    await instance.close();
    expect(read).toEqual(written);
    expect(report.lastRevision).toBe(2 ** 47);
  });

  test("a start that writes nothing changes nothing for the next", async () => {
    const disk = await emptyDisk();
    const written = await session(make, disk, async (log) => {
      log.append(1, [10, 20]);
      await log.instance.flush(true);
    });
    for (let round = 0; round < 3; round++) {
      const { read, report, instance } = await start(make, disk);
      await instance.close();
      expect(read).toEqual(written);
      expect(report.clean).toBe(true);
    }
  });
}

function stopTests({ make }: Subject): void {
  test("a kill keeps what was flushed and is told as unclean", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(make, disk);
    const log = createLog(instance);
    log.append(1, [10]);
    await instance.flush(true);
    log.append(2, [20]);
    await instance.flush(false);
    disk.kill();
    const { read, report, instance: next } = await start(make, disk);
    await next.close();
    expect(read).toEqual(log.appended);
    expect(report).toMatchObject({ clean: false, lastRevision: 2 });
  });

  test("an unclean stop stays unclean until something is written", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(make, disk);
    createLog(instance).append(1, [10]);
    await instance.flush(true);
    disk.kill();
    const second = await start(make, disk);
    await second.instance.close();
    const third = await start(make, disk);
    createLog(third.instance).append(2 ** 24, [1]);
    await third.instance.flush(true);
    await third.instance.close();
    const fourth = await start(make, disk);
    await fourth.instance.close();
    expect([second, third, fourth].map(({ report }) => report.clean)).toEqual([false, false, true]);
  });

  test("a power loss keeps what a durable flush resolved for", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(make, disk);
    const log = createLog(instance);
    for (let revision = 1; revision <= 20; revision++) {
      log.append(revision, [revision * 30]);
      await instance.flush(revision <= 12);
    }
    for (let seed = 0; seed < 50; seed++) {
      const copy = disk.copy();
      copy.crash(seed === 0 ? undefined : seededRandom(seed));
      const { read, instance: next } = await start(make, copy);
      await next.close();
      expectPrefix(read, log.appended, 12, `seed ${seed}`);
    }
  });

  test("after a clean stop the first write makes the stop unclean, in every mode", async () => {
    const disk = await emptyDisk();
    await session(make, disk, async (log) => {
      log.append(1, [10]);
      await log.instance.flush(true);
    });
    const { instance } = await start(make, disk);
    createLog(instance).append(2, [10]);
    await instance.flush(false);
    disk.crash();
    const { report, instance: next } = await start(make, disk);
    await next.close();
    expect(report.clean).toBe(false);
  });
}

function flushTests({ make }: Subject): void {
  test("flush resolves with nothing to write, durable or not", async () => {
    const { instance } = await start(make, await emptyDisk());
    await instance.flush(false);
    await instance.flush(true);
    await instance.close();
  });

  test("a durable flush covers what was written before by others", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(make, disk);
    const log = createLog(instance);
    for (let revision = 1; revision <= 5; revision++) {
      log.append(revision, [50]);
      await instance.flush(false);
    }
    await instance.flush(true);
    disk.crash();
    const { read, instance: next } = await start(make, disk);
    await next.close();
    expect(read).toEqual(log.appended);
  });

  test("appends and flushes during a flush: each resolves for what came before it", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(make, disk);
    const log = createLog(instance);
    const flushes: Promise<void>[] = [];
    for (let revision = 1; revision <= 40; revision++) {
      log.append(revision, [revision]);
      flushes.push(instance.flush(revision % 3 === 0));
    }
    await Promise.all(flushes.slice(0, 21)); // the 21st is durable
    const after = disk.copy();
    await Promise.all(flushes);
    after.crash();
    const early = await start(make, after);
    await early.instance.close();
    expectPrefix(early.read, log.appended, 21, "after the 21st flush");
    await instance.close();
    const { read, instance: next } = await start(make, disk);
    await next.close();
    expect(read).toEqual(log.appended);
  });
}

function failureTests({ make }: Subject): void {
  for (const kind of ["once", "lasting"] as const) {
    test(`operation N fails (${kind}), for every N: nothing acknowledged is lost`, async () => {
      let struck = true;
      for (let at = 1; struck; at++) struck = await failingSession(make, at, kind);
    });
  }
}

/** A session in which operation `at` fails; false when it has fewer operations. */
async function failingSession(
  make: Subject["make"],
  at: number,
  kind: "once" | "lasting",
): Promise<boolean> {
  const disk = await emptyDisk();
  const afterFailedSync = (path: string) => disk.poison(path);
  const faulty = createFaultyFiles(disk.files, { at, kind }, { afterFailedSync });
  const context = createTestContext({ files: faulty.files, folder: FOLDER });
  const instance = make(context);
  const log = createLog(instance);
  const started = await outcome(async () => {
    await instance.open();
    await instance.load(createRecordingSink());
  });
  let acknowledged = 0;
  if (started) {
    for (let revision = 1; revision <= 8; revision++) {
      if (revision === 6) faulty.heal();
      log.append(revision, [revision * 100]);
      if (await outcome(() => instance.flush(revision % 2 === 0))) {
        if (revision % 2 === 0) acknowledged = revision;
      }
    }
    // Whatever failed, and however long: it works again by itself.
    expect(acknowledged).toBe(8);
  }
  const { struck } = faulty;
  await outcome(() => instance.close());
  disk.crash();
  const { read, instance: next } = await start(make, disk);
  await next.close();
  expectPrefix(read, log.appended, acknowledged, `operation ${at} fails ${kind}`);
  return struck;
}

function repeat(size: number, count: number): number[] {
  return new Array<number>(count).fill(size);
}
