/**
 * Whether Redis has kept its data in a folder, by the names that its configuration has by default. Such a folder is not
 * empty, although no kvdb has opened it yet: it is the persistence `aof`'s, which reads what Redis wrote.
 *
 *   dump.rdb                  its snapshot
 *   appendonly.aof            its log, before 7.0
 *   appendonlydir/*.manifest  its log
 */
import { join } from "node:path";
import type { Files } from "./files.ts";

/** Name of the persistence that reads them. */
export const REDIS_PERSISTENCE = "aof";

const FILES = ["dump.rdb", "appendonly.aof"];
const LOG_FOLDER = "appendonlydir";

export async function hasRedisFiles(files: Files, folder: string): Promise<boolean> {
  for (const name of FILES) if (await files.exists(join(folder, name))) return true;
  const logFolder = join(folder, LOG_FOLDER);
  if (!(await files.exists(logFolder))) return false;
  return (await files.list(logFolder)).some((name) => name.endsWith(".manifest"));
}
