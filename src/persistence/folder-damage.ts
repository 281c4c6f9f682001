/**
 * What is wrong with a folder as a whole, before any of its files is read: a manifest that is gone, a file whose header cannot
 * be read. Who wants to use the data is refused; who asked for every intact record is told, and the file is put aside. The
 * invariant: no byte is lost, and nothing changes while a folder is only looked at.
 */
import type { Dropped } from "../plugin.ts";
import { freeName, sizeOf } from "./folder-files.ts";
import { damageError, type FolderOptions } from "./recovery-account.ts";

export class FolderDamage {
  readonly dropped: Dropped[] = [];
  readonly #options: Pick<FolderOptions, "files" | "purpose">;
  readonly #folder: string;

  /** `folder`: the one that the files lie in. */
  constructor(options: Pick<FolderOptions, "files" | "purpose">, folder: string) {
    this.#options = options;
    this.#folder = folder;
  }

  /** Throws, unless it is damage that is looked for. */
  refuse(what: string): void {
    if (this.#options.purpose.kind === "use") throw damageError(what);
  }

  report(file: string, bytes: number, reason: string, keptIn?: string): void {
    const kept = keptIn === undefined ? {} : { keptIn };
    this.dropped.push({ kind: "damage", file, offset: 0, bytes, reason, ...kept });
  }

  /** Takes a file out of the folder's data without losing a byte of it. */
  async putAside(path: string, reason: string): Promise<void> {
    const { files, purpose } = this.#options;
    const bytes = await sizeOf(files, path);
    if (purpose.kind === "check") return this.report(path, bytes, reason);
    const keptIn = await freeName(files, `${path}.damaged-0`);
    await files.rename(path, keptIn);
    await files.syncFolder(this.#folder);
    this.report(path, bytes, reason, keptIn);
  }
}
