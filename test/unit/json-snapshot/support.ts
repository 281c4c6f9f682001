/**
 * What the tests of `json-snapshot` have in common: starts and saves on a disk in memory, as the
 * kernel does them, and the parser fed with slices.
 */
import { expect } from "bun:test";
import plugin from "../../../plugins/json-snapshot/index.ts";
import { JsonProblem } from "../../../plugins/json-snapshot/json-problem.ts";
import type { SnapshotOptions } from "../../../plugins/json-snapshot/snapshot-file.ts";
import { SnapshotParser } from "../../../plugins/json-snapshot/snapshot-parser.ts";
import { KvdbError } from "../../../src/errors.ts";
import type { Files } from "../../../src/platform/files.ts";
import type {
  CheckpointReport,
  Dropped,
  LoadReport,
  OpenPurpose,
  Persistence,
  Revision,
} from "../../../src/plugin.ts";
import {
  createRecordingSink,
  createTestContext,
  type EntryShape,
  MemoryDisk,
  type ReadEntry,
  readEntryOf,
  type State,
  sortedEntries,
  subjectOf,
  type TestContext,
  takeCheckpoint,
} from "../../suites/index.ts";
import { EntryCollector } from "../../suites/stored-entries.ts";

export const FOLDER = "/data";
export const FILE = `${FOLDER}/database.json`;

export function json(key: EntryShape["key"], value: string, more?: Partial<EntryShape>) {
  return { key, value, type: "json", ...more } satisfies EntryShape;
}

export async function emptyDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.files.makeFolder(FOLDER);
  return disk;
}

export async function diskWith(content: string | Uint8Array): Promise<MemoryDisk> {
  const disk = await emptyDisk();
  disk.put(FILE, Buffer.from(content as string));
  return disk;
}

// ---- starts and saves ----

export interface StartOptions {
  readonly purpose?: OpenPurpose;
  readonly options?: SnapshotOptions;
  readonly context?: Partial<TestContext>;
}

export interface Started {
  readonly instance: Persistence;
  readonly context: TestContext;
  readonly report: LoadReport;
  readonly entries: readonly ReadEntry[];
}

export function make(files: Files, start: StartOptions = {}): [Persistence, TestContext] {
  const { purpose, options = {} } = start;
  const made = createTestContext({ files, folder: FOLDER, ...(purpose && { purpose }) });
  const context = Object.assign(made, start.context);
  return [subjectOf({ plugin, options }).make(context), context];
}

/** Opens and loads; closes again when that fails. */
export async function start(files: Files, options: StartOptions = {}): Promise<Started> {
  const [instance, context] = make(files, options);
  const sink = createRecordingSink();
  try {
    await instance.open();
    const report = await instance.load(sink);
    return { instance, context, report, entries: sink.entries };
  } catch (error) {
    await instance.close();
    throw error;
  }
}

/** Starts and stops at once; what a start finds. */
export async function look(files: Files, options: StartOptions = {}): Promise<Started> {
  const started = await start(files, options);
  await started.instance.close();
  return started;
}

export function save(
  instance: Persistence,
  files: Files,
  entries: readonly EntryShape[],
  revision: Revision = 7,
): Promise<CheckpointReport> {
  const subject = subjectOf({ plugin, options: {} });
  return takeCheckpoint(subject, { instance, files, state: { revision, entries } });
}

/** The file with these entries, as kvdb writes it. */
export async function fileOf(entries: readonly EntryShape[], revision = 42): Promise<Buffer> {
  const disk = await emptyDisk();
  const { instance } = await start(disk.files);
  await save(instance, disk.files, entries, revision);
  await instance.close();
  return disk.contents(FILE);
}

/** The versions of entries are not in the file. */
export function comparable(entries: readonly ReadEntry[]): Omit<ReadEntry, "version">[] {
  return sortedEntries(entries).map(({ version, ...rest }) => rest);
}

export function expectRead(read: readonly ReadEntry[], entries: State["entries"]): void {
  expect(comparable(read)).toEqual(comparable(entries.map(readEntryOf)));
}

/** What a start says of a file that it refuses. */
export async function refusal(content: string | Uint8Array): Promise<KvdbError> {
  const disk = await diskWith(content);
  const before = disk.contents(FILE);
  const found = await look(disk.files).catch((error: unknown) => error);
  if (!(found instanceof KvdbError)) throw new Error("the file was not refused");
  expect(disk.paths()).toEqual([FILE]);
  expect(disk.contents(FILE)).toEqual(before);
  return found;
}

/** What was dropped, as `line:column: reason`, or without a place. */
export function reasons(dropped: readonly Dropped[]): string[] {
  return dropped.map(({ reason }) => reason);
}

// ---- the parser alone ----

export interface Parsed {
  readonly entries: readonly ReadEntry[];
  /** Undefined: nothing is wrong. */
  readonly problem: { readonly offset: number; readonly message: string } | undefined;
}

/**
 * Reads bytes in slices that end at `ends` and at the end. All slices lie in one buffer, as in a
 * file that is read: what a slice leaves behind must have been copied.
 */
export function parse(bytes: Buffer, ends: readonly number[] = []): Parsed {
  const collector = new EntryCollector();
  const { entries } = collector;
  const parser: SnapshotParser = new SnapshotParser({
    entry: () => collector.add(parser.entry),
    key: () => {},
    database: () => {},
    skipped: () => {},
    complain: (problem) => {
      throw problem;
    },
  });
  const buffer = Buffer.alloc(bytes.length + 4, "x");
  try {
    let start = 0;
    for (const end of [...ends, bytes.length]) {
      buffer.fill("\\");
      bytes.copy(buffer, 2, start, end);
      parser.feed(buffer, 2, 2 + end - start, start);
      start = end;
    }
    parser.finish(bytes.length);
    return { entries, problem: undefined };
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    return { entries, problem: { offset: error.offset, message: error.message } };
  }
}
