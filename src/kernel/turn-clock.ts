/**
 * The longest turn of the event loop by CPU time, for `INFO debug` and the benches (DESIGN.md:
 * nothing blocks the loop for long). Off until asked for by DEBUG TURN-CLOCK, since two system
 * calls a turn are not free.
 */
import { openThreadClock, type ThreadClock } from "../platform/thread-clock.ts";

export class TurnClock {
  #clock: ThreadClock | null = null;
  #begunUsec = -1;
  longestUsec = 0;

  get enabled(): boolean {
    return this.#clock !== null;
  }

  set enabled(on: boolean) {
    this.#clock = on ? openThreadClock() : null;
    this.#begunUsec = -1;
    this.longestUsec = 0;
  }

  /** Work begins; within a turn that has begun already it changes nothing. */
  begin(): void {
    if (this.#clock !== null && this.#begunUsec < 0) this.#begunUsec = this.#clock.usec();
  }

  end(): void {
    if (this.#clock === null || this.#begunUsec < 0) return;
    this.longestUsec = Math.max(this.longestUsec, this.#clock.usec() - this.#begunUsec);
    this.#begunUsec = -1;
  }
}
