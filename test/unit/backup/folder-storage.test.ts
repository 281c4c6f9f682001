/**
 * Backups in a folder: the contract on the real disk and in memory; then power loss at every
 * operation, and a disk that fails at every one.
 */
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FolderStorage } from "../../../src/backup/folder-storage.ts";
import type { BackupSink } from "../../../src/backup/storage.ts";
import { systemFiles } from "../../../src/platform/files.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { createFaultyFiles, MemoryDisk } from "../../suites/index.ts";
import { seeds } from "../../suites/seeds.ts";
import {
  failureOf,
  patternBytes,
  readFile,
  storageContract,
  writeFile,
} from "./storage-contract.ts";

const FOLDER = "/data/deep/backups";
const BIG_BYTES = 300_000;

storageContract(
  "a folder on the disk",
  async () => {
    const root = mkdtempSync(join(tmpdir(), "kvdb-backups-"));
    return {
      storage: new FolderStorage(systemFiles, join(root, "deep", "backups")),
      dispose: async () => rmSync(root, { recursive: true }),
    };
  },
  BIG_BYTES,
);

storageContract(
  "a folder in memory",
  async () => ({
    storage: new FolderStorage(new MemoryDisk().files, FOLDER),
    dispose: async () => undefined,
  }),
  BIG_BYTES,
);

test("files are their owner's alone, and folders between them are passed over", async () => {
  const root = mkdtempSync(join(tmpdir(), "kvdb-backups-"));
  try {
    const storage = new FolderStorage(systemFiles, root);
    mkdirSync(join(root, "old"));
    writeFileSync(join(root, ".hidden"), "x");
    await writeFile(storage, "a", patternBytes(10));
    expect(await storage.list()).toEqual([{ name: "a", bytes: 10 }]);
    expect(statSync(join(root, "a")).mode & 0o777).toBe(0o600);
    expect(readdirSync(root).sort()).toEqual([".hidden", "a", "old"]);
  } finally {
    rmSync(root, { recursive: true });
  }
});

/** One file as it should be after everything: the old one or the new one, whole. */
const OLD = patternBytes(3000, 1);
const NEW = patternBytes(5000, 2);

async function replaceOld(storage: FolderStorage): Promise<void> {
  await storage.clean(() => true);
  await writeFile(storage, "a", NEW, 2000);
  await storage.put("a.json", NEW);
}

async function diskWithOld(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const storage = new FolderStorage(disk.files, FOLDER);
  await writeFile(storage, "a", OLD);
  await storage.put("a.json", OLD);
  return disk;
}

/** 0 for the old bytes, 1 for the new ones; anything else fails. */
function stateOf(bytes: Buffer | undefined): number {
  const state = [OLD, NEW].findIndex((known) => bytes?.equals(known));
  expect(state).toBeGreaterThanOrEqual(0);
  return state;
}

for (const seed of seeds(5)) {
  test(`power loss at every operation leaves the old or the new file, seed ${seed}`, async () => {
    const disk = await diskWithOld();
    const copies: MemoryDisk[] = [];
    const hooks = { beforeOperation: () => void copies.push(disk.copy()) };
    const faulty = createFaultyFiles(disk.files, undefined, hooks);
    await replaceOld(new FolderStorage(faulty.files, FOLDER));
    copies.push(disk.copy());
    expect(copies.length).toBeGreaterThan(15);
    const states: number[] = [];
    for (const [index, copy] of copies.entries()) {
      copy.crash(seededRandom(seed * 1000 + index));
      const storage = new FolderStorage(copy.files, FOLDER);
      expect((await storage.list()).map(({ name }) => name)).toEqual(["a", "a.json"]);
      states.push(stateOf(await readFile(storage, "a")) + stateOf(await storage.get("a.json")));
      await storage.clean(() => true);
      expect(copy.paths()).toEqual([`${FOLDER}/a`, `${FOLDER}/a.json`]);
    }
    // Once finish resolved it stays: the last copy has both.
    expect([states[0], states.at(-1)]).toEqual([0, 2]);
  });
}

test("a folder made for the first backup is there after a power loss", async () => {
  const disk = new MemoryDisk();
  const synced: string[] = [];
  const files = {
    ...disk.files,
    syncFolder: async (path: string) => {
      synced.push(path);
      await disk.files.syncFolder(path);
    },
  };
  await writeFile(new FolderStorage(files, FOLDER), "a", OLD);
  expect(synced).toEqual(["/data/deep", "/data", "/", FOLDER]);
});

test("a disk that fails at any operation: an error, and nothing half is listed", async () => {
  for (let at = 1; ; at++) {
    const disk = await diskWithOld();
    const faulty = createFaultyFiles(disk.files, { at, kind: "once" });
    const storage = new FolderStorage(faulty.files, FOLDER);
    let sink: BackupSink | undefined;
    const write = async (): Promise<undefined> => {
      sink = await storage.create("a");
      await sink.write(NEW, 0, 2000);
      await sink.write(NEW, 2000, NEW.length);
      await sink.finish();
    };
    const failed = await write().catch((error: unknown) => error);
    if (!faulty.struck) {
      expect(at).toBeGreaterThan(6);
      break;
    }
    expect(String(failed)).toContain("ENOSPC");
    await sink?.abandon();
    const after = new FolderStorage(disk.files, FOLDER);
    const names = (await after.list()).map(({ name }) => name);
    if (names.includes("a")) expect(stateOf(await readFile(after, "a"))).toBe(0);
    expect(disk.paths().filter((path) => path.endsWith(".new"))).toEqual([]);
  }
});

test("a full disk is an error with its path and errno", async () => {
  const disk = new MemoryDisk();
  const faulty = createFaultyFiles(disk.files);
  const storage = new FolderStorage(faulty.files, FOLDER);
  const sink = await storage.create("a");
  faulty.failNext({ operation: "writing" });
  const error = await failureOf(sink.write(OLD, 0, OLD.length));
  expect(error.code).toBe("IO");
  expect(error.message).toContain(`${FOLDER}/a`);
  expect(error.message).toContain("ENOSPC");
});
