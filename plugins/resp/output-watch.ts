/** Whether more output waits for one client than its limit allows, now (hard) or for too long (soft). As in Redis. */
import type { Clock, OutputLimit } from "kvdb";

export class OutputWatch {
  /** Since when there is more than the soft limit, on the monotonic clock; 0: there is not. */
  #overSinceMs = 0;

  /** To be asked whenever there is more, and now and then. The clock is read above the soft limit alone. */
  isOver(bytes: number, limit: OutputLimit, clock: Clock): boolean {
    const { hardBytes, softBytes, softSeconds } = limit;
    if (hardBytes > 0 && bytes >= hardBytes) return true;
    if (softBytes === 0 || bytes < softBytes) {
      this.#overSinceMs = 0;
      return false;
    }
    const nowMs = clock.monotonicMs();
    if (this.#overSinceMs === 0) this.#overSinceMs = nowMs;
    return nowMs - this.#overSinceMs > softSeconds * 1000;
  }
}
