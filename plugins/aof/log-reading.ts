/**
 * Reads the files of a folder in order: the base and the increments behind it. Changes nothing on
 * disk but what the purpose says of damage.
 */
import type { OpenFile } from "kvdb";
import {
  type FilePart,
  type FolderParts,
  type LogSource,
  plainSource,
  type RecoveryAccount,
} from "kvdb/persistence";
import { BaseRecovery, type ReadBase } from "./base-recovery.ts";
import { IncrementReader } from "./increment-reader.ts";
import { IncrementRecovery } from "./increment-recovery.ts";
import { type BaseEntry, type IncrementEntry, PACKED_SUFFIX } from "./manifest.ts";
import { PackedSource } from "./packed-source.ts";

/** An increment that was read, and is open still. */
export interface ReadIncrement {
  readonly entry: IncrementEntry;
  readonly recovery: IncrementRecovery;
  /** Where what counts of it ends. */
  readonly end: number;
}

export class LogReading {
  readonly #account: RecoveryAccount;
  readonly #parts: FolderParts<BaseEntry, IncrementEntry>;

  constructor(account: RecoveryAccount, parts: FolderParts<BaseEntry, IncrementEntry>) {
    this.#account = account;
    this.#parts = parts;
    account.totalBytes = parts.bytes;
  }

  /** Gives it to `take` when it was read; who takes it may change the file. */
  async readBase(take: (base: ReadBase, file: OpenFile) => Promise<void>): Promise<void> {
    const part = this.#parts.checkpoint;
    if (part === undefined) return;
    if (part.size === undefined) {
      const bytes = part.entry.own?.bytes ?? 0;
      this.#account.reportMissing(part.path, bytes, "all that was in it is lost");
      return;
    }
    const file = await part.open();
    try {
      const isLast = this.#parts.log.length === 0;
      const given = { part, file, size: part.size, isLast };
      await take(await new BaseRecovery(this.#account, given).run(), file);
    } finally {
      await file.close();
    }
  }

  /** Gives each increment to `take` when it was read; who takes it closes it. */
  async readIncrements(take: (increment: ReadIncrement) => Promise<void>): Promise<void> {
    const { log } = this.#parts;
    for (const [index, part] of log.entries()) {
      if (this.#account.isDone) return;
      if (part.size === undefined) this.#reportMissing(part);
      else await this.#readIncrement(part, part.size, log[index + 1], take);
    }
    // Not before: without its base every record counts, also what would have been in it.
    this.#account.raiseRevision(this.#account.checkpointRevision);
  }

  async #readIncrement(
    { entry, open }: FilePart<IncrementEntry>,
    size: number,
    next: FilePart<IncrementEntry> | undefined,
    take: (increment: ReadIncrement) => Promise<void>,
  ): Promise<void> {
    const { sequence, own } = entry;
    const source = await sourceOf(entry, await open());
    try {
      const limit = own?.bytes ?? (source instanceof PackedSource ? source.length : size);
      const reader = new IncrementReader(source, limit);
      reader.onSlice = this.#account.beginPart(limit);
      const isLast = next === undefined;
      const repeatedFrom = next?.entry.own?.firstRevision ?? Number.POSITIVE_INFINITY;
      const part = { reader, sequence, own, isBase: false, isLast, repeatedFrom };
      const recovery = new IncrementRecovery(this.#account, part);
      const end = await recovery.run();
      await take({ entry: { ...entry, size }, recovery, end });
    } catch (error) {
      await Promise.allSettled([source.close()]); // the first failure says it all
      throw error;
    }
  }

  #reportMissing({ entry, path }: FilePart<IncrementEntry>): void {
    const { own } = entry;
    const before = own === undefined ? this.#account.lastRevision : own.firstRevision - 1;
    const lost = `records above revision ${before} are lost`;
    this.#account.reportMissing(path, own?.bytes ?? 0, lost);
    this.#account.raiseRevision(before);
  }
}

async function sourceOf({ name }: IncrementEntry, file: OpenFile): Promise<LogSource> {
  return name.endsWith(PACKED_SUFFIX) ? PackedSource.open(file) : plainSource(file);
}
