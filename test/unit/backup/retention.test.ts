/**
 * Which backups go: rules one by one, then random histories against a naive model that thinks in
 * calendars printed by Intl, with a seed.
 */
import { describe, expect, test } from "bun:test";
import {
  expiredBackups,
  type KeepRules,
  type RetainedBackup,
} from "../../../src/backup/retention.ts";
import { KvdbError } from "../../../src/errors.ts";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { seeds } from "../../suites/seeds.ts";

const ZONE = "Europe/Zurich";

/** Later than all histories here. */
const NOW_MS = Date.parse("2040-01-01T00:00Z");
const TIMES = { timeZone: ZONE, nowMs: NOW_MS };

/** Backups at these times; a `!` behind one: failed, a `?`: not verified. */
function history(...times: string[]): RetainedBackup[] {
  return times.map((text) => ({
    name: text,
    timeMs: Date.parse(text.replace(/[!?]$/, "")),
    verification: text.endsWith("!") ? "failed" : text.endsWith("?") ? "none" : "passed",
  }));
}

function kept(backups: RetainedBackup[], rules: KeepRules, timeZone = ZONE): string[] {
  const gone = new Set(
    expiredBackups(backups, rules, { ...TIMES, timeZone }).map(({ name }) => name),
  );
  return backups.map(({ name }) => name).filter((name) => !gone.has(name));
}

describe("slots", () => {
  test("the newest of each of the last days that have one", () => {
    const backups = history(
      "2026-05-01T08:00Z",
      "2026-05-02T08:00Z",
      "2026-05-02T20:00Z",
      // days without any
      "2026-05-20T08:00Z",
      "2026-05-20T21:59Z", // 23:59 there
      "2026-05-20T22:00Z", // the next day there
    );
    expect(kept(backups, { daily: 3 })).toEqual([
      "2026-05-02T20:00Z",
      "2026-05-20T21:59Z",
      "2026-05-20T22:00Z",
    ]);
    expect(kept(backups, { daily: 2 }, "UTC")).toEqual(["2026-05-02T20:00Z", "2026-05-20T22:00Z"]);
  });

  test("weeks begin on Monday, also across a new year", () => {
    const backups = history(
      "2026-12-27T12:00Z", // Sunday
      "2026-12-28T12:00Z", // Monday of week 53
      "2027-01-03T12:00Z", // its Sunday
      "2027-01-04T12:00Z",
    );
    expect(kept(backups, { weekly: 9 })).toEqual([
      "2026-12-27T12:00Z",
      "2027-01-03T12:00Z",
      "2027-01-04T12:00Z",
    ]);
  });

  test("months, and the last whenever they were", () => {
    const backups = history(
      "2026-01-31T22:59Z",
      "2026-01-31T23:00Z", // February there
      "2026-03-01T08:00Z",
      "2026-03-01T08:01Z",
      "2026-03-01T08:02Z",
    );
    expect(kept(backups, { monthly: 2, last: 2 })).toEqual([
      "2026-01-31T23:00Z",
      "2026-03-01T08:01Z",
      "2026-03-01T08:02Z",
    ]);
  });

  test("the hour that comes twice is two hours, the day that has 25 is one", () => {
    const backups = history(
      "2026-10-24T22:30Z", // 00:30
      "2026-10-25T00:20Z", // 02:20 in summer time
      "2026-10-25T00:40Z", // 02:40 in summer time
      "2026-10-25T01:20Z", // 02:20 again
      "2026-10-25T22:30Z", // 23:30, still that day
    );
    expect(kept(backups, { hourly: 3 })).toEqual([
      "2026-10-25T00:40Z",
      "2026-10-25T01:20Z",
      "2026-10-25T22:30Z",
    ]);
    expect(kept(backups, { daily: 5 })).toEqual(["2026-10-25T22:30Z"]);
  });

  test("zones off by half an hour have their own hours", () => {
    const backups = history("2026-05-01T10:20Z", "2026-05-01T10:40Z");
    expect(kept(backups, { hourly: 5 }, "Asia/Kolkata")).toHaveLength(2);
    expect(kept(backups, { hourly: 5 }, "UTC")).toHaveLength(1);
  });
});

