/**
 * One wish to stop that comes in two signals: timeout(1) tells the process and then its group, a runner of several programs tells
 * those that Ctrl-C has told already. Whoever ends at once at a second signal would lose what is done at the stop alone: the
 * save of a state, the removal of a file that was begun.
 */
import type { Clock } from "../platform/clock.ts";

/** Nobody is impatient so soon. */
const ECHO_MS = 250;

export class StopEcho {
  readonly #clock: Clock;
  #heardMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A wish was heard. */
  note(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  /** Whether a signal that comes now is that wish once more, as long as it has not been called off. */
  get isAround(): boolean {
    return this.#clock.monotonicMs() - this.#heardMs < ECHO_MS;
  }
}
