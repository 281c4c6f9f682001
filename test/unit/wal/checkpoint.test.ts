/**
 * Checkpoints of `wal`: their bytes, entries of every length, what of the log they let go, and what
 * becomes of them while the log cannot be written.
 */
import { describe, expect, test } from "bun:test";
import { decodeBlockHeader } from "../../../plugins/wal/block.ts";
import {
  checkpointName,
  checkpointNumber,
  decodeCheckpointHeader,
} from "../../../plugins/wal/checkpoint.ts";
import { EntryDecoder, encodeEntry } from "../../../plugins/wal/checkpoint-entry.ts";
import { writeCheckpoint } from "../../../plugins/wal/checkpoint-writer.ts";
import { KvdbError } from "../../../src/plugin.ts";
import {
  createEntryReader,
  createFaultyFiles,
  type EntryShape,
  expectEntries,
  type MemoryDisk,
  type ReadRecord,
} from "../../suites/index.ts";
import {
  append,
  checkpoint,
  checkpointPath,
  emptyDisk,
  FOLDER,
  look,
  MANIFEST,
  type Started,
  type StartOptions,
  segmentPath,
  smallHistory,
  start,
} from "./history.ts";

/** A checkpoint of everything up to revision 1. */
const covered = { kind: "compact", revision: 1, entries: 1, durationMs: 1 } as const;

const plain: StartOptions = { compression: { checkpoints: 0 } };

function names(disk: MemoryDisk): string[] {
  return disk.paths().map((path) => path.slice(FOLDER.length + 1));
}

function manifestOf(disk: MemoryDisk) {
  return JSON.parse(disk.contents(MANIFEST).toString());
}

async function begin(options: StartOptions = {}): Promise<Started & { disk: MemoryDisk }> {
  const disk = await emptyDisk();
  return { disk, ...(await start(disk.files, options)) };
}

