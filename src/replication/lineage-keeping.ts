/** Writes the lineage, one write at a time: whoever asks while one is under way shares the next. */
import type { Files } from "../platform/files.ts";
import { type ReadLineage, writeLineage } from "./lineage-file.ts";

export class LineageKeeping {
  #place: { readonly files: Files; readonly folder: string } | undefined;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #latest: ReadLineage | undefined;

  /** Without it nothing is kept. */
  keepIn(files: Files, folder: string): void {
    this.#place = { files, folder };
  }

  /** Resolves when it, or something later, is durable; what is changed in it until the write begins is in it. */
  save(state: ReadLineage): Promise<void> {
    if (this.#place === undefined) return Promise.resolve();
    this.#latest = state;
    this.#next ??= this.#afterRunning();
    return this.#next;
  }

  async #afterRunning(): Promise<void> {
    // The one before has told its own failure to those who asked for it.
    await Promise.allSettled([this.#running]);
    const writing = this.#write();
    this.#running = writing;
    this.#next = undefined;
    await writing;
  }

  async #write(): Promise<void> {
    const { files, folder } = this.#place as { files: Files; folder: string };
    await writeLineage(files, folder, this.#latest as ReadLineage);
  }

  /** Resolves when nothing is being written; never rejects. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#running, this.#next]);
  }
}
