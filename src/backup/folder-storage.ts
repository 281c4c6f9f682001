/**
 * Backups in a folder, one file each. A file grows as `<name>.new`, is synced, and is renamed: so a
 * crash at any moment leaves what was there before and at most one `.new`, which `list` never shows
 * and `clean` removes. Bytes and names are durable (fdatasync, fsync of the folder) before `finish`
 * resolves.
 */
import { dirname, join } from "node:path";
import { UNFINISHED_SUFFIX } from "../platform/atomic-file.ts";
import { errnoOf, type Files, type OpenFile } from "../platform/files.ts";
import {
  type BackupSink,
  type BackupSource,
  type BackupStorage,
  checkName,
  isName,
  type StoredFile,
} from "./storage.ts";

export class FolderStorage implements BackupStorage {
  readonly title: string;
  readonly #files: Files;
  readonly #folder: string;

  /** `title` is the folder as people know it, such as `./backups`. */
  constructor(files: Files, folder: string, title = folder) {
    this.#files = files;
    this.#folder = folder;
    this.title = title;
  }

  async list(): Promise<readonly StoredFile[]> {
    if (!(await this.#files.exists(this.#folder))) return [];
    const stored: StoredFile[] = [];
    for (const name of await this.#files.list(this.#folder)) {
      if (isUnfinished(name) || !isName(name)) continue;
      const bytes = await this.#sizeOf(join(this.#folder, name));
      if (bytes !== undefined) stored.push({ name, bytes });
    }
    return stored;
  }

  async create(name: string): Promise<BackupSink> {
    const path = this.#path(name);
    await this.#makeFolder();
    const file = await this.#files.open(path + UNFINISHED_SUFFIX, "replace");
    return new FolderSink(this.#files, path, file);
  }

  async open(name: string): Promise<BackupSource> {
    const file = await this.#files.open(this.#path(name), "read");
    try {
      const size = await file.size();
      return {
        size,
        read: (target, offset, length, position) => file.read(target, offset, length, position),
        close: () => file.close(),
      };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(name);
    await this.#makeFolder();
    await this.#files.replace(path, bytes);
  }

  async get(name: string): Promise<Buffer | undefined> {
    const path = this.#path(name);
    if (!(await this.#files.exists(path))) return undefined;
    const file = await this.#files.open(path, "read");
    try {
      const bytes = Buffer.alloc(await file.size());
      return bytes.subarray(0, await file.read(bytes, 0, bytes.length, 0));
    } finally {
      await file.close();
    }
  }

  async remove(name: string): Promise<void> {
    const path = this.#path(name);
    if (!(await this.#files.exists(path))) return;
    await this.#files.remove(path);
    await this.#files.syncFolder(this.#folder);
  }

  async clean(isOurs: (name: string) => boolean): Promise<void> {
    if (!(await this.#files.exists(this.#folder))) return;
    const left = (await this.#files.list(this.#folder)).filter(
      (name) => isUnfinished(name) && isOurs(name.slice(0, -UNFINISHED_SUFFIX.length)),
    );
    for (const name of left) await this.#files.remove(join(this.#folder, name));
    if (left.length > 0) await this.#files.syncFolder(this.#folder);
  }

  #path(name: string): string {
    checkName(name);
    return join(this.#folder, name);
  }

  /** undefined for a folder of somebody's between the backups, and for a file that was just removed. */
  async #sizeOf(path: string): Promise<number | undefined> {
    if (await this.#isFolder(path)) return undefined;
    const file = await unlessErrno(["ENOENT"], this.#files.open(path, "read"));
    if (file === undefined) return undefined;
    try {
      return await file.size();
    } finally {
      await file.close();
    }
  }

  /** By listing it: a folder can be opened and says that it has 4096 bytes. */
  async #isFolder(path: string): Promise<boolean> {
    return (await unlessErrno(["ENOTDIR", "ENOENT"], this.#files.list(path))) !== undefined;
  }

  /** Durable with all parents that were missing: else a power loss takes the backups with the folder. */
  async #makeFolder(): Promise<void> {
    const missing: string[] = [];
    for (let path = this.#folder; !(await this.#files.exists(path)); path = dirname(path)) {
      missing.push(path);
    }
    if (missing.length === 0) return;
    await this.#files.makeFolder(this.#folder);
    for (const path of missing) await this.#files.syncFolder(dirname(path));
  }
}

class FolderSink implements BackupSink {
  readonly #files: Files;
  readonly #path: string;
  readonly #file: OpenFile;
  #bytes = 0;
  #state: "open" | "closed" | "renamed" | "abandoned" = "open";

  constructor(files: Files, path: string, file: OpenFile) {
    this.#files = files;
    this.#path = path;
    this.#file = file;
  }

  async write(bytes: Uint8Array, start: number, end: number): Promise<void> {
    await this.#file.write(bytes, start, end, this.#bytes);
    this.#bytes += end - start;
  }

  async finish(): Promise<void> {
    // Before the rename: otherwise the name may be durable while the bytes are not.
    await this.#file.sync();
    await this.#close();
    await this.#files.rename(this.#path + UNFINISHED_SUFFIX, this.#path);
    this.#state = "renamed";
    await this.#files.syncFolder(dirname(this.#path));
  }

  async abandon(): Promise<void> {
    if (this.#state === "abandoned") return;
    if (this.#state === "open") await this.#close();
    // After a failed sync of the folder nobody knows which name a power loss would leave.
    const left = this.#state === "renamed" ? this.#path : this.#path + UNFINISHED_SUFFIX;
    await this.#files.remove(left);
    await this.#files.syncFolder(dirname(this.#path));
    this.#state = "abandoned";
  }

  /** The descriptor is gone also when this fails. */
  async #close(): Promise<void> {
    this.#state = "closed";
    await this.#file.close();
  }
}

/** What it resolves to; undefined when it failed with one of these. */
async function unlessErrno<Result>(
  expected: readonly string[],
  promise: Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (expected.includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}

function isUnfinished(name: string): boolean {
  return name.endsWith(UNFINISHED_SUFFIX);
}
