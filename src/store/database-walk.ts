/**
 * Going through the entries of a database: all of them, some at a time, a random one. What is over is left out, unless the name
 * says that it is about what is stored.
 */
import type { Database } from "./database.ts";

/** Redis's: so often a key that is not over is looked for. */
const MAX_RANDOM_TRIES = 100;

/** Calls `visit` for each live entry. Nothing may be changed meanwhile. */
export function eachEntry(database: Database, visit: (entry: number) => void): void {
  eachStoredEntry(database, (entry) => {
    if (!database.isOver(entry)) visit(entry);
  });
}

/** `eachEntry`, with those that are over but not yet removed: what is stored, as DEBUG DIGEST and DBSIZE see it. */
export function eachStoredEntry(
  { keyspace, record }: Database,
  visit: (entry: number) => void,
): void {
  keyspace.noteAll();
  keyspace.entries.each(record, visit);
}

/** A step of SCAN: see Dictionary.scan. */
export function scanEntries(
  database: Database,
  cursor: number,
  wanted: number,
  found: number[],
): number {
  database.keyspace.noteAll();
  const next = scanStoredEntries(database, cursor, wanted, found);
  let kept = 0;
  for (const entry of found) if (!database.isOver(entry)) found[kept++] = entry;
  found.length = kept;
  return next;
}

/** `scanEntries`, with those that are over but not yet removed. What is read so may not be shown. */
export function scanStoredEntries(
  { keyspace, record }: Database,
  cursor: number,
  wanted: number,
  found: number[],
): number {
  return keyspace.entries.scan(record, cursor, wanted, found);
}

/** A random live entry, or 0 when there is none. Where those that are over stay, it may be one of them, as in Redis. */
export function randomEntry(database: Database): number {
  const { keyspace, record } = database;
  const { entries } = keyspace;
  const below = (n: number) => keyspace.random.below(n);
  for (let tries = 1; database.size > 0; tries++) {
    const entry = entries.random(record, below);
    if (database.isOver(entry) && keyspace.keepsExpired && tries < MAX_RANDOM_TRIES) continue;
    if (!database.isOver(entry) || keyspace.keepsExpired) {
      if (keyspace.tracking) database.note(entry);
      return entry;
    }
    database.expire(entry, entries.hash);
  }
  keyspace.noteAll();
  return 0;
}
