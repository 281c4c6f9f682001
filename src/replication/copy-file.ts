/**
 * A copy of all data while it comes in: a file in the data folder, or where there is none in a scratch folder, which is gone
 * when it is closed, whatever happens; what a crash leaves is removed by a later start, or a later scratch folder. Not what
 * reads it.
 */
import { join } from "node:path";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import type { WorkFolder } from "../platform/scratch-folder.ts";

export const INCOMING_NAME = "kvdb.incoming";

/** So much may wait for the disk: then the primary waits. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024;

const MIB = 2 ** 20;

export class CopyFile {
  readonly #files: Files;
  readonly #folder: WorkFolder;
  readonly #file: OpenFile;
  #size = 0;
  #pendingBytes = 0;
  #last: Promise<void> = Promise.resolve();
  #failure: unknown;

  /** Told that there is room again, and that there was none; or that the disk refuses. */
  onRoom: () => void = () => {};
  onFailure: (error: KvdbError) => void = () => {};

  private constructor(files: Files, folder: WorkFolder, file: OpenFile) {
    this.#files = files;
    this.#folder = folder;
    this.#file = file;
  }

  /** The folder is closed with it. */
  static async open(files: Files, folder: WorkFolder): Promise<CopyFile> {
    try {
      const file = await files.open(join(folder.path, INCOMING_NAME), "replace");
      return new CopyFile(files, folder, file);
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  /** Rejects when the disk has not so much room: before the copy takes what the log needs. */
  async requireRoom(bytes: number): Promise<void> {
    const { path } = this.#folder;
    const free = await this.#files.freeBytes(path);
    if (free >= bytes) return;
    const sizes = `${Math.floor(free / MIB)} MiB free, and the copy takes ${Math.ceil(bytes / MIB)} MiB`;
    throw new KvdbError("IO", `${path} has ${sizes}`);
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
      await this.#folder.close();
    }
  }
}
