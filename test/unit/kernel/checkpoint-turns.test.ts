// Who has the snapshots' worker, and who waits for it: a checkpoint behind something that runs exclusively, as a CHECK does.
import { expect, test } from "bun:test";
import {
  type CheckpointRequest,
  Checkpoints,
  type WorkedCheckpoint,
} from "../../../src/kernel/checkpoints.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { Persistence } from "../../../src/plugin.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { MemoryDisk } from "../../suites/memory-files.ts";

const persistence: Persistence = {
  supports: { records: true, checkpoints: true },
  durability: "always",
  async open() {},
  load: () => Promise.reject(new Error("nothing is loaded here")),
  append() {},
  async flush() {},
  async close() {},
};

class Driven {
  readonly clock = new FakeClock();
  /** What the worker was asked for; a test answers. */
  readonly written: PromiseWithResolvers<WorkedCheckpoint>[] = [];
  /** How often whatever the worker does was given up. */
  cancels = 0;
  readonly checkpoints: Checkpoints;

  constructor() {
    this.checkpoints = new Checkpoints({
      engine: {
        disk: { lastRevision: 5 },
        readEntries: () => {
          throw new Error("a worker reads them");
        },
        rest: () => () => {},
      },
      persistence,
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
        write: (_: CheckpointRequest) => {
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
  expect(checkpoints.cancel()).toBe(true);
  expect(driven.cancels).toBe(0);
  check.resolve("whole");
  expect(await checked).toBe("whole");
  await expect(saved).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(driven.written).toHaveLength(0);
  expect(checkpoints).toMatchObject({ inProgress: false, failure: null, count: 0 });
});

test("one that is being written is given up with the worker", async () => {
  const driven = new Driven();
  const saved = driven.checkpoints.request("BGSAVE", "now");
  await Bun.sleep(0);
  expect(driven.checkpoints.cancel()).toBe(true);
  expect(driven.cancels).toBe(1);
  await expect(saved).rejects.toThrow("cancelled");
  expect(driven.checkpoints.cancel()).toBe(false);
});

test("it is in progress since it was asked for, also while it waits", async () => {
  const { checkpoints, clock, check, driven, saved } = beginBehindCheck();
  expect(checkpoints).toMatchObject({ inProgress: true, startedMs: clock.now() });
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
