/**
 * Where revisions go on after a start, so that none is ever given to two changes. A persistence that keeps each change
 * knows the last one itself, or that some were lost. One that keeps whole states alone does not: what was changed since
 * the last state may have been seen, and is lost with a crash. There the lock file says which revisions were given out,
 * durably before the first one is; what the persistence found says only where they must at least go on.
 */
import { UNCLEAN_GAP } from "../journal/journal.ts";
import type { GivenRevisions } from "../platform/folder-lock.ts";
import type { Dropped, LoadReport, Revision } from "../plugin.ts";
import type { LoadAccount } from "./loading.ts";

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

/** What was found, and what the lock file says beyond that: how the last stop was, and that something was there. */
export function withPast(
  account: LoadAccount,
  { upTo, isComplete }: GivenRevisions,
  folder: string,
): LoadAccount {
  const { report, entries } = account;
  const isMissing = entries === 0 && report.lastRevision === 0 && upTo > 0;
  const found = isMissing ? [...report.dropped, missing(folder, upTo)] : report.dropped;
  return { ...account, report: { ...report, clean: isComplete, dropped: found } };
}

/** No damage: it may be that nothing was ever saved. */
function missing(folder: string, upTo: Revision): Dropped {
  const reason =
    `nothing was found, although changes were made here up to revision ${upTo}: ` +
    "the data is gone or elsewhere, or was never saved";
  return { kind: "note", file: folder, offset: 0, bytes: 0, reason };
}
