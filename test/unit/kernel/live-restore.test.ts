/**
 * BACKUP RESTORE on a kernel that runs, over a disk in memory: all of the backup or all of what was there, whatever fails
 * and whenever it stops; once the old data is gone from memory, nobody is served until the new one is durable.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import type { Answer } from "../../../src/resp/answer.ts";
import type { PrimaryState } from "../../../src/session/replication.ts";
import { createFaultyFiles, FakeClock, MemoryDisk } from "../../suites/index.ts";
import { type Call, DIR, digestIn, filledDisk, inFolder } from "./conversion-harness.ts";

let saved = "";
let other = "";
let name = "";

/** A folder with a backup in it, and other data. */
async function otherDisk(persistence: string): Promise<MemoryDisk> {
  const disk = await filledDisk(persistence);
  await inFolder(persistence, disk, async (call) => {
    const answer = await call("BACKUP");
    if (answer.kind !== "status") throw new Error(JSON.stringify(answer));
    name = answer.text.slice(answer.text.lastIndexOf("/") + 1);
    saved = await digestBy(call);
    await call("DEL", "plain", "document");
    await call("SET", "other", "1");
    other = await digestBy(call);
  });
  return disk;
}

async function digestBy(call: Call): Promise<string> {
  return JSON.stringify([await call("DEBUG", "DIGEST"), await call("PEXPIRETIME", "until")]);
}

function restore(call: Call, ...words: string[]): Promise<Answer> {
  return call("BACKUP", "RESTORE", name, ...words);
}

beforeAll(async () => {
  await otherDisk("wal");
  expect(saved).not.toBe(other);
});

describe.each(["wal", "json-snapshot", "states"])("%s", (persistence) => {
  test("the data is the backup's, in memory and on disk, and lives on", async () => {
    const disk = await otherDisk(persistence);
    await inFolder(persistence, disk, async (call) => {
      expect((await restore(call, "FORCE")).kind).toBe("map");
      expect(await digestBy(call)).toBe(saved);
      const copy = disk.copy();
      copy.kill();
      expect(await digestIn(persistence, copy)).toBe(saved);
      await call("SET", "afterwards", "1");
    });
    await inFolder(persistence, disk, async (call) => {
      expect(await call("GET", "afterwards")).toMatchObject({ kind: "bulk" });
      expect(await call("EXISTS", "other")).toMatchObject({ value: 0 });
    });
  });

  test("nothing is restored by who has become a replica meanwhile", async () => {
    const disk = await otherDisk(persistence);
    await inFolder(persistence, disk, async (call, { engine: { replication } }) => {
      const { following } = replication;
      const restoring = restore(call, "FORCE");
      replication.following = {
        ...{ primary: {} as PrimaryState, advice: "", failedCommands: 0, receivedBytes: 0 },
        ...{ follow: () => true, lead: async () => {}, resetStatistics: () => {} },
      };
      const refused = await restoring;
      expect(refused.kind === "error" && refused.text).toContain("follows another one");
      expect(await digestBy(call)).toBe(other);
      expect(await restore(call, "FORCE")).toMatchObject({ code: "READONLY" });
      replication.following = following;
      expect((await restore(call, "FORCE")).kind).toBe("map");
      expect(await digestBy(call)).toBe(saved);
    });
  });

  test("no change leads to what was restored: who follows is told of a gap", async () => {
    const disk = await otherDisk(persistence);
    await inFolder(persistence, disk, async (call, { engine }) => {
      await call("CHANGES", "FROM", "$");
      await call("SET", "a", "1");
      const before = engine.disk.lastRevision;
      expect((await restore(call, "FORCE")).kind).toBe("map");
      const gap = await call("CHANGES", "FROM", String(before));
      expect(gap).toMatchObject({ code: "LOGGAP" });
      const ofLast = await call("CHANGES", "FROM", String(before + 1));
      expect(ofLast, "who knew every change").toMatchObject({ code: "LOGGAP" });
      const oldest = /\d+$/.exec(gap.kind === "error" ? gap.text : "")?.[0] as string;
      expect(Number(oldest)).toBeGreaterThan(before);
      await call("SET", "b", "1");
      const page = await call("CHANGES", "FROM", oldest, "BLOCK", "0");
      expect(page).toMatchObject({ items: [{ kind: "integer" }, { items: [{ kind: "array" }] }] });
    });
  });

  test("revisions go on above both", async () => {
    const disk = await otherDisk(persistence);
    await inFolder(persistence, disk, async (call, { engine }) => {
      const before = engine.disk.lastRevision;
      await restore(call, "FORCE");
      expect(engine.disk.lastRevision).toBeGreaterThanOrEqual(before);
      await call("SET", "a", "1");
      expect(engine.disk.lastRevision).toBeGreaterThan(before);
    });
  });
});

