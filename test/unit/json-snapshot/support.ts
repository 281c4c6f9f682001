/**
 * What the tests of `json-snapshot` have in common: databases as lists of entries, written and read
 * on a disk in memory as the kernel would do it.
 */
import plugin from "../../../plugins/json-snapshot/index.ts";
import type { SnapshotOptions } from "../../../plugins/json-snapshot/snapshot-file.ts";
import type {
  CheckpointReport,
  EntryReader,
  EntryType,
  Files,
  LoadReport,
  LoadSink,
  OpenPurpose,
  Persistence,
  Revision,
  StoredEntry,
} from "../../../src/plugin.ts";
import { createTestContext, MemoryDisk, type TestContext } from "../../suites/index.ts";

export const FOLDER = "/data";
export const FILE = `${FOLDER}/database.json`;
export const TIME_MS = Date.UTC(2026, 2, 1, 12);

export interface Entry {
  readonly database: number;
  readonly type: EntryType;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly deadlineMs: number;
}

/** An entry in a form that compares and can be read. */
export interface ShownEntry {
  readonly database: number;
  readonly type: EntryType;
  readonly key: string;
  readonly value: string;
  readonly deadlineMs: number;
}

type Text = string | Uint8Array;

export function text(key: Text, value: Text, more: Partial<Entry> = {}): Entry {
  const bytes = { key: Buffer.from(key as string), value: Buffer.from(value as string) };
  return { database: 0, type: "string", deadlineMs: 0, ...bytes, ...more };
}

export function json(key: Text, value: Text, more: Partial<Entry> = {}): Entry {
  return text(key, value, { type: "json", ...more });
}

export function shown(entry: Entry): ShownEntry {
  return { ...entry, key: entry.key.toString("latin1"), value: entry.value.toString("latin1") };
}

/** In the order in which the tests compare them: the one of a file is nobody's promise. */
export function inOrder(entries: readonly Entry[]): ShownEntry[] {
  return entries.map(shown).sort((a, b) => {
    if (a.database !== b.database) return a.database - b.database;
    return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
  });
}

export function readerOf(entries: readonly Entry[], revision: Revision): EntryReader {
  const entry: StoredEntry = {
    database: 0,
    type: "string",
    keyBytes: Buffer.alloc(0),
    keyStart: 0,
    keyEnd: 0,
    valueBytes: Buffer.alloc(0),
    valueStart: 0,
    valueEnd: 0,
    deadlineMs: 0,
    version: 0,
  };
  let next = 0;
  return {
    revision,
    timeMs: TIME_MS,
    entryCount: entries.length,
    entry,
    next() {
      const one = entries[next++];
      if (one === undefined) return false;
      // Not at the front of their buffers, as in an arena.
      const keyBytes = Buffer.concat([Buffer.from('x"'), one.key, Buffer.from('"')]);
      const valueBytes = Buffer.concat([Buffer.from("{"), one.value, Buffer.from("$")]);
      Object.assign(entry, one, { keyBytes, valueBytes });
      Object.assign(entry, { keyStart: 2, keyEnd: 2 + one.key.length });
      Object.assign(entry, { valueStart: 1, valueEnd: 1 + one.value.length });
      return true;
    },
  };
}

export interface CollectingSink extends LoadSink {
  readonly entries: Entry[];
  readonly versions: Revision[];
}

export function collectingSink(): CollectingSink {
  const entries: Entry[] = [];
  const versions: Revision[] = [];
  return {
    entries,
    versions,
    entry({ database, type, deadlineMs, version, ...bytes }) {
      const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = bytes;
      const key = Buffer.alloc(keyEnd - keyStart);
      keyBytes.copy(key, 0, keyStart, keyEnd);
      const value = Buffer.alloc(valueEnd - valueStart);
      valueBytes.copy(value, 0, valueStart, valueEnd);
      entries.push({ database, type, key, value, deadlineMs });
      versions.push(version);
    },
    records: () => {
      throw new Error("there are no records here");
    },
    progress: () => {},
  };
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

export interface StartOptions {
  readonly files: Files;
  readonly purpose?: OpenPurpose;
  readonly options?: SnapshotOptions;
  readonly context?: Partial<TestContext>;
}

export interface Started {
  readonly instance: Persistence;
  readonly context: TestContext;
  readonly report: LoadReport;
  readonly entries: readonly Entry[];
  readonly versions: readonly Revision[];
}

export function make(start: StartOptions): [Persistence, TestContext] {
  const { files, purpose } = start;
  const made = createTestContext({ files, folder: FOLDER, ...(purpose && { purpose }) });
  const context = Object.assign(made, start.context);
  if (plugin.persistence === undefined) throw new Error("json-snapshot contributes no persistence");
  return [plugin.persistence(start.options ?? {}, context), context];
}

/** Opens and loads; closes again when that fails. */
export async function start(options: StartOptions): Promise<Started> {
  const [instance, context] = make(options);
  const sink = collectingSink();
  try {
    await instance.open();
    const report = await instance.load(sink);
    return { instance, context, report, entries: sink.entries, versions: sink.versions };
  } catch (error) {
    await instance.close();
    throw error;
  }
}

/** Starts and stops at once; what a start finds. */
export async function look(options: StartOptions): Promise<Started> {
  const started = await start(options);
  await started.instance.close();
  return started;
}

export interface SaveOptions extends StartOptions {
  readonly entries: readonly Entry[];
  readonly revision?: Revision;
  readonly proceed?: () => void;
}

/** Writes a checkpoint as the kernel does. */
export async function save(instance: Persistence, options: SaveOptions): Promise<CheckpointReport> {
  const { entries, revision = entries.length } = options;
  const task = structuredClone(await instance.beginCheckpoint?.(revision));
  if (plugin.writeCheckpoint === undefined) throw new Error("it writes no checkpoints");
  const written = await plugin.writeCheckpoint(readerOf(entries, revision), {
    files: options.files,
    folder: FOLDER,
    options: options.options ?? {},
    task,
    proceed: options.proceed ?? (() => {}),
  });
  const report = {
    ...structuredClone(written),
    revision,
    entries: entries.length,
    durationMs: 1,
  };
  await instance.checkpointed?.(report);
  return report;
}

/** The text of a file with these entries. */
export async function textOf(entries: readonly Entry[], revision?: Revision): Promise<string> {
  const disk = await emptyDisk();
  const { instance } = await start({ files: disk.files });
  await save(instance, { files: disk.files, entries, ...(revision !== undefined && { revision }) });
  await instance.close();
  return disk.contents(FILE).toString();
}