describe("bytes", () => {
  test("a whole checkpoint: the example of FORMAT.md", async () => {
    const started = await begin(plain);
    await checkpoint(started, 7, [{ key: "k", value: "hi", version: 7 }]);
    await started.instance.close();
    const bytes = started.disk.contents(checkpointPath(1));
    expect(bytes.length).toBe(148);
    expect(bytes.toString("hex", 0, 24)).toBe(
      "6b7664622d636b70" + "0100" + "0000" + "01000000" + "070000000000" + "0000",
    );
    expect(bytes.readUInt32LE(36)).toBe(Bun.hash.crc32(bytes.subarray(0, 36)));
    expect(bytes.toString("hex", 40, 80)).toBe(
      "4b564231" +
        "0c000000" +
        "0c000000" +
        "280000000000" +
        "000000000000" +
        "000000000000" +
        "010000000000" +
        "0100" +
        "0000",
    );
    expect(bytes.toString("hex", 88, 100)).toBe("010102" + "070000000000" + "6b" + "6869");
    expect(bytes.readUInt32LE(80)).toBe(Bun.hash.crc32(bytes.subarray(88, 100)));
    const salt = bytes.readUInt32LE(32);
    expect(bytes.readUInt32LE(84)).toBe(Bun.hash.crc32(bytes.subarray(40, 84), salt));
    expect(bytes.toString("hex", 100, 144)).toBe(
      "4b564231" +
        "00000000" +
        "00000000" +
        "640000000000" +
        "0c0000000000" +
        "010000000000" +
        "010000000000" +
        "0400" +
        "0000" +
        "00000000",
    );
  });

  test("an entry with all that may be absent", () => {
    const { entry, next } = createEntryReader({
      revision: 9,
      entries: [
        {
          key: "ab",
          value: "x".repeat(300),
          type: "json",
          database: 258,
          deadlineMs: 2 ** 53 - 1,
          version: 2 ** 40 + 3,
        },
      ],
    });
    next();
    const bytes = Buffer.alloc(400);
    const end = encodeEntry(bytes, 1, entry);
    expect(bytes.toString("hex", 1, 23)).toBe(
      "32" + "0201" + "02" + "ac02" + "030000000001" + "ffffffffffff3f43" + "6162",
    );
    expect(end).toBe(323);
    const decoder = new EntryDecoder();
    expect(decoder.decode(bytes, 1, end)).toBe(end);
    expect(decoder.decode(bytes, 1, end - 1)).toBe(-1);
    expect(decoder.entry).toMatchObject({ database: 258, deadlineMs: 2 ** 53 - 1, type: "json" });
  });

  test("bytes that are no entry are none, and never an endless one", () => {
    const decoder = new EntryDecoder();
    expect(decoder.decode(Buffer.alloc(64), 0, 64)).toBe(-1);
    expect(decoder.decode(Buffer.alloc(64, 0x81), 0, 64)).toBe(-1);
    expect(decoder.decode(Buffer.from([1, 1]), 0, 2)).toBe(-1);
    expect(decoder.decode(Buffer.alloc(0), 0, 0)).toBe(-1);
  });

  test("a type and a version of later ones are refused by name, not called damage", async () => {
    expect(() => new EntryDecoder().decode(Buffer.alloc(64, 0x0e), 0, 64)).toThrow(/type 14/);
    const started = await begin(plain);
    await checkpoint(started, 1, []);
    const header = started.disk.contents(checkpointPath(1)).subarray(0, 40);
    header.writeUInt16LE(2, 8);
    header.writeUInt32LE(Bun.hash.crc32(header.subarray(0, 36)), 36);
    expect(() => decodeCheckpointHeader(header, "x")).toThrow(/version 2/);
  });

  test("a block is one only at its own offset and in its own file", async () => {
    const started = await begin(plain);
    await checkpoint(started, 1, [{ key: "k", value: "v" }]);
    const bytes = started.disk.contents(checkpointPath(1)).subarray(40);
    const salt = started.disk.contents(checkpointPath(1)).readUInt32LE(32);
    expect(decodeBlockHeader(bytes, 0, { offset: 40, salt })).toBeDefined();
    expect(decodeBlockHeader(bytes, 0, { offset: 88, salt })).toBeUndefined();
    expect(decodeBlockHeader(bytes, 0, { offset: 40, salt: salt ^ 1 })).toBeUndefined();
  });

  test("names of checkpoints", () => {
    expect(checkpointName(1)).toBe("checkpoint-00000001.kvc");
    expect(checkpointNumber("checkpoint-123456789.kvc")).toBe(123456789);
    for (const name of ["checkpoint-1.kvc", "checkpoint-00000001.kvc.damaged-40", "wal-1.log"]) {
      expect(checkpointNumber(name)).toBeUndefined();
    }
  });
});

describe("entries", () => {
  for (const level of [0, 1, 19]) {
    test(`of every length around that of a block: level ${level}`, async () => {
      const lengths = [65_509, 65_510, 65_535, 65_536, 131_045, 131_072, 200_000];
      const entries: EntryShape[] = lengths.flatMap((length) => [
        { key: `a${length}`, value: "y".repeat(length) },
        { key: `b${length}`, value: "short" },
        { key: "k".repeat(length), value: Buffer.alloc(length, length % 251) },
      ]);
      const options = { compression: { checkpoints: level } };
      const started = await begin(options);
      await checkpoint(started, 5, entries, options);
      await started.instance.close();
      const found = await look(started.disk.files);
      expectEntries(found.entries, { revision: 5, entries });
      for (const { version } of found.entries) expect(version).toBe(1);
    });
  }

  test("are compressed unless told otherwise", async () => {
    const entries = Array.from({ length: 500 }, (_, i) => ({
      key: `k${i}`,
      value: "z".repeat(90),
    }));
    const sizes: number[] = [];
    for (const options of [{}, plain]) {
      const started = await begin(options);
      await checkpoint(started, 5, entries, options);
      sizes.push(started.disk.contents(checkpointPath(1)).length);
    }
    expect(sizes[0]).toBeLessThan(5000);
    expect(sizes[1]).toBeGreaterThan(40_000);
  });

  test("memory is bounded: an entry of 40 MiB is written from where it lies", async () => {
    const disk = await emptyDisk();
    const value = Buffer.alloc(40 << 20, 7);
    const reader = createEntryReader({ revision: 1, entries: [{ key: "k", value }] });
    const task = { number: 1, salt: 1, revision: 1, level: 0 };
    let longestWrite = 0;
    let asked = 0;
    const discarding = createDiscardingFiles(disk, (bytes) => {
      longestWrite = Math.max(longestWrite, bytes);
    });
    const target = { files: discarding, folder: FOLDER, options: {}, task, proceed: () => asked++ };
    const { bytes } = await writeCheckpoint(reader, target);
    expect(bytes).toBeGreaterThan(value.length);
    expect(longestWrite).toBeLessThan(1.2 * 2 ** 20);
    expect(asked).toBe(40);
  });
});

