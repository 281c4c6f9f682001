/**
 * Packs sealed segments in the background, one after the other, oldest first: those that are going
 * to stay for a while, when the log grows slowly. A segment that a checkpoint is about to let go is
 * not worth it, and where many are written the processor has better things to do. The invariant: the
 * segment as it was written is removed only when the manifest names the packed one.
 */
import { type Clock, type Files, KvdbError, type Log } from "kvdb";
import type { SegmentEntry } from "./manifest.ts";
import { packSegment } from "./packed-writer.ts";
import type { SegmentChain } from "./segment-chain.ts";

/** A shorter one would hardly take fewer blocks of the file system. */
const SHORTEST_BYTES = 64 * 1024;

/**
 * So long no segment was sealed. Packing costs a quarter of what writing its records did (0.27 µs
 * for each SET of 32 bytes), so at a segment in 30 s, 30 000 SETs a second, it takes a hundredth of a
 * processor at most.
 */
const CALM_MS = 30_000;

export interface PackerOptions {
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly chain: SegmentChain;
  /** Of zstd; 0: nothing is packed. */
  readonly level: number;
  /** Whether segments that are sealed now stay for a while. */
  readonly isLongLived: () => boolean;
}

export class SegmentPacker {
  readonly #options: PackerOptions;
  #isStopped = false;
  #timer: { cancel(): void } | undefined;
  /** Segments below it go with the checkpoint that was begun, or with the next one. */
  #firstToStay = 0;
  #work: Promise<void> | undefined;
  /** Segments that could not be packed: they stay as they are, until the next start at least. */
  readonly #refused = new Set<number>();

  constructor(options: PackerOptions) {
    this.#options = options;
  }

  get isWorking(): boolean {
    return this.#work !== undefined;
  }

  /** A segment was sealed, or the log was read, or a checkpoint has let segments go: when it is calm. */
  consider(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#next() === undefined) return;
    this.#timer = this.#options.clock.after(CALM_MS, () => {
      this.#timer = undefined;
      this.#begin();
    });
  }

  /** A checkpoint is begun that lets go what is before this segment: that need not be packed. */
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

  #next(): SegmentEntry | undefined {
    const { chain, level, isLongLived } = this.#options;
    if (this.#isStopped || level === 0 || !isLongLived()) return undefined;
    return chain.sealed.find((entry) => this.#isWorthIt(entry));
  }

  #isWorthIt({ number, bytes = 0, damaged = [], packed }: SegmentEntry): boolean {
    if (packed !== undefined || damaged.length > 0 || bytes < SHORTEST_BYTES) return false;
    return number >= this.#firstToStay && !this.#refused.has(number);
  }

  async #pack(entry: SegmentEntry): Promise<void> {
    const { files, folder, level, chain, log } = this.#options;
    try {
      const proceed = () => this.#proceed(entry);
      const packed = await packSegment({ files, folder, entry, level, proceed });
      await chain.repack(entry.number, packed);
    } catch (error) {
      if (error instanceof NotWanted) return;
      this.#refused.add(entry.number);
      const isDamage = error instanceof KvdbError && error.code === "DAMAGE";
      const fields = { segment: entry.number, error: String(error) };
      log[isDamage ? "error" : "warn"]("a segment is not compressed", fields);
    }
  }

  #proceed({ number }: SegmentEntry): void {
    if (this.#isStopped || number < this.#firstToStay) throw new NotWanted();
  }
}

class NotWanted extends Error {}
