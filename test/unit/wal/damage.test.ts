/**
 * Bytes that were durable and changed: every byte of a small log and of its manifest is flipped,
 * and every file is cut at every length. A start gives all records or the error DAMAGE; never a
 * wrong record, and never fewer without saying so.
 */
import { describe, expect, test } from "bun:test";
import wal from "../../../plugins/wal/index.ts";
import { KvdbError } from "../../../src/plugin.ts";
import {
  createBatch,
  createRecordingSink,
  createTestContext,
  type MemoryDisk,
  type ReadRecord,
} from "../../suites/index.ts";
import { allContents, expectKept, forEachChange, lookOrRefuse } from "./damage.ts";
import {
  append,
  emptyDisk,
  expectPrefix,
  FOLDER,
  look,
  MANIFEST,
  segmentPath,
  smallHistory,
  start,
} from "./history.ts";

/** Writes go on after a start, and all of it is there at the next. */
async function expectGoesOn(disk: MemoryDisk, where: string): Promise<void> {
  const { instance, read, report } = await start(disk.files);
  const appended = [...read];
  append(instance, appended, report.lastRevision + 2 ** 24, [11, 12]);
  await instance.flush(true);
  disk.crash();
  const after = await look(disk.files);
  expect({ where, read: after.read }).toEqual({ where, read: appended });
}

/**
 * With `recover` a start succeeds, keeps all but a few records, tells what it dropped, and the next
 * start is quiet.
 */
async function expectRecovers(
  disk: MemoryDisk,
  original: ReadonlyMap<string, Buffer>,
  records: readonly ReadRecord[],
  where: string,
): Promise<readonly ReadRecord[]> {
  const { read, report } = await look(disk.files, { recover: true });
  const known = new Set(records.map((record) => JSON.stringify(record)));
  for (const record of read) {
    if (!known.has(JSON.stringify(record))) throw new Error(`${where}: a record nobody wrote`);
  }
  const revisions = read.map(({ revision }) => revision);
  expect({ where, revisions }).toEqual({ where, revisions: [...revisions].sort((a, b) => a - b) });
  // A last segment cut between two groups cannot be told from a stop before the second: then it is
  // not clean.
  if (read.length < records.length && report.clean) {
    throw new Error(`${where}: records are missing and nothing was reported`);
  }
  for (const dropped of report.dropped) expectKept(disk, original, dropped);
  const again = await look(disk.files);
  expect({ where, read: again.read }).toEqual({ where, read });
  await expectGoesOn(disk, where);
  return read;
}

describe("one bit flipped, or cut, at every byte", () => {
  for (const change of ["flip", "cut"] as const) {
    for (const number of [1, 2]) {
      test(`${change}: sealed segment ${number}: DAMAGE, never fewer records`, async () => {
        const { disk } = await smallHistory("closed");
        await forEachChange(disk, segmentPath(number), change, async (copy, where) => {
          const found = await lookOrRefuse(copy);
          if (found !== undefined) throw new Error(`${where}: not noticed`);
        });
      });
    }

    test(`${change}: manifest: all records or DAMAGE`, async () => {
      const { disk, records } = await smallHistory("killed");
      await forEachChange(disk, MANIFEST, change, async (copy, where) => {
        const found = await lookOrRefuse(copy);
        if (found !== undefined) {
          expect({ where, read: found.read }).toEqual({ where, read: records });
        }
      });
    });

    test(`${change}: whichever file, recover keeps every intact record`, async () => {
      const { disk, records } = await smallHistory("closed");
      for (const path of disk.paths()) {
        await forEachChange(disk, path, change, async (copy, where) => {
          const damaged = allContents(copy);
          const read = await expectRecovers(copy, damaged, records, where);
          // One flipped bit costs one group, of at most 3 records, and none when it is in a header
          // of a file.
          if (change === "flip") expect(read.length).toBeGreaterThanOrEqual(records.length - 3);
          if (path === MANIFEST) expect({ where, read }).toEqual({ where, read: records });
        });
      }
    });
  }

  test("flip: last segment after a clean stop: all records, or DAMAGE", async () => {
    const { disk, records } = await smallHistory("closed");
    await forEachChange(disk, segmentPath(3), "flip", async (copy, where) => {
      const found = await lookOrRefuse(copy);
      if (found === undefined) return;
      // The closing group itself: nothing is lost, and it is told.
      expect({ where, read: found.read }).toEqual({ where, read: records });
      expect(found.report.clean).toBe(false);
      expect(found.report.dropped.length).toBe(1);
    });
  });

  test("flip: last segment after a kill: at most the last group is cut, and it is told", async () => {
    const { disk, records } = await smallHistory("killed");
    await forEachChange(disk, segmentPath(3), "flip", async (copy, where) => {
      const found = await lookOrRefuse(copy);
      if (found === undefined) return;
      // Nothing in a log can say that its last group was durable, for it was written before it was.
      expectPrefix(found.read, records, records.length - 3, where);
      expect({ where, told: found.report.dropped.length }).toEqual({ where, told: 1 });
    });
  });

  for (const end of ["closed", "killed"] as const) {
    test(`cut: last segment, ${end}: the beginning, told as unclean; its header: DAMAGE`, async () => {
      const { disk, records } = await smallHistory(end);
      const bytes = disk.contents(segmentPath(3));
      await forEachChange(disk, segmentPath(3), "cut", async (copy, where, offset) => {
        const found = await lookOrRefuse(copy);
        expect({ where, refused: found === undefined }).toEqual({ where, refused: offset < 32 });
        if (found === undefined) return;
        expectPrefix(found.read, records, 0, where);
        expect(found.report.clean).toBe(false);
        const [dropped] = found.report.dropped;
        // A cut between two groups looks like a stop before the second was written.
        if (dropped !== undefined) {
          expect(dropped.offset + dropped.bytes).toBe(lastUsed(bytes.subarray(0, offset)));
        }
        await expectGoesOn(copy, where);
      });
      expect(bytes.length).toBeGreaterThan(100);
    });
  }
});

