/**
 * Replaces a whole file so that a crash at any moment leaves the old or the new one, never a
 * mixture and never none: write beside it, sync, rename over it, sync the folder. The name of the
 * file beside is fixed (`<name>.new`), so that what a crash left behind is overwritten by the next
 * replacement, or removed by whoever opens the folder.
 */
import { dirname } from "node:path";

/**
 * The part of `Files` (files.ts) that a replacement needs; spelled out, because files.ts imports
 * this file.
 */
interface ReplacingFiles {
  open(path: string, mode: "replace", options?: ReplacingOptions): Promise<ReplacingFile>;
  rename(from: string, to: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
}

/** MakeOptions of files.ts. */
interface ReplacingOptions {
  readonly shared?: boolean;
}

interface ReplacingFile {
  write(bytes: Uint8Array, start: number, end: number, position: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Ends the name of a file that is being written. Nothing under such a name was ever promised to
 * anybody.
 */
export const UNFINISHED_SUFFIX = ".new";

/** Durable when it resolves. When it rejects the old file stands, or the new one whole. */
export async function replaceFile(
  files: ReplacingFiles,
  path: string,
  bytes: Uint8Array,
  options?: ReplacingOptions,
): Promise<void> {
  const unfinished = path + UNFINISHED_SUFFIX;
  const file = await files.open(unfinished, "replace", options);
  try {
    await file.write(bytes, 0, bytes.length, 0);
    // Before the rename: otherwise the new name may be durable while the bytes are not.
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(unfinished, path);
  await files.syncFolder(dirname(path));
}
