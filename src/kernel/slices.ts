/**
 * Long work of commands (scans of FIND, building an index) in slices: one a turn, by whoever's turn it is, so that many of
 * them together hold up the others no longer than one.
 */
import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../platform/clock.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { SlicedWork, Slices } from "../session/sliced-work.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { type CurrentSnapshot, SNAPSHOT_PAUSE_MS } from "./current-snapshot.ts";
import type { Turns } from "./turns.ts";

/** Nobody notices it; and far more than a turn itself takes, so that little of the work is lost by cutting it. */
const SLICE_MS = 1;

export interface SlicesParts {
  readonly keyspace: Keyspace;
  readonly journal: Pick<Journal, "commitExpired">;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly snapshot: CurrentSnapshot;
}

export class WorkSlices implements Slices {
  readonly #parts: SlicesParts;
  readonly #works: SlicedWork[] = [];
  #isScheduled = false;
  #isStopped = false;
  /** What changes memory waits. */
  #isResting = false;

  constructor(parts: SlicesParts) {
    this.#parts = parts;
  }

  begin(work: SlicedWork): void {
    this.#works.push(work);
    this.#soon();
  }

  /** What changes memory does not go on until the function that is returned is called. */
  rest(): () => void {
    this.#isResting = true;
    return () => {
      this.#isResting = false;
      if (this.#works.length > 0) this.#soon();
    };
  }

  /** What is under way is left as it is: nobody waits for it any more. */
  stop(): void {
    this.#isStopped = true;
    this.#works.length = 0;
  }

  #soon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atTurnEnd(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    const { keyspace, journal, clock, turns, snapshot } = this.#parts;
    const acceptsChanges = snapshot.acceptsWrites && !this.#isResting;
    const next = this.#works.findIndex((work) => !work.changesMemory || acceptsChanges);
    if (next < 0) {
      if (this.#works.length > 0 && !this.#isResting)
        clock.after(SNAPSHOT_PAUSE_MS, () => this.#soon());
      return;
    }
    const [work] = this.#works.splice(next, 1) as [SlicedWork];
    turns.begin();
    keyspace.nowMs = turns.now();
    keyspace.changes = 0;
    const endMs = clock.monotonicMs() + SLICE_MS;
    const isDone = work.step(() => snapshot.turnIsFull || clock.monotonicMs() >= endMs);
    // Documents may have been found expired on the way.
    journal.commitExpired();
    keyspace.changes = 0;
    if (!isDone && !this.#isStopped) this.#works.push(work);
    if (this.#works.length > 0) this.#soon();
  }
}
