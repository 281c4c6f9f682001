/** The key `backup` of a configuration, understood. */
import { join, resolve } from "node:path";
import type { BackupPlace } from "../backup/place.ts";
import type { BackupLevel } from "../session/backup-control.ts";
import type { RawConfig } from "./schema.ts";

export interface BackupConfig {
  readonly place: BackupPlace;
  readonly verify: BackupLevel;
}

/** In the data folder. */
const DEFAULT_FOLDER = "backups";

/** `folder`: what relative paths are relative to; `dir`: of the data. Both absolute. */
export function backupConfig(
  { to, verify }: RawConfig["backup"],
  { folder, dir }: { folder: string; dir: string },
): BackupConfig {
  const path = to === undefined ? join(dir, DEFAULT_FOLDER) : resolve(folder, to);
  return { place: { kind: "folder", path }, verify };
}
