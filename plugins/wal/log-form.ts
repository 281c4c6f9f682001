/**
 * What the log is made of, for who writes it (kvdb/persistence): groups in segments. Knows when zeros
 * are written ahead, and nothing of the order of things.
 */
import type { RecordBatch, Revision } from "kvdb";
import {
  type BatchRange,
  type EncodedGroup,
  type LogForm,
  plainSource,
  readBack,
} from "kvdb/persistence";
import { BATCH_HEADER_BYTES, GROUP_HEADER_BYTES } from "./group.ts";
import { GroupBuffer, type GroupPlace, LONG_BATCH_FRONT_BYTES } from "./group-buffer.ts";
import type { ActiveSegment } from "./segment.ts";
import { SegmentReader } from "./segment-reader.ts";
import { lengthWithZeros } from "./zeros-ahead.ts";

/** A longer batch is written from where it lies. */
const MAX_COPIED_BYTES = 1 << 20;

export class WalForm implements LogForm<ActiveSegment> {
  readonly batchBytes = BATCH_HEADER_BYTES;
  readonly #segmentBytes: number;
  readonly #buffer = new GroupBuffer();

  constructor(segmentBytes: number) {
    this.#segmentBytes = segmentBytes;
  }

  fits({ end }: ActiveSegment, payloadBytes: number): boolean {
    return end + GROUP_HEADER_BYTES + payloadBytes <= this.#segmentBytes;
  }

  encode(range: BatchRange, segment: ActiveSegment): EncodedGroup {
    const groupBytes = GROUP_HEADER_BYTES + range.payloadBytes;
    if (range.payloadBytes > MAX_COPIED_BYTES) return this.#encodeLong(range, segment);
    const length = lengthWithZeros(segment, groupBytes, this.#segmentBytes);
    this.#buffer.encode(range, placeIn(segment), length);
    return { pieces: [{ bytes: this.#buffer.bytes, start: 0, end: length }], groupBytes };
  }

  encodeClosing(nextRevision: Revision, segment: ActiveSegment): Buffer {
    this.#buffer.encodeClosing(nextRevision, placeIn(segment));
    return this.#buffer.bytes.subarray(0, GROUP_HEADER_BYTES);
  }

  readBack(segment: ActiveSegment, end: number): Promise<RecordBatch[]> {
    const { plain, salt, durableEnd } = segment;
    return readBack(new SegmentReader(plainSource(plain), end, salt), durableEnd, end);
  }

  /** One long batch. */
  #encodeLong(range: BatchRange, segment: ActiveSegment): EncodedGroup {
    const { bytes, start, end } = range.batches[range.first] as RecordBatch;
    this.#buffer.encodeFront(range, placeIn(segment));
    const front = { bytes: this.#buffer.bytes, start: 0, end: LONG_BATCH_FRONT_BYTES };
    const groupBytes = GROUP_HEADER_BYTES + range.payloadBytes;
    return { pieces: [front, { bytes, start, end }], groupBytes };
  }
}

function placeIn({ end, durableEnd, salt }: ActiveSegment): GroupPlace {
  return { offset: end, durable: durableEnd, salt };
}
