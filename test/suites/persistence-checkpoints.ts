/**
 * What every persistence must do that supports checkpoints: what `writeCheckpoint` was given comes
 * back, records go on behind it, and whenever kvdb stops or the disk refuses, a start finds one
 * checkpoint whole, not older than the last one that was told durable, and all that was
 * acknowledged since.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import {
  everyKind,
  expectEntries,
  shiftedBy,
  takeCheckpoint,
  twoStates,
} from "./checkpoint-run.ts";
import { createLog, emptyDisk, look, outcome, type Subject, start } from "./persistence-case.ts";
import { checkpointFaultTests } from "./persistence-checkpoint-faults.ts";
import type { State } from "./stored-entries.ts";

export function checkpointTests(subject: Subject): void {
  describe("checkpoints", () => {
    contentTests(subject);
    replacementTests(subject);
    if (subject.supports.records) recordTests(subject);
    checkpointFaultTests(subject);
  });
}

// ---- groups of tests ----

function contentTests(subject: Subject): void {
  test("every kind of entry comes back, byte for byte", async () => {
    await expectComesBack(subject, { revision: 2 ** 40 + 9, entries: everyKind });
  });

  test("none at all come back as none, with the revision", async () => {
    await expectComesBack(subject, { revision: 77, entries: [] });
  });

  test("many entries, of every length up to some MiB", async () => {
    const random = seededRandom(7);
    const lengths = [1, 127, 128, 16_383, 16_384, 65_500, 65_536, 65_537, 131_072, 3_000_000];
    const entries = lengths.map((length) => ({
      key: `long:${length}`,
      value: text(random, length),
    }));
    const key = "k".repeat(70_000);
    const many = Array.from({ length: 3000 }, (_, i) => ({ key: `key:${i}`, value: `value ${i}` }));
    await expectComesBack(subject, {
      revision: 4000,
      entries: [...many, ...entries, { key, value: "of a long key" }, ...shiftedBy(many, 1)],
    });
  });
}

async function expectComesBack(subject: Subject, state: State): Promise<void> {
  const disk = await emptyDisk();
  const { instance } = await start(subject.make, disk);
  const report = await takeCheckpoint(subject, { instance, files: disk.files, state });
  expect(report.bytes).toBeGreaterThan(0);
  const killed = disk.copy();
  killed.crash();
  await instance.close();
  for (const end of [disk, killed]) {
    const found = await look(subject.make, end);
    expectEntries(found.entries, state);
    expect(found.report).toMatchObject({ records: 0, lastRevision: state.revision, dropped: [] });
  }
}

function replacementTests(subject: Subject): void {
  const { make } = subject;

  test("a later one replaces it, and nothing of what was deleted stays on disk", async () => {
    const disk = await emptyDisk();
    const first = await start(make, disk);
    const long = text(seededRandom(1), 1 << 20);
    const one = { revision: 1, entries: [{ key: "long", value: long }] };
    await takeCheckpoint(subject, { instance: first.instance, files: disk.files, state: one });
    const two = { revision: 2, entries: [{ key: "short", value: "s" }] };
    await takeCheckpoint(subject, { instance: first.instance, files: disk.files, state: two });
    const sizes = disk.paths().map((path) => disk.contents(path).length);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(100_000);
    await first.instance.close();
    expectEntries((await look(make, disk)).entries, two);
  });

  test("one that is no longer wanted leaves the one before, and the next one succeeds", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(make, disk);
    const { files } = disk;
    const [one, two] = twoStates;
    await takeCheckpoint(subject, { instance, files, state: one });
    const paths = disk.paths();
    const value = text(seededRandom(2), 1 << 20);
    const entries = ["a", "b", "c", "d", "e"].map((key) => ({ key, value }));
    let asked = 0;
    const proceed = () => {
      if (++asked === 2) throw new Error("no longer wanted");
    };
    const unwanted = { revision: 2, entries };
    const attempt = takeCheckpoint(subject, { instance, files, state: unwanted, proceed });
    expect(await outcome(async () => void (await attempt))).toBe(false);
    const stopped = disk.copy();
    stopped.kill();
    expectEntries((await look(make, stopped)).entries, one);
    expect(stopped.paths().length).toBeLessThanOrEqual(paths.length);
    await takeCheckpoint(subject, { instance, files, state: two });
    await instance.close();
    expectEntries((await look(make, disk)).entries, two);
    expect(disk.paths().length).toBeLessThanOrEqual(paths.length);
  });
}

function recordTests(subject: Subject): void {
  const { make } = subject;

  test("records behind a checkpoint come back, those before it do not", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(make, disk);
    const { files } = disk;
    const log = createLog(instance);
    const more = async () => {
      log.append(log.appended.length + 1, [40, 5]);
      await instance.flush(log.appended.length > 4);
    };
    await more();
    const state = { revision: 2, entries: everyKind };
    await takeCheckpoint(subject, { instance, files, state, onBegun: more, onWritten: more });
    await more();
    await instance.close();
    const found = await look(make, disk);
    expectEntries(found.entries, state);
    expect(found.read).toEqual(log.appended.slice(2));
    expect(found.report).toMatchObject({ records: 6, lastRevision: 8, clean: true, dropped: [] });
  });

  test("a stop right behind a checkpoint is told as it was: in order, or not", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(make, disk);
    const log = createLog(instance);
    log.append(1, [10]);
    await instance.flush(true);
    await takeCheckpoint(subject, { instance, files: disk.files, state: twoStates[0] });
    const killed = disk.copy();
    killed.kill();
    await instance.close();
    expect((await look(make, disk)).report.clean).toBe(true);
    expect((await look(make, killed)).report.clean).toBe(false);
  });

  test("records appended while one begins are behind it", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(make, disk);
    const log = createLog(instance);
    log.append(1, [10, 12]);
    const flushed = instance.flush(true);
    const begun = instance.beginCheckpoint?.(2, "compact");
    for (let revision = 3; revision < 10; revision++) {
      log.append(revision, [revision]);
      await instance.flush(revision % 2 === 0);
    }
    await flushed;
    const state = { revision: 2, entries: everyKind };
    const written = await subject.writeCheckpoint({ files: disk.files, state, task: await begun });
    const report = { revision: 2, entries: 1, durationMs: 1, kind: "compact" } as const;
    await instance.checkpointed?.({ ...written, ...report });
    await instance.flush(true);
    disk.crash();
    const found = await look(make, disk);
    expectEntries(found.entries, state);
    expect(found.read).toEqual(log.appended.slice(2));
  });
}

function text(random: { below(bound: number): number }, length: number): string {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = 33 + random.below(90);
  return bytes.toString("latin1");
}
