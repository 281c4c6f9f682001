/**
 * What is open, in the order in which it was opened. Closing goes backward, goes on after a
 * failure, is bounded in time and tells every failure. A thing is registered before it opens: its
 * `close` releases also what half an `open` took.
 */
import { asKvdbError, type KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import { withTimeLimit } from "./time-limit.ts";

export interface Closing {
  /** As messages name it: `plugin "wal": closing persistence`. */
  readonly doing: string;
  /**
   * Time that is kept for what closes after it, so that a frontend which hangs leaves the journal
   * its share.
   */
  readonly reservedMs: number;
  close(remainingMs: number): Promise<void>;
  /**
   * Not bounded in time, and what it takes is given to those that close after it: giving up would lose what a user wrote.
   */
  readonly isPatient?: boolean;
}

export class LifeCycle {
  readonly #clock: Clock;
  readonly #open: Closing[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  register(closing: Closing): void {
    this.#open.push(closing);
  }

  /**
   * Closes everything, last opened first, each once. Never rejects; what failed is returned in
   * order.
   */
  async closeAll(limitMs: number): Promise<KvdbError[]> {
    let deadlineMs = this.#clock.monotonicMs() + limitMs;
    const errors: KvdbError[] = [];
    for (let closing = this.#open.pop(); closing !== undefined; closing = this.#open.pop()) {
      const { doing, reservedMs, isPatient = false } = closing;
      const begunMs = this.#clock.monotonicMs();
      const remainingMs = Math.max(0, deadlineMs - begunMs - reservedMs);
      try {
        if (isPatient) await closing.close(remainingMs);
        else await withTimeLimit(this.#clock, remainingMs, async () => closing?.close(remainingMs));
      } catch (error) {
        errors.push(asKvdbError(error).prefix(doing));
      }
      if (isPatient) deadlineMs += this.#clock.monotonicMs() - begunMs;
    }
    return errors;
  }
}
