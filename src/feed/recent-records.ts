/**
 * The records made last, in memory, for whoever keeps up with them: copies of the journal's batches, in pages, up to a bound in
 * bytes. What is older is the log's to give, where there is one. Pages whose records were all forgotten are written again: as
 * garbage they would take several times the bound before they are collected, and collecting them takes long turns.
 *
 * Invariant: every record from `firstRevision` on, up to the last one that was taken, is here, and its bytes stay as they are.
 * Whoever comes back to a batch after others have run asks whether it is still here.
 */
import type { RecordTap } from "../journal/journal.ts";
import { RECORD_HEADER_BYTES } from "../journal/record.ts";
import type { RecordBatch, Revision } from "../plugin.ts";

const PAGE_BYTES = 256 * 1024;
/** Pages kept to be written again: one is wanted for each that is given back, unless the bound has become lower. */
const MOST_SPARE = 4;
/** What a batch costs beside its bytes, about: records that come one in a turn must not take ten times the bound. */
const BATCH_COST = 160;
/** Batches are joined up to this length: a reader must not find thousands of tiny ones. */
const JOINED_BYTES = 16 * 1024;
/** The largest offset in a frame. */
const MAX_OFFSET_MS = 0xffff;

type KeptBatch = { -readonly [Name in keyof RecordBatch]: RecordBatch[Name] };

export class RecentRecords implements RecordTap {
  maxBytes: number;
  /** The first ones were dropped and are undefined up to #first: shifting an array is dear. */
  #batches: KeptBatch[] = [];
  #first = 0;
  #page: Buffer = Buffer.allocUnsafeSlow(0);
  #used = 0;
  readonly #spare: Buffer[] = [];
  #bytes = 0;
  #nextRevision: Revision;
  #firstRevision: Revision;
  /** Told when a batch was taken. */
  onTaken: () => void = () => {};

  /** Records from `nextRevision` on will come. */
  constructor(nextRevision: Revision, maxBytes: number) {
    this.maxBytes = maxBytes;
    this.#nextRevision = nextRevision;
    this.#firstRevision = nextRevision;
  }

  /** From here on everything is here. */
  get firstRevision(): Revision {
    return this.#firstRevision;
  }

  /** Of the last record that was taken; one below `firstRevision` when there is none. */
  get lastRevision(): Revision {
    return this.#nextRevision - 1;
  }

  /** Of the records with what is kept of each batch. */
  get bytes(): number {
    return this.#bytes;
  }

  take(batch: RecordBatch): void {
    const { firstRevision, count, timeMs, start, end } = batch;
    const size = end - start;
    if (this.#used + size > this.#page.length) this.#turnPage(size);
    const at = this.#used;
    batch.bytes.copy(this.#page, at, start, end);
    this.#used = at + size;
    this.#bytes += size;
    this.#nextRevision = firstRevision + count;
    if (!this.#join(batch, at)) {
      const place = { bytes: this.#page, start: at, end: at + size };
      this.#batches.push({ firstRevision, count, timeMs, ...place });
      this.#bytes += BATCH_COST;
    }
    this.#drop();
    this.onTaken();
  }

  #turnPage(size: number): void {
    const spare = size <= PAGE_BYTES ? this.#spare.pop() : undefined;
    this.#page = spare ?? Buffer.allocUnsafeSlow(Math.max(PAGE_BYTES, size));
    this.#used = 0;
  }

  /** One record in a turn goes behind those of the turns before, with its time as an offset from theirs. */
  #join({ firstRevision, count, timeMs, start, end, bytes }: RecordBatch, at: number): boolean {
    const last = this.#batches.at(-1);
    if (last === undefined || count !== 1 || last.bytes !== this.#page || last.end !== at) {
      return false;
    }
    const offsetMs = timeMs - last.timeMs + bytes.readUInt16LE(start + 6);
    const isInTime = offsetMs >= 0 && offsetMs <= MAX_OFFSET_MS;
    const isNext = last.firstRevision + last.count === firstRevision;
    if (!isInTime || !isNext || at - last.start + end - start > JOINED_BYTES) return false;
    this.#page.writeUInt16LE(offsetMs, at + 6);
    last.count++;
    last.end = at + end - start;
    return true;
  }

  /** Forgets the oldest; the last one stays, however long it is: a reader waits for it. */
  #drop(): void {
    while (this.#bytes > this.maxBytes && this.#first < this.#batches.length - 1) {
      const { bytes, start, end, firstRevision, count } = this.#batches[this.#first] as KeptBatch;
      this.#bytes -= end - start + BATCH_COST;
      this.#firstRevision = firstRevision + count;
      this.#first++;
      if (this.#batches[this.#first]?.bytes !== bytes) this.#recycle(bytes);
    }
    if (this.#first < 1024 || this.#first * 2 < this.#batches.length) return;
    this.#batches.splice(0, this.#first);
    this.#first = 0;
  }

  /** None of its records is here any more. */
  #recycle(page: Buffer): void {
    const isOrdinary = page.length === PAGE_BYTES && page !== this.#page;
    if (isOrdinary && this.#spare.length < MOST_SPARE) this.#spare.push(page);
  }

  /** The bound may have become lower. */
  limit(maxBytes: number): void {
    this.maxBytes = maxBytes;
    this.#drop();
  }

  /** The data was replaced by other data: nothing of what was leads there. */
  restart(nextRevision: Revision): void {
    this.#batches = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#nextRevision = nextRevision;
    this.#firstRevision = nextRevision;
  }

  /**
   * The batch with the record `revision`, or with the first one behind it; undefined: there is none yet. Only for revisions
   * from `firstRevision` on. The last batch may grow; the others stay until their records are below `firstRevision`.
   */
  find(revision: Revision): RecordBatch | undefined {
    let low = this.#first;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { firstRevision, count } = this.#batches[middle] as KeptBatch;
      if (firstRevision + count <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#batches[low];
  }
}

/** Length of a record's frame at `at`. */
export function frameBytes(bytes: Buffer, at: number): number {
  return RECORD_HEADER_BYTES + bytes.readUInt32LE(at);
}
