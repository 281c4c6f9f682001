/**
 * What every place for backups promises, as tests: run over a folder in memory, one on the disk, and
 * S3. Each test gets a place of its own, empty.
 */
import { describe, expect, test } from "bun:test";
import type { BackupStorage } from "../../../src/backup/storage.ts";
import { KvdbError } from "../../../src/errors.ts";
import { seededRandom } from "../../../src/platform/random.ts";

export interface StorageTrial {
  readonly storage: BackupStorage;
  readonly dispose: () => Promise<void>;
}

/** Bytes that no two places share: a mixed-up range shows. */
export function patternBytes(count: number, seed = 1): Buffer {
  const random = seededRandom(seed);
  const bytes = Buffer.alloc(Math.ceil(count / 4) * 4);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeInt32LE(random.next32(), at);
  return bytes.subarray(0, count);
}

/** Writes a file in pieces of `pieceBytes`, from a buffer that is used again for each. */
export async function writeFile(
  storage: BackupStorage,
  name: string,
  bytes: Buffer,
  pieceBytes = 100_000,
): Promise<void> {
  const sink = await storage.create(name);
  const piece = Buffer.alloc(pieceBytes + 3);
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const count = bytes.copy(piece, 3, start, Math.min(start + pieceBytes, bytes.length));
    await sink.write(piece, 3, 3 + count);
    piece.fill(0);
  }
  await sink.finish();
}

export async function readFile(storage: BackupStorage, name: string): Promise<Buffer> {
  const source = await storage.open(name);
  const bytes = Buffer.alloc(source.size);
  expect(await source.read(bytes, 0, source.size, 0)).toBe(source.size);
  await source.close();
  return bytes;
}

export async function failureOf(promise: Promise<unknown>): Promise<KvdbError> {
  const thrown = await promise.then(
    () => "nothing",
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(KvdbError);
  return thrown as KvdbError;
}

/** `bigBytes`: more than the storage writes in one piece. */
export function storageContract(
  title: string,
  start: () => Promise<StorageTrial>,
  bigBytes: number,
): void {
  const within = (name: string, run: (storage: BackupStorage) => Promise<void>) =>
    test(name, async () => {
      const { storage, dispose } = await start();
      try {
        await run(storage);
      } finally {
        await dispose();
      }
    });

  describe(title, () => {
    within("a place that is not there yet is empty", async (storage) => {
      expect(await storage.list()).toEqual([]);
      expect(await storage.get("none.json")).toBeUndefined();
      await storage.remove("none");
      await storage.clean(() => true);
    });

    within("what was written is listed with its size and read back", async (storage) => {
      const files = {
        "a.rdb": patternBytes(bigBytes),
        "b.rdb": Buffer.alloc(0),
        c: patternBytes(7),
      };
      for (const [name, bytes] of Object.entries(files).reverse()) {
        await writeFile(storage, name, bytes);
      }
      expect(await storage.list()).toEqual(
        Object.entries(files).map(([name, bytes]) => ({ name, bytes: bytes.length })),
      );
      for (const [name, bytes] of Object.entries(files)) {
        expect((await readFile(storage, name)).equals(bytes)).toBe(true);
      }
    });

    within("any range is read, and less only at the end", async (storage) => {
      const bytes = patternBytes(bigBytes);
      await writeFile(storage, "a", bytes);
      const source = await storage.open("a");
      const target = Buffer.alloc(70_000);
      const random = seededRandom(2);
      for (let round = 0; round < 40; round++) {
        const position = random.below(bigBytes + 1000);
        const length = random.below(65_000);
        target.fill(0);
        const count = await source.read(target, 5, length, position);
        expect(count).toBe(Math.max(0, Math.min(length, bigBytes - position)));
        expect(
          target.subarray(5, 5 + count).equals(bytes.subarray(position, position + count)),
        ).toBe(true);
        expect([target[4], target[5 + count]]).toEqual([0, 0]);
      }
      await source.close();
    });

    within("nothing is seen before finish, nor after abandon", async (storage) => {
      for (const bytes of [patternBytes(bigBytes), patternBytes(10)]) {
        const sink = await storage.create("a");
        await sink.write(bytes, 0, bytes.length);
        expect(await storage.list()).toEqual([]);
        await sink.abandon();
        await sink.abandon();
        expect(await storage.list()).toEqual([]);
      }
      await writeFile(storage, "a", patternBytes(10));
      expect(await storage.list()).toEqual([{ name: "a", bytes: 10 }]);
    });

    within("an older file of the name stands until the new one is whole", async (storage) => {
      const old = patternBytes(10, 1);
      await writeFile(storage, "a", old);
      const given = await storage.create("a");
      await given.write(patternBytes(20, 2), 0, 20);
      await given.abandon();
      expect((await readFile(storage, "a")).equals(old)).toBe(true);
      await writeFile(storage, "a", patternBytes(20, 3));
      expect((await readFile(storage, "a")).equals(patternBytes(20, 3))).toBe(true);
    });

    within("small files are put, replaced, got, removed", async (storage) => {
      await storage.put("a.json", Buffer.from("one"));
      await storage.put("a.json", Buffer.from("second"));
      await storage.put("b.json", Buffer.from("x"));
      expect(String(await storage.get("a.json"))).toBe("second");
      await storage.remove("a.json");
      await storage.remove("a.json");
      expect(await storage.get("a.json")).toBeUndefined();
      expect(await storage.list()).toEqual([{ name: "b.json", bytes: 1 }]);
    });

    within("what was cut off goes, but only what is ours", async (storage) => {
      const bytes = patternBytes(bigBytes);
      for (const name of ["ours", "theirs"]) {
        const sink = await storage.create(name);
        await sink.write(bytes, 0, bytes.length);
      }
      await storage.clean((name) => name === "ours");
      await storage.clean((name) => name === "ours");
      expect(await storage.list()).toEqual([]);
      await writeFile(storage, "ours", bytes);
      expect((await readFile(storage, "ours")).equals(bytes)).toBe(true);
    });

    within("a file that is missing is an error that names it", async (storage) => {
      const error = await failureOf(storage.open("missing.rdb"));
      expect([error.code, error.message]).toEqual(["IO", expect.stringContaining("missing.rdb")]);
    });

    within("no name leads out of the place", async (storage) => {
      for (const name of [
        "",
        ".",
        "..",
        "../a",
        "a/b",
        "/a",
        ".a",
        "a\\b",
        "a\0",
        "ä",
        "x".repeat(201),
      ]) {
        const attempts = [
          () => storage.create(name),
          () => storage.open(name),
          () => storage.put(name, Buffer.alloc(1)),
          () => storage.get(name),
          () => storage.remove(name),
        ];
        for (const attempt of attempts) expect((await failureOf(attempt())).code).toBe("USAGE");
      }
      expect(await storage.list()).toEqual([]);
    });
  });
}
