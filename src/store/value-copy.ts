/**
 * Copying and moving a value with its deadline to another key, of the same or of another database: bytes within the
 * arena. The one place that knows what belongs to a value: a type whose value is a structure of its own is added here
 * (a copy makes a structure anew; a move takes its address along, and its units to the other database's account).
 *
 * The source stays where it is until the copy is complete, since blocks only move when their own entry changes.
 */
import { CHUNK_SHIFT, copyBytes, type ReadonlyBytes } from "./arena.ts";
import type { Database } from "./database.ts";
import { deadlineOf, encodingOf, entryUnits, inlineSize, typeOf, valueAt } from "./entry.ts";

/** A key, bytes[start, end), of a database. */
export interface KeyPlace {
  readonly database: Database;
  readonly bytes: ReadonlyBytes;
  readonly start: number;
  readonly end: number;
}

/** Looks the key up. */
export function findAt(place: KeyPlace): number {
  return place.database.find(place.bytes, place.start, place.end);
}

/**
 * Gives the key at `to`, whose look-up was the last and answered `entry` (0: none), a copy of the value and the deadline
 * of the entry `source`. Answers the entry at `to`.
 */
export function copyValue(source: number, to: KeyPlace, entry: number): number {
  const arena = to.database.arena;
  const kind = typeOf(arena, source) | (encodingOf(arena, source) << 4);
  const size = inlineSize(arena, source);
  const deadline = deadlineOf(arena, source);
  const copy = to.database.put(entry, to.bytes, to.start, to.end, kind, size, deadline);
  copyBytes(
    arena.bytes[source >>> CHUNK_SHIFT],
    valueAt(arena, source),
    arena.edit(copy, entryUnits(arena, copy)),
    valueAt(arena, copy),
    size,
  );
  return copy;
}

/** As `copyValue`, and the key at `from`, which holds `source`, is gone afterwards. */
export function moveValue(source: number, from: KeyPlace, to: KeyPlace, entry: number): void {
  copyValue(source, to, entry);
  from.database.remove(findAt(from));
}
