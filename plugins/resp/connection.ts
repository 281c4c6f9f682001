/**
 * One connection of the resp frontend: bytes in, commands out of them to the gate, replies back in order. What the
 * socket does not take at once waits here; while it waits, or while replies wait for durability beyond a bound, nothing
 * more is read from this client, so its memory is bounded and it delays nobody.
 *
 * Invariant: replies leave in the order of the commands: first `#output`, then `#held`, then what is new.
 */
import { type Arguments, type Client, type FrontendContext, LOOK_AHEAD, type Session } from "kvdb";
import { type Decoder, INCOMPLETE, MALFORMED, type RespEncoder } from "kvdb/resp";
import type { Batch } from "./batch.ts";
import { HeldReplies } from "./held-replies.ts";
import type { WaitingSpans } from "./waiting-spans.ts";

/** Replies not yet taken by the socket: beyond it, no further command of this client runs until it reads. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Replies that wait for durability: the same. */
const MAX_HELD_BYTES = 1024 * 1024;
/** What a piece of waiting replies costs besides its bytes: else a client could hoard many tiny ones. */
const PIECE_BYTES = 128;
/** Input behind a command that answers later: beyond it nothing more is read. Less, and its end is noticed at once. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Input that makes no whole command yet: Redis's client-query-buffer-limit. Spans are 31-bit offsets into it. */
const MAX_INPUT_BYTES = 1024 * 1024 * 1024;

/** Input beyond which the arguments let go of it at once: a huge value must not stay until the next command comes. */
const PINNED_INPUT_BYTES = 64 * 1024;
const NO_INPUT = Buffer.alloc(0);

/** What a connection shares with all others of its frontend. */
export interface Shared {
  readonly context: FrontendContext;
  readonly batch: Batch;
  readonly decoder: Decoder;
  readonly encoder: RespEncoder;
  /** Of the replies in the encoder that belong to the connection in hand: which wait for durability. */
  readonly spans: WaitingSpans;
  /** Stretches of the encoder's buffers that wait for durability: until there are none, it may not start at the front. */
  held: number;
  /** Notes that the stretch of the encoder's buffer belongs to the connection, to be sent when the turn ends. */
  speak(connection: Connection, buffer: Buffer, start: number, end: number): void;
  /** The connection has replies that wait for durability, or is paused. */
  wait(connection: Connection): void;
  /** `release` is to be called when the replies of this turn have left. */
  releaseAfterTurn(connection: Connection): void;
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

export class Connection implements Client {
  readonly session: Session;
  readonly address: string;
  readonly localAddress: string;
  readonly trusted: boolean;
  readonly #shared: Shared;
  readonly #socket: Socket;
  /** Input that waits: the first bytes of a buffer that grows by half, so that what comes in pieces is copied seldom. */
  #input: Buffer = NO_INPUT;
  #inputBytes = 0;
  /** Of a command that is not whole yet: what the decoder said of where another look begins, and when it pays. */
  #needed = 0;
  #resumeAt = 0;
  #resumeCount = 0;
  #output: Buffer[] = [];
  #outputBytes = 0;
  readonly #held: HeldReplies;
  /** Commands of it are running: what they reply is still in the encoder. */
  #running = false;
  /** Bytes of replies that leave at the end of the turn. */
  #spokenBytes = 0;
  #closing = false;
  /** The socket is closed: nothing is sent or kept any more. */
  #gone = false;
  /** The client will send nothing more, but may still read. */
  #ended = false;
  /** The reply that is waited for is to be kept silent: CLIENT REPLY said so when its command came. */
  #isLaterSilent = false;
  #paused = false;
  /** Since when replies wait for this client to read, on the monotonic clock; 0: none wait. */
  stalledSince = 0;
  /** Bytes came or left since the server looked last, and when that was: the time is read once a second, not per chunk. */
  isActive = true;
  activeAtMs = 0;

  constructor(
    shared: Shared,
    socket: Socket,
    peer: Pick<Client, "address" | "localAddress" | "trusted">,
  ) {
    this.#shared = shared;
    this.#socket = socket;
    this.address = peer.address;
    this.localAddress = peer.localAddress;
    this.trusted = peer.trusted === true;
    this.#held = new HeldReplies(shared);
    this.session = shared.context.connect(this);
  }

