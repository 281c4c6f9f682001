/**
 * The files of the system: what each call does on a real disk, and that a failure names path and
 * errno.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KvdbError } from "../../../src/errors.ts";
import { replaceFile } from "../../../src/platform/atomic-file.ts";
import { errnoOf, failure, systemFiles } from "../../../src/platform/files.ts";
import { createFaultyFiles, MemoryDisk } from "../../suites/index.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kvdb-files-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function failureOf(promise: Promise<unknown>): Promise<KvdbError> {
  const thrown = await promise.then(
    () => "nothing",
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(KvdbError);
  return thrown as KvdbError;
}

const text = (value: string) => Buffer.from(value);

describe("open files", () => {
  test("write, writeNow, read, size, truncate, sync", async () => {
    const path = join(folder, "one");
    for (const synced of [false, true]) {
      const file = await systemFiles.open(path, "replace", { synced });
      await file.write(text("xhellox"), 1, 6, 0);
      file.writeNow(text("world"), 0, 5, 6);
      await file.sync();
      expect(await file.size()).toBe(11);
      const target = Buffer.alloc(20, 0x2e);
      expect(await file.read(target, 2, 18, 3)).toBe(8);
      expect(target.toString()).toBe("..lo\0world..........");
      expect(await file.read(target, 0, 5, 100)).toBe(0);
      const now = Buffer.alloc(6, 0x2e);
      expect(file.readNow(now, 1, 5, 7)).toBe(4);
      expect(now.toString()).toBe(".orld.");
      expect(file.readNow(target, 0, 5, 11)).toBe(0);
      await file.truncate(4);
      await file.close();
      expect(readFileSync(path, "latin1")).toBe("hell");
    }
  });

  test("some MiB go out whole", async () => {
    const file = await systemFiles.open(join(folder, "big"), "replace");
    const bytes = Buffer.alloc(9 << 20);
    for (let at = 0; at < bytes.length; at += 1009) bytes[at] = at;
    await file.write(bytes, 0, bytes.length, 3);
    const back = Buffer.alloc(bytes.length + 10);
    expect(await file.read(back, 0, back.length, 0)).toBe(bytes.length + 3);
    expect(back.subarray(3, bytes.length + 3).equals(bytes)).toBe(true);
    await file.close();
  });

  test("what each mode wants and makes", async () => {
    const path = join(folder, "modes");
    expect(errnoOf(await failureOf(systemFiles.open(path, "read")))).toBe("ENOENT");
    expect(errnoOf(await failureOf(systemFiles.open(path, "update")))).toBe("ENOENT");
    await (await systemFiles.open(path, "create")).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(errnoOf(await failureOf(systemFiles.open(path, "create")))).toBe("EEXIST");
    writeFileSync(path, "kept");
    await (await systemFiles.open(path, "keep")).close();
    await (await systemFiles.open(path, "update")).close();
    expect(readFileSync(path, "latin1")).toBe("kept");
    await (await systemFiles.open(path, "replace")).close();
    expect(readFileSync(path, "latin1")).toBe("");
  });

  test("a failure names what was done, path and errno, and keeps its cause", async () => {
    const path = join(folder, "gone", "file");
    const error = await failureOf(systemFiles.open(path, "create"));
    expect(error.code).toBe("IO");
    expect(error.message).toContain(path);
    expect(error.message).toContain("ENOENT");
    expect(error.cause).toBeInstanceOf(Error);
    const file = await systemFiles.open(join(folder, "readonly"), "keep");
    await file.close();
    const readOnly = await systemFiles.open(join(folder, "readonly"), "read");
    expect(errnoOf(await failureOf(readOnly.write(text("x"), 0, 1, 0)))).toBe("EBADF");
    expect(() => readOnly.writeNow(text("x"), 0, 1, 0)).toThrow(KvdbError);
    await readOnly.close();
  });

  test("a full disk is ENOSPC, from every way to write", async () => {
    if (!(await systemFiles.exists("/dev/full"))) return;
    const full = await systemFiles.open("/dev/full", "update");
    expect(errnoOf(await failureOf(full.write(text("x"), 0, 1, 0)))).toBe("ENOSPC");
    expect(() => full.writeNow(text("x"), 0, 1, 0)).toThrow(/ENOSPC/);
    await full.close();
  });
});

describe("errors", () => {
  test("permission has its own code; errno is found through any number of causes", () => {
    const cause = Object.assign(new Error("EACCES: no"), { code: "EACCES" });
    const error = failure("opening", "/x", cause);
    expect(error.code).toBe("PERMISSION");
    expect(errnoOf(error.prefix("a").prefix("b"))).toBe("EACCES");
    expect(errnoOf(new Error("no errno"))).toBeUndefined();
    expect(errnoOf("a string")).toBeUndefined();
  });
});

describe("folders", () => {
  test("make, list, exists, rename, remove, sync", async () => {
    const path = join(folder, "a", "b");
    await systemFiles.makeFolder(path);
    await systemFiles.makeFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    writeFileSync(join(path, "z"), "z");
    writeFileSync(join(path, "y"), "y");
    expect(await systemFiles.list(path)).toEqual(["y", "z"]);
    await systemFiles.rename(join(path, "z"), join(path, "y"));
    await systemFiles.syncFolder(path);
    expect(await systemFiles.exists(join(path, "z"))).toBe(false);
    expect(readFileSync(join(path, "y"), "latin1")).toBe("z");
    await systemFiles.remove(join(path, "y"));
    await systemFiles.remove(join(path, "y"));
    expect(await systemFiles.list(path)).toEqual([]);
    expect(await systemFiles.exists(join(path, "y", "below a file"))).toBe(false);
    expect((await failureOf(systemFiles.list(join(folder, "no")))).code).toBe("IO");
  });

  test("what the system says when it refuses is what is told", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "");
    expect(errnoOf(await failureOf(systemFiles.remove(join(path, "below"))))).toBe("ENOTDIR");
    expect(errnoOf(await failureOf(systemFiles.makeFolder(path)))).toBe("EEXIST");
  });
});

describe("mapping a file", () => {
  const START = 3 << 16;

  test("shows its bytes, those written later too, and after it was removed", async () => {
    const path = join(folder, "mapped");
    const file = await systemFiles.open(path, "replace");
    await file.write(Buffer.alloc(4 << 16, "."), 0, 4 << 16, 0);
    const bytes = await systemFiles.map(path, START, 1 << 16);
    file.writeNow(text("later"), 0, 5, START + 10);
    await systemFiles.remove(path);
    expect(Buffer.from(bytes.subarray(9, 16)).toString()).toBe(".later.");
    expect(bytes.length).toBe(1 << 16);
    await file.close();
    expect(Buffer.from(bytes.subarray(9, 16)).toString()).toBe(".later.");
  });

  test("that is missing, or too short, is refused", async () => {
    const path = join(folder, "short");
    const error = await failureOf(systemFiles.map(path, 0, 1 << 16));
    expect(errnoOf(error)).toBe("ENOENT");
    expect(error.message).toContain(`mapping ${path}`);
    writeFileSync(path, Buffer.alloc(START + 100));
    expect((await failureOf(systemFiles.map(path, START, 101))).code).toBe("IO");
    expect((await systemFiles.map(path, START, 100)).length).toBe(100);
  });

  test("on the disk in memory, and on one that fails", async () => {
    const disk = new MemoryDisk();
    await disk.files.makeFolder("/d");
    await disk.files.replace("/d/file", text("0123456789"));
    expect(Buffer.from(await disk.files.map("/d/file", 2, 3)).toString()).toBe("234");
    expect((await failureOf(disk.files.map("/d/file", 8, 3))).code).toBe("IO");
    expect((await failureOf(disk.files.map("/d/no", 0, 1))).code).toBe("IO");
    const faulty = createFaultyFiles(disk.files, { at: 1, kind: "once" });
    expect(errnoOf(await failureOf(faulty.files.map("/d/file", 0, 1)))).toBe("ENOSPC");
    expect((await faulty.files.map("/d/file", 0, 1))[0]).toBe(0x30);
  });
});

describe("free space", () => {
  test("of a disk, and of a folder that is not there", async () => {
    const bytes = await systemFiles.freeBytes(folder);
    const { bavail, bsize } = statfsSync(folder);
    expect(Math.abs(bytes - bavail * bsize)).toBeLessThan(1 << 30);
    expect(errnoOf(await failureOf(systemFiles.freeBytes(join(folder, "no"))))).toBe("ENOENT");
  });

  test("of the disk in memory is what the test says", async () => {
    const disk = new MemoryDisk();
    await disk.files.makeFolder("/d");
    disk.freeBytes = 12_345;
    expect(await disk.files.freeBytes("/d")).toBe(12_345);
    expect((await failureOf(disk.files.freeBytes("/no"))).code).toBe("IO");
    const faulty = createFaultyFiles(disk.files, { at: 1, kind: "once", errno: "EIO" });
    expect(errnoOf(await failureOf(faulty.files.freeBytes("/d")))).toBe("EIO");
  });
});

describe("replacing a file", () => {
  test("on the disk", async () => {
    const path = join(folder, "replaced");
    await systemFiles.replace(path, text("old"));
    await systemFiles.replace(path, text("new and longer"));
    expect(readFileSync(path, "latin1")).toBe("new and longer");
    expect(await systemFiles.exists(`${path}.new`)).toBe(false);
  });

  test("old or new, whole, whichever operation fails and wherever a crash comes", async () => {
    let struck = true;
    for (let at = 1; struck; at++) {
      const disk = new MemoryDisk();
      await replaceFile(disk.files, "/name", text("old"));
      const faulty = createFaultyFiles(disk.files, { at, kind: "lasting" });
      const succeeded = await replaceFile(faulty.files, "/name", text("new, longer")).then(
        () => true,
        () => false,
      );
      struck = faulty.struck;
      expect(succeeded).toBe(!struck);
      disk.crash();
      const found = disk.contents("/name").toString();
      expect(succeeded ? ["new, longer"] : ["old", "new, longer"]).toContain(found);
      expect(["/name", "/name.new"]).toEqual(expect.arrayContaining(disk.paths()));
    }
  });
});
