/**
 * Reads records back while the log is written, for who follows the changes: from a revision on, increment after increment, up
 * to what is as durable as was promised. Any number of readers may be at work; each has a file open, which it goes on
 * reading when a rewrite lets the increment go. An increment that is gone before it was opened is a gap, and told as one.
 *
 * Nothing is judged here: what was durable once and cannot be read any more is damage. What a Redis has written is not read
 * at all: its records have no revisions that stay.
 */
import { type Clock, type Files, KvdbError, logGap, type RecordBatch, type Revision } from "kvdb";
import { Breathing, type FilePlace } from "kvdb/persistence";
import type { AofChain } from "./chain-form.ts";
import type { GroupLine, RecordsLine } from "./group-line.ts";
import { type GroupSpan, IncrementReader } from "./increment-reader.ts";
import { type IncrementSource, plainSource } from "./increment-source.ts";
import { type FileNames, type IncrementEntry, PACKED_SUFFIX } from "./manifest.ts";
import { PackedSource } from "./packed-source.ts";
import { RecordFrames, SLICE_BYTES } from "./record-frames.ts";
import { RecordScan } from "./record-scan.ts";

export interface ReadableLog {
  readonly files: Files;
  readonly names: FileNames;
  readonly clock: Clock;
  readonly chain: AofChain;
  /** Of the increment that is written: up to here everything is as durable as was promised. */
  promisedEnd(): number;
}

/** Batches, the first of which may begin before `from`. Each is good until the next is asked for. */
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
      next = yield* new IncrementReading(log, place.entry, source).read(next);
    } finally {
      await source.close();
    }
  }
}

/** So often an increment may be packed, or let go, between the look for it and its opening. */
const ATTEMPTS = 3;

async function openSource(
  { files, names, chain }: ReadableLog,
  { name: wanted, sequence }: IncrementEntry,
  next: Revision,
): Promise<IncrementSource> {
  let name = wanted;
  for (let attempt = 1; ; attempt++) {
    const path = names.path(name);
    try {
      const file = await files.open(path, "read");
      return await (name.endsWith(PACKED_SUFFIX) ? PackedSource.open(file) : plainSource(file));
    } catch (error) {
      const entry = chain.file(sequence)?.entry;
      if (entry === undefined) throw logGap(next, chain.readableFrom);
      if (attempt === ATTEMPTS || (await files.exists(path))) throw error;
      name = entry.name;
    }
  }
}

interface Standing {
  /** How far it may be read. */
  readonly end: number;
  /** Where the next one begins; undefined: there is none yet. */
  readonly nextRevision: FilePlace<IncrementEntry>["nextRevision"];
}

class IncrementReading {
  readonly #log: ReadableLog;
  readonly #sequence: number;
  readonly #reader: IncrementReader;
  readonly #breathing: Breathing;
  readonly #frames = new RecordFrames();
  #offset = 0;
  /** Once it is sealed, that is how it stays, also when it is let go. */
  #sealed: Standing | undefined;

  constructor(log: ReadableLog, { sequence, own }: IncrementEntry, source: IncrementSource) {
    this.#log = log;
    this.#sequence = sequence;
    this.#reader = new IncrementReader(source, 0);
    this.#reader.salt = own?.salt ?? 0;
    this.#breathing = new Breathing(log.clock);
  }

  /** Answers the revision from which on the next increment is to be read; undefined: it is the last one. */
  async *read(from: Revision): AsyncGenerator<RecordBatch, Revision | undefined> {
    let next = from;
    await this.#readHead(from);
    for (;;) {
      const { end, nextRevision } = this.#standing(next);
      if (this.#offset >= end) return nextRevision && Math.max(next, nextRevision);
      this.#reader.limit = end;
      const line = await this.#line();
      if (line.kind === "records" && line.firstRevision + line.count > next) {
        yield* this.#records(line);
        next = line.firstRevision + line.count;
      }
      this.#offset += line.lineBytes + (line.kind === "end" ? 0 : line.textBytes);
      if (this.#breathing.isDue) await this.#breathing.breathe();
    }
  }

  async #readHead(next: Revision): Promise<void> {
    this.#reader.limit = this.#standing(next).end;
    const head = await this.#reader.head();
    if (head === undefined) throw this.#damage();
    this.#offset = head.lineBytes;
  }

  #standing(next: Revision): Standing {
    if (this.#sealed !== undefined) return this.#sealed;
    const { chain, promisedEnd } = this.#log;
    const place = chain.file(this.#sequence);
    // It was written when it was looked at last: how much of it counted nobody knows any more.
    if (place === undefined) throw logGap(next, chain.readableFrom);
    const { entry, nextRevision } = place;
    const { bytes } = entry.own ?? {};
    if (bytes === undefined) return { end: promisedEnd(), nextRevision };
    this.#sealed = { end: bytes, nextRevision };
    return this.#sealed;
  }

  async #line(): Promise<GroupLine> {
    const line = await this.#reader.lineAt(this.#offset);
    if (line === undefined) throw this.#damage();
    return line;
  }

  /** The records of a group, in slices: a group of a MiB is parsed for some ten milliseconds. */
  async *#records(line: RecordsLine): AsyncGenerator<RecordBatch, void> {
    const text = await this.#reader.textOf(line);
    if (text === undefined) throw this.#damage();
    const scan = new RecordScan(line.database, line.timeMs, false);
    let revision = line.firstRevision;
    for (let at = text.start; at < text.end; ) {
      const { end, count } = this.#frame(text, at, { scan, revision });
      yield* this.#frames.batches;
      this.#breathing.begin();
      revision += count;
      at = end;
    }
    if (revision !== line.firstRevision + line.count) throw this.#damage();
  }

  /** Frames records from `at` on: some, or all that are left. */
  #frame(
    { bytes, end }: GroupSpan,
    from: number,
    { scan, revision }: { readonly scan: RecordScan; readonly revision: Revision },
  ): { end: number; count: number } {
    const frames = this.#frames;
    frames.begin(revision);
    let at = from;
    while (at < end && frames.bytes < SLICE_BYTES) {
      const outcome = scan.scan(bytes, at, end);
      if (outcome !== "record" && outcome !== "end") throw this.#damage();
      if (outcome === "record") frames.add(bytes, scan);
      at = outcome === "record" ? scan.next : end;
    }
    frames.endBatch();
    return { end: at, count: frames.nextRevision - revision };
  }

  #damage(): KvdbError {
    const { path } = this.#reader.file;
    return new KvdbError("DAMAGE", `${path}: the group at offset ${this.#offset} cannot be read`);
  }
}
