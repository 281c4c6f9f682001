/**
 * One process per folder: with flock on the real disk, and with the pid in the file where there is
 * no flock.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { KvdbError } from "../../../src/errors.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { type Files, failure, systemFiles } from "../../../src/platform/files.ts";
import { lockFolder, readFolderOwner, readLockHolder } from "../../../src/platform/folder-lock.ts";
import { LOCK_FILE_NAME } from "../../../src/platform/lock-file.ts";
import type { Processes } from "../../../src/platform/processes.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { createFaultyFiles, FakeClock, MemoryDisk } from "../../suites/index.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "kvdb-lock-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const options = { files: systemFiles, clock: systemClock, persistence: "wal" };

async function refusal(promise: Promise<unknown>): Promise<KvdbError> {
  const thrown = await promise.then(
    () => "nothing",
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(KvdbError);
  return thrown as KvdbError;
}

/** A process that locks `folder`, says so, and waits. */
function holderProcess(folder: string) {
  const platform = resolve(import.meta.dir, "../../../src/platform");
  const program = `
    import { systemClock } from "${platform}/clock.ts";
    import { systemFiles } from "${platform}/files.ts";
    import { lockFolder } from "${platform}/folder-lock.ts";
    const options = { files: systemFiles, clock: systemClock, persistence: "wal" };
    await lockFolder(${JSON.stringify(folder)}, options);
    console.log("locked");
    setInterval(() => {}, 1000);
  `;
  return Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const { value } = await stream.getReader().read();
  return new TextDecoder().decode(value).trim();
}

describe("on the disk", () => {
  test("makes the folder with mode 0700 and writes who holds it", async () => {
    const folder = join(root, "made", "below");
    const lock = await lockFolder(folder, options);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const path = join(folder, LOCK_FILE_NAME);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid });
    await lock.announceSocket("/somewhere/kvdb.sock");
    expect(await readLockHolder(systemFiles, folder)).toMatchObject({
      pid: process.pid,
      socket: "/somewhere/kvdb.sock",
    });
    await lock.release();
    await lock.release();
    expect(await readLockHolder(systemFiles, folder)).toBeUndefined();
  });

  test("a second open in the same process is refused, until the first releases", async () => {
    const folder = join(root, "twice");
    const first = await lockFolder(folder, options);
    const error = await refusal(lockFolder(folder, options));
    expect(error.code).toBe("HELD");
    expect(error.message).toContain(String(process.pid));
    await first.release();
    await (await lockFolder(folder, options)).release();
  });

  test("another process is refused with the holder's pid; kill -9 frees the folder", async () => {
    const folder = join(root, "other");
    const holder = holderProcess(folder);
    expect(await firstLine(holder.stdout)).toBe("locked");
    const error = await refusal(lockFolder(folder, options));
    expect(error.code).toBe("HELD");
    expect(error.message).toContain(`pid ${holder.pid}`);
    expect(await readLockHolder(systemFiles, folder)).toMatchObject({ pid: holder.pid });
    holder.kill("SIGKILL");
    await holder.exited;
    expect(await readLockHolder(systemFiles, folder)).toBeUndefined();
    await (await lockFolder(folder, options)).release();
  });

  test("a child of the holder does not keep the lock alive", async () => {
    const folder = join(root, "child");
    const lock = await lockFolder(folder, options);
    const child = Bun.spawn(["sleep", "30"]);
    await lock.release();
    await (await lockFolder(folder, options)).release();
    child.kill();
    await child.exited;
  });

  test("a lock file that is left over is taken, whatever it holds", async () => {
    const folder = join(root, "stale");
    await systemFiles.makeFolder(folder);
    const path = join(folder, LOCK_FILE_NAME);
    for (const text of ['{"pid":1}', "{", "", "[]", '{"pid":"x"}', "\u0000".repeat(10_000)]) {
      writeFileSync(path, text);
      const lock = await lockFolder(folder, options);
      expect(JSON.parse(readFileSync(path, "utf8")).pid).toBe(process.pid);
      await lock.release();
    }
  });

  test("belongs to the persistence that has read it, after a release and after a crash", async () => {
    const folder = join(root, "owned");
    const path = join(folder, LOCK_FILE_NAME);
    const other = { ...options, persistence: "json-lines" };
    const lock = await lockFolder(folder, options);
    await lock.claim();
    const crashed = readFileSync(path);
    await lock.release();
    expect(readFileSync(path, "utf8")).toBe('{"persistence":"wal"}\n');
    // The third: ended between the two steps of a release.
    const cut = Buffer.concat([readFileSync(path), crashed.subarray(22)]);
    for (const content of [readFileSync(path), crashed, cut]) {
      writeFileSync(path, content);
      const error = await refusal(lockFolder(folder, other));
      expect(error.code).toBe("CONFIG");
      for (const named of [folder, '"wal"', '"json-lines"']) expect(error.message).toContain(named);
      expect(readFileSync(path)).toEqual(content);
      expect(await readLockHolder(systemFiles, folder)).toEqual(
        content === crashed ? expect.objectContaining({ pid: process.pid }) : undefined,
      );
      await (await lockFolder(folder, options)).release(); // the lock was given back
    }
  });

  test("belongs to aof when Redis has left its files there, until somebody has claimed it", async () => {
    for (const name of ["dump.rdb", "appendonly.aof", "appendonlydir/appendonly.aof.manifest"]) {
      const folder = mkdtempSync(join(root, "redis-"));
      mkdirSync(join(folder, "appendonlydir"));
      expect(await readFolderOwner(systemFiles, folder)).toMatchObject({ persistence: undefined });
      writeFileSync(join(folder, name), "");
      expect(await readFolderOwner(systemFiles, folder)).toMatchObject({ persistence: "aof" });
      const error = await refusal(lockFolder(folder, options));
      expect(error).toMatchObject({ code: "CONFIG" });
      expect(error.message).toContain('belongs to the persistence "aof"');
      expect(error.message).toContain("kvdb convert");
      const lock = await lockFolder(folder, { ...options, persistence: "aof" });
      expect(lock.pathsBefore).toBeUndefined();
      await lock.release();
      await (await lockFolder(folder, { ...options, persistence: "aof" })).claim();
      expect(await readFolderOwner(systemFiles, folder)).toMatchObject({ persistence: "aof" });
    }
  });

  test("belongs to nobody when its persistence could not read it", async () => {
    const folder = join(root, "unclaimed");
    await (await lockFolder(folder, options)).release();
    await (await lockFolder(folder, { ...options, persistence: "json-lines" })).release();
  });

  test.skipIf(process.getuid?.() === 0)("an unreadable folder: PERMISSION", async () => {
    const folder = join(root, "closed");
    await systemFiles.makeFolder(folder);
    chmodSync(folder, 0o000);
    expect((await refusal(lockFolder(folder, options))).code).toBe("PERMISSION");
    chmodSync(folder, 0o700);
  });

  test("a file in the folder's place: IO with the path", async () => {
    const path = join(root, "a-file");
    writeFileSync(path, "");
    const error = await refusal(lockFolder(path, options));
    expect(error.code).toBe("IO");
    expect(error.message).toContain(path);
  });
});

