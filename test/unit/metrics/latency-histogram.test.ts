import { expect, test } from "bun:test";
import { LatencyHistogram } from "../../../src/commands/latency-histogram.ts";
import { seededRandom } from "../../../src/platform/random.ts";

test("percentiles are right to 3 % of what a sorted list says", () => {
  const random = seededRandom(7);
  const histogram = new LatencyHistogram();
  const durations: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const usec = 2 ** (random.below(19_000) / 1000) / 2;
    durations.push(usec);
    histogram.add(usec, 1);
  }
  durations.sort((a, b) => a - b);
  for (const percentile of [0, 1, 25, 50, 90, 99, 99.9, 100]) {
    const index = Math.max(1, Math.ceil((percentile / 100) * durations.length)) - 1;
    const exact = durations[index] as number;
    const shown = histogram.percentile(percentile);
    expect(shown).toBeGreaterThanOrEqual(exact * 0.999);
    expect(shown).toBeLessThanOrEqual(exact * 1.035);
  }
});

test("counts below each doubling add up, whatever a call stands for", () => {
  const histogram = new LatencyHistogram();
  for (const [usec, count] of [
    [0, 3],
    [1.023, 1],
    [1.024, 2],
    [600_000, 5],
    [5e9, 1],
  ] as const) {
    histogram.add(usec, count);
  }
  expect(histogram.byDoubling()).toEqual([
    [1, 4],
    [2, 6],
    [1_082_130, 12],
  ]);
  expect(histogram.count).toBe(12);
  expect(histogram.percentile(100)).toBe(1_006_632.959);
});

test("an empty one", () => {
  const histogram = new LatencyHistogram();
  expect(histogram.percentile(50)).toBe(0);
  expect(histogram.byDoubling()).toEqual([]);
});
