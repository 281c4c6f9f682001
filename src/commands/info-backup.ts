/**
 * INFO's section Backup, for dashboards and alarms: how old the newest backup is, and the newest that is known to restore.
 * Ages are in seconds, -1: there is none.
 */
import type { Server } from "../session/server.ts";

export function aboutBackups({ backups, clock }: Server): Record<string, string | number> {
  const { stage, last, newestMs, newestVerifiedMs, count, nextMs, missed } = backups.status;
  const age = (timeMs: number) => (timeMs === 0 ? -1 : seconds(Math.max(0, clock.now() - timeMs)));
  return {
    backup_in_progress: stage === "idle" ? 0 : 1,
    backup_count: count,
    backup_last_time: seconds(newestMs),
    backup_last_age: age(newestMs),
    backup_last_verified_time: seconds(newestVerifiedMs),
    backup_last_verified_age: age(newestVerifiedMs),
    backup_last_result: last === undefined ? "none" : last.problem === "" ? "ok" : "err",
    backup_missed: missed,
    backup_next_time: seconds(nextMs),
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
