/**
 * Sealed segments that were compressed: their bytes, when it is done and when not, stops and
 * failures at every moment of it, and damage to every byte.
 */
import { describe, expect, test } from "bun:test";
import { decodeBlockHeader, KIND_END } from "../../../plugins/wal/block.ts";
import {
  decodePackedHeader,
  encodePackedHeader,
  packedName,
  packedNumber,
} from "../../../plugins/wal/packed-segment.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import type { RecordBatch } from "../../../src/plugin.ts";
import {
  createFaultyFiles,
  expectEntries,
  type MemoryDisk,
  type ReadRecord,
} from "../../suites/index.ts";
import { recordsOf } from "../../suites/persistence-context.ts";
import { allContents, expectKept, forEachChange, lookOrRefuse } from "./damage.ts";
import {
  append,
  check,
  checkpoint,
  emptyDisk,
  expectPrefix,
  FOLDER,
  look,
  MANIFEST,
  type Started,
  type StartOptions,
  segmentPath,
  start,
} from "./history.ts";

/** One or two records a segment; nothing is compacted. */
const options: StartOptions = { segmentBytes: 100_000, compaction: { ratio: 0 } };
const unpacked: StartOptions = { ...options, compression: { segments: 0 } };

function packedPath(number: number): string {
  return `${FOLDER}/${packedName(number)}`;
}

/** How long no segment is begun before packing begins. */
const CALM_MS = 30_000;

