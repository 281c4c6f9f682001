/**
 * Who keeps something true of the entries of a keyspace beside them: the indexes. It is told before a change, while the old
 * document can be read; what it does to its own structures must not change the entries.
 *
 *   a document is written      documentComes ── Database.put … the bytes ── documentCame
 *   another value replaces it  documentGoes ── Database.put
 *   the key goes               documentGoes, keyGoes ── the entry is freed
 *
 * Invariant: whoever puts a document says so first, since whoever observes may refuse it; nothing else can be refused.
 */
import type { ReadonlyBytes } from "./arena.ts";
import type { Database } from "./database.ts";
import type { KeyPlace } from "./key-place.ts";

/** A document about to be stored: its key and its text, compact, each bytes[start, end). */
export interface ComingDocument {
  readonly database: Database;
  readonly keyBytes: ReadonlyBytes;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly bytes: ReadonlyBytes;
  readonly start: number;
  readonly end: number;
  /** The document leaves this key of a database, and is removed there next. */
  readonly from?: KeyPlace;
}

export interface EntryObserver {
  /**
   * May throw a CommandError: then nothing may be changed. Otherwise `Database.put` and `documentCame` follow at once.
   * The key has to be the one that was looked up last, and is so afterwards too.
   */
  documentComes(document: ComingDocument): void;
  documentCame(): void;
  /**
   * What the `leaving` keys have is about to go, all of it, and the documents are stored then, under keys that all differ.
   * Throws a CommandError when one of them is refused, or two exclude each other: then nothing may be changed. Each of the
   * changes is told by itself as well.
   */
  documentsCome(
    database: Database,
    documents: readonly ComingDocument[],
    leaving: readonly KeyPlace[],
  ): void;
  /** The document of the entry, whose key has this hash, goes. */
  documentGoes(database: Database, hash: number, entry: number): void;
  /** A key that was not there gets a value. */
  keyComes(
    database: Database,
    hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void;
  keyGoes(database: Database, hash: number, entry: number): void;
  /** All entries of the database go; its memory is about to be a grave. */
  databaseEmpties(database: Database): void;
  /** All entries of all databases are gone, and every structure in the arena with them. */
  arenaEmptied(): void;
  databasesSwapped(a: Database, b: Database): void;
  /** What happens next may be undone: answers the function that puts back what is kept beside the arena. */
  memorize(): () => void;
}
