/**
 * Names of backups: what is in them for a person who looks into the folder, and in order of time when sorted.
 *
 *   kvdb-20261126T033517Z-r42.rdb.zst     when its image was taken, in UTC, and the revision that it has
 *   kvdb-20261126T033517Z-r42.rdb.zst.json   what was found out about it since (verification.ts)
 */
import type { Revision } from "../plugin.ts";

/** Behind the name of the backup. */
const NOTE_SUFFIX = ".json";
const SUFFIX = ".rdb.zst";
const PATTERN = /^kvdb-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-r(\d{1,16})\.rdb\.zst$/;

export interface BackupNameParts {
  /** In milliseconds since 1970, of a whole second. */
  readonly timeMs: number;
  readonly revision: Revision;
}

/** `takenNames`: another backup of this revision in the same second gets the next second that is free. */
export function backupName(
  { timeMs, revision }: BackupNameParts,
  takenNames: ReadonlySet<string> = new Set(),
): string {
  for (let second = Math.floor(timeMs / 1000); ; second++) {
    const time = new Date(second * 1000).toISOString().replace(/[-:]|\.\d+/g, "");
    const name = `kvdb-${time}-r${revision}${SUFFIX}`;
    if (!takenNames.has(name)) return name;
  }
}

/** Undefined: no backup has this name. */
export function readBackupName(name: string): BackupNameParts | undefined {
  const match = PATTERN.exec(name);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, revision = 0] = match
    .slice(1)
    .map(Number);
  const timeMs = Date.UTC(year, month - 1, day, hour, minute, second);
  return Number.isSafeInteger(revision) ? { timeMs, revision } : undefined;
}

export function noteNameOf(backup: string): string {
  return backup + NOTE_SUFFIX;
}

/** What a person types may lack the end, which all of them have. */
export function withSuffix(typed: string): string {
  return typed.endsWith(SUFFIX) ? typed : typed + SUFFIX;
}
