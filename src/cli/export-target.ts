/**
 * Where an export goes: standard output, or a file that is there whole or not at all. It is written beside its place and comes
 * to it at the end; what was there stays until then, and is overwritten only by who was told to.
 */
import { dirname, resolve } from "node:path";
import { KvdbError } from "../errors.ts";
import { displayPath } from "../kernel/display-path.ts";
import { UNFINISHED_SUFFIX } from "../platform/atomic-file.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import type { World } from "./world.ts";

export interface ExportTarget {
  write(bytes: Buffer): Promise<void>;
  /** All was written. */
  finish(): Promise<void>;
  /** Nothing of it stays; after `finish` it does nothing. */
  discard(): Promise<void>;
}

export class OutputTarget implements ExportTarget {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async write(bytes: Buffer): Promise<void> {
    if (await this.#world.print(bytes)) return;
    throw new KvdbError("IO", "nobody reads what is exported: stopped");
  }

  async finish(): Promise<void> {}

  async discard(): Promise<void> {}
}

export class FileTarget implements ExportTarget {
  readonly #files: Files;
  readonly #path: string;
  readonly #shown: string;
  readonly #overwrites: boolean;
  #file: OpenFile | undefined;
  #size = 0;
  /** It has come to its place. */
  #isThere = false;

  private constructor(path: string, shown: string, overwrites: boolean, files: Files) {
    this.#path = path;
    this.#shown = shown;
    this.#overwrites = overwrites;
    this.#files = files;
  }

  static async open(name: string, overwrites: boolean, world: World): Promise<FileTarget> {
    const { currentFolder } = world.surroundings;
    const { files } = world.platform;
    const path = resolve(currentFolder, name);
    const shown = displayPath(path, currentFolder);
    if (!(await files.exists(dirname(path)))) {
      throw new KvdbError(
        "USAGE",
        `there is no folder ${displayPath(dirname(path), currentFolder)}`,
      );
    }
    const target = new FileTarget(path, shown, overwrites, files);
    await target.#requirePlace();
    target.#file = await files.open(path + UNFINISHED_SUFFIX, "replace");
    return target;
  }

  async #requirePlace(): Promise<void> {
    if (this.#overwrites || !(await this.#files.exists(this.#path))) return;
    throw new KvdbError("USAGE", `${this.#shown} is there already; --force overwrites`);
  }

  async write(bytes: Buffer): Promise<void> {
    await this.#file?.write(bytes, 0, bytes.length, this.#size);
    this.#size += bytes.length;
  }

  async finish(): Promise<void> {
    await this.#file?.sync();
    await this.#close();
    await this.#requirePlace();
    await this.#files.rename(this.#path + UNFINISHED_SUFFIX, this.#path);
    await this.#files.syncFolder(dirname(this.#path));
    this.#isThere = true;
  }

  async discard(): Promise<void> {
    await this.#close();
    if (!this.#isThere) await this.#files.remove(this.#path + UNFINISHED_SUFFIX);
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

/** Opening would make it, and a folder that was mistyped must be noticed. */
export async function requireFolder(folder: string, { platform }: World): Promise<void> {
  if (await platform.files.exists(folder)) return;
  throw new KvdbError("CONFIG", `there is no data folder ${folder}`);
}
