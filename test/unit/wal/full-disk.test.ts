/**
 * A disk with room for so many bytes: writing fails when it is used up. A little room is enough for
 * a checkpoint, which gives back what the log took, and writing goes on by itself.
 */
import { expect, test } from "bun:test";
import { failure, type OpenFile } from "../../../src/platform/files.ts";
import { expectEntries, type MemoryDisk, type ReadRecord } from "../../suites/index.ts";
import { append, checkpoint, emptyDisk, look, type StartOptions, start } from "./history.ts";

const KIB = 1024;

/** Blocks of the file system are not counted, only bytes. */
function limited(disk: MemoryDisk, capacity: { bytes: number }): MemoryDisk["files"] {
  const { files } = disk;
  const used = () => disk.paths().reduce((sum, path) => sum + disk.contents(path).length, 0);
  const full = (path: string) =>
    failure("writing", path, Object.assign(new Error("ENOSPC: full"), { code: "ENOSPC" }));
  /** As far as there is room: what a disk that runs full takes of a write. */
  const roomFor = (path: string, start: number, end: number, position: number): number => {
    const growth = Math.max(0, position + end - start - disk.contents(path).length);
    return end - Math.max(0, used() + growth - capacity.bytes);
  };
  return {
    ...files,
    async open(path, mode, options) {
      const file = await files.open(path, mode, options);
      const write: OpenFile["write"] = async (bytes, start, end, position) => {
        const stop = Math.max(start, roomFor(path, start, end, position));
        await file.write(bytes, start, stop, position);
        if (stop < end) throw full(path);
      };
      const writeNow: OpenFile["writeNow"] = (bytes, start, end, position) => {
        const stop = Math.max(start, roomFor(path, start, end, position));
        file.writeNow(bytes, start, stop, position);
        if (stop < end) throw full(path);
      };
      return { ...file, write, writeNow };
    },
    async replace(path, bytes) {
      const file = await this.open(`${path}.new`, "replace");
      try {
        await file.write(bytes, 0, bytes.length, 0);
        await file.sync();
      } finally {
        await file.close();
      }
      await files.rename(`${path}.new`, path);
      await files.syncFolder(path.slice(0, path.lastIndexOf("/")));
    },
  };
}

for (const fsync of ["always", "everysec", "no"] as const) {
  for (const segmentBytes of [40 * KIB, 1024 * KIB]) {
    test(`${fsync}, segments of ${segmentBytes} bytes: a checkpoint makes room, nothing acknowledged is lost`, async () => {
      const options: StartOptions = { fsync, segmentBytes };
      const disk = await emptyDisk();
      const capacity = { bytes: 300 * KIB };
      const started = await start(limited(disk, capacity), options);
      const { instance } = started;
      const records: ReadRecord[] = [];
      let acknowledged = 0;
      let refused = 0;
      const write = async (durable = true): Promise<void> => {
        append(instance, records, records.length + 1, [7000]);
        const flushed = await instance.flush(durable).then(
          () => true,
          () => false,
        );
        if (flushed && durable) acknowledged = records.length;
        if (!flushed) refused++;
      };
      while (refused < 3) await write(records.length % 3 > 0);
      expect(acknowledged).toBeGreaterThan(20);
      const killed = disk.copy();
      killed.crash();
      const before = await look(killed.files, options);
      expect(before.read).toEqual(records.slice(0, before.read.length));
      expect(before.read.length).toBeGreaterThanOrEqual(acknowledged);

      capacity.bytes += KIB; // what a checkpoint of one key needs, and less than one more write
      const state = { revision: records.length, entries: [{ key: "k", value: "v" }] };
      await checkpoint(started, state.revision, state.entries);
      const used = disk.paths().reduce((sum, path) => sum + disk.contents(path).length, 0);
      expect(used).toBeLessThan(2000);
      for (let turn = 0; turn < 10; turn++) await write();
      expect(refused).toBe(3);
      disk.crash();
      const found = await look(disk.files, options);
      expectEntries(found.entries, state);
      expect(found.read).toEqual(records.slice(state.revision));
    });
  }
}

test("a checkpoint that does not fit leaves the disk as it was, and the log goes on when there is room", async () => {
  const disk = await emptyDisk();
  const files = limited(disk, { bytes: 300 * KIB });
  const started = await start(files, { segmentBytes: 40 * KIB });
  const { instance } = started;
  const records: ReadRecord[] = [];
  for (let revision = 1; revision <= 20; revision++) {
    append(instance, records, revision, [7000]);
    await instance.flush(true);
  }
  const before = disk.paths();
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(40 * KIB)));
  const large = Array.from({ length: 6 }, (_, i) => ({ key: `k${i}`, value: random }));
  for (let round = 0; round < 3; round++) {
    const entries = large.map(({ key, value }, i) => ({ key, value: value.subarray(i) }));
    await expect(checkpoint(started, 20, entries)).rejects.toMatchObject({ code: "IO" });
  }
  // The log was cut for the first one, and is whole.
  expect(disk.paths().length).toBeLessThanOrEqual(before.length + 1);
  append(instance, records, 21, [7000]);
  await instance.flush(true);
  disk.crash();
  const found = await look(disk.files);
  expect(found.entries).toEqual([]);
  expect(found.read).toEqual(records);
});
