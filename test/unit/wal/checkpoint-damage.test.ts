/**
 * A checkpoint that was durable and changed: every byte of it and of the manifest that names it is
 * flipped, and both are cut at every length. A start refuses, or has everything; with `recover` it
 * keeps each entry that is intact and all records, and says what is lost.
 */
import { describe, expect, test } from "bun:test";
import {
  type EntryShape,
  expectEntries,
  type MemoryDisk,
  type ReadEntry,
  type ReadRecord,
  readEntryOf,
} from "../../suites/index.ts";
import { allContents, expectKept, forEachChange, lookOrRefuse } from "./damage.ts";
import {
  append,
  check,
  checkpoint,
  checkpointPath,
  emptyDisk,
  look,
  MANIFEST,
  type StartOptions,
  segmentPath,
  start,
} from "./history.ts";

/** One block of short entries and the definition of an index, four parts of a long one, another block. */
const entries: readonly EntryShape[] = [
  { key: "one", value: '{"use":"hash"}', type: "index" },
  { key: "one", value: "1", version: 1 },
  { key: "two", value: '{"n":2}', type: "json", database: 3, version: 2 },
  { key: "long", value: "y".repeat(200_000), database: 3, version: 3 },
  { key: "three", value: "33", deadlineMs: Date.UTC(2050, 0, 1), database: 3, version: 4 },
  { key: "four", value: "444", database: 4, version: 5 },
];
const state = { revision: 5, entries };

/** The checkpoint of them, and three records behind it. */
async function history(options: StartOptions = {}) {
  const disk = await emptyDisk();
  const started = await start(disk.files, options);
  const records: ReadRecord[] = [];
  append(started.instance, [], 1, [20, 30, 40, 50, 60]);
  await checkpoint(started, 5, entries, options);
  for (const revision of [6, 7, 8]) {
    append(started.instance, records, revision, [25]);
    await started.instance.flush(true);
  }
  await started.instance.close();
  return { disk, records };
}

const short: EntryShape[] = entries.filter(({ key }) => key !== "long");

/** Without the long entry: its blocks are as long uncompressed as it is. */
async function plainHistory() {
  const options = { compression: { checkpoints: 0 } };
  const disk = await emptyDisk();
  const started = await start(disk.files, options);
  await checkpoint(started, 5, short, options);
  await started.instance.close();
  return disk;
}

for (const change of ["flip", "cut"] as const) {
  describe(`${change}: at every byte`, () => {
    test("of a compressed checkpoint: DAMAGE", async () => {
      const { disk } = await history();
      expect(disk.contents(checkpointPath(1)).length).toBeLessThan(2000);
      await forEachChange(disk, checkpointPath(1), change, async (copy, where) => {
        if ((await lookOrRefuse(copy)) !== undefined) throw new Error(`${where}: not noticed`);
      });
    });

    test("of a plain one: DAMAGE", async () => {
      const disk = await plainHistory();
      await forEachChange(disk, checkpointPath(1), change, async (copy, where) => {
        if ((await lookOrRefuse(copy)) !== undefined) throw new Error(`${where}: not noticed`);
      });
    });

    test("of the manifest: all of it, or DAMAGE", async () => {
      const { disk, records } = await history();
      await forEachChange(disk, MANIFEST, change, async (copy) => {
        const found = await lookOrRefuse(copy);
        if (found === undefined) return;
        expectEntries(found.entries, state);
        expect(found.read).toEqual(records);
      });
    });

    test("of any file: recover keeps every intact entry, and the log", async () => {
      const { disk, records } = await history();
      for (const path of [MANIFEST, checkpointPath(1)]) {
        await forEachChange(disk, path, change, async (copy, where) => {
          const kept = await expectRecovers(copy, records, where);
          if (path === MANIFEST) expectEntries(kept, state);
          // One block holds one, two or three of the six; without the header nothing is lost.
          if (change === "flip") expect(kept.length).toBeGreaterThanOrEqual(3);
        });
      }
    });
  });
}

/** The next start is quiet and has the same; what was put aside is what was on disk. */
async function expectRecovers(
  disk: MemoryDisk,
  records: readonly ReadRecord[],
  where: string,
): Promise<readonly ReadEntry[]> {
  const before = allContents(disk);
  const recovered = await look(disk.files, { recover: true });
  const known = new Set(entries.map((entry) => JSON.stringify(readEntryOf(entry))));
  for (const entry of recovered.entries) {
    if (!known.has(JSON.stringify(entry))) throw new Error(`${where}: an entry nobody wrote`);
  }
  expect({ where, read: recovered.read }).toEqual({ where, read: records });
  const isTold = recovered.report.dropped.length > 0 && !recovered.report.clean;
  if (recovered.entries.length < entries.length && !isTold) {
    throw new Error(`${where}: entries are missing and nothing was reported`);
  }
  for (const dropped of recovered.report.dropped) expectKept(disk, before, dropped);
  const again = await look(disk.files);
  expect({ where, again: again.entries }).toEqual({ where, again: recovered.entries });
  expect({ where, dropped: again.report.dropped }).toEqual({ where, dropped: [] });
  return recovered.entries;
}

