/**
 * The purpose `check`: everything is read, nothing is changed, all damage is told. At rest, and of a
 * folder that another instance is writing to.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import type { Revision } from "../../../src/plugin.ts";
import {
  createFaultyFiles,
  type EntryShape,
  expectEntries,
  type MemoryDisk,
  type ReadRecord,
} from "../../suites/index.ts";
import { forEachChange, lookOrRefuse, pictureOf } from "./damage.ts";
import {
  append,
  check,
  checkpoint,
  checkpointPath,
  emptyDisk,
  FOLDER,
  look,
  MANIFEST,
  segmentPath,
  smallHistory,
  start,
} from "./history.ts";

const entries: readonly EntryShape[] = [
  { key: "one", value: "1" },
  { key: "long", value: "y".repeat(66_000) },
  { key: "two", value: "[2]", type: "json" },
];

/** A checkpoint, a sealed segment and a last one. */
async function history(end: "closed" | "killed") {
  const disk = await emptyDisk();
  const records: ReadRecord[] = [];
  const started = await start(disk.files, { segmentBytes: 400 });
  append(started.instance, [], 1, [20, 30]);
  await checkpoint(started, 2, entries);
  for (const revision of [3, 4, 5]) {
    append(started.instance, records, revision, [70]);
    await started.instance.flush(true);
  }
  if (end === "closed") await started.instance.close();
  disk.kill();
  return { disk, records };
}

/** What the parts of a folder are called that a test changes. */
const [SEALED, LAST] = [segmentPath(2), segmentPath(3)];

async function checkUnchanged(disk: MemoryDisk, upTo?: Revision) {
  const before = pictureOf(disk);
  const found = await check(disk.files, upTo);
  expect(pictureOf(disk)).toEqual(before);
  return found;
}

describe("at rest", () => {
  test("a whole folder: everything, clean, nothing to tell", async () => {
    const { disk, records } = await history("closed");
    expect(disk.paths()).toEqual([checkpointPath(1), MANIFEST, SEALED, LAST]);
    const { entries: read, read: log, report } = await checkUnchanged(disk);
    expectEntries(read, { revision: 2, entries });
    expect(log).toEqual(records);
    expect(report).toMatchObject({ records: 3, lastRevision: 5, clean: true, dropped: [] });
  });

  test("an empty folder, and one that was never written to", async () => {
    const disk = await emptyDisk();
    expect((await checkUnchanged(disk)).report).toMatchObject({ lastRevision: 0, dropped: [] });
    await look(disk.files);
    expect((await checkUnchanged(disk)).report).toMatchObject({ lastRevision: 0, clean: true });
  });

  for (const change of ["flip", "cut"] as const) {
    for (const end of ["closed", "killed"] as const) {
      test(`${end}, ${change} at every byte: what start refuses is told, what recover keeps is read`, async () => {
        const { disk } = await history(end);
        for (const path of disk.paths()) {
          await forEachChange(disk, path, change, async (copy, where) => {
            const found = await checkUnchanged(copy);
            const told = found.report.dropped.some(({ kind }) => kind === "damage");
            const isRefused = (await lookOrRefuse(copy.copy())) === undefined;
            expect({ where, told }).toEqual({ where, told: isRefused });
            const recovered = await look(copy.files, { recover: true });
            expect({ where, read: found.read }).toEqual({ where, read: recovered.read });
            const { entries: kept } = recovered;
            expect({ where, entries: found.entries }).toEqual({ where, entries: kept });
            expect(found.report.clean).toBe(recovered.report.clean);
          });
        }
      });
    }
  }

  test("all damage is told, not only the first", async () => {
    const { disk, records } = await history("closed");
    for (const [path, offset] of [
      [checkpointPath(1), 60],
      [SEALED, 60],
      [LAST, 60],
    ] as const) {
      const bytes = disk.contents(path);
      bytes[offset] ^= 1;
      disk.put(path, bytes);
    }
    const { report, read } = await checkUnchanged(disk);
    expect(report.dropped).toMatchObject([
      { kind: "damage", file: checkpointPath(1), offset: 40 },
      { kind: "damage", file: SEALED, offset: 32 },
      { kind: "damage", file: LAST, offset: 32 },
    ]);
    expect(read).toEqual(records.slice(1, 2));
    expect(report.dropped.every(({ keptIn }) => keptIn === undefined)).toBe(true);
  });

  test("files that are gone are told", async () => {
    const { disk } = await history("closed");
    disk.drop(checkpointPath(1));
    disk.drop(SEALED);
    const { report } = await checkUnchanged(disk);
    expect(report.dropped).toMatchObject([
      { kind: "damage", file: checkpointPath(1) },
      { kind: "damage", file: SEALED },
    ]);
    disk.drop(MANIFEST);
    const without = await checkUnchanged(disk);
    expect(without.report.dropped).toMatchObject([{ kind: "damage", file: MANIFEST }]);
  });

  test("a tail is told as a tail, and is not cut", async () => {
    const { disk, records } = await history("killed");
    const whole = disk.contents(LAST);
    disk.put(LAST, Buffer.concat([whole, whole.subarray(40, 100), Buffer.alloc(500)]));
    const { report, read } = await checkUnchanged(disk);
    expect(read).toEqual(records);
    expect(report.dropped).toMatchObject([{ kind: "tail", offset: whole.length, bytes: 60 }]);
    expect(report.clean).toBe(false);
  });

  test("leftovers are noted, and cost no cleanness", async () => {
    const { disk, records } = await history("closed");
    disk.put(checkpointPath(2), Buffer.from("half"));
    disk.put(segmentPath(4), disk.contents(LAST).subarray(0, 32));
    disk.put(`${MANIFEST}.new`, Buffer.from("{"));
    const { report, read } = await checkUnchanged(disk);
    expect(read).toEqual(records);
    expect(report.clean).toBe(true);
    expect(report.dropped.map(({ kind, file, bytes }) => [kind, file, bytes]).sort()).toEqual([
      ["note", checkpointPath(2), 4],
      ["note", `${MANIFEST}.new`, 1],
      ["note", segmentPath(4), 32],
    ]);
  });

  test("records that nobody names are told, and left where they are", async () => {
    const { disk } = await smallHistory("closed");
    disk.put(segmentPath(9), disk.contents(segmentPath(3)));
    const { report } = await checkUnchanged(disk);
    expect(report.dropped).toMatchObject([{ kind: "damage", file: segmentPath(9) }]);
  });
});

