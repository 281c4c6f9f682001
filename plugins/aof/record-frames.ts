/**
 * Records out of text, in the frames in which the journal takes them back. One reusable buffer: a
 * batch is good until the next text is framed.
 *
 *   frame   0   u32  length of the payload, little endian
 *           4   u16  database
 *           6   u16  milliseconds after the batch's time
 *           8   payload
 */
import type { RecordBatch, Revision } from "kvdb";
import type { PartLine, RecordsLine } from "./group-line.ts";
import { FRAME_HEADER_BYTES } from "./group-text.ts";
import { RecordScan } from "./record-scan.ts";

/** So much is replayed before the event loop may have its turn: about a millisecond. */
export const SLICE_BYTES = 128 * 1024;
const FIRST_CAPACITY_BYTES = 256 * 1024;
const TWO_32 = 2 ** 32;

export class RecordFrames {
  #buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY_BYTES);
  #used = 0;
  #batchStart = 0;
  #batchTimeMs = 0;
  #count = 0;
  #nextRevision: Revision = 0;
  /** Finished, oldest first. */
  batches: RecordBatch[] = [];

  /** Nothing is in hand; the first record will have this revision. */
  begin(firstRevision: Revision): void {
    this.#used = 0;
    this.#batchStart = 0;
    this.#count = 0;
    this.#nextRevision = firstRevision;
    this.batches = [];
  }

  /** Length of all frames since `begin`. */
  get bytes(): number {
    return this.#used;
  }

  get nextRevision(): Revision {
    return this.#nextRevision + this.#count;
  }

  add(bytes: Buffer, { payloadStart, payloadEnd, database, timeMs, offsetMs }: RecordScan): void {
    const size = payloadEnd - payloadStart;
    const isFull = this.#used - this.#batchStart + size > SLICE_BYTES;
    if (this.#count > 0 && (timeMs !== this.#batchTimeMs || isFull)) this.endBatch();
    if (this.#count === 0) this.#batchTimeMs = timeMs;
    this.#reserve(FRAME_HEADER_BYTES + size);
    const buffer = this.#buffer;
    const at = this.#used;
    buffer.writeUInt32LE(size, at);
    buffer.writeUInt16LE(database, at + 4);
    buffer.writeUInt16LE(offsetMs, at + 6);
    bytes.copy(buffer, at + FRAME_HEADER_BYTES, payloadStart, payloadEnd);
    this.#used = at + FRAME_HEADER_BYTES + size;
    this.#count++;
  }

  endBatch(): void {
    if (this.#count === 0) return;
    this.batches.push({
      firstRevision: this.#nextRevision,
      count: this.#count,
      timeMs: this.#batchTimeMs,
      bytes: this.#buffer,
      start: this.#batchStart,
      end: this.#used,
    });
    this.#nextRevision += this.#count;
    this.#batchStart = this.#used;
    this.#count = 0;
  }

  /** The records of a group whose text is bytes[start, end); false: it is not what its line says. */
  addGroup(line: RecordsLine, bytes: Buffer, start: number, end: number): boolean {
    this.begin(line.firstRevision);
    const scan = new RecordScan(line.database, line.timeMs, false);
    let at = start;
    let outcome = scan.scan(bytes, at, end);
    while (outcome === "record") {
      this.add(bytes, scan);
      at = scan.next;
      outcome = scan.scan(bytes, at, end);
    }
    const isWhole = outcome === "end" && this.nextRevision === line.firstRevision + line.count;
    this.endBatch();
    return isWhole;
  }

  /** The commands of a part, as one record: they build a state, and all have its revision. */
  addPart(line: PartLine, bytes: Buffer, start: number, end: number): void {
    this.begin(line.revision);
    const { timeMs } = line;
    const whole = { payloadStart: start, payloadEnd: end, database: 0, timeMs, offsetMs: 0 };
    this.add(bytes, whole as RecordScan);
    this.endBatch();
  }

  #reserve(length: number): void {
    const needed = this.#used + length;
    if (needed <= this.#buffer.length) return;
    let capacity = this.#buffer.length;
    while (capacity < needed) capacity = Math.min(capacity * 2, TWO_32 - 1);
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(larger, 0, 0, this.#used);
    // Batches that are finished point into the old one, which stays as it is.
    this.#buffer = larger;
  }
}
