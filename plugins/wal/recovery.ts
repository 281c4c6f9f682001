/**
 * Reads the folder back and makes it ready to be written on: the tail cut that was never promised,
 * all that counts durable, the manifest as it must be, and leftovers gone.
 */
import { join } from "node:path";
import type { LoadReport, LoadSink, OpenFile, Revision } from "kvdb";
import {
  type ChainStart,
  closeAll,
  type FolderOptions,
  findParts,
  RecoveryAccount,
} from "kvdb/persistence";
import { activeEntry } from "./chain-form.ts";
import { GROUP_HEADER_BYTES } from "./group.ts";
import type { Inventory } from "./inventory.ts";
import { LogReading, type ReadSegment } from "./log-reading.ts";
import {
  type CheckpointEntry,
  type KeptEntry,
  type SegmentEntry,
  segmentFileName,
  writeManifest,
} from "./manifest.ts";
import { namedFiles } from "./named-files.ts";
import { type ActiveSegment, activateSegment, createIdentity, createSegment } from "./segment.ts";
import type { SegmentRecovery } from "./segment-recovery.ts";

/** The log as it was read, ready to be written on. */
export interface RecoveredLog extends ChainStart<SegmentEntry, CheckpointEntry, ActiveSegment> {
  readonly report: LoadReport;
}

export async function recoverLog(
  options: FolderOptions,
  inventory: Inventory,
  sink: LoadSink,
): Promise<RecoveredLog> {
  return new Recovery(options, inventory, sink).run();
}

class Recovery {
  readonly #options: FolderOptions;
  readonly #inventory: Inventory;
  readonly #account: RecoveryAccount;
  #checkpoint: CheckpointEntry | undefined;
  readonly #sealed: SegmentEntry[] = [];
  #kept: readonly KeptEntry[] = [];
  #active: ActiveSegment | undefined;

  constructor(options: FolderOptions, inventory: Inventory, sink: LoadSink) {
    this.#options = options;
    this.#inventory = inventory;
    this.#account = new RecoveryAccount(options, inventory, sink);
  }

  async run(): Promise<RecoveredLog> {
    const parts = await findParts(
      this.#options,
      namedFiles(this.#options.folder, this.#inventory.live),
    );
    this.#kept = await this.#findKept();
    const reading = new LogReading(this.#account, parts);
    this.#checkpoint = await reading.readCheckpoint();
    await reading.readSegments((segment) => this.#take(segment));
    return this.#finish(this.#active ?? (await this.#beginSegment()));
  }

  /** Those before one that is gone lead nowhere. */
  async #findKept(): Promise<readonly KeptEntry[]> {
    const { files, folder, log } = this.#options;
    const { kept = [] } = this.#inventory.live;
    for (let first = kept.length; first > 0; first--) {
      const path = join(folder, segmentFileName(kept[first - 1] as KeptEntry));
      if (await files.exists(path)) continue;
      log.warn("a file of the log is gone that was kept for CHANGES alone", { file: path });
      this.#account.manifestChanged = true;
      return kept.slice(first);
    }
    return kept;
  }

  /** A segment is sealed, or the one to go on with. */
  async #take({ recovery, end, packed }: ReadSegment): Promise<void> {
    if (recovery.canBeContinued) {
      this.#active = await this.#activate(recovery, end);
      return;
    }
    const { entry, reader } = recovery.part;
    await reader.source.close();
    const file = packed === undefined ? {} : { packed };
    this.#sealed.push({ ...entry, bytes: end, damaged: recovery.damaged, ...file });
  }

  /**
   * Makes the last segment ready: cut behind what counts, and all of it durable before a new group
   * may say so. A sync alone does not do: when one failed before the last stop, the system takes
   * those bytes for written. So what no group calls durable is written once more. After a stop in
   * order that is the closing group alone; it can wait until something follows it, so that who only
   * reads does not write.
   */
  async #activate(recovery: SegmentRecovery, end: number): Promise<ActiveSegment> {
    const { entry, reader } = recovery.part;
    const { file } = reader;
    const cut = this.#account.dropped.some(
      ({ file: path, offset }) => path === file.path && offset === end,
    );
    if (cut) await file.truncate(end);
    const hasClosing = this.#account.closed && recovery.durable < end;
    const closing = hasClosing ? await readClosing(file, end) : undefined;
    await reader.rewrite(recovery.durable, end - (closing?.length ?? 0));
    await file.sync();
    const { damaged } = recovery;
    const active = await activateSegment(this.#options.files, entry, file, { end, damaged });
    active.foundClosing = closing;
    if (!cut) active.preparedEnd = reader.limit;
    return active;
  }

  /** There is no segment to go on with: a new folder, or none could be kept. */
  async #beginSegment(): Promise<ActiveSegment> {
    const { files, folder } = this.#options;
    const number = this.#inventory.highest.segment + 1;
    const identity = createIdentity(number, this.#account.lastRevision + 1);
    const active = await createSegment(files, folder, identity);
    this.#account.manifestChanged = true;
    return active;
  }

  async #finish(active: ActiveSegment): Promise<RecoveredLog> {
    const checkpoint = this.#checkpoint;
    const sealed = this.#sealed;
    try {
      await this.#settleFolder(active);
    } catch (error) {
      await closeAll([active.synced, active.plain]);
      throw error;
    }
    return {
      report: this.#account.report(),
      checkpoint,
      highestCheckpoint: this.#inventory.highest.checkpoint,
      sealed,
      kept: this.#kept,
      followed: this.#inventory.live.followed === true,
      firstWhole: this.#firstWhole(active),
      active,
    };
  }

  /** From which revision on no record is missing. */
  #firstWhole({ damaged }: ActiveSegment): Revision {
    const { lastRevision, dropped } = this.#account;
    const isDamaged = (entry: SegmentEntry) => (entry.damaged ?? []).length > 0;
    const hasLost =
      damaged.length > 0 ||
      this.#sealed.some(isDamaged) ||
      dropped.some(({ kind }) => kind === "damage");
    return hasLost ? lastRevision + 1 : 0;
  }

  async #settleFolder(active: ActiveSegment): Promise<void> {
    const { files, folder, log } = this.#options;
    // Also when nothing changes: the last stop may have come between renaming the manifest and
    // syncing the folder. We see the new one, a power loss would bring back the old one, without the
    // segment about to be written.
    await files.syncFolder(folder);
    if (this.#account.manifestChanged) {
      const segments = [...this.#sealed, activeEntry(active)];
      const checkpoint = this.#checkpoint;
      const { followed = false } = this.#inventory.live;
      const rest = { segments, kept: this.#kept, followed };
      await writeManifest(files, folder, { ...(checkpoint && { checkpoint }), ...rest });
    }
    // Not before the manifest that does not name them is durable.
    for (const path of this.#inventory.leftovers) {
      await files.remove(path);
      log.info("removed what a stop left behind", { file: path });
    }
  }
}

/** The group that ends at `end`. */
async function readClosing(file: OpenFile, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(GROUP_HEADER_BYTES);
  await file.read(bytes, 0, bytes.length, end - bytes.length);
  return bytes;
}
