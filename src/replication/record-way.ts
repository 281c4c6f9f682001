/**
 * A way through the records, one after the other, from the log into memory: what is recent is read there, older ones on disk. It
 * waits for nothing but the disk.
 */
import { logGap } from "../errors.ts";
import type { ChangeFeed } from "../feed/change-feed.ts";
import { BatchPlace, type LogCursor } from "../feed/log-cursor.ts";
import { frameBytes } from "../feed/recent-records.ts";
import { RECORD_HEADER_BYTES } from "../journal/record.ts";
import type { Revision } from "../plugin.ts";

export class RecordWay {
  /** Of the next record, or of what is before it. */
  next: Revision;
  readonly #feed: ChangeFeed;
  #place: BatchPlace | undefined;
  #cursor: LogCursor | undefined;
  #isReading = false;
  #isOver = false;

  constructor(feed: ChangeFeed, next: Revision) {
    this.#feed = feed;
    this.next = next;
  }

  /**
   * Before the next record, up to the revision `last`; null: there is none for now. Its bytes are good until the next call.
   * Rejects with a KvdbError, LOGGAP or DAMAGE.
   */
  async find(last: Revision): Promise<BatchPlace | null> {
    while (!this.#isOver && this.next <= last) {
      const place = this.#inHand();
      if (place !== undefined) return place.revision <= last ? place : null;
      if (!this.#takeRecent() && !(await this.#advanceLog())) return null;
    }
    return null;
  }

  #inHand(): BatchPlace | undefined {
    const place = this.#place;
    if (place === undefined) return undefined;
    // What was in memory may have been forgotten while others ran.
    if (this.#cursor === undefined && this.next < this.#feed.recent.firstRevision) {
      this.#place = undefined;
      return undefined;
    }
    while (!place.isOver && place.revision < this.next) place.pass();
    if (!place.isOver) return place;
    this.#place = undefined;
    return undefined;
  }

  /** False: what comes next is older than what is in memory. */
  #takeRecent(): boolean {
    const { recent } = this.#feed;
    if (this.next < recent.firstRevision) return false;
    this.#leaveLog();
    const batch = recent.find(this.next);
    if (batch === undefined) this.next = Math.max(this.next, recent.lastRevision + 1);
    else this.#place = new BatchPlace(batch);
    return true;
  }

  /** False: what comes next is not as durable as promised, so the log does not tell of it yet. */
  async #advanceLog(): Promise<boolean> {
    const feed = this.#feed;
    if (this.next < feed.oldest) throw logGap(this.next, feed.oldest);
    // Before it reads, so that what it does not find is not there.
    const last = Math.min(feed.lastReadable, feed.recent.firstRevision - 1);
    if (this.next > last) return false;
    this.#isReading = true;
    try {
      this.#cursor ??= await feed.openLog(this.next);
      if (await this.#cursor.advance()) {
        this.#place = this.#cursor.place;
        return true;
      }
    } catch (error) {
      this.#dropCursor();
      throw error;
    } finally {
      this.#isReading = false;
      if (this.#isOver) this.#dropCursor();
    }
    // Revisions that no record has: those of a life that ended unexpectedly.
    this.#leaveLog();
    this.next = Math.max(this.next, last + 1);
    return true;
  }

  #leaveLog(): void {
    this.#place = undefined;
    this.#dropCursor();
  }

  #dropCursor(): void {
    if (this.#cursor !== undefined) this.#feed.cursors.end(this.#cursor);
    this.#cursor = undefined;
  }

  /** Nobody asks any more, also while the disk is read. */
  close(): void {
    this.#isOver = true;
    this.#place = undefined;
    if (!this.#isReading) this.#dropCursor();
  }
}

/** The payload of the record before which a place is. */
export function payloadOf({ batch, at }: BatchPlace): {
  bytes: Buffer;
  start: number;
  end: number;
} {
  const { bytes } = batch;
  return { bytes, start: at + RECORD_HEADER_BYTES, end: at + frameBytes(bytes, at) };
}
