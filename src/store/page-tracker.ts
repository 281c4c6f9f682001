/**
 * Who must see each page of an arena before it is written: a snapshot in progress, and the audit of the tests. An arena
 * has one `tracker`, or none; a second one that comes along shares its place with the first.
 */

export interface PageTracker {
  /** These pages are about to be written. */
  touch(firstPage: number, lastPage: number): void;
  /** A giant was released: its chunk numbers mean other memory from now on, and the old is not written again. */
  released(firstChunk: number, count: number): void;
  /** The arena is about to start anew in other memory: the old is not written again. */
  reset(): void;
}

interface Tracked {
  tracker: PageTracker | null;
}

class TrackerPair implements PageTracker {
  readonly first: PageTracker;
  readonly second: PageTracker;

  constructor(first: PageTracker, second: PageTracker) {
    this.first = first;
    this.second = second;
  }

  touch(firstPage: number, lastPage: number): void {
    this.first.touch(firstPage, lastPage);
    this.second.touch(firstPage, lastPage);
  }

  released(firstChunk: number, count: number): void {
    this.first.released(firstChunk, count);
    this.second.released(firstChunk, count);
  }

  reset(): void {
    this.first.reset();
    this.second.reset();
  }
}

export function attachTracker(arena: Tracked, tracker: PageTracker): void {
  arena.tracker = arena.tracker === null ? tracker : new TrackerPair(arena.tracker, tracker);
}

/** Harmless when it is not attached. */
export function detachTracker(arena: Tracked, tracker: PageTracker): void {
  arena.tracker = without(arena.tracker, tracker);
}

function without(from: PageTracker | null, tracker: PageTracker): PageTracker | null {
  if (from === tracker) return null;
  if (!(from instanceof TrackerPair)) return from;
  const first = without(from.first, tracker);
  const second = without(from.second, tracker);
  if (first === null || second === null) return first ?? second;
  return first === from.first && second === from.second ? from : new TrackerPair(first, second);
}
