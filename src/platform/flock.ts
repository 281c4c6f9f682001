/**
 * The one system call that node:fs lacks and the folder lock needs: flock(2), through bun:ffi. A
 * lock belongs to an open file, so a second open in the same process is refused like one of another
 * process, and the kernel releases it when the process ends in any way, kill -9 included. Opening
 * the library costs 0.3 ms, once.
 */
import { dlopen, FFIType } from "bun:ffi";

/** `unavailable`: there is no such call here (another platform, or ffi is switched off). */
export type LockResult = "taken" | "held" | "unavailable";

/** flock(2): LOCK_EX | LOCK_NB, the same numbers on Linux, macOS and the BSDs. */
const EXCLUSIVE_WITHOUT_WAITING = 2 | 4;
/** flock(2): LOCK_UN. */
const UNLOCK = 8;

/** The second name on Linux is musl's (Alpine); it holds the processor's name. */
const libraryNames: Readonly<Record<string, readonly string[]>> = {
  linux: ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`],
  darwin: ["libSystem.B.dylib"],
};

type Flock = (descriptor: number, operation: number) => number;

/** undefined: not looked for yet; null: there is none. */
let flock: Flock | null | undefined;

/** Takes an exclusive lock on an open file, or says why not; never waits. */
export function lockDescriptor(descriptor: number): LockResult {
  if (flock === undefined) flock = findFlock();
  if (flock === null) return "unavailable";
  // errno is not to be had through bun:ffi; for a good descriptor the only usual failure is
  // EWOULDBLOCK.
  return flock(descriptor, EXCLUSIVE_WITHOUT_WAITING) === 0 ? "taken" : "held";
}

/**
 * Releases at once. Closing alone is not enough: a child that was forked and has not yet become
 * another program still holds a copy of the descriptor for a moment.
 */
export function unlockDescriptor(descriptor: number): void {
  flock?.(descriptor, UNLOCK);
}

function findFlock(): Flock | null {
  for (const name of libraryNames[process.platform] ?? []) {
    const found = openFlock(name);
    if (found !== null) return found;
  }
  return null;
}

function openFlock(name: string): Flock | null {
  const symbols = { flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 } } as const;
  try {
    return dlopen(name, symbols).symbols.flock;
  } catch {
    // No library of this name, or no ffi at all: without any, the fallback of folder-lock.ts.
    return null;
  }
}
