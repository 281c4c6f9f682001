/**
 * What is done for data that is to take the place of all there is, by whoever does it, a worker or the main thread: it is
 * loaded beside (staged-data.ts), and once its revision is known, a checkpoint of it is written. One copy, and its life is over.
 */
import { assert } from "../assert.ts";
import { openPlace } from "../backup/place.ts";
import { withUnpacked } from "../backup/unpacked-backup.ts";
import { asKvdbError } from "../errors.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import type { EntryReader, WriteCheckpoint } from "../plugin.ts";
import { checkedCheckpoint } from "./checked-checkpoint.ts";
import type { WorkedCheckpoint } from "./checkpoint-writer.ts";
import type { PluginSource } from "./plugin-source.ts";
import type { SealTask, StagedSource, StageTask } from "./snapshot-messages.ts";
import { type LoadedData, StagedData, type StagedSurroundings } from "./staged-data.ts";

export interface StagingSurroundings extends StagedSurroundings {
  readonly files: Files;
  writerOf(plugin: PluginSource): Promise<WriteCheckpoint>;
  /** To be asked now and then while a checkpoint is written: throws when nobody wants it. */
  heed(): void;
}

export class StagingTasks {
  readonly #surroundings: StagingSurroundings;
  #copy: StagedData | undefined;

  constructor(surroundings: StagingSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Nothing is left of it when it rejects. */
  async load({ source, form, rules, folder }: StageTask): Promise<LoadedData> {
    const surroundings = this.#surroundings;
    const copy = await withRdb(source, folder, surroundings, (file, proceed) =>
      StagedData.load(file, form, { ...surroundings, rules, proceed }),
    );
    this.#copy = copy;
    return copy.loaded;
  }

  async seal(order: SealTask): Promise<WorkedCheckpoint | null> {
    assert(this.#copy !== undefined, "a copy is loaded before it is sealed");
    const entries = this.#copy.seal(order);
    return order.checkpoint === undefined ? null : this.#write(entries, order.checkpoint);
  }

  async #write(
    entries: EntryReader,
    { plugin, options, folder, task }: NonNullable<SealTask["checkpoint"]>,
  ): Promise<WorkedCheckpoint> {
    const { files, heed, writerOf } = this.#surroundings;
    const write = await writerOf(plugin);
    const written = await write(entries, { files, folder, options, task, proceed: heed });
    const { revision, entryCount } = entries;
    return { ...checkedCheckpoint(written), revision, entries: entryCount };
  }
}

type Proceed = (share: number) => void;

/** The RDB of the source, as a file, and how to tell how much of it is done. */
async function withRdb<Result>(
  source: StagedSource,
  folder: string,
  { files, clock, random, proceed }: StagingSurroundings,
  use: (file: OpenFile, proceed: Proceed) => Promise<Result>,
): Promise<Result> {
  if (source.kind === "file") {
    const file = await files.open(source.path, "read");
    try {
      return await use(file, proceed);
    } finally {
      await file.close();
    }
  }
  const storage = openPlace(source.place, { files, clock, random });
  // Only here: nearly no start of kvdb reads a backup.
  const { BackupReader } = await import("../backup/backup-reader.ts");
  const reader = await BackupReader.open(storage, source.name);
  try {
    const { bytes } = reader.manifest;
    // Unpacking is half of it, for who looks at a number.
    const unpacking = {
      files,
      folder,
      reader,
      proceed: (done: number) => proceed(done / bytes / 2),
    };
    return await withUnpacked(unpacking, (file) => use(file, (share) => proceed((1 + share) / 2)));
  } catch (error) {
    throw asKvdbError(error).prefix(`backup ${source.name}`);
  } finally {
    await reader.close();
  }
}
