// Which checkpoints the log of a server tells.
import { expect, test } from "bun:test";
import { Checkpoints } from "../../../src/kernel/checkpoints.ts";
import { KEEPS_NOTHING } from "../../../src/kernel/loading.ts";
import { createLog } from "../../../src/platform/log.ts";
import type { CheckpointUrgency } from "../../../src/session/server.ts";
import { FakeClock, MemoryDisk } from "../../suites/index.ts";

/** Checkpoints whose worker takes as long as a test says, or fails. */
class Running {
  readonly clock = new FakeClock();
  readonly #lines: string[] = [];
  readonly #checkpoints: Checkpoints;
  takesMs = 0;
  isFailing = false;

  constructor() {
    const { clock } = this;
    const write = (line: string) => void this.#lines.push(line.split(" ")[1] as string);
    this.#checkpoints = new Checkpoints({
      engine: {
        disk: { lastRevision: 1, followMode() {} },
        rest: () => () => {},
        readEntries: () => {
          throw new Error("a worker reads them");
        },
      },
      persistence: { ...KEEPS_NOTHING, supports: { records: true, checkpoints: true } },
      plugin: {
        name: "store",
        source: { kind: "builtin", name: "store" },
        options: {},
        writeCheckpoint: undefined,
      },
      folder: "/data",
      files: new MemoryDisk().files,
      clock,
      log: createLog({ clock, level: () => "debug", write }),
      worker: {
        write: async () => {
          clock.advance(this.takesMs);
          if (this.isFailing) throw new Error("no space");
          return { revision: 1, entries: 1, bytes: 100 };
        },
        cancel: () => {},
      },
    });
    this.#checkpoints.start();
  }

  /** The level at which it is told. */
  async take(urgency: CheckpointUrgency): Promise<string> {
    await Promise.allSettled([this.#checkpoints.request("a reason", urgency)]);
    return this.#lines.splice(0).join();
  }
}

test("of those that come by themselves one a minute, the others for who looks closely", async () => {
  const running = new Running();
  const levels: string[] = [];
  for (let second = 0; second <= 120; second += 2) {
    levels.push(await running.take("whenIdle"));
    running.clock.advance(2000);
  }
  expect(levels).toHaveLength(61);
  expect(levels.flatMap((level, at) => (level === "info" ? [at] : []))).toEqual([0, 30, 60]);
  expect(new Set(levels)).toEqual(new Set(["info", "debug"]));
});

test("each that somebody has asked for, that took long, that failed, or that is the next after that", async () => {
  const running = new Running();
  expect(await running.take("whenIdle")).toBe("info");
  expect(await running.take("whenIdle")).toBe("debug");
  expect(await running.take("now")).toBe("info");
  running.takesMs = 1000;
  expect(await running.take("whenIdle")).toBe("info");
  running.takesMs = 999;
  expect(await running.take("whenIdle")).toBe("debug");
  running.isFailing = true;
  expect(await running.take("whenIdle")).toBe("error");
  expect(await running.take("whenIdle")).toBe("error");
  running.isFailing = false;
  expect(await running.take("whenIdle")).toBe("info");
  expect(await running.take("whenIdle")).toBe("debug");
});
