/**
 * A backup in the place of what a folder has: everything arrives, what was there is moved aside, and a stop or a failure at
 * any moment leaves a folder that opens whole with the one or the other.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { basename } from "node:path";
import { FolderStorage } from "../../../src/backup/folder-storage.ts";
import { type RestoreRequest, restoreFolder } from "../../../src/kernel/restore.ts";
import { createFaultyFiles, FakeClock, MemoryDisk } from "../../suites/index.ts";
import {
  DIR,
  digestIn,
  type FolderOptions,
  filledDisk,
  inFolder,
  requestFor,
} from "./conversion-harness.ts";

/** Far from the folder, as backups should be. */
const ELSEWHERE = "/elsewhere";

/** Of the backup's content, and of what is in the way. */
let saved = "";
let other = "";
let backupName = "";
let backupBytes: Buffer;

beforeAll(async () => {
  const disk = await filledDisk("wal");
  await inFolder("wal", disk, async (call) => void (await call("BACKUP")));
  const path = disk.paths().find((one) => one.endsWith(".rdb.zst")) ?? "";
  backupName = path.slice(path.lastIndexOf("/") + 1);
  backupBytes = disk.contents(path);
  saved = await digestIn("wal", disk);
  other = await digestIn("wal", await otherDisk("wal"));
});

/** A folder with something else in it, and the backup beside it. */
async function otherDisk(persistence: string): Promise<MemoryDisk> {
  const disk = await filledDisk(persistence);
  await inFolder(persistence, disk, async (call) => {
    for (let index = 0; index < 10; index++) await call("SET", `other ${index}`, "1");
    await call("DEL", "plain");
  });
  return withBackup(disk);
}

async function withBackup(disk: MemoryDisk): Promise<MemoryDisk> {
  await disk.files.makeFolder(ELSEWHERE);
  disk.put(`${ELSEWHERE}/${backupName}`, backupBytes);
  return disk;
}

function restore(
  persistence: string,
  options: FolderOptions,
  changes: Partial<RestoreRequest> = {},
) {
  const { loaded, builtins, createEngine, platform } = requestFor("", persistence, options);
  const chosen = { use: persistence, options: options.options ?? {} };
  return restoreFolder({
    loaded: { ...loaded, config: { ...loaded.config, persistence: chosen } },
    ...{ builtins, createEngine, platform, name: backupName, isForced: true },
    storage: new FolderStorage(options.files, ELSEWHERE),
    onProgress: () => {},
    ...changes,
  });
}

function namesIn(disk: MemoryDisk): string[] {
  const inside = disk.paths().filter((path) => path.startsWith(`${DIR}/`));
  return inside.map((path) => path.slice(DIR.length + 1));
}

const persistences = ["wal", "json-snapshot", "states"];

describe.each(persistences)("%s", (persistence) => {
  test("into an empty folder", async () => {
    const disk = await withBackup(new MemoryDisk());
    const restored = await restore(persistence, disk, { isForced: false });
    expect(restored).toMatchObject({ keys: 6, replaced: [] });
    expect(await digestIn(persistence, disk)).toBe(saved);
    expect(namesIn(disk).filter((name) => /restor|replaced|unpacked/.test(name))).toEqual([]);
  });

  test("data is refused without force, and stays as it is", async () => {
    const disk = await otherDisk(persistence);
    const before = namesIn(disk);
    const restoring = restore(persistence, disk, { isForced: false });
    await expect(restoring).rejects.toMatchObject({
      code: "COMMAND",
      message: expect.stringContaining("--force"),
    });
    expect(namesIn(disk)).toEqual(before);
    expect(await digestIn(persistence, disk)).toBe(other);
  });

  test("forced: the content is the backup's, the files from before are moved aside", async () => {
    const disk = await otherDisk(persistence);
    const before = namesIn(disk).filter((name) => name !== "kvdb.lock");
    const { replaced } = await restore(persistence, disk);
    const aside = basename(replaced[0] ?? "");
    expect(replaced).toEqual([`${DIR}/${aside}`]);
    expect(await digestIn(persistence, disk)).toBe(saved);
    const moved = namesIn(disk).filter((name) => name.startsWith(`${aside}/`));
    expect(moved).toEqual(before.map((name) => `${aside}/${name}`));
    const old = new MemoryDisk();
    await old.files.makeFolder(DIR);
    for (const name of before) old.put(`${DIR}/${name}`, disk.contents(`${DIR}/${aside}/${name}`));
    expect(await digestIn(persistence, old)).toBe(other);
  });

  test("revisions go on above both, and it lives on", async () => {
    const disk = await otherDisk(persistence);
    let before = 0;
    await inFolder(persistence, disk, async (_call, { engine }) => {
      before = engine.disk.lastRevision;
    });
    const { revision } = await restore(persistence, disk);
    expect(revision).toBeGreaterThanOrEqual(before);
    await inFolder(persistence, disk, async (call, { engine }) => {
      expect(engine.disk.lastRevision).toBeGreaterThanOrEqual(revision);
      await call("SET", "new", "1");
    });
    await inFolder(persistence, disk, async (call) => {
      expect(await call("DBSIZE")).toMatchObject({ value: 5 });
    });
  });

  test("again, over what was restored", async () => {
    const disk = await otherDisk(persistence);
    const clock = new FakeClock();
    const first = await restore(persistence, { files: disk.files, clock });
    const second = await restore(persistence, { files: disk.files, clock });
    expect(second.replaced).not.toEqual(first.replaced);
    expect(await digestIn(persistence, disk)).toBe(saved);
  });
});

