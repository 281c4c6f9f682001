/**
 * The RDB of a backup as a file: unpacked into scratch, because readers of RDBs go back and forth, and because where backups
 * lie may be far away. The file has no name while it is read, so a crash leaves none; it takes disk space until it is closed.
 */
import { join } from "node:path";
import { KvdbError } from "../errors.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import type { BackupReader } from "./backup-reader.ts";

/** In a folder where there is room. One at a time; a crash in a bad moment leaves it, and the next start removes it. */
export const UNPACKED_NAME = "kvdb.unpacked";

export interface Unpacking {
  readonly files: Files;
  readonly folder: string;
  readonly reader: BackupReader;
  /** Before each frame, with the bytes of the backup that are done; throws when nobody wants the rest. */
  proceed(doneBytes: number): void;
}

/** All of it has passed its checksums when `use` is called. */
export async function withUnpacked<Result>(
  { files, folder, reader, proceed }: Unpacking,
  use: (file: OpenFile) => Promise<Result>,
): Promise<Result> {
  await requireRoom(files, folder, reader);
  const path = join(folder, UNPACKED_NAME);
  const file = await files.open(path, "replace");
  try {
    await files.remove(path);
    let at = 0;
    await reader.readAll(async (content) => {
      await file.write(content, 0, content.length, at);
      at += content.length;
    }, proceed);
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Before it takes the room that the log needs. */
async function requireRoom(
  files: Files,
  folder: string,
  { manifest }: BackupReader,
): Promise<void> {
  const free = await files.freeBytes(folder);
  if (free >= manifest.rawBytes) return;
  const mib = 2 ** 20;
  const needed = Math.ceil(manifest.rawBytes / mib);
  const sizes = `${Math.floor(free / mib)} MiB free, and the backup unpacks to ${needed} MiB`;
  throw new KvdbError("IO", `${folder} has ${sizes}`);
}
