/** The worker's half of backups: makes one of an image, or loads one to see whether it can be brought back. */
import { type FinishedBackup, makeBackup } from "../backup/backup-making.ts";
import { openPlace } from "../backup/place.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import type { Random } from "../platform/random.ts";
import type { EntryReader } from "../plugin.ts";
import type { BackupVerification } from "../session/backup-control.ts";
import { verifyBackup } from "./backup-loading.ts";
import type { BackupTask, VerificationTask } from "./snapshot-messages.ts";

export interface BackupSurroundings {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  /** With how much is done, between 0 and 1; throws when nobody wants the rest. */
  proceed(share: number): void;
}

export function workBackup(
  entries: EntryReader,
  { place, takenNames, version }: BackupTask,
  surroundings: BackupSurroundings,
): Promise<FinishedBackup> {
  const storage = openPlace(place, surroundings);
  const { proceed } = surroundings;
  return makeBackup({ entries, storage, takenNames, version, proceed });
}

export function workVerification(
  { place, name, level, databases, folder }: VerificationTask,
  surroundings: BackupSurroundings,
): Promise<BackupVerification> {
  const storage = openPlace(place, surroundings);
  const { files, clock, proceed } = surroundings;
  return verifyBackup({ storage, name, level, databases, files, folder, clock, proceed });
}
