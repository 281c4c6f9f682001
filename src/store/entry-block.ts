/**
 * The block of an entry (entry.ts draws it): writing its key and its header, and whether another value fits in it. Which entry,
 * and what becomes of the block that it leaves, is the database's.
 */
import { type Arena, copyBytes, type ReadonlyBytes, roundUnits, UNIT_MASK } from "./arena.ts";
import { FLAG_DEADLINE, HEADER_BYTES, inlineSize, LONG_KEY } from "./entry.ts";

/** What entries are stamped with: the revision that the next record will have, as they keep it. */
export interface Stamp {
  readonly arena: Arena;
  readonly versionLow: number;
  readonly versionHigh: number;
}

/** Whether a new value, making `units` with the `before` bytes ahead of it, can take the place of the old one. */
export function fits(arena: Arena, entry: number, before: number, units: number): boolean {
  const old = (before + inlineSize(arena, entry) + 7) >>> 3;
  return old === units || roundUnits(old) === roundUnits(units);
}

/** `clock`: the bits of its last use (access-clock.ts). */
export function writeKey(
  arena: Arena,
  entry: number,
  units: number,
  key: ReadonlyBytes,
  start: number,
  end: number,
  hasDeadline: boolean,
  clock: number,
): void {
  const bytes = arena.edit(entry, units);
  const ints = arena.editInts(entry, units);
  const at = (entry & UNIT_MASK) << 1;
  const size = end - start;
  ints[at] =
    (size < LONG_KEY ? size : LONG_KEY) | (hasDeadline ? FLAG_DEADLINE << 16 : 0) | (clock << 24);
  ints[at + 1] = 0;
  ints[at + 2] = (clock >>> 8) << 16;
  let offset = (at << 2) + HEADER_BYTES;
  if (hasDeadline) {
    arena.editDoubles(entry, units)[(entry & UNIT_MASK) + 2] = 0;
    offset += 8;
  }
  if (size >= LONG_KEY) {
    ints[offset >> 2] = size;
    offset += 4;
  }
  copyBytes(key, start, bytes, offset, size);
}

/** Writes what changes with every value: type, word, version. Touches no page but the header's. */
export function stamp(by: Stamp, entry: number, kind: number, word: number): void {
  const ints = by.arena.editInts(entry, HEADER_BYTES >> 3);
  const at = (entry & UNIT_MASK) << 1;
  ints[at] = (ints[at] & ~0xff00) | (kind << 8);
  ints[at + 1] = by.versionLow;
  ints[at + 2] = (ints[at + 2] & ~0xffff) | by.versionHigh;
  ints[at + 3] = word;
}

export function stampVersion(by: Stamp, entry: number): void {
  const ints = by.arena.editInts(entry, HEADER_BYTES >> 3);
  const at = (entry & UNIT_MASK) << 1;
  ints[at + 1] = by.versionLow;
  ints[at + 2] = (ints[at + 2] & ~0xffff) | by.versionHigh;
}