/** Takes writes and keeps none: the disk in memory would copy the whole file for each. */
function createDiscardingFiles(
  { files }: MemoryDisk,
  onWrite: (bytes: number) => void,
): MemoryDisk["files"] {
  return {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode);
      return { ...file, write: async (_bytes, start, end) => onWrite(end - start) };
    },
  };
}

describe("the log behind a checkpoint", () => {
  test("begins exactly behind it, and what is before goes whole", async () => {
    const { disk, instance, context, appended } = {
      ...(await begin({ segmentBytes: 400 })),
      appended: [] as ReadRecord[],
    };
    for (let revision = 1; revision <= 9; revision++) {
      append(instance, appended, revision, [100]);
      await instance.flush(revision % 2 === 0);
    }
    expect(names(disk).length).toBeGreaterThan(4);
    await checkpoint({ instance, context }, 9, [{ key: "k", value: "v" }]);
    const { checkpoint: named, segments } = manifestOf(disk);
    expect(named).toMatchObject({ number: 1, revision: 9, entries: 1 });
    expect(named.bytes).toBe(disk.contents(checkpointPath(1)).length);
    expect(segments).toMatchObject([{ firstRevision: 10 }]);
    const [segment] = segments;
    expect(names(disk)).toEqual([
      "checkpoint-00000001.kvc",
      "manifest.json",
      segmentPath(segment.number).slice(FOLDER.length + 1),
    ]);
    expect(disk.contents(segmentPath(segment.number)).length).toBe(32);
    await instance.close();
  });

  test("K9: after a checkpoint no byte of a record before it is on disk", async () => {
    const { disk, ...started } = await begin();
    const secret = Buffer.from("deleted-long-ago");
    const bytes = Buffer.concat([Buffer.from([secret.length, 0, 0, 0, 0, 0, 0, 0]), secret]);
    const batch = { count: 1, timeMs: 1, bytes, start: 0, end: bytes.length };
    started.instance.append({ ...batch, firstRevision: 1 });
    await started.instance.flush(true);
    const holds = () => disk.paths().some((path) => disk.contents(path).includes(secret));
    expect(holds()).toBe(true);
    await checkpoint(started, 1, []);
    expect(holds()).toBe(false);
    await started.instance.close();
  });

  test("one of nothing at all, before the first record", async () => {
    const { disk, ...started } = await begin();
    await checkpoint(started, 0, []);
    const records: ReadRecord[] = [];
    append(started.instance, records, 1, [10]);
    await started.instance.flush(true);
    disk.kill();
    const { read, report } = await look(disk.files);
    expect(read).toEqual(records);
    expect(report).toMatchObject({ records: 1, lastRevision: 1, dropped: [] });
  });

  test("one into an empty folder, as a conversion writes it: the stop in order is told as clean", async () => {
    const { disk, ...started } = await begin();
    await checkpoint(started, 4711, [{ key: "k", value: "v" }]);
    await started.instance.close();
    const { report } = await look(disk.files);
    expect(report).toMatchObject({ lastRevision: 4711, clean: true });
  });

  test("a folder of format 1 is read, and is of format 2 after its first checkpoint", async () => {
    const { disk, records } = await smallHistory("closed");
    const { format, checksum, ...rest } = manifestOf(disk);
    expect([format, typeof checksum]).toEqual([2, "string"]);
    const older = { persistence: "wal", format: 1, segments: rest.segments };
    const crc = Bun.hash.crc32(JSON.stringify(older)).toString(16).padStart(8, "0");
    disk.put(MANIFEST, Buffer.from(JSON.stringify({ ...older, checksum: crc })));
    const started = await start(disk.files);
    expect(started.read).toEqual(records);
    expect(manifestOf(disk).format).toBe(1);
    await checkpoint(started, 9, [{ key: "k", value: "v" }]);
    expect(manifestOf(disk).format).toBe(2);
    await started.instance.close();
    expect((await look(disk.files)).entries.length).toBe(1);
  });

  test("a format of later ones is refused by its number", async () => {
    const { disk } = await smallHistory("closed");
    const { checksum: _, ...rest } = manifestOf(disk);
    const later = { ...rest, format: 3 };
    const crc = Bun.hash.crc32(JSON.stringify(later)).toString(16).padStart(8, "0");
    disk.put(MANIFEST, Buffer.from(JSON.stringify({ ...later, checksum: crc })));
    const error = await look(disk.files).catch((thrown: unknown) => thrown);
    expect((error as KvdbError).code).toBe("CONFIG");
    expect((error as KvdbError).message).toContain("format version 3");
  });

  test("what a stop left behind is removed at the next start, and never read", async () => {
    const { disk, ...started } = await begin();
    await checkpoint(started, 3, [{ key: "k", value: "v" }]);
    await started.instance.close();
    const before = names(disk);
    disk.put(checkpointPath(2), disk.contents(checkpointPath(1)));
    disk.put(checkpointPath(3), Buffer.from("half"));
    const found = await look(disk.files);
    expect(found.entries.length).toBe(1);
    expect(found.report).toMatchObject({ clean: true, dropped: [] });
    expect(names(disk)).toEqual(before);
  });
});

