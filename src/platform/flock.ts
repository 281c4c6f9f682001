/**
 * The one system call that node:fs lacks and the folder lock needs: flock(2). A lock belongs to an
 * open file, so a second open in the same process is refused like one of another process, and the
 * kernel releases it when the process ends in any way, kill -9 included.
 */
import { libc } from "./libc.ts";

/** `unavailable`: there is no such call here; folder-lock.ts has a fallback. */
export type LockResult = "taken" | "held" | "unavailable";

/** flock(2): LOCK_EX | LOCK_NB, the same numbers on Linux, macOS and the BSDs. */
const EXCLUSIVE_WITHOUT_WAITING = 2 | 4;
/** flock(2): LOCK_UN. */
const UNLOCK = 8;

/** Takes an exclusive lock on an open file, or says why not; never waits. */
export function lockDescriptor(descriptor: number): LockResult {
  const library = libc();
  if (library === null) return "unavailable";
  // errno is not to be had through bun:ffi; for a good descriptor the only usual failure is
  // EWOULDBLOCK.
  return library.flock(descriptor, EXCLUSIVE_WITHOUT_WAITING) === 0 ? "taken" : "held";
}

/**
 * Releases at once. Closing alone is not enough: a child that was forked and has not yet become
 * another program still holds a copy of the descriptor for a moment.
 */
export function unlockDescriptor(descriptor: number): void {
  libc()?.flock(descriptor, UNLOCK);
}
