/**
 * When backups begin: on time, never two at once, after being down or asleep, over changes of clocks
 * and failures. Then three weeks of schedule and retention together.
 */
import { describe, expect, test } from "bun:test";
import { FolderStorage } from "../../../src/backup/folder-storage.ts";
import { expiredBackups, type KeepRules } from "../../../src/backup/retention.ts";
import { BackupSchedule, type BackupTimes, readBackupTimes } from "../../../src/backup/schedule.ts";
import { KvdbError } from "../../../src/errors.ts";
import { createLog } from "../../../src/platform/log.ts";
import { FakeClock, MemoryDisk } from "../../suites/index.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A schedule over a fake clock, with what it did. */
class Trial {
  readonly clock: FakeClock;
  readonly schedule: BackupSchedule;
  /** When backups were begun. */
  readonly begun: string[] = [];
  logText = "";
  /** What a backup does; by default it is done at once. */
  run: () => Promise<void> = async () => undefined;
  isRunning = false;

  constructor(times: BackupTimes, start: string) {
    this.clock = new FakeClock(Date.parse(start));
    const schedule = readBackupTimes(times, this.clock.now());
    if (schedule === undefined) throw new Error("no times");
    const write = (line: string) => {
      this.logText += line;
    };
    this.schedule = new BackupSchedule({
      times: schedule,
      clock: this.clock,
      log: createLog({ clock: this.clock, level: () => "info", write }),
      run: async () => {
        expect(this.isRunning).toBe(false);
        this.isRunning = true;
        this.begun.push(new Date(this.clock.now()).toISOString());
        try {
          await this.run();
        } finally {
          this.isRunning = false;
        }
      },
    });
  }

  /** Lets time pass minute by minute, and what is answered in between be answered. */
  async pass(byMs: number, stepMs = MINUTE_MS): Promise<void> {
    for (let left = byMs; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(stepMs, left));
      for (let turn = 0; turn < 8; turn++) await Promise.resolve();
    }
  }

  /** A backup that takes so long. */
  takes(ms: number): () => Promise<void> {
    return () => new Promise((resolve) => void this.clock.after(ms, resolve));
  }
}

const NIGHTLY = { schedule: "30 2 * * *", timeZone: "Europe/Zurich" };

describe("on time", () => {
  test("at each time of the expression, and the next one is told", async () => {
    const trial = new Trial({ schedule: "0 */6 * * *", timeZone: "UTC" }, "2026-05-01T05:00Z");
    trial.schedule.start(undefined);
    expect(trial.schedule.nextMs).toBe(Date.parse("2026-05-01T06:00Z"));
    await trial.pass(14 * HOUR_MS);
    expect(trial.begun).toEqual([
      "2026-05-01T06:00:00.000Z",
      "2026-05-01T12:00:00.000Z",
      "2026-05-01T18:00:00.000Z",
    ]);
    expect(trial.schedule.nextMs).toBe(Date.parse("2026-05-02T00:00Z"));
    expect([trial.schedule.missed, trial.logText]).toEqual([0, ""]);
  });

  test("every so many seconds, counted from the last one, over a restart too", async () => {
    const trial = new Trial({ everySeconds: 90 }, "2026-05-01T00:01:00Z");
    trial.schedule.start(Date.parse("2026-05-01T00:00:10Z"));
    await trial.pass(200_000, 1000);
    expect(trial.begun).toEqual(["2026-05-01T00:01:40.000Z", "2026-05-01T00:03:10.000Z"]);
    expect(trial.schedule.missed).toBe(0);
  });

  test("nothing comes after stop, also when a backup was running", async () => {
    const trial = new Trial({ schedule: "* * * * *", timeZone: "UTC" }, "2026-05-01T00:00:30Z");
    trial.run = trial.takes(90_000);
    trial.schedule.start(undefined);
    await trial.pass(MINUTE_MS, 1000);
    trial.schedule.stop();
    await trial.pass(HOUR_MS);
    expect([trial.begun.length, trial.isRunning, trial.clock.pendingCount]).toEqual([1, false, 0]);
    expect(trial.schedule.nextMs).toBeUndefined();
  });
});

