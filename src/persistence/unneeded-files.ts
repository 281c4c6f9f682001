/**
 * What lies in the folder of a log and counts no more: removed at once where that is possible. What stays costs its space and
 * nothing else, for the manifest does not name it, and the next start removes it.
 */
import { join } from "node:path";
import type { Files } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import { closeAll } from "./folder-files.ts";
import type { LogFile } from "./log-writer.ts";

export class UnneededFiles {
  readonly #place: { readonly files: Files; readonly folder: string; readonly log: Log };
  /** Names that may have a file, or soon. */
  #noted: string[] = [];

  constructor(place: { readonly files: Files; readonly folder: string; readonly log: Log }) {
    this.#place = place;
  }

  /** It goes with the next `removeNoted`. */
  note(name: string): void {
    this.#noted.push(name);
  }

  /** It counts now. */
  release(name: string): void {
    this.#noted = this.#noted.filter((noted) => noted !== name);
  }

  async removeNoted(): Promise<void> {
    const noted = this.#noted;
    this.#noted = [];
    for (const name of noted) {
      if (!(await this.remove(name))) this.#noted.push(name);
    }
  }

  /** Never rejects; false: it stays. */
  async remove(name: string): Promise<boolean> {
    const { files, folder, log } = this.#place;
    try {
      await files.remove(join(folder, name));
      return true;
    } catch (error) {
      log.warn("a file that is not needed any more stays", { file: name, error: String(error) });
      return false;
    }
  }

  /**
   * A file was sealed: closes it, and gives back what lies behind its end; all of it, when nothing in
   * it counts. Of no consequence for the log: reading stops at the bytes that count anyway.
   */
  async retire(file: LogFile, sealedBytes: number): Promise<void> {
    const { files, log } = this.#place;
    try {
      if (sealedBytes > file.headBytes) await file.plain.truncate(sealedBytes);
      else await files.remove(file.path);
    } catch (error) {
      const fields = { file: file.path, error: String(error) };
      log.warn("unused bytes of the log stay on disk", fields);
    }
    await closeAll([file.synced, file.plain]);
  }
}
