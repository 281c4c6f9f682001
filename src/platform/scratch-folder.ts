/**
 * A folder for files that nobody needs any more when the process ends, in the system's folder for such (TMPDIR, else /tmp):
 * for who has no data folder. It is its owner's alone (0700), has a name that nobody can foresee, and is locked while its
 * process lives: what a process has left that was killed, the next one that makes such a folder removes.
 *
 *   <parent>/kvdb-scratch-<32 hex digits>       locked (flock on the folder itself); without a lock it is stale
 *   <parent>/new-kvdb-scratch-<32 hex digits>   not locked yet, so that nobody takes it for stale
 */
import { join } from "node:path";
import { isOwnFolder, removeFolder, systemFiles } from "./files.ts";

const PREFIX = "kvdb-scratch-";
const files = systemFiles;

/** Where somebody has files for a while. */
export interface WorkFolder {
  readonly path: string;
  /** It is needed no more. */
  close(): Promise<void>;
}

/** One that is there anyhow, and stays. */
export async function lastingFolder(path: string): Promise<WorkFolder> {
  return { path, close: async () => {} };
}

export async function makeScratchFolder(parent: string): Promise<WorkFolder> {
  await removeStale(parent);
  const name = PREFIX + Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
  const path = join(parent, name);
  const unlocked = join(parent, `new-${name}`);
  await files.makeFolder(unlocked);
  const lock = await files.open(unlocked, "read");
  try {
    // Where there are no locks nobody takes a folder for stale.
    lock.lock();
    await files.rename(unlocked, path);
  } catch (error) {
    await lock.close();
    await removeFolder(unlocked);
    throw error;
  }
  return {
    path,
    close: async () => {
      try {
        await removeWhole(path);
      } finally {
        await lock.close();
      }
    },
  };
}

async function removeStale(parent: string): Promise<void> {
  for (const name of await files.list(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(parent, name);
    // Others may write in the parent: theirs, and what only leads elsewhere, is not touched. What cannot be removed is in
    // nobody's way, or somebody else removes it just now.
    await Promise.allSettled([removeOwn(path)]);
  }
}

async function removeOwn(path: string): Promise<void> {
  if (!(await isOwnFolder(path))) return;
  const folder = await files.open(path, "read");
  try {
    if (folder.lock() === "taken") await removeWhole(path);
  } finally {
    await folder.close();
  }
}

async function removeWhole(path: string): Promise<void> {
  for (const name of await files.list(path)) await files.remove(join(path, name));
  await removeFolder(path);
}
