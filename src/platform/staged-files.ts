/**
 * Files for somebody who is to write beside what is there, as if nothing were: each file that is made gets a suffix behind its
 * name, and those without are not seen. Whoever lends them moves what was made into its place, when all of it is there.
 */
import { join } from "node:path";
import { UNFINISHED_SUFFIX } from "./atomic-file.ts";
import type { Files, OpenFile } from "./files.ts";

export const STAGED_SUFFIX = ".restoring";

export class StagedFiles {
  readonly files: Files;
  readonly #paths = new Set<string>();
  readonly #folders = new Set<string>();

  /** `folder` is there for whoever asks. */
  constructor(files: Files, folder: string) {
    this.files = this.#stage(files);
    this.#folders.add(folder);
  }

  /** Of files that were made, without the suffix. Whether they are there still, `files` tells. */
  get paths(): string[] {
    return [...this.#paths].sort();
  }

  #stage(files: Files): Files {
    const staged = (path: string) => {
      this.#paths.add(path);
      return path + STAGED_SUFFIX;
    };
    return {
      open: async (path, mode, options) =>
        calledFile(await files.open(staged(path), mode, options), path),
      makeFolder: async (path, options) => {
        this.#folders.add(path);
        await files.makeFolder(path, options);
      },
      list: async (path) => {
        const names = await files.list(path);
        return names
          .filter((name) => name.endsWith(STAGED_SUFFIX))
          .map((name) => name.slice(0, -STAGED_SUFFIX.length));
      },
      exists: async (path) => this.#folders.has(path) || files.exists(path + STAGED_SUFFIX),
      remove: (path) => files.remove(path + STAGED_SUFFIX),
      rename: (from, to) => files.rename(from + STAGED_SUFFIX, staged(to)),
      syncFolder: (path) => files.syncFolder(path),
      replace: (path, bytes, options) => files.replace(staged(path), bytes, options),
      map: (path, start, length) => files.map(path + STAGED_SUFFIX, start, length),
      freeBytes: (folder) => files.freeBytes(folder),
    };
  }
}

/** An open file as who opened it calls it: by that path it is opened again. */
function calledFile(file: OpenFile, path: string): OpenFile {
  return {
    path,
    size: () => file.size(),
    read: (target, offset, length, position) => file.read(target, offset, length, position),
    readNow: (target, offset, length, position) => file.readNow(target, offset, length, position),
    write: (bytes, start, end, position) => file.write(bytes, start, end, position),
    writeNow: (bytes, start, end, position) => file.writeNow(bytes, start, end, position),
    sync: () => file.sync(),
    truncate: (size) => file.truncate(size),
    lock: () => file.lock(),
    close: () => file.close(),
  };
}

/**
 * Removes what is staged under these names, and whatever else is staged in the folder or one below, where a persistence may
 * have its files: nobody needs it any more.
 */
export async function removeStaged(
  files: Files,
  folder: string,
  paths: readonly string[] = [],
): Promise<void> {
  for (const path of paths) await files.remove(path + STAGED_SUFFIX);
  const names = await files.list(folder);
  const staged = names.filter(isStaged).map((name) => join(folder, name));
  const others = names.filter((name) => !isStaged(name)).map((name) => join(folder, name));
  for (const path of [...staged, ...(await stagedBelow(files, others))]) await files.remove(path);
}

/** Most are files, which cannot be listed; nor has anybody staged something in a folder that cannot. */
async function stagedBelow(files: Files, paths: readonly string[]): Promise<string[]> {
  const listed = await Promise.allSettled(paths.map((path) => files.list(path)));
  return paths.flatMap((path, at) => {
    const names = listed[at]?.status === "fulfilled" ? listed[at].value : [];
    return names.filter(isStaged).map((name) => join(path, name));
  });
}

/** Or was about to be. */
function isStaged(name: string): boolean {
  return name.endsWith(STAGED_SUFFIX) || name.endsWith(STAGED_SUFFIX + UNFINISHED_SUFFIX);
}
