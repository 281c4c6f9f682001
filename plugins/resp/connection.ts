/**
 * One connection of the resp frontend: bytes in, commands out of them to the gate, replies back in order. What the
 * socket does not take at once waits here; while it waits, or while replies wait for durability beyond a bound, nothing
 * more is read from this client, so its memory is bounded and it delays nobody.
 *
 * Invariant: replies leave in the order of the commands: first `#output`, then `#held`, then what is new.
 */
import type { Arguments, Client, FrontendContext, Session } from "kvdb";
import { type Decoder, MALFORMED, type RespEncoder } from "kvdb/resp";

/** Replies not yet taken by the socket: beyond it, no further command of this client runs until it reads. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Replies that wait for durability: the same. */
const MAX_HELD_BYTES = 1024 * 1024;

/** Input beyond which the arguments let go of it at once: a huge value must not stay until the next command comes. */
const PINNED_INPUT_BYTES = 64 * 1024;
const NO_INPUT = Buffer.alloc(0);

/** What a connection shares with all others of its frontend. */
export interface Shared {
  readonly context: FrontendContext;
  readonly args: Arguments;
  readonly decoder: Decoder;
  readonly encoder: RespEncoder;
  /** Notes that the stretch of the encoder's buffer belongs to the connection, to be sent when the turn ends. */
  speak(connection: Connection, buffer: Buffer, start: number, end: number): void;
  /** The connection has replies that wait for durability, or is paused. */
  wait(connection: Connection): void;
  closed(connection: Connection): void;
}

/** The part of Bun's socket that a connection uses. */
export interface Socket {
  write(data: Uint8Array, offset: number, length: number): number;
  end(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** Replies that wait until `revision` is durable. */
interface Held {
  readonly bytes: Buffer;
  readonly revision: number;
}

export class Connection implements Client {
  readonly session: Session;
  readonly address: string;
  readonly localAddress: string;
  readonly #shared: Shared;
  readonly #socket: Socket;
  /** Input that is not a whole command yet, in pieces; and how many bytes must be there before another look pays. */
  #input: Buffer[] = [];
  #inputBytes = 0;
  #needed = 0;
  #output: Buffer[] = [];
  #outputBytes = 0;
  #held: Held[] = [];
  #heldBytes = 0;
  #closing = false;
  #paused = false;
  /** Since when replies wait for this client to read, on the monotonic clock; 0: none wait. */
  stalledSince = 0;

  constructor(
    shared: Shared,
    socket: Socket,
    addresses: { readonly address: string; readonly localAddress: string },
  ) {
    this.#shared = shared;
    this.#socket = socket;
    this.address = addresses.address;
    this.localAddress = addresses.localAddress;
    this.session = shared.context.connect(this);
  }

  inputBytes(): number {
    return this.#inputBytes;
  }

  outputBytes(): number {
    return this.#outputBytes + this.#heldBytes;
  }

  // ---- input ----

  receive(chunk: Buffer): void {
    this.#shared.context.statistics.inputBytes += chunk.length;
    if (this.#closing) return;
    if (this.#inputBytes === 0 && !this.#paused) {
      this.#process(chunk);
      return;
    }
    this.#input.push(chunk);
    this.#inputBytes += chunk.length;
    if (this.#inputBytes >= this.#needed && !this.#paused) this.#processKept();
  }

  #processKept(): void {
    const input = this.#input.length === 1 ? (this.#input[0] as Buffer) : Buffer.concat(this.#input);
    this.#input = [];
    this.#inputBytes = 0;
    this.#process(input);
  }

  /** Runs the whole commands in `input`, keeps the rest. */
  #process(input: Buffer): void {
    const { args, decoder, encoder, context } = this.#shared;
    const session = this.session;
    encoder.begin(session);
    const limit = input.length;
    let needed = 0;
    let at = 0;
    while (at < limit) {
      decoder.restricted = session.gates !== 0;
      const next = decoder.decode(args, input, at, limit);
      if (next < 0) {
        if (next === MALFORMED) this.#malformed(decoder.problem);
        needed = decoder.needed;
        break;
      }
      at = next;
      if (args.count === 0) continue;
      if (session.replyMode === "on") context.dispatch(session, args, encoder);
      else this.#dispatchSilently();
      if (this.#closing || this.#isFull(encoder.pendingBytes)) break;
    }
    this.#answer();
    if (at < limit && !this.#closing) this.#keep(input.subarray(at), needed);
    if (limit > PINNED_INPUT_BYTES) args.buffer = NO_INPUT;
  }

  /** The chunk is ours to keep; a small rest is copied, so that it does not hold a large one in memory. */
  #keep(rest: Buffer, needed: number): void {
    const input = rest.length < rest.buffer.byteLength / 2 ? Buffer.from(rest) : rest;
    this.#input = [input];
    this.#inputBytes = input.length;
    this.#needed = needed;
  }

  /** CLIENT REPLY OFF and SKIP: the command runs, its reply is taken back. */
  #dispatchSilently(): void {
    const { args, encoder, context } = this.#shared;
    const session = this.session;
    const mark = encoder.mark();
    if (session.replyMode === "skipNext") session.replyMode = "skip";
    context.dispatch(session, args, encoder);
    // RESET and CLIENT REPLY ON are heard; a further CLIENT REPLY SKIP asks for one more silence.
    if (session.replyMode === "on") return;
    if (session.replyMode === "skip") session.replyMode = "on";
    encoder.rewind(mark);
  }

  #malformed(problem: string): void {
    this.#shared.encoder.error("ERR", problem);
    this.close("afterReplies");
  }

  #isFull(pending: number): boolean {
    return pending + this.#outputBytes > MAX_OUTPUT_BYTES || this.#heldBytes + pending > MAX_HELD_BYTES;
  }