describe("what is lost is told", () => {
  test("by file, offset, bytes and the number of entries", async () => {
    const { disk } = await history();
    const bytes = disk.contents(checkpointPath(1));
    bytes[100] ^= 1; // in the payload of the first block
    disk.put(checkpointPath(1), bytes);
    const { report, entries: kept } = await look(disk.files, { recover: true });
    expect(kept.length).toBe(3);
    const [dropped, ...others] = report.dropped;
    expect(others).toEqual([]);
    expect(dropped).toMatchObject({ kind: "damage", file: checkpointPath(1), offset: 40 });
    expect(dropped?.reason).toContain("3 of its 6 entries");
    expect(dropped?.keptIn).toBe(`${checkpointPath(1)}.damaged-40`);
  });

  test("a long entry of which one part is lost is lost whole, and no other", async () => {
    const { disk } = await history();
    const bytes = disk.contents(checkpointPath(1));
    const parts: number[] = [];
    for (let at = bytes.indexOf("KVB1"); at >= 0; at = bytes.indexOf("KVB1", at + 1)) {
      if (bytes[at + 36] === 2 || bytes[at + 36] === 3) parts.push(at);
    }
    expect(parts.length).toBe(4);
    for (const at of parts) {
      const copy = disk.copy();
      const changed = Buffer.from(bytes);
      changed[at + 50] ^= 1;
      copy.put(checkpointPath(1), changed);
      const { report, entries: kept } = await look(copy.files, { recover: true });
      expectEntries(kept, { revision: 5, entries: short });
      expect(report.dropped).toMatchObject([{ offset: at }]);
      expect(report.dropped[0]?.reason).toContain("1 of its 6 entries");
    }
  });

  test("the checkpoint is gone: DAMAGE; recover has the log, and says that the entries are lost", async () => {
    const { disk, records } = await history();
    disk.drop(checkpointPath(1));
    expect(await lookOrRefuse(disk.copy())).toBeUndefined();
    const found = await look(disk.files, { recover: true });
    expect(found.entries).toEqual([]);
    expect(found.read).toEqual(records);
    expect(found.report).toMatchObject({ clean: false, lastRevision: 8 });
    expect(found.report.dropped).toMatchObject([{ kind: "damage", file: checkpointPath(1) }]);
    expect((await look(disk.files)).report.dropped).toEqual([]);
  });

  test("two checkpoints are exchanged: DAMAGE", async () => {
    const { disk } = await history();
    const other = await history();
    disk.put(checkpointPath(1), other.disk.contents(checkpointPath(1)));
    expect(await lookOrRefuse(disk)).toBeUndefined();
  });
});

describe("the manifest is gone", () => {
  test("recover finds checkpoint and log by their headers", async () => {
    const { disk, records } = await history();
    disk.drop(MANIFEST);
    expect(await lookOrRefuse(disk.copy())).toBeUndefined();
    const found = await look(disk.files, { recover: true });
    expectEntries(found.entries, state);
    expect(found.read).toEqual(records);
  });

  test("one that was not finished is not taken for the one that counts", async () => {
    const { disk, records } = await history();
    disk.drop(MANIFEST);
    const whole = disk.contents(checkpointPath(1));
    const later = Buffer.from(whole.subarray(0, whole.length - 48));
    later.writeUInt32LE(2, 12);
    later.writeUIntLE(8, 16, 6);
    later.writeUInt32LE(Bun.hash.crc32(later.subarray(0, 36)), 36);
    disk.put(checkpointPath(2), later);
    const found = await look(disk.files, { recover: true });
    expectEntries(found.entries, state);
    expect(found.read).toEqual(records);
  });

  test("one that is cut is used as far as it goes when the log does not begin at the beginning", async () => {
    const { disk, records } = await history();
    disk.drop(MANIFEST);
    const whole = disk.contents(checkpointPath(1));
    disk.put(checkpointPath(1), whole.subarray(0, whole.length - 60));
    const found = await look(disk.files, { recover: true });
    expectEntries(found.entries, { revision: 5, entries: entries.slice(0, 4) });
    expect(found.read).toEqual(records);
    const files = found.report.dropped.map(({ file }) => file);
    expect(files).toEqual(["/data/manifest.json", checkpointPath(1)]);
    expect((await look(disk.files)).entries.length).toBe(4);
  });

  test("one that is cut between two blocks is told to be, though nothing of it looks broken", async () => {
    const { disk, records } = await history();
    disk.drop(MANIFEST);
    const whole = disk.contents(checkpointPath(1));
    disk.put(checkpointPath(1), whole.subarray(0, whole.length - 48));
    const checked = await check(disk.files);
    expect(checked.report.dropped.map(({ file }) => file)).toEqual([MANIFEST, checkpointPath(1)]);
    const found = await look(disk.files, { recover: true });
    expectEntries(found.entries, state);
    expect(found.read).toEqual(records);
    const [, cut] = found.report.dropped;
    expect(cut).toMatchObject({ kind: "damage", file: checkpointPath(1), bytes: 0 });
    expect(cut?.reason).toContain("how many entries are lost nobody can tell");
    expectEntries((await look(disk.files)).entries, state);
  });

  test("a log that begins at the beginning needs none: what is there was not finished", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(disk.files);
    const records: ReadRecord[] = [];
    append(instance, records, 1, [20, 30]);
    await instance.flush(true);
    await instance.close();
    const other = (await history()).disk.contents(checkpointPath(1));
    disk.put(checkpointPath(1), other.subarray(0, 90));
    disk.drop(MANIFEST);
    const found = await look(disk.files, { recover: true });
    expect(found.read).toEqual(records);
    expect(found.entries).toEqual([]);
    expect(disk.paths()).toContain(segmentPath(1));
  });
});
