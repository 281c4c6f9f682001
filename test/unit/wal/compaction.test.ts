/**
 * When `wal` asks for a checkpoint by itself: by the length of the log, by time, by schedule; with
 * pauses in between, longer ones after failures, and never again once it was closed.
 */
import { describe, expect, test } from "bun:test";
import wal from "../../../plugins/wal/index.ts";
import type { WalOptions } from "../../../plugins/wal/wal.ts";
import type { CompactionOptions } from "../../../src/persistence/compaction-options.ts";
import { CommandError, KvdbError, type Persistence } from "../../../src/plugin.ts";
import {
  createBatch,
  createRecordingSink,
  createTestContext,
  type MemoryDisk,
  subjectOf,
  type TestContext,
  takeCheckpoint,
} from "../../suites/index.ts";
import { emptyDisk, FOLDER } from "./history.ts";

interface Asked {
  readonly reason: string;
  /** Takes the checkpoint, or refuses it. */
  grant(durationMs?: number): Promise<void>;
  refuse(error?: Error): Promise<void>;
}

interface Running {
  readonly instance: Persistence;
  readonly context: TestContext;
  /** Requests nobody answered yet. */
  readonly asked: Asked[];
  /** Appends so many bytes in one record, durably. */
  write(bytes: number): Promise<void>;
}

/** A server on a folder, whose kernel takes a checkpoint when the test grants it. */
async function run(options: WalOptions, disk?: MemoryDisk): Promise<Running> {
  const { files } = disk ?? (await emptyDisk());
  const subject = subjectOf({ plugin: wal, options });
  const asked: Asked[] = [];
  let revision = 0;
  const context = createTestContext({
    files,
    folder: FOLDER,
    requestCheckpoint(reason) {
      const { promise, resolve, reject } = Promise.withResolvers<never>();
      const settle = async (act: () => Promise<unknown> | unknown): Promise<void> => {
        asked.shift();
        await act();
        await Promise.resolve();
      };
      asked.push({
        reason,
        grant: (durationMs = 1) =>
          settle(async () => {
            const state = { revision, entries: [{ key: "k", value: "v" }] };
            const report = await takeCheckpoint(subject, { instance, files, state, durationMs });
            resolve(report as never);
          }),
        refuse: (error = new KvdbError("IO", "no space")) => settle(() => reject(error)),
      });
      return promise;
    },
  });
  const instance = subject.make(context);
  await instance.open();
  const { lastRevision } = await instance.load(createRecordingSink());
  revision = lastRevision;
  const write = async (bytes: number): Promise<void> => {
    instance.append(createBatch({ firstRevision: ++revision, sizes: [bytes] }));
    await instance.flush(true);
  };
  return { instance, context, asked, write };
}

const KIB = 1024;

