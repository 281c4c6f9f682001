/**
 * The replies of one connection, and messages to it, on their way out: spoken in this turn, held until
 * they may be shown, or not yet taken by the socket. Not when a connection pauses or closes, which is
 * connection.ts.
 *
 * Invariant: all of it leaves in the order in which it was taken: first `#unsent`, then `#held`, then
 * what is new.
 */
import type { Stretch } from "kvdb/resp";
import type { Connection } from "./connection.ts";
import { HeldReplies } from "./held-replies.ts";
import type { Shared, Socket } from "./shared.ts";
import { UnsentOutput } from "./unsent-output.ts";

/** Replies not yet taken by the socket: beyond it, no further command of this client runs until it reads. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Replies that wait for durability: the same. */
const MAX_HELD_BYTES = 1024 * 1024;
/** What a piece of waiting replies costs besides its bytes: else a client could hoard many tiny ones. */
const PIECE_BYTES = 128;
/** Several stretches of one turn are put together for one write, up to here: a write costs as much as copying so much. */
const MAX_GATHERED_BYTES = 64 * 1024;

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
  readonly #unsent = new UnsentOutput();
  /** The number of the stretch that was spoken last in this turn. */
  #spoken = 0;
  /** What is put together for one write: #gathered[0, #gatheredBytes). */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;

  constructor(connection: Connection, shared: Shared, socket: Socket) {
    this.#connection = connection;
    this.#shared = shared;
    this.#socket = socket;
    this.#held = new HeldReplies(shared);
  }

  get bytes(): number {
    return this.spokenBytes + this.#unsent.bytes + this.#held.bytes;
  }

  /** Pieces that wait until they may be shown. */
  get heldCount(): number {
    return this.#held.count;
  }

  /** Some wait for the client to read. */
  get isUnsent(): boolean {
    return this.#unsent.bytes > 0;
  }

  /** Every reply has left. */
  get isEmpty(): boolean {
    return this.spokenBytes === 0 && this.#unsent.bytes === 0 && this.#held.count === 0;
  }

  /** How many bytes of replies more may wait; below zero: commands of this client wait until some have left. */
  get room(): number {
    const output = this.spokenBytes + this.#unsent.bytes + this.#unsent.blockCount * PIECE_BYTES;
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

  /** Takes a message, which is behind everything so far. True when it is held until `hold` is durable. */
  takeMessage(stretches: readonly Stretch[], hold: number): boolean {
    const isHeld = this.#held.count > 0 || hold > this.#shared.context.durableRevision;
    for (const { buffer, start, end } of stretches) {
      if (isHeld) this.#held.addMessage(buffer, start, end, hold);
      else this.#speak(buffer, start, end);
    }
    return isHeld;
  }

  #speak(buffer: Buffer, start: number, end: number): void {
    const isFirst = this.spokenBytes === 0;
    this.spokenBytes += end - start;
    if (!isFirst && this.#shared.prolong(this.#spoken, buffer, start, end)) return;
    this.#spoken = this.#shared.speak(this.#connection, buffer, start, end);
  }

  /** Writes what waited for a revision that is durable now; when the disk refuses, errors in the place of what still waits. */
  release(durableRevision: number, isRefused: boolean): void {
    this.#held.release(durableRevision, isRefused, this.#write);
  }

  /** The turn ends: a stretch that was spoken leaves. */
  send(buffer: Buffer, start: number, end: number): void {
    const size = end - start;
    const isLast = this.spokenBytes === size;
    if (isLast && this.#gathered === null) this.#write(buffer, start, end);
    else this.#gather(buffer, start, size);
    this.spokenBytes -= size;
    if (isLast) this.#writeGathered();
  }

  #gather(buffer: Buffer, start: number, size: number): void {
    if (this.#gatheredBytes + size > MAX_GATHERED_BYTES) this.#writeGathered();
    if (size > MAX_GATHERED_BYTES) {
      this.#write(buffer, start, start + size);
      return;
    }
    // All that is still to come fits in, or as much as is written at a time.
    const room = Math.min(this.spokenBytes, MAX_GATHERED_BYTES);
    this.#gathered ??= Buffer.allocUnsafe(room);
    buffer.copy(this.#gathered, this.#gatheredBytes, start, start + size);
    this.#gatheredBytes += size;
  }

  #writeGathered(): void {
    if (this.#gathered === null) return;
    const size = this.#gatheredBytes;
    const gathered = this.#gathered;
    this.#gathered = null;
    this.#gatheredBytes = 0;
    this.#write(gathered, 0, size);
  }

  readonly #write = (buffer: Buffer, start: number, end: number): void => {
    if (this.isDead) return;
    const { statistics, clock } = this.#shared.context;
    statistics.outputBytes += end - start;
    statistics.writes++;
    this.#connection.isActive = true;
    const sent = this.#unsent.bytes === 0 ? this.#offer(buffer, start, end - start) : 0;
    if (this.isDead || start + sent === end) return;
    this.#unsent.add(buffer, start + sent, end);
    if (this.stalledSince === 0) this.stalledSince = clock.monotonicMs();
  };

  /** How much of it the socket takes. */
  readonly #offer = (buffer: Buffer, start: number, size: number): number => {
    const taken = this.#socket.write(buffer, start, size);
    if (taken < 0) this.isDead = true;
    return taken;
  };

  /** The socket takes more. */
  drain(): void {
    this.stalledSince = this.#shared.context.clock.monotonicMs();
    this.#unsent.offer(this.#offer);
    if (this.#unsent.bytes === 0) this.stalledSince = 0;
  }

  /** The connection is gone. */
  drop(): void {
    this.isDead = true;
    this.#held.drop();
    this.#unsent.drop();
    this.#gathered = null;
    this.#gatheredBytes = 0;
  }
}
