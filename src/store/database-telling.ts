/**
 * Who is told that an entry of a database changes: ChangeListener, EntryObserver and KeyListener say of what, and when. The
 * database calls these only while somebody listens, so a change that nobody hears of costs it one comparison.
 */
import { CHUNK_SHIFT, type ReadonlyBytes } from "./arena.ts";
import type { Database } from "./database.ts";
import { JSON_TEXT, keyAt, keySize, typeOf } from "./entry.ts";
import { hashBytes } from "./hash.ts";

/** The key bytes[start, end), which has this hash, gets a value of this kind; `entry`: what it had, 0: it is new. */
export function tellPut(
  database: Database,
  hash: number,
  entry: number,
  key: ReadonlyBytes,
  keyStart: number,
  keyEnd: number,
  kind: number,
): void {
  const { entryObserver: observer, changeListener } = database.keyspace;
  changeListener?.keyTouched(database, hash, key, keyStart, keyEnd);
  if (entry === 0) observer?.keyComes(database, hash, key, keyStart, keyEnd);
  else if (typeOf(database.arena, entry) === JSON_TEXT && (kind & 15) !== JSON_TEXT) {
    observer?.documentGoes(database, hash, entry);
  }
}

/** The hash is worked out anew: who only changes what is in a structure may have looked another key up since. */
export function tellTouched(database: Database, entry: number): void {
  const { arena, keyspace } = database;
  const { changeListener, hashKey0, hashKey1 } = keyspace;
  const bytes = arena.bytes[entry >>> CHUNK_SHIFT];
  const start = keyAt(arena, entry);
  const end = start + keySize(arena, entry);
  const hash = hashBytes(hashKey0, hashKey1, bytes, start, end);
  changeListener?.keyTouched(database, hash, bytes, start, end);
}

export function tellRemoval(database: Database, hash: number, entry: number): void {
  const { arena, keyspace } = database;
  const bytes = arena.bytes[entry >>> CHUNK_SHIFT];
  const start = keyAt(arena, entry);
  const end = start + keySize(arena, entry);
  keyspace.keyListener?.keyChanged(database, hash, bytes, start, end);
}

export function tellGoing(database: Database, hash: number, entry: number): void {
  const { entryObserver: observer, changeListener } = database.keyspace;
  if (changeListener !== null) tellTouched(database, entry);
  if (observer === null) return;
  if (typeOf(database.arena, entry) === JSON_TEXT) observer.documentGoes(database, hash, entry);
  observer.keyGoes(database, hash, entry);
}
