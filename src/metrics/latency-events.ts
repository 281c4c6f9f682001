/**
 * What held commands up, for LATENCY: by event, the longest duration of each second in which it took at least the threshold.
 * Redis's bounds: 160 such seconds for each event. Events are named by code, so there are few.
 *
 *   command, fast-command   a command; those with the flag `fast` apart
 *   expire-cycle            a slice of expiry on time
 *   eviction-cycle          a slice of eviction
 *   aof-fsync-always        a sync of the journal, while replies wait for it; aof-fsync: in the background
 */

const MAX_SAMPLES = 160;

export interface LatencySample {
  /** Seconds since 1970. */
  readonly time: number;
  readonly ms: number;
}

interface Series {
  /** The oldest first. */
  samples: LatencySample[];
  longestMs: number;
}

export class LatencyEvents {
  /** Shorter ones are not kept; 0: nothing is. */
  thresholdMs = 0;
  readonly #series = new Map<string, Series>();
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** It took so long. */
  note(event: string, durationMs: number): void {
    const ms = Math.floor(durationMs);
    if (this.thresholdMs === 0 || ms < this.thresholdMs) return;
    const series = this.#seriesOf(event);
    series.longestMs = Math.max(series.longestMs, ms);
    const time = Math.floor(this.#now() / 1000);
    const last = series.samples.at(-1);
    if (last?.time === time) {
      if (ms > last.ms) series.samples[series.samples.length - 1] = { time, ms };
      return;
    }
    series.samples.push({ time, ms });
    if (series.samples.length > MAX_SAMPLES) series.samples.shift();
  }

  #seriesOf(event: string): Series {
    const found = this.#series.get(event);
    if (found !== undefined) return found;
    const series = { samples: [], longestMs: 0 };
    this.#series.set(event, series);
    return series;
  }

  get events(): readonly string[] {
    return [...this.#series.keys()];
  }

  /** The oldest first; empty for an event that was never seen. */
  samples(event: string): readonly LatencySample[] {
    return this.#series.get(event)?.samples ?? [];
  }

  longestMs(event: string): number {
    return this.#series.get(event)?.longestMs ?? 0;
  }

  /** False: there was nothing of it. */
  forget(event: string): boolean {
    return this.#series.delete(event);
  }
}
