/**
 * One replica that follows this server, from its PSYNC to the end of its connection:
 *
 *   PSYNC ──▶ the log has what follows ──▶ +CONTINUE id ─────────────────────────────▶ stream
 *        └──▶ it has not ──▶ wait for a copy ──▶ +FULLRESYNC id offset, the copy ──▶ its ACK ──▶ stream
 *
 * All that is sent is read when the connection takes it, from the copy's file or from the log: a slow replica costs what is
 * under way to it. It is its own task: whatever goes wrong ends this replica's connection and nothing else.
 *
 * Invariant: soon after the connection is gone nothing is held for it.
 */
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Session } from "../session/session.ts";
import type { CopyReceiver, FullCopies } from "./full-copies.ts";
import type { FullCopy } from "./full-copy.ts";
import { ReplicaOutput } from "./replica-output.ts";
import type { ReplicationStream, StreamCursor, StreamPiece, StreamPlace } from "./stream.ts";

/** What is read of a copy at a time. */
const CHUNK_BYTES = 128 * 1024;
/** Of the stream so much may be under way before the connection has to take some. */
const MAX_WAITING_BYTES = 256 * 1024;
/** What follows the stream as it comes is not so far behind. */
const LATE_BYTES = 1024 * 1024;

/** What a client has said of itself by REPLCONF. */
export interface Announced {
  ip: string;
  port: number;
  /** It takes a copy whose length nobody knows yet (capa eof), and another id with +CONTINUE (capa psync2). */
  takesGrowing: boolean;
  takesId: boolean;
  /** It wants a copy and nothing behind it. */
  isCopyOnly: boolean;
  /** It wants the functions of Redis alone, of which there are none: a copy without data. */
  isWithoutData: boolean;
}

export function nothingAnnounced(): Announced {
  return {
    ...{ ip: "", port: 0, takesGrowing: false, takesId: false },
    ...{ isCopyOnly: false, isWithoutData: false },
  };
}

/** What it asks for; null: SYNC of old, without ids and acknowledgements. */
export type Asked = { readonly id: string; readonly offset: number } | null;

export interface FollowerParts {
  readonly session: Session;
  readonly announced: Announced;
  readonly asked: Asked;
  readonly stream: ReplicationStream;
  readonly copies: FullCopies;
  /** A copy that has no data, for who wants none. */
  emptyCopy(): Promise<FullCopy>;
  /** 40 hexadecimal digits that nobody can foresee. */
  mark(): string;
  nowMs(): number;
  /** It is online, or has acknowledged something. */
  onHeard(): void;
  /** It is sent the stream from now on. */
  onFed(): void;
  onGranted(granted: "partial" | "refused" | "full"): void;
  /** Why its connection is ended; empty: it has what it wanted. */
  onEnded(reason: string): void;
}

export class Follower implements CopyReceiver {
  readonly session: Session;
  /** Null: not known yet, since the log is being searched for its place. */
  state: "wait_bgsave" | "send_bulk" | "online" | null = null;
  /**
   * Everything up to here is acknowledged; -1: it has not said anything yet. What it asks for at its beginning is no
   * acknowledgement: what stands before that is in its memory, and perhaps not on its disk. 0: it never says anything.
   */
  acknowledged: number;
  /** Up to here all is on its disk; -1: it has not said anything of that. */
  synced = -1;
  /** When something came from it, and when something left to it, on the monotonic clock. */
  heardMs: number;
  progressMs: number;
  readonly output: ReplicaOutput;
  readonly #parts: FollowerParts;
  #copy: FullCopy | null = null;
  #receiving = Promise.withResolvers<FullCopy>();
  #cursor: StreamCursor | null = null;
  #isGone = false;
  /** Waits for an acknowledgement, or for more of the stream. */
  #wake: () => void = () => {};
  #hasAcknowledged = false;
  #isTold = false;
  #inputCount = 0;

