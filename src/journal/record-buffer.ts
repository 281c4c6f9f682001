/**
 * Records in memory, from the moment they are made until they are as durable as promised: frames (record.ts) one after
 * the other in pages of 1 MiB. What was appended since the last `take` is a batch; a batch lies in one page.
 *
 * Invariant: a page is not written again before all its records are durable. When the page in hand is full, its batch is
 * handed over first.
 */
import type { RecordBatch, Revision } from "../plugin.ts";
import { RECORD_HEADER_BYTES } from "./record.ts";

const PAGE_BYTES = 1 << 20;
/** Pages kept for reuse: what gathers in the 500 ms between two syncs at some 400 000 records a second. */
const SPARE_PAGES = 24;

interface Page {
  readonly buffer: Buffer;
  used: number;
  /** The last revision in it. */
  lastRevision: Revision;
}

export class RecordBuffer {
  /** The first is made for the first record: who only reads has none. */
  #page: Page = newPage(0);
  /** Filled pages with records that are not durable yet, oldest first; and pages to fill again. */
  #filled: Page[] = [];
  #spare: Page[] = [];
  #batchStart = 0;
  #batchTimeMs = 0;
  readonly #handOver: () => void;
  /** Records of the batch in hand. */
  count = 0;

  /** `handOver`: called when the page is full in the middle of a batch; it must `take` the batch. */
  constructor(handOver: () => void) {
    this.#handOver = handOver;
  }

  /** Bytes of the batch in hand. */
  get bytes(): number {
    return this.#page.used - this.#batchStart;
  }

  append(database: number, nowMs: number, bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    const needed = size + RECORD_HEADER_BYTES;
    if (this.#page.used + needed > this.#page.buffer.length) this.#turnPage(needed);
    if (this.count === 0) this.#batchTimeMs = nowMs;
    const buffer = this.#page.buffer;
    const at = this.#page.used;
    const offset = Math.min(Math.max(nowMs - this.#batchTimeMs, 0), 0xffff);
    buffer[at] = size;
    buffer[at + 1] = size >>> 8;
    buffer[at + 2] = size >>> 16;
    buffer[at + 3] = size >>> 24;
    buffer[at + 4] = database;
    buffer[at + 5] = database >>> 8;
    buffer[at + 6] = offset;
    buffer[at + 7] = offset >>> 8;
    bytes.copy(buffer, at + RECORD_HEADER_BYTES, start, end);
    this.#page.used = at + needed;
    this.count++;
  }

  #turnPage(needed: number): void {
    if (this.count > 0) this.#handOver();
    if (this.#page.used > 0) this.#filled.push(this.#page);
    const spare = needed <= PAGE_BYTES ? this.#spare.pop() : undefined;
    this.#page = spare ?? newPage(Math.max(needed, PAGE_BYTES));
    this.#batchStart = 0;
  }

  /** The batch in hand, whose last record has this revision; a new one begins. */
  take(lastRevision: Revision): RecordBatch {
    const page = this.#page;
    const batch: RecordBatch = {
      firstRevision: lastRevision - this.count + 1,
      count: this.count,
      timeMs: this.#batchTimeMs,
      bytes: page.buffer,
      start: this.#batchStart,
      end: page.used,
    };
    page.lastRevision = lastRevision;
    this.#batchStart = page.used;
    this.count = 0;
    return batch;
  }

  /** Everything up to this revision is as durable as promised: its pages may be filled again. */
  release(revision: Revision): void {
    while (this.#filled.length > 0 && (this.#filled[0] as Page).lastRevision <= revision) {
      this.#recycle(this.#filled.shift() as Page);
    }
    if (this.count > 0 || this.#page.lastRevision > revision) return;
    this.#page.used = 0;
    this.#batchStart = 0;
  }

  /** Keeps pages of the ordinary size: fresh ones cost a page fault for each 4 KiB. */
  #recycle(page: Page): void {
    if (page.buffer.length !== PAGE_BYTES || this.#spare.length >= SPARE_PAGES) return;
    page.used = 0;
    this.#spare.push(page);
  }
}

function newPage(bytes: number): Page {
  return { buffer: Buffer.allocUnsafeSlow(bytes), used: 0, lastRevision: 0 };
}
