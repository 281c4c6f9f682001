/**
 * Memory on huge pages of the system, as far as it has them and gives them on request (transparent_hugepage: "madvise" or
 * "always"). Keys are all over the memory, so without them nearly each look at one costs a walk through the page tables
 * besides. What is bad about them elsewhere is copying 2 MiB for each byte written after a fork; nobody forks here.
 */
import { type Pointer, ptr } from "bun:ffi";
import { libc } from "./libc.ts";

/** MADV_HUGEPAGE of <sys/mman.h>, on Linux. */
const ADVICE = 14;
/** The advice is about whole pages of the system. A multiple of every size that they have. */
const ALIGNMENT = 65_536;

/**
 * Asks for huge pages behind `memory`, which has not been touched yet, but for its edges. Only speed depends on it: a system
 * without them ignores it or says no.
 */
export function preferHugePages(memory: ArrayBufferLike): void {
  if (process.platform !== "linux") return;
  const start = ptr(new Uint8Array(memory));
  const from = Math.ceil(start / ALIGNMENT) * ALIGNMENT;
  const to = Math.floor((start + memory.byteLength) / ALIGNMENT) * ALIGNMENT;
  if (to > from) libc()?.madvise(from as Pointer, to - from, ADVICE);
}
