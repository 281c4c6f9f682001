// Who has the snapshots' worker, and who waits for it: a checkpoint behind something that runs exclusively, as a CHECK does.
import { expect, test } from "bun:test";
import type { CheckpointRequest, WorkedCheckpoint } from "../../../src/kernel/checkpoint-writer.ts";
import { Checkpoints } from "../../../src/kernel/checkpoints.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { Persistence, PersistenceAbilities } from "../../../src/plugin.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { MemoryDisk } from "../../suites/memory-files.ts";

/** Kinds, in the order in which they were begun. */
const begun: string[] = [];

const persistence: Persistence = {
  supports: { records: true, checkpoints: true },
  durability: "always",
  async open() {},
  load: () => Promise.reject(new Error("nothing is loaded here")),
  append() {},
  async flush() {},
  async beginCheckpoint(_revision, kind) {
    begun.push(kind);
  },
  async close() {},
};

class Driven {
  readonly clock = new FakeClock();
  /** What the worker was asked for; a test answers. */
  readonly written: PromiseWithResolvers<WorkedCheckpoint>[] = [];
  /** How often whatever the worker does was given up. */
  cancels = 0;
  readonly checkpoints: Checkpoints;

  constructor(supports: Partial<PersistenceAbilities> = {}) {
    this.checkpoints = new Checkpoints({
      engine: {
        disk: { lastRevision: 5, followMode() {} },
        readEntries: () => {
          throw new Error("a worker reads them");
        },
        rest: () => () => {},
      },
      persistence: { ...persistence, supports: { ...persistence.supports, ...supports } },
      plugin: {
        name: "store",
        source: { kind: "builtin", name: "store" },
        options: {},
        writeCheckpoint: undefined,
      },
      folder: "/data",
      files: new MemoryDisk().files,
      clock: this.clock,
      log: silentLog,
      worker: {
        write: (_: CheckpointRequest, begin) => {
          void begin(5);
          const one = Promise.withResolvers<WorkedCheckpoint>();
          this.written.push(one);
          return one.promise;
        },
        cancel: () => {
          this.cancels++;
          this.written.at(-1)?.reject(new Error("cancelled"));
        },
      },
    });
    this.checkpoints.start();
  }
}

/** A CHECK that goes on until the test ends it, and a checkpoint that waits for it. */
function beginBehindCheck() {
  const driven = new Driven();
  const check = Promise.withResolvers<string>();
  const checked = driven.checkpoints.exclusively(() => check.promise);
  driven.clock.advance(60_000);
  const saved = driven.checkpoints.request("BGSAVE", "now");
  void Promise.allSettled([saved]);
  const { checkpoints, clock } = driven;
  return { driven, checkpoints, clock, check, checked, saved };
}

test("a checkpoint that waits for a CHECK is given up alone", async () => {
  const { checkpoints, driven, check, checked, saved } = beginBehindCheck();
  expect(checkpoints.cancel("save")).toBe(true);
  expect(driven.cancels).toBe(0);
  check.resolve("whole");
  expect(await checked).toBe("whole");
  await expect(saved).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(driven.written).toHaveLength(0);
  expect(checkpoints.of("save")).toMatchObject({ inProgress: false, failure: null, count: 0 });
});

test("one that is being written is given up with the worker", async () => {
  const driven = new Driven();
  const saved = driven.checkpoints.request("BGSAVE", "now");
  await Bun.sleep(0);
  expect(driven.checkpoints.cancel("save")).toBe(true);
  expect(driven.cancels).toBe(1);
  await expect(saved).rejects.toThrow("cancelled");
  expect(driven.checkpoints.cancel("save")).toBe(false);
});

test("it is in progress since it was asked for, also while it waits", async () => {
  const { checkpoints, clock, check, driven, saved } = beginBehindCheck();
  expect(checkpoints.of("save")).toMatchObject({ inProgress: true, startedMs: clock.now() });
  check.resolve("whole");
  await Bun.sleep(0);
  driven.written[0]?.resolve({ revision: 5, entries: 1, bytes: 10 });
  expect(await saved).toMatchObject({ revision: 5 });
});

test("a stop begins nothing that still waits for its turn", async () => {
  const { checkpoints, driven, check, saved } = beginBehindCheck();
  const stopped = checkpoints.stop();
  check.reject(new Error("it is no longer wanted"));
  await stopped;
  await expect(saved).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(driven.written).toHaveLength(0);
});

test("a stop does not wait for ever for what does not end", async () => {
  const { checkpoints, clock, check } = beginBehindCheck();
  void Promise.allSettled([check.promise]);
  const stopped = Promise.allSettled([checkpoints.stop()]);
  clock.advance(10_000);
  expect(await stopped).toMatchObject([{ status: "rejected" }]);
});

test("where there are two kinds, each has its turn and its own account", async () => {
  const { checkpoints, written, cancels } = new Driven({ saves: true });
  begun.length = 0;
  const requests = [
    checkpoints.request("BGREWRITEAOF", "now", "compact"),
    checkpoints.request("BGSAVE", "now", "save"),
    checkpoints.request("SAVE", "now", "save"),
  ];
  await Bun.sleep(0);
  expect(checkpoints.of("compact").inProgress).toBe(true);
  expect(checkpoints.of("save").inProgress).toBe(false);
  written[0]?.resolve({ revision: 3, entries: 1, bytes: 10 });
  expect(await requests[0]).toMatchObject({ kind: "compact", revision: 3 });
  await Bun.sleep(0);
  expect(checkpoints.of("save").inProgress).toBe(true);
  written[1]?.resolve({ revision: 4, entries: 1, bytes: 20 });
  expect(await Promise.all(requests.slice(1))).toMatchObject([
    { kind: "save", revision: 4 },
    { kind: "save", revision: 4 },
  ]);
  expect(begun).toEqual(["compact", "save"]);
  expect(checkpoints.of("compact")).toMatchObject({ count: 1, last: { bytes: 10 }, changes: 2 });
  expect(checkpoints.of("save")).toMatchObject({ count: 1, last: { bytes: 20 }, changes: 1 });
  expect(cancels).toBe(0);
});

test("a kind that waits is given up without the other", async () => {
  const driven = new Driven({ saves: true });
  const rewrite = driven.checkpoints.request("BGREWRITEAOF", "now", "compact");
  const save = driven.checkpoints.request("BGSAVE", "now", "save");
  await Bun.sleep(0);
  expect(driven.checkpoints.cancel("save")).toBe(true);
  await expect(save).rejects.toThrow("cancelled");
  driven.written[0]?.resolve({ revision: 5, entries: 1, bytes: 10 });
  expect(await rewrite).toMatchObject({ kind: "compact" });
  expect(driven.cancels).toBe(0);
  expect(driven.checkpoints.cancel("compact")).toBe(false);
});

test("where there is one, the other is that, by whether records are kept", async () => {
  for (const records of [true, false]) {
    const { checkpoints, written } = new Driven({ records });
    begun.length = 0;
    const shared = [
      checkpoints.request("COMPACT", "now", "compact"),
      checkpoints.request("SAVE", "now", "save"),
    ];
    await Bun.sleep(0);
    expect(checkpoints.of("compact")).toEqual(checkpoints.of("save"));
    written[0]?.resolve({ revision: 5, entries: 1, bytes: 10 });
    await shared[0];
    await Bun.sleep(0);
    written[1]?.resolve({ revision: 5, entries: 1, bytes: 10 });
    await shared[1];
    const kind = records ? "compact" : "save";
    expect(begun).toEqual([kind, kind]);
    expect(checkpoints.of("save")).toMatchObject({ count: 2, changes: 0 });
  }
});
