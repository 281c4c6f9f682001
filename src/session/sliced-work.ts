/**
 * Work of a command that is too long for one turn of the event loop: done in slices between which everybody else runs. The
 * command answers later (later-reply.ts), or where nobody can wait does all of it at once.
 */

export interface SlicedWork {
  /** It changes memory: it rests while a snapshot cannot keep pace. */
  readonly changesMemory: boolean;
  /** Nothing is left of it but its answer: it ends when nobody waits for that any more. */
  readonly isForAnswer?: boolean;
  /** Does some of it, until `exhausted` says that the slice is over; true when all is done. Must not throw. */
  step(exhausted: () => boolean): boolean;
}

export interface Slices {
  /** Those that are under way take turns. */
  begin(work: SlicedWork): void;
}

/** All of it at once. */
export function runWhole(work: SlicedWork): void {
  while (!work.step(never));
}

const never = () => false;
