/**
 * Files of one folder that somebody uses, by name: what they opened, made, replaced or renamed lies under these names in
 * the folder. For who must know which files belong to whom, without knowing anything about them.
 */
import { relative, sep } from "node:path";
import type { Files } from "./files.ts";

/** `nameOf` a path that is not in the folder. */
export const OUTSIDE = "..";

export class WatchedFiles {
  readonly files: Files;
  readonly #folder: string;
  readonly #onTouch: (name: string) => void;
  readonly #paths = new Set<string>();

  /** `onTouch` is called before something is opened, made or changed, with its name in the folder; it may throw. */
  constructor(files: Files, folder: string, onTouch: (name: string) => void = () => {}) {
    this.#folder = folder;
    this.#onTouch = onTouch;
    this.files = this.#watch(files);
  }

  /** In the folder; of what lies deeper, the folder that it is in. Whether they are there still, `files` tells. */
  get names(): string[] {
    const names = [...this.#paths].map((path) => this.nameOf(path));
    return [...new Set(names)].filter((name) => name !== OUTSIDE).sort();
  }

  /** Everything, wherever it lies. */
  get paths(): string[] {
    return [...this.#paths].sort();
  }

  /** Of a path in the folder the first part; OUTSIDE for one elsewhere. */
  nameOf(path: string): string {
    return relative(this.#folder, path).split(sep, 1)[0] ?? "";
  }

  #watch(files: Files): Files {
    const touching =
      <Rest extends unknown[], Result>(run: (path: string, ...rest: Rest) => Promise<Result>) =>
      async (path: string, ...rest: Rest): Promise<Result> => {
        this.#touch(path);
        return run(path, ...rest);
      };
    return {
      open: touching((path, mode, options) => files.open(path, mode, options)),
      makeFolder: touching((path, options) => files.makeFolder(path, options)),
      list: (path) => files.list(path),
      exists: (path) => files.exists(path),
      remove: touching((path) => files.remove(path)),
      rename: touching(async (from, to) => {
        this.#touch(to);
        await files.rename(from, to);
      }),
      syncFolder: (path) => files.syncFolder(path),
      replace: touching((path, bytes, options) => files.replace(path, bytes, options)),
      map: touching((path, start, length) => files.map(path, start, length)),
      freeBytes: (folder) => files.freeBytes(folder),
    };
  }

  #touch(path: string): void {
    const name = this.nameOf(path);
    if (name === "") return; // the folder itself
    if (name !== OUTSIDE) this.#onTouch(name);
    this.#paths.add(path);
  }
}
