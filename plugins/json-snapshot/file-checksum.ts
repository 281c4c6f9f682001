/**
 * What a whole file is like: its length and checksum, and whether it is just as kvdb wrote it. That
 * is asked before its JSON is read, because only then can nothing of it be wrong that a checksum
 * finds; and before a save replaces it, because then somebody else may have written it meanwhile.
 */
import type { Files, OpenFile } from "kvdb";
import { blankChecksum, checksumText, HEAD_BYTES, type Head, readHead } from "./snapshot-head.ts";

/** One read: long enough that the call costs nothing, short enough for the memory of a small machine. */
const SLICE_BYTES = 1 << 20;

/** Tells one version of the file from another. Can be posted to a worker. */
export interface FileIdentity {
  readonly bytes: number;
  /** Of the file, with zeros for the checksum in its head. */
  readonly crc32: number;
}

export interface FileMeasure extends FileIdentity {
  /** Its head, if it has one in the form that kvdb writes. */
  readonly head: Head | undefined;
  /** It is as kvdb wrote it. */
  readonly isIntact: boolean;
}

/** `onSlice` is called about once a MiB, and may throw. */
export async function measureFile(file: OpenFile, onSlice: () => void): Promise<FileMeasure> {
  const size = Math.min(SLICE_BYTES, Math.max(HEAD_BYTES, await file.size()));
  const buffer = Buffer.allocUnsafeSlow(size);
  let bytes = await file.read(buffer, 0, size, 0);
  const head = readHead(buffer.subarray(0, Math.min(bytes, HEAD_BYTES)));
  if (head !== undefined) blankChecksum(buffer, head);
  let crc32 = Bun.hash.crc32(buffer.subarray(0, bytes));
  for (let count = bytes; count === size; bytes += count) {
    onSlice();
    count = await file.read(buffer, 0, size, bytes);
    crc32 = Bun.hash.crc32(buffer.subarray(0, count), crc32);
  }
  return { bytes, crc32, head, isIntact: head?.checksum === checksumText(crc32) };
}

/** The same of a file by its path; undefined when there is none. */
export async function measurePath(
  files: Files,
  path: string,
  onSlice: () => void,
): Promise<FileMeasure | undefined> {
  if (!(await files.exists(path))) return undefined;
  const file = await files.open(path, "read");
  try {
    return await measureFile(file, onSlice);
  } finally {
    await file.close();
  }
}
