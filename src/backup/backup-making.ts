/**
 * Makes a backup of the entries that it is handed: of an image, in the snapshot worker, or of the memory itself where nobody
 * is served. It appears in its place when it is whole, or not at all.
 */

import type { EntryReader } from "../plugin.ts";
import { type RdbTarget, writeRdb } from "../rdb/index.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import { backupName } from "./backup-name.ts";
import { BackupWriter } from "./backup-writer.ts";
import { AccountedEntries } from "./content-account.ts";
import type { BackupStorage } from "./storage.ts";

export interface BackupMaking {
  readonly entries: EntryReader;
  readonly storage: BackupStorage;
  readonly takenNames: readonly string[];
  /** Of kvdb. */
  readonly version: string;
  /** Now and then, with how much of it is done, between 0 and 1; throws when nobody wants the rest. */
  proceed(share: number): void;
}

export interface FinishedBackup {
  readonly name: string;
  /** Of the whole file. */
  readonly manifest: BackupManifest;
}

export async function makeBackup(making: BackupMaking): Promise<FinishedBackup> {
  const { storage, takenNames, version, proceed } = making;
  const entries = new AccountedEntries(making.entries);
  const { timeMs, revision, entryCount } = entries;
  const name = backupName({ timeMs, revision }, new Set(takenNames));
  const sink = await storage.create(name);
  try {
    const writer = new BackupWriter(sink);
    const target: RdbTarget = { write: (bytes, start, end) => writer.write(bytes, start, end) };
    await writeRdb(entries, target, {
      proceed: () => proceed(entries.account.entries / Math.max(1, entryCount)),
    });
    const state = { ...entries.account.summary, version, revision, timeMs };
    const manifest = await writer.finish(state);
    proceed(1);
    await sink.finish();
    return { name, manifest };
  } catch (error) {
    // What it cannot remove, the next one does; why this one failed is what counts.
    await Promise.allSettled([sink.abandon()]);
    throw error;
  }
}
