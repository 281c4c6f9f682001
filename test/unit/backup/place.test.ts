/** Where `to` of the configuration leads, and the same place in a worker. */
import { describe, expect, test } from "bun:test";
import { openPlace, pathIn, readPlace, splitBackupPath } from "../../../src/backup/place.ts";
import { KvdbError } from "../../../src/errors.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { MemoryDisk } from "../../suites/index.ts";

const options = { folder: "/data", environment: {} };
const keys = { accessKeyId: "ID", secretAccessKey: "PRIVATE" };
const disk = new MemoryDisk();
const parts = { files: disk.files, clock: systemClock, random: seededRandom(1) };

test("a folder, relative to another", async () => {
  for (const [to, path] of [
    ["./backups", "/data/backups"],
    ["deep/backups/", "/data/deep/backups"],
    ["/elsewhere/backups", "/elsewhere/backups"],
  ]) {
    const place = readPlace(to, options);
    expect(place).toEqual({ kind: "folder", path });
    const storage = openPlace(place, parts);
    await storage.put("a", Buffer.from("1"));
    expect(disk.paths()).toContain(pathIn(storage, "a"));
    expect(pathIn(storage, "a")).toBe(`${path}/a`);
  }
});

test("S3, whose title has no secrets, and which a worker can be sent", () => {
  const place = readPlace("s3://b1/a", { ...options, s3: keys });
  const storage = openPlace(structuredClone(place), parts);
  expect(storage.title).toBe("s3://b1/a");
  expect(pathIn(storage, "k")).toBe("s3://b1/a/k");
});

describe("refused", () => {
  test.each([
    ["s3://b1/a", /credentials/],
    ["ftp://host/a", /s3:\/\/bucket/],
    ["", /no name/],
  ])("%j", (to, message) => {
    const read = () => readPlace(to, options);
    expect(read).toThrow(KvdbError);
    expect(read).toThrow(message);
  });
});

test("the path of one backup is its place and its name", () => {
  expect(splitBackupPath("s3://b1/a/kvdb-1.rdb.zst")).toEqual({
    to: "s3://b1/a",
    name: "kvdb-1.rdb.zst",
  });
  expect(splitBackupPath("./backups/k")).toEqual({ to: "./backups", name: "k" });
  expect(splitBackupPath("k")).toEqual({ to: ".", name: "k" });
  expect(splitBackupPath("/k")).toEqual({ to: "/", name: "k" });
  expect(() => splitBackupPath("a/..")).toThrow(KvdbError);
});
