/**
 * An increment: one file `appendonly.aof.1.incr.aof`, kvdb's head and then groups (group-line.ts)
 * to the end. What Redis has appended to one is read, and never written behind.
 */
import type { Files, OpenFile, Revision } from "kvdb";
import { closeAll, type LogFile, randomSalt } from "kvdb/persistence";
import { type FileHead, fileLine } from "./group-line.ts";
import type { FileNames, IncrementEntry } from "./manifest.ts";

/**
 * The increment that is being written. No room is prepared in it: Redis, which may be the next to
 * append, does so at the end of the file.
 */
export interface ActiveIncrement extends FileHead, LogFile {
  readonly name: string;
}

export function createHead(sequence: number, firstRevision: Revision): FileHead {
  return { salt: randomSalt(), sequence, firstRevision };
}

/** Makes an increment with its head, durable but for its name: the caller syncs the folder. */
export async function createIncrement(
  files: Files,
  names: FileNames,
  head: FileHead,
): Promise<ActiveIncrement> {
  const name = names.increment(head.sequence);
  const plain = await files.open(names.path(name), "replace");
  try {
    const line = fileLine(head);
    await plain.write(line, 0, line.length, 0);
    await plain.sync();
    return await activateIncrement({ files, name, head, plain, end: line.length });
  } catch (error) {
    await closeAll([plain]);
    throw error;
  }
}

/** An increment whose first `end` bytes are durable, ready to be written on. */
export async function activateIncrement(given: {
  readonly files: Files;
  readonly name: string;
  readonly head: FileHead;
  readonly plain: OpenFile;
  readonly end: number;
}): Promise<ActiveIncrement> {
  const { files, name, head, plain, end } = given;
  const { path } = plain;
  const synced = await files.open(path, "update", { synced: true });
  const { salt, sequence, firstRevision } = head;
  const headBytes = fileLine(head).length;
  const ends = { end, durableEnd: end, preparedEnd: end };
  const identity = { salt, sequence, firstRevision, name, path, headBytes };
  return { ...identity, plain, synced, ...ends, foundClosing: undefined, groupCount: 0 };
}

/** What the manifest says of it while it is written. */
export function entryOf({ name, sequence, salt, firstRevision }: ActiveIncrement): IncrementEntry {
  return { name, sequence, own: { salt, firstRevision } };
}
