/**
 * Asks for saves when the rules say so, and again after one has failed, with growing pauses. It
 * looks once a second, as Redis does: nobody tells it of changes. Nothing comes of it after `stop`.
 */
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { CheckpointReport } from "../plugin.ts";
import type { SaveRule } from "./save-rules.ts";

const LOOK_MS = 1000;
/** Redis's pause after a save that failed; doubled each time, up to the longest. */
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 300_000;

export interface ScheduleOptions {
  readonly rules: readonly SaveRule[];
  readonly clock: Clock;
  readonly log: Log;
  unsavedChanges(): number;
  requestCheckpoint(reason: string): Promise<CheckpointReport>;
}

export class SaveSchedule {
  readonly #options: ScheduleOptions;
  #rules: readonly SaveRule[];
  #isStarted = false;
  #timer: { cancel(): void } | undefined;
  #isSaving = false;
  #failures = 0;
  /** Not before, in the clock's monotonic milliseconds. */
  #retryMs = 0;
  #savedMs = 0;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#rules = options.rules;
  }

  get rules(): readonly SaveRule[] {
    return this.#rules;
  }

  set rules(rules: readonly SaveRule[]) {
    this.#rules = rules;
    this.#lookLater();
  }

  get failures(): number {
    return this.#failures;
  }

  /** Begins to look. */
  start(): void {
    this.#isStarted = true;
    this.saved();
    this.#lookLater();
  }

  /** Whoever asked for it. */
  saved(): void {
    this.#savedMs = this.#options.clock.monotonicMs();
    this.#failures = 0;
  }

  stop(): void {
    this.#isStarted = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Without rules there is nothing to look for. */
  #lookLater(): void {
    if (!this.#isStarted || this.#rules.length === 0 || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.after(LOOK_MS, () => {
      this.#timer = undefined;
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#isSaving || (this.#failures > 0 && nowMs < this.#retryMs)) return;
    const reason = this.#reason(nowMs);
    if (reason !== undefined) void this.#save(reason);
  }

  #reason(nowMs: number): string | undefined {
    const seconds = (nowMs - this.#savedMs) / 1000;
    const changes = this.#options.unsavedChanges();
    const rule = this.#rules.find((one) => seconds >= one.seconds && changes >= one.changes);
    return rule && `${changes} changes in ${Math.floor(seconds)} seconds`;
  }

  async #save(reason: string): Promise<void> {
    this.#isSaving = true;
    try {
      await this.#options.requestCheckpoint(reason);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isSaving = false;
    }
  }

  #failed(error: unknown): void {
    if (!this.#isStarted) return; // it is the stop that ended it
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures++;
    this.#retryMs = this.#options.clock.monotonicMs() + pauseMs;
    const reason = error instanceof Error ? error.message : String(error);
    const fields = { inSeconds: pauseMs / 1000, error: reason };
    this.#options.log.warn("saving failed and is tried again", fields);
  }
}
