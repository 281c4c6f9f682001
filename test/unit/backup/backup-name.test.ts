/** Names of backups: written, read back, in order of time, never twice. */
import { expect, test } from "bun:test";
import { backupName, readBackupName, withSuffix } from "../../../src/backup/backup-name.ts";

const timeMs = Date.UTC(2026, 10, 26, 3, 35, 17, 250);

test("a name tells when its image was taken and what revision it has", () => {
  const name = backupName({ timeMs, revision: 42 });
  expect(name).toBe("kvdb-20261126T033517Z-r42.rdb.zst");
  expect(readBackupName(name)).toEqual({ timeMs: timeMs - 250, revision: 42 });
});

test("two of one revision in one second have two names", () => {
  const first = backupName({ timeMs, revision: 42 });
  const second = backupName({ timeMs, revision: 42 }, new Set([first]));
  expect(second).toBe("kvdb-20261126T033518Z-r42.rdb.zst");
});

test("names are in order of time", () => {
  const times = [0, 1, 60, 3600, 86_400, 40 * 86_400].map((seconds) => timeMs + 1000 * seconds);
  const names = times.map((at) => backupName({ timeMs: at, revision: 9 }));
  expect([...names].sort()).toEqual(names);
});

test.each([
  "kvdb-20261126T033517Z-r42.rdb.zst.json",
  "kvdb-20261126T033517Z-r42.rdb.zst.new",
  "kvdb-20261126T033517Z-r42.rdb",
  "kvdb-20261126T033517Z-r99999999999999999.rdb.zst",
  "other.rdb.zst",
  "",
])("%p is no backup", (name) => {
  expect(readBackupName(name)).toBeUndefined();
});

test("a person may leave the end away", () => {
  const name = backupName({ timeMs, revision: 42 });
  expect(withSuffix(name)).toBe(name);
  expect(withSuffix("kvdb-20261126T033517Z-r42")).toBe(name);
});
