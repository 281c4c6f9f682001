/**
 * The replies of one connection on their way out: spoken in this turn, held until they may be shown,
 * or not yet taken by the socket. Not when a connection pauses or closes, which is connection.ts.
 *
 * Invariant: replies leave in the order of the commands: first `#unsent`, then `#held`, then what is
 * new.
 */
import type { Connection } from "./connection.ts";
import { HeldReplies } from "./held-replies.ts";
import type { Shared, Socket } from "./shared.ts";

/** Replies not yet taken by the socket: beyond it, no further command of this client runs until it reads. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Replies that wait for durability: the same. */
const MAX_HELD_BYTES = 1024 * 1024;
/** What a piece of waiting replies costs besides its bytes: else a client could hoard many tiny ones. */
const PIECE_BYTES = 128;

export class Output {
  /** Bytes of replies that leave at the end of the turn. */
  spokenBytes = 0;
  /** Since when replies wait for the client to read, on the monotonic clock; 0: none wait. */
  stalledSince = 0;
  /** Nothing is sent or kept any more: the socket is closed, or dead, which a paused one is told in no other way. */
  isDead = false;
  readonly #connection: Connection;
  readonly #shared: Shared;
  readonly #socket: Socket;
  readonly #held: HeldReplies;
  #unsent: Buffer[] = [];
  #unsentBytes = 0;

  constructor(connection: Connection, shared: Shared, socket: Socket) {
    this.#connection = connection;
    this.#shared = shared;
    this.#socket = socket;
    this.#held = new HeldReplies(shared);
  }

  get bytes(): number {
    return this.spokenBytes + this.#unsentBytes + this.#held.bytes;
  }

  /** Pieces that wait until they may be shown. */
  get heldCount(): number {
    return this.#held.count;
  }

  /** Some wait for the client to read. */
  get isUnsent(): boolean {
    return this.#unsentBytes > 0;
  }

  /** Every reply has left. */
  get isEmpty(): boolean {
    return this.spokenBytes === 0 && this.#unsentBytes === 0 && this.#held.count === 0;
  }

  /** How many bytes of replies more may wait; below zero: commands of this client wait until some have left. */
  get room(): number {
    const output = this.spokenBytes + this.#unsentBytes + this.#unsent.length * PIECE_BYTES;
    const held = this.#held.bytes + this.#held.count * PIECE_BYTES;
    return Math.min(MAX_OUTPUT_BYTES - output, MAX_HELD_BYTES - held);
  }

  /**
   * Takes what was just encoded: to be sent at the end of the turn, or held until it may be shown.
   * True when there are held ones.
   */
  take(): boolean {
    const { encoder, spans } = this.#shared;
    const isHeld = this.#held.count > 0 || spans.count > 0;
    let at = 0;
    for (const { buffer, start, end } of encoder.takeFull()) {
      if (isHeld) this.#held.add(buffer, start, end, at, spans);
      else this.#speak(buffer, start, end);
      at += end - start;
    }
    const { buffer, lastStart, at: end } = encoder;
    if (end > lastStart) {
      if (isHeld) this.#held.add(buffer, lastStart, end, at, spans);
      else this.#speak(buffer, lastStart, end);
    }
    return isHeld;
  }

  #speak(buffer: Buffer, start: number, end: number): void {
    this.spokenBytes += end - start;
    this.#shared.speak(this.#connection, buffer, start, end);
  }

  /** Writes what waited for a revision that is durable now; when the disk refuses, errors in the place of what still waits. */
  release(durableRevision: number, isRefused: boolean): void {
    this.#held.release(durableRevision, isRefused, this.#write);
  }

  /** The turn ends: a stretch that was spoken leaves. */
  send(buffer: Buffer, start: number, end: number): void {
    this.spokenBytes -= end - start;
    this.#write(buffer, start, end);
  }

  readonly #write = (buffer: Buffer, start: number, end: number): void => {
    if (this.isDead) return;
    const { statistics, clock } = this.#shared.context;
    statistics.outputBytes += end - start;
    this.#connection.isActive = true;
    const sent = this.#unsentBytes === 0 ? this.#offer(buffer, start, end - start) : 0;
    if (this.isDead || start + sent === end) return;
    const rest = Buffer.from(buffer.subarray(start + sent, end));
    this.#unsent.push(rest);
    this.#unsentBytes += rest.length;
    if (this.stalledSince === 0) this.stalledSince = clock.monotonicMs();
  };

  /** How much of it the socket takes. */
  #offer(buffer: Buffer, start: number, size: number): number {
    const taken = this.#socket.write(buffer, start, size);
    if (taken < 0) this.isDead = true;
    return taken;
  }

  /** The socket takes more. */
  drain(): void {
    this.stalledSince = this.#shared.context.clock.monotonicMs();
    while (this.#unsent.length > 0) {
      const first = this.#unsent[0] as Buffer;
      const sent = this.#offer(first, 0, first.length);
      if (this.isDead) return;
      this.#unsentBytes -= sent;
      if (sent < first.length) {
        this.#unsent[0] = first.subarray(sent);
        return;
      }
      this.#unsent.shift();
    }
    this.stalledSince = 0;
  }

  /** The connection is gone. */
  drop(): void {
    this.isDead = true;
    this.#held.drop();
    this.#unsent = [];
    this.#unsentBytes = 0;
  }
}
