/**
 * Reads the folder back, in order, and makes it ready to be written on: the checkpoint, then the
 * segments behind it. What is damage and what an unsynced tail is judged where a file is read
 * (checkpoint-recovery.ts, segment-recovery.ts); a named file that is gone is damage.
 *
 * A segment begun after a failed write repeats what was not known durable in the one before: its
 * first revision says from where. Groups of the earlier segment from that revision on are skipped,
 * so nothing is applied twice.
 */
import { join } from "node:path";
import type { LoadReport, LoadSink } from "kvdb";
import { checkpointName } from "./checkpoint.ts";
import { CheckpointRecovery } from "./checkpoint-recovery.ts";
import { type FolderOptions, type Inventory, sizeOf } from "./inventory.ts";
import {
  type CheckpointEntry,
  type SegmentEntry,
  type Stretch,
  writeManifest,
} from "./manifest.ts";
import { RecoveryAccount } from "./recovery-account.ts";
import {
  type ActiveSegment,
  activateSegment,
  closeAll,
  createIdentity,
  createSegment,
  segmentName,
} from "./segment.ts";
import type { ChainStart } from "./segment-chain.ts";
import { SegmentReader } from "./segment-reader.ts";
import { SegmentRecovery } from "./segment-recovery.ts";

/** The log as it was read, ready to be written on. */
export interface RecoveredLog extends ChainStart {
  readonly report: LoadReport;
}

export async function recoverLog(
  options: FolderOptions,
  inventory: Inventory,
  sink: LoadSink,
): Promise<RecoveredLog> {
  return new Recovery(options, inventory, sink).run();
}

interface FoundSegment {
  readonly entry: SegmentEntry;
  readonly path: string;
  /** undefined: the manifest names it, but it is gone. */
  readonly size: number | undefined;
}

interface ActiveWithDamage {
  readonly active: ActiveSegment;
  readonly damaged: readonly Stretch[];
}

class Recovery {
  readonly #options: FolderOptions;
  readonly #inventory: Inventory;
  readonly #account: RecoveryAccount;
  #checkpoint: CheckpointEntry | undefined;

  constructor(options: FolderOptions, inventory: Inventory, sink: LoadSink) {
    this.#options = options;
    this.#inventory = inventory;
    this.#account = new RecoveryAccount(options, inventory, sink);
  }

  async run(): Promise<RecoveredLog> {
    const sealed: SegmentEntry[] = [];
    const segments = await this.#measure();
    await this.#readCheckpoint();
    for (const [index, segment] of segments.entries()) {
      if (segment.size === undefined) {
        this.#reportMissing(segment);
        continue;
      }
      const reading = await this.#beginReading(segment, segments[index + 1]);
      const last = await this.#readAndClose(reading, sealed);
      if (last !== undefined) return this.#finish(sealed, last);
    }
    return this.#finish(sealed, await this.#beginSegment());
  }

