/**
 * Reads records back while the log is written, for who follows the changes: from a revision on, segment after segment, up to
 * what is as durable as was promised. Any number of readers may be at work; each has a file open, which it goes on reading
 * when a checkpoint lets the segment go. A segment that is gone before it was opened is a gap, and told as one.
 *
 * Nothing is judged here: what was durable once and cannot be read any more is damage.
 */
import { join } from "node:path";
import { type Clock, type Files, KvdbError, logGap, type RecordBatch, type Revision } from "kvdb";
import { Breathing, type FilePlace } from "kvdb/persistence";
import type { WalChain } from "./chain-form.ts";
import type { Group } from "./group.ts";
import { type SegmentEntry, segmentFileName } from "./manifest.ts";
import { SEGMENT_HEADER_BYTES } from "./segment.ts";
import { SegmentReader } from "./segment-reader.ts";
import { PackedSource, plainSource, type SegmentSource } from "./segment-source.ts";

export interface ReadableLog {
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly chain: WalChain;
  /** Of the segment that is written: up to here everything is as durable as was promised. */
  promisedEnd(): number;
}

/** Whole batches, the first of which may begin before `from`. Each is good until the next is asked for. */
export async function* readRecords(
  log: ReadableLog,
  from: Revision,
): AsyncGenerator<RecordBatch, void> {
  const { chain } = log;
  for (let next: Revision | undefined = from; next !== undefined; ) {
    const place = chain.fileWith(next);
    if (place === undefined) throw logGap(next, chain.readableFrom);
    const source = await openSource(log, place.entry, next);
    try {
      next = yield* new SegmentReading(log, place.entry, source).read(next);
    } finally {
      await source.close();
    }
  }
}

/** So often a segment may be packed, or let go, between the look for it and its opening. */
const ATTEMPTS = 3;

async function openSource(
  { files, folder, chain }: ReadableLog,
  wanted: SegmentEntry,
  next: Revision,
): Promise<SegmentSource> {
  let entry: SegmentEntry | undefined = wanted;
  for (let attempt = 1; ; attempt++) {
    const path = join(folder, segmentFileName(entry));
    try {
      const file = await files.open(path, "read");
      const { packed } = entry;
      return packed === undefined ? plainSource(file) : new PackedSource(file, entry, packed);
    } catch (error) {
      entry = chain.file(wanted.number)?.entry;
      if (entry === undefined) throw logGap(next, chain.readableFrom);
      if (attempt === ATTEMPTS || (await files.exists(path))) throw error;
    }
  }
}

interface Standing {
  /** How far it may be read. */
  readonly end: number;
  /** Where the next one begins; undefined: there is none yet. */
  readonly nextRevision: FilePlace<SegmentEntry>["nextRevision"];
}

class SegmentReading {
  readonly #log: ReadableLog;
  readonly #number: number;
  readonly #reader: SegmentReader;
  readonly #breathing: Breathing;
  #offset = SEGMENT_HEADER_BYTES;
  /** Once it is sealed, that is how it stays, also when it is let go. */
  #sealed: Standing | undefined;

  constructor(log: ReadableLog, { number, salt }: SegmentEntry, source: SegmentSource) {
    this.#log = log;
    this.#number = number;
    this.#reader = new SegmentReader(source, 0, salt);
    this.#breathing = new Breathing(log.clock);
  }

  /** Answers the revision from which on the next segment is to be read; undefined: it is the last one. */
  async *read(from: Revision): AsyncGenerator<RecordBatch, Revision | undefined> {
    let next = from;
    for (;;) {
      const { end, nextRevision } = this.#standing(next);
      if (this.#offset >= end) return nextRevision && Math.max(next, nextRevision);
      this.#reader.limit = end;
      const group = await this.#group();
      this.#offset = group.end;
      for (const batch of group.batches) {
        const after = batch.firstRevision + batch.count;
        if (after <= next) continue;
        yield batch;
        next = after;
        this.#breathing.begin();
      }
      if (this.#breathing.isDue) await this.#breathing.breathe();
    }
  }

  #standing(next: Revision): Standing {
    if (this.#sealed !== undefined) return this.#sealed;
    const { chain, promisedEnd } = this.#log;
    const place = chain.file(this.#number);
    // It was written when it was looked at last: how much of it counted nobody knows any more.
    if (place === undefined) throw logGap(next, chain.readableFrom);
    const { entry, nextRevision } = place;
    if (entry.bytes === undefined) return { end: promisedEnd(), nextRevision };
    this.#sealed = { end: entry.bytes, nextRevision };
    return this.#sealed;
  }

  async #group(): Promise<Group> {
    const offset = this.#offset;
    const pending = this.#reader.groupAt(offset);
    const group = pending instanceof Promise ? await pending : pending;
    if (group !== undefined) return group;
    const { path } = this.#reader.file;
    throw new KvdbError("DAMAGE", `${path}: the group at offset ${offset} cannot be read`);
  }
}
