/** What is remembered of the checkpoints of each kind: the last one, how long it took, why it failed. */
import type { Clock } from "../platform/clock.ts";
import type { CheckpointKind, CheckpointReport, Revision } from "../plugin.ts";
import type { CheckpointState, LastCheckpoint } from "../session/server.ts";

/** Without what only the present tells. */
export type PastCheckpoints = Omit<CheckpointState, "inProgress" | "changes">;

export class CheckpointHistory {
  readonly #clock: Clock;
  readonly #kinds: Readonly<Record<CheckpointKind, KindState>>;

  constructor(clock: Clock) {
    this.#clock = clock;
    const last = { revision: 0, timeMs: clock.now(), bytes: 0, entries: 0 };
    this.#kinds = { compact: newState(last), save: newState(last) };
  }

  of(kind: CheckpointKind): PastCheckpoints {
    return this.#kinds[kind];
  }

  /** What was loaded is what the last checkpoint and the records behind it said. */
  loaded(revision: Revision): void {
    const timeMs = this.#clock.now();
    for (const state of Object.values(this.#kinds)) {
      state.last = { ...state.last, revision, timeMs };
    }
  }

  began(kind: CheckpointKind): void {
    this.#kinds[kind].startedMs = this.#clock.now();
  }

  succeeded({ kind, revision, entries, bytes, durationMs }: CheckpointReport): void {
    const state = this.#kinds[kind];
    state.last = { revision, entries, bytes, timeMs: this.#clock.now() };
    state.lastDurationMs = durationMs;
    state.failure = null;
    state.count++;
  }

  /** `failure`: null where it was given up, which is none. */
  ended(kind: CheckpointKind, durationMs: number, failure: Error | null): void {
    const state = this.#kinds[kind];
    state.lastDurationMs = durationMs;
    if (failure !== null) state.failure = failure;
  }
}

type KindState = { -readonly [Name in keyof PastCheckpoints]: PastCheckpoints[Name] };

function newState(last: LastCheckpoint): KindState {
  return { startedMs: 0, last, lastDurationMs: 0, failure: null, count: 0 };
}
