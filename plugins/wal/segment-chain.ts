/**
 * The segments of the log while it is written: the sealed ones and the active one, kept equal to
 * the manifest. It changes in one way only, by beginning a new segment, in an order in which a stop
 * between any two steps leaves a log that is whole: segment with its header, its name, the
 * manifest, and only then the first group.
 */
import type { Files, Log, Revision } from "kvdb";
import { readManifest, type SegmentEntry, type Stretch, writeManifest } from "./manifest.ts";
import {
  type ActiveSegment,
  closeAll,
  createIdentity,
  createSegment,
  SEGMENT_HEADER_BYTES,
} from "./segment.ts";

export interface ChainOptions {
  readonly files: Files;
  readonly folder: string;
  readonly log: Log;
}

/** Where the log stands when writing begins. */
export interface ChainStart {
  /** All but the active one, each with its `bytes`. */
  readonly sealed: readonly SegmentEntry[];
  readonly active: ActiveSegment;
  /** Stretches of the active segment that every later manifest must go on naming. */
  readonly activeDamaged: readonly Stretch[];
}

export class SegmentChain {
  readonly #options: ChainOptions;
  #sealed: readonly SegmentEntry[];
  #active: ActiveSegment;
  #activeDamaged: readonly Stretch[];

  constructor(options: ChainOptions, start: ChainStart) {
    this.#options = options;
    this.#sealed = start.sealed;
    this.#active = start.active;
    this.#activeDamaged = start.activeDamaged;
  }

  get active(): ActiveSegment {
    return this.#active;
  }

  get segmentCount(): number {
    return this.#sealed.length + 1;
  }

  /** Bytes of the log that count. */
  get size(): number {
    return this.#sealed.reduce((sum, { bytes }) => sum + (bytes ?? 0), this.#active.end);
  }

  /**
   * Seals the active segment at `sealedBytes` and begins the next; it repeats what came after
   * `keptRevision`.
   */
  async begin(sealedBytes: number, keptRevision: Revision): Promise<void> {
    const { files, folder } = this.#options;
    const old = this.#active;
    const identity = createIdentity(await this.#nextNumber(), keptRevision + 1);
    const fresh = await createSegment(files, folder, identity);
    const sealed = this.#withSealed(sealedBytes);
    try {
      await files.syncFolder(folder);
      await writeManifest(files, folder, [...sealed, fresh]);
    } catch (error) {
      await closeAll([fresh.synced, fresh.plain]);
      throw error;
    }
    this.#sealed = sealed;
    this.#active = fresh;
    this.#activeDamaged = [];
    await this.#retire(old, sealedBytes);
  }

  /** What counts was synced before: a close that fails loses nothing. */
  async close(): Promise<void> {
    await closeAll([this.#active.synced, this.#active.plain]);
  }

  /**
   * An attempt that failed may have left its number in the manifest, or not: the file of that
   * number must stay as it is. A number that the manifest does not name is used again, else a full
   * disk would fill up with empty segments.
   */
  async #nextNumber(): Promise<number> {
    const manifest = await readManifest(this.#options.files, this.#options.folder);
    const named = manifest.kind === "intact" ? (manifest.segments.at(-1)?.number ?? 0) : 0;
    return Math.max(this.#active.number, named) + 1;
  }

  /**
   * A segment without a group that counts is left out: a disk that stays full must not fill the
   * manifest.
   */
  #withSealed(bytes: number): readonly SegmentEntry[] {
    if (bytes <= SEGMENT_HEADER_BYTES) return this.#sealed;
    const { number, salt, firstRevision } = this.#active;
    return [...this.#sealed, { number, salt, firstRevision, bytes, damaged: this.#activeDamaged }];
  }

  /**
   * Gives back what lies behind the end. Of no consequence for the log: reading stops at `bytes`
   * anyway.
   */
  async #retire(old: ActiveSegment, sealedBytes: number): Promise<void> {
    const { files, log } = this.#options;
    try {
      if (sealedBytes > SEGMENT_HEADER_BYTES) await old.plain.truncate(sealedBytes);
      else await files.remove(old.path);
    } catch (error) {
      const fields = { file: old.path, error: String(error) };
      log.warn("unused bytes of a segment stay on disk", fields);
    }
    await closeAll([old.synced, old.plain]);
  }
}
