/** When it saves: Redis's rules, retries, and silence after the end. */
import { describe, expect, test } from "bun:test";
import type { SnapshotOptions } from "../../../plugins/json-snapshot/snapshot-file.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { CheckpointReport, Persistence } from "../../../src/plugin.ts";
import { FakeClock, type TestContext } from "../../suites/index.ts";
import { diskWith, emptyDisk, start } from "./support.ts";

/** A started instance, and hands on everything that decides when it saves. */
class Running {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  readonly warnings: string[] = [];
  lastRevision = 0;
  #savedRevision = 0;
  /** What a request for a save comes to. */
  outcome: () => Promise<void> = async () => {};
  instance: Persistence | undefined;
  context: TestContext | undefined;

  static async start(options: SnapshotOptions = {}, file?: string): Promise<Running> {
    const running = new Running();
    const disk = await (file === undefined ? emptyDisk() : diskWith(file));
    const context = {
      clock: running.clock,
      log: { ...silentLog, warn: (message: string) => void running.warnings.push(message) },
      requestCheckpoint: (reason: string) => running.#save(reason),
    };
    const unsavedChanges = { get: () => running.lastRevision - running.#savedRevision };
    Object.defineProperty(context, "unsavedChanges", unsavedChanges);
    const { instance, context: made } = await start(disk.files, { options, context });
    Object.defineProperty(made, "unsavedChanges", unsavedChanges);
    running.instance = instance;
    running.context = made;
    return running;
  }

  async #save(reason: string): Promise<CheckpointReport> {
    this.asked.push(reason);
    const revision = this.lastRevision;
    await this.outcome();
    return await this.saved(revision);
  }

  /** Somebody else may have asked: SAVE. */
  async saved(revision: number): Promise<CheckpointReport> {
    const detail = { identity: { bytes: 1, crc32: 1 } };
    const numbers = { bytes: 1, entries: 1, durationMs: 1 };
    const report = { kind: "save", revision, detail, ...numbers } as const;
    await this.instance?.checkpointed?.(report);
    this.#savedRevision = revision;
    return report;
  }

  /** Lets time pass; what was asked for is settled second by second. */
  async pass(seconds: number): Promise<number> {
    const before = this.asked.length;
    for (let second = 0; second < seconds; second++) {
      this.clock.advance(1000);
      await new Promise(setImmediate);
    }
    return this.asked.length - before;
  }

  config(value?: string): string | undefined {
    const parameter = this.context?.parameters.get("save");
    if (value !== undefined) parameter?.set?.(value);
    return parameter?.get();
  }
}

describe("rules", () => {
  test("after so many seconds, if so many changes came", async () => {
    const running = await Running.start({ save: "60 100" });
    running.lastRevision = 99;
    expect(await running.pass(300)).toBe(0);
    running.lastRevision = 100;
    expect(await running.pass(1)).toBe(1);
    running.lastRevision = 300;
    expect(await running.pass(59)).toBe(0);
    expect(await running.pass(1)).toBe(1);
    expect(await running.pass(300)).toBe(0);
  });

  test("the first that holds counts, in a text or a list", async () => {
    for (const save of ["60 100 10 1000", ["60 100", "10 1000"]]) {
      const running = await Running.start({ save });
      running.lastRevision = 1000;
      expect(await running.pass(9)).toBe(0);
      expect(await running.pass(1)).toBe(1);
      running.lastRevision = 1999;
      expect(await running.pass(59)).toBe(0);
      expect(await running.pass(1)).toBe(1);
    }
  });

  test("without any, Redis's", async () => {
    const running = await Running.start();
    expect(running.config()).toBe("3600 1 300 100 60 10000");
    running.lastRevision = 1;
    expect(await running.pass(3599)).toBe(0);
    expect(await running.pass(1)).toBe(1);
    running.lastRevision = 101;
    expect(await running.pass(299)).toBe(0);
    expect(await running.pass(1)).toBe(1);
  });

  test.each([{ save: "" }, { save: [] }, { save: " " }])("none: %j", async (options) => {
    const running = await Running.start(options);
    running.lastRevision = 1_000_000;
    expect(running.config()).toBe("");
    expect(await running.pass(4000)).toBe(0);
  });

  test("every so many seconds, if anything changed", async () => {
    const running = await Running.start({ every: 5 });
    expect(running.config()).toBe("5 1");
    expect(await running.pass(20)).toBe(0);
    running.lastRevision = 1;
    expect(await running.pass(6)).toBe(1);
    const both = await Running.start({ every: 5, save: "60 1000" });
    expect(both.config()).toBe("60 1000 5 1");
  });

  test("a save that somebody asked for begins the time anew", async () => {
    const running = await Running.start({ save: "10 1" });
    running.lastRevision = 5;
    await running.pass(9);
    await running.saved(5);
    running.lastRevision = 6;
    expect(await running.pass(9)).toBe(0);
    expect(await running.pass(1)).toBe(1);
  });

  test("a change right behind the start counts", async () => {
    const running = await Running.start({ save: "10 1" }, '{"databases":{"0":{"a":1}}}');
    expect(await running.pass(30)).toBe(0);
    const busy = await Running.start({ save: "10 1" }, '{"databases":{"0":{"a":1}}}');
    busy.lastRevision = 1;
    expect(await busy.pass(10)).toBe(1);
  });
});

