/**
 * The turns of the event loop. One begins with the first command, or the first work in the
 * background, and ends when everything that came has run. What the end does, and in which order,
 * stands in `end`; what a turn may do is asked of current-snapshot.ts.
 *
 * Invariant: the time of turns does not go back behind a checkpoint.
 */
import type { Gate } from "../commands/dispatch.ts";
import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../platform/clock.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { CurrentSnapshot } from "./current-snapshot.ts";
import type { LaterReplies } from "./later-replies.ts";
import type { TurnClock } from "./turn-clock.ts";

/** What has something to do when a turn ends. */
export interface TurnParts {
  readonly clock: Clock;
  readonly turnClock: TurnClock;
  readonly gate: Pick<Gate, "refreshClock" | "serveReady">;
  readonly laterReplies: Pick<LaterReplies, "deliver">;
  readonly journal: Pick<Journal, "endTurn">;
  readonly snapshot: Pick<CurrentSnapshot, "endTurn">;
}

export class Turns {
  readonly #parts: TurnParts;
  #isScheduled = false;
  readonly #acts: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();
  /** The time of the last checkpoint or image. */
  #earliestMs = 0;

  constructor(parts: TurnParts) {
    this.#parts = parts;
  }

  /** Something is about to run: the turn will end. Harmless when it has begun already. */
  begin(): void {
    this.#parts.turnClock.begin();
    this.endSoon();
  }

  /**
   * A checkpoint leaves out what was over at its time. So this time does not come again, also when
   * somebody sets the clock back: a key that was over must not live on in memory and be missing on
   * disk.
   */
  now(): number {
    return Math.max(this.#parts.clock.now(), this.#earliestMs);
  }

  /** A checkpoint is of this time. */
  keepTime(nowMs: number): void {
    this.#earliestMs = nowMs;
  }

  endSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atTurnEnd(() => this.end());
  }

  end(): void {
    const { gate, laterReplies, journal, snapshot, turnClock } = this.#parts;
    this.#isScheduled = false;
    gate.refreshClock();
    gate.serveReady();
    laterReplies.deliver();
    journal.endTurn();
    if (this.#acts.length > 0) for (const act of this.#acts.splice(0)) act();
    snapshot.endTurn();
    for (const listener of this.#listeners) listener();
    turnClock.end();
  }

  /** Calls back once, at the end of a turn, when all that was recorded has been handed over. */
  atEnd(act: () => void): void {
    this.#acts.push(act);
    this.endSoon();
  }

  /** Calls back at the end of each turn. Returns the function that ends the subscription. */
  onEnd(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