  // ---- output ----

  /** What was just encoded: to be sent at the end of the turn, or held until it may be shown. */
  #answer(): void {
    const { encoder, context } = this.#shared;
    const revision = this.session.hold;
    this.session.hold = 0;
    const held = this.#held.length > 0 || revision > context.durableRevision;
    for (const full of encoder.takeFull()) this.#reply(full.buffer, full.start, full.end, held, revision);
    if (encoder.at > encoder.lastStart) {
      this.#reply(encoder.buffer, encoder.lastStart, encoder.at, held, revision);
    }
    if (this.#isFull(0) || !context.acceptsInput) this.#pause();
  }

  #reply(buffer: Buffer, start: number, end: number, held: boolean, revision: number): void {
    if (!held) {
      this.#shared.speak(this, buffer, start, end);
      return;
    }
    this.#held.push({ bytes: Buffer.from(buffer.subarray(start, end)), revision });
    this.#heldBytes += end - start;
    this.#shared.wait(this);
  }

  /** Sends what waited for a revision that is durable now. True when it waits for nothing any more. */
  release(durableRevision: number): boolean {
    let count = 0;
    while (count < this.#held.length && (this.#held[count] as Held).revision <= durableRevision) {
      const { bytes } = this.#held[count++] as Held;
      this.#heldBytes -= bytes.length;
      this.send(bytes, 0, bytes.length);
    }
    this.#held.splice(0, count);
    this.#resumeIfRoom();
    return this.#held.length === 0 && !this.#paused;
  }

  send(buffer: Buffer, start: number, end: number): void {
    this.#shared.context.statistics.outputBytes += end - start;
    let sent = 0;
    if (this.#outputBytes === 0) sent = Math.max(0, this.#socket.write(buffer, start, end - start));
    if (start + sent < end) {
      const rest = Buffer.from(buffer.subarray(start + sent, end));
      this.#output.push(rest);
      this.#outputBytes += rest.length;
      if (this.stalledSince === 0) this.stalledSince = this.#shared.context.clock.monotonicMs();
      if (this.#isFull(0)) this.#pause();
    }
    this.#endIfDone();
  }

  /** The socket takes more. */
  drain(): void {
    this.stalledSince = this.#shared.context.clock.monotonicMs();
    while (this.#output.length > 0) {
      const first = this.#output[0] as Buffer;
      const sent = Math.max(0, this.#socket.write(first, 0, first.length));
      this.#outputBytes -= sent;
      if (sent < first.length) {
        this.#output[0] = first.subarray(sent);
        return;
      }
      this.#output.shift();
    }
    this.stalledSince = 0;
    this.#endIfDone();
    this.#resumeIfRoom();
  }

  // ---- pausing and closing ----

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
    this.#shared.wait(this);
  }

  #resumeIfRoom(): void {
    if (!this.#paused || this.#closing || this.#isFull(0) || !this.#shared.context.acceptsInput) return;
    this.#paused = false;
    this.#socket.resume();
    if (this.#inputBytes > 0 && this.#inputBytes >= this.#needed) this.#processKept();
  }

  close(when: "now" | "afterReplies"): void {
    this.#closing = true;
    if (when === "now") {
      this.#socket.terminate();
      return;
    }
    this.#shared.context.endTurnSoon();
    this.#endIfDone();
  }

  /** A closing connection ends once every reply has left. */
  #endIfDone(): void {
    if (this.#closing && this.#outputBytes === 0 && this.#held.length === 0) this.#socket.end();
  }

  /** The socket is gone. */
  closed(): void {
    this.#closing = true;
    this.#held = [];
    this.#output = [];
    this.#input = [];
    this.#heldBytes = 0;
    this.#outputBytes = 0;
    this.#inputBytes = 0;
    this.#shared.context.disconnect(this.session);
    this.#shared.closed(this);
  }
}