describe("by the length of the log", () => {
  test("at the minimum, and then at the ratio to the checkpoint", async () => {
    const { instance, asked, write, context } = await run({ compaction: { minBytes: 10 * KIB } });
    await write(9 * KIB);
    expect(asked).toEqual([]);
    await write(1 * KIB);
    expect(asked.map(({ reason }) => reason)).toEqual(["the log has grown"]);
    await asked[0]?.grant();
    const info = context.info("persistence");
    expect(info).toMatchObject({
      wal_compactions: 1,
      wal_checkpoint_entries: 1,
      wal_log_bytes: 32,
    });
    context.clock.advance(2000);
    await write(9 * KIB);
    expect(asked).toEqual([]);
    await write(1 * KIB);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  test("a checkpoint of some size lets the log grow to so many times that", async () => {
    const { instance, asked, write, context } = await run({
      compaction: { minBytes: 1, ratio: 100 },
    });
    await write(10);
    await asked[0]?.grant();
    context.clock.advance(2000);
    const bytes = Number(context.info("persistence")["aof_base_size"]);
    expect(bytes).toBeGreaterThan(100);
    await write(bytes * 99);
    expect(asked).toEqual([]);
    await write(bytes);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  test("zeros written ahead count: the folder is what a user sees", async () => {
    const { instance, asked, write } = await run({ compaction: { minBytes: 256 * KIB } });
    for (let group = 0; group < 16; group++) await write(10);
    expect(asked).toEqual([]);
    await write(10);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  test("maxBytes counts whatever the ratio, and ratio 0 is none", async () => {
    const compaction = { ratio: 0, minBytes: 1, maxBytes: 64 * KIB };
    const { instance, asked, write } = await run({ compaction });
    await write(60 * KIB);
    expect(asked).toEqual([]);
    await write(5 * KIB);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  test("a store that nobody writes to is left alone, however short the log may be", async () => {
    const { asked, write, context, instance } = await run({
      compaction: { minBytes: 0, ratio: 0.01 },
    });
    context.clock.advance(3_600_000);
    expect(asked).toEqual([]);
    await write(10);
    await asked[0]?.grant();
    context.clock.advance(3_600_000);
    expect(asked).toEqual([]);
    await write(10);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  test("a log that is long already at the start is compacted at once, without a write", async () => {
    const disk = await emptyDisk();
    const before = await run({ compaction: { ratio: 0 } }, disk);
    await before.write(50 * KIB);
    await before.instance.close();
    const { instance, asked } = await run({ compaction: { minBytes: 10 * KIB } }, disk);
    expect(asked.length).toBe(1);
    await instance.close();
  });
});

describe("pauses", () => {
  const options = { compaction: { minBytes: 1 * KIB } };

  test("at least 2 s, at least ten times as long as it took; then without a further write", async () => {
    for (const [durationMs, pauseMs] of [
      [1, 2000],
      [900, 9000],
    ] as const) {
      const { instance, asked, write, context } = await run(options);
      await write(2 * KIB);
      await asked[0]?.grant(durationMs);
      await write(2 * KIB);
      context.clock.advance(pauseMs - 1);
      expect(asked).toEqual([]);
      context.clock.advance(1);
      expect(asked.length).toBe(1);
      await instance.close();
    }
  });

  test("while much is written a short log grows for 30 s; when the writers rest it is compacted", async () => {
    const busy = await run(options);
    await busy.write(2 * KIB);
    await busy.asked[0]?.grant();
    for (let seconds = 0; seconds < 28; seconds += 2) {
      await busy.write(600 * KIB);
      busy.context.clock.advance(1000);
      await busy.write(600 * KIB);
      expect(busy.asked).toEqual([]);
      busy.context.clock.advance(1000);
    }
    busy.context.clock.advance(2000);
    expect(busy.asked.length).toBe(1);
    await busy.asked[0]?.grant();
    await busy.write(600 * KIB);
    busy.context.clock.advance(2000);
    expect(busy.asked.length).toBe(1);
    await busy.asked[0]?.grant();
    for (let seconds = 0; seconds < 29; seconds++) {
      await busy.write(600 * KIB);
      expect(busy.asked).toEqual([]);
      busy.context.clock.advance(1000);
    }
    await busy.write(600 * KIB);
    busy.context.clock.advance(2000);
    expect(busy.asked.length).toBe(1);
    await busy.instance.close();
  });

  test("while much is written a log that is long is compacted all the same", async () => {
    const { instance, asked, write, context } = await run({
      compaction: { minBytes: 1 * KIB, maxBytes: 1000 * KIB },
    });
    await write(2 * KIB);
    await asked[0]?.grant();
    await write(600 * KIB);
    context.clock.advance(1000);
    await write(600 * KIB);
    expect(asked).toEqual([]);
    context.clock.advance(1000);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  test("one request at a time, and one timer at most, however many flushes", async () => {
    const { instance, asked, write, context } = await run(options);
    for (let round = 0; round < 20; round++) await write(2 * KIB);
    expect(asked.length).toBe(1);
    await asked[0]?.grant();
    for (let round = 0; round < 20; round++) await write(2 * KIB);
    expect(asked).toEqual([]);
    expect(context.clock.pendingCount).toBe(1);
    await instance.close();
  });

  test("a checkpoint that somebody else asked for counts as well", async () => {
    const disk = await emptyDisk();
    const { instance, asked, write, context } = await run(options, disk);
    await write(10);
    const subject = subjectOf({ plugin: wal, options });
    const state = { revision: 1, entries: [] };
    await takeCheckpoint(subject, { instance, files: disk.files, state });
    await write(2 * KIB);
    expect(asked).toEqual([]);
    context.clock.advance(2000);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  test("they double after failures, up to ten minutes, and end with the first success", async () => {
    const { instance, asked, write, context } = await run(options);
    await write(2 * KIB);
    const pauses: number[] = [];
    for (let round = 0; round < 12; round++) {
      await asked[0]?.refuse();
      await write(10);
      let seconds = 0;
      for (; asked.length === 0; seconds++) context.clock.advance(1000);
      pauses.push(seconds);
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]);
    expect(context.info("persistence")).toMatchObject({ wal_compaction_failures_in_row: 12 });
    await asked[0]?.grant();
    expect(context.info("persistence")).toMatchObject({ wal_compaction_failures_in_row: 0 });
    await write(2 * KIB);
    context.clock.advance(2000);
    expect(asked.length).toBe(1);
    await instance.close();
  });
});

describe("by time and by schedule", () => {
  test("everySeconds: only when something was changed since", async () => {
    const compaction = { ratio: 0, everySeconds: 60 };
    const { instance, asked, write, context } = await run({ compaction });
    context.clock.advance(300_000);
    expect(asked).toEqual([]);
    await write(10);
    context.clock.advance(60_000);
    expect(asked.map(({ reason }) => reason)).toEqual(["it is time"]);
    await asked[0]?.grant();
    context.clock.advance(600_000);
    expect(asked).toEqual([]);
    await write(10);
    context.clock.advance(60_000);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  test("records of the life before count as changes", async () => {
    const disk = await emptyDisk();
    const before = await run({ compaction: { ratio: 0 } }, disk);
    await before.write(10);
    await before.instance.close();
    const compaction = { ratio: 0, everySeconds: 60 };
    const { instance, asked, context } = await run({ compaction }, disk);
    context.clock.advance(60_000);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  test("a schedule, in a time zone", async () => {
    const compaction = { ratio: 0, schedule: "30 3 * * *", timeZone: "Asia/Tokyo" };
    const { instance, asked, write, context } = await run({ compaction });
    await write(10);
    // The clock stands at midnight in UTC, 9 in the morning in Tokyo.
    context.clock.advance((18 * 60 + 30) * 60_000 - 1);
    expect(asked).toEqual([]);
    context.clock.advance(1);
    expect(asked.map(({ reason }) => reason)).toEqual(["the schedule says so"]);
    await asked[0]?.grant();
    context.clock.advance(24 * 3_600_000);
    expect(asked).toEqual([]);
    await write(10);
    context.clock.advance(24 * 3_600_000);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  test("a clock that was set is noticed within the hour", async () => {
    const compaction = { ratio: 0, schedule: "0 12 * * *", timeZone: "UTC" };
    const { instance, asked, write, context } = await run({ compaction });
    await write(10);
    context.clock.advance(60_000);
    context.clock.setWall(Date.UTC(2026, 0, 1, 12, 30));
    context.clock.advance(3_600_000);
    expect(asked.length).toBe(1);
    await instance.close();
  });

  for (const [name, compaction] of Object.entries<CompactionOptions>({
    "is no cron expression": { schedule: "at noon" },
    "has fields out of range": { schedule: "0 25 * * *" },
    "never comes": { schedule: "0 0 31 2 *" },
    "has an unknown time zone": { schedule: "0 0 * * *", timeZone: "Mars/Olympus" },
    "is missing beside a time zone": { timeZone: "UTC" },
  })) {
    test(`a schedule that ${name} is a CONFIG error before anything is opened`, async () => {
      const disk = await emptyDisk();
      const make = async () => run({ compaction }, disk);
      const error = await make().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(KvdbError);
      expect((error as KvdbError).code).toBe("CONFIG");
      expect(disk.paths()).toEqual([]);
    });
  }
});

describe("CONFIG", () => {
  const parameter = ({ context }: Running, name: string) => {
    const found = context.parameters.get(`auto-aof-rewrite-${name}`);
    if (found?.set === undefined) throw new Error(`no parameter ${name}`);
    return { get: () => found.get(), set: (value: string) => found.set?.(value) };
  };

  test("Redis's names, with the defaults", async () => {
    const running = await run({});
    expect(parameter(running, "percentage").get()).toBe("100");
    expect(parameter(running, "min-size").get()).toBe("524288");
    await running.instance.close();
  });

  test("SET holds at once; percentage 0 is off", async () => {
    const running = await run({});
    const { asked, write } = running;
    parameter(running, "min-size").set("4kb");
    parameter(running, "percentage").set("0");
    await write(5 * KIB);
    expect(asked).toEqual([]);
    parameter(running, "percentage").set("50");
    await write(1);
    expect(asked.length).toBe(1);
    expect(parameter(running, "percentage").get()).toBe("50");
    expect(parameter(running, "min-size").get()).toBe("4096");
    await running.instance.close();
  });

  test("what Redis refuses is refused, and changes nothing", async () => {
    const running = await run({});
    for (const [name, values] of [
      ["percentage", ["-1", "x", "1.5", "2147483648", ""]],
      ["min-size", ["-1", "x", "1.5mb", "1tb", "", "999999999999999gb"]],
    ] as const) {
      const before = parameter(running, name).get();
      for (const value of values) {
        expect(() => parameter(running, name).set(value)).toThrow(CommandError);
      }
      expect(parameter(running, name).get()).toBe(before);
    }
    await running.instance.close();
  });
});

describe("after close", () => {
  test("nothing is asked for and no timer is left, in whatever state it was", async () => {
    const options = { compaction: { minBytes: 1 * KIB, everySeconds: 5, schedule: "* * * * *" } };
    for (const state of ["waiting", "pausing", "asking"]) {
      const { instance, asked, write, context } = await run(options);
      if (state !== "waiting") await write(2 * KIB);
      if (state === "pausing") {
        await asked[0]?.grant();
        await write(2 * KIB);
      }
      await instance.close();
      if (state === "asking") await asked[0]?.refuse();
      context.clock.advance(3_600_000);
      expect({ state, asked, timers: context.clock.pendingCount }).toEqual({
        state,
        asked: [],
        timers: 0,
      });
    }
  });
});

test("save: so many seconds and changes, as CONFIG SET says at run time; none by default", async () => {
  const { instance, asked, context } = await run({ compaction: { ratio: 0 } });
  let unsaved = 5;
  Object.defineProperty(context, "unsavedChanges", { get: () => unsaved });
  const parameter = context.parameters.get("save");
  expect(parameter?.get()).toBe("");
  context.clock.advance(100_000);
  expect(asked).toEqual([]);
  expect(() => parameter?.set?.("1")).toThrow(CommandError);
  parameter?.set?.("200 5 300 1");
  context.clock.advance(99_000);
  expect(asked).toEqual([]);
  context.clock.advance(1000);
  expect(asked.map(({ reason }) => reason)).toEqual(["5 changes in 200 seconds"]);
  await asked[0]?.grant();
  unsaved = 4;
  context.clock.advance(299_000);
  expect(asked).toEqual([]);
  context.clock.advance(1000);
  expect(asked.length).toBe(1);
  await instance.close();
});
