/**
 * Writes the state of all databases as one file, and then puts it in the place of the last one: a
 * crash at any moment leaves the old or the new file. Memory does not grow with the data. Runs in a
 * worker and has no state.
 *
 *   database.json.new   written and synced
 *   database.json       looked at: whoever changed it keeps a copy, database.json.changed
 *   renamed, and the folder synced
 */
import { dirname } from "node:path";
import {
  type CheckpointTarget,
  type EntryReader,
  type Files,
  KvdbError,
  type WrittenCheckpoint,
} from "kvdb";
import { keepAside, UNFINISHED_SUFFIX } from "./aside-copy.ts";
import { DatabaseLines } from "./database-lines.ts";
import { type FileIdentity, measurePath } from "./file-checksum.ts";
import {
  type SnapshotDetail,
  type SnapshotOptions,
  type SnapshotTask,
  snapshotPath,
} from "./snapshot-file.ts";
import { checksumText, headText } from "./snapshot-head.ts";
import { TextOutput } from "./text-output.ts";

export const CHANGED_SUFFIX = ".changed";

export async function writeSnapshot(
  entries: EntryReader,
  target: CheckpointTarget<SnapshotOptions>,
): Promise<WrittenCheckpoint> {
  const { files, folder, options } = target;
  const path = snapshotPath(options, folder);
  const unfinished = path + UNFINISHED_SUFFIX;
  try {
    const identity = await writeFile(unfinished, entries, target);
    const keptIn = await keepChanges(path, target);
    await files.rename(unfinished, path);
    await files.syncFolder(dirname(path));
    const detail: SnapshotDetail = { identity, ...(keptIn && { keptIn }) };
    return { bytes: identity.bytes, detail };
  } catch (error) {
    await removeUnfinished(files, unfinished);
    throw error;
  }
}

/** On a disk that is full, half a file is in the way. What cannot be removed now, the next save overwrites. */
async function removeUnfinished(files: Files, unfinished: string): Promise<void> {
  await Promise.allSettled([files.remove(unfinished)]);
}

async function writeFile(
  path: string,
  entries: EntryReader,
  target: CheckpointTarget<SnapshotOptions>,
): Promise<FileIdentity> {
  const file = await target.files.open(path, "replace");
  try {
    const output = new TextOutput(file, () => target.proceed());
    const head = headText(entries.revision, entries.timeMs);
    output.text(`${head.text}  "databases": {`);
    const count = await writeDatabases(entries, output);
    output.text(count === 0 ? "}\n}\n" : "\n  }\n}\n");
    await output.flush();
    const { crc32, totalBytes: bytes } = output;
    await output.patch(checksumText(crc32), head.checksumAt);
    // Before the rename: otherwise the new name may be durable while the bytes are not.
    await file.sync();
    return { bytes, crc32 };
  } finally {
    await file.close();
  }
}

/** What is written around a database needs so much room. */
const DATABASE_DRESS_BYTES = 64;

/** Resolves to how many databases there are that are not empty. */
async function writeDatabases(entries: EntryReader, output: TextOutput): Promise<number> {
  const { entry } = entries;
  let count = 0;
  let database = -1;
  let lines: DatabaseLines | undefined;
  while (entries.next()) {
    if (lines === undefined || entry.database !== database) {
      if (entry.database < database) {
        throw new KvdbError("INTERNAL", `database ${entry.database} comes behind ${database}`);
      }
      await endDatabase(lines, output);
      database = entry.database;
      output.text(`${count++ === 0 ? "" : ","}\n    "${database}": {\n`);
      lines = new DatabaseLines(output, entry);
    }
    const pending = lines.add();
    if (pending !== undefined) await pending;
  }
  await endDatabase(lines, output);
  return count;
}

async function endDatabase(lines: DatabaseLines | undefined, output: TextOutput): Promise<void> {
  await lines?.end();
  if (output.room < DATABASE_DRESS_BYTES) await output.flush();
  if (lines !== undefined) output.text("\n    }");
}

/**
 * Keeps the file that is there if it is not the one that is known. It is read whole for that: only
 * so is a change found that left the length as it was, and the bytes were written a short while ago.
 */
async function keepChanges(
  path: string,
  target: CheckpointTarget<SnapshotOptions>,
): Promise<string | undefined> {
  const { files } = target;
  const { known, attemptedFrom } = target.task as SnapshotTask;
  const found = await measurePath(files, path, () => target.proceed());
  if (found === undefined) return undefined;
  if (found.bytes === known?.bytes && found.crc32 === known.crc32) return undefined;
  const isOwn = attemptedFrom !== undefined && found.isIntact && found.head !== undefined;
  if (isOwn && found.head.revision >= attemptedFrom) return undefined;
  return await keepAside(files, path, CHANGED_SUFFIX, () => target.proceed());
}
