/**
 * What every persistence asks of the files in its folder, by their paths: how long one is, how it begins, what it may be
 * called, and how it is let go of on the way out of a failure. Nothing here knows a format.
 */
import type { Files, OpenFile } from "../platform/files.ts";

export async function sizeOf(files: Files, path: string): Promise<number> {
  return withFile(files, path, (file) => file.size());
}

/** The first bytes of a file: so many, or all that it has. */
export async function frontOf(files: Files, path: string, length: number): Promise<Buffer> {
  return withFile(files, path, (file) => readFront(file, length));
}

export async function readFront(file: OpenFile, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, await file.read(bytes, 0, length, 0));
}

/** Opens a file for reading, and closes it however `run` ends. */
export async function withFile<Result>(
  files: Files,
  path: string,
  run: (file: OpenFile) => Promise<Result>,
): Promise<Result> {
  const file = await files.open(path, "read");
  try {
    return await run(file);
  } finally {
    await file.close();
  }
}

/** `wanted`, then `wanted-2`, `wanted-3`, …: the first that nobody has, so that what was put aside before stays. */
export async function freeName(files: Files, wanted: string): Promise<string> {
  let name = wanted;
  for (let number = 2; await files.exists(name); number++) name = `${wanted}-${number}`;
  return name;
}

/**
 * Closes files on the way out of a failure. That one is reported; a second one adds nothing the
 * user could act on.
 */
export async function closeAll(files: readonly OpenFile[]): Promise<void> {
  await Promise.allSettled(files.map((file) => file.close()));
}

/** Begins the checksums of one file: known to no client, so that no value passes for a part of it. */
export function randomSalt(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] as number;
}
