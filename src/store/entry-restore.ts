/**
 * Puts an entry of a checkpoint into a database: the key, its value, its deadline and the revision of its last change.
 * It is no change: nothing is counted for the journal.
 */
import type { StoredEntry } from "../plugin.ts";
import { copyBytes } from "./arena.ts";
import type { Database } from "./database.ts";
import { entryUnits, JSON_TEXT, STRING } from "./entry.ts";

export function restoreEntry(database: Database, entry: Readonly<StoredEntry>): void {
  const { arena, keyspace } = database;
  const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = entry;
  keyspace.setNextRevision(entry.version);
  const found = database.find(keyBytes, keyStart, keyEnd);
  const kind = entry.type === "json" ? JSON_TEXT : STRING;
  const size = valueEnd - valueStart;
  const put = database.put(found, keyBytes, keyStart, keyEnd, kind, size, entry.deadlineMs);
  const bytes = arena.edit(put, entryUnits(arena, put));
  copyBytes(valueBytes, valueStart, bytes, database.valueStart, size);
  keyspace.changes = 0;
}
