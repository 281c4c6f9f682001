/**
 * Compresses sealed increments in the background, one after the other, oldest first: those that are
 * going to stay for a while, when the log grows slowly. One that a rewrite is about to let go is not
 * worth it, and where many are written the processor has better things to do. The invariant: the
 * increment as it was written is removed only when the manifest names the compressed one.
 */
import { type Clock, type Files, KvdbError, type Log } from "kvdb";
import type { FileChain } from "./file-chain.ts";
import type { FileNames, IncrementEntry } from "./manifest.ts";
import { packIncrement } from "./packed-writer.ts";

/** A shorter one would hardly take fewer blocks of the file system. */
const SHORTEST_BYTES = 64 * 1024;

/** So long no increment was sealed: at a new one each 30 s compressing costs little beside writing. */
const CALM_MS = 30_000;

export interface PackerOptions {
  readonly files: Files;
  readonly names: FileNames;
  readonly clock: Clock;
  readonly log: Log;
  readonly chain: FileChain;
  /** Of zstd; 0: nothing is compressed. */
  readonly level: number;
  /** Whether increments that are sealed now stay for a while. */
  readonly isLongLived: () => boolean;
}

export class IncrementPacker {
  readonly #options: PackerOptions;
  #isStopped = false;
  #timer: { cancel(): void } | undefined;
  /** Increments below it go with the rewrite that was begun, or with the next one. */
  #firstToStay = 0;
  #work: Promise<void> | undefined;
  /** Those that could not be compressed: they stay as they are, until the next start at least. */
  readonly #refused = new Set<number>();

  constructor(options: PackerOptions) {
    this.#options = options;
  }

  get isWorking(): boolean {
    return this.#work !== undefined;
  }

  /** One was sealed, or the log was read, or a rewrite has let some go: when it is calm. */
  consider(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#next() === undefined) return;
    this.#timer = this.#options.clock.after(CALM_MS, () => {
      this.#timer = undefined;
      this.#begin();
    });
  }

  /** A rewrite is begun that lets go what is before this increment: that need not be compressed. */
  async passOver(sequence: number): Promise<void> {
    this.#firstToStay = sequence;
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

  #next(): IncrementEntry | undefined {
    const { chain, level, isLongLived } = this.#options;
    if (this.#isStopped || level === 0 || !isLongLived()) return undefined;
    return chain.sealed.find((entry) => this.#isWorthIt(entry));
  }

  #isWorthIt({ sequence, own }: IncrementEntry): boolean {
    if (own === undefined || own.packedBytes !== undefined) return false;
    if ((own.bytes ?? 0) < SHORTEST_BYTES) return false;
    return sequence >= this.#firstToStay && !this.#refused.has(sequence);
  }

  async #pack(entry: IncrementEntry): Promise<void> {
    const { files, names, level, chain, log } = this.#options;
    try {
      const proceed = () => this.#proceed(entry);
      const packedBytes = await packIncrement({ files, names, entry, level, proceed });
      await chain.repack(entry.sequence, packedBytes);
    } catch (error) {
      if (error instanceof NotWanted) return;
      this.#refused.add(entry.sequence);
      const isDamage = error instanceof KvdbError && error.code === "DAMAGE";
      const fields = { file: entry.name, error: String(error) };
      log[isDamage ? "error" : "warn"]("an increment is not compressed", fields);
    }
  }

  #proceed({ sequence }: IncrementEntry): void {
    if (this.#isStopped || sequence < this.#firstToStay) throw new NotWanted();
  }
}

class NotWanted extends Error {}
