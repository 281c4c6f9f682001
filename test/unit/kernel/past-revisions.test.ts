/**
 * That no revision is ever given to two changes, with a persistence that keeps whole states alone: whatever somebody has
 * seen of a run that ended without a save, the next run goes on above it. The whole kernel over a disk in memory.
 */
import { describe, expect, test } from "bun:test";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { LocalLink } from "../../../src/kernel/local-link.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import type { Dropped } from "../../../src/plugin.ts";
import { createFaultyFiles, MemoryDisk } from "../../suites/index.ts";
import { type Call, convert, DIR, inFolder, prepareIn } from "./conversion-harness.ts";

const FILE = `${DIR}/database.json`;
const LOCK = `${DIR}/kvdb.lock`;
const GAP = 2 ** 24;

/** What is changed gets the revisions up to the one that this resolves to. */
async function changeIn(disk: MemoryDisk, ...commands: readonly string[][]): Promise<number> {
  let last = 0;
  await inFolder("json-snapshot", disk, async (call, kernel) => {
    await callAll(call, commands);
    last = kernel.engine.disk.lastRevision;
  });
  return last;
}

async function callAll(call: Call, commands: readonly string[][]): Promise<void> {
  for (const words of commands) expect(await call(...words)).toMatchObject({ text: "OK" });
}

const set = (value: string) => ["SET", "name", value];

/** A run that goes on. */
async function begin(disk: MemoryDisk, ...commands: readonly string[][]): Promise<Kernel> {
  const kernel = await prepareIn("json-snapshot", disk);
  await kernel.start();
  const link = new LocalLink(kernel.engine, { address: "test", trusted: true }, "internal");
  await callAll((...words) => link.call(words), commands);
  return kernel;
}

/** The last revision that a run has given out which ends in the middle. */
async function crash(disk: MemoryDisk, ...commands: readonly string[][]): Promise<number> {
  const { engine } = await begin(disk, ...commands);
  disk.crash();
  return engine.disk.lastRevision;
}

function note(disk: MemoryDisk): Record<string, unknown> {
  return JSON.parse(disk.contents(LOCK).toString().split("\n")[0] as string);
}

/** The revision of the only entry, as a start finds it. */
async function versionIn(disk: MemoryDisk): Promise<number> {
  let version = 0;
  await inFolder("json-snapshot", disk, async (_, kernel) => {
    const reader = kernel.engine.readEntries();
    expect(reader.next()).toBe(true);
    ({ version } = reader.entry);
  });
  return version;
}

describe("after an orderly stop revisions go on directly", () => {
  test("run by run", async () => {
    const disk = new MemoryDisk();
    for (let run = 1; run <= 3; run++) expect(await changeIn(disk, set(`${run}`))).toBe(run);
    expect(await changeIn(disk)).toBe(3);
    expect(note(disk)).toEqual({ persistence: "json-snapshot", lastRevision: 3 });
    expect(disk.contents(FILE).toString()).toContain('"revision": 3,');
  });

  test("also when it has not saved", async () => {
    const disk = new MemoryDisk();
    await changeIn(disk, set("kept"));
    const kernel = await begin(disk, set("lost"), set("lost too"));
    kernel.engine.checkpoints.atStop = "never";
    await kernel.stop();
    expect(await changeIn(disk, set("next"))).toBe(4);
  });

  test("whatever has become of the file: it is gone, or an older one", async () => {
    const disk = new MemoryDisk();
    await changeIn(disk, set("old"));
    const old = disk.contents(FILE);
    await changeIn(disk, set("newer"), set("newest"));
    disk.put(FILE, old);
    expect(await changeIn(disk, set("from the old one"))).toBe(4);
    await disk.files.remove(FILE);
    expect(await changeIn(disk, set("from nothing"))).toBe(5);
  });

  test("a file from elsewhere that knows higher ones is followed", async () => {
    const disk = new MemoryDisk();
    await changeIn(disk, set("own"));
    const other = new MemoryDisk();
    await changeIn(other, set("1"), set("2"), set("3"));
    disk.put(FILE, other.contents(FILE));
    expect(await changeIn(disk, set("4"))).toBe(4);
  });
});

test("after a crash they go on far above, crash after crash, although nothing was saved", async () => {
  const disk = new MemoryDisk();
  expect(await crash(disk, set("first"))).toBe(1);
  expect(await crash(disk, set("second"))).toBe(GAP);
  expect(await crash(disk, set("third"), set("fourth"))).toBe(2 * GAP);
  const last = await changeIn(disk); // stops in order
  expect(last).toBeGreaterThan(2 * GAP);
  expect(await changeIn(disk, set("fifth"))).toBe(last + 1);
});

