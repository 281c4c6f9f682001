/** A stream that lies in memory as one text, which a test prolongs and cuts as it likes. */
import { KvdbError } from "../../../src/errors.ts";
import type {
  ReplicationStream,
  StreamCursor,
  StreamCut,
  StreamPiece,
  StreamPlace,
} from "../../../src/replication/stream.ts";

export const STREAM_ID = "a".repeat(40);

export class FakeStream implements ReplicationStream {
  id = STREAM_ID;
  previousId = "0".repeat(40);
  previousEnd = -1;
  firstOffset = 1;
  isInUse = false;
  readonly isFollowing = false;
  onOther: (reason: string) => void = () => {};
  /** Bytes from offset 1 on. */
  text = "";
  /** The most that a cursor gives at a time. */
  pieceBytes = 64 * 1024;
  readonly #listeners = new Set<() => void>();

  get offset(): number {
    return this.text.length;
  }

  append(text: string): void {
    this.text += text;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }

  async use(): Promise<void> {
    this.isInUse = true;
  }

  async renew(): Promise<void> {
    this.previousId = this.id;
    this.previousEnd = this.offset + 1;
    this.id = "b".repeat(40);
  }

  async adopt(): Promise<void> {}
  confirm(): void {}
  async rename(): Promise<void> {}

  note(bytes: Buffer): void {
    this.append(bytes.toString("latin1"));
  }

  async locate(id: string, offset: number): Promise<StreamPlace | null> {
    const isReached = offset >= this.firstOffset && offset <= this.offset + 1;
    return id === this.id && isReached ? { revision: 1, offset, skip: 0 } : null;
  }

  openCursor(place: StreamPlace): StreamCursor {
    let offset = place.offset - 1;
    const read = async (): Promise<StreamPiece | null> => {
      if (offset + 1 < this.firstOffset) throw new KvdbError("COMMAND", "the log begins later");
      if (offset === this.offset) return null;
      const bytes = Buffer.from(this.text.slice(offset, offset + this.pieceBytes), "latin1");
      offset += bytes.length;
      return { bytes, start: 0, end: bytes.length, lastOffset: offset };
    };
    return {
      get offset() {
        return offset;
      },
      read,
      onMore: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      close: () => {},
    };
  }

  cut(): StreamCut {
    this.isInUse = true;
    return { revision: 1, id: this.id, offset: this.offset, database: 0 };
  }

  offsetOf(revision: number): number {
    return revision;
  }
}
