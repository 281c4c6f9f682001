/**
 * Lets the event loop have its turn while something long goes on. Awaiting a promise alone does not: what other threads hand in
 * is taken before timers and sockets.
 */
import type { Clock } from "../platform/clock.ts";

/** Nobody notices it. */
const STRETCH_MS = 1;

export class Breathing {
  readonly #clock: Clock;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Whether it is time to `breathe`. */
  get isDue(): boolean {
    return this.#clock.monotonicMs() - this.#sinceMs >= STRETCH_MS;
  }

  async breathe(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.begin();
  }

  /** Something else has happened meanwhile. */
  begin(): void {
    this.#sinceMs = this.#clock.monotonicMs();
  }
}
