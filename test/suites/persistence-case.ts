/**
 * What the tests of a persistence are made of: the plugin under test, starts and sessions on a disk
 * in memory, and what was appended, to be compared with what a start reads.
 */
import { expect } from "bun:test";
import type { Files } from "../../src/platform/files.ts";
import type {
  LoadReport,
  Persistence,
  PersistenceAbilities,
  PersistenceContext,
  Plugin,
  RecordBatch,
  Revision,
  WrittenCheckpoint,
} from "../../src/plugin.ts";
import { MemoryDisk } from "./memory-files.ts";
import {
  createBatch,
  createRecordingSink,
  createTestContext,
  type ReadRecord,
  recordsOf,
} from "./persistence-context.ts";
import { createEntryReader, type ReadEntry, type State } from "./stored-entries.ts";

export interface PersistenceCase<Options = unknown> {
  readonly plugin: Plugin<Options>;
  /** As a configuration would give them. */
  readonly options: Options;
  /** Tells the cases of one plugin apart. */
  readonly name?: string;
}

/** A case that is known to bring a persistence. */
export interface Subject {
  readonly supports: PersistenceAbilities;
  /** Its log can be read while it is written. */
  readonly reads: boolean;
  /** An instance over a context; made anew for each start on the same folder. */
  readonly make: (context: PersistenceContext) => Persistence;
  readonly writeCheckpoint: (work: CheckpointWork) => Promise<WrittenCheckpoint>;
}

/** What a worker is handed to write a checkpoint. */
export interface CheckpointWork {
  readonly files: Files;
  readonly state: State;
  readonly task: unknown;
  /** Default: the checkpoint stays wanted. */
  readonly proceed?: () => void;
}

export const FOLDER = "/data";

export function subjectOf<Options>({ plugin, options }: PersistenceCase<Options>): Subject {
  const make = (context: PersistenceContext): Persistence => {
    if (plugin.persistence === undefined) throw new Error("the plugin brings no persistence");
    return plugin.persistence(options, context);
  };
  const writeCheckpoint = ({ state, proceed = () => {}, ...given }: CheckpointWork) => {
    if (plugin.writeCheckpoint === undefined) throw new Error("the plugin writes no checkpoints");
    const target = { ...given, proceed, folder: FOLDER, options };
    return plugin.writeCheckpoint(createEntryReader(state), target);
  };
  const { files } = new MemoryDisk();
  const { supports, read } = make(createTestContext({ files, folder: FOLDER }));
  return { make, writeCheckpoint, supports, reads: read !== undefined };
}

/** An instance, and what was appended to it. */
export interface Appender {
  readonly instance: Persistence;
  readonly appended: ReadRecord[];
  append(firstRevision: Revision, sizes: readonly number[]): RecordBatch;
}

export function createLog(instance: Persistence): Appender {
  const appended: ReadRecord[] = [];
  return {
    instance,
    appended,
    append(firstRevision, sizes) {
      const words = instance.supports.redisWords === true;
      const batch = createBatch({ firstRevision, sizes, words });
      appended.push(...recordsOf(batch));
      instance.append(batch);
      return batch;
    },
  };
}

export async function emptyDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.files.makeFolder(FOLDER);
  return disk;
}

export interface Started {
  readonly instance: Persistence;
  readonly report: LoadReport;
  /** Of the last checkpoint. */
  readonly entries: readonly ReadEntry[];
  readonly read: readonly ReadRecord[];
}

export async function start(
  make: Subject["make"],
  disk: { readonly files: Files },
): Promise<Started> {
  const instance = make(createTestContext({ files: disk.files, folder: FOLDER }));
  const sink = createRecordingSink();
  await instance.open();
  const report = await instance.load(sink);
  return { instance, report, entries: sink.entries, read: sink.read };
}

/** Starts and stops in order; what was found. */
export async function look(make: Subject["make"], disk: MemoryDisk): Promise<Started> {
  const started = await start(make, disk);
  await started.instance.close();
  return started;
}

/** Opens, runs, stops in order; resolves to what was appended. */
export async function session(
  make: Subject["make"],
  disk: MemoryDisk,
  run: (log: Appender) => Promise<void>,
): Promise<ReadRecord[]> {
  const { instance } = await start(make, disk);
  const log = createLog(instance);
  await run(log);
  await instance.close();
  return log.appended;
}

/** Whether it succeeded. A failure is one of the outcomes here. */
export async function outcome(run: () => Promise<void>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return false;
  }
}

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
