/**
 * BACKUP RESTORE while kvdb runs. The backup has been verified; it is read once more, into the memory that serves, and what
 * is there then gets a checkpoint. Until that is durable the disk has the state before, whatever happens; if it does not
 * come to that, kvdb stops, for what is in memory is no state of anything: the next start has the state before, or the new
 * one when the disk failed in the very last step.
 */
import { BackupReader } from "../backup/backup-reader.ts";
import type { BackupStorage } from "../backup/storage.ts";
import { withUnpacked } from "../backup/unpacked-backup.ts";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { LoadSink, Revision, StoredEntry } from "../plugin.ts";
import { readRdb } from "../rdb/index.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { DataReplacement } from "./data-replacement.ts";

/** What it needs of an engine. */
export interface ReplaceableEngine {
  readonly disk: { readonly lastRevision: Revision };
  readonly loadSink: LoadSink;
  readonly keyCount: number;
  beginReplacement(): DataReplacement;
  requestStop(): void;
}

export interface LiveRestoreOptions {
  readonly engine: ReplaceableEngine;
  readonly checkpoints: Checkpoints;
  readonly storage: BackupStorage;
  readonly name: string;
  readonly files: Files;
  /** Of the data. */
  readonly folder: string;
  readonly log: Log;
  /** With how much is done, between 0 and 1; throws when kvdb is to stop. */
  proceed(share: number): void;
}

/** Resolves to the revision that the data goes on from. Rejects with the data as it was, or with kvdb about to stop. */
export async function restoreLive(options: LiveRestoreOptions): Promise<Revision> {
  const { storage, name, files, folder, proceed } = options;
  const reader = await BackupReader.open(storage, name);
  try {
    const { bytes } = reader.manifest;
    // In slices: clients are served until all of it lies here and has passed its checksums.
    const slowly = (done: number) => proceed(done / bytes / 2);
    return await withUnpacked({ files, folder, reader, proceed: slowly }, (file) =>
      replace(options, reader, file),
    );
  } finally {
    await reader.close();
  }
}

async function replace(
  options: LiveRestoreOptions,
  { manifest }: BackupReader,
  file: OpenFile,
): Promise<Revision> {
  const { engine, checkpoints, proceed } = options;
  let replacement: DataReplacement | undefined;
  let revision = 0;
  let isCleared = false;
  try {
    await checkpoints.replacing("a backup was restored", {
      prepare: async () => {
        replacement = engine.beginReplacement();
        await replacement.settle();
        // One of its own: who followed all changes so far would not notice otherwise.
        revision = Math.max(engine.disk.lastRevision + 1, manifest.revision);
      },
      change: async () => {
        isCleared = true;
        replacement?.clear();
        await load(options, file, manifest.revision);
        await replacement?.fill(revision, () => proceed(1));
      },
    });
    replacement?.finish(revision);
    return revision;
  } catch (error) {
    if (isCleared) throw stopped(options, error);
    replacement?.giveUp();
    throw error;
  }
}

async function load(
  { engine, proceed }: LiveRestoreOptions,
  file: OpenFile,
  revision: Revision,
): Promise<void> {
  const sink = engine.loadSink;
  await readRdb({
    file,
    entry: (entry: Readonly<StoredEntry>) => sink.entry(entry),
    progress: async (done, total) => {
      sink.progress(done, total);
      proceed((1 + done / total) / 2);
      await new Promise<void>((resolve) => atTurnEnd(resolve));
    },
    revision,
  });
}

function stopped({ engine, name, log }: LiveRestoreOptions, thrown: unknown): KvdbError {
  const { code, message } = asKvdbError(thrown);
  const what = `restoring ${name}: ${message}; kvdb stops, and starts with what its folder has`;
  log.error(what);
  engine.requestStop();
  return new KvdbError(code, what, { cause: thrown });
}
