/**
 * Backups made and verified by a real kernel on a disk in memory, where nobody else is served: whole or not at all whatever
 * fails, never called good when they are not. With workers they are made in test/e2e/backup.test.ts.
 */
import { describe, expect, test } from "bun:test";
import { BackupReader } from "../../../src/backup/backup-reader.ts";
import { FolderStorage } from "../../../src/backup/folder-storage.ts";
import { KvdbError } from "../../../src/errors.ts";
import { verifyBackup } from "../../../src/kernel/backup-loading.ts";
import type { Answer } from "../../../src/resp/answer.ts";
import { createFaultyFiles, FakeClock, MemoryDisk } from "../../suites/index.ts";
import { type Call, DIR, filledDisk, inFolder } from "./conversion-harness.ts";

const BACKUPS = `${DIR}/backups`;

function statusText(answer: Answer): string {
  if (answer.kind !== "status") throw new Error(JSON.stringify(answer));
  return answer.text;
}

function errorText(answer: Answer): string {
  if (answer.kind !== "error") throw new Error(JSON.stringify(answer));
  return answer.text;
}

/** Of a map, or of each map of a list. */
function fieldOf(answer: Answer, name: string): unknown {
  if (answer.kind !== "map") throw new Error(JSON.stringify(answer));
  const [, value] = answer.entries.find(([key]) => textOf(key) === name) ?? [];
  return value && textOf(value);
}

function textOf(answer: Answer): unknown {
  if (answer.kind === "bulk") return answer.bytes.toString();
  return "value" in answer ? Number(answer.value) : null;
}

