/**
 * When to sync in mode always. A sync takes the same time for one record as for a thousand, and the clients whose replies
 * the last one released come back at once, one after the other: a sync that starts with the first of them makes all others
 * wait for the one after it. So it waits for them: until most are back, until nobody has come for a while, or for about as
 * long as two syncs take. A client alone is never waited for.
 *
 * With 50 clients of redis-benchmark this gathers nearly all of them into each sync; without it they fall into two halves
 * that wait for each other's syncs in turn.
 */

/** The last few are not worth the wait of all others: measured best among 0.6, 0.75, 0.9 and all. */
const MOST = 0.9;
/** Nobody came for so long: who is missing does not come. Some ten times what a client on this machine needs. */
const GAP_MS = 0.1;
/** Longest wait: clients that are there pay for those that might come. */
const MAX_WAIT_MS = 1;

export class Gathering {
  /** Clients whose replies wait for the next sync. */
  #waiting = 0;
  /** Those whose replies the running one will release. */
  #syncing = 0;
  #expected = 0;
  #begunMs = 0;
  #maxWaitMs = 0;
  /** When the replies of the last sync had been sent, and when somebody came last since then. */
  #releasedMs = 0;
  #seen = 0;
  #seenMs = 0;

  /** One more client waits. */
  add(): void {
    this.#waiting++;
  }

  begin(nowMs: number): void {
    this.#begunMs = nowMs;
    this.#syncing = this.#waiting;
    this.#waiting = 0;
  }

  /** The sync is over; `release` sends the replies, which takes its own time. */
  end(nowMs: () => number, release: () => void): void {
    this.#maxWaitMs = Math.min(2 * (nowMs() - this.#begunMs), MAX_WAIT_MS);
    release();
    this.#expected = this.#syncing + this.#waiting;
    this.#syncing = 0;
    this.#releasedMs = nowMs();
    this.#seen = this.#waiting;
    this.#seenMs = this.#releasedMs;
  }

  /** Whether to sync now; else ask again soon. */
  isComplete(nowMs: number): boolean {
    if (this.#waiting >= this.#expected * MOST) return true;
    if (this.#waiting > this.#seen) {
      this.#seen = this.#waiting;
      this.#seenMs = nowMs;
    }
    return nowMs - this.#seenMs >= GAP_MS || nowMs - this.#releasedMs >= this.#maxWaitMs;
  }
}
