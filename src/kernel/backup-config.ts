/** The key `backup` of a configuration, understood. */
import { join, resolve } from "node:path";
import type { BackupPlace } from "../backup/place.ts";
import { expiredBackups, type KeepRules } from "../backup/retention.ts";
import { readBackupTimes } from "../backup/schedule.ts";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Schedule } from "../platform/cron-schedule.ts";
import type { BackupLevel } from "../session/backup-control.ts";
import { formatIssue } from "./config-issues.ts";
import type { RawBackup } from "./schema.ts";

export interface BackupConfig {
  readonly place: BackupPlace;
  readonly verify: BackupLevel;
  readonly keep: KeepRules;
  readonly schedule?: string;
  readonly timeZone?: string;
  readonly everySeconds?: number;
}

/** In the data folder. */
const DEFAULT_FOLDER = "backups";

/** `folder`: what relative paths are relative to; `dir`: of the data. Both absolute. */
export function backupConfig(
  { to, ...rest }: RawBackup,
  { folder, dir }: { folder: string; dir: string },
): BackupConfig {
  const path = to === undefined ? join(dir, DEFAULT_FOLDER) : resolve(folder, to);
  return { place: { kind: "folder", path }, ...rest };
}

/**
 * When backups are made by themselves; undefined: never. Throws a KvdbError CONFIG for what is no time; `placeOf` as the
 * configuration tells where a setting stands.
 */
export function backupTimes(
  backup: BackupConfig,
  nowMs: number,
  placeOf: (pointer: string) => string,
): Schedule | undefined {
  const { schedule, timeZone, everySeconds, keep } = backup;
  try {
    if (timeZone !== undefined) requireTimeZone(timeZone);
    // Days have a time zone as well.
    const isOfDays = schedule === undefined && Object.keys(keep).length > 0;
    return readBackupTimes(
      {
        ...(schedule !== undefined && { schedule }),
        ...(everySeconds !== undefined && { everySeconds }),
        ...(timeZone !== undefined && !isOfDays && { timeZone }),
      },
      nowMs,
    );
  } catch (error) {
    const { message } = asKvdbError(error);
    const place = placeOf(schedule === undefined ? "/backup" : "/backup/schedule");
    throw new KvdbError("CONFIG", formatIssue({ place, path: "backup", message }), {
      cause: error,
    });
  }
}

/** Now, and not when it is used in the night. */
function requireTimeZone(timeZone: string): void {
  const one = { name: "", timeMs: 0, verification: "none" } as const;
  expiredBackups([one], { daily: 1 }, timeZone);
}