  inputBytes(): number {
    return this.#inputBytes;
  }

  outputBytes(): number {
    return this.#spokenBytes + this.#outputBytes + this.#held.bytes;
  }

  // ---- input ----

  receive(chunk: Buffer): void {
    this.#shared.context.statistics.inputBytes += chunk.length;
    this.isActive = true;
    if (this.#closing) return;
    const mayRun = !this.#paused && this.session.later === null;
    if (this.#inputBytes === 0 && mayRun) {
      this.#process(chunk, chunk.length);
      return;
    }
    this.#append(chunk);
    if (mayRun) this.#processKept();
    else if (this.#inputBytes > MAX_WAITING_BYTES) this.#pause();
  }

  #append(chunk: Buffer): void {
    const bytes = this.#inputBytes + chunk.length;
    if (bytes > MAX_INPUT_BYTES) {
      this.#refuse("a client sent a command of over 1 GiB: disconnected");
      return;
    }
    if (bytes > this.#input.length) {
      const larger = Buffer.allocUnsafeSlow(Math.ceil(bytes * 1.5));
      this.#input.copy(larger, 0, 0, this.#inputBytes);
      this.#input = larger;
    }
    chunk.copy(this.#input, this.#inputBytes);
    this.#inputBytes = bytes;
  }

  #processKept(): void {
    if (this.#closing || !this.#isWorthALook()) return;
    const input = this.#input;
    const limit = this.#inputBytes;
    this.#input = NO_INPUT;
    this.#inputBytes = 0;
    this.#process(input, limit);
  }

  /** Whether the kept input holds more than the command that was incomplete, as far as it came, or can be refused. */
  #isWorthALook(): boolean {
    if (this.#inputBytes === 0 || this.#inputBytes < this.#needed) return false;
    if (this.#resumeAt === 0) return true;
    const { decoder } = this.#shared;
    decoder.restricted = this.session.gates !== 0;
    decoder.resumeAt = this.#resumeAt;
    decoder.resumeCount = this.#resumeCount;
    if (decoder.skim(this.#input, 0, this.#inputBytes) !== INCOMPLETE) return true;
    this.#noteProgress(decoder);
    return false;
  }

  #noteProgress(decoder: Decoder): void {
    this.#needed = decoder.needed;
    this.#resumeAt = decoder.resumeAt;
    this.#resumeCount = decoder.resumeCount;
  }

  /** Runs the whole commands in input[0, limit), a batch at a time, and keeps the rest. */
  #process(input: Buffer, limit: number): void {
    const { batch, decoder, context } = this.#shared;
    const session = this.session;
    this.#beginReplies();
    this.#running = true;
    this.#needed = 0;
    this.#resumeAt = 0;
    const room = this.#room();
    let at = 0;
    while (at < limit) {
      // Before authentication one at a time, since the bounds on what may be sent change with it.
      decoder.restricted = session.gates !== 0;
      batch.decode(decoder, input, at, limit, decoder.restricted ? 1 : LOOK_AHEAD);
      if (batch.count > 1) context.lookAhead(session, batch.commands, batch.count);
      const ran = this.#run(batch, room);
      if (ran >= 0) {
        at = batch.ends[ran - 1] as number;
        break;
      }
      at = batch.end;
      if (batch.stopped === 0) continue;
      if (batch.stopped === MALFORMED) this.#malformed(decoder.problem);
      else this.#noteProgress(decoder);
      break;
    }
    this.#running = false;
    this.#answer();
    this.#endIfDone();
    if (at < limit && !this.#closing) this.#keep(input, at, limit);
    if (limit > PINNED_INPUT_BYTES) batch.release();
  }

  /** What follows in the encoder are replies of this connection. */
  #beginReplies(): void {
    this.#shared.encoder.begin(this.session);
    this.#shared.spans.clear();
  }

  /** Runs the commands of a batch. Answers -1, or how many ran when no more may run now. */
  #run(batch: Batch, room: number): number {
    const { context, encoder } = this.#shared;
    const session = this.session;
    let before = encoder.pendingBytes;
    for (let i = 0; i < batch.count; i++) {
      const args = batch.commands[i] as Arguments;
      if (args.rawStart < 0 && isHttp(args)) {
        this.#refuse("an HTTP request came in, perhaps a web page's attack: disconnected");
        return i + 1;
      }
      if (session.replyMode === "on") context.dispatch(session, args, encoder);
      else this.#dispatchSilently(args);
      const pending = encoder.pendingBytes;
      if (session.hold !== 0) this.#noteWait(before, pending);
      if (this.#closing || session.later !== null) return i + 1;
      before = pending;
      if (pending > room) {
        // The rest goes on when these replies have left: as the turn ends, the disk syncs, or the client reads.
        this.#pause();
        return i + 1;
      }
    }
    return -1;
  }

  /**
   * The reply that was written last, from `start` to `end`, waits for durability. None is there when it was silenced; one that
   * comes later waits for the same, and more perhaps.
   */
  #noteWait(start: number, end: number): void {
    const { session } = this;
    if (session.later !== null) return;
    const { context, spans } = this.#shared;
    const waits = end > start && session.hold > context.durableRevision;
    if (waits) spans.add(start, end, session.hold, session.hasWritten);
    session.hold = 0;
    session.hasWritten = false;
  }

  /** The chunk is ours to keep; a small rest is copied, so that it does not hold a large one in memory. */
  #keep(input: Buffer, at: number, limit: number): void {
    const rest = at === 0 ? input : input.subarray(at, limit);
    this.#input = limit - at < rest.buffer.byteLength / 2 ? Buffer.from(rest) : rest;
    this.#inputBytes = limit - at;
  }

  /** CLIENT REPLY OFF and SKIP: the command runs, its reply is taken back. */
  #dispatchSilently(args: Arguments): void {
    const { encoder, context } = this.#shared;
    const session = this.session;
    const mark = encoder.mark();
    if (session.replyMode === "skipNext") session.replyMode = "skip";
    context.dispatch(session, args, encoder);
    // RESET and CLIENT REPLY ON are heard; a further CLIENT REPLY SKIP asks for one more silence.
    if (session.replyMode === "on") return;
    if (session.replyMode === "skip") session.replyMode = "on";
    encoder.rewind(mark);
    this.#isLaterSilent = session.later !== null;
  }

