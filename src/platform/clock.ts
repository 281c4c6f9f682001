/**
 * Time, handed in: whoever needs the time or a timer takes a `Clock`, never `Date` or `setTimeout`,
 * so that a test moves time by hand (test/suites/fake-clock.ts) and nothing sleeps in a test.
 * Wall-clock time may jump, also backward; durations are therefore taken from `monotonicMs` alone.
 */
export interface Clock {
  /** Milliseconds since 1970, an integer. May jump when the system's clock is set. */
  now(): number;
  /** Milliseconds since some fixed moment, with a fraction. Never goes backward. */
  monotonicMs(): number;
  /**
   * Calls `run` once, `delayMs` milliseconds from now or somewhat later. A pending timer keeps the
   * process alive.
   */
  after(delayMs: number, run: () => void): Timer;
}

export interface Timer {
  /** After it `run` is not called any more. Harmless when it has run already. */
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, run) => startTimer(delayMs, run),
};

/** The longest delay that setTimeout knows: a longer one it takes for none at all. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A timer of the system, however long. `isIdle`: it does not keep the process alive. */
export function startTimer(delayMs: number, run: () => void, isIdle = false): Timer {
  let handle: NodeJS.Timeout;
  const start = (leftMs: number) => {
    const next = () => (leftMs > MAX_DELAY_MS ? start(leftMs - MAX_DELAY_MS) : run());
    handle = setTimeout(next, Math.min(leftMs, MAX_DELAY_MS));
    if (isIdle) handle.unref();
  };
  start(delayMs);
  return { cancel: () => clearTimeout(handle) };
}