  constructor(parts: FollowerParts) {
    this.session = parts.session;
    this.#parts = parts;
    this.acknowledged = parts.asked === null ? 0 : -1;
    this.output = new ReplicaOutput(parts.session.client);
    this.heardMs = parts.nowMs();
    this.progressMs = this.heardMs;
    // It may end before anybody waits for a copy.
    void Promise.allSettled([this.#receiving.promise]);
  }

  get announced(): Announced {
    return this.#parts.announced;
  }

  /** It tells how far it has come. One of SYNC does not. */
  get acknowledges(): boolean {
    return this.#parts.asked !== null;
  }

  /** It was told an id and an offset, or is about to be. */
  get isTold(): boolean {
    return this.#copy !== null || this.#isTold;
  }

  /** It is sent the stream as it comes. */
  get isFed(): boolean {
    return this.#cursor !== null;
  }

  /** It needs what was recorded a while ago. */
  get isLate(): boolean {
    if (this.#cursor === null) return this.state !== null;
    return this.#parts.stream.offset - this.#cursor.offset > LATE_BYTES;
  }

  /** Begins when `leading` resolves; its command is over by then in any case. */
  async run(leading: Promise<void> = Promise.resolve()): Promise<void> {
    try {
      await leading;
      const place = (await this.#placeAsked()) ?? (await this.#placeBehindCopy());
      if (this.#isGone || place === null) return;
      await this.#feed(place);
    } catch (error) {
      if (!this.#isGone) this.#end(asKvdbError(error).message);
    } finally {
      // Not before: it may have been reading.
      this.#cursor?.close();
      this.#parts.copies.withdraw(this, this.#copy);
      this.#copy = null;
    }
  }

  /** The connection is gone. */
  forget(): void {
    this.#isGone = true;
    this.output.end();
    this.#receiving.reject(new KvdbError("UNAVAILABLE", "the replica is gone"));
    this.#wake();
  }

  /** Ends the connection. */
  drop(reason: string): void {
    if (!this.#isGone) this.#end(reason);
  }

  #end(reason: string): void {
    this.#parts.onEnded(reason);
    this.session.client.close(reason === "" ? "afterReplies" : "now");
  }

  // ---- what it says ----

  acknowledge(offset: number, synced = -1): void {
    if (synced > this.synced) this.synced = synced;
    if (offset > this.acknowledged) this.acknowledged = offset;
    this.#hasAcknowledged = true;
    this.heardMs = this.#parts.nowMs();
    if (this.state !== "online") return;
    this.#parts.onHeard();
    if (this.#cursor === null) this.#wake();
  }

  /** While it loads a copy it sends empty lines, which are no commands. To be called now and then. */
  noteInput(): void {
    const count = this.session.client.inputCount ?? 0;
    if (count === this.#inputCount) return;
    this.#inputCount = count;
    this.heardMs = this.#parts.nowMs();
  }

  // ---- where it goes on ----

  async #placeAsked(): Promise<StreamPlace | null> {
    const { asked, stream, announced, onGranted } = this.#parts;
    if (asked === null || asked.id === "?") return null;
    const place = await stream.locate(asked.id, asked.offset);
    onGranted(place === null ? "refused" : "partial");
    if (place === null || this.#isGone) return null;
    this.#isTold = true;
    this.output.text(announced.takesId ? `+CONTINUE ${stream.id}\r\n` : "+CONTINUE\r\n");
    return place;
  }

  async #placeBehindCopy(): Promise<StreamPlace | null> {
    if (this.#isGone) return null;
    const { announced, stream, copies, onGranted, asked } = this.#parts;
    onGranted("full");
    this.state = "wait_bgsave";
    if (announced.isWithoutData) this.begin(await this.#parts.emptyCopy());
    else copies.want(this);
    const copy = await this.#receiving.promise;
    const { id, offset } = copy.cut;
    this.#isTold = true;
    if (asked !== null) this.output.text(`+FULLRESYNC ${id} ${offset}\r\n`);
    const grows = announced.takesGrowing && copies.isDiskless;
    await (grows ? this.#sendGrowing(copy) : this.#sendWhole(copy));
    if (this.#isGone) return null;
    copies.withdraw(this, copy);
    this.#copy = null;
    if (announced.isCopyOnly) {
      this.#end("");
      return null;
    }
    if (grows) await this.#acknowledgement();
    const place = await stream.locate(id, offset + 1);
    if (place !== null) return place;
    throw new KvdbError("UNAVAILABLE", "what was changed during its full copy is no longer there");
  }

  // ---- the copy ----

  get takesGrowing(): boolean {
    return this.#parts.announced.takesGrowing;
  }

  begin(copy: FullCopy): void {
    this.#copy = copy;
    this.#receiving.resolve(copy);
  }

  fail(failure: KvdbError): void {
    this.#receiving.reject(failure);
  }

  /** With its length in front, which has to be known. */
  async #sendWhole(copy: FullCopy): Promise<void> {
    while (copy.totalBytes === undefined && !this.#isGone) await copy.more();
    if (this.#isGone) return;
    this.state = "send_bulk";
    this.output.text(`$${copy.totalBytes}\r\n`);
    await this.#sendAll(copy);
  }

  /** While it is being written, between two marks. */
  async #sendGrowing(copy: FullCopy): Promise<void> {
    const mark = this.#parts.mark();
    this.state = "send_bulk";
    this.output.text(`$EOF:${mark}\r\n`);
    await this.#sendAll(copy);
    this.#hasAcknowledged = false;
    this.output.text(mark);
    await this.output.sent();
  }

  /** It looks for the mark at the end of what it reads: nothing may come behind it until it has found it. */
  async #acknowledgement(): Promise<void> {
    this.state = "online";
    this.heardMs = this.#parts.nowMs();
    while (!this.#hasAcknowledged && !this.#isGone) await this.#woken();
  }

  async #sendAll(copy: FullCopy): Promise<void> {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (let position = 0; !this.#isGone; ) {
      const count = await copy.read(chunk, position);
      if (count === 0) return;
      this.output.send(chunk, 0, count);
      position += count;
      await this.output.sent();
      this.progressMs = this.#parts.nowMs();
    }
  }

  // ---- the stream ----

  async #feed(place: StreamPlace): Promise<void> {
    this.state = "online";
    this.heardMs = this.#parts.nowMs();
    this.#parts.onHeard();
    const cursor = this.#parts.stream.openCursor(place);
    this.#cursor = cursor;
    this.#parts.onFed();
    while (!this.#isGone) {
      const piece = (await cursor.read()) ?? (await this.#await(cursor));
      if (piece === null || this.#isGone) continue;
      this.output.send(piece.bytes, piece.start, piece.end);
      if (this.output.waitingBytes >= MAX_WAITING_BYTES) await this.output.sent();
      this.progressMs = this.#parts.nowMs();
    }
  }

  /** There may be more since it was asked. */
  async #await(cursor: StreamCursor): Promise<StreamPiece | null> {
    let hasMore = false;
    const forget = cursor.onMore(() => {
      hasMore = true;
      this.#wake();
    });
    try {
      const piece = await cursor.read();
      if (piece === null && !hasMore) await this.#woken();
      return piece;
    } finally {
      forget();
    }
  }

  async #woken(): Promise<void> {
    if (this.#isGone) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
