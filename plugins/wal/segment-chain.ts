/**
 * The files that count while the log is written: the checkpoint, the sealed segments behind it and
 * the active one, kept equal to the manifest. They change by beginning a segment, by adopting a
 * checkpoint and by packing a segment, one change at a time, in an order in which a stop between any
 * two steps leaves the old or the new state whole: new file, its name, the manifest, and only then
 * its first use and the end of what it replaces.
 */
import { join } from "node:path";
import type { Files, Log, Revision } from "kvdb";
import { closeAll, type LogKeeping, type Stretch } from "kvdb/persistence";
import { checkpointName } from "./checkpoint.ts";
import {
  type CheckpointEntry,
  type KeptEntry,
  type LiveFiles,
  manifestText,
  type PackedEntry,
  readManifest,
  type SegmentEntry,
  segmentFileName,
  writeManifest,
} from "./manifest.ts";
import { packedName } from "./packed-segment.ts";
import {
  type ActiveSegment,
  createIdentity,
  createSegment,
  SEGMENT_HEADER_BYTES,
  segmentName,
} from "./segment.ts";

export interface ChainOptions {
  readonly files: Files;
  readonly folder: string;
  readonly log: Log;
  /** How much of what a checkpoint covers stays. */
  readonly keeping: LogKeeping;
}

/** Where the log stands when writing begins. */
export interface ChainStart {
  readonly checkpoint: CheckpointEntry | undefined;
  /** No file has a higher one. */
  readonly highestCheckpoint: number;
  /** All but the active one, each with its `bytes`. */
  readonly sealed: readonly SegmentEntry[];
  /** Before them, and covered by the checkpoint. */
  readonly kept: readonly KeptEntry[];
  /** The manifest says that somebody has followed the changes. */
  readonly followed: boolean;
  /** From which revision on no record is missing. */
  readonly firstWhole: Revision;
  readonly active: ActiveSegment;
  /** Stretches of the active segment that every later manifest must go on naming. */
  readonly activeDamaged: readonly Stretch[];
}

export class SegmentChain {
  readonly #options: ChainOptions;
  #checkpoint: CheckpointEntry | undefined;
  #highestCheckpoint: number;
  #kept: readonly KeptEntry[];
  #isFollowed: boolean;
  #firstWhole: Revision;
  #sealed: readonly SegmentEntry[] = [];
  #sealedBytes = 0;
  #active: ActiveSegment;
  #activeDamaged: readonly Stretch[];
  /** Settles with the change that is under way. */
  #changing: Promise<unknown> = Promise.resolve();
  /** Checkpoints that do not count and may have left a file. */
  #unused: number[] = [];
  /** The manifest that was written last and is durable. */
  #written: string;
  /**
   * False when a manifest was put in its place and could not be made durable: either may be there
   * after a power loss. The same holds for each that follows and fails; the highest segment that any
   * of them names is kept, for its file must stay as it is.
   */
  #isCertain = true;
  #perhapsNamed = 0;

  constructor(options: ChainOptions, start: ChainStart) {
    this.#options = options;
    this.#checkpoint = start.checkpoint;
    this.#highestCheckpoint = start.highestCheckpoint;
    this.#active = start.active;
    this.#kept = start.kept;
    this.#isFollowed = start.followed;
    this.#firstWhole = start.firstWhole;
    this.#setSealed(start.sealed);
    this.#activeDamaged = start.activeDamaged;
    this.#written = manifestText(this.#live(this.#checkpoint, this.#current(), this.#kept));
  }

  get active(): ActiveSegment {
    return this.#active;
  }

  get checkpoint(): CheckpointEntry | undefined {
    return this.#checkpoint;
  }

  get sealed(): readonly SegmentEntry[] {
    return this.#sealed;
  }

  /** Covered by the checkpoint, and still there. */
  get kept(): readonly KeptEntry[] {
    return this.#kept;
  }

