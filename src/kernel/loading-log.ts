/** How far a load is, in the log: a line every few seconds, for who reads it later, or from far away. */
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { loadingProgress } from "../shell/loading-text.ts";
import type { LoadingView } from "./loading.ts";

/** Often enough to see that it goes on, seldom enough that an hour of it is no flood. */
const INTERVAL_MS = 5_000;

export class LoadingLog implements LoadingView {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #begunMs: number;
  #toldMs: number;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#begunMs = clock.monotonicMs();
    this.#toldMs = this.#begunMs;
  }

  progress(done: number, total: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs < INTERVAL_MS || total === 0) return;
    this.#toldMs = nowMs;
    const { share, restMs } = loadingProgress(done, total, nowMs - this.#begunMs);
    this.#log.info("loading", {
      percent: Math.floor(100 * share),
      bytes: done,
      of: total,
      secondsLeft: restMs && Math.ceil(restMs / 1000),
    });
  }

  indexing(share: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs < INTERVAL_MS) return;
    this.#toldMs = nowMs;
    this.#log.info("making indexes", { percent: Math.floor(100 * share) });
  }

  /** That it is ready is a line of its own. */
  end(): void {}
}
