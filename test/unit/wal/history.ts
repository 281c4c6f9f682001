/**
 * What the tests of `wal` have in common: a start on a disk in memory, a log to append to, and a
 * small history that leaves a log with everything in it: two sealed segments, an active one, groups
 * of one and of several batches.
 */
import { expect } from "bun:test";
import wal from "../../../plugins/wal/index.ts";
import type { WalOptions } from "../../../plugins/wal/wal.ts";
import type { Files } from "../../../src/platform/files.ts";
import { readOnlyFiles } from "../../../src/platform/read-only-files.ts";
import type { LoadReport, Persistence, Revision } from "../../../src/plugin.ts";
import {
  type CheckpointRun,
  createBatch,
  createRecordingSink,
  createTestContext,
  type EntryShape,
  MemoryDisk,
  type ReadEntry,
  type ReadRecord,
  recordsOf,
  subjectOf,
  type TestContext,
  takeCheckpoint,
} from "../../suites/index.ts";

export const FOLDER = "/data";
export const MANIFEST = `${FOLDER}/manifest.json`;

export function segmentPath(number: number): string {
  return `${FOLDER}/wal-${String(number).padStart(8, "0")}.log`;
}

export function checkpointPath(number: number): string {
  return `${FOLDER}/checkpoint-${String(number).padStart(8, "0")}.kvc`;
}

export interface Started {
  readonly instance: Persistence;
  readonly context: TestContext;
  readonly report: LoadReport;
  readonly entries: readonly ReadEntry[];
  readonly read: readonly ReadRecord[];
}

export interface StartOptions extends WalOptions {
  readonly recover?: boolean;
}

/**
 * What `check` finds. Nothing can be changed through the files that it gets; whoever waits goes on
 * at once.
 */
export async function check(files: Files, upTo?: Revision): Promise<Omit<Started, "instance">> {
  const purpose = { kind: "check", ...(upTo !== undefined && { upTo }) } as const;
  const context = createTestContext({ files: readOnlyFiles(files), folder: FOLDER, purpose });
  const { clock } = context;
  const after = (_delayMs: number, run: () => void) => {
    queueMicrotask(run);
    return { cancel: () => {} };
  };
  const impatient = {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    after,
  };
  const instance = wal.persistence?.({}, { ...context, clock: impatient }) as Persistence;
  const sink = createRecordingSink();
  try {
    await instance.open();
    const report = await instance.load(sink);
    return { context, report, entries: sink.entries, read: sink.read };
  } finally {
    await instance.close();
  }
}

export function makeWal(options: StartOptions, files: Files): [Persistence, TestContext] {
  const { recover, ...walOptions } = options;
  const context = createTestContext({
    files,
    folder: FOLDER,
    purpose: { kind: recover === true ? "recover" : "use" },
  });
  if (wal.persistence === undefined) throw new Error("wal contributes no persistence");
  return [wal.persistence(walOptions, context), context];
}

/** Opens and loads; closes again when that fails. */
export async function start(files: Files, options: StartOptions = {}): Promise<Started> {
  const [instance, context] = makeWal(options, files);
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

/** Starts, stops at once; what a start finds. */
export async function look(files: Files, options: StartOptions = {}): Promise<Started> {
  const started = await start(files, options);
  await started.instance.close();
  return started;
}

export async function emptyDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.files.makeFolder(FOLDER);
  return disk;
}

/** Appends a batch to an instance and to the list of what was appended. */
export function append(
  instance: Persistence,
  appended: ReadRecord[],
  firstRevision: Revision,
  sizes: readonly number[],
): void {
  const batch = createBatch({ firstRevision, sizes });
  appended.push(...recordsOf(batch));
  instance.append(batch);
}

/** Takes a checkpoint of these entries, up to `revision`. */
export async function checkpoint(
  { instance, context }: Pick<Started, "instance" | "context">,
  revision: Revision,
  entries: readonly EntryShape[],
  options: WalOptions = {},
  run: Partial<CheckpointRun> = {},
): Promise<void> {
  const subject = subjectOf({ plugin: wal, options });
  const state = { revision, entries };
  await takeCheckpoint(subject, { instance, files: context.files, state, ...run });
}

export interface History {
  readonly disk: MemoryDisk;
  /** All of them durable. */
  readonly records: readonly ReadRecord[];
}

/**
 * Segments 1 and 2 are sealed, 3 is the last. Each group is durable before the next, as under
 * `always`.
 */
export async function smallHistory(end: "closed" | "killed"): Promise<History> {
  const disk = await emptyDisk();
  const { instance } = await start(disk.files, { segmentBytes: 320 });
  const records: ReadRecord[] = [];
  for (const [revision, sizes] of [
    [1, [9, 30]],
    [3, [50]],
    [4, [120]],
    [5, [40]],
    [6, [60]],
    [7, [1]],
  ] as const) {
    append(instance, records, revision, sizes);
    if (revision === 7) append(instance, records, 8, [2, 3]);
    await instance.flush(true);
  }
  if (end === "closed") await instance.close();
  disk.kill();
  expect(disk.paths().length).toBe(4);
  return { disk, records };
}

/** Fails unless `read` is the beginning of `appended` and has at least so many records. */
export function expectPrefix(
  read: readonly ReadRecord[],
  appended: readonly ReadRecord[],
  atLeast: number,
  where: string,
): void {
  expect({ where, read }).toEqual({ where, read: appended.slice(0, read.length) });
  if (read.length < atLeast) {
    throw new Error(`${where}: ${read.length} records read, ${atLeast} were durable`);
  }
}
