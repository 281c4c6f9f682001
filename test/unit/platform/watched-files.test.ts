/** Who uses which files of a folder: each way to use one is seen, looking around is not. */
import { expect, test } from "bun:test";
import { WatchedFiles } from "../../../src/platform/watched-files.ts";
import { MemoryDisk } from "../../suites/index.ts";

async function given(onTouch?: (name: string) => void) {
  const disk = new MemoryDisk();
  for (const folder of ["/data", "/data/deep", "/other"]) await disk.files.makeFolder(folder);
  for (const name of ["a", "b", "deep/c"]) disk.put(`/data/${name}`, Buffer.from("content"));
  return { disk, watched: new WatchedFiles(disk.files, "/data", onTouch) };
}

test("what is opened, mapped, made, replaced, renamed or removed is seen by its name", async () => {
  const { disk, watched } = await given();
  const { files } = watched;
  await (await files.open("/data/a", "read")).close();
  await files.map("/data/b", 0, 3);
  await (await files.open("/data/deep/c", "update")).close();
  await (await files.open("/data/made", "create")).close();
  await files.replace("/data/replaced", Buffer.from("x"));
  await files.rename("/data/made", "/data/renamed");
  await files.remove("/data/removed");
  await files.makeFolder("/data/folder");
  await files.replace("/other/elsewhere", Buffer.from("x"));
  expect(watched.names).toEqual([
    ...["a", "b", "deep", "folder", "made", "removed", "renamed", "replaced"],
  ]);
  expect(watched.paths).toContain("/data/deep/c");
  expect(watched.paths.filter((path) => watched.nameOf(path) === "..")).toEqual([
    "/other/elsewhere",
  ]);
  expect(disk.paths()).toContain("/data/renamed");
});

test("looking around is no use of a file", async () => {
  const { watched } = await given();
  expect(await watched.files.list("/data")).toEqual(["a", "b", "deep"]);
  expect(await watched.files.exists("/data/a")).toBe(true);
  await watched.files.makeFolder("/data");
  await watched.files.syncFolder("/data");
  await watched.files.freeBytes("/data");
  expect(watched.paths).toEqual([]);
});

test("who watches may refuse, before anything happens", async () => {
  const { disk, watched } = await given((name) => {
    if (name === "a") throw new Error("not this one");
  });
  const { files } = watched;
  await expect(files.replace("/data/a", Buffer.from("x"))).rejects.toThrow("not this one");
  await expect(files.rename("/data/b", "/data/a")).rejects.toThrow("not this one");
  expect(disk.contents("/data/a").toString()).toBe("content");
  expect(watched.names).toEqual(["b"]);
});