describe("while the log cannot be written", () => {
  const state = [{ key: "k", value: "v" }];

  async function failing(mode: "always" | "everysec" | "no") {
    const disk = await emptyDisk();
    const afterFailedSync = (path: string) => disk.poison(path);
    const faulty = createFaultyFiles(disk.files, undefined, { afterFailedSync });
    const started = await start(faulty.files, { fsync: mode });
    const appended: ReadRecord[] = [];
    const write = async (revision: number): Promise<boolean> => {
      append(started.instance, appended, revision, [90]);
      return started.instance.flush(true).then(
        () => true,
        () => false,
      );
    };
    const failNext = () =>
      faulty.failNext({ operation: "writing", longerThan: 32, path: /\.log$/ });
    return { disk, started, appended, write, failNext };
  }

  for (const mode of ["always", "everysec", "no"] as const) {
    test(`${mode}: a checkpoint is taken, and what it holds need not be written any more`, async () => {
      const { disk, started, appended, write, failNext } = await failing(mode);
      expect(await write(1)).toBe(true);
      failNext();
      expect(await write(2)).toBe(false);
      failNext();
      await checkpoint(started, 2, state);
      const between = disk.copy();
      between.crash();
      const early = await look(between.files);
      expectEntries(early.entries, { revision: 2, entries: state });
      expect(early.read).toEqual([]);
      expect(await write(3)).toBe(true);
      expect(started.context.info("persistence")).toMatchObject({ wal_groups: 2 });
      const logs = disk.paths().filter((path) => path.endsWith(".log"));
      for (const { revision, frame } of appended) {
        const isThere = logs.some((path) =>
          disk.contents(path).includes(Buffer.from(frame, "hex")),
        );
        expect({ revision, isThere }).toEqual({ revision, isThere: revision === 3 });
      }
      disk.crash();
      const found = await look(disk.files);
      expectEntries(found.entries, { revision: 2, entries: state });
      expect(found.read).toEqual(appended.slice(2));
    });
  }

  test("records behind it that wait are written when the disk is well again", async () => {
    const { disk, started, appended, write, failNext } = await failing("always");
    expect(await write(1)).toBe(true);
    const task = started.instance.beginCheckpoint?.(1, "compact");
    failNext();
    expect(await write(2)).toBe(false);
    const target = { files: disk.files, folder: FOLDER, options: {}, proceed: () => {} };
    const reader = createEntryReader({ revision: 1, entries: state });
    const written = await writeCheckpoint(reader, { ...target, task: await task });
    failNext();
    expect(await write(3)).toBe(false);
    const report = { ...written, ...covered };
    await started.instance.checkpointed?.(report);
    failNext();
    expect(await write(4)).toBe(false);
    expect(await write(5)).toBe(true);
    expect(names(disk).length).toBeLessThanOrEqual(4);
    disk.crash();
    const found = await look(disk.files);
    expectEntries(found.entries, { revision: 1, entries: state });
    expect(found.read).toEqual(appended.slice(1));
  });

  test("no segment can be begun: what the checkpoint holds is skipped where it still stands", async () => {
    const disk = await emptyDisk();
    let isBlocked = false;
    const files: MemoryDisk["files"] = {
      ...disk.files,
      async open(path, mode, options) {
        if (isBlocked && mode === "replace" && path.endsWith(".log")) throw new Error("blocked");
        return disk.files.open(path, mode, options);
      },
    };
    const started = await start(files);
    const appended: ReadRecord[] = [];
    for (const revision of [1, 2]) append(started.instance, appended, revision, [50]);
    await started.instance.flush(true);
    isBlocked = true;
    await checkpoint(started, 2, state);
    const killed = disk.copy();
    killed.kill();
    const early = await look(killed.files);
    expectEntries(early.entries, { revision: 2, entries: state });
    expect(early.read).toEqual([]);
    expect(early.report).toMatchObject({ lastRevision: 2, dropped: [] });
    append(started.instance, appended, 3, [50]);
    await expect(started.instance.flush(true)).rejects.toThrow("blocked");
    isBlocked = false;
    await started.instance.flush(true);
    disk.crash();
    const found = await look(disk.files);
    expectEntries(found.entries, { revision: 2, entries: state });
    expect(found.read).toEqual(appended.slice(2));
  });

  test("a log that was written on after a stop in order is not clean, though a checkpoint has it", async () => {
    const disk = await emptyDisk();
    const first = await start(disk.files);
    append(first.instance, [], 1, [90]);
    await first.instance.flush(true);
    await first.instance.close();
    const afterFailedSync = (path: string) => disk.poison(path);
    const faulty = createFaultyFiles(disk.files, undefined, { afterFailedSync });
    const second = await start(faulty.files);
    // Longer than what leaves in one write that is synced itself.
    append(second.instance, [], 2, [1 << 20]);
    faulty.failNext({ operation: "syncing", path: /\.log$/ });
    await expect(second.instance.flush(true)).rejects.toThrow();
    const refuseSegment = async () => faulty.failNext({ operation: "writing", path: /\.log$/ });
    await refuseSegment();
    await checkpoint(second, 2, state, {}, { onWritten: refuseSegment });
    disk.kill();
    const third = await start(disk.files);
    expect(third.report).toMatchObject({ clean: false, lastRevision: 2 });
    const records: ReadRecord[] = [];
    append(third.instance, records, 2 ** 24, [90]);
    await third.instance.flush(true);
    disk.crash();
    const found = await look(disk.files);
    expectEntries(found.entries, { revision: 2, entries: state });
    expect(found.read).toEqual(records);
  });

  test("a manifest that cannot be replaced: the checkpoint does not count, and no file piles up", async () => {
    const disk = await emptyDisk();
    const faulty = createFaultyFiles(disk.files);
    const started = await start(faulty.files);
    append(started.instance, [], 1, [10]);
    await started.instance.flush(true);
    await checkpoint(started, 1, state);
    const before = names(disk);
    for (const operation of ["writing", "renaming", "syncing folder"] as const) {
      for (let round = 0; round < 3; round++) {
        const task = await started.instance.beginCheckpoint?.(1, "compact");
        const killed = disk.copy();
        killed.kill();
        await look(killed.files);
        const target = { files: disk.files, folder: FOLDER, options: {}, proceed: () => {} };
        const other = createEntryReader({ revision: 1, entries: [...state, ...state] });
        const written = await writeCheckpoint(other, { ...target, task });
        faulty.failNext({ operation });
        const report = { ...written, ...covered };
        const failure = await started.instance.checkpointed?.(report).catch((error) => error);
        expect(failure).toBeInstanceOf(KvdbError);
        expect(names(disk).length).toBeLessThanOrEqual(before.length + 2);
      }
    }
    await checkpoint(started, 1, state);
    const settled = names(disk).filter((name) => !name.endsWith(".new"));
    expect(settled.length).toBe(before.length);
    await started.instance.close();
    expectEntries((await look(disk.files)).entries, { revision: 1, entries: state });
  });
});
