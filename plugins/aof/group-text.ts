/**
 * Gives records the form that they have on disk: the text of an AOF with kvdb's lines in it. One
 * reusable buffer, into which batches are copied once; a long record goes uncopied, as a piece of
 * its own. It knows the format (group-line.ts, record-scan.ts) and nothing of files; what it holds
 * is overwritten by the next group.
 */
import { KvdbError, type RecordBatch, type Revision } from "kvdb";
import type { BatchRange, Piece } from "kvdb/persistence";
import { beginsWith, endLine, type LinePlace, MAX_LINE_BYTES, recordsLine } from "./group-line.ts";
import { AND_LINE, CommandScan, DO_LINE, SELECT, streamLineAt } from "./record-scan.ts";

/** Of a frame in a batch: u32 length of the payload, u16 database, u16 milliseconds after the batch. */
export const FRAME_HEADER_BYTES = 8;

const FIRST_CAPACITY_BYTES = 64 * 1024;
/** The line goes in front, when it is known what follows. */
const LINE_ROOM_BYTES = MAX_LINE_BYTES + 1;
/** A longer payload is written from where it lies: a copy would take its length in memory again. */
const LONG_PAYLOAD_BYTES = 256 * 1024;
/** SELECT, MULTI, EXEC and three lines: more never stands around one record. */
const MOST_AROUND_BYTES = 256;

const BESIDE_LINE = Buffer.from("#kvdb-beside\r\n");
const MULTI = Buffer.from("*1\r\n$5\r\nMULTI\r\n");
const EXEC = Buffer.from("*1\r\n$4\r\nEXEC\r\n");

/** `undefined` bytes: those of the buffer, which may grow until the group is whole. */
interface Part {
  readonly bytes: Buffer | undefined;
  readonly start: number;
  readonly end: number;
}

/** Where a group stands, and how far its file was durable then. */
export interface GroupPlace extends LinePlace {
  readonly durable: number;
}

export class GroupText {
  readonly #hasStamps: () => boolean;
  readonly #scan = new CommandScan();
  #buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY_BYTES);
  #used = 0;
  #parts: Part[] = [];
  #partStart = 0;
  /** Of the file: what is selected behind the group before; -1: it is not known. */
  #database = 0;
  /** Of the annotation that was written last. */
  #stampSeconds = 0;
  #timeMs = 0;
  #offsetMs = 0;
  /** The group as `encode` has made it. */
  pieces: readonly Piece[] = [];

  /** `hasStamps`: Redis's annotations with the time. */
  constructor(hasStamps: () => boolean) {
    this.#hasStamps = hasStamps;
  }

  /** Another file begins, in which database 0 is selected; `isBegun`: nobody knows which one is. */
  beginFile(isBegun: boolean): void {
    this.#database = isBegun ? -1 : 0;
    this.#stampSeconds = 0;
  }

  /** Makes the group; returns its length. */
  encode(range: BatchRange, place: GroupPlace): number {
    const { batches, first } = range;
    const batch = batches[first] as RecordBatch;
    const database = Math.max(0, this.#database);
    this.#begin(batch.timeMs);
    let count = 0;
    for (let index = first; index < first + range.count; index++) {
      count += (batches[index] as RecordBatch).count;
      this.#addBatch(batches[index] as RecordBatch);
    }
    const { textBytes, textCrc } = this.#endText();
    const { firstRevision, timeMs } = batch;
    const { durable } = place;
    const group = { firstRevision, count, timeMs, database, textBytes, durable, textCrc };
    return this.#putInFront(recordsLine(group, place)) + textBytes;
  }

  /** The line that a stop in order ends the file with. */
  encodeEnd(nextRevision: Revision, place: GroupPlace): Buffer {
    return endLine(nextRevision, place.durable, place);
  }

  #begin(timeMs: number): void {
    this.#used = LINE_ROOM_BYTES;
    this.#partStart = LINE_ROOM_BYTES;
    this.#parts = [];
    this.#timeMs = timeMs;
    this.#offsetMs = 0;
  }

