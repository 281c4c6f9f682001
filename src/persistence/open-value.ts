/**
 * Ends a value whose last parts are lost: a sink takes entries of another key, and records, only when the value before is whole.
 */
import type { StoredEntry } from "../plugin.ts";

/** An entry without elements that ends the value; the same key and all else as its first part. */
export type OpenValue = Readonly<StoredEntry>;

/** Of an entry with further elements. It is kept: what it points to is not. */
export function openValue(entry: Readonly<StoredEntry>): OpenValue {
  const { keyBytes, keyStart, keyEnd } = entry;
  const key = Buffer.alloc(keyEnd - keyStart);
  keyBytes.copy(key, 0, keyStart, keyEnd);
  const spans = { keyStart: 0, keyEnd: key.length, valueStart: 0, valueEnd: 0 };
  return { ...entry, ...spans, keyBytes: key, valueBytes: key, isContinued: false };
}
