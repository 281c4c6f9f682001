/**
 * The entry that a walk or a decoder fills again and again (plugin.ts, StoredEntry). All are made here, so that they are of
 * one shape to whoever takes them, wherever they come from.
 */
import type { StoredEntry } from "../plugin.ts";
import type { ReadonlyBytes } from "./arena.ts";

const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);

/** Of nothing yet. */
export function newStoredEntry(): StoredEntry {
  return {
    database: 0,
    type: "string",
    keyBytes: NO_BYTES,
    keyStart: 0,
    keyEnd: 0,
    valueBytes: NO_BYTES,
    valueStart: 0,
    valueEnd: 0,
    deadlineMs: 0,
    version: 0,
    isTimed: false,
    isContinued: false,
  };
}
