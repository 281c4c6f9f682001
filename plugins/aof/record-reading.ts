/**
 * An increment that is read for who follows the changes (kvdb/persistence says when and how far): its groups, one after the
 * other, each in slices. Nothing is judged here: what was durable once and cannot be read any more is damage. What a Redis has
 * written is not read at all: its records have no revisions that stay.
 */
import { KvdbError, type RecordBatch, type Revision } from "kvdb";
import {
  type LogSource,
  plainSource,
  type ReadingForm,
  type RecordFile,
  type WantedRecords,
} from "kvdb/persistence";
import type { RecordsLine } from "./group-line.ts";
import { type GroupSpan, IncrementReader } from "./increment-reader.ts";
import { type IncrementEntry, PACKED_SUFFIX } from "./manifest.ts";
import { PackedSource } from "./packed-source.ts";
import { RecordFrames, SLICE_BYTES } from "./record-frames.ts";
import { RecordScan } from "./record-scan.ts";

export const READING_FORM: ReadingForm<IncrementEntry> = {
  numberOf: ({ sequence }) => sequence,
  nameOf: ({ name }) => name,
  countedBytesOf: ({ own }) => own?.bytes,
  openRecords: async (entry, file) => {
    const isPacked = entry.name.endsWith(PACKED_SUFFIX);
    return new IncrementRecords(
      entry,
      isPacked ? await PackedSource.open(file) : plainSource(file),
    );
  },
};

class IncrementRecords implements RecordFile {
  readonly #reader: IncrementReader;
  readonly #frames = new RecordFrames();
  /** 0: the head was not read yet. */
  #offset = 0;

  constructor({ own }: IncrementEntry, source: LogSource) {
    this.#reader = new IncrementReader(source, 0);
    this.#reader.salt = own?.salt ?? 0;
  }

  get offset(): number {
    return this.#offset;
  }

  async next({ from, limit }: WantedRecords): Promise<Iterable<RecordBatch>> {
    this.#reader.limit = limit;
    if (this.#offset === 0) {
      const head = await this.#reader.head();
      if (head === undefined) throw this.#damage(0);
      this.#offset = head.lineBytes;
      return [];
    }
    const line = await this.#reader.lineAt(this.#offset);
    if (line === undefined) throw this.#damage(this.#offset);
    this.#offset += line.lineBytes + (line.kind === "end" ? 0 : line.textBytes);
    if (line.kind !== "records" || line.firstRevision + line.count <= from) return [];
    const text = await this.#reader.textOf(line);
    if (text === undefined) throw this.#damage(line.offset);
    return this.#records(line, text);
  }

  close(): Promise<void> {
    return this.#reader.source.close();
  }

  /** The records of a group, in slices: a group of a MiB is parsed for some ten milliseconds. */
  *#records(line: RecordsLine, text: GroupSpan): Generator<RecordBatch, void> {
    const scan = new RecordScan(line.database, line.timeMs, false);
    let revision = line.firstRevision;
    for (let at = text.start; at < text.end; ) {
      const framed = this.#frame(text, at, { scan, revision });
      if (framed === undefined) throw this.#damage(line.offset);
      yield* this.#frames.batches;
      revision += framed.count;
      at = framed.end;
    }
    if (revision !== line.firstRevision + line.count) throw this.#damage(line.offset);
  }

  /** Frames records from `at` on: some, or all that are left; undefined: they cannot be read. */
  #frame(
    { bytes, end }: GroupSpan,
    from: number,
    { scan, revision }: { readonly scan: RecordScan; readonly revision: Revision },
  ): { end: number; count: number } | undefined {
    const frames = this.#frames;
    frames.begin(revision);
    let at = from;
    while (at < end && frames.bytes < SLICE_BYTES) {
      const outcome = scan.scan(bytes, at, end);
      if (outcome !== "record" && outcome !== "end") return undefined;
      if (outcome === "record") frames.add(bytes, scan);
      at = outcome === "record" ? scan.next : end;
    }
    frames.endBatch();
    return { end: at, count: frames.nextRevision - revision };
  }

  #damage(offset: number): KvdbError {
    const { path } = this.#reader.file;
    return new KvdbError("DAMAGE", `${path}: the group at offset ${offset} cannot be read`);
  }
}
