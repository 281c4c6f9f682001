/** Files of RDB in tests: written by kvdb or made of bytes, and read into an engine or into a plain form. */
import type { OpenFile } from "../../../src/platform/files.ts";
import type { StoredEntry } from "../../../src/plugin.ts";
import { Crc64 } from "../../../src/rdb/crc64.ts";
import { type RdbReport, type RdbWriting, readRdb, writeRdb } from "../../../src/rdb/index.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { MemoryDisk } from "../../suites/memory-files.ts";

export const RDB_PATH = "/dump.rdb";

export async function openBytes(bytes: Uint8Array): Promise<OpenFile> {
  const file = await new MemoryDisk().files.open(RDB_PATH, "replace");
  await file.write(bytes, 0, bytes.length, 0);
  return file;
}

/** What kvdb writes of an engine's data. */
export async function fileOf(
  db: EngineHarness,
  writing: Partial<RdbWriting> = {},
): Promise<Buffer> {
  db.endTurn();
  const parts: Buffer[] = [];
  const target = {
    write: (bytes: Buffer, start: number, end: number) => {
      parts.push(Buffer.from(bytes.subarray(start, end)));
    },
  };
  const entries = new EntryWalk(db.engine.keyspace.arena);
  const written = await writeRdb(entries, target, { proceed: () => {}, ...writing });
  const file = Buffer.concat(parts);
  if (written.bytes !== file.length) throw new Error(`${written.bytes} of ${file.length} bytes`);
  return file;
}

export interface Loaded {
  readonly db: EngineHarness;
  readonly report: RdbReport;
}

/** Into a new engine, whose clock stands at `nowMs`. */
export async function load(
  bytes: Uint8Array,
  { sliceBytes, nowMs }: { sliceBytes?: number; nowMs?: number } = {},
): Promise<Loaded> {
  const db = new EngineHarness({ auditEvery: 0, background: false });
  if (nowMs !== undefined) db.clock.setWall(nowMs);
  const sink = db.engine.loadSink;
  const report = await readRdb({
    file: await openBytes(bytes),
    entry: (entry) => sink.entry(entry),
    progress: (done, total) => sink.progress(done, total),
    ...(sliceBytes !== undefined && { sliceBytes }),
  });
  const outcome = { records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] };
  db.engine.beginRecording(db.persistence, outcome);
  db.engine.finishLoading();
  return { db, report };
}

/** Reads without an engine. */
export async function readInto(
  bytes: Uint8Array,
  entry: (entry: Readonly<StoredEntry>) => void = () => {},
): Promise<RdbReport> {
  return readRdb({ file: await openBytes(bytes), entry, progress: () => {} });
}

/** A file of a version: its parts between the magic and the checksum that belongs to them. */
export function rdb(version: number, ...parts: readonly (number | string | Uint8Array)[]): Buffer {
  const content = Buffer.concat([
    Buffer.from(`REDIS${String(version).padStart(4, "0")}`),
    ...parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))),
    Buffer.from([0xff]),
  ]);
  return version < 5 ? content : sealed(content);
}

/** With the checksum behind it. */
export function sealed(content: Buffer): Buffer {
  const checksum = new Crc64();
  checksum.add(content, 0, content.length);
  const file = Buffer.concat([content, Buffer.alloc(8)]);
  checksum.write(file, content.length);
  return file;
}
