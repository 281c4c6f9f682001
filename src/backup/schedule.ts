/**
 * Runs backups when it is time: by a cron expression, or so many seconds after the last one. It
 * decides when and nothing else. The invariant: never two at once, and nothing begins once `stop` was
 * called.
 *
 * What was due and did not happen is counted and told, never hidden: while kvdb was down or asleep
 * (then one backup is made soon, in place of all that were missed), or because the one before took
 * too long (then the next time counts: backups one after the other without a pause would wear down
 * the machine that could not keep up). A backup that failed is tried again, after a minute at first,
 * so that an hour without network does not cost a day's backup.
 */
import { KvdbError } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { readCronSchedule, type Schedule } from "../platform/cron-schedule.ts";
import type { Log } from "../platform/log.ts";

/** After a start, so that the first clients do not share the machine with a backup. */
const CATCH_UP_MS = 10_000;
const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 60 * 60 * 1000;
/** So long a timer runs at most: a clock that was set, or a night in which the machine slept. */
const LONGEST_TIMER_MS = 60_000;
/** A clock that went back further was set, not adjusted: what it showed before is forgotten. */
const ADJUSTMENT_MS = 60_000;
/** Counting goes no further: a year of minutes is no better news than a thousand. */
const MAX_COUNTED = 1000;

/** When backups are made: in one of two ways, in both, or never. */
export interface BackupTimes {
  /** A cron expression. */
  readonly schedule?: string;
  /** Of the schedule, an IANA name; the system's when it is absent. */
  readonly timeZone?: string;
  /** So long after the last one was begun. */
  readonly everySeconds?: number;
}

/** undefined when no backups are to be made by themselves; of both ways, whichever comes first. Throws CONFIG. */
export function readBackupTimes(times: BackupTimes, nowMs: number): Schedule | undefined {
  const { schedule, timeZone, everySeconds } = times;
  const atTimes = schedule === undefined ? undefined : readCronSchedule(schedule, timeZone, nowMs);
  if (everySeconds === undefined) return atTimes;
  if (!(Number.isFinite(everySeconds) && everySeconds > 0)) {
    throw new KvdbError("CONFIG", `everySeconds: ${everySeconds} is no time`);
  }
  return (fromMs) => {
    const behind = fromMs + everySeconds * 1000;
    return Math.min(behind, atTimes?.(fromMs) ?? behind);
  };
}

export interface ScheduleParts {
  readonly times: Schedule;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes one backup. Rejects when there is none. */
  run(): Promise<void>;
}

export class BackupSchedule {
  readonly #parts: ScheduleParts;
  #state: "stopped" | "waiting" | "running" = "stopped";
  #timer: Timer | undefined;
  /** When the next one is due, since 1970. */
  #dueMs = Number.POSITIVE_INFINITY;
  /** When one that failed is tried again, monotonic. */
  #retryMs = Number.POSITIVE_INFINITY;
  #failuresInRow = 0;
  #missed = 0;
  /** The wall clock at the last look. */
  #seenMs = 0;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
  }

  /** When the next backup is due, milliseconds since 1970; undefined when none is. */
  get nextMs(): number | undefined {
    return Number.isFinite(this.#dueMs) ? this.#dueMs : undefined;
  }

  /** Scheduled times since `start`, and before it since the last backup, at which none was begun. */
  get missed(): number {
    return this.#missed;
  }

  get failuresInRow(): number {
    return this.#failuresInRow;
  }

  /** `lastMs`: when the last backup was begun; undefined when there never was one. */
  start(lastMs: number | undefined): void {
    const nowMs = this.#parts.clock.now();
    this.#state = "waiting";
    this.#seenMs = nowMs;
    // A backup from the future says nothing: the clock was wrong, then or now.
    const fromMs = Math.min(lastMs ?? nowMs, nowMs);
    const missed = this.missedSince(fromMs);
    this.#dueMs =
      missed > 0 ? Math.min(nowMs + CATCH_UP_MS, this.#after(nowMs)) : this.#after(fromMs);
    if (missed > 0) this.#report(missed, "scheduled backups were missed, one is made soon");
    this.#wait();
  }

  /** A backup that runs goes on; nothing comes after it. */
  stop(): void {
    this.#state = "stopped";
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#timer?.cancel();
  }

  /** How many scheduled times lie after `lastMs` and not after now; a thousand at most. */
  missedSince(lastMs: number): number {
    const nowMs = this.#parts.clock.now();
    let count = 0;
    for (let at = this.#after(lastMs); at <= nowMs && count < MAX_COUNTED; at = this.#after(at)) {
      count++;
    }
    return count;
  }

  #after(fromMs: number): number {
    return this.#parts.times(fromMs) ?? Number.POSITIVE_INFINITY;
  }

  #wait(): void {
    const { clock } = this.#parts;
    const dueInMs = this.#dueMs - clock.now();
    const retryInMs = this.#retryMs - clock.monotonicMs();
    const delayMs = Math.min(dueInMs, retryInMs, LONGEST_TIMER_MS);
    this.#timer = clock.after(Math.max(0, delayMs), () => this.#look());
  }

  #look(): void {
    const { clock } = this.#parts;
    const nowMs = clock.now();
    if (nowMs < this.#seenMs - ADJUSTMENT_MS) this.#dueMs = this.#after(nowMs);
    this.#seenMs = nowMs;
    if (nowMs >= this.#dueMs) {
      const passed = this.missedSince(this.#dueMs);
      if (passed > 0) this.#report(passed, "scheduled backups were missed, one is made now");
      this.#begin();
    } else if (clock.monotonicMs() >= this.#retryMs) {
      this.#begin();
    } else {
      this.#wait();
    }
  }

  #begin(): void {
    const { clock, run } = this.#parts;
    this.#state = "running";
    this.#retryMs = Number.POSITIVE_INFINITY;
    this.#dueMs = this.#after(clock.now());
    run().then(
      () => this.#ended(undefined),
      (error: unknown) => this.#ended(error),
    );
  }

  #ended(error: unknown): void {
    if (this.#state === "stopped") return;
    this.#state = "waiting";
    if (error === undefined) this.#failuresInRow = 0;
    else this.#failed(error);
    const nowMs = this.#parts.clock.now();
    if (nowMs >= this.#dueMs) {
      const passed = 1 + this.missedSince(this.#dueMs);
      this.#report(passed, "a backup took so long that scheduled ones were missed");
      this.#dueMs = this.#after(nowMs);
    }
    this.#wait();
  }

  #failed(error: unknown): void {
    const { clock, log } = this.#parts;
    const pauseMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failuresInRow, LONGEST_RETRY_MS);
    this.#failuresInRow++;
    this.#retryMs = clock.monotonicMs() + pauseMs;
    const reason = error instanceof Error ? error.message : String(error);
    // The next one that is due may come before it.
    const nextInMs = Math.min(pauseMs, Math.max(0, this.#dueMs - clock.now()));
    const fields = { error: reason, nextAttemptInSeconds: Math.ceil(nextInMs / 1000) };
    log.error("a scheduled backup failed and is tried again", fields);
  }

  #report(count: number, message: string): void {
    this.#missed += count;
    this.#parts.log.warn(message, { count, isMore: count >= MAX_COUNTED ? true : undefined });
  }
}
