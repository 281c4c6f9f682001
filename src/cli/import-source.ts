/** The bytes of a file to import, or of standard input, in chunks, and how much of the whole has come. */
import { resolve } from "node:path";
import { KvdbError } from "../errors.ts";
import { displayPath } from "../kernel/display-path.ts";
import { errnoOf, type OpenFile } from "../platform/files.ts";
import type { World } from "./world.ts";

const CHUNK_BYTES = 1 << 18;

export interface ImportSource {
  /** As messages name it. */
  readonly name: string;
  /** Undefined: nobody knows, and the next chunk may be long in coming. */
  readonly sizeBytes: number | undefined;
  chunks(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

export async function openSource(file: string, world: World): Promise<ImportSource> {
  if (file === "-") {
    if (world.input === "folder") throw new KvdbError("USAGE", "standard input is a folder");
    const name = "standard input";
    return { name, sizeBytes: undefined, chunks: () => world.readInput(), close: async () => {} };
  }
  const { currentFolder } = world.surroundings;
  const path = resolve(currentFolder, file);
  const name = displayPath(path, currentFolder);
  const open = await openExisting(path, name, world);
  const sizeBytes = await open.size();
  return { name, sizeBytes, chunks: () => chunksOf(open), close: () => open.close() };
}

/** `name`: as messages have it. */
export function openExisting(path: string, name: string, world: World): Promise<OpenFile> {
  return world.platform.files.open(path, "read").catch((error: unknown) => {
    if (errnoOf(error) !== "ENOENT") throw error;
    throw new KvdbError("USAGE", `there is no file ${name}`, { cause: error });
  });
}

/** A file that grows meanwhile is read to its end. */
async function* chunksOf(file: OpenFile): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const count = await file.read(chunk, 0, CHUNK_BYTES, position).catch((error: unknown) => {
      if (errnoOf(error) !== "ESPIPE") throw error;
      const message = `${file.path} is a pipe: let kvdb read it as standard input, kvdb import -`;
      throw new KvdbError("USAGE", message, { cause: error });
    });
    if (count > 0) yield chunk.subarray(0, count);
    if (count < CHUNK_BYTES) return;
    position += count;
  }
}