describe("while another instance writes", () => {
  /** Writes, rotations and checkpoints; what is durable is told to `state`. */
  async function live(
    files: MemoryDisk["files"],
    state: { durable: number; appended: ReadRecord[]; checkpointed: number },
    options: { fsync?: "always" | "everysec" } = {},
  ): Promise<void> {
    const started = await start(files, { segmentBytes: 400, ...options });
    let revision = 0;
    for (let turn = 0; turn < 14; turn++) {
      for (let batch = 0; batch <= turn % 3; batch++) {
        append(started.instance, state.appended, ++revision, [20 + turn * 17]);
      }
      await started.instance.flush(true);
      state.durable = revision;
      if (turn % 5 !== 4) continue;
      await checkpoint(started, revision, entries);
      state.checkpointed = revision;
    }
  }

  /** Up to `upTo` exactly: the entries of one of the checkpoints, and the records behind it. */
  async function expectUpTo(
    disk: MemoryDisk,
    upTo: Revision,
    appended: readonly ReadRecord[],
    where: string,
  ): Promise<void> {
    const { read, entries: found, report } = await checkUnchanged(disk, upTo);
    expect({ where, dropped: report.dropped }).toEqual({ where, dropped: [] });
    expect({ where, last: report.lastRevision }).toEqual({ where, last: upTo });
    const first = read[0]?.revision ?? upTo + 1;
    const wanted = appended.filter(({ revision }) => revision >= first && revision <= upTo);
    expect({ where, read }).toEqual({ where, read: wanted });
    if (first > 1) expectEntries(found, { revision: first - 1, entries });
    else expect(found).toEqual([]);
  }

  test("whatever it is doing at the moment, what is durable is read, and nothing is called damage", async () => {
    const disk = await emptyDisk();
    const state = { durable: 0, appended: [] as ReadRecord[], checkpointed: 0 };
    const moments: { disk: MemoryDisk; durable: number; operation: number }[] = [];
    let operation = 0;
    const keep = () => {
      if (state.durable > 0) moments.push({ disk: disk.copy(), durable: state.durable, operation });
    };
    const { files } = createFaultyFiles(disk.files, undefined, {
      beforeOperation(count) {
        operation = count;
        keep();
      },
    });
    disk.onVolatileWrite = keep;
    await live(files, state);
    expect(moments.length).toBeGreaterThan(100);
    const random = seededRandom(5);
    for (const moment of moments) {
      // The other may have a part of its write in the file, and none of the rest.
      const copy = moment.disk;
      const last = copy.paths().findLast((path) => path.endsWith(".log")) ?? "";
      const bytes = copy.contents(last);
      const torn = Buffer.concat([bytes, bytes.subarray(32, 32 + random.below(60))]);
      const where = `operation ${moment.operation}`;
      await expectUpTo(copy, moment.durable, state.appended, where);
      copy.put(last, torn);
      await expectUpTo(copy, moment.durable, state.appended, `${where}, half a group behind`);
    }
  });

  test("a group that is half written when it is looked at is looked at again", async () => {
    const disk = await emptyDisk();
    const started = await start(disk.files);
    const appended: ReadRecord[] = [];
    for (const revision of [1, 2, 3]) {
      append(started.instance, appended, revision, [100]);
      await started.instance.flush(true);
    }
    const whole = disk.contents(segmentPath(1));
    disk.put(segmentPath(1), Buffer.from(whole).fill(0, 200, 240));
    let operation = 0;
    const { files } = createFaultyFiles(disk.files, undefined, {
      beforeOperation() {
        if (++operation === 9) disk.files.open(segmentPath(1), "update").then(finish);
      },
    });
    const finish = (file: Awaited<ReturnType<typeof files.open>>) =>
      file.write(whole, 200, 240, 200);
    const { read, report } = await check(files, 3);
    expect(read).toEqual(appended);
    expect(report.dropped).toEqual([]);
    expect(operation).toBeGreaterThan(9);
  });

  test("what was durable and is damaged is told", async () => {
    const disk = await emptyDisk();
    const state = { durable: 0, appended: [] as ReadRecord[], checkpointed: 0 };
    await live(disk.files, state);
    const last = disk.paths().findLast((path) => path.endsWith(".log")) ?? "";
    for (const path of [checkpointPath(2), last]) {
      const copy = disk.copy();
      const bytes = copy.contents(path);
      bytes[100] ^= 1;
      copy.put(path, bytes);
      const { report } = await checkUnchanged(copy, state.durable);
      expect(report.dropped).toMatchObject([{ kind: "damage", file: path }]);
    }
  });

  test("it compacts at whichever step of the check: the check is of one moment, and whole", async () => {
    for (let at = 1; ; at++) {
      const disk = await emptyDisk();
      const started = await start(disk.files, { segmentBytes: 300 });
      const appended: ReadRecord[] = [];
      for (let revision = 1; revision <= 6; revision++) {
        append(started.instance, appended, revision, [90]);
        await started.instance.flush(true);
      }
      let compacted: Promise<void> | undefined;
      let operations = 0;
      const { files } = createFaultyFiles(disk.files, undefined, {
        beforeOperation: () => {
          if (++operations === at) compacted = checkpoint(started, 6, entries);
        },
      });
      // The real thing is stopped until the other is done: here they take turns at each operation.
      const { read, entries: found, report } = await check(files, 6);
      await compacted;
      const where = `at ${at}`;
      expect({ where, dropped: report.dropped }).toEqual({ where, dropped: [] });
      expect(report.lastRevision).toBe(6);
      if (found.length > 0) expect(read).toEqual([]);
      else expect({ where, read }).toEqual({ where, read: appended });
      if (compacted === undefined) break;
    }
  });

  test("a checkpoint that is newer than what was asked for is no answer", async () => {
    const { disk } = await history("closed");
    await expect(check(disk.files, 1)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(disk.paths().every((path) => path.startsWith(FOLDER))).toBe(true);
  });
});