  #addBatch({ timeMs, count, bytes, start, end }: RecordBatch): void {
    if (timeMs !== this.#timeMs) {
      this.#reserve(MOST_AROUND_BYTES);
      this.#line(`#kvdb-at ${timeMs}\r\n`);
      this.#timeMs = timeMs;
      this.#offsetMs = 0;
    }
    let at = start;
    for (let i = 0; i < count; i++) {
      const payloadStart = at + FRAME_HEADER_BYTES;
      const payloadEnd = payloadStart + bytes.readUInt32LE(at);
      this.#reserve(MOST_AROUND_BYTES);
      this.#beginRecord(bytes.readUInt16LE(at + 4), bytes.readUInt16LE(at + 6));
      this.#addPayload(bytes, payloadStart, payloadEnd);
      at = payloadEnd;
    }
    if (at !== end) throw new KvdbError("INTERNAL", "a batch is longer than its records");
  }

  #beginRecord(database: number, offsetMs: number): void {
    if (offsetMs !== this.#offsetMs) {
      this.#line(`#kvdb-ms ${offsetMs}\r\n`);
      this.#offsetMs = offsetMs;
    }
    if (this.#hasStamps()) this.#stamp(Math.floor((this.#timeMs + offsetMs) / 1000));
    if (database === this.#database) return;
    const digits = String(database);
    this.#line(`*2\r\n$6\r\nSELECT\r\n$${digits.length}\r\n${digits}\r\n`);
    this.#database = database;
  }

  /** Time goes forward in them, as Redis's own do, which is what its tools rely on. */
  #stamp(seconds: number): void {
    if (seconds <= this.#stampSeconds) return;
    this.#stampSeconds = seconds;
    this.#line(`#TS:${seconds}\r\n`);
  }

  #addPayload(bytes: Buffer, start: number, end: number): void {
    if (this.#isOne(bytes, start, end)) {
      this.#bytes(bytes, start, end);
      return;
    }
    this.#bytes(MULTI, 0, MULTI.length);
    this.#bytes(bytes, start, end);
    this.#reserve(EXEC.length);
    this.#bytes(EXEC, 0, EXEC.length);
  }

  /** Whether the payload is whole by itself: one command, with or without a line before it, one line, or a stretch. */
  #isOne(bytes: Buffer, start: number, end: number): boolean {
    let at = start;
    if (bytes[at] === HASH) {
      // The length in its line is that of the rest.
      if (streamLineAt(bytes, at, end)) {
        this.#checkRest(bytes, this.#lineEnd(bytes, at, end), end);
        return true;
      }
      // Its line stands within MULTI, as others do that several commands follow.
      if (beginsWith(bytes, at, end, BESIDE_LINE)) {
        this.#checkRest(bytes, at, end);
        return false;
      }
    }
    while (at < end && bytes[at] === HASH) {
      const isDo = beginsWith(bytes, at, end, DO_LINE);
      at = this.#lineEnd(bytes, at, end);
      if (isDo) return this.#endOfDo(bytes, at, end) === end;
    }
    const scan = this.#scan;
    if (scan.scan(bytes, at, end) !== "command") {
      throw new KvdbError("INTERNAL", `a record is no text of an AOF: ${scan.problem}`);
    }
    if (scan.end === end) return true;
    this.#noteSelect(bytes);
    this.#checkRest(bytes, scan.end, end);
    return false;
  }

  #endOfDo(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (beginsWith(bytes, at, end, AND_LINE)) {
      at = this.#lineEnd(bytes, at, end);
    }
    if (at < end) this.#checkRest(bytes, at, end);
    return at;
  }

  /** Sees to it that what is written can be read. */
  #checkRest(bytes: Buffer, from: number, end: number): void {
    for (let at = from; at < end; ) {
      if (bytes[at] === HASH) {
        at = this.#lineEnd(bytes, at, end);
        continue;
      }
      if (this.#scan.scan(bytes, at, end) !== "command") {
        throw new KvdbError("INTERNAL", `a record is no text of an AOF: ${this.#scan.problem}`);
      }
      this.#noteSelect(bytes);
      at = this.#scan.end;
    }
  }

  /** Another database may be selected behind this record. */
  #noteSelect(bytes: Buffer): void {
    if (this.#scan.is(bytes, SELECT, 2)) this.#database = -1;
  }

  #lineEnd(bytes: Buffer, at: number, end: number): number {
    const feed = bytes.indexOf(LF, at);
    if (feed >= 0 && feed < end) return feed + 1;
    throw new KvdbError("INTERNAL", "a record ends within a line");
  }

  #line(text: string): void {
    this.#used += this.#buffer.write(text, this.#used, "latin1");
  }

  #bytes(bytes: Buffer, start: number, end: number): void {
    if (end - start > LONG_PAYLOAD_BYTES) {
      this.#endPart();
      this.#parts.push({ bytes, start, end });
      return;
    }
    this.#reserve(end - start);
    bytes.copy(this.#buffer, this.#used, start, end);
    this.#used += end - start;
  }

  #endPart(): void {
    if (this.#used > this.#partStart) {
      this.#parts.push({ bytes: undefined, start: this.#partStart, end: this.#used });
    }
    this.#partStart = this.#used;
  }

  #endText(): { textBytes: number; textCrc: number } {
    this.#endPart();
    this.pieces = this.#parts.map(({ bytes = this.#buffer, start, end }) => ({
      bytes,
      start,
      end,
    }));
    let textBytes = 0;
    let textCrc = 0;
    for (const { bytes, start, end } of this.pieces) {
      textBytes += end - start;
      textCrc = Bun.hash.crc32(bytes.subarray(start, end), textCrc);
    }
    return { textBytes, textCrc };
  }

  /** Returns its length. */
  #putInFront(line: Buffer): number {
    const start = LINE_ROOM_BYTES - line.length;
    line.copy(this.#buffer, start);
    const [first, ...rest] = this.pieces as readonly [Piece, ...Piece[]];
    const isBehind = first.bytes === this.#buffer && first.start === LINE_ROOM_BYTES;
    const front = { bytes: this.#buffer, start, end: LINE_ROOM_BYTES };
    this.pieces = isBehind ? [{ ...first, start }, ...rest] : [front, first, ...rest];
    return line.length;
  }

  #reserve(length: number): void {
    const needed = this.#used + length;
    if (needed <= this.#buffer.length) return;
    let capacity = this.#buffer.length;
    while (capacity < needed) capacity *= 2;
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
  }
}

const HASH = 0x23;
const LF = 0x0a;