test("what is in the way need not be readable", async () => {
  const disk = await otherDisk("wal");
  disk.put(`${DIR}/manifest.json`, Buffer.from("{"));
  for (const path of disk.paths()) {
    if (path.endsWith(".log")) disk.put(path, Buffer.from("no log"));
  }
  const refused = restore("wal", disk, { isForced: false });
  await expect(refused).rejects.toMatchObject({ message: expect.stringContaining("--force") });
  const { replaced } = await restore("wal", disk);
  expect(disk.paths()).toContain(`${replaced[0]}/manifest.json`);
  expect(await digestIn("wal", disk)).toBe(saved);
});

test("a damaged backup replaces nothing", async () => {
  const disk = await otherDisk("wal");
  const damaged = Buffer.from(backupBytes);
  damaged[100] ^= 1;
  disk.put(`${ELSEWHERE}/${backupName}`, damaged);
  const before = namesIn(disk);
  await expect(restore("wal", disk)).rejects.toMatchObject({ code: "DAMAGE" });
  expect(namesIn(disk)).toEqual(before);
  expect(await digestIn("wal", disk)).toBe(other);
});

test.each([
  ["json-lines", "cannot take whole states"],
  ["none", "keeps nothing"],
])("into %s it is refused", async (persistence, message) => {
  const disk = await withBackup(new MemoryDisk());
  await expect(restore(persistence, disk)).rejects.toMatchObject({
    code: "CONFIG",
    message: expect.stringContaining(message),
  });
});

// A file outside of the folder stays beside where it was.
test("where an option leads out of the folder", async () => {
  const file = "/other/place/data.json";
  const disk = await withBackup(new MemoryDisk());
  const options = { files: disk.files, options: { file } };
  await inFolder("json-snapshot", options, async (call) => void (await call("SET", "a", "1")));
  const { replaced } = await restore("json-snapshot", options);
  expect(replaced).toEqual([expect.stringMatching(/^\/other\/place\/data\.json\.replaced-/)]);
  expect(disk.paths()).toEqual(expect.arrayContaining([file, ...replaced]));
  expect(await digestIn("json-snapshot", options)).toBe(saved);
});

describe.each(["wal", "json-snapshot"])("%s, step by step", (persistence) => {
  test("a stop at any moment leaves one of them whole, and it can go on", async () => {
    const disk = await otherDisk(persistence);
    const moments: MemoryDisk[] = [];
    const keep = () => void moments.push(disk.copy());
    const { files } = createFaultyFiles(disk.files, undefined, { beforeOperation: keep });
    disk.onVolatileWrite = keep;
    await restore(persistence, { files });
    keep();
    expect(moments.length).toBeGreaterThan(20);
    const whole = { old: 0, new: 0 };
    for (const [index, moment] of moments.entries()) {
      // Not torn: this disk may lose both names of a rename then, which no file system with a journal does.
      for (const stop of ["kill", "crash"] as const) {
        const copy = moment.copy();
        copy[stop]();
        const found = await digestIn(persistence, copy);
        const where = `${index} of ${moments.length}`;
        expect([where, [saved, other].includes(found)]).toEqual([where, true]);
        whole[found === saved ? "new" : "old"]++;
        const left = namesIn(copy).filter((name) => /restor|unpacked/.test(name));
        expect([where, left]).toEqual([where, []]);
        if (stop === "crash") continue;
        await withBackup(copy);
        await restore(persistence, copy);
        expect([where, await digestIn(persistence, copy)]).toEqual([where, saved]);
        expect(namesIn(copy).filter((name) => name.endsWith(".restoring"))).toEqual([]);
      }
    }
    expect(whole.old).toBeGreaterThan(10);
    expect(whole.new).toBeGreaterThan(10);
  });

  test.each(["once", "lasting"] as const)(
    "operation N fails %s, for every N: whole with the one or the other",
    async (kind) => {
      let struck = true;
      const filled = await otherDisk(persistence);
      for (let at = 1; struck; at++) {
        const disk = filled.copy();
        const faulty = createFaultyFiles(disk.files, { at, kind });
        const storage = new FolderStorage(disk.files, ELSEWHERE);
        const restoring = restore(persistence, faulty, { storage });
        const [outcome] = await Promise.allSettled([restoring]);
        struck = faulty.struck;
        if (!struck) expect(outcome.status).toBe("fulfilled");
        disk.kill();
        const found = await digestIn(persistence, disk);
        const where = `operation ${at}, ${outcome.status}`;
        const expected = outcome.status === "fulfilled" ? [saved] : [saved, other];
        expect([where, expected.includes(found)]).toEqual([where, true]);
      }
    },
  );
});

test("a restore that was cut off behind its switch is told by a check, which finishes nothing", async () => {
  const disk = await otherDisk("wal");
  let cut: MemoryDisk | undefined;
  const { files } = createFaultyFiles(disk.files, undefined, {
    beforeOperation: () => {
      if (cut === undefined && namesIn(disk).includes("restore.json")) cut = disk.copy();
    },
  });
  await restore("wal", { files });
  const copy = cut as MemoryDisk;
  copy.kill();
  const before = namesIn(copy);
  const { prepare } = await import("../../../src/kernel/prepare.ts");
  const { loaded, builtins, createEngine, platform } = requestFor("", "wal", copy);
  const kernel = await prepare({
    ...{ loaded, builtins, createEngine, platform, purpose: { kind: "check" } },
    ...{ role: "maintenance", onStopRequest: () => {} },
  });
  await expect(kernel.start()).rejects.toMatchObject({
    code: "CONFIG",
    message: expect.stringContaining("was cut off"),
  });
  expect(namesIn(copy)).toEqual(before);
  expect(await digestIn("wal", copy)).toBe(saved);
});
