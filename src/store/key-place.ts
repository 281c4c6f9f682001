/** Where a value is, or is going to be: a key of a database. */
import type { ReadonlyBytes } from "./arena.ts";
import type { Database } from "./database.ts";

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