async function listed(call: Call, name = "name"): Promise<unknown[]> {
  const answer = await call("BACKUP", "LIST");
  if (answer.kind !== "array") throw new Error(JSON.stringify(answer));
  return answer.items.map((item) => fieldOf(item, name));
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A folder with one backup, and its name. */
async function withBackup(): Promise<{ disk: MemoryDisk; name: string }> {
  const disk = await filledDisk("wal");
  let name = "";
  await inFolder("wal", disk, async (call) => {
    name = nameIn(statusText(await call("BACKUP", "START")));
  });
  return { disk, name };
}

test.each(["wal", "json-snapshot", "json-lines", "states"])(
  "%s: a backup is made, listed as verified, and says what it has",
  async (persistence) => {
    const disk = await filledDisk(persistence);
    await inFolder(persistence, disk, async (call) => {
      const path = statusText(await call("BACKUP"));
      expect(path.startsWith(`${BACKUPS}/kvdb-`)).toBe(true);
      expect(await listed(call)).toEqual([nameIn(path)]);
      expect(await listed(call, "verified")).toEqual(["ok"]);
      expect(await listed(call, "level")).toEqual(["restore"]);
      expect(await listed(call, "keys")).toEqual([6]);
      const status = await call("BACKUP", "STATUS");
      expect(fieldOf(status, "stage")).toBe("idle");
      expect(fieldOf(status, "last_result")).toBe("ok");
      expect(fieldOf(status, "count")).toBe(1);
    });
  },
);

test("the level says how far it is looked at", async () => {
  const disk = await filledDisk("wal");
  await inFolder("wal", disk, async (call) => {
    for (const level of ["none", "checksum", "restore"]) {
      await call("SET", "changed", level);
      statusText(await call("BACKUP", "START", "VERIFY", level));
    }
    expect(await listed(call, "verified")).toEqual(["no", "ok", "ok"]);
    expect(await listed(call, "level")).toEqual([null, "checksum", "restore"]);
  });
});

test("one that was restored stays so when only its bytes are looked at again", async () => {
  const { disk, name } = await withBackup();
  await inFolder("wal", disk, async (call) => {
    const answer = await call("BACKUP", "VERIFY", name, "LEVEL", "checksum");
    expect([fieldOf(answer, "level"), fieldOf(answer, "result")]).toEqual(["checksum", "ok"]);
    expect(await listed(call, "level")).toEqual(["restore"]);
  });
});

test("two backups of one state, within one second, are two", async () => {
  const disk = await filledDisk("wal");
  await inFolder("wal", disk, async (call) => {
    const [first, second] = [await call("BACKUP"), await call("BACKUP")].map(statusText);
    expect(first).not.toBe(second);
    expect(await listed(call)).toHaveLength(2);
  });
});

test("verifying tells DEBUG DIGEST's value, deleting takes the note along", async () => {
  const { disk, name } = await withBackup();
  await inFolder("wal", disk, async (call) => {
    const digest = statusText(await call("DEBUG", "DIGEST"));
    const verification = await call("BACKUP", "VERIFY", name.replace(".rdb.zst", ""));
    expect(fieldOf(verification, "result")).toBe("ok");
    expect(fieldOf(verification, "digest")).toBe(digest);
    expect(await call("BACKUP", "DELETE", name)).toMatchObject({ kind: "status" });
    expect(await listed(call)).toEqual([]);
    expect(disk.paths().filter((path) => path.startsWith(BACKUPS))).toEqual([]);
  });
});

test("its time is when it was made, and not when the data changed last", async () => {
  const disk = new MemoryDisk();
  const clock = new FakeClock();
  await inFolder("wal", { files: disk.files, clock }, async (call) => {
    await call("SET", "a", "1");
    clock.advance(3_600_000);
    const made = new Date(clock.now()).toISOString().slice(0, 19);
    statusText(await call("BACKUP"));
    expect(await listed(call, "time")).toEqual([`${made}.000Z`]);
  });
});

test("what was over when it was made is not in it; what is over since does no harm", async () => {
  const disk = new MemoryDisk();
  const clock = new FakeClock();
  await inFolder("wal", { files: disk.files, clock }, async (call) => {
    await call("SET", "over", "1", "PX", "1000");
    await call("SET", "soon", "1", "PX", "5000");
    await call("SET", "stays", "1");
    clock.advance(2000);
    const name = nameIn(statusText(await call("BACKUP", "START", "VERIFY", "none")));
    expect(await listed(call, "keys")).toEqual([2]);
    clock.advance(60_000);
    expect(fieldOf(await call("BACKUP", "VERIFY", name), "result")).toBe("ok");
  });
});

describe("refused:", () => {
  test.each([
    [["BACKUP", "VERIFY", "kvdb-20260101T000000Z-r1"], "there is no backup"],
    [["BACKUP", "DELETE", "../kvdb.lock"], "there is no backup"],
    [["BACKUP", "START", "VERIFY", "twice"], "one of none, checksum, restore"],
    [["BACKUP", "START", "now"], "syntax error"],
    [["BACKUP", "VERIFY", "x", "LEVEL", "none"], "verifies nothing"],
  ])("%p", async (command, message) => {
    const { disk } = await withBackup();
    await inFolder("wal", disk, async (call) => {
      expect(errorText(await call(...command))).toContain(message);
    });
  });

  test("a name that is nearly right: the right one is told", async () => {
    const { disk, name } = await withBackup();
    await inFolder("wal", disk, async (call) => {
      const wrong = name.replace("Z-r", "Z-s");
      expect(errorText(await call("BACKUP", "VERIFY", wrong))).toContain(name);
    });
  });

  test("where nothing is kept on disk", async () => {
    await inFolder("none", { files: new MemoryDisk().files }, async (call) => {
      expect(errorText(await call("BACKUP"))).toContain("nothing is kept on disk");
    });
  });
});

test("without room to unpack it nothing is written, and nothing is said of the backup", async () => {
  const { disk, name } = await withBackup();
  disk.freeBytes = 10;
  await inFolder("wal", disk, async (call) => {
    expect(errorText(await call("BACKUP", "VERIFY", name))).toContain("MiB free");
    expect(errorText(await call("BACKUP", "RESTORE", name, "FORCE"))).toContain("MiB free");
    expect(await listed(call, "verified")).toEqual(["ok"]);
    expect(fieldOf(await call("BACKUP", "VERIFY", name, "LEVEL", "checksum"), "result")).toBe("ok");
    expect(await call("SET", "a", "1")).toMatchObject({ kind: "status" });
  });
});

describe("a damaged backup", () => {
  test("each byte flipped, and cut at each: never called good", async () => {
    const { disk, name } = await withBackup();
    const path = `${BACKUPS}/${name}`;
    const bytes = disk.contents(path);
    const clock = new FakeClock();
    const loading = {
      ...{ storage: new FolderStorage(disk.files, BACKUPS), name, level: "restore" as const },
      ...{ databases: 16, files: disk.files, folder: DIR, clock, proceed: () => {} },
    };
    expect(await verifyBackup(loading)).toMatchObject({ result: "ok" });
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] ^= 1 << (at & 7);
      for (const damaged of [flipped, bytes.subarray(0, at)]) {
        disk.put(path, damaged);
        const found = await verifyBackup(loading);
        expect([at, found.result, found.problem]).toEqual([
          ...[at, "failed"],
          expect.stringMatching(/ at offset \d+/),
        ]);
      }
    }
  });

  test("is listed as such, and the one who asked is told where", async () => {
    const { disk, name } = await withBackup();
    const path = `${BACKUPS}/${name}`;
    const bytes = Buffer.from(disk.contents(path));
    bytes[bytes.length >> 2] ^= 1;
    disk.put(path, bytes);
    await inFolder("wal", disk, async (call) => {
      const found = await call("BACKUP", "VERIFY", name);
      expect(errorText(found)).toMatch(/damaged at offset \d+/);
      expect(await listed(call, "verified")).toEqual(["failed"]);
    });
  });

  test("a note that cannot be read makes it one that nobody has looked at", async () => {
    const { disk, name } = await withBackup();
    for (const note of [
      "",
      "{",
      "null",
      '{"verification":{"result":"ok"}}',
      '{"verification":7}',
    ]) {
      disk.put(`${BACKUPS}/${name}.json`, Buffer.from(note));
      await inFolder("wal", disk, async (call) => {
        expect(await listed(call, "verified")).toEqual(["no"]);
      });
    }
  });
});

