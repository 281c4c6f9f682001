/**
 * What follows from a load that has succeeded: what the log is told of it, and a checkpoint in the
 * place of what is damaged on disk. Not the reading, which is loading.ts, nor how far it is, which
 * is loading-log.ts.
 */
import { asKvdbError } from "../errors.ts";
import type { FolderLock } from "../platform/folder-lock.ts";
import type { Log } from "../platform/log.ts";
import type { OpenPurpose } from "../plugin.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { pathsAmong } from "./config.ts";
import type { Instances } from "./instances.ts";
import type { LoadAccount } from "./loading.ts";
import { version } from "./version.ts";

export interface LoadOutcome {
  readonly account: LoadAccount;
  readonly instances: Pick<Instances, "persistence" | "chosen">;
  readonly log: Log;
}

/** An empty start may be meant; but who changed an option and finds nothing wants to know where it was. */
export function warnOfOtherPlace(outcome: LoadOutcome, { pathsBefore }: FolderLock): void {
  const { entries, report } = outcome.account;
  const { options, plugin } = outcome.instances.chosen;
  const now = pathsAmong(options, plugin.schema);
  const isEmpty = entries === 0 && report.lastRevision === 0;
  if (!isEmpty || pathsBefore === undefined || Bun.deepEquals(now, pathsBefore, true)) return;
  outcome.log.warn("nothing was found here; the last start kept its data elsewhere", pathsBefore);
}

export function tellLoad({ account, instances, log }: LoadOutcome): void {
  const { report, persistence, durationMs } = account;
  const { supports } = instances.persistence;
  // No warning: a crash that lost nothing is what a log is for.
  if (supports.records && !report.clean) log.info("the last stop was not in order");
  for (const { kind, file, offset, bytes, reason, keptIn } of report.dropped) {
    const what = kind === "note" ? "worth knowing" : "not kept";
    log.warn(what, { file, offset, bytes, reason, keptIn });
  }
  log.info(`kvdb ${version} is ready`, {
    persistence,
    records: report.records,
    bytes: report.bytes,
    ms: Math.round(durationMs),
    dropped: report.dropped.length,
  });
}

/**
 * Whether what was left out still lies on disk. Who keeps whole states alone cannot mend a file in
 * `load`: only the next state replaces it. One that was edited by hand is found by every check until
 * then.
 */
export function leavesDamage({ account, instances }: LoadOutcome, purpose: OpenPurpose): boolean {
  const { report, skipped } = account;
  const isRecovery = purpose.kind === "recover";
  const isMended = instances.persistence.supports.records;
  return skipped > 0 || (isRecovery && !isMended && report.dropped.length > 0);
}

/** Without a checkpoint the next start would refuse what is damaged. */
export function replaceDamaged(
  { instances, log }: LoadOutcome,
  checkpoints: Pick<Checkpoints, "request">,
): void {
  const told = "what was damaged is still on disk: the next start needs --recover too";
  if (!instances.persistence.supports.checkpoints) {
    log.warn(told);
    return;
  }
  checkpoints.request("a repair", "beforeEnd").catch((error: unknown) => {
    log.warn(told, { error: asKvdbError(error).message });
  });
}
