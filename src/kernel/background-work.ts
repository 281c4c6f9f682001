/**
 * The engine's work between commands: expiry on time, and freeing what was deleted, both in slices
 * that nobody notices. Both write into pages, so they keep to what a snapshot allows in a turn, and
 * rest while its worker does not keep pace.
 */
import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../platform/clock.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { Statistics } from "../session/server.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { type CurrentSnapshot, SNAPSHOT_PAUSE_MS } from "./current-snapshot.ts";
import type { Turns } from "./turns.ts";

/** How often the wheels are asked what is due: well under the 100 ms that are promised. */
const EXPIRY_INTERVAL_MS = 50;
/** Longest stretch of background work in one turn: others must not notice it. */
const EXPIRY_SLICE_MS = 2;
const REAP_SLICE_MS = 1;
/** Steps of freeing between two looks at the clock: a step is one segment, some 20 µs. */
const STEPS_PER_LOOK = 8;

export interface BackgroundWorkParts {
  readonly keyspace: Keyspace;
  readonly journal: Pick<Journal, "commitExpired">;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly snapshot: CurrentSnapshot;
  readonly statistics: Statistics;
  /** Asked to look at the counters, again and again. */
  readonly rates: { sample(): void };
  /** Is told how long a slice of expiry took. */
  readonly latency: { note(event: string, durationMs: number): void };
}

export class BackgroundWork {
  /** False: keys expire at access alone. */
  activeExpiry = true;
  readonly #parts: BackgroundWorkParts;
  #isStopped = false;
  /** Who wants nothing to change by itself. */
  #resting = 0;
  #reapScheduled = false;

  constructor(parts: BackgroundWorkParts) {
    this.#parts = parts;
    parts.keyspace.onGrave = () => this.#reapSoon();
  }

  /** Begins expiry on time; freeing begins with what is to be freed. */
  start(): void {
    this.#parts.clock.after(EXPIRY_INTERVAL_MS, () => this.#expire());
  }

  /** No key expires by itself any more. */
  stop(): void {
    this.#isStopped = true;
  }

  get isResting(): boolean {
    return this.#resting > 0;
  }

  /** Nothing expires until the function that it returns is called. */
  rest(): () => void {
    this.#resting++;
    return () => this.#resting--;
  }

  #expire(): void {
    if (this.#isStopped) return;
    const { keyspace, journal, clock, turns, snapshot, latency, statistics, rates } = this.#parts;
    rates.sample();
    let done = true;
    const mayExpire = this.activeExpiry && this.#resting === 0 && snapshot.acceptsWrites;
    if (mayExpire && keyspace.hasDeadlines) {
      turns.begin();
      keyspace.nowMs = turns.now();
      const startMs = clock.monotonicMs();
      done = keyspace.expireDue(this.#until(EXPIRY_SLICE_MS, 1));
      journal.commitExpired();
      keyspace.changes = 0;
      const durationMs = clock.monotonicMs() - startMs;
      latency.note("expire-cycle", durationMs);
      statistics.expiryMs += durationMs;
      if (!done) statistics.expirySlicesCut++;
    }
    if (done) clock.after(EXPIRY_INTERVAL_MS, () => this.#expire());
    else atTurnEnd(() => this.#expire());
  }

  #reapSoon(): void {
    if (this.#reapScheduled) return;
    this.#reapScheduled = true;
    atTurnEnd(() => this.#reap());
  }

  #reap(): void {
    const { keyspace, clock, turns, snapshot } = this.#parts;
    this.#reapScheduled = false;
    if (!snapshot.acceptsWrites) {
      // Freeing is writing: who goes on with it fills the memory with copies of pages.
      clock.after(SNAPSHOT_PAUSE_MS, () => this.#reapSoon());
      return;
    }
    turns.begin();
    const exhausted = this.#until(REAP_SLICE_MS, STEPS_PER_LOOK);
    while (!keyspace.reapSlice()) {
      if (exhausted()) {
        this.#reapSoon();
        return;
      }
    }
  }

  /** A test for the end of a slice, or of what a snapshot allows in a turn; it looks at the clock once in `steps` calls. */
  #until(sliceMs: number, steps: number): () => boolean {
    const { clock, snapshot } = this.#parts;
    const end = clock.monotonicMs() + sliceMs;
    let left = steps;
    return () => {
      if (snapshot.turnIsFull) return true;
      if (--left > 0) return false;
      left = steps;
      return clock.monotonicMs() >= end;
    };
  }
}
