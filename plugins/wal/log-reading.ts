/**
 * Reads the parts of a folder in order: the checkpoint, then the segments behind it. What is damage
 * and what an unsynced tail is judged where a file is read (checkpoint-recovery.ts,
 * segment-recovery.ts); a named file that is gone is damage. What becomes of the files is the
 * caller's to say.
 *
 * A segment begun after a failed write repeats what was not known durable in the one before: its
 * first revision says from where. Groups of the earlier segment from that revision on are skipped,
 * so nothing is applied twice.
 */
import {
  type FilePart,
  type FolderParts,
  type LogSource,
  plainSource,
  type RecoveryAccount,
  type Stretch,
} from "kvdb/persistence";
import { CheckpointRecovery } from "./checkpoint-recovery.ts";
import type { CheckpointEntry, PackedEntry, SegmentEntry } from "./manifest.ts";
import { PackedSource } from "./packed-source.ts";
import { SegmentReader } from "./segment-reader.ts";
import { SegmentRecovery } from "./segment-recovery.ts";

/** A segment that was read, and is open still. */
export interface ReadSegment {
  readonly recovery: SegmentRecovery;
  /** Where what counts of it ends. */
  readonly end: number;
  /** What the manifest is to say of its file. */
  readonly packed: PackedEntry | undefined;
}

export class LogReading {
  readonly #account: RecoveryAccount;
  readonly #parts: FolderParts<CheckpointEntry, SegmentEntry>;

  constructor(account: RecoveryAccount, parts: FolderParts<CheckpointEntry, SegmentEntry>) {
    this.#account = account;
    this.#parts = parts;
    account.totalBytes = parts.bytes;
  }

  /** Resolves to what the manifest is to say of it; undefined when there is none. */
  async readCheckpoint(): Promise<CheckpointEntry | undefined> {
    const part = this.#parts.checkpoint;
    if (part === undefined) return undefined;
    if (part.size === undefined) {
      this.#account.reportMissing(part.path, part.entry.bytes, "all its entries are lost");
      return undefined;
    }
    const file = await part.open();
    try {
      return await new CheckpointRecovery(this.#account, part.entry, file).run();
    } finally {
      await file.close();
    }
  }

  /** Gives each segment to `take` when it was read; who takes it closes it. */
  async readSegments(take: (segment: ReadSegment) => Promise<void>): Promise<void> {
    const { log } = this.#parts;
    for (const [index, part] of log.entries()) {
      if (this.#account.isDone) return;
      if (part.size === undefined) this.#reportMissing(part);
      else await this.#readSegment(part, part.size, log[index + 1], take);
    }
    // Not before: without its checkpoint every record counts, also what would have been in it.
    this.#account.raiseRevision(this.#parts.checkpoint?.entry.revision ?? 0);
  }

  async #readSegment(
    { entry, open }: FilePart<SegmentEntry>,
    size: number,
    next: FilePart<SegmentEntry> | undefined,
    take: (segment: ReadSegment) => Promise<void>,
  ): Promise<void> {
    const file = await open();
    const { packed } = entry;
    const source = packed === undefined ? plainSource(file) : new PackedSource(file, entry, packed);
    try {
      const reader = new SegmentReader(source, entry.bytes ?? size, entry.salt);
      reader.onSlice = this.#account.beginPart(reader.limit);
      const repeatedFrom = next?.entry.firstRevision ?? Number.POSITIVE_INFINITY;
      const isLast = next === undefined;
      const recovery = new SegmentRecovery(this.#account, { entry, reader, isLast, repeatedFrom });
      const end = await recovery.run();
      const lost = this.#account.isDone ? [] : await this.#reportEmpty(source);
      await take({ recovery, end, packed: packed && withDamage(packed, lost) });
    } catch (error) {
      await Promise.allSettled([source.close()]); // the first failure says it all
      throw error;
    }
  }

  /** What is damaged and costs no record is damage all the same: the next bad sector may. */
  async #reportEmpty(source: LogSource): Promise<readonly Stretch[]> {
    const stretches = source instanceof PackedSource ? await source.emptyDamage() : [];
    const reason = "was durable and cannot be read; no record is lost";
    for (const stretch of stretches) {
      await this.#account.reportDamage({ source: source.file, stretch, reason });
    }
    return stretches;
  }

  #reportMissing({ entry, path }: FilePart<SegmentEntry>): void {
    const lost = `records above revision ${entry.firstRevision - 1} are lost`;
    this.#account.reportMissing(path, entry.bytes ?? 0, lost);
    this.#account.raiseRevision(entry.firstRevision - 1);
  }
}

function withDamage(packed: PackedEntry, lost: readonly Stretch[]): PackedEntry {
  return lost.length === 0 ? packed : { ...packed, damaged: [...(packed.damaged ?? []), ...lost] };
}