/** A disk whose locks are unavailable, and a table of processes. */
function withoutFlock(processes: Record<number, string>, ownPid: number) {
  const disk = new MemoryDisk();
  const files: Files = {
    ...disk.files,
    open: async (path, mode) => {
      const file = await disk.files.open(path, mode);
      return { ...file, lock: () => "unavailable" };
    },
  };
  const table = (pid: number): Processes => ({
    ownPid: pid,
    isAlive: (other) => processes[other] !== undefined,
    startOf: async (other) => processes[other],
  });
  const clock = new FakeClock();
  const options = { files, clock, persistence: "wal" };
  return {
    lock: (pid = ownPid) => lockFolder("/data", { ...options, processes: table(pid) }),
  };
}

describe("without flock", () => {
  test("a live holder is respected", async () => {
    const { lock } = withoutFlock({ 10: "start a", 11: "start b" }, 10);
    const held = await lock(10);
    const error = await refusal(lock(11));
    expect(error.code).toBe("HELD");
    expect(error.message).toContain("pid 10");
    await held.release();
    await (await lock(11)).release();
  });

  test("a second open in the same process is refused", async () => {
    const { lock } = withoutFlock({ 10: "start a" }, 10);
    await lock();
    expect((await refusal(lock())).code).toBe("HELD");
  });

  test("a dead holder, or a later process with its pid, is no holder", async () => {
    const processes: Record<number, string> = { 10: "start a", 11: "start b" };
    const { lock } = withoutFlock(processes, 10);
    await lock(10);
    delete processes[10];
    await lock(11);
    processes[11] = "start c";
    processes[12] = "start d";
    await lock(12);
  });
});

test("a holder that ends while it is looked at is no failure", async () => {
  // On this disk there is no /proc: the process is alive, and its entry is gone a moment later.
  const { files } = new MemoryDisk();
  await files.makeFolder("/data");
  const text = JSON.stringify({ pid: process.pid, processStart: "1", socket: "/data/kvdb.sock" });
  await files.replace(`/data/${LOCK_FILE_NAME}`, Buffer.from(text));
  expect((await readLockHolder(files, "/data"))?.socket).toBe("/data/kvdb.sock");
});

