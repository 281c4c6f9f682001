/**
 * The replies of one connection that wait for the disk, and those behind them that wait for nothing but their turn. They
 * stay where they were encoded. When the disk refuses, each that waits becomes one error and the others leave as they are.
 * No error can stand in the place of a message: it goes on to wait, and the replies behind it do not wait for it, since the
 * change that it tells of may still vanish, and who reads meanwhile is not shown it either.
 *
 * Invariant: replies leave in the order in which they were held, and so do messages.
 */
import { notDurable } from "kvdb";
import type { WaitingSpans } from "./waiting-spans.ts";

/** Replies buffer[start, end). */
interface Piece {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** 0: they wait for nothing but their turn. */
  readonly revision: number;
  /** How many there are. A reply that goes on in another buffer counts where it begins. */
  readonly replies: number;
  readonly isChange: boolean;
  /** It answers nothing, so no error can stand in its place. */
  readonly isMessage: boolean;
}

export type Write = (buffer: Buffer, start: number, end: number) => void;

export class HeldReplies {
  readonly #pieces: Piece[] = [];
  /** While they leave: those before it have left. */
  #first = 0;
  bytes = 0;
  readonly #shared: { held: number };

  /** `shared.held`: pieces of all connections, which lie in buffers that must not be written over. */
  constructor(shared: { held: number }) {
    this.#shared = shared;
  }

  get count(): number {
    return this.#pieces.length - this.#first;
  }

  /** Holds buffer[start, end), which begins at `at` of the output that the spans are of. */
  add(buffer: Buffer, start: number, end: number, at: number, spans: WaitingSpans): void {
    const offset = start - at;
    let done = start;
    for (let i = 0; i < spans.count && done < end; i++) {
      const from = Math.max(spans.starts[i] + offset, done);
      const to = Math.min(spans.ends[i] + offset, end);
      if (to <= done) continue;
      if (from > done) this.#keep(buffer, done, from);
      const revision = spans.revisions[i];
      const replies = spans.starts[i] < at ? 0 : spans.replies[i];
      const isChange = spans.changes[i];
      this.#push({ buffer, start: from, end: to, revision, replies, isChange, isMessage: false });
      done = to;
    }
    if (done < end) this.#keep(buffer, done, end);
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    this.#push({ buffer, start, end, revision: 0, replies: 0, isChange: false, isMessage: false });
  }

  /** Holds a message, buffer[start, end). */
  addMessage(buffer: Buffer, start: number, end: number, revision: number): void {
    this.#push({ buffer, start, end, revision, replies: 0, isChange: false, isMessage: true });
  }

  #push(piece: Piece): void {
    this.#pieces.push(piece);
    this.#shared.held++;
    this.bytes += piece.end - piece.start;
  }

  /** Writes what may leave: up to the first that waits for a later revision, or when the disk refuses all but messages. */
  release(durableRevision: number, isRefused: boolean, write: Write): void {
    const kept: Piece[] = [];
    while (this.#first < this.#pieces.length) {
      const piece = this.#pieces[this.#first];
      if (piece.revision > durableRevision) {
        if (!isRefused) break;
        if (piece.isMessage) {
          kept.push(piece);
          this.#first++;
          continue;
        }
        this.#take(piece);
        if (piece.replies > 0) writeRefusals(piece, write);
        continue;
      }
      const end = this.#takeStretch(durableRevision);
      write(piece.buffer, piece.start, end);
    }
    this.#pieces.splice(0, this.#first, ...kept);
    this.#first = 0;
  }

  /** Takes the first piece and those that follow it without a gap; answers where they end. */
  #takeStretch(durableRevision: number): number {
    const { buffer } = this.#pieces[this.#first];
    let end = this.#pieces[this.#first].start;
    while (this.#first < this.#pieces.length) {
      const piece = this.#pieces[this.#first];
      const follows = piece.buffer === buffer && piece.start === end;
      if (!follows || piece.revision > durableRevision) break;
      this.#take(piece);
      end = piece.end;
    }
    return end;
  }

  #take(piece: Piece): void {
    this.#first++;
    this.#shared.held--;
    this.bytes -= piece.end - piece.start;
  }

  /** The connection is gone. */
  drop(): void {
    this.#shared.held -= this.count;
    this.bytes = 0;
    this.#pieces.length = 0;
    this.#first = 0;
  }
}

function writeRefusals({ replies, isChange }: Piece, write: Write): void {
  const { code, message } = notDurable(isChange);
  const line = Buffer.from(`-${code} ${message}\r\n`);
  const all = Buffer.alloc(replies * line.length, line);
  write(all, 0, all.length);
}