describe("verification", () => {
  test("a failed one fills no slot: an older good one of the day stays", () => {
    const backups = history("2026-05-01T08:00Z", "2026-05-02T08:00Z", "2026-05-02T09:00Z!");
    expect(kept(backups, { daily: 1 })).toEqual(["2026-05-02T08:00Z", "2026-05-02T09:00Z!"]);
  });

  test("of the failed ones the newest stays until a newer one has passed", () => {
    const failed = history("2026-05-01T08:00Z!", "2026-05-02T08:00Z!");
    expect(kept(failed, { daily: 9 })).toEqual(["2026-05-02T08:00Z!"]);
    const unknown = [...failed, ...history("2026-05-03T08:00Z?")];
    expect(kept(unknown, { daily: 9 })).toEqual(["2026-05-02T08:00Z!", "2026-05-03T08:00Z?"]);
    const passed = [...failed, ...history("2026-05-03T08:00Z")];
    expect(kept(passed, { daily: 9 })).toEqual(["2026-05-03T08:00Z"]);
  });

  test("a verified one goes before a newer unverified one of its slot", () => {
    const backups = history("2026-05-01T08:00Z", "2026-05-01T09:00Z?", "2026-05-02T08:00Z");
    expect(kept(backups, { daily: 2 })).toEqual(["2026-05-01T08:00Z", "2026-05-02T08:00Z"]);
  });

  test("the newest verified one stays, however old, and so does the newest of all", () => {
    const backups = history("2025-01-01T08:00Z", "2026-05-01T08:00Z?", "2026-05-02T08:00Z?");
    expect(kept(backups, { last: 1 })).toEqual(["2025-01-01T08:00Z", "2026-05-02T08:00Z?"]);
  });
});

test("no rule, nothing goes", () => {
  const backups = history("2026-05-01T08:00Z", "2026-05-02T08:00Z!");
  expect(expiredBackups(backups, {}, TIMES)).toEqual([]);
  expect(expiredBackups(backups, { daily: 0 }, TIMES)).toEqual([]);
  expect(expiredBackups([], { daily: 1 }, TIMES)).toEqual([]);
});

test("one from the future stays, and takes nobody's place", () => {
  const backups = history("2026-05-01T08:00Z", "2026-05-02T08:00Z", "2030-01-01T08:00Z");
  const gone = (now: string) =>
    expiredBackups(backups, { last: 1 }, { ...TIMES, nowMs: Date.parse(now) }).map(
      ({ name }) => name,
    );
  expect(gone("2026-05-02T09:00Z")).toEqual(["2026-05-01T08:00Z"]);
  expect(gone("2030-01-01T09:00Z")).toEqual(["2026-05-01T08:00Z", "2026-05-02T08:00Z"]);
  // A machine that woke up without its clock.
  expect(gone("1970-01-01T00:00Z")).toEqual([]);
});

test("what goes is told from the oldest on", () => {
  const backups = history("2026-05-02T08:00Z", "2026-05-01T08:00Z", "2026-05-03T08:00Z");
  const gone = expiredBackups(backups, { last: 1 }, TIMES);
  expect(gone.map(({ name }) => name)).toEqual(["2026-05-01T08:00Z", "2026-05-02T08:00Z"]);
});

test("a zone that there is not is an error of the configuration", () => {
  const backups = history("2026-05-02T08:00Z");
  const times = { ...TIMES, timeZone: "Europe/Zuric" };
  const run = () => expiredBackups(backups, { daily: 1 }, times);
  expect(run).toThrow(KvdbError);
  expect(run).toThrow(/Europe\/Zuric/);
});

// ---- against a naive model ----

const knownSlots = new Map<string, string>();

