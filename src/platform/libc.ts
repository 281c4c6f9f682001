/**
 * The system calls that node:fs lacks, or that cost too much to reach otherwise, through bun:ffi.
 * Opening the library costs 0.3 ms, once.
 */
import { dlopen, FFIType, type Pointer } from "bun:ffi";

export interface Libc {
  /** 0: done. */
  flock(descriptor: number, operation: number): number;
  /** 1: it is a terminal. */
  isatty(descriptor: number): number;
  /** 0: done; `limits` points to a struct rlimit. */
  getrlimit(resource: number, limits: Pointer): number;
  /** 0: done. Both are multiples of a page of the system. */
  madvise(start: Pointer, bytes: number, advice: number): number;
  /** How many of the `count` structs pollfd at `entries` have something to tell. */
  poll(entries: Pointer, count: number, timeoutMs: number): number;
}

/** The second name on Linux is musl's (Alpine); it holds the processor's name. */
const libraryNames: Readonly<Record<string, readonly string[]>> = {
  linux: ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`],
  darwin: ["libSystem.B.dylib"],
};

const symbols = {
  flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  isatty: { args: [FFIType.i32], returns: FFIType.i32 },
  getrlimit: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  madvise: { args: [FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
  poll: { args: [FFIType.ptr, FFIType.u32, FFIType.i32], returns: FFIType.i32 },
} as const;

/** undefined: not looked for yet; null: there is none. */
let found: Libc | null | undefined;

/** Null where there is no such library (another platform), or ffi is switched off. */
export function libc(): Libc | null {
  if (found === undefined) found = open();
  return found;
}

function open(): Libc | null {
  for (const name of libraryNames[process.platform] ?? []) {
    const library = openLibrary(name);
    if (library !== null) return library;
  }
  return null;
}

function openLibrary(name: string): Libc | null {
  try {
    return dlopen(name, symbols).symbols;
  } catch {
    // No library of this name, or no ffi at all: whoever asks has another way.
    return null;
  }
}
