/** Snapshots of a program: what they read is of one moment, whatever is written since, and they end cleanly. */
import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { builtins } from "../../../plugins/index.ts";
import { openDatabase } from "../../../src/embedded/open.ts";
import type { StartSnapshotWorker } from "../../../src/kernel/snapshot-messages.ts";
import { SnapshotTasks } from "../../../src/kernel/snapshot-tasks.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { systemFiles } from "../../../src/platform/files.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import type { RangeOptions } from "../../../src/plugin.ts";
import { until } from "../../e2e/support/poll.ts";
import { Folder, failureOf, openInMemory } from "./opened.ts";

const KEY_INDEX = { use: "ordered", field: "@key" } as const;

describe.each([true, false])("with an index of the keys: %p", (isIndexed) => {
  const indexes = isIndexed ? { keys: KEY_INDEX } : {};

  test("K16: a snapshot reads what was there, while everything changes", async () => {
    await using folder = await Folder.create();
    await using db = await folder.open<number>({ indexes });
    const expected = Array.from(
      { length: 5000 },
      (_, i) => [`k:${String(i).padStart(5, "0")}`, i] as const,
    );
    await Promise.all(expected.map(([key, value]) => db.set(key, value)));
    await using snapshot = await db.snapshot();
    for (let round = 0; round < 3; round++) {
      const batch = db.batch();
      for (const [key, value] of expected) {
        if (value % 3 === 0) batch.del(key);
        else batch.put(key, -value - round);
        batch.put(`new:${round}:${key}`, value);
      }
      await batch.write();
      expect([...snapshot.iterate()]).toEqual(expected.map(([key, value]) => [key, value]));
    }
    await db.call("FLUSHALL");
    expect([db.size, snapshot.size]).toEqual([0, 5000]);
    expect([
      snapshot.get("k:00042"),
      snapshot.has("k:00043"),
      snapshot.has("new:0:k:00001"),
    ]).toEqual([42, true, false]);
    const ranges: [RangeOptions, number[]][] = [
      [{ prefix: "k:0001", limit: 3 }, [10, 11, 12]],
      [{ gt: "k:00010", lte: "k:00012" }, [11, 12]],
      [{ reverse: true, limit: 2 }, [4999, 4998]],
      [{ prefix: "k:0001", reverse: true, lt: "k:00012" }, [11, 10]],
      [{ gte: "l" }, []],
      [{ limit: 0 }, []],
    ];
    for (const [range, values] of ranges) expect([...snapshot.values(range)]).toEqual(values);
    expect([...snapshot.keys({ reverse: true })]).toEqual(expected.map(([key]) => key).reverse());
  });
});

test("values of all forms, and what they cannot be", async () => {
  await using folder = await Folder.create();
  await using db = await folder.open();
  const big = "x".repeat(2_000_000);
  await db.set("text", "héllo");
  await db.set("doc", { a: [1, null] });
  await db.set("big", big);
  await db.setBytes("bytes", new Uint8Array([255, 0]));
  await db.call("RPUSH", "list", "x");
  await using snapshot = await db.snapshot();
  await db.delete("text", "doc", "big", "bytes", "list");
  expect([snapshot.get("text"), snapshot.get("doc"), snapshot.get("nobody")]).toEqual([
    "héllo",
    { a: [1, null] },
    undefined,
  ]);
  expect(snapshot.get("big")).toBe(big);
  expect(snapshot.getBytes("bytes")).toEqual(new Uint8Array([255, 0]));
  expect(new TextDecoder().decode(snapshot.getBytes("doc"))).toBe('{"a":[1,null]}');
  expect([(await failureOf(() => snapshot.get("list"))).reply, snapshot.has("list")]).toEqual([
    "WRONGTYPE",
    true,
  ]);
  expect((await failureOf(() => snapshot.get("bytes"))).message).toContain("getBytes");
  expect((await failureOf(() => [...snapshot.iterate({ gte: "list" })])).message).toContain(
    'key "list": WRONGTYPE',
  );
});