function slotOf(timeMs: number, rule: string, zone: string): string {
  const key = `${timeMs} ${rule} ${zone}`;
  const slot = knownSlots.get(key) ?? wallSlot(timeMs, rule, zone);
  knownSlots.set(key, slot);
  return slot;
}

/** The name of the slot as a calendar on the wall would print it. */
function wallSlot(timeMs: number, rule: string, zone: string): string {
  const date = new Date(timeMs);
  const day = date.toLocaleDateString("sv-SE", { timeZone: zone });
  switch (rule) {
    case "hourly": {
      const shown = { timeZone: zone, hour: "numeric", timeZoneName: "longOffset" } as const;
      return `${day} ${date.toLocaleTimeString("en-GB", shown)}`;
    }
    case "daily":
      return day;
    case "weekly": {
      // The Monday of its week, counted on a calendar without zones.
      const midnight = new Date(`${day}T00:00:00Z`);
      const sinceMonday = (midnight.getUTCDay() + 6) % 7;
      return new Date(midnight.getTime() - sinceMonday * 86_400_000).toISOString().slice(0, 10);
    }
    case "monthly":
      return day.slice(0, 7);
    default:
      return String(timeMs);
  }
}

/** Asks of each backup by itself whether there is a reason to keep it. */
function hasReason(backup: RetainedBackup, all: RetainedBackup[], rules: KeepRules, zone: string) {
  const newer = all.filter(({ timeMs }) => timeMs > backup.timeMs);
  const isPassed = (one: RetainedBackup) => one.verification === "passed";
  const isSound = (one: RetainedBackup) => one.verification !== "failed";
  if (!isSound(backup)) return newer.every((one) => one.verification === "none");
  if (!newer.some(isSound)) return true;
  if (isPassed(backup) && !newer.some(isPassed)) return true;
  return Object.entries(rules).some(([rule, count]) => {
    const slot = (one: RetainedBackup) => slotOf(one.timeMs, rule, zone);
    const inSlot = all.filter((one) => isSound(one) && slot(one) === slot(backup));
    const betters = inSlot.filter((one) =>
      isPassed(one) === isPassed(backup) ? one.timeMs > backup.timeMs : isPassed(one),
    );
    const newestOfSlot = Math.max(...inSlot.map(({ timeMs }) => timeMs));
    const newerSlots = new Set(
      all.filter((one) => isSound(one) && one.timeMs > newestOfSlot).map(slot),
    );
    return betters.length === 0 && newerSlots.size < count;
  });
}

const STARTS = ["2026-03-20T00:00Z", "2026-10-20T00:00Z", "2026-12-20T00:00Z", "2024-02-20T00:00Z"];
const ZONES = [ZONE, "UTC", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe"];

function randomHistory(random: Random): RetainedBackup[] {
  let timeMs = Date.parse(STARTS[random.below(STARTS.length)]);
  return Array.from({ length: random.below(60) }, (_, index) => {
    timeMs += 1 + random.below(random.below(10) === 0 ? 5 * 86_400_000 : 2 * 3_600_000);
    const verification = (["passed", "passed", "none", "failed"] as const)[random.below(4)];
    return { name: `b${index}`, timeMs, verification };
  });
}

function randomRules(random: Random): KeepRules {
  const names = ["last", "hourly", "daily", "weekly", "monthly"];
  const chosen = names.filter(() => random.below(2) === 0);
  if (chosen.length === 0) chosen.push("daily");
  return Object.fromEntries(chosen.map((name) => [name, 1 + random.below(8)]));
}

for (const seed of seeds(5)) {
  test(`random histories as in the model, seed ${seed}`, () => {
    const random = seededRandom(seed);
    for (let round = 0; round < 30; round++) {
      const backups = randomHistory(random);
      const rules = randomRules(random);
      const zone = ZONES[random.below(ZONES.length)];
      const expected = backups.filter((one) => hasReason(one, backups, rules, zone));
      const names = expected.map(({ name }) => name);
      expect([round, zone, rules, kept(backups, rules, zone)]).toEqual([round, zone, rules, names]);
    }
  });
}