test("without FORCE only where there are no keys", async () => {
  const disk = await otherDisk("wal");
  await inFolder("wal", disk, async (call) => {
    expect(await restore(call)).toMatchObject({ kind: "error" });
    expect(await digestBy(call)).toBe(other);
    await call("FLUSHALL");
    expect(await restore(call)).toMatchObject({ kind: "map" });
    expect(await digestBy(call)).toBe(saved);
  });
});

test("a damaged backup replaces nothing", async () => {
  const disk = await otherDisk("wal");
  const path = `${DIR}/backups/${name}`;
  const bytes = disk.contents(path);
  bytes[40] ^= 1;
  disk.put(path, bytes);
  await inFolder("wal", disk, async (call) => {
    expect(await restore(call, "FORCE")).toMatchObject({
      kind: "error",
      text: expect.stringMatching(/nothing was replaced: .* at offset \d+/),
    });
    expect(await digestBy(call)).toBe(other);
  });
});

test("a persistence that takes no whole states refuses", async () => {
  const disk = await otherDisk("json-lines");
  await inFolder("json-lines", disk, async (call) => {
    const text = expect.stringContaining("keeps no checkpoints");
    expect(await restore(call, "FORCE")).toMatchObject({ kind: "error", text });
    expect(await digestBy(call)).toBe(other);
  });
});

test("what is over since is gone, and in nobody's way", async () => {
  const disk = new MemoryDisk();
  const clock = new FakeClock();
  await inFolder("wal", { files: disk.files, clock }, async (call) => {
    await call("VALUE.SET", "first", '{"mail":"a@b"}', "PX", "1000");
    const answer = await call("BACKUP");
    if (answer.kind !== "status") throw new Error(JSON.stringify(answer));
    clock.advance(5000);
    const expired = answer.text.slice(answer.text.lastIndexOf("/") + 1);
    expect(await call("BACKUP", "RESTORE", expired, "FORCE")).toMatchObject({ kind: "map" });
    expect(await call("GET", "first")).toMatchObject({ kind: "null" });
    expect(await call("DBSIZE")).toMatchObject({ value: 0 });
  });
  disk.kill();
  await inFolder("wal", { files: disk.files, clock }, async (call) => {
    expect(await call("DBSIZE")).toMatchObject({ value: 0 });
  });
});

test.each(["wal", "json-snapshot"])(
  "%s: a stop at any moment leaves the one or the other on disk",
  async (persistence) => {
    const disk = await otherDisk(persistence);
    const moments: MemoryDisk[] = [];
    let isKept = false;
    const keep = () => {
      if (isKept) moments.push(disk.copy());
    };
    const { files } = createFaultyFiles(disk.files, undefined, { beforeOperation: keep });
    disk.onVolatileWrite = keep;
    await inFolder(persistence, { files }, async (call) => {
      isKept = true;
      await restore(call, "FORCE");
      keep();
      isKept = false;
    });
    const whole = { old: 0, new: 0 };
    for (const [index, moment] of moments.entries()) {
      for (const stop of ["kill", "crash"] as const) {
        const copy = moment.copy();
        copy[stop]();
        const found = await digestIn(persistence, copy);
        expect([index, stop, [saved, other].includes(found)]).toEqual([index, stop, true]);
        whole[found === saved ? "new" : "old"]++;
      }
    }
    expect(whole.old).toBeGreaterThan(5);
    expect(whole.new).toBeGreaterThan(1);
  },
);

test.each(["wal", "json-snapshot"])(
  "%s: operation N fails, for every N: nobody is served anything but the one or the other",
  async (persistence) => {
    const filled = await otherDisk(persistence);
    let [struck, stopped] = [true, 0];
    for (let at = 1; struck; at++) {
      const disk = filled.copy();
      let isArmed = false;
      let faulty = createFaultyFiles(disk.files);
      const files = new Proxy(disk.files, {
        get: (target, property) => Reflect.get(isArmed ? faulty.files : target, property),
      });
      let served = "";
      const running = inFolder(persistence, { files }, async (call) => {
        faulty = createFaultyFiles(disk.files, { at, kind: "lasting" });
        isArmed = true;
        const answer = await restore(call, "FORCE");
        isArmed = false;
        struck = faulty.struck;
        if (!struck) expect(answer.kind).toBe("map");
        const loading = await call("EXISTS", "other");
        if (loading.kind === "error" && loading.code === "LOADING") {
          expect([at, answer.kind]).toEqual([at, "error"]);
          stopped++;
        } else served = await digestBy(call);
      });
      const [ended] = await Promise.allSettled([running]);
      disk.kill();
      const found = await digestIn(persistence, disk);
      const where = [at, served === "" ? "stopped" : "served", ended.status];
      expect([where, [saved, other].includes(found)]).toEqual([where, true]);
      if (served !== "") expect([where, served]).toEqual([where, found]);
    }
    expect(stopped).toBeGreaterThan(0);
  },
);
