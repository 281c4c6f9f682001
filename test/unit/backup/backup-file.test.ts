/** The file of a backup: what was written comes out of it, or an error that says where it is damaged. */
import { describe, expect, test } from "bun:test";
import {
  type BackupManifest,
  encodeManifest,
  FRAME_BYTES,
} from "../../../src/backup/backup-manifest.ts";
import { BackupReader } from "../../../src/backup/backup-reader.ts";
import { BackupWriter } from "../../../src/backup/backup-writer.ts";
import { FolderStorage } from "../../../src/backup/folder-storage.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { MemoryDisk } from "../../suites/index.ts";

const NAME = "kvdb-20261126T033517Z-r42.rdb.zst";
const PATH = `/backups/${NAME}`;
const STATE = {
  ...{ version: "0.1.0", revision: 42, timeMs: 1_795_664_117_000, entries: 1 },
  ...{ keys: { 0: 1 }, indexes: [], digest: "d".repeat(64) },
};

/** Some of it can be compressed. */
function contentOf(size: number): Buffer {
  const random = seededRandom(size);
  const content = Buffer.alloc(size);
  for (let at = 0; at < size; at++) content[at] = at % 3 === 0 ? random.below(256) : at % 7;
  return content;
}

async function write(disk: MemoryDisk, content: Buffer, step = content.length): Promise<void> {
  const sink = await new FolderStorage(disk.files, "/backups").create(NAME);
  const writer = new BackupWriter(sink);
  for (let at = 0; at < content.length; at += step) {
    await writer.write(content, at, Math.min(content.length, at + step));
  }
  await writer.finish(STATE);
  await sink.finish();
}

async function read(disk: MemoryDisk): Promise<Buffer> {
  const reader = await BackupReader.open(new FolderStorage(disk.files, "/backups"), NAME);
  const parts: Buffer[] = [];
  try {
    await reader.readAll(
      (part) => void parts.push(Buffer.from(part)),
      () => {},
    );
  } finally {
    await reader.close();
  }
  return Buffer.concat(parts);
}

describe("what was written is read:", () => {
  test.each([1, 1000, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES + 77])(
    "%d bytes",
    async (size) => {
      const content = contentOf(size);
      for (const step of [size, 65_536, 100_003]) {
        const disk = new MemoryDisk();
        await write(disk, content, step);
        expect((await read(disk)).equals(content)).toBe(true);
      }
    },
  );
});

test("its end says what is in it", async () => {
  const disk = new MemoryDisk();
  await write(disk, contentOf(2 * FRAME_BYTES));
  const reader = await BackupReader.open(new FolderStorage(disk.files, "/backups"), NAME);
  expect(reader.manifest).toMatchObject({ ...STATE, format: 1, rawBytes: 2 * FRAME_BYTES });
  expect(reader.manifest.frames.length).toBe(2);
  await reader.close();
});

test.skipIf(Bun.which("zstd") === null)("zstd unpacks it, and passes its end over", async () => {
  const disk = new MemoryDisk();
  const content = contentOf(FRAME_BYTES + 5);
  await write(disk, content);
  const zstd = Bun.spawn(["zstd", "-dc"], { stdin: disk.contents(PATH), stdout: "pipe" });
  expect(Buffer.from(await zstd.stdout.bytes()).equals(content)).toBe(true);
  expect(await zstd.exited).toBe(0);
});

test("who stops in the middle leaves nothing that is listed", async () => {
  const disk = new MemoryDisk();
  const storage = new FolderStorage(disk.files, "/backups");
  const sink = await storage.create(NAME);
  await new BackupWriter(sink).write(contentOf(FRAME_BYTES), 0, FRAME_BYTES);
  await sink.abandon();
  expect(await storage.list()).toEqual([]);
});

test("one of a format to come is not called damaged, whatever it says of itself", async () => {
  const disk = new MemoryDisk();
  const manifest = { format: 2, parts: [{ at: 0 }] } as unknown as BackupManifest;
  await disk.files.makeFolder("/backups");
  disk.put(PATH, Buffer.concat([contentOf(100), encodeManifest(manifest)]));
  await expect(read(disk)).rejects.toMatchObject({
    code: "CONFIG",
    message: expect.stringContaining("format 2, this kvdb reads 1"),
  });
});

describe("a damaged one is an error with its offset:", () => {
  test("cut at every byte", async () => {
    const disk = new MemoryDisk();
    await write(disk, contentOf(500));
    const bytes = disk.contents(PATH);
    for (let end = 0; end < bytes.length; end++) {
      disk.put(PATH, bytes.subarray(0, end));
      await expect(read(disk)).rejects.toMatchObject({
        code: "DAMAGE",
        message: expect.stringMatching(/^backup kvdb-.* is damaged at offset \d+: /),
      });
    }
  });

  test("each bit of each byte flipped", async () => {
    const disk = new MemoryDisk();
    await write(disk, contentOf(300));
    const bytes = disk.contents(PATH);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >>> 3] ^= 1 << (bit & 7);
      disk.put(PATH, damaged);
      const [outcome] = await Promise.allSettled([read(disk)]);
      expect([bit, outcome.status]).toEqual([bit, "rejected"]);
      const { reason } = outcome as PromiseRejectedResult;
      expect([bit, reason.code]).toEqual([bit, "DAMAGE"]);
    }
  });

  test("the second of three frames: where it begins is told", async () => {
    const disk = new MemoryDisk();
    await write(disk, contentOf(3 * FRAME_BYTES));
    const reader = await BackupReader.open(new FolderStorage(disk.files, "/backups"), NAME);
    const first = reader.manifest.frames[0]?.[0] ?? 0;
    await reader.close();
    const bytes = Buffer.from(disk.contents(PATH));
    bytes[first + 1000] ^= 1;
    disk.put(PATH, bytes);
    await expect(read(disk)).rejects.toMatchObject({
      message: expect.stringContaining(`damaged at offset ${first}:`),
    });
  });

  test("a file of Redis is told what takes it", async () => {
    const disk = new MemoryDisk();
    await write(disk, contentOf(500));
    const message = expect.stringContaining("kvdb import");
    for (const rdb of ["REDIS0010", `REDIS0010\xff${"\0".repeat(100)}`]) {
      disk.put(PATH, Buffer.from(rdb));
      await expect(read(disk)).rejects.toMatchObject({ code: "COMMAND", message });
    }
  });

  test("bytes behind it, and bytes in front of it", async () => {
    const disk = new MemoryDisk();
    await write(disk, contentOf(500));
    const bytes = disk.contents(PATH);
    for (const damaged of [
      Buffer.concat([bytes, Buffer.from("x")]),
      Buffer.concat([Buffer.from("x"), bytes]),
    ]) {
      disk.put(PATH, damaged);
      await expect(read(disk)).rejects.toMatchObject({ code: "DAMAGE" });
    }
  });
});