/** Resolves when everything is packed that is worth it, or was refused. */
async function settle({ context }: Pick<Started, "context">): Promise<void> {
  context.clock.advance(CALM_MS);
  while (context.info("persistence")["wal_packing_in_progress"] === 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function untilPacked(started: Pick<Started, "context">, count: number): Promise<void> {
  await settle(started);
  expect(started.context.info("persistence")).toMatchObject({ wal_packed_segments: count });
}

/** Each a group of its own. */
async function write(
  { instance }: Pick<Started, "instance">,
  records: ReadRecord[],
  sizes: readonly number[],
): Promise<void> {
  for (const size of sizes) {
    append(instance, records, (records.at(-1)?.revision ?? 0) + 1, [size]);
    await instance.flush(true);
  }
}

/** Segments 1 and 2 are packed, 3 is the last. */
async function history() {
  const disk = await emptyDisk();
  const records: ReadRecord[] = [];
  const started = await start(disk.files, options);
  await write(started, records, [40_000, 30_000, 70_000, 80_000]);
  await untilPacked(started, 2);
  await started.instance.close();
  return { disk, records };
}

describe("bytes", () => {
  test("header", () => {
    const identity = {
      number: 3,
      firstRevision: 2 ** 40 + 9,
      bytes: 70_000,
      salt: 0x01020304,
      packedSalt: 0x05060708,
    };
    const bytes = encodePackedHeader(identity);
    expect(bytes.toString("hex")).toBe(
      "6b7664622d776c7a" +
        "0100" +
        "0000" +
        "03000000" +
        "090000000001" +
        "701101000000" +
        "04030201" +
        "08070605" +
        bytes.toString("hex", 36),
    );
    expect(decodePackedHeader(bytes, "x")).toEqual(identity);
    bytes.writeUInt16LE(2, 8);
    bytes.writeUInt32LE(Bun.hash.crc32(bytes.subarray(0, 36)), 36);
    expect(() => decodePackedHeader(bytes, "x")).toThrow(/version 2/);
  });

  test("the contents of the blocks are the segment, byte for byte, and say their revisions", async () => {
    const sizes = [30_000, 20_000, 20_000, 200_000, 10, 2_500_000, 60_000];
    const [plain, packed] = [await emptyDisk(), await emptyDisk()];
    const pictures = [];
    for (const [disk, given] of [
      [plain, { ...unpacked, segmentBytes: 300_000 }],
      [packed, { ...options, segmentBytes: 300_000 }],
    ] as const) {
      const started = await start(disk.files, given);
      await write(started, [], sizes);
      if (disk === packed) await untilPacked(started, 2);
      pictures.push(started);
    }
    for (const number of [1, 2]) {
      const { contents, blocks } = unpack(packed.contents(packedPath(number)));
      const original = plain.contents(segmentPath(number));
      // The salts differ: those bytes, and what they begin, are compared by reading below.
      expect(contents.length).toBe(original.length);
      expect(contents.subarray(72, 10_000).equals(original.subarray(72, 10_000))).toBe(true);
      expect(blocks.every(({ contentLength }) => contentLength <= 65_536)).toBe(true);
      const [first, last] = number === 1 ? [1, 5] : [6, 6];
      expect(blocks.at(-1)).toMatchObject({ kind: KIND_END, to: last, contentLength: 0 });
      const ranges = blocks.slice(0, -1).map(({ from, to }) => [from, to] as const);
      expect(ranges[0]?.[0]).toBe(first);
      expect(ranges.every(([from, to]) => from >= first && from <= to && to <= last)).toBe(true);
    }
    for (const started of pictures) await started.instance.close();
    const before = await look(plain.files, unpacked);
    expect((await look(packed.files, options)).read).toEqual(before.read);
    expect(before.read.length).toBe(sizes.length);
  });

  test("names of packed segments", () => {
    expect(packedName(7)).toBe("wal-00000007.logz");
    expect(packedNumber("wal-123456789.logz")).toBe(123456789);
    for (const name of ["wal-7.logz", "wal-00000007.log", "wal-00000007.logz.damaged-40"]) {
      expect(packedNumber(name)).toBeUndefined();
    }
  });
});

/** As another program would, by FORMAT.md. */
function unpack(bytes: Buffer) {
  const salt = bytes.readUInt32LE(32);
  const blocks = [];
  const contents: Uint8Array[] = [];
  for (let offset = 40; offset < bytes.length; ) {
    const block = decodeBlockHeader(bytes, offset, { offset, salt });
    if (block === undefined) throw new Error(`no block at ${offset}`);
    const payload = bytes.subarray(offset + 48, offset + 48 + block.payloadLength);
    contents.push(block.codec === 1 ? Bun.zstdDecompressSync(Uint8Array.from(payload)) : payload);
    blocks.push(block);
    offset += 48 + block.payloadLength;
  }
  return { contents: Buffer.concat(contents), blocks };
}

describe("when", () => {
  test("sealed ones of some length are; the active one and short ones are not", async () => {
    const { disk, records } = await history();
    expect(disk.paths()).toEqual([MANIFEST, packedPath(1), packedPath(2), segmentPath(3)]);
    const size = disk.contents(packedPath(1)).length + disk.contents(packedPath(2)).length;
    expect(size).toBeLessThan(10_000);
    expect((await look(disk.files, options)).read).toEqual(records);
    const short = await emptyDisk();
    const started = await start(short.files, { ...options, segmentBytes: 20_000 });
    await write(started, [], [15_000, 15_000, 15_000]);
    await started.instance.close();
    expect(short.paths().filter((path) => path.endsWith("z"))).toEqual([]);
  });

  test("not while segments are begun all the time", async () => {
    const disk = await emptyDisk();
    const started = await start(disk.files, options);
    for (let round = 0; round < 5; round++) {
      await write(started, [], [70_000]);
      started.context.clock.advance(CALM_MS - 1);
      expect(started.context.info("persistence")).toMatchObject({ wal_packing_in_progress: 0 });
    }
    await untilPacked(started, 4);
    await started.instance.close();
    expect(started.context.clock.pendingCount).toBe(0);
  });

  test("those that a start finds are too; files of both kinds are read, level 0 leaves them", async () => {
    const disk = await emptyDisk();
    const records: ReadRecord[] = [];
    const first = await start(disk.files, unpacked);
    await write(first, records, [70_000, 70_000, 70_000]);
    await first.instance.close();
    expect(disk.paths().filter((path) => path.endsWith("z"))).toEqual([]);
    const second = await start(disk.files, options);
    expect(second.read).toEqual(records);
    await untilPacked(second, 2);
    await write(second, records, [70_000]);
    await second.instance.close();
    const third = await look(disk.files, unpacked);
    expect(third.read).toEqual(records);
    expect(disk.paths()).toContain(packedPath(2));
  });

  test("not when the next checkpoint is near", async () => {
    const disk = await emptyDisk();
    const started = await start(disk.files, { ...options, compaction: { minBytes: 130_000 } });
    await write(started, [], [70_000, 70_000, 70_000]);
    await settle(started);
    expect(started.context.info("persistence")).toMatchObject({ wal_segments: 3 });
    await started.instance.close();
    expect(disk.paths().filter((path) => path.endsWith("z"))).toEqual([]);
  });

  test("not what a checkpoint that was begun is about to let go", async () => {
    const disk = await emptyDisk();
    const records: ReadRecord[] = [];
    const started = await start(disk.files, options);
    const { instance } = started;
    await write(started, records, [70_000]);
    append(instance, records, 2, [70_000]);
    await instance.flush(true);
    started.context.clock.advance(CALM_MS); // the first is being packed
    await instance.beginCheckpoint?.(2, "compact");
    await settle(started);
    expect(disk.paths().filter((path) => path.endsWith("z"))).toEqual([]);
    await write(started, records, [70_000, 70_000]);
    await untilPacked(started, 1);
    await instance.close();
    expect((await look(disk.files, unpacked)).read).toEqual(records);
    expect(disk.paths().filter((path) => path.endsWith("z"))).toEqual([packedPath(3)]);
  });

  test("a checkpoint lets packed ones go like others; K9 holds for them", async () => {
    const disk = await emptyDisk();
    const started = await start(disk.files, options);
    await write(started, [], [70_000, 70_000]);
    await untilPacked(started, 1);
    const entries = [{ key: "k", value: "v" }];
    await checkpoint(started, 2, entries);
    expect(disk.paths().filter((path) => path.endsWith("z"))).toEqual([]);
    await started.instance.close();
    expectEntries((await look(disk.files)).entries, { revision: 2, entries });
  });

  test("a segment in which a group cannot be read stays as it is, and is told", async () => {
    const disk = await emptyDisk();
    const records: ReadRecord[] = [];
    const started = await start(disk.files, options);
    await write(started, records, [70_000]);
    const file = await disk.files.open(segmentPath(1), "update");
    await file.write(Buffer.from("damage"), 0, 6, 500);
    const bytes = disk.contents(segmentPath(1)).subarray(0, 70_000);
    await write(started, records, [70_000, 70_000]);
    await untilPacked(started, 1);
    await started.instance.close();
    expect(disk.paths()).toEqual([MANIFEST, segmentPath(1), packedPath(2), segmentPath(3)]);
    expect(disk.contents(segmentPath(1)).subarray(0, 70_000)).toEqual(bytes);
  });
});

test("it packs at whichever step of another's check: the check is whole", async () => {
  for (let at = 1; ; at++) {
    const disk = await emptyDisk();
    const records: ReadRecord[] = [];
    const started = await start(disk.files, options);
    await write(started, records, [70_000, 70_000, 70_000]);
    let operations = 0;
    // At this step, and before the next one, all is packed.
    const step = async <Result>(run: () => Promise<Result>): Promise<Result> => {
      if (++operations === at) await untilPacked(started, 2);
      return run();
    };
    const { files } = disk;
    const stepped = {
      ...files,
      open: (path, mode) => step(() => files.open(path, mode)),
      exists: (path) => step(() => files.exists(path)),
    } satisfies MemoryDisk["files"];
    const { read, report } = await check(stepped, 3);
    expect({ at, dropped: report.dropped }).toEqual({ at, dropped: [] });
    expect({ at, read }).toEqual({ at, read: records });
    await started.instance.close();
    if (operations < at) break;
  }
});

describe("stops and failures", () => {
  /** Everything at once: rotations, packing, a checkpoint, packing behind it. */
  async function session(
    files: MemoryDisk["files"],
    state: { records: ReadRecord[]; acknowledged: number },
    attempt: (step: () => Promise<unknown>) => Promise<boolean>,
  ): Promise<void> {
    let started: Started | undefined;
    const isStarted = await attempt(async () => {
      started = await start(files, options);
    });
    if (!isStarted || started === undefined) return;
    const { instance, context } = started as Started;
    for (let revision = 1; revision <= 6; revision++) {
      append(instance, state.records, revision, [70_000]);
      if (await attempt(() => instance.flush(true))) state.acknowledged = revision;
      await settle(started);
      if (revision !== 3) continue;
      await attempt(() => checkpoint({ instance, context }, 3, [{ key: "k", value: "v" }]));
    }
    await attempt(() => instance.close());
  }

  /** What was acknowledged is there, in a checkpoint or behind it. */
  async function expectSurvives(
    disk: MemoryDisk,
    { records, acknowledged }: { records: readonly ReadRecord[]; acknowledged: number },
    where: string,
  ): Promise<void> {
    const { entries, read } = await look(disk.files, unpacked);
    const covered = entries.length > 0 ? 3 : 0;
    expectPrefix(read, records.slice(covered), Math.max(0, acknowledged - covered), where);
  }

  const endings: Record<string, (disk: MemoryDisk, seed: number) => void> = {
    kill: (disk) => disk.kill(),
    "power loss": (disk) => disk.crash(),
    "power loss, torn": (disk, seed) => disk.crash(seededRandom(seed)),
  };

  test("a stop at every moment: what was acknowledged is there, packed or not", async () => {
    const disk = await emptyDisk();
    const state = { records: [] as ReadRecord[], acknowledged: 0 };
    const moments: { disk: MemoryDisk; acknowledged: number; operation: number }[] = [];
    const { files } = createFaultyFiles(disk.files, undefined, {
      beforeOperation: (operation) =>
        void moments.push({ disk: disk.copy(), acknowledged: state.acknowledged, operation }),
    });
    await session(files, state, (step) => step().then(() => true));
    const named = JSON.parse(disk.contents(MANIFEST).toString());
    expect(named.segments.some(({ packed }: { packed?: object }) => packed !== undefined)).toBe(
      true,
    );
    expect(moments.length).toBeGreaterThan(80);
    for (const [ending, stop] of Object.entries(endings)) {
      for (const moment of moments) {
        const copy = moment.disk.copy();
        stop(copy, moment.operation);
        const where = `${ending} at operation ${moment.operation}`;
        await expectSurvives(copy, { ...state, ...moment }, where);
      }
    }
  });

  test("operation N fails, for every N: nothing is lost, and no file piles up", async () => {
    let struck = true;
    for (let at = 1; struck; at++) {
      const disk = await emptyDisk();
      const afterFailedSync = (path: string) => disk.poison(path);
      const faulty = createFaultyFiles(disk.files, { at, kind: "once" }, { afterFailedSync });
      const state = { records: [] as ReadRecord[], acknowledged: 0 };
      const attempt = (step: () => Promise<unknown>) =>
        step().then(
          () => true,
          () => false,
        );
      await session(faulty.files, state, attempt);
      struck = faulty.struck;
      disk.crash(at % 3 === 0 ? undefined : seededRandom(at));
      await expectSurvives(disk, state, `operation ${at} fails`);
      const settled = await look(disk.files, unpacked);
      const segments = Number(settled.context.info("persistence")["wal_segments"]);
      expect(disk.paths().length).toBeLessThanOrEqual(segments + 2);
    }
  });
});

for (const change of ["flip", "cut"] as const) {
  describe(`${change} at every byte of a packed segment`, () => {
    for (const number of [1, 2]) {
      test(`${number}: a start refuses, a check tells, recover keeps what is intact`, async () => {
        const { disk, records } = await history();
        await forEachChange(disk, packedPath(number), change, async (copy, where) => {
          const found = await lookOrRefuse(copy.copy());
          if (found !== undefined) throw new Error(`${where}: not noticed`);
          const told = await check(copy.files);
          expect(told.report.dropped.some(({ kind }) => kind === "damage")).toBe(true);
          const before = allContents(copy);
          const recovered = await look(copy.files, { ...unpacked, recover: true });
          expect({ where, read: told.read }).toEqual({ where, read: recovered.read });
          for (const dropped of recovered.report.dropped) expectKept(copy, before, dropped);
          const known = new Set(records.map((record) => JSON.stringify(record)));
          expect(recovered.read.every((record) => known.has(JSON.stringify(record)))).toBe(true);
          if (change === "flip") expect(recovered.read.length).toBeGreaterThanOrEqual(2);
          expect(recovered.report.clean).toBe(false);
          const again = await look(copy.files, unpacked);
          expect({ where, read: again.read }).toEqual({ where, read: recovered.read });
          expect({ where, dropped: again.report.dropped }).toEqual({ where, dropped: [] });
        });
      });
    }
  });
}

describe("what is lost", () => {
  test("is told by the place in the file, and by revisions", async () => {
    const { disk } = await history();
    const bytes = disk.contents(packedPath(1));
    bytes[100] ^= 1;
    disk.put(packedPath(1), bytes);
    const { report } = await look(disk.files, { ...options, recover: true });
    const [dropped, ...others] = report.dropped;
    expect(others).toEqual([]);
    expect(dropped).toMatchObject({ kind: "damage", file: packedPath(1), offset: 40 });
    expect(dropped?.reason).toContain("records above revision 0");
    expect(dropped?.keptIn).toBe(`${packedPath(1)}.damaged-40`);
  });

  test("nothing, without the manifest: recover finds packed segments by their headers", async () => {
    const { disk, records } = await history();
    disk.drop(MANIFEST);
    expect(await lookOrRefuse(disk.copy())).toBeUndefined();
    const copy = disk.copy();
    expect((await look(copy.files, { ...options, recover: true })).read).toEqual(records);
    expect((await look(copy.files, options)).read).toEqual(records);
    // A segment and its packed form at once: a stop before the manifest that names the second.
    disk.put(packedPath(3), disk.contents(packedPath(2)).subarray(0, 300));
    const both = await look(disk.files, { ...options, recover: true });
    expect(both.read).toEqual(records);
  });

  test("a packed file that nobody names: a leftover, unless it is above all", async () => {
    const { disk, records } = await history();
    disk.put(packedPath(3), disk.contents(packedPath(2)));
    const copy = disk.copy();
    expect((await look(copy.files, unpacked)).read).toEqual(records);
    expect(copy.paths()).not.toContain(packedPath(3));
    disk.put(packedPath(9), disk.contents(packedPath(2)));
    expect(await lookOrRefuse(disk)).toBeUndefined();
  });
});

describe("records that are read back from packed segments", () => {
  async function read(
    { instance }: Pick<Started, "instance">,
    from: number,
  ): Promise<ReadRecord[]> {
    const found: ReadRecord[] = [];
    for await (const batch of instance.read?.(from) ?? []) {
      found.push(...recordsOf(batch).filter(({ revision }) => revision >= from));
    }
    return found;
  }

  test("from every revision on, also while one is being packed under the reader", async () => {
    const disk = await emptyDisk();
    const records: ReadRecord[] = [];
    const started = await start(disk.files, options);
    await write(started, records, [40_000, 30_000, 70_000, 80_000]);
    const reader = started.instance.read?.(1)[Symbol.asyncIterator]() as AsyncIterator<RecordBatch>;
    const first = await reader.next();
    expect(recordsOf(first.value)).toEqual(records.slice(0, 1));
    await untilPacked(started, 2);
    for (const record of records.slice(1)) {
      expect(recordsOf((await reader.next()).value)).toEqual([record]);
    }
    expect((await reader.next()).done).toBe(true);
    for (let from = 1; from <= records.length; from++) {
      expect(await read(started, from)).toEqual(records.slice(from - 1));
    }
    await started.instance.close();
    const again = await start(disk.files, options);
    expect(await read(again, 1)).toEqual(records);
    await again.instance.close();
  });

  test("a block that cannot be read is damage, and no gap in silence", async () => {
    const { disk } = await history();
    const again = await start(disk.files, options);
    const bytes = disk.contents(packedPath(1));
    const changed = Buffer.from(bytes);
    changed[200] = (changed[200] as number) ^ 1;
    const file = await disk.files.open(packedPath(1), "update");
    await file.write(changed, 0, changed.length, 0);
    await file.close();
    await expect(read(again, 1)).rejects.toMatchObject({ code: "DAMAGE" });
    expect((await read(again, 3)).map(({ revision }) => revision)).toEqual([3, 4]);
    await again.instance.close();
  });
});
