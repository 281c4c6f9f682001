/**
 * One connection of the resp frontend: bytes in, commands out of them to the gate. When it pauses,
 * goes on and closes is decided here; how its replies leave is output.ts. While replies wait beyond a
 * bound, nothing more is read from this client, so its memory is bounded and it delays nobody.
 */
import {
  type Arguments,
  type Client,
  LOOK_AHEAD,
  type SendBytes,
  type Session,
  type WriteReply,
} from "kvdb";
import { MALFORMED } from "kvdb/resp";
import type { Batch } from "./batch.ts";
import { KeptInput } from "./kept-input.ts";
import { Output } from "./output.ts";
import { OutputWatch } from "./output-watch.ts";
import type { Shared, Socket } from "./shared.ts";

/**
 * Input that waits, behind a command that answers later or for the next turn: beyond it nothing more is read. Less, and the
 * client's end is noticed at once.
 */
const MAX_WAITING_BYTES = 1024 * 1024;

/** What was pushed to a client while a command of its own was running. */
interface PushedMessage {
  readonly write: WriteReply;
  readonly hold: number;
}

/** Input beyond which the arguments let go of it at once: a huge value must not stay until the next command comes. */
const PINNED_INPUT_BYTES = 64 * 1024;

export class Connection implements Client {
  readonly session: Session;
  readonly address: string;
  readonly localAddress: string;
  readonly trusted: boolean;
  readonly #shared: Shared;
  readonly #socket: Socket;
  readonly #input = new KeptInput();
  readonly #output: Output;
  readonly #watch = new OutputWatch();
  /** Commands of it are running: what they reply is still in the encoder. */
  #running = false;
  /** How many bytes of replies may be in the encoder before it pauses. */
  #room = 0;
  /** They leave behind the reply of the command in hand. */
  #messages: PushedMessage[] = [];
  #closing = false;
  /** The socket is closed: nothing is sent or kept any more. */
  #gone = false;
  /** The client will send nothing more, but may still read. */
  #ended = false;
  /** The reply that is waited for is to be kept silent: CLIENT REPLY said so when its command came. */
  #isLaterSilent = false;
  #paused = false;
  /** The turn was full: the rest of the input is for the next one. */
  #isDeferred = false;
  /** It has written, in this round of commands. */
  #hasWritten = false;
  /** It has written, and is paused until writes are accepted again. */
  #awaitsWrites = false;
  /** Told when all that waited has left; null: it is no replica's. */
  #onSent: (() => void) | null = null;
  /** Bytes came or left since the server looked last, and when that was: the time is read once a second, not per chunk. */
  isActive = true;
  activeAtMs = 0;
  inputCount = 0;

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
    this.#output = new Output(this, shared, socket);
    this.session = shared.context.connect(this);
  }

  inputBytes(): number {
    return this.#input.bytes;
  }

  outputBytes(): number {
    return this.#output.bytes;
  }

  /** Since when replies wait for this client to read, on the monotonic clock; 0: none wait. */
  get stalledSince(): number {
    return this.#output.stalledSince;
  }

  // ---- input ----

  receive(chunk: Buffer): void {
    const { statistics } = this.#shared.context;
    statistics.inputBytes += chunk.length;
    statistics.reads++;
    this.inputCount++;
    this.isActive = true;
    if (this.#closing) return;
    const mayRun = !this.#paused && !this.#isDeferred && this.session.later === null;
    const input = this.#input;
    if (input.bytes === 0 && mayRun && !this.#shared.context.turnIsFull) {
      this.#process(chunk, chunk.length);
      return;
    }
    if (!input.append(chunk)) this.#refuse("a client sent a command of over 1 GiB: disconnected");
    else if (mayRun) {
      this.#processKept();
      // While a huge argument comes in there may be no other turn, and room is made for it as they end.
      if (input.bytes > PINNED_INPUT_BYTES) this.#shared.context.endTurnSoon();
    } else if (input.bytes > MAX_WAITING_BYTES) this.#pause();
  }

  #processKept(): void {
    if (this.#closing || this.#isDeferred) return;
    const input = this.#input;
    if (!input.isWorthALook(this.#shared.decoder, this.session.isRestricted)) return;
    if (this.#shared.context.turnIsFull) {
      this.#defer();
      return;
    }
    const limit = input.bytes;
    this.#process(input.take(), limit);
  }

  #defer(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#shared.goOnNextTurn(this);
  }

  /** The next turn has begun. */
  goOn(): void {
    this.#isDeferred = false;
    this.#goOnWithInput();
  }

  /** What came meanwhile may run, as far as nothing else stands in its way. */
  #goOnWithInput(): void {
    if (this.#paused) this.#resumeIfRoom();
    else {
      this.#processKept();
      this.#closeIfEnded();
    }
    this.#endIfDone();
  }

  /** Runs the whole commands in input[0, limit), a batch at a time, and keeps the rest. */
  #process(input: Buffer, limit: number): void {
    const { batch, decoder, context } = this.#shared;
    const session = this.session;
    this.#beginReplies();
    this.#running = true;
    this.#input.forgetProgress();
    this.#room = this.#output.room;
    let at = 0;
    while (at < limit) {
      // Before authentication one at a time, since the bounds on what may be sent change with it.
      decoder.restricted = session.isRestricted;
      batch.decode(decoder, input, at, limit, decoder.restricted ? 1 : LOOK_AHEAD);
      if (batch.count > 1) context.lookAhead(session, batch.commands, batch.count);
      const ran = this.#run(batch);
      if (ran >= 0) {
        at = batch.ends[ran - 1] as number;
        break;
      }
      at = batch.end;
      if (batch.stopped === 0) continue;
      if (batch.stopped === MALFORMED) this.#malformed(decoder.problem);
      else this.#input.noteProgress(decoder);
      break;
    }
    this.#running = false;
    this.#answer();
    this.#endIfDone();
    if (at < limit && !this.#closing) this.#input.keep(input, at, limit);
    if (limit > PINNED_INPUT_BYTES) batch.release();
  }

  /** What follows in the encoder are replies of this connection. */
  #beginReplies(): void {
    const { encoder, spans, context } = this.#shared;
    encoder.begin(this.session);
    spans.begin(context.durableRevision);
  }

  /** Runs the commands of a batch. Answers -1, or how many ran when no more may run now. */
  #run(batch: Batch): number {
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
      let pending = encoder.pendingBytes;
      if (session.hold !== 0) this.#noteWait(before, pending);
      if (this.#messages.length > 0) {
        this.#takeMessages();
        pending = 0;
      }
      if (this.#closing || session.later !== null) return i + 1;
      before = pending;
      if (context.turnIsFull) {
        this.#defer();
        return i + 1;
      }
      if (pending > this.#room) {
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
    const { hold, hasWritten } = session;
    session.hold = 0;
    if (hasWritten) {
      session.hasWritten = false;
      this.#hasWritten = true;
    }
    if (end > start) this.#shared.spans.add(start, end, hold, hasWritten);
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

  // ---- messages ----

  push(write: WriteReply, hold: number): void {
    if (this.#closing) return;
    if (this.#running) this.#messages.push({ write, hold });
    else this.#takeMessage(write, hold);
  }

  /** The replies so far, then what was pushed meanwhile; further replies come behind it. */
  #takeMessages(): void {
    const messages = this.#messages;
    this.#messages = [];
    if (this.#gone) return;
    if (this.#output.take()) this.#awaitDurability();
    for (const { write, hold } of messages) this.#takeMessage(write, hold);
    this.#beginReplies();
    this.#room = this.#output.room;
  }

  #takeMessage(write: WriteReply, hold: number): void {
    const message = this.#shared.messages.encode(write, this.session.protocol);
    if (this.#output.takeMessage(message, hold)) this.#awaitDurability();
    this.closeIfOverLimit();
  }

  beginStream(onSent: () => void): SendBytes {
    this.#onSent = onSent;
    return (buffer, start, end) => {
      if (this.#closing) return;
      if (this.#output.takeMessage([{ buffer, start, end }], 0)) this.#awaitDurability();
      this.closeIfOverLimit();
      this.#shared.context.endTurnSoon();
    };
  }

  /** A client that more messages wait for than may is disconnected. */
  closeIfOverLimit(): void {
    const { context } = this.#shared;
    const limit = context.outputLimit(this.session);
    if (this.#gone || !this.#watch.isOver(this.#output.bytes, limit, context.clock)) return;
    context.statistics.outputLimitDisconnections++;
    this.#refuse(
      `a client does not read what it ${this.#onSent === null ? "subscribes to" : "follows"}: disconnected by client-output-buffer-limit`,
    );
  }

  /** The reply that was waited for is there, and the turn is about to end. */
  replyReady(): void {
    const { encoder } = this.#shared;
    this.#beginReplies();
    this.#running = true;
    this.session.later?.write(encoder);
    this.#running = false;
    // CLIENT PAUSE had it wait, and now it waits by itself.
    if (this.session.later !== null) return;
    if (this.#isLaterSilent) encoder.rewind(0);
    this.#isLaterSilent = false;
    if (this.session.hold !== 0) this.#noteWait(0, encoder.pendingBytes);
    this.#answer();
    this.#goOnWithInput();
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

  // ---- output ----

  /** What was just encoded: to be sent at the end of the turn, or held until it may be shown. */
  #answer(): void {
    const { context } = this.#shared;
    const hasWritten = this.#takeHasWritten();
    if (this.#gone) return;
    if (this.#output.take()) this.#awaitDurability();
    if (this.#output.room < 0 || !context.acceptsInput) this.#pause();
    if (hasWritten && !context.acceptsWrites) this.#pauseWriter();
  }

  /** Whether a command of this round has changed something. */
  #takeHasWritten(): boolean {
    const { session } = this;
    const hasWritten = this.#hasWritten || session.hasWritten;
    this.#hasWritten = false;
    // What comes later may have to say that it was a change.
    if (session.later === null) session.hasWritten = false;
    return hasWritten;
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
    if (this.#output.spokenBytes > 0) {
      // What was spoken in this turn comes first, and has not left yet.
      this.#shared.releaseAfterTurn(this);
      return false;
    }
    const isRefused = this.#shared.context.diskFailure !== null;
    this.#output.release(durableRevision, isRefused);
    this.#hasSent();
    if (this.#gone) return true; // the socket was dead, and `closed` has dropped them all
    this.#resumeIfRoom();
    return this.#output.heldCount === 0 && !this.#paused;
  }

  /** The turn ends: a stretch that was spoken leaves. */
  send(buffer: Buffer, start: number, end: number): void {
    this.#output.send(buffer, start, end);
    this.#hasSent();
    // What made it pause may have left with this; the rest of its input then goes on.
    if (this.#paused && this.#output.spokenBytes === 0) this.#shared.releaseAfterTurn(this);
  }

  /** The socket takes more. */
  drain(): void {
    this.isActive = true;
    this.#output.drain();
    this.#hasSent();
    if (!this.#output.isUnsent) this.#resumeIfRoom();
  }

  /** Something was offered to the socket. */
  #hasSent(): void {
    if (this.#gone) return;
    const output = this.#output;
    if (output.isDead) {
      this.close("now");
      return;
    }
    if (output.isUnsent && output.room < 0) this.#pause();
    if (this.#onSent !== null && output.isEmpty) this.#onSent();
    this.#endIfDone();
  }

  // ---- pausing and closing ----

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
    this.#shared.wait(this);
  }

  #pauseWriter(): void {
    this.#awaitsWrites = true;
    this.#pause();
    this.#shared.awaitWrites();
  }

  #resumeIfRoom(): void {
    if (!this.#paused || this.#closing || this.session.later !== null || this.#isDeferred) return;
    const { context } = this.#shared;
    if (this.#output.room < 0 || !context.acceptsInput) return;
    if (this.#awaitsWrites && !context.acceptsWrites) return;
    this.#paused = false;
    this.#awaitsWrites = false;
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
    const isDone = !this.#paused && !this.#isDeferred && this.session.later === null;
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
    if (!this.#closing || this.#gone || this.#running || this.session.later !== null) return;
    if (this.#output.isEmpty) this.#socket.end();
  }

  /** The socket is gone. */
  closed(): void {
    this.#closing = true;
    this.#gone = true;
    this.#output.drop();
    this.#input.take();
    this.#shared.context.disconnect(this.session);
    this.#shared.closed(this);
  }
}

/** `POST` and `Host:` as command names: what a browser sends when a web page has it speak to our port. As in Redis. */
function isHttp(args: Arguments): boolean {
  return args.is(0, "POST") || args.is(0, "HOST:");
}
