/**
 * How long the calls of one command took, as counts by duration: 32 steps to each doubling, so that what is read from it is
 * right to 3 %, from 1 ns to 1 s, which is where everything longer is counted too. 8 KiB, and none for a command that never
 * ran: see TableEntry. Counts may stand for several calls (command-times.ts), so they are no integers of 32 bits.
 *
 *   step  0 … 31    0 ns … 31 ns
 *   step 32 …       a doubling each 32: 32, 33 … 63; 64, 66 … 126; 128, 132 …
 */
import type { LatencyDistribution } from "../session/server.ts";

const STEP_BITS = 5;
const STEPS = 1 << STEP_BITS;
/** Redis's bound: a longer one counts as one second. */
const LONGEST_NS = 1e9;

export class LatencyHistogram implements LatencyDistribution {
  readonly #counts = new Float64Array(stepOf(LONGEST_NS) + 1);
  count = 0;

  add(durationUsec: number, count: number): void {
    const ns = Math.min(Math.max(0, Math.round(durationUsec * 1000)), LONGEST_NS);
    this.#counts[stepOf(ns)] += count;
    this.count += count;
  }

  /** The longest of the shortest `percentile` hundredths, in microseconds. */
  percentile(percentile: number): number {
    const wanted = Math.max(1, (percentile / 100) * this.count);
    let seen = 0;
    for (let step = 0; step < this.#counts.length; step++) {
      seen += this.#counts[step];
      if (seen >= wanted) return highestOf(step) / 1000;
    }
    return this.count === 0 ? 0 : LONGEST_NS / 1000;
  }

  /** Under 1.024 µs, and from there on at each doubling at which there are more: their bound in µs, and how many are below. */
  byDoubling(): (readonly [belowUsec: number, count: number])[] {
    const rows: [number, number][] = [];
    let seen = 0;
    let step = 0;
    for (let boundNs = 1024; seen < this.count; boundNs *= 2) {
      const before = seen;
      const end = Math.min(stepOf(boundNs), this.#counts.length - 1);
      const isLast = boundNs > LONGEST_NS;
      for (; isLast ? step <= end : step < end; step++) seen += this.#counts[step];
      // Redis names each by the highest duration that it does not tell from the bound: 33 for 32.768.
      if (seen > before) rows.push([Math.floor((boundNs + boundNs / 128 - 1) / 1000), seen]);
      if (isLast) break;
    }
    return rows;
  }
}

function stepOf(ns: number): number {
  if (ns < STEPS) return ns;
  const doublings = 31 - Math.clz32(ns) - STEP_BITS;
  return STEPS + (doublings << STEP_BITS) + ((ns >>> doublings) - STEPS);
}

/** The longest duration that is counted in a step. */
function highestOf(step: number): number {
  if (step < 2 * STEPS) return step;
  const doublings = (step >> STEP_BITS) - 1;
  return ((step & (STEPS - 1)) + STEPS + 1) * 2 ** doublings - 1;
}
