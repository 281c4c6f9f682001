/**
 * Compresses sealed files of a log in the background, one after the other, oldest first: those that are going
 * to stay for a while, when the log grows slowly. One that a checkpoint is about to let go is not worth it, and
 * where many are written the processor has better things to do. What a compressed file looks like is the
 * plugin's.
 *
 * The invariant is `pack`'s: the file as it was written is removed only when the manifest names the compressed one.
 */
import { KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";

/** A shorter one would hardly take fewer blocks of the file system. */
const SHORTEST_BYTES = 64 * 1024;

/**
 * So long no file was sealed. Packing costs a quarter of what writing its records did (0.27 µs for each SET of
 * 32 bytes), so at a segment in 30 s, 30 000 SETs a second, it takes a hundredth of a processor at most.
 */
const CALM_MS = 30_000;

/** What the packer must know of a sealed file. */
export interface SealedFile {
  /** Grows from one to the next. */
  readonly number: number;
  /** For the log. */
  readonly name: string;
  readonly bytes: number;
  /** False: it is compressed already, or nobody knows all that is in it. */
  readonly isPackable: boolean;
}

/** `Entry`: a sealed file as the plugin's manifest has it. */
export interface PackerOptions<Entry> {
  readonly clock: Clock;
  readonly log: Log;
  /** Of zstd; 0: nothing is packed. */
  readonly level: number;
  /** The oldest first. */
  readonly sealed: () => readonly Entry[];
  readonly describe: (entry: Entry) => SealedFile;
  /** Whether files that are sealed now stay for a while. */
  readonly isLongLived: () => boolean;
  /** Puts the compressed file in its place; asks `proceed` now and then, which throws when it is not wanted any more. */
  readonly pack: (entry: Entry, proceed: () => void) => Promise<void>;
}

export class LogPacker<Entry> {
  readonly #options: PackerOptions<Entry>;
  #isStopped = false;
  #timer: { cancel(): void } | undefined;
  /** Files below it go with the checkpoint that was begun, or with the next one. */
  #firstToStay = 0;
  #work: Promise<void> | undefined;
  /** Files that could not be packed: they stay as they are, until the next start at least. */
  readonly #refused = new Set<number>();

  constructor(options: PackerOptions<Entry>) {
    this.#options = options;
  }

  get isWorking(): boolean {
    return this.#work !== undefined;
  }

  /** A file was sealed, or the log was read, or a checkpoint has let some go: when it is calm. */
  consider(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#next() === undefined) return;
    this.#timer = this.#options.clock.after(CALM_MS, () => {
      this.#timer = undefined;
      this.#begin();
    });
  }

  /** A checkpoint is begun that lets go what is before this file: that need not be packed. */
  async passOver(number: number): Promise<void> {
    this.#firstToStay = number;
    await this.#work;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#work;
  }

  #begin(): void {
    const entry = this.#next();
    if (entry === undefined || this.#work !== undefined) return;
    this.#work = this.#pack(entry).then(() => {
      this.#work = undefined;
      if (this.#timer === undefined) this.#begin();
    });
  }

  #next(): Entry | undefined {
    const { sealed, describe, level, isLongLived } = this.#options;
    if (this.#isStopped || level === 0 || !isLongLived()) return undefined;
    return sealed().find((entry) => this.#isWorthIt(describe(entry)));
  }

  #isWorthIt({ number, bytes, isPackable }: SealedFile): boolean {
    if (!isPackable || bytes < SHORTEST_BYTES) return false;
    return number >= this.#firstToStay && !this.#refused.has(number);
  }

  async #pack(entry: Entry): Promise<void> {
    const { log, describe, pack } = this.#options;
    const { number, name } = describe(entry);
    try {
      await pack(entry, () => this.#proceed(number));
    } catch (error) {
      if (error instanceof NotWanted) return;
      this.#refused.add(number);
      const isDamage = error instanceof KvdbError && error.code === "DAMAGE";
      const fields = { file: name, error: String(error) };
      log[isDamage ? "error" : "warn"]("a file of the log is not compressed", fields);
    }
  }

  #proceed(number: number): void {
    if (this.#isStopped || number < this.#firstToStay) throw new NotWanted();
  }
}

class NotWanted extends Error {}
