/**
 * When defragmentation goes on, and how much of the time it may take: Redis's settings `activedefrag` and
 * `active-defrag-…`. Above the lower threshold of fragmentation it takes the least share of the time, at the upper one the
 * most; in slices that nobody notices. How it is done is store/defragmentation.ts.
 *
 * It rests while a snapshot is taken, which would have to copy each page that is written, and while data is loaded or
 * replaced. A pass that has begun is ended, also when it is switched off meanwhile.
 */
import type { Clock } from "../platform/clock.ts";
import type { MemoryControl } from "../session/memory-control.ts";
import { Defragmentation } from "../store/defragmentation.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { allocation } from "../store/memory-breakdown.ts";

/** How often it is asked whether there is anything to do. */
const CHECK_MS = 1000;
/** Longest stretch in one turn. */
const SLICE_MS = 1;
/** How soon it goes on after it had to rest. */
const PAUSE_MS = 100;

export interface DefragmenterParts {
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly turns: { begin(): void };
  readonly snapshot: { readonly isTaken: boolean };
  /** Data is loaded or replaced, or somebody wants nothing to change by itself. */
  readonly isResting: () => boolean;
  /** Chunks that went are given back with the next collection. */
  readonly collectGarbage: () => void;
}

export class Defragmenter {
  /** activedefrag. */
  isOn = false;
  /** Fragmentation below which it never begins: active-defrag-ignore-bytes. */
  ignoreBytes = 100 * 1024 * 1024;
  /** Percent of what is in use: active-defrag-threshold-lower and -upper. */
  lowerThreshold = 10;
  upperThreshold = 100;
  /** Percent of the time: active-defrag-cycle-min and -max. */
  leastEffort = 1;
  mostEffort = 25;
  readonly #parts: DefragmenterParts;
  readonly #defragmentation: Defragmentation;
  #isStopped = false;
  #isScheduled = false;
  /** MEMORY PURGE: until nothing more can go back, whatever the thresholds. */
  #isRequested = false;
  #sinceMs = -1;
  #totalMs = 0;

  constructor(parts: DefragmenterParts) {
    this.#parts = parts;
    this.#defragmentation = new Defragmentation(parts.keyspace);
  }

  start(): void {
    this.#goOnAfter(CHECK_MS);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Gives back what can be given back, now. */
  request(): void {
    this.#isRequested = true;
    if (!this.#defragmentation.isRunning) this.#run();
  }

  get progress(): MemoryControl["defragmentation"] {
    const { moved, freedChunks, keptChunks, isRunning } = this.#defragmentation;
    const currentMs = this.#sinceMs < 0 ? 0 : this.#parts.clock.monotonicMs() - this.#sinceMs;
    const effort = isRunning ? this.#effort() : 0;
    const totalMs = this.#totalMs + currentMs;
    return { effort, moved, freedChunks, keptChunks, currentMs, totalMs };
  }

  #goOnAfter(ms: number): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    this.#parts.clock.after(ms, () => {
      this.#isScheduled = false;
      this.#run();
    });
  }

  #run(): void {
    if (this.#isStopped) return;
    const { snapshot, isResting } = this.#parts;
    const isDue = this.#defragmentation.isRunning || this.#isRequested || this.#isNeeded();
    if (!isDue) this.#rest();
    else if (snapshot.isTaken || isResting()) this.#goOnAfter(PAUSE_MS);
    else this.#slice();
  }

  #slice(): void {
    const { clock, turns } = this.#parts;
    turns.begin();
    if (!this.#defragmentation.isRunning && !this.#defragmentation.begin()) {
      this.#rest();
      return;
    }
    if (this.#sinceMs < 0) this.#sinceMs = clock.monotonicMs();
    const endMs = clock.monotonicMs() + SLICE_MS;
    this.#defragmentation.advance(() => clock.monotonicMs() >= endMs);
    this.#goOnAfter(SLICE_MS * (100 / this.#effort() - 1));
  }

  /** Nothing is left to do now. */
  #rest(): void {
    const { clock, collectGarbage } = this.#parts;
    if (this.#sinceMs >= 0) this.#totalMs += clock.monotonicMs() - this.#sinceMs;
    this.#sinceMs = -1;
    if (this.#isRequested) collectGarbage();
    this.#isRequested = false;
    this.#goOnAfter(CHECK_MS);
  }

  #isNeeded(): boolean {
    if (!this.isOn) return false;
    const { active, allocated } = allocation(this.#parts.keyspace.arena);
    return active - allocated > this.ignoreBytes && this.#percentage() > this.lowerThreshold;
  }

  /** What is free of the arena, in percent of what is in use. */
  #percentage(): number {
    const { active, allocated } = allocation(this.#parts.keyspace.arena);
    return (100 * (active - allocated)) / Math.max(1, allocated);
  }

  #effort(): number {
    if (this.#isRequested) return this.mostEffort;
    const above = this.#percentage() - this.lowerThreshold;
    const span = Math.max(1, this.upperThreshold - this.lowerThreshold);
    const share = Math.min(1, Math.max(0, above / span));
    return this.leastEffort + share * (this.mostEffort - this.leastEffort);
  }
}
