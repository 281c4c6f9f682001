/**
 * Keeps a file that is about to be replaced, under a name beside it that nobody has yet: the bytes
 * of somebody's work, or of damage. A copy, since the file must never be missing; durable when it
 * resolves.
 */
import { dirname } from "node:path";
import type { Files, OpenFile } from "kvdb";
import { freeName } from "kvdb/persistence";

const SLICE_BYTES = 1 << 20;

/** Ends the name of a file that is being written. Nothing under such a name was ever promised. */
export const UNFINISHED_SUFFIX = ".new";

/** `onSlice` is called about once a MiB, and may throw. Resolves to the path of the copy. */
export async function keepAside(
  files: Files,
  path: string,
  suffix: string,
  onSlice: () => void = () => {},
): Promise<string> {
  const aside = await freeName(files, path + suffix);
  const unfinished = aside + UNFINISHED_SUFFIX;
  const source = await files.open(path, "read");
  try {
    const target = await files.open(unfinished, "replace");
    try {
      await copy(source, target, onSlice);
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  await files.rename(unfinished, aside);
  await files.syncFolder(dirname(path));
  return aside;
}

async function copy(source: OpenFile, target: OpenFile, onSlice: () => void): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(SLICE_BYTES);
  for (let offset = 0; ; ) {
    const count = await source.read(buffer, 0, SLICE_BYTES, offset);
    if (count === 0) return;
    await target.write(buffer, 0, count, offset);
    offset += count;
    onSlice();
  }
}
