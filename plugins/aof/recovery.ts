/**
 * Reads the folder back and makes it ready to be written on: the tail cut that was never promised,
 * all that counts durable, what another Redis had left taken over, the manifest as it must be, and
 * leftovers gone.
 */
import { dirname } from "node:path";
import type { Files, LoadReport, LoadSink, OpenFile, Revision } from "kvdb";
import { type ChainStart, closeAll, findParts, RecoveryAccount } from "kvdb/persistence";
import type { ReadBase } from "./base-recovery.ts";
import {
  type ActiveIncrement,
  activateIncrement,
  createHead,
  createIncrement,
  entryOf,
} from "./increment.ts";
import { COPY_SUFFIX, type Inventory, type InventoryOptions } from "./inventory.ts";
import { LogReading, type ReadIncrement } from "./log-reading.ts";
import {
  type BaseEntry,
  type IncrementEntry,
  type KeptIncrement,
  type OwnIncrement,
  writeManifest,
} from "./manifest.ts";
import { namedFiles } from "./named-files.ts";

/** The log as it was read, ready to be written on. */
export interface RecoveredLog extends ChainStart<IncrementEntry, BaseEntry, ActiveIncrement> {
  readonly report: LoadReport;
}

export async function recoverLog(
  options: InventoryOptions,
  inventory: Inventory,
  sink: LoadSink,
): Promise<RecoveredLog> {
  return new Recovery(options, inventory, sink).run();
}

/** One read or write of what is copied. */
const COPY_BYTES = 1 << 20;

class Recovery {
  readonly #options: InventoryOptions;
  readonly #inventory: Inventory;
  readonly #account: RecoveryAccount;
  #base: BaseEntry | undefined;
  /** Where the base ends, when that is not the end of its file. */
  #baseEnd: number | undefined;
  readonly #sealed: IncrementEntry[] = [];
  #kept: readonly KeptIncrement[] = [];
  /** Something in the log is lost, or was written by a Redis, whose records have no revisions of their own. */
  #hasHoles = false;
  #active: ActiveIncrement | undefined;

  constructor(options: InventoryOptions, inventory: Inventory, sink: LoadSink) {
    this.#options = options;
    this.#inventory = inventory;
    this.#account = new RecoveryAccount(options, inventory, sink);
  }

  async run(): Promise<RecoveredLog> {
    const { live, adopted } = this.#inventory;
    const named = namedFiles(this.#options.names, live, adopted?.path);
    const parts = await findParts(this.#options, named);
    this.#base = live.base;
    this.#kept = await this.#findKept();
    const reading = new LogReading(this.#account, parts);
    await reading.readBase((base, file) => this.#takeBase(base, file));
    await reading.readIncrements((increment) => this.#take(increment));
    return this.#finish();
  }

  /** Those before one that is gone lead nowhere. */
  async #findKept(): Promise<readonly KeptIncrement[]> {
    const { files, names, log } = this.#options;
    const { kept = [], increments } = this.#inventory.live;
    for (let first = kept.length; first > 0; first--) {
      const path = names.path((kept[first - 1] as KeptIncrement).name);
      if (increments.length > 0 && (await files.exists(path))) continue;
      log.warn("a file of the log is gone that was kept for CHANGES alone", { file: path });
      this.#account.manifestChanged = true;
      return kept.slice(first);
    }
    return kept;
  }

  async #takeBase({ entry, cutAt }: ReadBase, file: OpenFile): Promise<void> {
    this.#base = entry;
    this.#baseEnd = cutAt;
    if (cutAt === undefined || this.#isToCopy) return;
    await file.truncate(cutAt);
    await file.sync();
  }

  /** What is read is another's: it is copied, as far as it counts. */
  get #isToCopy(): boolean {
    const { adopted } = this.#inventory;
    return adopted !== undefined && adopted.kind !== "copy";
  }

  /** An increment is sealed, or the one to go on with. */
  async #take(read: ReadIncrement): Promise<void> {
    const { recovery, end, entry } = read;
    this.#hasHoles ||= recovery.isForeign || recovery.isDamaged || entry.own === undefined;
    if (recovery.canBeContinued) {
      this.#active = await this.#activate(read);
      return;
    }
    const { reader } = recovery.part;
    if (recovery.cutAt !== undefined) {
      await reader.file.truncate(recovery.cutAt);
      await reader.file.sync();
    }
    await reader.source.close();
    const bytes = recovery.cutAt ?? end;
    const own = entry.own === undefined ? {} : { own: { ...entry.own, bytes } };
    this.#sealed.push({ ...entry, ...own, size: bytes });
  }

  /**
   * Makes the last increment ready: cut behind what counts, and all of it durable before a new group
   * may say so. A sync alone does not do: when one failed before the last stop, the system takes
   * those bytes for written. So what no group calls durable is written once more. After a stop in
   * order that is the closing line alone; it can wait until something follows it, so that who only
   * reads does not write.
   */
  async #activate({ recovery, end, entry }: ReadIncrement): Promise<ActiveIncrement> {
    const { reader } = recovery.part;
    const { file } = reader;
    if (end < reader.limit) await file.truncate(end);
    const closingAt = this.#account.closed ? recovery.closingAt : undefined;
    const hasClosing = closingAt !== undefined && recovery.durable <= closingAt;
    const closing = hasClosing ? await readClosing(file, closingAt, end) : undefined;
    await reader.rewrite(recovery.durable, end - (closing?.length ?? 0));
    await file.sync();
    const { salt, firstRevision } = entry.own as OwnIncrement;
    const head = { salt, firstRevision, sequence: entry.sequence };
    const { files } = this.#options;
    const active = await activateIncrement({ files, name: entry.name, head, plain: file, end });
    active.foundClosing = closing;
    return active;
  }

  async #finish(): Promise<RecoveredLog> {
    await this.#takeOver();
    const active = this.#active ?? (await this.#beginIncrement());
    try {
      await this.#settleFolder(active);
    } catch (error) {
      await closeAll([active.synced, active.plain]);
      throw error;
    }
    return {
      report: this.#account.report(),
      checkpoint: this.#base,
      highestCheckpoint: Math.max(this.#inventory.highest.base, this.#base?.sequence ?? 0),
      sealed: this.#sealed,
      kept: this.#kept,
      followed: this.#inventory.live.followed === true,
      firstWhole: this.#firstWhole,
      active,
    };
  }

  /** From which revision on no record is missing. */
  get #firstWhole(): Revision {
    const { lastRevision, dropped } = this.#account;
    const hasLost = dropped.some(({ kind }) => kind === "damage");
    return this.#hasHoles || hasLost ? lastRevision + 1 : 0;
  }