test("a note that got beside another backup says nothing of that one", async () => {
  const { disk, name } = await withBackup();
  await inFolder("wal", disk, async (call) => {
    await call("SET", "more", "1");
    const other = nameIn(statusText(await call("BACKUP", "START", "VERIFY", "none")));
    disk.put(`${BACKUPS}/${other}.json`, disk.contents(`${BACKUPS}/${name}.json`));
    expect(await listed(call, "verified")).toEqual(["ok", "no"]);
  });
});

test("a backup that was good, and whose end is damaged since, is listed as good no more", async () => {
  const { disk, name } = await withBackup();
  const bytes = Buffer.from(disk.contents(`${BACKUPS}/${name}`));
  bytes[bytes.length - 20] ^= 1;
  disk.put(`${BACKUPS}/${name}`, bytes);
  await inFolder("wal", disk, async (call) => {
    expect(await listed(call, "verified")).toEqual(["no"]);
    expect(await listed(call, "keys")).toEqual([null]);
    await call("BACKUP", "VERIFY", name);
    expect(await listed(call, "verified")).toEqual(["failed"]);
  });
});

/** The files of the disk, on which one path cannot be read. */
function withUnreadable(disk: MemoryDisk, path: string, onTrial = () => {}): MemoryDisk["files"] {
  const open: MemoryDisk["files"]["open"] = async (wanted, ...rest) => {
    const file = await disk.files.open(wanted, ...rest);
    if (wanted !== path) return file;
    onTrial();
    const read = async () => {
      throw new KvdbError("IO", `reading ${wanted}: EIO`);
    };
    return { ...file, size: () => file.size(), close: () => file.close(), read };
  };
  return { ...disk.files, open };
}

