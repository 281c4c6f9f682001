/**
 * INFO's section Backup, for dashboards and alarms: how old the newest backup is, and the newest that is known to restore.
 * Ages are in seconds, -1: there is none. Where nobody has listed the backups, as in a single command on the command line,
 * nothing is said of them: a wrong alarm would be.
 */
import type { ExistingBackups } from "../session/backup-control.ts";
import type { Server } from "../session/server.ts";

export function aboutBackups({ backups, clock }: Server): Record<string, string | number> {
  const { stage, last, existing, nextMs, missed } = backups.status;
  return {
    backup_in_progress: stage === "idle" ? 0 : 1,
    ...(existing !== undefined && aboutExisting(existing, clock.now())),
    backup_last_result: last === undefined ? "none" : last.problem === "" ? "ok" : "err",
    backup_missed: missed,
    backup_next_time: seconds(nextMs),
  };
}

function aboutExisting(
  { count, newestMs, newestVerifiedMs }: ExistingBackups,
  nowMs: number,
): Record<string, number> {
  const age = (timeMs: number) => (timeMs === 0 ? -1 : seconds(Math.max(0, nowMs - timeMs)));
  return {
    backup_count: count,
    backup_last_time: seconds(newestMs),
    backup_last_age: age(newestMs),
    backup_last_verified_time: seconds(newestVerifiedMs),
    backup_last_verified_age: age(newestVerifiedMs),
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
