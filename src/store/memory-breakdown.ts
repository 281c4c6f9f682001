/**
 * Where the memory of an arena is, for INFO and MEMORY STATS: what is kept about keys and not in them, and what of the arena
 * holds nothing. Each figure costs at most a walk over a directory, never one over keys.
 */
import { type Arena, roundUnits, UNIT_BYTES } from "./arena.ts";
import type { Database } from "./database.ts";
import { deadlineOf, entryUnits, hasStructure, kindOf, valueWord } from "./entry.ts";
import { REMINDER_BYTES } from "./expiry-wheel.ts";
import type { Keyspace } from "./keyspace.ts";
import { unitsOf } from "./structure.ts";

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

/** Bytes that an entry takes: its block, what it has outside, its share of the table, its reminder in the wheel. */
export function entryBytes({ arena, keyspace }: Database, entry: number): number {
  const block = roundUnits(entryUnits(arena, entry)) * UNIT_BYTES;
  const reminder = deadlineOf(arena, entry) === 0 ? 0 : REMINDER_BYTES;
  const isOutside = hasStructure(kindOf(arena, entry));
  const structure = isOutside ? unitsOf(arena, valueWord(arena, entry)) * UNIT_BYTES : 0;
  return block + keyspace.entries.shareBytes + reminder + structure;
}
