/**
 * Asks for a checkpoint when the log has grown, or when it is time: that is how the log is
 * compacted, in the background. It decides when and nothing else; what a checkpoint lets go is the
 * persistence's. The invariant: one request at a time, a pause after each, and nothing once `stop`
 * was called.
 */
import { KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { CheckpointReport } from "../plugin.ts";
import type { CompactionLimits } from "./compaction-options.ts";

/** At least this long nothing is asked for, and at most a tenth of the time is spent on it. */
const SHORTEST_PAUSE_MS = 2000;
const PAUSE_PER_DURATION = 10;
/**
 * A small store that is overwritten all the time must not be compacted all the time: it costs a
 * core some percent, and a start reads a log of 64 MiB in less than a second. So while much is being
 * written (so many bytes between two looks) and until the log is so long, growth is no reason before
 * this time has passed. When the writers rest the log is soon small.
 */
const BUSY_BYTES = 512 * 1024;
const BUSY_LOOK_MS = 1000;
const CALM_BYTES = 64 * 1024 * 1024;
const CALM_MS = 30_000;
/** After failures the pause doubles up to this: a disk that is full for a day is asked now and then. */
const LONGEST_RETRY_MS = 10 * 60 * 1000;
/** So long a timer runs at most: a clock that was set, or a night in which the machine slept. */
const LONGEST_TIMER_MS = 60 * 60 * 1000;

/** The log since the last checkpoint, as it is now. */
export interface CompactedLog {
  /** On disk, zeros written ahead included: they take room as well. */
  logBytes(): number;
  checkpointBytes(): number;
  /** Whether there is any record in it. */
  hasChanged(): boolean;
}

export interface CompactionContext {
  readonly limits: CompactionLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly state: CompactedLog;
  requestCheckpoint(reason: string): Promise<CheckpointReport>;
}

export class Compaction {
  readonly #context: CompactionContext;
  #state: "stopped" | "waiting" | "asking" = "stopped";
  /** Before it nothing is asked for. */
  #notBeforeMs = 0;
  /** The timer that runs ends the pause: until then there is nothing to look at. */
  #isPausing = false;
  /** Until then growth is no reason while the log is short and much is written. */
  #calmUntilMs = 0;
  /** It is so: the timer that runs looks whether it still is. */
  #isCalm = false;
  /** The log at the last look. */
  #seenBytes = 0;
  /** When everySeconds falls due, monotonic; when the schedule does, since 1970. */
  #dueMs = Number.POSITIVE_INFINITY;
  #scheduledMs = Number.POSITIVE_INFINITY;
  #timer: { cancel(): void } | undefined;
  #failuresInRow = 0;
  #count = 0;

  constructor(context: CompactionContext) {
    this.#context = context;
  }

  get counters(): { readonly count: number; readonly failuresInRow: number } {
    return { count: this.#count, failuresInRow: this.#failuresInRow };
  }

  /** The log is there and is being written from now on. */
  start(): void {
    this.#state = "waiting";
    this.#begin(this.#context.clock.monotonicMs());
    // It may be long already; and who runs one command after the other is never there for a timer.
    if (this.#isLong()) this.#look();
  }

  stop(): void {
    this.#state = "stopped";
    this.#timer?.cancel();
  }

  /** The log has grown. Costs next to nothing while it is short. */
  grown(): void {
    if (this.#state !== "waiting" || this.#isPausing) return;
    if (this.#isCalm ? !this.#isShort() : this.#isLong()) this.#look();
  }

  /** A checkpoint was written, whoever asked for it. */
  checkpointed(durationMs: number): void {
    const nowMs = this.#context.clock.monotonicMs();
    this.#notBeforeMs = nowMs + Math.max(SHORTEST_PAUSE_MS, PAUSE_PER_DURATION * durationMs);
    this.#calmUntilMs = nowMs + CALM_MS;
    this.#seenBytes = 0;
    this.#failuresInRow = 0;
    this.#begin(nowMs);
  }

  /** The time until the next one by time and by schedule begins. */
  #begin(nowMs: number): void {
    const { limits, clock } = this.#context;
    this.#dueMs = nowMs + (limits.everyMs ?? Number.POSITIVE_INFINITY);
    this.#scheduledMs = limits.schedule?.(clock.now()) ?? Number.POSITIVE_INFINITY;
    if (this.#state !== "waiting") return;
    this.#setTimer(this.#untilDueMs());
    this.#isPausing = false;
    this.#isCalm = false;
  }

  /** Asks if there is a reason and it is not too soon; otherwise sees to it that it looks again. */
  #look(): void {
    const nowMs = this.#context.clock.monotonicMs();
    const mayGrow = this.#mayGrow(nowMs);
    const reason = this.#reason(nowMs, mayGrow);
    const pauseMs = this.#notBeforeMs - nowMs;
    this.#isPausing = reason !== undefined && pauseMs > 0;
    this.#isCalm = reason === undefined && mayGrow;
    if (this.#isPausing) this.#setTimer(pauseMs);
    else if (reason !== undefined) this.#ask(reason);
    else if (this.#isCalm) this.#setTimer(Math.min(this.#untilDueMs(), BUSY_LOOK_MS));
    else this.#setTimer(this.#untilDueMs());
  }

  /** Whether a short log grows so fast that it is left alone for a while. */
  #mayGrow(nowMs: number): boolean {
    const bytes = this.#context.state.logBytes();
    const isBusy = bytes - this.#seenBytes >= BUSY_BYTES;
    this.#seenBytes = bytes;
    return isBusy && this.#isShort() && this.#calmUntilMs > nowMs;
  }

  #reason(nowMs: number, mayGrow: boolean): string | undefined {
    const { clock, limits, state } = this.#context;
    // A log without a record can be too long as well: its header is some bytes.
    if (!mayGrow && this.#isLong() && state.hasChanged()) return "the log has grown";
    if (clock.now() >= this.#scheduledMs) {
      if (state.hasChanged()) return "the schedule says so";
      this.#scheduledMs = limits.schedule?.(clock.now()) ?? Number.POSITIVE_INFINITY;
    }
    if (nowMs >= this.#dueMs) {
      if (state.hasChanged()) return "it is time";
      this.#dueMs = nowMs + (limits.everyMs ?? Number.POSITIVE_INFINITY);
    }
    return undefined;
  }

  #isLong(): boolean {
    const { limits, state } = this.#context;
    return state.logBytes() >= limits.longestLog(state.checkpointBytes());
  }

  #isShort(): boolean {
    const { limits, state } = this.#context;
    return state.logBytes() < Math.min(CALM_BYTES, limits.maxBytes);
  }

  #untilDueMs(): number {
    const { clock } = this.#context;
    return Math.min(this.#dueMs - clock.monotonicMs(), this.#scheduledMs - clock.now());
  }

  #setTimer(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (delayMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#context.clock.after(Math.min(delayMs, LONGEST_TIMER_MS), () => {
      if (this.#state === "waiting") this.#look();
    });
  }

  #ask(reason: string): void {
    this.#state = "asking";
    this.#timer?.cancel();
    this.#context.requestCheckpoint(reason).then(
      () => {
        this.#count++;
        this.#goOn();
      },
      (error: unknown) => this.#failed(error),
    );
  }

  /** Whatever was wrong: everything is as it was, only longer. */
  #failed(error: unknown): void {
    if (this.#state === "stopped") return;
    const { clock, log } = this.#context;
    const pauseMs = Math.min(SHORTEST_PAUSE_MS * 2 ** this.#failuresInRow, LONGEST_RETRY_MS);
    this.#failuresInRow++;
    this.#notBeforeMs = clock.monotonicMs() + pauseMs;
    const fields = { error: String(error), nextAttemptInSeconds: pauseMs / 1000 };
    const isImpossible = error instanceof KvdbError && error.code === "UNAVAILABLE"; // kvdb stops
    log[isImpossible ? "debug" : "warn"]("the log is not compacted and goes on growing", fields);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#state === "stopped") return;
    this.#state = "waiting";
    this.#look();
  }
}