describe("over changes of clocks", () => {
  test.each([
    ["2026-03-28T12:00Z", "2026-03-29T01:30:00.000Z", "2026-03-30T00:30:00.000Z"],
    ["2026-10-24T12:00Z", "2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"],
  ])("one a night from %s", async (start, first, second) => {
    const trial = new Trial(NIGHTLY, start);
    trial.schedule.start(undefined);
    await trial.pass(2 * DAY_MS);
    expect(trial.begun).toEqual([first, second]);
    expect(trial.schedule.missed).toBe(0);
  });

  test("started between the time that was left out and the one it was put off to", async () => {
    const trial = new Trial(NIGHTLY, "2026-03-29T01:10Z");
    trial.schedule.start(Date.parse("2026-03-28T01:30Z"));
    await trial.pass(HOUR_MS);
    expect(trial.begun).toEqual(["2026-03-29T01:30:00.000Z"]);
    expect(trial.schedule.missed).toBe(0);
  });

  test("a clock that is set back by days does not stop the backups", async () => {
    const trial = new Trial(NIGHTLY, "2026-05-10T12:00Z");
    trial.schedule.start(undefined);
    await trial.pass(HOUR_MS);
    trial.clock.setWall(Date.parse("2026-05-01T12:00Z"));
    await trial.pass(DAY_MS);
    expect(trial.begun).toEqual(["2026-05-02T00:30:00.000Z"]);
  });

  test("a clock that is adjusted by a moment does not repeat one", async () => {
    const trial = new Trial(NIGHTLY, "2026-05-10T00:00Z");
    trial.schedule.start(undefined);
    await trial.pass(30 * MINUTE_MS);
    expect(trial.begun).toHaveLength(1);
    trial.clock.setWall(Date.parse("2026-05-10T00:29:59.500Z"));
    await trial.pass(HOUR_MS);
    expect(trial.begun).toHaveLength(1);
  });
});

describe("missed", () => {
  test("while it was down: counted, told, and one made soon in place of all", async () => {
    const trial = new Trial(NIGHTLY, "2026-05-05T12:00Z");
    trial.schedule.start(Date.parse("2026-05-01T00:30Z"));
    expect(trial.schedule.missed).toBe(4);
    expect(trial.logText).toContain("missed");
    expect(trial.logText).toContain("count=4");
    await trial.pass(MINUTE_MS, 1000);
    expect(trial.begun).toEqual(["2026-05-05T12:00:10.000Z"]);
    await trial.pass(DAY_MS);
    expect(trial.begun.slice(1)).toEqual(["2026-05-06T00:30:00.000Z"]);
    expect(trial.schedule.missed).toBe(4);
  });

  test("nothing, when there never was a backup, or the last one is on time or of tomorrow", () => {
    for (const last of [
      undefined,
      "2026-05-05T00:30Z",
      "2026-05-05T00:30:04Z",
      "2027-01-01T00:00Z",
    ]) {
      const trial = new Trial(NIGHTLY, "2026-05-05T12:00Z");
      trial.schedule.start(last === undefined ? undefined : Date.parse(last));
      expect(trial.schedule.missed).toBe(0);
      expect(trial.schedule.nextMs).toBe(Date.parse("2026-05-06T00:30Z"));
    }
  });

  test("while the machine slept: one at once, the others counted", async () => {
    const trial = new Trial(NIGHTLY, "2026-05-05T12:00Z");
    trial.schedule.start(undefined);
    trial.clock.setWall(Date.parse("2026-05-08T12:00Z"));
    await trial.pass(2 * MINUTE_MS);
    expect(trial.begun).toEqual(["2026-05-08T12:01:00.000Z"]);
    expect(trial.schedule.missed).toBe(2);
  });

  test("because one took too long: counted, and the next time counts", async () => {
    const trial = new Trial({ schedule: "*/10 * * * *", timeZone: "UTC" }, "2026-05-05T00:05Z");
    trial.run = trial.takes(25 * MINUTE_MS);
    trial.schedule.start(undefined);
    await trial.pass(50 * MINUTE_MS);
    expect(trial.begun).toEqual(["2026-05-05T00:10:00.000Z", "2026-05-05T00:40:00.000Z"]);
    expect(trial.schedule.missed).toBe(2);
    expect(trial.logText).toContain("took so long");
  });

  test("years of minutes are not counted to the end", () => {
    const trial = new Trial({ schedule: "* * * * *", timeZone: "UTC" }, "2026-05-05T00:05Z");
    trial.schedule.start(Date.parse("2020-01-01T00:00Z"));
    expect(trial.schedule.missed).toBe(1000);
    expect(trial.logText).toContain("isMore=true");
  });
});

