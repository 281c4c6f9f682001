/**
 * Where the memory of an arena is, for INFO and MEMORY STATS: what is kept about keys and not in them, and what of the arena
 * holds nothing. Each figure costs at most a walk over a directory, never one over keys.
 */
import type { Arena } from "./arena.ts";
import type { Keyspace } from "./keyspace.ts";

export interface DatabaseOverhead {
  readonly index: number;
  /** Of the table of its keys. */
  readonly tableBytes: number;
  /** Of the reminders of its deadlines. */
  readonly reminderBytes: number;
}

/** Of the databases that have any key. */
export function overheads({ databases }: Keyspace): DatabaseOverhead[] {
  return databases
    .filter(({ size }) => size > 0)
    .map(({ index, tableBytes, deadlines }) => {
      const { reminderBytes } = deadlines;
      return { index, tableBytes, reminderBytes };
    });
}

/**
 * `active`: chunks, but for the part of the last one that was never used, which the system has not given yet. `allocated`:
 * blocks in use, those that are queued for freeing as well.
 */
export function allocation(arena: Arena): { readonly active: number; readonly allocated: number } {
  return {
    active: arena.reservedBytes - arena.untouchedBytes,
    allocated: arena.usedBytes + arena.queuedBytes,
  };
}
