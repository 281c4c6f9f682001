/**
 * Backups, as commands and the kernel see them. Who makes, verifies and brings back is the kernel's (kernel/backups.ts);
 * what a backup is, src/backup says.
 */

/** How far a backup is looked at. Each one tells what the one before cannot. */
export const BACKUP_LEVELS = ["none", "checksum", "restore"] as const;

/**
 * - `checksum`: every byte is the one that was written, and can be unpacked
 * - `restore`: it was loaded into a second engine, which has the same content
 */
export type BackupLevel = (typeof BACKUP_LEVELS)[number];

export interface BackupControl {
  /** Why there can be none; empty: there can. */
  readonly obstacle: string;
  readonly status: BackupStatus;
  /** Lists them if nobody has yet, so that `status` knows which there are. */
  see(): Promise<void>;
  /** Makes one and, unless the level is `none`, verifies it. Default: the configured level. */
  start(level?: BackupLevel): Promise<MadeBackup>;
  /** From the oldest to the newest. */
  list(): Promise<readonly ListedBackup[]>;
  /** Rejects when no backup has the name; a damaged one is a result. */
  verify(name: string, level: BackupLevel): Promise<BackupVerification>;
  /** Replaces all data. Rejects with the data as it was. */
  restore(name: string, options: { readonly isForced: boolean }): Promise<RestoredBackup>;
  remove(name: string): Promise<void>;
}

export interface BackupVerification {
  readonly level: BackupLevel;
  readonly result: "ok" | "failed";
  /** When it ended, in milliseconds since 1970. */
  readonly timeMs: number;
  readonly durationMs: number;
  /** What is wrong, when it failed. */
  readonly problem?: string;
  /** Of level `restore`: what DEBUG DIGEST answered on the data. */
  readonly debugDigest?: string;
}

export interface MadeBackup {
  readonly name: string;
  /** Where it lies: a path, or an s3:// URL. */
  readonly path: string;
  readonly revision: number;
  readonly keys: number;
  readonly bytes: number;
  /** Undefined: nobody wanted to know. */
  readonly verification: BackupVerification | undefined;
}

export interface ListedBackup {
  readonly name: string;
  /** When its image was taken, in milliseconds since 1970. */
  readonly timeMs: number;
  readonly revision: number;
  /** Undefined: it is too damaged to say. */
  readonly keys: number | undefined;
  readonly bytes: number;
  /** The last one; undefined: none yet. */
  readonly verification: BackupVerification | undefined;
}

export interface RestoredBackup {
  readonly name: string;
  /** Which the data goes on from. */
  readonly revision: number;
  readonly keys: number;
  readonly digest: string;
}

export interface ExistingBackups {
  readonly count: number;
  /** Of the newest backup, and of the newest one that was verified; 0: there is none. None is from the future. */
  readonly newestMs: number;
  readonly newestVerifiedMs: number;
}

export type BackupStage = "idle" | "waiting" | "writing" | "verifying" | "restoring" | "removing";

export interface BackupStatus {
  readonly stage: BackupStage;
  /** Of the stage, between 0 and 1; undefined: nobody knows. */
  readonly share: number | undefined;
  /** When the work in hand began, in milliseconds since 1970. */
  readonly startedMs: number;
  /** The last that was asked for, by hand or by schedule. Undefined: none since the start. */
  readonly last:
    | { readonly timeMs: number; readonly name: string; readonly problem: string }
    | undefined;
  /** As they were listed last; undefined: not yet. */
  readonly existing: ExistingBackups | undefined;
  /** By the schedule; 0: there is none. */
  readonly nextMs: number;
  /** Times of the schedule at which there was none. */
  readonly missed: number;
}
