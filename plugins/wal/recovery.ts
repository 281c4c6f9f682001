/**
 * Reads the log back, in order, and tells an unsynced tail from damage. The invariant: what is
 * handed to the sink is intact and complete up to its end, or the user asked for `recover` and is
 * told what is missing.
 *
 * Nothing is judged by revisions: they jump by 2^24 after an unclean stop, so a gap proves nothing.
 * What proves a loss is bytes that should be there: a named file that is gone, bytes below a
 * segment's `bytes` in the manifest, or, in the last segment, bytes below the `durable` offset that
 * a later intact group of it states. Unreadable bytes that nobody called durable are an unsynced
 * tail: they and all behind them were never acknowledged under `always`.
 *
 * A segment begun after a failed write repeats what was not known durable in the one before: its
 * first revision says from where. Groups of the earlier segment from that revision on are skipped,
 * so nothing is applied twice.
 */
import { join } from "node:path";
import {
  type Dropped,
  type Files,
  KvdbError,
  type LoadReport,
  type LoadSink,
  type Revision,
} from "kvdb";
import { type Group, KIND_CLOSING } from "./group.ts";
import { damageError, type FolderOptions, type Inventory } from "./inventory.ts";
import { type SegmentEntry, type Stretch, writeManifest } from "./manifest.ts";
import {
  type ActiveSegment,
  activateSegment,
  closeAll,
  createIdentity,
  createSegment,
  type OpenFile,
  SEGMENT_HEADER_BYTES,
  segmentName,
} from "./segment.ts";
import type { ChainStart } from "./segment-chain.ts";
import { SegmentReader } from "./segment-reader.ts";

/** The log as it was read, ready to be written on. */
export interface RecoveredLog extends ChainStart {
  readonly report: LoadReport;
}

export async function recoverLog(
  options: FolderOptions,
  inventory: Inventory,
  sink: LoadSink,
): Promise<RecoveredLog> {
  return new Recovery(options, inventory, sink).run();
}

/** One segment while it is read. */
interface Reading {
  readonly entry: SegmentEntry;
  readonly reader: SegmentReader;
  readonly isLast: boolean;
  /** Groups from this revision on are repeated by the next segment. */
  readonly repeatedFrom: Revision;
  readonly damaged: Stretch[];
  /** The highest offset up to which a group said that the file was durable. */
  durable: number;
}

class Recovery {
  readonly #options: FolderOptions;
  readonly #inventory: Inventory;
  readonly #sink: LoadSink;
  readonly #dropped: Dropped[];
  #records = 0;
  #bytes = 0;
  #lastRevision: Revision = 0;
  /** Whether the last thing in the log is a closing group. */
  #closed = true;
  #totalBytes = 0;
  #doneBytes = 0;
  #manifestChanged: boolean;

  constructor(options: FolderOptions, inventory: Inventory, sink: LoadSink) {
    this.#options = options;
    this.#inventory = inventory;
    this.#sink = sink;
    this.#dropped = [...inventory.dropped];
    this.#manifestChanged = inventory.rebuilt;
  }

