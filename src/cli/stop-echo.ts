/**
 * One wish to stop that comes in two signals: timeout(1) tells the process and then its group, a runner of several programs tells
 * those that Ctrl-C has told already. Whoever ends at once at a second signal would lose what is done at the stop alone: the
 * save of a state, the removal of a file that was begun.
 */
import type { Clock } from "../platform/clock.ts";

/** Nobody is impatient so soon. */
const ECHO_MS = 250;

/** `listener`, without the signals that come within a moment of the one that was passed on before. */
export function withoutEchoes(
  clock: Clock,
  listener: (signal: string) => void,
): (signal: string) => void {
  let passedMs = Number.NEGATIVE_INFINITY;
  return (signal) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - passedMs < ECHO_MS) return;
    passedMs = nowMs;
    listener(signal);
  };
}
