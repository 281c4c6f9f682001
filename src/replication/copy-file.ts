/**
 * A copy of all data while it comes in: a file in the data folder, which is gone when it is closed, whatever happens; a crash
 * leaves it, and the next start removes it. Not what reads it.
 */
import { join } from "node:path";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Files, OpenFile } from "../platform/files.ts";

export const INCOMING_NAME = "kvdb.incoming";

/** So much may wait for the disk: then the primary waits. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024;

const MIB = 2 ** 20;

export class CopyFile {
  readonly #file: OpenFile;
  #size = 0;
  #pendingBytes = 0;
  #last: Promise<void> = Promise.resolve();
  #failure: unknown;

  /** Told that there is room again, and that there was none; or that the disk refuses. */
  onRoom: () => void = () => {};
  onFailure: (error: KvdbError) => void = () => {};

  readonly #files: Files;

  private constructor(files: Files, file: OpenFile) {
    this.#files = files;
    this.#file = file;
  }

  static async open(files: Files, folder: string): Promise<CopyFile> {
    return new CopyFile(files, await files.open(join(folder, INCOMING_NAME), "replace"));
  }

  get isFull(): boolean {
    return this.#pendingBytes > MAX_PENDING_BYTES;
  }

  /** The bytes may not change any more. */
  append(bytes: Buffer): void {
    const at = this.#size;
    this.#size += bytes.length;
    this.#pendingBytes += bytes.length;
    this.#last = this.#last.then(() => this.#write(bytes, at));
  }

  async #write(bytes: Buffer, at: number): Promise<void> {
    if (this.#failure === undefined) {
      try {
        await this.#file.write(bytes, 0, bytes.length, at);
      } catch (error) {
        this.#failure = error;
        this.onFailure(asKvdbError(error));
      }
    }
    const wasFull = this.isFull;
    this.#pendingBytes -= bytes.length;
    if (wasFull && !this.isFull) this.onRoom();
  }

  /** Resolves to where it is when all of it is written. Rejects when the disk has refused. */
  async whole(): Promise<string> {
    await this.#last;
    if (this.#failure !== undefined) throw this.#failure;
    return this.#file.path;
  }

  /** Its room is free again. */
  async close(): Promise<void> {
    await this.#last;
    try {
      await this.#file.close();
    } finally {
      await this.#files.remove(this.#file.path);
    }
  }
}

/** Before a copy takes the room that the log needs. */
export async function requireRoom(files: Files, folder: string, bytes: number): Promise<void> {
  const free = await files.freeBytes(folder);
  if (free >= bytes) return;
  const sizes = `${Math.floor(free / MIB)} MiB free, and the copy takes ${Math.ceil(bytes / MIB)} MiB`;
  throw new KvdbError("IO", `${folder} has ${sizes}`);
}
