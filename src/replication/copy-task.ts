/**
 * The worker's half of a full copy: writes the image as an RDB, with the place in the stream that it stands for, into the file
 * that the main thread has made and reads. The file loses its name at once, so that nothing stays behind, whatever happens.
 */
import type { Files } from "../platform/files.ts";
import type { EntryReader } from "../plugin.ts";
import { writeRdb } from "../rdb/file-writer.ts";
import type { StreamCut } from "./stream.ts";

export interface CopyTask {
  readonly kind: "copy";
  readonly path: string;
  readonly cut: StreamCut;
}

/** In the data folder, where room is asked for. A crash may leave it: `removeLeftovers` is for the next start. */
export const COPY_NAME = "kvdb.copy";

/** How many bytes more before the main thread is told. */
const TOLD_BYTES = 1 << 20;

interface CopySurroundings {
  readonly files: Files;
  /** Throws when nobody wants the rest. */
  proceed(): void;
  /** So many bytes are in the file. */
  grown(bytes: number): void;
}

/** Resolves to the length. */
export async function writeCopy(
  entries: EntryReader,
  { path, cut }: CopyTask,
  { files, proceed, grown }: CopySurroundings,
): Promise<number> {
  const file = await files.open(path, "update");
  try {
    await files.remove(path);
    let position = 0;
    let told = 0;
    const write = async (bytes: Buffer, start: number, end: number): Promise<void> => {
      await file.write(bytes, start, end, position);
      position += end - start;
      if (position - told < TOLD_BYTES) return;
      told = position;
      grown(position);
    };
    await writeRdb(entries, { write }, { aux: auxOf(cut), proceed });
    return position;
  } finally {
    await file.close();
  }
}

/** As a redis-server writes them for its replicas: which database is selected in the stream behind the copy, and where that is. */
export function auxOf({ id, offset, database }: StreamCut): Readonly<Record<string, string>> {
  return {
    "repl-stream-db": String(database),
    "repl-id": id,
    "repl-offset": String(offset),
  };
}
