/** The bytes of the stream for one replica, from a place on: the stretches of the records, one behind the other, copied into pieces. */
import { KvdbError } from "../errors.ts";
import type { ChangeFeed } from "../feed/change-feed.ts";
import type { BatchPlace } from "../feed/log-cursor.ts";
import type { Revision } from "../plugin.ts";
import { payloadOf, RecordWay } from "./record-way.ts";
import type { StreamCursor, StreamPiece, StreamPlace } from "./stream.ts";
import { stretchStart } from "./stretches.ts";

const PIECE_BYTES = 64 * 1024;
/** A piece is not begun in less: it would be one of many small ones. */
const LEAST_ROOM = 4 * 1024;

export interface CursorParts {
  readonly feed: ChangeFeed;
  readonly place: StreamPlace;
  /** The last revision that may leave. */
  last(): Revision;
  /** Throws when what was is no more what is. */
  requireSame(): void;
  onMore(listener: () => void): () => void;
}

export class RecordCursor implements StreamCursor {
  offset: number;
  readonly #parts: CursorParts;
  readonly #way: RecordWay;
  /** Bytes of the next record's stretch that were given, or are not wanted. */
  #skip: number;
  /** What was given of it stays: pieces fill it from `#used` on. */
  #room = Buffer.alloc(0);
  #used = 0;

  constructor(parts: CursorParts) {
    const { feed, place } = parts;
    this.#parts = parts;
    this.#way = new RecordWay(feed, place.revision);
    this.#skip = place.skip;
    this.offset = place.offset + place.skip - 1;
  }

  async read(): Promise<StreamPiece | null> {
    const { last, requireSame } = this.#parts;
    this.#makeRoom();
    const start = this.#used;
    const most = last();
    requireSame();
    for (let isFull = false; !isFull; ) {
      const place = await this.#way.find(most);
      requireSame();
      if (place === null) break;
      isFull = this.#takeAll(place, most);
    }
    if (this.#used === start) return null;
    this.offset += this.#used - start;
    return { bytes: this.#room, start, end: this.#used, lastOffset: this.offset };
  }

  /** As many of the records behind the place as there is room for; true: it is used up. */
  #takeAll(place: BatchPlace, last: Revision): boolean {
    for (; !place.isOver && place.revision <= last; place.pass()) {
      const { revision } = place;
      if (!this.#take(payloadOf(place), revision)) return true;
      this.#way.next = revision + 1;
      this.#skip = 0;
    }
    return false;
  }

  #makeRoom(): void {
    if (this.#room.length - this.#used >= LEAST_ROOM) return;
    this.#room = Buffer.allocUnsafeSlow(PIECE_BYTES);
    this.#used = 0;
  }

  /** False: there was no room for all of it. */
  #take(payload: { bytes: Buffer; start: number; end: number }, revision: Revision): boolean {
    const { bytes, start, end } = payload;
    const from = stretchStart(bytes, start, end);
    if (from < 0) {
      const message = `the record of revision ${revision} is no part of the stream of replication`;
      throw new KvdbError("DAMAGE", message);
    }
    const begin = from + this.#skip;
    const size = Math.min(end - begin, this.#room.length - this.#used);
    bytes.copy(this.#room, this.#used, begin, begin + size);
    this.#used += size;
    this.#skip += size;
    return begin + size === end;
  }

  onMore(listener: () => void): () => void {
    return this.#parts.onMore(listener);
  }

  close(): void {
    this.#way.close();
  }
}
