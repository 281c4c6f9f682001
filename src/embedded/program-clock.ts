/**
 * The clock of a program's database: the system's, but its timers do not keep the process alive. A
 * program that forgets to close its database ends nevertheless, and what it wrote is written: only
 * while somebody waits, for opening, closing or a write, is the process held.
 */
import { type Clock, startTimer, systemClock, type Timer } from "../platform/clock.ts";

/** The longest that setInterval takes; whether it ever fires does not matter. */
const HOLD_INTERVAL_MS = 2 ** 31 - 1;

export class ProgramClock implements Clock {
  #waiting = 0;
  /** Holds the process while it is referenced. */
  readonly #hold = setInterval(() => {}, HOLD_INTERVAL_MS).unref();

  now(): number {
    return systemClock.now();
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  after(delayMs: number, run: () => void): Timer {
    return startTimer(delayMs, run, true);
  }

  /** Waits for something; the process does not end meanwhile. */
  async waitFor<Result>(promise: Promise<Result>): Promise<Result> {
    if (this.#waiting++ === 0) this.#hold.ref();
    try {
      return await promise;
    } finally {
      if (--this.#waiting === 0) this.#hold.unref();
    }
  }

  /** Nothing is left to wait for. */
  end(): void {
    clearInterval(this.#hold);
  }
}