  /** The reply that was waited for is there, and the turn is about to end. */
  replyReady(): void {
    const { encoder } = this.#shared;
    this.#beginReplies();
    this.session.later?.write(encoder);
    if (this.#isLaterSilent) encoder.rewind(0);
    this.#isLaterSilent = false;
    if (this.session.hold !== 0) this.#noteWait(0, encoder.pendingBytes);
    this.#answer();
    if (this.#paused) this.#resumeIfRoom();
    else {
      this.#processKept();
      this.#closeIfEnded();
    }
    this.#endIfDone();
  }

  #malformed(problem: string): void {
    if (this.session.replyMode === "on") this.#shared.encoder.error("ERR", problem);
    this.close("afterReplies");
  }

  /** Ends the connection without a word. */
  #refuse(reason: string): void {
    this.#shared.context.log.warn(reason, { address: this.address });
    this.close("now");
  }

  /** How many bytes of replies more may wait; below zero: commands of this client wait until some have left. */
  #room(): number {
    const output = this.#spokenBytes + this.#outputBytes + this.#output.length * PIECE_BYTES;
    const held = this.#held.bytes + this.#held.count * PIECE_BYTES;
    return Math.min(MAX_OUTPUT_BYTES - output, MAX_HELD_BYTES - held);
  }

  // ---- output ----

  /** What was just encoded: to be sent at the end of the turn, or held until it may be shown. */
  #answer(): void {
    const { encoder, context, spans } = this.#shared;
    if (this.session.later === null) this.session.hasWritten = false;
    if (this.#gone) return;
    const isHeld = this.#held.count > 0 || spans.revision > context.durableRevision;
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
    if (isHeld) this.#awaitDurability();
    if (this.#room() < 0 || !context.acceptsInput) this.#pause();
  }

  #speak(buffer: Buffer, start: number, end: number): void {
    this.#spokenBytes += end - start;
    this.#shared.speak(this, buffer, start, end);
  }

