/**
 * How long syncs take, for DURABILITY STATUS and the benches: a histogram in microseconds since the start or CONFIG
 * RESETSTAT, and when the last one succeeded.
 */
import { createHistogram } from "node:perf_hooks";
import type { DiskProgress } from "../session/server.ts";

type Syncs = DiskProgress["syncs"];

export class SyncStatistics implements Syncs {
  #histogram = createHistogram();
  /** Milliseconds since 1970 at the end of the last one that succeeded; 0: none yet. */
  lastMs = 0;
  /** Told of each. */
  onSync: (durationMs: number) => void = () => {};

  add(durationMs: number, nowMs: number): void {
    // A histogram begins at 1.
    this.#histogram.record(Math.max(1, Math.round(durationMs * 1000)));
    this.lastMs = nowMs;
    this.onSync(durationMs);
  }

  reset(): void {
    this.#histogram = createHistogram();
  }

  get times(): Syncs["times"] {
    const histogram = this.#histogram;
    const { count } = histogram;
    const at = (percentile: number) =>
      count === 0 ? undefined : histogram.percentile(percentile) / 1000;
    return {
      count,
      p50: at(50),
      p95: at(95),
      p99: at(99),
      p999: at(99.9),
      longest: count === 0 ? undefined : histogram.max / 1000,
    };
  }
}
