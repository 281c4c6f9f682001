/**
 * Where revisions go on after a start, so that none is ever given to two changes. A persistence that keeps each change
 * knows the last one itself, or that some were lost. One that keeps whole states alone does not: what was changed since
 * the last state may have been seen, and is lost with a crash. There the lock file says which revisions were given out,
 * durably before the first one is; what the persistence found says only where they must at least go on.
 */
import { UNCLEAN_GAP } from "../journal/journal.ts";
import type { GivenRevisions } from "../platform/folder-lock.ts";
import type { LoadReport, Revision } from "../plugin.ts";

/** What a load has found, with what is known of revisions beyond that. */
export function goingOn(report: LoadReport, given: GivenRevisions | undefined): LoadReport {
  if (given === undefined) return report;
  const lastRevision = Math.max(report.lastRevision, given.upTo);
  return { ...report, lastRevision, clean: given.isComplete };
}

/** No run before has given out a higher one. */
export function highestGiven(given: GivenRevisions | undefined): Revision {
  if (given === undefined) return 0;
  return given.isComplete ? given.upTo : given.upTo + UNCLEAN_GAP - 1;
}