test("what an older kvdb left says nothing of revisions: they go on far above the file's", async () => {
  const disk = new MemoryDisk();
  await changeIn(disk, set("1"), set("2"));
  disk.put(LOCK, Buffer.from('{"persistence":"json-snapshot"}\n'));
  expect(await changeIn(disk, set("3"))).toBe(2 + GAP);
});

test("whenever the power fails, what was seen in a revision is never something else in it", async () => {
  for (const runs of [1, 2]) {
    const disk = new MemoryDisk();
    for (let run = 1; run < runs; run++) await changeIn(disk, set("before"));
    const moments: { disk: MemoryDisk; seen: number }[] = [];
    let seen = 0;
    const keep = () => void moments.push({ disk: disk.copy(), seen });
    const { files } = createFaultyFiles(disk.files, undefined, { beforeOperation: keep });
    await inFolder("json-snapshot", { files }, async (call, { engine }) => {
      for (const value of ["a", "b", "c"]) {
        await callAll(call, [set(value)]);
        seen = engine.disk.lastRevision;
        keep();
      }
    });
    keep();
    for (const moment of moments) {
      for (let seed = 0; seed < 8; seed++) {
        const copy = moment.disk.copy();
        copy.crash(seed === 0 ? undefined : seededRandom(seed));
        expect(await changeIn(copy, set("after"))).toBeGreaterThan(moment.seen);
      }
      const killed = moment.disk.copy();
      killed.kill();
      expect(await changeIn(killed, set("after"))).toBeGreaterThan(moment.seen);
    }
  }
});

test("a file changed by hand is a change: each time it has a revision that nothing had", async () => {
  const disk = new MemoryDisk();
  await changeIn(disk, set("Alice"));
  const edit = (from: string, to: string) =>
    disk.put(FILE, Buffer.from(disk.contents(FILE).toString().replace(from, to)));
  const seen = [await versionIn(disk)];
  for (const [from, to] of [
    ["Alice", "Bob"],
    ["Bob", "Carol"],
  ] as const) {
    edit(from, to);
    seen.push(await versionIn(disk));
  }
  expect(seen).toEqual([1, 2, 3]);
  expect(await changeIn(disk, set("Dave"))).toBe(5); // the load of Carol was the fourth
  edit("Dave", "Eve");
  const shown = await crash(disk);
  edit("Eve", "Frank");
  expect(await versionIn(disk)).toBeGreaterThan(shown);
});

test("a folder whose files are gone is told, as far as the lock file knows", async () => {
  const told = async (persistence: string, disk: MemoryDisk) => {
    let dropped: readonly Dropped[] = [];
    await inFolder(persistence, disk, async (_, { loaded }) => {
      dropped = loaded?.report.dropped ?? [];
    });
    return dropped.map(({ kind }) => kind);
  };
  for (const [persistence, kind] of [
    ["json-snapshot", "note"],
    ["wal", "damage"],
  ] as const) {
    const disk = new MemoryDisk();
    expect(await told(persistence, disk)).toEqual([]);
    await inFolder(persistence, disk, (call) => callAll(call, [set("Ada")]));
    expect(await told(persistence, disk)).toEqual([]);
    for (const path of disk.paths()) if (path !== LOCK) disk.drop(path);
    expect(await told(persistence, disk)).toEqual([kind]);
  }
  // A first run that has changed nothing leaves no file of its own.
  const idle = new MemoryDisk();
  await changeIn(idle);
  await crash(idle);
  expect(await told("json-snapshot", idle)).toEqual([]);
});

test("a conversion hands on what was given out", async () => {
  const disk = new MemoryDisk();
  await inFolder("wal", disk, (call) => callAll(call, [set("1"), set("2")]));
  await convert("wal", "json-snapshot", disk);
  expect(await changeIn(disk, set("3"))).toBe(3);
  const last = await crash(disk, set("seen, and lost"));
  await convert("json-snapshot", "wal", disk);
  await inFolder("wal", disk, async (call, { engine }) => {
    await callAll(call, [set("next")]);
    expect(engine.disk.lastRevision).toBeGreaterThan(last);
  });
  expect(note(disk)).toEqual({ persistence: "wal" });
});
