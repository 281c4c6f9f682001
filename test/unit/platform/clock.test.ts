/**
 * The clocks: the fake one moves only by hand and in order; the system's timers can be cancelled.
 */
import { expect, test } from "bun:test";
import { systemClock } from "../../../src/platform/clock.ts";
import { FakeClock } from "../../suites/index.ts";

test("timers run in the order of their deadlines, at their time, also those set on the way", () => {
  const clock = new FakeClock();
  const seen: [string, number][] = [];
  const note = (name: string) => () => void seen.push([name, clock.monotonicMs()]);
  clock.after(30, note("c"));
  clock.after(10, () => {
    note("a")();
    clock.after(5, note("b"));
    clock.after(100, note("late"));
  });
  clock.after(30, note("d"));
  clock.advance(50);
  expect(seen).toEqual([
    ["a", 10],
    ["b", 15],
    ["c", 30],
    ["d", 30],
  ]);
  expect(clock.pendingCount).toBe(1);
});

test("a cancelled timer does not run, also when cancelled by one before it", () => {
  const clock = new FakeClock();
  const seen: string[] = [];
  const second = clock.after(2, () => void seen.push("second"));
  clock.after(1, () => second.cancel());
  clock.advance(10);
  second.cancel();
  expect(seen).toEqual([]);
});

test("the wall clock may jump; durations do not notice", () => {
  const clock = new FakeClock(1000);
  clock.advance(1.5);
  expect([clock.now(), clock.monotonicMs()]).toEqual([1001, 1.5]);
  clock.setWall(5);
  clock.advance(1);
  expect([clock.now(), clock.monotonicMs()]).toEqual([6, 2.5]);
});

test("system clock: integers since 1970, no step back, timers that can be cancelled", async () => {
  expect(Number.isInteger(systemClock.now())).toBe(true);
  const before = systemClock.monotonicMs();
  const seen: string[] = [];
  const cancelled = systemClock.after(0, () => void seen.push("cancelled"));
  cancelled.cancel();
  await new Promise<void>((resolve) => systemClock.after(1, resolve));
  expect(seen).toEqual([]);
  expect(systemClock.monotonicMs()).toBeGreaterThan(before);
});

test("system clock: a timer longer than the system knows waits all the same", async () => {
  const seen: string[] = [];
  const timers = [2 ** 31, 2 ** 40].map((ms) => systemClock.after(ms, () => void seen.push("ran")));
  await new Promise<void>((resolve) => systemClock.after(20, resolve));
  for (const timer of timers) timer.cancel();
  expect(seen).toEqual([]);
});
