/**
 * Reading the replication stream over the records of the journal: where a byte is, what follows it, and how far a record reaches.
 * Of what is recent in memory, else of the log. Which stream that is, and since when, is logged-stream.ts's and lineage.ts's.
 *
 * Invariant: what a cursor has given for an offset is what it gives for it ever after, or it refuses.
 */
import { KvdbError } from "../errors.ts";
import type { ChangeFeed } from "../feed/change-feed.ts";
import { frameBytes } from "../feed/recent-records.ts";
import type { Journal } from "../journal/journal.ts";
import { RECORD_HEADER_BYTES } from "../journal/record.ts";
import type { StreamMark } from "../journal/stream-form.ts";
import type { Revision } from "../plugin.ts";
import type { Anchor, Lineage } from "./lineage.ts";
import { payloadOf, RecordWay } from "./record-way.ts";
import type { StreamCursor, StreamPlace } from "./stream.ts";
import { RecordCursor } from "./stream-cursor.ts";
import { stretchStart } from "./stretches.ts";

export interface StreamReadingParts {
  readonly feed: ChangeFeed;
  readonly disk: Pick<Journal["disk"], "survivingRevision" | "onWritten">;
  /** Where the stream has been so far. */
  readonly lineage: () => Lineage;
}

export class StreamReading {
  readonly #parts: StreamReadingParts;
  readonly #feed: ChangeFeed;
  /** Among the recent records, oldest first. */
  #marks: StreamMark[] = [];
  /** Counts the times that all data was replaced: cursors of before lead nowhere. */
  #generation = 0;
  #waiting = new Set<() => void>();

  constructor(parts: StreamReadingParts) {
    this.#parts = parts;
    this.#feed = parts.feed;
  }

  /** The stream comes into use. */
  begin(): void {
    this.#feed.begin();
    this.#feed.onReadable = () => this.wake();
    this.#parts.disk.onWritten(() => this.wake());
  }

  /** All data is replaced: nothing of before leads to what comes. Whoever waits for more is to be woken then. */
  restart(): void {
    this.#marks = [];
    this.#generation++;
  }

  noteMark(mark: StreamMark): void {
    const marks = this.#marks;
    const { firstRevision } = this.#feed.recent;
    // The last one before them stays: records behind it are among them.
    const gone = marks.findIndex(({ revision }) => revision > firstRevision) - 1;
    if (gone > 64 || gone > marks.length / 2) marks.splice(0, gone);
    marks.push(mark);
  }

  /** The oldest known byte that is sure to be there still; infinite: none is. */
  get firstOffset(): number {
    const { oldest } = this.#feed;
    const { chainBegin, anchors } = this.#parts.lineage();
    const begin = chainBegin?.offset ?? 1;
    const offsets = [...anchors, ...this.#marks].flatMap(({ revision, offset }) =>
      revision >= oldest && offset >= begin ? [offset] : [],
    );
    return Math.min(...offsets);
  }

  /**
   * Where a byte is that is part of what leads here; null: the log does not reach back to it. May read as much of the log as
   * there is between two anchors.
   */
  async locate(offset: number): Promise<StreamPlace | null> {
    const begin = this.#before(offset);
    if (begin === undefined || begin.revision < this.#feed.oldest) return null;
    const generation = this.#generation;
    const way = new RecordWay(this.#feed, begin.revision);
    try {
      const last = () => this.#survivingRevision;
      const more = () => new Promise<void>((resolve) => this.#waiting.add(resolve));
      const place = await findByte(way, { at: begin.offset, offset, last, more });
      return generation === this.#generation ? place : null;
    } catch (error) {
      // Meanwhile the log may have lost it.
      if (error instanceof KvdbError && error.reply === "LOGGAP") return null;
      throw error;
    } finally {
      way.close();
    }
  }

  /** The last known place from which on a byte is to be looked for. */
  #before(offset: number): Pick<Anchor, "revision" | "offset"> | undefined {
    const anchor = this.#parts.lineage().before(offset);
    const mark = this.#marks.findLast((one) => one.offset <= offset);
    if (mark === undefined || anchor === undefined) return mark ?? anchor;
    return mark.revision > anchor.revision ? mark : anchor;
  }

  get #survivingRevision(): Revision {
    return Math.min(this.#parts.disk.survivingRevision, this.#feed.recent.lastRevision);
  }

  openCursor(place: StreamPlace): StreamCursor {
    const generation = this.#generation;
    return new RecordCursor({
      feed: this.#feed,
      place,
      last: () => this.#survivingRevision,
      requireSame: () => {
        if (generation !== this.#generation) throw replaced();
      },
      onMore: (listener) => this.#onMore(listener),
    });
  }

  #onMore(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => this.#waiting.delete(listener);
  }

  /** There may be more, or never again. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const listener of waiting) listener();
  }

  /** Of the last byte of a record; undefined: it is not among the recent ones. */
  offsetOf(revision: Revision): number | undefined {
    const recent = this.#feed.recent;
    if (revision > recent.lastRevision) return undefined;
    const mark = this.#marks.findLast((one) => one.revision <= revision);
    if (mark === undefined || mark.revision < recent.firstRevision) return undefined;
    let offset = mark.offset - 1;
    for (let next = mark.revision; next <= revision; ) {
      const batch = recent.find(next);
      if (batch === undefined) return undefined;
      next = Math.max(next, batch.firstRevision);
      let at = batch.start;
      for (let own = batch.firstRevision; own <= revision && at < batch.end; own++) {
        const end = at + frameBytes(batch.bytes, at);
        const from = stretchStart(batch.bytes, at + RECORD_HEADER_BYTES, end);
        if (own >= next && from >= 0) offset += end - from;
        at = end;
      }
      next = batch.firstRevision + batch.count;
    }
    return offset;
  }
}

interface ByteSearch {
  /** Of the first byte of the record before which the way is. */
  readonly at: number;
  /** Of the byte that is looked for: there is one, or it is the next that comes. */
  readonly offset: number;
  /** The last revision that may leave. */
  last(): Revision;
  /** Resolves when that may have become another one. */
  more(): Promise<void>;
}

/** Goes on to the record that has the byte. A disk that is behind is waited for: what an image has may not leave yet. */
async function findByte(
  way: RecordWay,
  { at, offset, last, more }: ByteSearch,
): Promise<StreamPlace | null> {
  let begin = at;
  for (;;) {
    const most = last();
    const place = await way.find(most);
    if (place === null) {
      if (begin === offset) return { revision: way.next, offset, skip: 0 };
      if (most === last()) await more();
      continue;
    }
    for (; !place.isOver && place.revision <= most; place.pass()) {
      const { bytes, start, end } = payloadOf(place);
      const from = stretchStart(bytes, start, end);
      if (from < 0) return null;
      const { revision } = place;
      if (begin + end - from > offset) return { revision, offset: begin, skip: offset - begin };
      begin += end - from;
      way.next = revision + 1;
    }
  }
}

function replaced(): KvdbError {
  const message = "all data was replaced: what was sent before does not lead there";
  return new KvdbError("COMMAND", message, { reply: "LOGGAP" });
}
