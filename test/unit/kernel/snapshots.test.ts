// A snapshot while kvdb serves, over a worker and an engine that a test drives: however it ends, it ends.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SnapshotNews, SnapshotOrder } from "../../../src/kernel/snapshot-messages.ts";
import { startSnapshotThread } from "../../../src/kernel/snapshot-thread.ts";
import { Snapshots } from "../../../src/kernel/snapshots.ts";
import { silentLog } from "../../../src/platform/log.ts";
import {
  createControl,
  createRing,
  type PageCapture,
  TAIL,
} from "../../../src/store/page-capture.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { MemoryDisk } from "../../suites/memory-files.ts";

const task = {
  kind: "checkpoint",
  plugin: { kind: "builtin", name: "wal" },
  options: {},
  folder: "/data",
  task: null,
} as const;

class Driven {
  readonly clock = new FakeClock();
  readonly orders: SnapshotOrder["kind"][] = [];
  readonly ends: string[] = [];
  readonly control = createControl();
  isRunningLow = false;
  isStopped = false;
  tell: (news: SnapshotNews) => void = () => {};
  readonly snapshots: Snapshots;

  constructor() {
    const capture: PageCapture = {
      ...createRing(1),
      chunks: [],
      pageCount: 0,
      usedBytes: 0,
      imageBytes: 0,
      states: new Uint8Array(),
      control: this.control,
    };
    const driven = this;
    this.snapshots = new Snapshots({
      engine: {
        disk: { lastRevision: 5 },
        atTurnEnd: (act) => act(),
        beginCapture: () => ({
          capture,
          get isRunningLow() {
            return driven.isRunningLow;
          },
          finish: () => this.ends.push("finish"),
          cancel: () => this.ends.push("cancel"),
        }),
      },
      files: new MemoryDisk().files,
      folder: "/data",
      clock: this.clock,
      log: silentLog,
      startWorker: (onNews) => {
        this.tell = onNews;
        return {
          post: ({ kind }) => void this.orders.push(kind),
          stop: () => {
            this.isStopped = true;
          },
        };
      },
    });
  }

  /** What else is to happen at this moment has happened. */
  settle(): Promise<void> {
    return Bun.sleep(0);
  }
}

test("a worker that takes nothing while writers wait is given up after five seconds", async () => {
  const driven = new Driven();
  const result = driven.snapshots.run(async () => task);
  await driven.settle();
  driven.isRunningLow = true;
  for (let page = 1; page <= 60; page++) {
    driven.clock.advance(1000);
    Atomics.store(driven.control, TAIL, page); // slow, but it goes on
  }
  expect(driven.ends).toEqual([]);
  driven.clock.advance(4000);
  expect(driven.ends).toEqual([]);
  driven.clock.advance(2000);
  expect(driven.ends).toContain("cancel");
  await driven.settle();
  driven.clock.advance(2000); // for the worker to heed it
  await expect(result).rejects.toMatchObject({ code: "IO" });
  expect(driven.isStopped).toBe(true);
  expect(driven.clock.pendingCount).toBe(0);
});

test("behind a worker that waits for the disk there is no other until it has answered", async () => {
  const driven = new Driven();
  const result = driven.snapshots.run(async () => task);
  await driven.settle();
  driven.snapshots.cancel();
  await driven.settle();
  driven.clock.advance(2000);
  await expect(result).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(driven.isStopped).toBe(true);
  const refused = driven.snapshots.run(async () => task);
  await expect(refused).rejects.toThrow("still waits for the disk");
  driven.tell({ kind: "failed", code: "UNAVAILABLE", message: "it is no longer wanted" });
  const next = driven.snapshots.run(async () => task);
  await driven.settle();
  driven.tell({ kind: "imaged" });
  driven.tell({ kind: "done", result: 7 });
  expect(await next).toBe(7);
});

test("as long as nobody waits for the worker it may take its time", async () => {
  const driven = new Driven();
  const result = driven.snapshots.run(async () => task);
  await driven.settle();
  driven.clock.advance(3_600_000);
  driven.tell({ kind: "imaged" });
  driven.isRunningLow = true;
  driven.clock.advance(3_600_000);
  driven.tell({ kind: "done", result: 7 });
  expect(await result).toBe(7);
  expect(driven.clock.pendingCount).toBe(0);
});

test("a cancelled one tells who waits for its beginning, and ends with the worker", async () => {
  const driven = new Driven();
  const result = driven.snapshots.run(async (_, end) => {
    await end;
    return task;
  });
  await driven.settle();
  expect(driven.orders).toEqual(["image"]);
  driven.snapshots.cancel();
  await driven.settle();
  driven.tell({ kind: "failed", code: "UNAVAILABLE", message: "it is no longer wanted" });
  await expect(result).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(driven.isStopped).toBe(true);
  expect(driven.clock.pendingCount).toBe(0);
});

test("an image that fails before there is a task is not waited for", async () => {
  const driven = new Driven();
  const begun = Promise.withResolvers<void>();
  const result = driven.snapshots.run(async () => {
    await begun.promise;
    return task;
  });
  await driven.settle();
  driven.tell({ kind: "failed", code: "IO", message: "no room" });
  begun.resolve();
  await expect(result).rejects.toThrow("no room");
  expect(driven.orders).toEqual(["image"]);
  expect(driven.isStopped).toBe(true);
});

test("a plugin that ends its thread has failed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kvdb-snapshots-"));
  try {
    await Bun.write(join(folder, "ending.ts"), "process.exit(0);\n");
    const { promise, resolve } = Promise.withResolvers<SnapshotNews>();
    const worker = startSnapshotThread(resolve);
    const plugin = { kind: "file", use: "./ending.ts", folder } as const;
    worker.post({ kind: "task", task: { ...task, plugin, folder } });
    expect(await promise).toMatchObject({ kind: "failed" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
