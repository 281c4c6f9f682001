/**
 * A clock that moves only when a test says so: no test sleeps, and an hour passes at once. Timers
 * run in the order of their deadlines, those of one deadline in the order they were set, each at
 * the time it asked for.
 */
import type { Clock, Timer } from "../../src/platform/clock.ts";

interface Pending {
  readonly dueMs: number;
  readonly run: () => void;
}

export class FakeClock implements Clock {
  #wallMs: number;
  #elapsedMs = 0;
  #pending: Pending[] = [];

  /** Starts at a fixed moment, so that a failure repeats. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = startMs;
  }

  now(): number {
    return Math.floor(this.#wallMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const timer: Pending = { dueMs: this.#elapsedMs + Math.max(0, delayMs), run };
    this.#pending.push(timer);
    return { cancel: () => this.#drop(timer) };
  }

  /** Timers that wait. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Lets time pass, and runs every timer that falls due, also those set by a timer on the way. */
  advance(byMs: number): void {
    const target = this.#elapsedMs + byMs;
    for (let next = this.#nextDue(target); next !== undefined; next = this.#nextDue(target)) {
      this.#drop(next);
      this.#moveTo(Math.max(next.dueMs, this.#elapsedMs));
      next.run();
    }
    this.#moveTo(target);
  }

  /** Sets the wall clock as an administrator would: durations and timers do not notice. */
  setWall(nowMs: number): void {
    this.#wallMs = nowMs;
  }

  #nextDue(targetMs: number): Pending | undefined {
    let earliest: Pending | undefined;
    for (const timer of this.#pending) {
      if (timer.dueMs > targetMs) continue;
      if (earliest === undefined || timer.dueMs < earliest.dueMs) earliest = timer;
    }
    return earliest;
  }

  #moveTo(elapsedMs: number): void {
    this.#wallMs += elapsedMs - this.#elapsedMs;
    this.#elapsedMs = elapsedMs;
  }

  #drop(timer: Pending): void {
    this.#pending = this.#pending.filter((pending) => pending !== timer);
  }
}