describe("only to look at it", () => {
  const looking = {
    files: systemFiles,
    clock: systemClock,
    persistence: "wal",
    changesNothing: true,
  };

  test("nobody else gets in meanwhile, and it is as it was afterwards", async () => {
    const folder = join(root, "looked-at");
    const lock = await lockFolder(folder, options);
    await lock.claim();
    expect((await refusal(lockFolder(folder, looking))).code).toBe("HELD");
    await lock.release();
    const before = readFileSync(join(folder, LOCK_FILE_NAME));
    const onlooker = await lockFolder(folder, looking);
    const error = await refusal(lockFolder(folder, options));
    expect(error.code).toBe("HELD");
    expect(error.message).toContain(`pid ${process.pid}`);
    await onlooker.claim();
    await onlooker.release();
    expect(readFileSync(join(folder, LOCK_FILE_NAME))).toEqual(before);
    await (await lockFolder(folder, options)).release();
  });

  test("another persistence's folder is none to look at", async () => {
    const folder = join(root, "looked-at-by-another");
    const lock = await lockFolder(folder, options);
    await lock.claim();
    await lock.release();
    const other = { ...looking, persistence: "json-lines" };
    expect((await refusal(lockFolder(folder, other))).code).toBe("CONFIG");
  });

  test("one that is not there is not made, and one without a lock file gets none", async () => {
    const folder = join(root, "never-made");
    const error = await refusal(lockFolder(folder, looking));
    expect(error.code).toBe("CONFIG");
    expect(error.message).toContain(folder);
    expect(await systemFiles.exists(folder)).toBe(false);
    await systemFiles.makeFolder(folder);
    const onlooker = await lockFolder(folder, looking);
    await onlooker.release();
    expect(await systemFiles.list(folder)).toEqual([]);
  });

  test("where nothing can be written the lock is one all the same, without a note", async () => {
    const disk = new MemoryDisk();
    const clock = new FakeClock();
    const before = '{"persistence":"wal","pid":999999999}\n';
    await disk.files.makeFolder("/data");
    disk.put(`/data/${LOCK_FILE_NAME}`, Buffer.from(before));
    const refuse = async (path: string) => {
      throw failure("opening", path, Object.assign(new Error("EROFS"), { code: "EROFS" }));
    };
    const files: Files = {
      ...disk.files,
      open: (path, mode) => (mode === "read" ? disk.files.open(path, mode) : refuse(path)),
    };
    const onlooker = await lockFolder("/data", { ...looking, files, clock });
    const second = { ...options, files: disk.files, clock };
    expect((await refusal(lockFolder("/data", second))).code).toBe("HELD");
    await onlooker.release();
    await onlooker.release();
    expect(disk.contents(`/data/${LOCK_FILE_NAME}`).toString()).toBe(before);
    await (await lockFolder("/data", second)).release();
  });
});

describe("handed over to another persistence", () => {
  const owner = async (folder: string) => (await readFolderOwner(systemFiles, folder)).persistence;

  test("it is that one's from then on, and still held", async () => {
    const folder = join(root, "handed-over");
    const lock = await lockFolder(folder, options);
    await lock.claim();
    await lock.handOver("json-lines", {});
    expect(await owner(folder)).toBe("json-lines");
    expect(await readLockHolder(systemFiles, folder)).toMatchObject({ pid: process.pid });
    expect((await refusal(lockFolder(folder, options))).code).toBe("HELD");
    await lock.release();
    expect(await owner(folder)).toBe("json-lines");
    expect((await refusal(lockFolder(folder, options))).code).toBe("CONFIG");
    await (await lockFolder(folder, { ...options, persistence: "json-lines" })).release();
  });

  test("a power loss in the middle leaves it to one of the two", async () => {
    const names = ["wal", "a-persistence-with-a-long-name"] as const;
    const found = new Set<string | undefined>();
    for (const [from, to] of [names, names.toReversed()] as [string, string][]) {
      for (let seed = 0; seed < 40; seed++) {
        const disk = new MemoryDisk();
        const clock = new FakeClock();
        const lock = await lockFolder("/data", { files: disk.files, clock, persistence: from });
        await lock.claim();
        await lock.release();
        await (await disk.files.open(`/data/${LOCK_FILE_NAME}`, "update")).sync();
        const again = await lockFolder("/data", { files: disk.files, clock, persistence: from });
        const moments: MemoryDisk[] = [];
        const keep = () => void moments.push(disk.copy());
        const { files } = createFaultyFiles(disk.files, undefined, { beforeOperation: keep });
        await again.release();
        const last = await lockFolder("/data", { files, clock, persistence: from });
        await last.handOver(to, {});
        keep();
        for (const moment of moments) {
          moment.crash(seededRandom(seed));
          found.add((await readFolderOwner(moment.files, "/data")).persistence);
        }
      }
    }
    expect([...found].sort()).toEqual(["a-persistence-with-a-long-name", "wal"]);
  });
});

