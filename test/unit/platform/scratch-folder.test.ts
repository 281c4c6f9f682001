/** Scratch folders: their owner's alone, gone at the end, and what a process that was killed has left goes with the next one. */
import { expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeScratchFolder } from "../../../src/platform/scratch-folder.ts";

const MODE = 0o777;

async function inParent(use: (parent: string) => Promise<void>): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), "kvdb-scratch-test-"));
  try {
    await use(parent);
  } finally {
    await rm(parent, { recursive: true });
  }
}

test("is for its owner alone, and goes with what is in it", async () => {
  await inParent(async (parent) => {
    const folder = await makeScratchFolder(parent);
    expect((await stat(folder.path)).mode & MODE).toBe(0o700);
    await writeFile(join(folder.path, "file"), "bytes");
    await folder.close();
    expect(await readdir(parent)).toEqual([]);
  });
});

test("what is left by who is gone is removed, and what is in use stays", async () => {
  await inParent(async (parent) => {
    const used = await makeScratchFolder(parent);
    await writeFile(join(used.path, "file"), "bytes");
    const left = join(parent, "kvdb-scratch-left");
    await mkdir(left);
    await writeFile(join(left, "kvdb.image"), "bytes");
    const other = await makeScratchFolder(parent);
    const names = [used, other].map(({ path }) => path.slice(parent.length + 1));
    expect(await readdir(parent)).toEqual(expect.arrayContaining(names));
    expect(await readdir(parent)).toHaveLength(2);
    expect(await readdir(used.path)).toEqual(["file"]);
    await used.close();
    await other.close();
  });
});

test("what cannot be removed is in nobody's way", async () => {
  await inParent(async (parent) => {
    await mkdir(join(parent, "kvdb-scratch-left", "folder"), { recursive: true });
    const folder = await makeScratchFolder(parent);
    expect(await readdir(folder.path)).toEqual([]);
    await folder.close();
    expect(await readdir(parent)).toEqual(["kvdb-scratch-left"]);
  });
});

test("what only leads elsewhere, or is no folder, is not touched", async () => {
  await inParent(async (parent) => {
    const precious = join(parent, "precious");
    await mkdir(precious);
    await writeFile(join(precious, "file"), "bytes");
    await symlink(precious, join(parent, "kvdb-scratch-link"));
    await writeFile(join(parent, "kvdb-scratch-file"), "bytes");
    const folder = await makeScratchFolder(parent);
    await folder.close();
    expect(await readdir(precious)).toEqual(["file"]);
    const names = ["kvdb-scratch-file", "kvdb-scratch-link", "precious"];
    expect((await readdir(parent)).sort()).toEqual(names);
  });
});

test("a parent that is not there is named", async () => {
  await expect(makeScratchFolder("/nowhere/at/all")).rejects.toThrow("/nowhere/at/all");
});