/** Where the last byte that is not zero ends. */
function lastUsed(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

describe("an unsynced tail", () => {
  test("is cut and told once: file, offset, bytes; the next start finds nothing to tell", async () => {
    const { disk, records } = await smallHistory("killed");
    const path = segmentPath(3);
    const whole = disk.contents(path);
    disk.put(path, Buffer.concat([whole, whole.subarray(40, 100), Buffer.alloc(5000)]));
    const first = await look(disk.files);
    expect(first.read).toEqual(records);
    expect(first.report.dropped).toMatchObject([{ file: path, offset: whole.length, bytes: 60 }]);
    expect(disk.contents(path)).toEqual(whole);
    const second = await look(disk.files);
    expect(second.report).toMatchObject({ dropped: [], clean: false });
  });

  test("holds no group by pretence: bytes of a group in a value are not taken for one", async () => {
    const disk = await emptyDisk();
    const { instance } = await start(disk.files);
    const appended: ReadRecord[] = [];
    append(instance, appended, 1, [20]);
    await instance.flush(true);
    const group = disk.contents(segmentPath(1)).subarray(32);
    const batch = createBatch({ firstRevision: 2, sizes: [group.length * 3] });
    for (let at = batch.start + 8; at < batch.end; at += group.length) group.copy(batch.bytes, at);
    instance.append(batch);
    await instance.flush(true);
    disk.kill();
    const torn = disk.contents(segmentPath(1));
    torn[32 + group.length + 41] ^= 1;
    disk.put(segmentPath(1), torn);
    const { read, report } = await look(disk.files, { recover: true });
    expect(read).toEqual(appended);
    expect(report.dropped).toMatchObject([{ offset: 32 + group.length }]);
    expect(report.dropped.length).toBe(1);
  });
});

describe("what is missing or does not belong", () => {
  test("a segment that the manifest names is gone: DAMAGE; recover keeps the others", async () => {
    for (const number of [1, 2, 3]) {
      const { disk, records } = await smallHistory("closed");
      disk.drop(segmentPath(number));
      expect(await lookOrRefuse(disk.copy())).toBeUndefined();
      const read = await expectRecovers(disk, new Map(), records, `without segment ${number}`);
      expect(read.length).toBeGreaterThan(0);
    }
  });

  test("the manifest is gone: DAMAGE; recover reads every record", async () => {
    const { disk, records } = await smallHistory("killed");
    disk.drop(MANIFEST);
    expect(await lookOrRefuse(disk.copy())).toBeUndefined();
    expect(await expectRecovers(disk, new Map(), records, "without manifest")).toEqual(records);
  });

  test("all files are gone of a folder that was loaded before: told, and no revision comes again", async () => {
    for (const leave of [[], [[segmentPath(1), Buffer.alloc(10)] as const]]) {
      const disk = await emptyDisk();
      for (const [path, bytes] of leave) disk.put(path, bytes);
      const context = createTestContext({ files: disk.files, folder: FOLDER });
      const instance = wal.persistence?.({}, { ...context, isNewFolder: false });
      await instance?.open();
      const report = await instance?.load(createRecordingSink());
      await instance?.close();
      expect(report).toMatchObject({ clean: false, dropped: [{ kind: "damage", file: MANIFEST }] });
      const next = await look(disk.files);
      expect(next.report).toMatchObject({ clean: true, dropped: [] });
    }
  });

  test("a manifest that is damaged again and again is kept each time", async () => {
    const { disk, records } = await smallHistory("closed");
    const kept: [string, string][] = [];
    for (const text of ["first", "second", "third"]) {
      disk.put(MANIFEST, Buffer.from(text));
      const { read, report } = await look(disk.files, { recover: true });
      expect(read).toEqual(records);
      const [{ keptIn = "" } = {}] = report.dropped;
      kept.push([keptIn, text]);
    }
    for (const [path, text] of kept) expect(disk.contents(path).toString()).toBe(text);
    expect((await look(disk.files)).read).toEqual(records);
  });

  test("two segments are exchanged: DAMAGE", async () => {
    const { disk } = await smallHistory("closed");
    const [first, second] = [disk.contents(segmentPath(1)), disk.contents(segmentPath(2))];
    disk.put(segmentPath(1), second);
    disk.put(segmentPath(2), first);
    expect(await lookOrRefuse(disk)).toBeUndefined();
  });

  test("a segment of records that the manifest does not name: DAMAGE; recover puts it aside", async () => {
    const { disk, records } = await smallHistory("closed");
    disk.put(segmentPath(9), disk.contents(segmentPath(3)));
    expect(await lookOrRefuse(disk.copy())).toBeUndefined();
    const before = allContents(disk);
    expect(await expectRecovers(disk, before, records, "unnamed segment")).toEqual(records);
  });

  test("leftovers of a stop in a rotation are removed", async () => {
    const { disk, records } = await smallHistory("closed");
    disk.put(segmentPath(4), disk.contents(segmentPath(3)).subarray(0, 32));
    disk.put(segmentPath(5), Buffer.alloc(0));
    disk.put(`${MANIFEST}.new`, Buffer.from("{"));
    const before = disk.paths().filter((path) => !/0[45]\.log|\.new/.test(path));
    const { read, report } = await look(disk.files);
    expect(read).toEqual(records);
    expect(report.clean).toBe(true);
    expect(disk.paths()).toEqual(before);
  });

  test("a stop during the first start leaves an empty folder", async () => {
    const disk = await emptyDisk();
    disk.put(segmentPath(1), Buffer.alloc(10));
    const { report, instance } = await start(disk.files);
    expect(report).toMatchObject({ records: 0, clean: true });
    const records: ReadRecord[] = [];
    append(instance, records, 1, [10]);
    await instance.flush(true);
    disk.kill();
    expect((await look(disk.files)).read).toEqual(records);
    expect(disk.paths().length).toBe(2);
  });

  test("another persistence's folder is refused with CONFIG", async () => {
    const disk = await emptyDisk();
    disk.put(MANIFEST, Buffer.from('{"persistence":"json-snapshot","file":"data.json"}'));
    const error = await start(disk.files).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KvdbError);
    expect((error as KvdbError).code).toBe("CONFIG");
    expect((error as KvdbError).message).toContain("json-snapshot");
    expect(disk.paths()).toEqual([MANIFEST]);
  });

  test("the error names file and offset", async () => {
    const { disk } = await smallHistory("closed");
    const bytes = disk.contents(segmentPath(2));
    bytes[60] ^= 4;
    disk.put(segmentPath(2), bytes);
    const error = (await look(disk.files).catch((thrown: unknown) => thrown)) as KvdbError;
    expect(error.code).toBe("DAMAGE");
    expect(error.message).toContain(`${FOLDER}/wal-00000002.log`);
    expect(error.message).toMatch(/at offset 32\b/);
  });
});