test("what had expired is gone, and what expires later stays", async () => {
  await using folder = await Folder.create();
  await using db = await folder.open<number>({ indexes: { keys: KEY_INDEX } });
  await db.call("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  await db.set("over", 1, { ttlMs: 1 });
  await db.set("later", 2, { ttlMs: 2000 });
  await Bun.sleep(5);
  await using snapshot = await db.snapshot();
  await until("it expires", () => !db.has("later"));
  expect([snapshot.size, [...snapshot.iterate()], snapshot.has("over")]).toEqual([
    1,
    [["later", 2]],
    false,
  ]);
});

test("each numbered database has its own, beside checkpoints and other snapshots", async () => {
  await using folder = await Folder.create();
  await using db = await folder.open<number>();
  await db.set("a", 0);
  await db.select(3).set("a", 3);
  const [one, other] = await Promise.all([
    db.select<number>(3).snapshot(),
    db.snapshot(),
    db.call("SAVE"),
  ]);
  await db.set("a", 9);
  await using later = await db.snapshot();
  expect([one.get("a"), other.get("a"), later.get("a")]).toEqual([3, 0, 9]);
  await one.close();
  expect(other.get("a")).toBe(0);
  await other.close();
});

test("closed, by itself or with the database, it reads no more, and the folder is as before", async () => {
  await using folder = await Folder.create();
  const db = await folder.open<number>();
  await db.set("a", 1);
  const [first, second] = [await db.snapshot(), await db.snapshot()];
  const walk = second.iterate();
  await first.close();
  await first.close();
  expect((await failureOf(() => first.get("a"))).message).toBe("the snapshot is closed");
  expect(second.get("a")).toBe(1);
  await db.close();
  for (const act of [
    () => second.get("a"),
    () => second.size,
    () => walk.next(),
    () => db.snapshot(),
  ]) {
    expect((await failureOf(act)).code).toBe("UNAVAILABLE");
  }
  expect(await readdir(join(folder.path, "data"))).not.toContain("kvdb.image");
  await using again = await folder.open<number>();
  expect(again.get("a")).toBe(1);
});

test("one that is being taken when the database is closed is given up, or closed with it", async () => {
  await using folder = await Folder.create();
  for (const turns of [0, 1, 5, 20]) {
    const db = await folder.open<number>();
    await db.set("a", 1);
    const taking = Promise.allSettled([db.snapshot()]);
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
    await db.close();
    const [outcome] = await taking;
    const failure = await failureOf(() => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value.get("a");
    });
    expect(failure.code).toBe("UNAVAILABLE");
    expect(await readdir(join(folder.path, "data"))).not.toContain("kvdb.image");
  }
});

test("there is a bound on those that are open", async () => {
  await using folder = await Folder.create();
  await using db = await folder.open<number>();
  await db.set("a", 1);
  const all = await Promise.all(Array.from({ length: 8 }, () => db.snapshot()));
  const failure = await failureOf(() => db.snapshot());
  expect([failure.code, failure.message]).toEqual([
    "UNAVAILABLE",
    expect.stringContaining("8 snapshots are open"),
  ]);
  await all[0]?.close();
  await using next = await db.snapshot();
  expect(next.get("a")).toBe(1);
});

test("without a disk there is none", async () => {
  await using db = await openInMemory();
  const failure = await failureOf(() => db.snapshot());
  expect([failure.code, failure.message]).toEqual([
    "UNAVAILABLE",
    expect.stringContaining("needs a data folder"),
  ]);
});

test("a disk without room refuses the snapshot, and nothing else", async () => {
  await using folder = await Folder.create();
  const files = { ...systemFiles, freeBytes: async () => 0 };
  const startSnapshotWorker: StartSnapshotWorker = (tell) => {
    const surroundings = { files, clock: systemClock, random: systemRandom, builtins };
    const tasks = new SnapshotTasks({ ...surroundings, isOver: () => false, tell });
    return { post: (order) => tasks.heed(order), stop: () => {} };
  };
  await using db = await openDatabase<number>(join(folder.path, "data"), { startSnapshotWorker });
  await db.set("a", 1);
  const failure = await failureOf(() => db.snapshot());
  expect([failure.code, failure.message]).toEqual([
    "IO",
    expect.stringContaining("0 MiB free, and"),
  ]);
  await db.set("a", 2);
  expect(db.get("a")).toBe(2);
  expect(await readdir(join(folder.path, "data"))).not.toContain("kvdb.image");
});
