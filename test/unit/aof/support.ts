/** What the tests of aof have in common: a disk in memory, starts on it, a history with every kind of file. */

import type { AofTask } from "../../../plugins/aof/checkpoint-writer.ts";
import aof from "../../../plugins/aof/index.ts";
import type { AofOptions } from "../../../plugins/aof/options.ts";
import {
  KvdbError,
  type LoadReport,
  type OpenPurpose,
  type Persistence,
} from "../../../src/plugin.ts";
import {
  createBatch,
  createEntryReader,
  createRecordingSink,
  createTestContext,
  MemoryDisk,
  type ReadEntry,
  type ReadRecord,
  recordsOf,
  type State,
  type TestContext,
} from "../../suites/index.ts";

export const FOLDER = "/data";
export const AOF_FOLDER = "/data/appendonlydir";
export const MANIFEST = `${AOF_FOLDER}/appendonly.aof.manifest`;

export async function emptyDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.files.makeFolder(FOLDER);
  return disk;
}

export interface Found {
  readonly instance: Persistence;
  readonly context: TestContext;
  readonly report: LoadReport;
  readonly entries: readonly ReadEntry[];
  readonly read: readonly ReadRecord[];
}

export interface Start {
  readonly options?: AofOptions;
  readonly purpose?: OpenPurpose;
  readonly requestCheckpoint?: TestContext["requestCheckpoint"];
}

export async function start(disk: MemoryDisk, given: Start = {}): Promise<Found> {
  const { options = {}, purpose, requestCheckpoint } = given;
  const context = createTestContext({
    ...{ files: disk.files, folder: FOLDER },
    ...(purpose && { purpose }),
    ...(requestCheckpoint && { requestCheckpoint }),
  });
  const instance = aof.persistence?.(options as never, context) as Persistence;
  const sink = createRecordingSink();
  try {
    await instance.open();
    const report = await instance.load(sink);
    return { instance, context, report, entries: sink.entries, read: sink.read };
  } catch (error) {
    await instance.close();
    throw error;
  }
}

/** Starts and stops in order. */
export async function look(disk: MemoryDisk, given: Start = {}): Promise<Found> {
  const found = await start(disk, given);
  await found.instance.close();
  return found;
}

/** What a start finds, or undefined when it refuses with DAMAGE; any other failure fails the test. */
export async function lookOrRefuse(
  disk: MemoryDisk,
  given: Start = {},
): Promise<Found | undefined> {
  try {
    return await look(disk, given);
  } catch (error) {
    if (error instanceof KvdbError && error.code === "DAMAGE") return undefined;
    throw error;
  }
}

/** Appends one record of this size, and flushes. */
export async function write(
  { instance }: Pick<Found, "instance">,
  revision: number,
  size: number,
): Promise<ReadRecord> {
  const batch = createBatch({ firstRevision: revision, sizes: [size], words: true });
  instance.append(batch);
  await instance.flush(true);
  return recordsOf(batch)[0] as ReadRecord;
}

export async function rewrite(
  { instance }: Pick<Found, "instance">,
  disk: MemoryDisk,
  state: State,
  onBegun: () => Promise<unknown> = async () => {},
): Promise<void> {
  const task = (await instance.beginCheckpoint?.(state.revision, "compact")) as AofTask;
  await onBegun();
  const target = { files: disk.files, folder: FOLDER, options: {}, task, proceed: () => {} };
  const written = await aof.writeCheckpoint?.(createEntryReader(state), target as never);
  if (written === undefined) throw new Error("no checkpoint was written");
  const { revision, entries } = state;
  const report = { revision, entries: entries.length, durationMs: 1, kind: "compact" } as const;
  await instance.checkpointed?.({ ...written, ...report });
}
