/**
 * One reusable buffer in which a group takes the form it has on disk: batches are copied into it
 * once, and leave with one write. It knows the format (group.ts) and nothing of files; what it
 * holds is overwritten by the next group.
 */
import type { BatchRange } from "kvdb/persistence";
import {
  BATCH_HEADER_BYTES,
  encodeBatchHeader,
  encodeGroupHeader,
  GROUP_HEADER_BYTES,
  KIND_CLOSING,
  KIND_RECORDS,
} from "./group.ts";

const FIRST_CAPACITY_BYTES = 64 * 1024;
/** Header of the group and of its one batch. */
export const LONG_BATCH_FRONT_BYTES = GROUP_HEADER_BYTES + BATCH_HEADER_BYTES;

/** What a group says about its place. */
export interface GroupPlace {
  readonly offset: number;
  readonly durable: number;
  readonly salt: number;
}

export class GroupBuffer {
  bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY_BYTES);
  #view = new DataView(this.bytes.buffer);

  /** The group at the front, then zeros up to `length`. */
  encode(range: BatchRange, place: GroupPlace, length: number): void {
    this.#reserve(length);
    const { bytes } = this;
    const end = range.first + range.count;
    let at = GROUP_HEADER_BYTES;
    for (let index = range.first; index < end; index++) {
      const batch = range.batches[index];
      encodeBatchHeader(this.#view, at, batch);
      at += BATCH_HEADER_BYTES;
      batch.bytes.copy(bytes, at, batch.start, batch.end);
      at += batch.end - batch.start;
    }
    this.#encodeHeader(range, place, Bun.hash.crc32(bytes.subarray(GROUP_HEADER_BYTES, at)));
    if (length > at) bytes.fill(0, at, length);
  }

  /**
   * The first LONG_BATCH_FRONT_BYTES of a group of one batch, whose frames follow from where they
   * are.
   */
  encodeFront(range: BatchRange, place: GroupPlace): void {
    const batch = range.batches[range.first];
    encodeBatchHeader(this.#view, GROUP_HEADER_BYTES, batch);
    const front = this.bytes.subarray(GROUP_HEADER_BYTES, LONG_BATCH_FRONT_BYTES);
    const frames = batch.bytes.subarray(batch.start, batch.end);
    this.#encodeHeader(range, place, Bun.hash.crc32(frames, Bun.hash.crc32(front)));
  }

  /** A closing group of GROUP_HEADER_BYTES. */
  encodeClosing(nextRevision: number, place: GroupPlace): void {
    const header = {
      payloadLength: 0,
      count: 0,
      firstRevision: nextRevision,
      offset: place.offset,
      durable: place.durable,
      kind: KIND_CLOSING,
      payloadCrc: Bun.hash.crc32(this.bytes.subarray(0, 0)),
    };
    encodeGroupHeader(this.bytes, this.#view, header, place.salt);
  }

  #encodeHeader(range: BatchRange, place: GroupPlace, payloadCrc: number): void {
    const end = range.first + range.count;
    let count = 0;
    for (let index = range.first; index < end; index++) count += range.batches[index].count;
    const header = {
      payloadLength: range.payloadBytes,
      count,
      firstRevision: range.batches[range.first].firstRevision,
      offset: place.offset,
      durable: place.durable,
      kind: KIND_RECORDS,
      payloadCrc,
    };
    encodeGroupHeader(this.bytes, this.#view, header, place.salt);
  }

  #reserve(length: number): void {
    if (length <= this.bytes.length) return;
    let capacity = this.bytes.length;
    while (capacity < length) capacity *= 2;
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }
}