  get #recovers(): boolean {
    return this.#options.purpose.kind === "recover";
  }

  async run(): Promise<RecoveredLog> {
    const sealed: SegmentEntry[] = [];
    const segments = await this.#measure();
    for (const [index, segment] of segments.entries()) {
      if (segment.size === undefined) {
        this.#reportMissing(segment);
        continue;
      }
      const isLast = index === segments.length - 1;
      const repeatedFrom = segments[index + 1]?.entry.firstRevision ?? Number.POSITIVE_INFINITY;
      const file = await this.#options.files.open(segment.path, "update");
      const reading = this.#beginReading(segment, file, isLast, repeatedFrom);
      const last = await this.#readAndClose(reading, sealed);
      if (last !== undefined) return this.#finish(sealed, last);
    }
    return this.#finish(sealed, await this.#beginSegment());
  }

  /**
   * Reads a segment. It is closed and added to `sealed`, or, when it is the one to go on with,
   * returned open.
   */
  async #readAndClose(
    reading: Reading,
    sealed: SegmentEntry[],
  ): Promise<ActiveWithDamage | undefined> {
    const { file } = reading.reader;
    try {
      const end = await this.#readSegment(reading);
      if (reading.isLast && canBeContinued(reading)) return await this.#activate(reading, end);
      sealed.push({ ...reading.entry, bytes: end, damaged: reading.damaged });
    } catch (error) {
      await closeAll([file]);
      throw error;
    }
    await file.close();
    return undefined;
  }

  async #measure(): Promise<FoundSegment[]> {
    const { files } = this.#options;
    const found: FoundSegment[] = [];
    for (const entry of this.#inventory.segments) {
      const path = this.#pathOf(entry);
      const size = (await files.exists(path)) ? await sizeOf(files, path) : undefined;
      this.#totalBytes += entry.bytes ?? size ?? 0;
      found.push({ entry, path, size });
    }
    return found;
  }

  #beginReading(
    { entry, size }: FoundSegment,
    file: OpenFile,
    isLast: boolean,
    repeatedFrom: Revision,
  ): Reading {
    const reader = new SegmentReader(file, entry.bytes ?? size ?? 0, entry.salt);
    const doneBefore = this.#doneBytes;
    this.#doneBytes += reader.limit;
    reader.onSlice = (offset) => this.#sink.progress(doneBefore + offset, this.#totalBytes);
    const damaged = [...(entry.damaged ?? [])];
    return { entry, reader, isLast, repeatedFrom, damaged, durable: SEGMENT_HEADER_BYTES };
  }

  /** Hands a segment's records to the sink. Resolves to the offset where what counts of it ends. */
  async #readSegment(reading: Reading): Promise<number> {
    const { reader, entry } = reading;
    this.#lastRevision = Math.max(this.#lastRevision, entry.firstRevision - 1);
    let offset = await this.#readHeader(reading);
    while (offset < reader.limit) {
      const known = reading.damaged.find(([start]) => start === offset);
      if (known !== undefined) {
        offset = known[1];
        continue;
      }
      const pending = reader.groupAt(offset);
      const group = pending instanceof Promise ? await pending : pending;
      if (group !== undefined && this.#apply(reading, group)) {
        reading.durable = Math.max(reading.durable, group.durable);
        offset = group.end;
        continue;
      }
      // An intact group that does not fit in here (out of order) is a stretch as well: it must not
      // be applied.
      const next = await reader.nextGroup(group === undefined ? offset + 1 : group.end);
      if (await this.#isTail(reading, offset, next)) return offset;
      await this.#reportDamage(reading, [offset, next?.offset ?? reader.limit], next);
      offset = next?.offset ?? reader.limit;
    }
    return offset;
  }

  /**
   * Where the groups begin. The manifest names a segment only when its header is durable: none is
   * damage.
   */
  async #readHeader(reading: Reading): Promise<number> {
    const { reader, entry, damaged } = reading;
    const known = damaged.find(([start]) => start === 0);
    if (known !== undefined) return known[1];
    const identity = await reader.header();
    const fits =
      identity !== undefined &&
      identity.number === entry.number &&
      identity.salt === entry.salt &&
      identity.firstRevision === entry.firstRevision;
    if (fits) return SEGMENT_HEADER_BYTES;
    const next = await reader.nextGroup(0); // the salt to check it with stands in the manifest too
    const end = next?.offset ?? reader.limit;
    await this.#reportDamage(reading, [0, end], next);
    return end;
  }

  /**
   * Gives a group's records to the sink; false when its revisions do not follow on what came
   * before.
   */
  #apply({ reader, repeatedFrom }: Reading, group: Group): boolean {
    const afterLast = group.firstRevision + group.count;
    if (group.kind === KIND_CLOSING) {
      this.#lastRevision = Math.max(this.#lastRevision, group.firstRevision - 1);
      this.#closed = true;
      return true;
    }
    if (group.firstRevision >= repeatedFrom) return true;
    if (group.firstRevision <= this.#lastRevision || afterLast > repeatedFrom) return false;
    for (const batch of group.batches) {
      try {
        this.#sink.records(batch);
      } catch (error) {
        throw this.#placed(error, `${reader.file.path}: group at offset ${group.offset}`);
      }
    }
    this.#records += group.count;
    this.#bytes += group.end - group.offset;
    this.#lastRevision = afterLast - 1;
    this.#closed = false;
    return true;
  }

  #placed(error: unknown, place: string): unknown {
    return error instanceof KvdbError ? error.prefix(place) : error;
  }

  /**
   * Whether what begins at `offset` may be cut: it is in the last segment and no intact group
   * behind it says that the file was durable further than that. Reports what is cut.
   */
  async #isTail(reading: Reading, offset: number, next: Group | undefined): Promise<boolean> {
    const { reader } = reading;
    const used = await reader.lastUsed(offset);
    // Zeros to the end: space prepared ahead, in which nothing was written. A segment whose length
    // the manifest states has none: it ends there and nowhere before.
    if (used === offset && reading.entry.bytes === undefined) return true;
    if (!reading.isLast) return false;
    for (let group = next; group !== undefined; group = await reader.nextGroup(group.end)) {
      if (group.durable > offset) return false;
    }
    const reason = "not synced when kvdb stopped, and not whole";
    this.#dropped.push({
      kind: "tail",
      file: reader.file.path,
      offset,
      bytes: used - offset,
      reason,
    });
    return true;
  }

  async #reportDamage(reading: Reading, stretch: Stretch, next: Group | undefined): Promise<void> {
    const { reader } = reading;
    const [start, end] = stretch;
    const before = next === undefined ? "" : ` and below ${next.firstRevision}`;
    const lost = `records above revision ${this.#lastRevision}${before} are lost`;
    const reason = `was durable and cannot be read; ${lost}`;
    const { path } = reader.file;
    if (!this.#recovers) {
      throw damageError(`${path}: ${end - start} bytes at offset ${start}: ${reason}`);
    }
    const keptIn = await this.#copyAside(reading, stretch);
    this.#dropped.push({
      kind: "damage",
      file: path,
      offset: start,
      bytes: end - start,
      reason,
      keptIn,
    });
    reading.damaged.push(stretch);
    this.#closed = false;
    this.#manifestChanged = true;
  }

  /** The copy is durable before the manifest lets the stretch be skipped. */
  async #copyAside({ reader }: Reading, [start, end]: Stretch): Promise<string> {
    const { files, folder } = this.#options;
    const path = `${reader.file.path}.damaged-${start}`;
    const copy = await files.open(path, "replace");
    try {
      await reader.copyTo(copy, start, end);
      await copy.sync();
    } finally {
      await copy.close();
    }
    await files.syncFolder(folder);
    return path;
  }

  #reportMissing({ entry, path }: FoundSegment): void {
    const lost = `records above revision ${entry.firstRevision - 1} are lost`;
    const reason = `the file is gone; ${lost}`;
    if (!this.#recovers) throw damageError(`${path}: ${reason}`);
    this.#dropped.push({
      kind: "damage",
      file: path,
      offset: 0,
      bytes: entry.bytes ?? 0,
      reason,
    });
    this.#lastRevision = Math.max(this.#lastRevision, entry.firstRevision - 1);
    this.#closed = false;
    this.#manifestChanged = true;
  }

  /**
   * Makes the last segment ready: cut behind what counts, and all of it durable before a new group
   * may say so. A sync alone does not do: when one failed before the last stop, the system takes
   * those bytes for written. So what no group calls durable is written once more; after a stop in
   * order there is no such thing.
   */
  async #activate(
    { entry, damaged, durable, reader }: Reading,
    end: number,
  ): Promise<ActiveWithDamage> {
    const { file } = reader;
    const cut = this.#dropped.some(
      ({ file: path, offset }) => path === file.path && offset === end,
    );
    if (cut) await file.truncate(end);
    if (!this.#closed) await reader.rewrite(durable, end);
    await file.sync();
    const active = await activateSegment(this.#options.files, entry, file, end);
    if (!cut) active.preparedEnd = reader.limit;
    return { active, damaged };
  }

  /** There is no segment to go on with: a new folder, or none could be kept. */
  async #beginSegment(): Promise<ActiveWithDamage> {
    const { files, folder } = this.#options;
    const number = this.#inventory.highestNumber + 1;
    const identity = createIdentity(number, this.#lastRevision + 1);
    const active = await createSegment(files, folder, identity);
    this.#manifestChanged = true;
    return { active, damaged: [] };
  }

  async #finish(
    sealed: readonly SegmentEntry[],
    { active, damaged }: ActiveWithDamage,
  ): Promise<RecoveredLog> {
    const { number, salt, firstRevision } = active;
    const { files, folder } = this.#options;
    try {
      // Also when nothing changes: the last stop may have come between renaming the manifest and
      // syncing the folder. We see the new one, a power loss would bring back the old one, without
      // the segment about to be written.
      await files.syncFolder(folder);
      if (this.#manifestChanged) {
        const entries = [...sealed, { number, salt, firstRevision, damaged }];
        await writeManifest(files, folder, entries);
      }
    } catch (error) {
      await closeAll([active.synced, active.plain]);
      throw error;
    }
    const report: LoadReport = {
      records: this.#records,
      bytes: this.#bytes,
      lastRevision: this.#lastRevision,
      clean: this.#closed && this.#dropped.length === 0,
      dropped: this.#dropped,
    };
    return { report, sealed, active, activeDamaged: damaged };
  }

  #pathOf({ number }: SegmentEntry): string {
    return join(this.#options.folder, segmentName(number));
  }
}

interface FoundSegment {
  readonly entry: SegmentEntry;
  readonly path: string;
  /** undefined: the manifest names it, but it is gone. */
  readonly size: number | undefined;
}

interface ActiveWithDamage {
  readonly active: ActiveSegment;
  readonly damaged: readonly Stretch[];
}

/**
 * A segment without its header can be read with what the manifest says, but nothing new goes into
 * it.
 */
function canBeContinued({ damaged }: Reading): boolean {
  return !damaged.some(([start]) => start === 0);
}

async function sizeOf(files: Files, path: string): Promise<number> {
  const file = await files.open(path, "read");
  return file.size().finally(() => file.close());
}
