/**
 * One question to the feed: the changes from a revision on, at most so many, and the revision to ask from next. In steps
 * that end when their time is over; `step` says why it ended:
 *
 *   full    enough was found
 *   end     all there is was looked at
 *   more    its time was over
 *   log     what comes next must be read from disk: `readLog`
 *
 * Invariant: `next` passes a record only when all its changes are in `changes`, or did not pass the filter. So a page ends
 * between two records, and a transaction is in one page.
 */
import { assert } from "../assert.ts";
import { KvdbError, logGap } from "../errors.ts";
import { RECORD_HEADER_BYTES } from "../journal/record.ts";
import type { Revision } from "../plugin.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { Change, ChangeFilter } from "./changes.ts";
import { BatchPlace, type LogCursor } from "./log-cursor.ts";
import type { RecentRecords } from "./recent-records.ts";
import { frameBytes } from "./recent-records.ts";

/** Records of an answer in bytes, about: it is in memory whole until it has left. A longer record is an answer alone. */
const PAGE_BYTES = 512 * 1024;
/** Changes of an answer, however many were asked for: to write so many takes a millisecond. */
export const MAX_PAGE_CHANGES = 1000;

export interface Question extends ChangeFilter {
  readonly from: Revision;
  readonly count: number;
}

export type StepEnd = "full" | "end" | "more" | "log";

export class PageReading {
  readonly changes: Change[] = [];
  /** Of the next record to look at; then: to ask from. */
  next: Revision;
  readonly #feed: ChangeFeed;
  readonly #recent: RecentRecords;
  readonly #question: Question;
  readonly #count: number;
  #bytes = 0;
  #place: BatchPlace | undefined;
  #cursor: LogCursor | undefined;
  #isReadingLog = false;
  #isOver = false;

  /** Throws a KvdbError, LOGGAP or ERR, when the changes from there on cannot be told. */
  constructor(feed: ChangeFeed, question: Question) {
    this.#feed = feed;
    this.#recent = feed.use();
    this.#question = question;
    this.#count = Math.min(question.count, MAX_PAGE_CHANGES);
    this.next = question.from;
    this.#requireReach();
  }

  #requireReach(): void {
    const { oldest, nextRevision } = this.#feed;
    if (this.next < oldest) throw logGap(this.next, oldest);
    if (this.next <= nextRevision) return;
    const last = nextRevision - 1;
    const message = `no change has the revision ${this.next - 1} yet: the last one is ${last}, of another data set perhaps`;
    throw new KvdbError("COMMAND", message, { reply: "ERR" });
  }

  step(exhausted: () => boolean): StepEnd {
    // What was in memory may have been forgotten since the last step.
    const isOfMemory = this.#cursor === undefined;
    if (isOfMemory && this.next < this.#recent.firstRevision) this.#place = undefined;
    for (;;) {
      if (this.#place === undefined || this.#place.isOver) {
        const end = this.#findPlace();
        if (end !== undefined) return end;
      }
      const end = this.#readRecords(this.#place as BatchPlace, exhausted);
      if (end !== undefined) return end;
    }
  }

  /** The batch to go on with; undefined: there it is. */
  #findPlace(): StepEnd | undefined {
    this.#place = undefined;
    if (this.next > this.#feed.lastReadable) return "end";
    if (this.next < this.#recent.firstRevision) {
      if (this.next < this.#feed.oldest) throw logGap(this.next, this.#feed.oldest);
      return "log";
    }
    this.#leaveLog();
    const batch = this.#recent.find(this.next);
    assert(batch !== undefined, "a record that was taken is among the recent ones");
    this.#place = new BatchPlace(batch);
    return undefined;
  }

  /** undefined: all of them were looked at. */
  #readRecords(place: BatchPlace, exhausted: () => boolean): StepEnd | undefined {
    const last = this.#feed.lastReadable;
    while (!place.isOver) {
      if (place.revision < this.next) {
        place.pass();
        continue;
      }
      if (place.revision > last) return "end";
      if (this.#isFull) return "full";
      this.#readRecord(place);
      if (exhausted()) return "more";
    }
    return undefined;
  }

  get #isFull(): boolean {
    return this.changes.length >= this.#count || this.#bytes >= PAGE_BYTES;
  }

  #readRecord(place: BatchPlace): void {
    const { batch, at, revision } = place;
    const { bytes } = batch;
    const size = frameBytes(bytes, at);
    const before = this.changes.length;
    const record = {
      revision,
      timeMs: batch.timeMs + bytes.readUInt16LE(at + 6),
      database: bytes.readUInt16LE(at + 4),
      ...{ bytes, start: at + RECORD_HEADER_BYTES, end: at + size },
    };
    this.#feed.reader.read(record, this.#question, this.changes);
    if (this.changes.length > before) this.#bytes += size;
    place.pass();
    this.next = revision + 1;
  }

  // ---- the log ----

  /** Reads on in the log; then `step` goes on. Rejects with what is wrong with it. */
  async readLog(): Promise<void> {
    const cursor = this.#cursor ?? (await this.#feed.openLog(this.next));
    if (this.#isOver) {
      this.#feed.cursors.end(cursor);
      return;
    }
    this.#cursor = cursor;
    if (cursor.place !== undefined && !cursor.place.isOver) {
      this.#place = cursor.place;
      return;
    }
    // Before it reads, so that what it does not find is not there.
    const last = Math.min(this.#feed.lastReadable, this.#recent.firstRevision - 1);
    this.#isReadingLog = true;
    try {
      if (await cursor.advance()) {
        this.#place = cursor.place;
        return;
      }
    } catch (error) {
      this.#leaveLog();
      throw error;
    } finally {
      this.#isReadingLog = false;
    }
    // Revisions that no record has: those of a life that ended unexpectedly.
    this.#leaveLog();
    this.next = Math.max(this.next, last + 1);
  }

  #leaveLog(): void {
    if (this.#cursor !== undefined) this.#feed.cursors.end(this.#cursor);
    this.#cursor = undefined;
  }

  /** It is over, whoever may still be reading for it. */
  end(): void {
    this.#isOver = true;
    this.rest();
  }

  /** Nothing comes for now: whoever asks from `next` on, this one too, need not begin anew in the log. */
  rest(): void {
    this.#place = undefined;
    const { cursors } = this.#feed;
    // What is being read for nobody is no use to the next one.
    if (this.#cursor !== undefined && this.#isReadingLog) cursors.end(this.#cursor);
    else if (this.#cursor !== undefined) cursors.keep(this.#cursor, this.next);
    this.#cursor = undefined;
  }
}
