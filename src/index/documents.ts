/** Entries of the keyspace as indexes see them: documents with their keys, or keys alone. */
import { CHUNK_SHIFT, type ReadonlyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { JSON_TEXT, keyAt, keySize, typeOf, valueAt, valueWord } from "../store/entry.ts";
import { hashBytes } from "../store/hash.ts";

/** A document with its key, each bytes[start, end). */
export interface IndexedDocument {
  readonly keyBytes: ReadonlyBytes;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly bytes: ReadonlyBytes;
  readonly start: number;
  readonly end: number;
}

/** The document of the entry; undefined when there is none, or it is no document. Good until the next change. */
export function documentAt(database: Database, entry: number): IndexedDocument | undefined {
  const { arena } = database;
  if (entry === 0 || typeOf(arena, entry) !== JSON_TEXT) return undefined;
  const bytes = arena.bytes[entry >>> CHUNK_SHIFT] as ReadonlyBytes;
  const keyStart = keyAt(arena, entry);
  const keyEnd = keyStart + keySize(arena, entry);
  const start = valueAt(arena, entry);
  const end = start + valueWord(arena, entry);
  return { keyBytes: bytes, keyStart, keyEnd, bytes, start, end };
}

/** For an index of keys, to which the value means nothing. */
export function keyAsDocument({ arena }: Database, entry: number): IndexedDocument {
  const bytes = arena.bytes[entry >>> CHUNK_SHIFT] as ReadonlyBytes;
  const keyStart = keyAt(arena, entry);
  const keyEnd = keyStart + keySize(arena, entry);
  return { keyBytes: bytes, keyStart, keyEnd, bytes, start: keyEnd, end: keyEnd };
}

/** The number by which indexes know what is stored under the key bytes[start, end). */
export function numberOf(
  { keyspace }: Database,
  bytes: ReadonlyBytes,
  start: number,
  end: number,
): number {
  return hashBytes(keyspace.hashKey0, keyspace.hashKey1, bytes, start, end) >>> 0;
}
