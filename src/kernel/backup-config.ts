/** The key `backup` of a configuration, understood. */
import { join } from "node:path";
import { type BackupPlace, readPlace } from "../backup/place.ts";
import { expiredBackups, type KeepRules } from "../backup/retention.ts";
import type { S3Options } from "../backup/s3-place.ts";
import { readBackupTimes } from "../backup/schedule.ts";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Schedule } from "../platform/cron-schedule.ts";
import type { BackupLevel } from "../session/backup-control.ts";
import { formatIssue } from "./config-issues.ts";
import type { RawBackup } from "./schema.ts";

export interface BackupConfig {
  /** For people: an absolute path, or an s3:// URL. */
  readonly to: string;
  /** Undefined: there is a problem. Holds secrets. */
  readonly place: BackupPlace | undefined;
  /**
   * Why there is no such place: credentials that are missing, say. It is one for who makes backups, and for nobody else:
   * `kvdb get` needs none.
   */
  readonly problem: string;
  /** As it was written; holds secrets. */
  readonly s3?: S3Options;
  readonly verify: BackupLevel;
  readonly keep: KeepRules;
  readonly schedule?: string;
  readonly timeZone?: string;
  readonly everySeconds?: number;
}

/** In the data folder. */
const DEFAULT_FOLDER = "backups";

/** Where a setting stands, by its JSON Pointer. */
type PlaceOf = (pointer: string) => string;

export interface BackupSurroundings {
  /** Absolute: what relative paths are relative to. */
  readonly folder: string;
  /** Absolute: of the data. */
  readonly dir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function backupConfig(raw: RawBackup, surroundings: BackupSurroundings): BackupConfig {
  const { to, ...rest } = raw;
  const { folder, dir, environment } = surroundings;
  const wanted = to ?? join(dir, DEFAULT_FOLDER);
  try {
    const place = readPlace(wanted, { folder, environment, ...(raw.s3 && { s3: raw.s3 }) });
    return { ...rest, to: place.kind === "folder" ? place.path : wanted, place, problem: "" };
  } catch (error) {
    const { code, message } = asKvdbError(error);
    if (code !== "CONFIG") throw error;
    return { ...rest, to: wanted, place: undefined, problem: message };
  }
}

/** Throws a KvdbError CONFIG when backups have nowhere to go. */
export function requirePlace({ problem }: BackupConfig, placeOf: PlaceOf): void {
  if (problem === "") return;
  const place = placeOf("/backup/to");
  throw new KvdbError("CONFIG", formatIssue({ place, path: "backup.to", message: problem }));
}

/**
 * When backups are made by themselves; undefined: never. Throws a KvdbError CONFIG for what is no time; `placeOf` as the
 * configuration tells where a setting stands.
 */
export function backupTimes(
  backup: BackupConfig,
  nowMs: number,
  placeOf: PlaceOf,
): Schedule | undefined {
  const { schedule, timeZone, everySeconds } = backup;
  try {
    if (timeZone !== undefined) requireTimeZone(timeZone);
    return readBackupTimes(
      {
        ...(schedule !== undefined && { schedule }),
        ...(everySeconds !== undefined && { everySeconds }),
        ...(timeZone !== undefined && { timeZone }),
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
  expiredBackups([one], { daily: 1 }, { timeZone, nowMs: 0 });
}