describe("failing", () => {
  test("is told and tried again, with growing pauses, until it works", async () => {
    const trial = new Trial(NIGHTLY, "2026-05-05T00:00Z");
    let failures = 3;
    trial.run = async () => {
      if (failures-- > 0) throw new KvdbError("UNAVAILABLE", "s3://bucket: no answer");
    };
    trial.schedule.start(undefined);
    await trial.pass(31 * MINUTE_MS);
    expect(trial.schedule.failuresInRow).toBe(2);
    expect(trial.logText).toContain('error="s3://bucket: no answer" nextAttemptInSeconds=60');
    await trial.pass(10 * HOUR_MS);
    expect(trial.begun.map((time) => time.slice(11, 16))).toEqual([
      "00:30",
      "00:31",
      "00:33",
      "00:37",
    ]);
    expect([trial.schedule.failuresInRow, trial.schedule.missed]).toEqual([0, 0]);
  });

  test("at most once an hour after a while, and on time in between", async () => {
    const trial = new Trial(NIGHTLY, "2026-05-05T00:00Z");
    trial.run = async () => {
      throw new KvdbError("IO", "full");
    };
    trial.schedule.start(undefined);
    await trial.pass(2 * DAY_MS);
    expect(trial.begun.length).toBeWithin(45, 60);
    expect(trial.begun).toContain("2026-05-06T00:30:00.000Z");
  });
});

describe("the configuration", () => {
  test("of both ways, whichever comes first", () => {
    const both = { schedule: "0 3 * * *", timeZone: "UTC", everySeconds: 6 * 3600 };
    const next = readBackupTimes(both, 0);
    const after = (text: string) => new Date(next?.(Date.parse(text)) ?? 0).toISOString();
    expect(after("2026-05-01T01:00Z")).toBe("2026-05-01T03:00:00.000Z");
    expect(after("2026-05-01T03:00Z")).toBe("2026-05-01T09:00:00.000Z");
  });

  test("without times there is no schedule", () => {
    expect(readBackupTimes({}, 0)).toBeUndefined();
    // Of the days that retention counts.
    expect(readBackupTimes({ timeZone: "Europe/Zurich" }, 0)).toBeUndefined();
  });

  test.each<[BackupTimes, RegExp]>([
    [{ schedule: "30 2 * *" }, /30 2 \* \*/],
    [{ schedule: "30 2 * * *", timeZone: "Europe/Zuric" }, /Europe\/Zuric/],
    [{ everySeconds: 0 }, /everySeconds/],
    [{ everySeconds: Number.NaN }, /everySeconds/],
  ])("%j is refused", (times, message) => {
    const read = () => readBackupTimes(times, 0);
    expect(read).toThrow(KvdbError);
    expect(read).toThrow(message);
  });
});

/** Schedule, retention and a folder together for three weeks over the end of summer time. */
async function threeWeeks(times: BackupTimes, keep: KeepRules): Promise<string[]> {
  const trial = new Trial(times, "2026-10-12T12:00Z");
  const storage = new FolderStorage(new MemoryDisk().files, "/backups");
  trial.run = async () => {
    const name = new Date(trial.clock.now()).toISOString().replaceAll(":", "-");
    await storage.put(name, Buffer.from("x"));
    const backups = (await storage.list()).map((stored) => ({
      name: stored.name,
      timeMs: Date.parse(stored.name.replace(/T(..)-(..)-/, "T$1:$2:")),
      verification: "passed" as const,
    }));
    const { timeZone } = times;
    const gone = expiredBackups(backups, keep, { timeZone, nowMs: trial.clock.now() });
    for (const { name } of gone) await storage.remove(name);
  };
  trial.schedule.start(undefined);
  for (let hour = 0; hour < 21 * 24; hour++) {
    await trial.pass(HOUR_MS, 5 * MINUTE_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(trial.schedule.missed).toBe(0);
  return (await storage.list()).map(({ name }) => name.slice(0, 16));
}

test("R19: after three weeks the right files remain", async () => {
  const times = { schedule: "0 * * * *", timeZone: "Europe/Zurich" };
  const files = await threeWeeks(times, { hourly: 24, daily: 7, weekly: 3 });
  const hours = Array.from({ length: 24 }, (_, index) => Date.UTC(2026, 10, 2, 12 - index));
  // The last backup of a day is at 23:00 there: 22:00 UTC from 25 October on, 21:00 before.
  const days = [1, 0, -1, -2, -3, -4].map((day) => Date.UTC(2026, 10, day, 22));
  // Weeks end on Sunday: that of 26 October to 1 November is among the days.
  const weeks = [Date.UTC(2026, 9, 25, 22)];
  const expected = [...new Set([...hours, ...days, ...weeks])].sort((one, two) => one - two);
  expect(files).toEqual(
    expected.map((timeMs) => new Date(timeMs).toISOString().slice(0, 16).replaceAll(":", "-")),
  );
});
