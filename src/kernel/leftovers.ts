/**
 * What a crash may have left in a data folder of work that nobody goes on with: the image of a snapshot, a copy for replicas, a
 * copy of a primary, a backup that was being unpacked, a restore that had not come to its switch. Removed by the next start,
 * because it may be as big as the data.
 */
import { join } from "node:path";
import { UNPACKED_NAME } from "../backup/unpacked-backup.ts";
import { UNFINISHED_SUFFIX } from "../platform/atomic-file.ts";
import type { Files } from "../platform/files.ts";
import { removeStaged } from "../platform/staged-files.ts";
import { INCOMING_NAME } from "../replication/copy-file.ts";
import { COPY_NAME } from "../replication/copy-task.ts";
import { PLAN_NAME } from "./restore-plan.ts";
import { IMAGE_NAME } from "./snapshots.ts";

const LEFTOVERS: readonly string[] = [
  ...[IMAGE_NAME, COPY_NAME, UNPACKED_NAME, INCOMING_NAME],
  PLAN_NAME + UNFINISHED_SUFFIX,
];

/**
 * Behind the lock, and behind what is left of a restore's plan: what that one needs is no leftover. `paths`: where the
 * options of the persistence say that its files lie.
 */
export async function removeLeftovers(
  files: Files,
  dir: string,
  paths: readonly string[],
): Promise<void> {
  const there = await files.list(dir);
  for (const name of LEFTOVERS) if (there.includes(name)) await files.remove(join(dir, name));
  await removeStaged(files, dir, paths);
}