  /** Every record from this revision on can be read. */
  get readableFrom(): Revision {
    const first = this.#kept[0] ?? this.#sealed[0] ?? this.#active;
    return Math.max(first.firstRevision, this.#firstWhole, 1);
  }

  /** The segment in which the records from `revision` on begin; undefined: it is gone. */
  segmentWith(revision: Revision): SegmentPlace | undefined {
    if (revision < this.readableFrom) return undefined;
    const all = this.#readable();
    return this.#place(
      all,
      all.findLastIndex(({ firstRevision }) => firstRevision <= revision),
    );
  }

  /** As it is now; undefined: it is gone. */
  segment(number: number): SegmentPlace | undefined {
    const all = this.#readable();
    return this.#place(
      all,
      all.findIndex((entry) => entry.number === number),
    );
  }

  #readable(): readonly SegmentEntry[] {
    return [...this.#kept, ...this.#current()];
  }

  #place(all: readonly SegmentEntry[], index: number): SegmentPlace | undefined {
    const entry = all[index];
    return entry && { entry, nextRevision: all[index + 1]?.firstRevision };
  }

  /** Records up to this one are in no segment, and in a checkpoint alone: none before it leads on. */
  skipTo(revision: Revision): void {
    this.#firstWhole = Math.max(this.#firstWhole, revision + 1);
  }

  get segmentCount(): number {
    return this.#sealed.length + 1;
  }

  get packedCount(): number {
    return this.#sealed.filter(({ packed }) => packed !== undefined).length;
  }

  /** Length of the log on disk, with what was prepared for it. Asked at each flush. */
  get fileBytes(): number {
    return this.#sealedBytes + Math.max(this.#active.end, this.#active.preparedEnd);
  }

  /**
   * Seals the active segment at `sealedBytes` and begins the next; it repeats what came after
   * `keptRevision`.
   */
  begin(sealedBytes: number, keptRevision: Revision): Promise<void> {
    return this.#exclusively(() => this.#begin(sealedBytes, keptRevision));
  }

  /**
   * A checkpoint is durable: it counts from now on, and what it covers goes, segments that have
   * nothing behind its revision and the checkpoint before; some of them stay for who reads the log.
   * `replacesAll`: no record before it leads to what is in it.
   */
  adopt(checkpoint: CheckpointEntry, replacesAll: boolean): Promise<void> {
    return this.#exclusively(() => this.#adopt(checkpoint, replacesAll));
  }

  /**
   * The bytes of a sealed segment are in a packed file as well: it counts from now on, and the
   * other one goes. Unless a checkpoint has let the segment go meanwhile.
   */
  repack(number: number, packed: PackedEntry): Promise<void> {
    return this.#exclusively(() => this.#repack(number, packed));
  }

  /** Somebody follows the changes: the next start shall know. Never rejects. */
  follow(): Promise<void> {
    if (this.#isFollowed) return Promise.resolve();
    this.#isFollowed = true;
    return this.#exclusively(() => this.#write(this.#checkpoint, this.#current())).catch(
      // The next manifest says it as well.
      (error: unknown) =>
        this.#options.log.warn("that changes are followed is not on disk yet", {
          error: String(error),
        }),
    );
  }

  /** A number that no checkpoint had; what attempts before have left is removed. */
  reserveCheckpoint(): Promise<number> {
    return this.#exclusively(() => this.#reserveCheckpoint());
  }

  /** What counts was synced before: a close that fails loses nothing. */
  close(): Promise<void> {
    return this.#exclusively(() => closeAll([this.#active.synced, this.#active.plain]));
  }

  async #begin(sealedBytes: number, keptRevision: Revision): Promise<void> {
    const { files, folder } = this.#options;
    const old = this.#active;
    const identity = createIdentity(this.#nextNumber(), keptRevision + 1);
    const fresh = await createSegment(files, folder, identity);
    const all = [...this.#withSealed(sealedBytes), fresh];
    const { counting, covered } = divide(all, this.#checkpoint);
    const { stay, go } = this.#keep(covered);
    try {
      await files.syncFolder(folder);
      await this.#write(this.#checkpoint, counting, stay);
    } catch (error) {
      await closeAll([fresh.synced, fresh.plain]);
      throw error;
    }
    this.#kept = stay;
    this.#setSealed(counting.slice(0, -1));
    this.#active = fresh;
    this.#activeDamaged = [];
    await this.#retire(old, sealedBytes);
    for (const segment of go) await this.#remove(segmentFileName(segment));
  }

  async #adopt(checkpoint: CheckpointEntry, replacesAll: boolean): Promise<void> {
    const { number } = checkpoint;
    if (replacesAll) this.skipTo(checkpoint.revision);
    const { counting, covered } = divide(this.#current(), checkpoint);
    const { stay, go } = this.#keep(covered);
    try {
      await this.#write(checkpoint, counting, stay);
    } catch (error) {
      // Else a disk that is full would fill up with checkpoints that nobody can name.
      if ((await this.#readNamed())?.checkpoint?.number !== number) await this.#removeUnused();
      throw error;
    }
    const replaced = this.#checkpoint === undefined ? [] : [this.#checkpoint.number];
    this.#unused = [...this.#unused.filter((unused) => unused !== number), ...replaced];
    this.#checkpoint = checkpoint;
    this.#kept = stay;
    this.#setSealed(counting.slice(0, -1));
    for (const segment of go) await this.#remove(segmentFileName(segment));
    await this.#removeUnused();
  }

  /** Which segments that a checkpoint covers stay, those from before included, and which go. */
  #keep(covered: readonly SegmentEntry[]): Kept {
    const { keeping } = this.#options;
    const coveredMs = keeping.now();
    const all = [...this.#kept, ...covered.map((entry) => ({ ...entry, coveredMs }))];
    const isWhole = ({ firstRevision }: SegmentEntry) => firstRevision >= this.#firstWhole;
    const firstWhole = all.findIndex(isWhole);
    const whole = firstWhole < 0 ? all.length : firstWhole;
    const sizes = all.map(({ bytes = 0, packed, coveredMs }) => ({
      bytes: packed?.bytes ?? bytes,
      coveredMs,
    }));
    const first = Math.max(whole, keeping.firstToStay(sizes));
    return { stay: all.slice(first), go: all.slice(0, first) };
  }

  async #repack(number: number, packed: PackedEntry): Promise<void> {
    const isIt = (entry: SegmentEntry) => entry.number === number;
    if (!this.#sealed.some(isIt)) {
      await this.#remove(packedName(number));
      return;
    }
    const sealed = this.#sealed.map((entry) => (isIt(entry) ? { ...entry, packed } : entry));
    try {
      await this.#write(this.#checkpoint, [...sealed, this.#activeEntry()]);
    } catch (error) {
      const named = (await this.#readNamed())?.segments.find(isIt);
      if (named !== undefined && named.packed === undefined) await this.#remove(packedName(number));
      throw error;
    }
    this.#setSealed(sealed);
    await this.#remove(segmentName(number));
  }

  async #reserveCheckpoint(): Promise<number> {
    // What is in doubt may name a file that is about to be removed.
    if (!this.#isCertain) {
      await this.#write(this.#checkpoint, this.#current());
    }
    await this.#removeUnused();
    this.#unused.push(++this.#highestCheckpoint);
    return this.#highestCheckpoint;
  }

  /** One change after the other: each begins with what the one before has left. */
  #exclusively<Result>(change: () => Promise<Result>): Promise<Result> {
    const changed = this.#changing.then(change);
    this.#changing = Promise.allSettled([changed]);
    return changed;
  }

  async #write(
    checkpoint: CheckpointEntry | undefined,
    segments: readonly SegmentEntry[],
    kept = this.#kept,
  ): Promise<void> {
    const { files, folder } = this.#options;
    const live = this.#live(checkpoint, segments, kept);
    try {
      await writeManifest(files, folder, live);
      this.#written = manifestText(live);
      this.#isCertain = true;
      this.#perhapsNamed = 0;
    } catch (error) {
      await this.#doubt(live);
      throw error;
    }
  }

  /** This manifest could not be written. It is in doubt unless the one before is still in place. */
  async #doubt(live: LiveFiles): Promise<void> {
    const seen = await this.#readNamed();
    const isInPlace = seen !== undefined && manifestText(seen) === this.#written;
    if (isInPlace && this.#isCertain) return;
    this.#isCertain = false;
    const { segments } = seen ?? live;
    this.#perhapsNamed = Math.max(this.#perhapsNamed, segments.at(-1)?.number ?? 0);
  }

  #live(
    checkpoint: CheckpointEntry | undefined,
    segments: readonly SegmentEntry[],
    kept: readonly KeptEntry[],
  ): LiveFiles {
    return { ...(checkpoint && { checkpoint }), segments, kept, followed: this.#isFollowed };
  }

  #current(): readonly SegmentEntry[] {
    return [...this.#sealed, this.#activeEntry()];
  }

  /** What the manifest says that is on disk now; undefined when it does not say. */
  async #readNamed(): Promise<LiveFiles | undefined> {
    const { files, folder, log } = this.#options;
    try {
      const manifest = await readManifest(files, folder);
      return manifest.kind === "intact" ? manifest.live : undefined;
    } catch (error) {
      log.warn("the manifest cannot be read", { error: String(error) });
      return undefined;
    }
  }

  /**
   * A number that no manifest on disk may name, for its file would be another one. A number that
   * none names is used again, else a full disk would fill up with empty segments.
   */
  #nextNumber(): number {
    return Math.max(this.#active.number, this.#perhapsNamed) + 1;
  }

  #setSealed(sealed: readonly SegmentEntry[]): void {
    this.#sealed = sealed;
    this.#sealedBytes = sealed.reduce(
      (sum, { bytes = 0, packed }) => sum + (packed?.bytes ?? bytes),
      0,
    );
  }

  #activeEntry(): SegmentEntry {
    const { number, salt, firstRevision } = this.#active;
    return { number, salt, firstRevision, damaged: this.#activeDamaged };
  }

  /**
   * A segment without a group that counts is left out: a disk that stays full must not fill the
   * manifest.
   */
  #withSealed(bytes: number): readonly SegmentEntry[] {
    if (bytes <= SEGMENT_HEADER_BYTES) return this.#sealed;
    return [...this.#sealed, { ...this.#activeEntry(), bytes }];
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

  async #removeUnused(): Promise<void> {
    const unused = this.#unused;
    this.#unused = [];
    for (const number of unused) {
      if (!(await this.#remove(checkpointName(number)))) this.#unused.push(number);
    }
  }

  /** What the manifest does not name is removed at the next start when it stays now. */
  async #remove(name: string): Promise<boolean> {
    const { files, folder, log } = this.#options;
    try {
      await files.remove(join(folder, name));
      return true;
    } catch (error) {
      log.warn("a file that is not needed any more stays", { file: name, error: String(error) });
      return false;
    }
  }
}

/** A segment in the order of all. */
export interface SegmentPlace {
  /** Without `bytes`: it is the one that is written. */
  readonly entry: SegmentEntry;
  /** Where the next one begins. */
  readonly nextRevision: Revision | undefined;
}

interface Kept {
  readonly stay: readonly KeptEntry[];
  readonly go: readonly KeptEntry[];
}

/**
 * What a checkpoint covers are the segments before the last one that begins at or below its
 * revision: groups of theirs that the next one repeats do not count.
 */
function divide<Segment extends SegmentEntry>(
  segments: readonly Segment[],
  checkpoint: CheckpointEntry | undefined,
): { counting: readonly Segment[]; covered: readonly Segment[] } {
  const revision = checkpoint?.revision ?? 0;
  const first = segments.findLastIndex(({ firstRevision }) => firstRevision <= revision + 1);
  const at = Math.max(0, first);
  return { counting: segments.slice(at), covered: segments.slice(0, at) };
}
