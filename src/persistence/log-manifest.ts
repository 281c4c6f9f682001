/**
 * Writes the manifest of a log, and knows what may be on disk when that fails: a manifest that was put in its place and could
 * not be made durable may be there after a power loss, or the one before. What it looks like is the plugin's.
 *
 * The invariant: a file that a manifest on disk may name is not taken for another one, and not removed.
 */
import type { Log } from "../platform/log.ts";

/** A file that is covered by the checkpoint, and there for who reads the log alone. */
export type Kept<Entry> = Entry & {
  /** In milliseconds since 1970. */
  readonly coveredMs: number;
};

/** What counts, as a manifest says. */
export interface LiveLog<Entry, Checkpoint> {
  readonly checkpoint: Checkpoint | undefined;
  /** In order; the last one is written. */
  readonly files: readonly Entry[];
  /** Before them. */
  readonly kept: readonly Kept<Entry>[];
  /** Somebody has followed the changes. */
  readonly isFollowed: boolean;
}

/** A manifest as it is on disk. */
export interface ReadLog<Entry, Checkpoint> {
  readonly live: LiveLog<Entry, Checkpoint>;
  /** All that it says, as it would be written. */
  readonly text: string;
}

export interface ManifestForm<Entry, Checkpoint> {
  /** Grows from one file to the next. */
  numberOf(entry: Entry): number;
  /** Undefined: it is not there, or damaged. */
  readManifest(): Promise<ReadLog<Entry, Checkpoint> | undefined>;
  /** Durable when it resolves. */
  writeManifest(live: LiveLog<Entry, Checkpoint>): Promise<void>;
  /** What would be written: the same for the same files, whichever wider objects they are handed in by. */
  manifestText(live: LiveLog<Entry, Checkpoint>): string;
}

export class LogManifest<Entry, Checkpoint> {
  readonly #form: ManifestForm<Entry, Checkpoint>;
  readonly #log: Log;
  /** The one that was written last and is durable. */
  #written: string;
  /**
   * False when a manifest was put in its place and could not be made durable: either may be there
   * after a power loss. The same holds for each that follows and fails; the highest file that any of
   * them names is kept, for it must stay as it is.
   */
  #isCertain = true;
  #perhapsNamed = 0;

  /** `live`: what the one on disk says. */
  constructor(form: ManifestForm<Entry, Checkpoint>, log: Log, live: LiveLog<Entry, Checkpoint>) {
    this.#form = form;
    this.#log = log;
    this.#written = form.manifestText(live);
  }

  /** What is on disk is what was written last. */
  get isCertain(): boolean {
    return this.#isCertain;
  }

  /** No manifest that is in doubt names a file with a higher number; 0: none is. */
  get perhapsNamed(): number {
    return this.#perhapsNamed;
  }

  async write(live: LiveLog<Entry, Checkpoint>): Promise<void> {
    try {
      await this.#form.writeManifest(live);
      this.#written = this.#form.manifestText(live);
      this.#isCertain = true;
      this.#perhapsNamed = 0;
    } catch (error) {
      await this.#doubt(live);
      throw error;
    }
  }

  /** What it says that is on disk now; undefined when it does not say. */
  async read(): Promise<ReadLog<Entry, Checkpoint> | undefined> {
    try {
      return await this.#form.readManifest();
    } catch (error) {
      this.#log.warn("the manifest cannot be read", { error: String(error) });
      return undefined;
    }
  }

  /** This one could not be written. It is in doubt unless the one before is still in place. */
  async #doubt(live: LiveLog<Entry, Checkpoint>): Promise<void> {
    const seen = await this.read();
    if (seen?.text === this.#written && this.#isCertain) return;
    this.#isCertain = false;
    const last = (seen?.live ?? live).files.at(-1);
    const number = last === undefined ? 0 : this.#form.numberOf(last);
    this.#perhapsNamed = Math.max(this.#perhapsNamed, number);
  }
}