  async #takeOver(): Promise<void> {
    const { files, names } = this.#options;
    if (!(await files.exists(names.folder))) {
      await files.makeFolder(names.folder);
      await files.syncFolder(dirname(names.folder));
    }
    const { adopted } = this.#inventory;
    if (adopted === undefined || this.#base === undefined || !this.#isToCopy) return;
    const copy = names.path(this.#base.name) + COPY_SUFFIX;
    await copyFile(files, adopted.path, copy, this.#baseEnd ?? Number.POSITIVE_INFINITY);
  }

  /** There is no increment to go on with: a new folder, one of Redis, or none could be kept. */
  async #beginIncrement(): Promise<ActiveIncrement> {
    const { files, names } = this.#options;
    const sequence = this.#inventory.highest.increment + 1;
    const head = createHead(sequence, this.#account.lastRevision + 1);
    const active = await createIncrement(files, names, head);
    this.#account.manifestChanged = true;
    return active;
  }

  async #settleFolder(active: ActiveIncrement): Promise<void> {
    const { files, names, log } = this.#options;
    // Also when nothing changes: the last stop may have come between renaming the manifest and
    // syncing the folder. We see the new one, a power loss would bring back the old one, without the
    // increment about to be written.
    await files.syncFolder(names.folder);
    if (this.#account.manifestChanged) {
      const increments = [...this.#sealed, entryOf(active)];
      const base = this.#base === undefined ? {} : { base: this.#base };
      const { followed = false } = this.#inventory.live;
      const live = { ...base, increments, history: [], kept: this.#kept, followed };
      await writeManifest(files, names.manifestPath, live);
    }
    await this.#nameBase();
    // Not before the manifest that does not name them is durable.
    for (const path of this.#inventory.leftovers) {
      if (path === names.path(active.name)) continue;
      await files.remove(path);
      log.info("removed what a stop left behind", { file: path });
    }
  }

  /** The manifest names the base, whose bytes are durable under another name. */
  async #nameBase(): Promise<void> {
    const { files, names, log } = this.#options;
    const { adopted } = this.#inventory;
    if (adopted === undefined || this.#base === undefined) return;
    const path = names.path(this.#base.name);
    await files.rename(path + COPY_SUFFIX, path);
    await files.syncFolder(names.folder);
    if (adopted.kind === "old") await files.remove(adopted.path);
    log.info("took over what another Redis had left", { from: adopted.path, to: path });
  }
}

async function readClosing(file: OpenFile, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start);
  await file.read(bytes, 0, bytes.length, start);
  return bytes;
}

/** The bytes before `end`; durable but for its name when it resolves. */
async function copyFile(files: Files, from: string, to: string, end: number): Promise<void> {
  const source = await files.open(from, "read");
  try {
    const target = await files.open(to, "replace");
    try {
      const buffer = Buffer.allocUnsafeSlow(COPY_BYTES);
      for (let offset = 0; ; ) {
        const length = Math.min(buffer.length, end - offset);
        const count = await source.read(buffer, 0, length, offset);
        if (count === 0) break;
        await target.write(buffer, 0, count, offset);
        offset += count;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
