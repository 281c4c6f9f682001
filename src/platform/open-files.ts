/** How many files, sockets among them, the system lets this process have open: RLIMIT_NOFILE. */
import { ptr } from "bun:ffi";
import { libc } from "./libc.ts";

/** sys/resource.h, by platform. */
const RLIMIT_NOFILE: Readonly<Record<string, number>> = { linux: 7, darwin: 8 };

/** Infinity: any number, or nobody can say. Bun has raised the limit as far as the system allows. */
export function openFilesLimit(): number {
  const resource = RLIMIT_NOFILE[process.platform];
  if (resource === undefined) return Number.POSITIVE_INFINITY;
  const limits = new BigUint64Array(2); // struct rlimit: what counts, and how far it may be raised
  const result = libc()?.getrlimit(resource, ptr(limits));
  const limit = limits[0] as bigint;
  if (result !== 0 || limit > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  return Number(limit);
}