  /** While the disk refuses there is nothing to wait for but the end of the turn. */
  #awaitDurability(): void {
    const { context } = this.#shared;
    this.#shared.wait(this);
    if (context.diskFailure === null) return;
    this.#shared.releaseAfterTurn(this);
    context.endTurnSoon();
  }

  /**
   * Sends what waited for a revision that is durable now, and when the disk refuses, errors in the place of what still waits.
   * True when it waits for nothing any more.
   */
  release(durableRevision: number): boolean {
    if (this.#spokenBytes > 0) {
      // What was spoken in this turn comes first, and has not left yet.
      this.#shared.releaseAfterTurn(this);
      return false;
    }
    const isRefused = this.#shared.context.diskFailure !== null;
    this.#held.release(durableRevision, isRefused, this.#writeHeld);
    if (this.#gone) return true; // the socket was dead, and `closed` has dropped them all
    this.#endIfDone();
    this.#resumeIfRoom();
    return this.#held.count === 0 && !this.#paused;
  }

  /** The turn ends: a stretch that was spoken leaves. */
  send(buffer: Buffer, start: number, end: number): void {
    this.#spokenBytes -= end - start;
    this.#write(buffer, start, end);
    // What made it pause may have left with this; the rest of its input then goes on.
    if (this.#paused && this.#spokenBytes === 0) this.#shared.releaseAfterTurn(this);
  }

  readonly #writeHeld = (buffer: Buffer, start: number, end: number): void =>
    this.#write(buffer, start, end);

  #write(buffer: Buffer, start: number, end: number): void {
    if (this.#gone) return;
    this.#shared.context.statistics.outputBytes += end - start;
    this.isActive = true;
    let sent = 0;
    if (this.#outputBytes === 0) sent = this.#offer(buffer, start, end - start);
    if (this.#gone) return;
    if (start + sent < end) {
      const rest = Buffer.from(buffer.subarray(start + sent, end));
      this.#output.push(rest);
      this.#outputBytes += rest.length;
      if (this.stalledSince === 0) this.stalledSince = this.#shared.context.clock.monotonicMs();
      if (this.#room() < 0) this.#pause();
    }
    this.#endIfDone();
  }

  /** How much of it the socket takes. Below zero it is dead, which a paused one is told in no other way. */
  #offer(buffer: Buffer, start: number, size: number): number {
    const taken = this.#socket.write(buffer, start, size);
    if (taken < 0) this.close("now");
    return taken;
  }

  /** The socket takes more. */
  drain(): void {
    this.isActive = true;
    this.stalledSince = this.#shared.context.clock.monotonicMs();
    while (this.#output.length > 0) {
      const first = this.#output[0] as Buffer;
      const sent = this.#offer(first, 0, first.length);
      if (this.#gone) return;
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
    if (!this.#paused || this.#closing || this.session.later !== null) return;
    if (this.#room() < 0 || !this.#shared.context.acceptsInput) return;
    this.#paused = false;
    this.#processKept();
    if (this.#paused || this.#gone) return;
    this.#socket.resume();
    this.#closeIfEnded();
  }

  /**
   * The client sends nothing more. What it sent before still gets its replies, except where that may never be: whoever has
   * closed his connection altogether looks the same.
   */
  ended(): void {
    this.#ended = true;
    const { later } = this.session;
    if (later !== null && !later.outlivesInput) {
      later.abandon();
      this.close("afterReplies");
    } else this.#closeIfEnded();
  }

  #closeIfEnded(): void {
    const isDone = !this.#paused && this.session.later === null;
    if (this.#ended && isDone) this.close("afterReplies");
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
    if (!this.#closing || this.#gone || this.#running || this.#spokenBytes > 0) return;
    if (this.session.later !== null) return;
    if (this.#outputBytes === 0 && this.#held.count === 0) this.#socket.end();
  }

  /** The socket is gone. */
  closed(): void {
    this.#closing = true;
    this.#gone = true;
    this.#held.drop();
    this.#output = [];
    this.#input = NO_INPUT;
    this.#outputBytes = 0;
    this.#inputBytes = 0;
    this.#shared.context.disconnect(this.session);
    this.#shared.closed(this);
  }
}

/** `POST` and `Host:` as command names: what a browser sends when a web page has it speak to our port. As in Redis. */
function isHttp(args: Arguments): boolean {
  return args.is(0, "POST") || args.is(0, "HOST:");
}