test("one that cannot be read hinders neither the list nor the next one", async () => {
  const { disk, name } = await withBackup();
  const files = withUnreadable(disk, `${BACKUPS}/${name}`);
  await inFolder("wal", { files }, async (call) => {
    statusText(await call("BACKUP"));
    expect(await listed(call, "verified")).toEqual(["no", "ok"]);
    expect(await listed(call, "keys")).toEqual([null, 6]);
  });
});

test("one that is removed while it is being listed is not in the list", async () => {
  const { disk, name } = await withBackup();
  const path = `${BACKUPS}/${name}`;
  let trials = 0;
  // The first look is for its size.
  const files = withUnreadable(disk, path, () => ++trials === 2 && void disk.files.remove(path));
  await inFolder("wal", { files }, async (call) => {
    expect(await listed(call)).toEqual([]);
  });
});

test("STATUS knows which there are also where nobody has listed them yet", async () => {
  const { disk, name } = await withBackup();
  await inFolder("wal", disk, async (call) => {
    const status = await call("BACKUP", "STATUS");
    expect(fieldOf(status, "count")).toBe(1);
    expect(fieldOf(status, "newest_verified")).toMatch(/^20\d\d-/);
    expect(fieldOf(status, "last_name")).toBeNull();
    expect(await call("BACKUP", "DELETE", name)).toMatchObject({ kind: "status" });
    expect(fieldOf(await call("BACKUP", "STATUS"), "count")).toBe(0);
  });
});

test("a clock that was ahead: what it made is no news of today, and pushes out nothing", async () => {
  const disk = await filledDisk("wal");
  const clock = new FakeClock();
  const today = clock.now();
  const options = { files: disk.files, clock, keep: { last: 1 } };
  let ahead = "";
  clock.setWall(today + 365 * 24 * 3_600_000);
  await inFolder("wal", options, async (call) => {
    ahead = nameIn(statusText(await call("BACKUP")));
  });
  clock.setWall(today);
  await inFolder("wal", options, async (call) => {
    expect(fieldOf(await call("BACKUP", "STATUS"), "newest_verified")).toBeNull();
    const name = nameIn(statusText(await call("BACKUP")));
    expect(await listed(call)).toEqual([name, ahead]);
    expect(fieldOf(await call("BACKUP", "STATUS"), "newest_verified")).not.toBeNull();
  });
});

test.each(["once", "lasting"] as const)(
  "operation N fails %s, for every N: nothing half is listed, the data is as it was",
  async (kind) => {
    const filled = await filledDisk("wal");
    let struck = true;
    for (let at = 1; struck; at++) {
      const disk = filled.copy();
      // Faults begin when the folder is open: those before are no business of backups.
      let isArmed = false;
      let faulty = createFaultyFiles(disk.files);
      const files = new Proxy(disk.files, {
        get: (target, name) => Reflect.get(isArmed ? faulty.files : target, name),
      });
      await inFolder("wal", { files }, async (call) => {
        faulty = createFaultyFiles(disk.files, { at, kind });
        isArmed = true;
        const answer = await call("BACKUP");
        isArmed = false;
        struck = faulty.struck;
        if (!struck) expect(answer.kind).toBe("status");
        expect(await call("SET", "afterwards", "1")).toMatchObject({ kind: "status" });
        for (const name of await listed(call)) {
          const found = await call("BACKUP", "VERIFY", String(name));
          expect([at, fieldOf(found, "result")]).toEqual([at, "ok"]);
        }
        statusText(await call("BACKUP"));
        const left = disk.paths().filter((path) => path.startsWith(BACKUPS));
        expect(left.filter((path) => !/\.rdb\.zst(\.json)?$/.test(path))).toEqual([]);
      });
      expect(disk.paths().filter((path) => path.endsWith("kvdb.unpacked"))).toEqual([]);
    }
  },
);

test("the RDB within has the revision of the state that it is of", async () => {
  const { disk, name } = await withBackup();
  const reader = await BackupReader.open(new FolderStorage(disk.files, BACKUPS), name);
  expect(reader.manifest.revision).toBe(Number(/-r(\d+)/.exec(name)?.[1]));
  expect(reader.manifest.keys).toEqual({ 0: 4, 3: 2 });
  await reader.close();
});

