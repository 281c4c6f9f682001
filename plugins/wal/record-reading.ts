/**
 * A segment that is read for who follows the changes (kvdb/persistence says when and how far): its groups, one after the
 * other. Nothing is judged here: what was durable once and cannot be read any more is damage.
 */
import { KvdbError, type OpenFile, type RecordBatch } from "kvdb";
import {
  plainSource,
  type ReadingForm,
  type RecordFile,
  type WantedRecords,
} from "kvdb/persistence";
import { type SegmentEntry, segmentFileName } from "./manifest.ts";
import { PackedSource } from "./packed-source.ts";
import { SEGMENT_HEADER_BYTES } from "./segment.ts";
import { SegmentReader } from "./segment-reader.ts";

export const READING_FORM: ReadingForm<SegmentEntry> = {
  numberOf: ({ number }) => number,
  nameOf: segmentFileName,
  countedBytesOf: ({ bytes }) => bytes,
  openRecords: (entry, file) => new SegmentRecords(entry, file),
};

class SegmentRecords implements RecordFile {
  readonly #reader: SegmentReader;
  #offset = SEGMENT_HEADER_BYTES;

  constructor(entry: SegmentEntry, file: OpenFile) {
    const { packed, salt } = entry;
    const source = packed === undefined ? plainSource(file) : new PackedSource(file, entry, packed);
    this.#reader = new SegmentReader(source, 0, salt);
  }

  get offset(): number {
    return this.#offset;
  }

  async next({ limit }: WantedRecords): Promise<readonly RecordBatch[]> {
    const offset = this.#offset;
    this.#reader.limit = limit;
    const group = await this.#reader.groupAt(offset);
    if (group === undefined) {
      const { path } = this.#reader.file;
      throw new KvdbError("DAMAGE", `${path}: the group at offset ${offset} cannot be read`);
    }
    this.#offset = group.end;
    return group.batches;
  }

  close(): Promise<void> {
    return this.#reader.source.close();
  }
}