  async #measure(): Promise<FoundSegment[]> {
    const { files, folder } = this.#options;
    const { checkpoint, segments } = this.#inventory.live;
    this.#account.totalBytes += checkpoint?.bytes ?? 0;
    const found: FoundSegment[] = [];
    for (const entry of segments) {
      const path = join(folder, segmentName(entry.number));
      const size = (await files.exists(path)) ? await sizeOf(files, path) : undefined;
      this.#account.totalBytes += entry.bytes ?? size ?? 0;
      found.push({ entry, path, size });
    }
    return found;
  }

  async #readCheckpoint(): Promise<void> {
    const { files, folder } = this.#options;
    const entry = this.#inventory.live.checkpoint;
    if (entry === undefined) return;
    const path = join(folder, checkpointName(entry.number));
    if (!(await files.exists(path))) {
      this.#account.reportMissing(path, entry.bytes, "all its entries are lost");
      return;
    }
    const file = await files.open(path, "read");
    try {
      this.#checkpoint = await new CheckpointRecovery(this.#account, entry, file).run();
    } finally {
      await file.close();
    }
  }

  #reportMissing({ entry, path }: FoundSegment): void {
    const lost = `records above revision ${entry.firstRevision - 1} are lost`;
    this.#account.reportMissing(path, entry.bytes ?? 0, lost);
    this.#account.raiseRevision(entry.firstRevision - 1);
  }

  async #beginReading(
    { entry, path, size }: FoundSegment,
    next: FoundSegment | undefined,
  ): Promise<SegmentRecovery> {
    const file = await this.#options.files.open(path, "update");
    const reader = new SegmentReader(file, entry.bytes ?? size ?? 0, entry.salt);
    reader.onSlice = this.#account.beginPart(reader.limit);
    const repeatedFrom = next?.entry.firstRevision ?? Number.POSITIVE_INFINITY;
    const isLast = next === undefined;
    return new SegmentRecovery(this.#account, { entry, reader, isLast, repeatedFrom });
  }

  /**
   * Reads a segment. It is closed and added to `sealed`, or, when it is the one to go on with,
   * returned open.
   */
  async #readAndClose(
    reading: SegmentRecovery,
    sealed: SegmentEntry[],
  ): Promise<ActiveWithDamage | undefined> {
    const { entry, reader } = reading.part;
    try {
      const end = await reading.run();
      if (reading.canBeContinued) return await this.#activate(reading, end);
      sealed.push({ ...entry, bytes: end, damaged: reading.damaged });
    } catch (error) {
      await closeAll([reader.file]);
      throw error;
    }
    await reader.file.close();
    return undefined;
  }

  /**
   * Makes the last segment ready: cut behind what counts, and all of it durable before a new group
   * may say so. A sync alone does not do: when one failed before the last stop, the system takes
   * those bytes for written. So what no group calls durable is written once more; after a stop in
   * order there is no such thing.
   */
  async #activate(
    { part: { entry, reader }, damaged, durable }: SegmentRecovery,
    end: number,
  ): Promise<ActiveWithDamage> {
    const { file } = reader;
    const cut = this.#account.dropped.some(
      ({ file: path, offset }) => path === file.path && offset === end,
    );
    if (cut) await file.truncate(end);
    if (!this.#account.closed) await reader.rewrite(durable, end);
    await file.sync();
    const active = await activateSegment(this.#options.files, entry, file, end);
    if (!cut) active.preparedEnd = reader.limit;
    return { active, damaged };
  }

  /** There is no segment to go on with: a new folder, or none could be kept. */
  async #beginSegment(): Promise<ActiveWithDamage> {
    const { files, folder } = this.#options;
    const number = this.#inventory.highest.segment + 1;
    const identity = createIdentity(number, this.#account.lastRevision + 1);
    const active = await createSegment(files, folder, identity);
    this.#account.manifestChanged = true;
    return { active, damaged: [] };
  }

  async #finish(
    sealed: readonly SegmentEntry[],
    { active, damaged }: ActiveWithDamage,
  ): Promise<RecoveredLog> {
    const { number, salt, firstRevision } = active;
    const { files, folder } = this.#options;
    const checkpoint = this.#checkpoint;
    // Not before: without its checkpoint every record counts, also what would have been in it.
    this.#account.raiseRevision(this.#inventory.live.checkpoint?.revision ?? 0);
    try {
      // Also when nothing changes: the last stop may have come between renaming the manifest and
      // syncing the folder. We see the new one, a power loss would bring back the old one, without
      // the segment about to be written.
      await files.syncFolder(folder);
      if (this.#account.manifestChanged) {
        const segments = [...sealed, { number, salt, firstRevision, damaged }];
        await writeManifest(files, folder, { ...(checkpoint && { checkpoint }), segments });
      }
      await this.#removeLeftovers();
    } catch (error) {
      await closeAll([active.synced, active.plain]);
      throw error;
    }
    return {
      report: this.#account.report(),
      checkpoint,
      highestCheckpoint: this.#inventory.highest.checkpoint,
      sealed,
      active,
      activeDamaged: damaged,
    };
  }

  /** Not before the manifest that does not name them is durable. */
  async #removeLeftovers(): Promise<void> {
    const { files, log } = this.#options;
    for (const path of this.#inventory.leftovers) {
      await files.remove(path);
      log.info("removed what a stop left behind", { file: path });
    }
  }
}