// A long value is read and written in parts, which end elsewhere each time.
test("values of every size and shape come back as they were", async () => {
  const disk = new MemoryDisk();
  await inFolder("wal", disk, async (call, { engine }) => {
    for (const count of [1, 100, 129, 5000]) {
      const words = Array.from(
        { length: count },
        (_, index) => `${index} ${"x".repeat(index % 90)}`,
      );
      await call("RPUSH", `list ${count}`, ...words);
      await call("SADD", `set ${count}`, ...words);
      await call("SADD", `numbers ${count}`, ...words.map((_, index) => String(index * 977)));
      await call("ZADD", `zset ${count}`, ...words.flatMap((word, at) => [String(at / 7), word]));
      await call("HSET", `hash ${count}`, ...words.flatMap((word) => [word, `${word}!`]));
      await call("HSET", `timed ${count}`, ...words.flatMap((word) => [word, `${word}!`]));
      const some = words.filter((_, index) => index % 3 === 0).slice(0, 1000);
      const until = String(Date.UTC(2040, 0, 1));
      await call("HPEXPIREAT", `timed ${count}`, until, "FIELDS", String(some.length), ...some);
      const stream = `stream ${count}`;
      for (let index = 1; index <= count; index++) {
        await call("XADD", stream, `${index}-0`, index % 5 === 0 ? "other" : "field", `${index}`);
      }
      await call("XGROUP", "CREATE", stream, "group", "0");
      await call("XREADGROUP", "GROUP", "group", "ada", "COUNT", "50", "STREAMS", stream, ">");
      await call("XREADGROUP", "GROUP", "group", "bob", "COUNT", "70", "STREAMS", stream, ">");
      await call("XACK", stream, "group", "3-0", "7-0");
      await call("XDEL", stream, "2-0", "100-0");
      await call("SET", `string ${count}`, "s".repeat(count * 300));
      await call("VALUE.SET", `document ${count}`, JSON.stringify(words));
    }
    await call("ZADD", "scores", "inf", "a", "-inf", "b", "-0", "c", "1e-300", "d", "3.0e17", "e");
    await call("XADD", "emptied", "5-1", "f", "v");
    await call("XTRIM", "emptied", "MAXLEN", "0");
    await call("SET", "number", "-9223372036854775808");
    await call("SETBIT", "bits", "100", "1");
    await call("PFADD", "log", "a", "b", "c");
    expect(engine.keyCount).toBe(4 * 9 + 5);
    const name = nameIn(statusText(await call("BACKUP")));
    const found = await call("BACKUP", "VERIFY", name);
    expect(fieldOf(found, "digest")).toBe(statusText(await call("DEBUG", "DIGEST")));
  });
}, 60_000);

test("fields that are over and not removed yet do no harm", async () => {
  const disk = new MemoryDisk();
  const clock = new FakeClock();
  await inFolder("wal", { files: disk.files, clock }, async (call) => {
    await call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
    await call("HSET", "some", "a", "1", "b", "2");
    await call("HPEXPIRE", "some", "1000", "FIELDS", "1", "a");
    await call("HSET", "all", "a", "1");
    await call("HPEXPIRE", "all", "1000", "FIELDS", "1", "a");
    await call("SET", "key", "1", "PX", "1000");
    await call("SET", "stays", "1");
    clock.advance(5000);
    const name = nameIn(statusText(await call("BACKUP")));
    expect(await call("BACKUP", "RESTORE", name, "FORCE")).toMatchObject({ kind: "map" });
    expect(await call("HGETALL", "some")).toMatchObject({ kind: "map", entries: { length: 1 } });
    expect(await call("HLEN", "all")).toMatchObject({ value: 0 });
    expect(await call("EXISTS", "key", "stays")).toMatchObject({ value: 1 });
  });
});
