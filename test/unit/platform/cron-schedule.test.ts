/**
 * When a cron expression is due, over the days on which clocks are changed, asked from any moment.
 */
import { describe, expect, test } from "bun:test";
import { KvdbError } from "../../../src/errors.ts";
import { readCronSchedule } from "../../../src/platform/cron-schedule.ts";

const ZONE = "Europe/Zurich";

function times(expression: string, from: string, count: number, zone = ZONE): string[] {
  const fromMs = Date.parse(from);
  const schedule = readCronSchedule(expression, zone, fromMs);
  const found: string[] = [];
  for (let at: number | undefined = fromMs; found.length < count; ) {
    at = schedule(at);
    if (at === undefined) break;
    found.push(`${new Date(at).toISOString().slice(0, 16)}Z`);
  }
  return found;
}

describe("in spring, when 02:00 is followed by 03:00", () => {
  test("a time that is left out comes once, that much later", () => {
    expect(times("30 2 * * *", "2026-03-28T00:00Z", 3)).toEqual([
      "2026-03-28T01:30Z",
      "2026-03-29T01:30Z", // 03:30
      "2026-03-30T00:30Z",
    ]);
  });

  test.each(["2026-03-29T00:59Z", "2026-03-29T01:00Z", "2026-03-29T01:29:59.999Z"])(
    "also for one who asks at %s",
    (from) =>
      expect(times("30 2 * * *", from, 2)).toEqual(["2026-03-29T01:30Z", "2026-03-30T00:30Z"]),
  );

  test("what is due every hour goes on every hour", () => {
    expect(times("15 * * * *", "2026-03-29T00:00Z", 3)).toEqual([
      "2026-03-29T00:15Z",
      "2026-03-29T01:15Z",
      "2026-03-29T02:15Z",
    ]);
  });
});

describe("in autumn, when 02:00 to 03:00 comes twice", () => {
  test("a time that comes twice is taken once", () => {
    const expected = ["2026-10-25T00:30Z", "2026-10-26T01:30Z"];
    expect(times("30 2 * * *", "2026-10-24T12:00Z", 2)).toEqual(expected);
  });

  test.each(["2026-10-25T00:30Z", "2026-10-25T01:10Z", "2026-10-25T01:30Z"])(
    "also for one who asks at %s",
    (from) => expect(times("30 2 * * *", from, 1)).toEqual(["2026-10-26T01:30Z"]),
  );

  test("what is due every hour goes on every hour", () => {
    expect(times("15 * * * *", "2026-10-25T00:00Z", 3)).toEqual([
      "2026-10-25T00:15Z",
      "2026-10-25T01:15Z",
      "2026-10-25T02:15Z",
    ]);
  });
});

test("every minute of a day with and one without a change of clocks", () => {
  for (const [day, minutes] of [
    ["2026-03-28T23:00Z", 23 * 60],
    ["2026-06-30T22:00Z", 24 * 60],
    ["2026-10-24T22:00Z", 25 * 60],
  ] as const) {
    const all = times("* * * * *", day, minutes);
    expect(Date.parse(all.at(-1) ?? "") - Date.parse(day)).toBe(minutes * 60_000);
  }
});

test("a moment that is due is not after itself", () => {
  expect(times("0 3 * * *", "2026-05-01T01:00Z", 1)).toEqual(["2026-05-02T01:00Z"]);
  expect(times("0 3 * * *", "2026-05-01T00:59:59.999Z", 1)).toEqual(["2026-05-01T01:00Z"]);
});

test.each([
  ["* * * *", undefined],
  ["0 3 * * * *", undefined],
  ["99 3 * * *", undefined],
  ["0 3 * * *", "Europe/Zuric"],
  ["0 0 30 2 *", undefined],
])("%j in %p is an error of the configuration that quotes it", (expression, zone) => {
  const read = () => readCronSchedule(expression, zone, 0);
  expect(read).toThrow(KvdbError);
  expect(read).toThrow(expression);
});