describe("CONFIG SET save", () => {
  test.each([
    ["900 1", "900 1"],
    [" 900  1 60 10000 ", "900 1 60 10000"],
    ["60 0", "60 0"],
    ["", ""],
  ])("%j", async (value, shown) => {
    const running = await Running.start();
    expect(running.config(value)).toBe(shown);
  });

  test.each(["60", "60 1 5", "0 1", "60 -1", "a b", "60 1,5", "1e3 1", "60 1 60"])(
    "%j is refused, in Redis's words",
    async (value) => {
      const running = await Running.start({ save: "60 1" });
      expect(() => running.config(value)).toThrow("Invalid save parameters");
      expect(running.config()).toBe("60 1");
    },
  );

  test("counts from then on", async () => {
    const running = await Running.start({ save: "" });
    running.lastRevision = 10;
    await running.pass(100);
    running.config("60 5");
    expect(await running.pass(1)).toBe(1);
    running.lastRevision = 100;
    running.config("");
    expect(await running.pass(100)).toBe(0);
  });
});

describe("a save that fails", () => {
  test("is asked for again, with pauses that grow up to five minutes", async () => {
    const running = await Running.start({ save: "1 1" });
    running.outcome = () => Promise.reject(new Error("no space"));
    running.lastRevision = 1;
    const pauses: number[] = [];
    for (let seconds = 1; pauses.length < 9; seconds++) {
      if ((await running.pass(1)) === 0) continue;
      pauses.push(seconds);
      seconds = 0;
    }
    expect(pauses).toEqual([1, 5, 10, 20, 40, 80, 160, 300, 300]);
    expect(running.warnings).toHaveLength(9);
    expect(running.context?.info("persistence")["json_save_failures"]).toBe(9);
    running.outcome = async () => {};
    expect(await running.pass(300)).toBe(1);
    expect(running.context?.info("persistence")["json_save_failures"]).toBe(0);
    expect(await running.pass(300)).toBe(0);
  });

  test("one that takes long is not asked for twice", async () => {
    const running = await Running.start({ save: "1 1" });
    const { promise, resolve } = Promise.withResolvers<void>();
    running.outcome = () => promise;
    running.lastRevision = 1;
    expect(await running.pass(100)).toBe(1);
    running.lastRevision = 2;
    resolve();
    expect(await running.pass(2)).toBe(1);
  });
});

test("nothing comes after the end, and what the end cut off is no failure", async () => {
  const running = await Running.start({ save: "1 1" });
  const { promise, reject } = Promise.withResolvers<void>();
  running.outcome = () => promise;
  running.lastRevision = 1;
  await running.pass(1);
  await running.instance?.close();
  reject(new Error("kvdb is stopping"));
  running.lastRevision = 2;
  expect(await running.pass(1000)).toBe(0);
  expect(running.warnings).toEqual([]);
  expect(running.clock.pendingCount).toBe(0);
});

test("a check saves nothing", async () => {
  const { files } = await diskWith('{"databases":{"0":{"a":1}}}');
  const clock = new FakeClock();
  await start(files, { purpose: { kind: "check" }, context: { clock } });
  expect(clock.pendingCount).toBe(0);
});
