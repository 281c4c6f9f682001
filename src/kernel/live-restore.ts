/**
 * BACKUP RESTORE while kvdb runs. The backup has been verified; it is read once more, beside what is served, and takes the place
 * of that when it is whole (data-replacement.ts).
 */
import { BackupReader } from "../backup/backup-reader.ts";
import { type BackupPlace, openPlace, type PlaceParts } from "../backup/place.ts";
import { asKvdbError } from "../errors.ts";
import type { DataReplacements, ReplacedData } from "./data-replacement.ts";

export interface LiveRestoreOptions {
  readonly replacements: DataReplacements;
  readonly place: BackupPlace;
  readonly parts: PlaceParts;
  readonly name: string;
  /** With how much is done, between 0 and 1; throws when kvdb is to stop. */
  proceed(share: number): void;
}

/** Resolves to what is there then. Rejects with the data as it was, or with kvdb about to stop. */
export async function restoreLive(options: LiveRestoreOptions): Promise<ReplacedData> {
  const { replacements, place, parts, name, proceed } = options;
  const reader = await BackupReader.open(openPlace(place, parts), name);
  const { revision } = reader.manifest;
  await reader.close();
  try {
    return await replacements.replace({
      reason: "a backup was restored",
      source: { kind: "backup", place, name },
      ...{ revision, proceed },
      // It is of here: who has seen a key as it was then knows it again.
      keepsVersions: true,
    });
  } catch (error) {
    throw asKvdbError(error).prefix(`restoring ${name}`);
  }
}
