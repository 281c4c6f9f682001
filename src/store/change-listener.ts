/**
 * Who hears of every change of a key: WATCH, and what clients keep in caches of their own. Not who observes values (that is
 * EntryObserver), nor who waits for a key to come (KeyListener): this one hears of both, and of every deadline.
 *
 *   a value is written, grows, shrinks, is edited in place, gets or loses a deadline      keyTouched
 *   a key goes: deleted, moved, expired, evicted                                          keyTouched
 *   a database is emptied, two are exchanged                                              databaseFlushed, databasesSwapped
 *
 * Invariants: each change of a key is told once at least, within the command that makes it; while nobody listens
 * (`Keyspace.changeListener` is null) a change costs one comparison at most. A listener is in the middle of a change: it may
 * read bytes[start, end) until it returns, and neither looks keys up through `Database.find` nor changes anything.
 */
import type { ReadonlyBytes } from "./arena.ts";
import type { Database } from "./database.ts";

export interface ChangeListener {
  /** The key is bytes[start, end), and this is its hash. Before or after the change itself. */
  keyTouched(
    database: Database,
    hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void;
  /** All keys of the database go; they are still there. Nothing of it is told key by key. */
  databaseFlushed(database: Database): void;
  /** Each of the two is about to have the keys of the other. */
  databasesSwapped(a: Database, b: Database): void;
}

/** Several listeners in the place of one. */
export class ChangeListeners implements ChangeListener {
  readonly listeners: readonly ChangeListener[];

  constructor(listeners: readonly ChangeListener[]) {
    this.listeners = listeners;
  }

  keyTouched(
    database: Database,
    hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    for (const one of this.listeners) one.keyTouched(database, hash, bytes, start, end);
  }

  databaseFlushed(database: Database): void {
    for (const one of this.listeners) one.databaseFlushed(database);
  }

  databasesSwapped(a: Database, b: Database): void {
    for (const one of this.listeners) one.databasesSwapped(a, b);
  }
}
