/** Files of which nothing is changed: each way to read works, each way to change something is refused. */
import { expect, test } from "bun:test";
import { readOnlyFiles } from "../../../src/platform/read-only-files.ts";
import { MemoryDisk } from "../../suites/index.ts";

const PATH = "/data/file";

async function given() {
  const disk = new MemoryDisk();
  await disk.files.makeFolder("/data");
  disk.put(PATH, Buffer.from("content"));
  return { disk, files: readOnlyFiles(disk.files) };
}

test("what reads works, also in a file that was opened to be changed", async () => {
  const { files } = await given();
  await files.makeFolder("/data");
  await files.remove("/data/none");
  await files.syncFolder("/data");
  expect(await files.list("/data")).toEqual(["file"]);
  expect(await files.exists(PATH)).toBe(true);
  expect(Buffer.from(await files.map(PATH, 0, 7)).toString()).toBe("content");
  expect(await files.freeBytes("/data")).toBeGreaterThan(0);
  for (const mode of ["read", "update"] as const) {
    const file = await files.open(PATH, mode);
    const bytes = Buffer.alloc(20);
    expect(await file.size()).toBe(7);
    expect(await file.read(bytes, 0, 20, 0)).toBe(7);
    await file.sync();
    await file.close();
  }
});

test("what would change a byte or a name is refused with the path, and nothing is changed", async () => {
  const { disk, files } = await given();
  const file = await files.open(PATH, "update");
  const bytes = Buffer.from("other");
  const changes: (() => Promise<unknown>)[] = [
    () => files.open("/data/new", "create"),
    () => files.open("/data/new", "keep"),
    () => files.open(PATH, "replace"),
    () => files.replace(PATH, bytes),
    () => files.rename(PATH, "/data/new"),
    () => files.remove(PATH),
    () => files.makeFolder("/data/new"),
    () => file.write(bytes, 0, 5, 0),
    async () => file.writeNow(bytes, 0, 5, 0),
    () => file.truncate(0),
  ];
  for (const change of changes) {
    await expect(change()).rejects.toThrow(/\/data\/(new|file)/);
  }
  expect(disk.paths()).toEqual([PATH]);
  expect(disk.contents(PATH).toString()).toBe("content");
});
