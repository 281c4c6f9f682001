/**
 * What the log says of checkpoints. A small store that is written to much takes one by itself every other second, and a
 * line each would bury everything else: so of those that come by themselves one a minute is told, and each that took long
 * or follows a failure; the others at level `debug`.
 */
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { CheckpointReport } from "../plugin.ts";

const QUIET_MS = 60_000;
const SLOW_MS = 1000;

export class CheckpointLog {
  readonly #log: Log;
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** When one was told last; undefined: the next one is news. */
  #toldMs: number | undefined;

  constructor(log: Log, clock: Pick<Clock, "monotonicMs">) {
    this.#log = log;
    this.#clock = clock;
  }

  written(reason: string, report: CheckpointReport, isAutomatic: boolean): void {
    const { revision, entries, bytes, durationMs } = report;
    const fields = { reason, revision, entries, bytes, ms: durationMs };
    const nowMs = this.#clock.monotonicMs();
    const isNews = this.#toldMs === undefined || nowMs - this.#toldMs >= QUIET_MS;
    if (isAutomatic && !isNews && durationMs < SLOW_MS) {
      this.#log.debug("checkpoint written", fields);
      return;
    }
    this.#toldMs = nowMs;
    this.#log.info("checkpoint written", fields);
  }

  failed(reason: string, error: Error): void {
    this.#toldMs = undefined;
    const fields = { reason, error: error.message };
    this.#log.error("no checkpoint was written; the one before counts", fields);
  }

  cancelled(reason: string): void {
    this.#log.info("a checkpoint was cancelled", { reason });
  }
}