test("where a persistence keeps its data is known from when it was read there, to its next start", async () => {
  const folder = join(root, "elsewhere");
  const paths = async () => (await readFolderOwner(systemFiles, folder)).paths;
  const first = await lockFolder(folder, { ...options, paths: { file: "/a.json" } });
  expect(first.pathsBefore).toBeUndefined();
  await first.claim();
  expect(await paths()).toEqual({ file: "/a.json" });
  await first.release();
  const failed = await lockFolder(folder, { ...options, paths: { file: "/b.json" } });
  expect(failed.pathsBefore).toEqual({ file: "/a.json" });
  await failed.release();
  expect(await paths()).toEqual({ file: "/a.json" });
  const moved = await lockFolder(folder, { ...options, paths: { file: "/b.json" } });
  await moved.claim();
  await moved.release();
  expect(await paths()).toEqual({ file: "/b.json" });
  const last = await lockFolder(folder, options);
  await last.handOver("json-lines", {});
  await last.release();
  expect(await paths()).toEqual({});
});

describe("which revisions were given out", () => {
  /** A disk with a lock file that says this. */
  async function lockOver(content: string, more: { changesNothing?: boolean } = {}) {
    const disk = new MemoryDisk();
    await disk.files.makeFolder("/data");
    disk.put(`/data/${LOCK_FILE_NAME}`, Buffer.from(content));
    const given = { files: disk.files, clock: new FakeClock(), persistence: "states", ...more };
    return { disk, lock: await lockFolder("/data", given) };
  }

  const noteOn = (disk: MemoryDisk) => disk.contents(`/data/${LOCK_FILE_NAME}`).toString();

  test("is told by the last run, and that there may be more while one goes on", async () => {
    const { disk, lock } = await lockOver('{"persistence":"states"}\n');
    expect(lock.givenBefore).toBeUndefined();
    await lock.claim(7);
    disk.crash(); // so it was durable
    const running = noteOn(disk);
    expect(running).toStartWith('{"persistence":"states","revisionsAbove":7,');
    const next = await lockOver(running);
    expect(next.lock.givenBefore).toEqual({ upTo: 7, isComplete: false });
    await next.lock.claim(100);
    await next.lock.release(103);
    expect(noteOn(next.disk)).toBe('{"persistence":"states","lastRevision":103}\n');
    const last = await lockOver(noteOn(next.disk), { changesNothing: true });
    expect(last.lock.givenBefore).toEqual({ upTo: 103, isComplete: true });
  });

  test("stays as it was when a run gives out none, or ends without telling", async () => {
    for (const text of ['"lastRevision":42', '"revisionsAbove":42']) {
      const { disk, lock } = await lockOver(`{"persistence":"states",${text}}\n`);
      await lock.release();
      expect(noteOn(disk)).toBe(`{"persistence":"states",${text}}\n`);
    }
    const { disk, lock } = await lockOver('{"persistence":"states","lastRevision":42}\n');
    await lock.claim(42);
    await lock.release();
    expect(noteOn(disk)).toBe('{"persistence":"states","revisionsAbove":42}\n');
  });

  test("is forgotten when the persistence keeps each change", async () => {
    const { disk, lock } = await lockOver('{"persistence":"states","lastRevision":42}\n');
    await lock.claim();
    await lock.release(50);
    expect(noteOn(disk)).toBe('{"persistence":"states"}\n');
  });

  test.each([
    ['{"persistence":"states","revisionsAbove":123,"paths":{"fi', { upTo: 123, isComplete: false }],
    ['{"persistence":"states","lastRevision":123,"since":2026', { upTo: 123, isComplete: true }],
    ['{"persistence":"states","revisionsAbove":12', undefined],
    ['{"persistence":"states","lastRevision":12', undefined],
    ['{"persistence":"states","lastRevision":-1}', undefined],
    ['{"persistence":"states","lastRevision":"12"}', undefined],
    ['{"persistence":"states","lastRevision":1.5}', undefined],
  ])("of a note that was cut off, only a whole number: %s", async (content, given) => {
    expect((await lockOver(content)).lock.givenBefore).toEqual(given);
  });
});

test("whose a folder is: nobody's before the first start, and none that is not there", async () => {
  const folder = join(root, "whose");
  expect((await refusal(readFolderOwner(systemFiles, folder))).code).toBe("CONFIG");
  await systemFiles.makeFolder(folder);
  const nobody = { hasLockFile: false, persistence: undefined, paths: {} };
  expect(await readFolderOwner(systemFiles, folder)).toEqual(nobody);
  await (await lockFolder(folder, options)).release();
  expect(await readFolderOwner(systemFiles, folder)).toEqual({ ...nobody, hasLockFile: true });
});
