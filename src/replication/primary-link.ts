/**
 * One connection to a primary, from the attempt to make it to its end. It speaks (handshake.ts), cuts what comes into lines, a
 * copy (copy-reader.ts) and the stream, and keeps the time of each step. Whom to follow, what becomes of the copy and of the
 * stream, and when to try again is pursuit.ts's.
 *
 *   connecting → handshake → sync (a copy is awaited, comes, is loaded) → connected
 *                       └──────────────── +CONTINUE ───────────────────────▲
 *
 * Invariant: `ended` is told once, and nothing else after it.
 */

import type { Part } from "../client/link.ts";
import type { ClientTls } from "../client/socket-link.ts";
import { asKvdbError } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { CopyReader } from "./copy-reader.ts";
import { Handshake, type Introduction, MAX_LINE_BYTES } from "./handshake.ts";
import { type PrimaryAddress, primaryText } from "./primary-address.ts";
import type { ConnectPrimary, PrimarySocket, SocketEnds } from "./primary-socket.ts";

export type LinkState = "connecting" | "handshake" | "sync" | "connected";

/** Where the copy goes. */
export interface CopyTarget {
  /** The bytes may be kept. */
  append(bytes: Buffer): void;
  readonly isFull: boolean;
}

export interface LinkEvents {
  /** A copy comes: the state at `offset` of the stream `id`. Rejects when there is no room for it. */
  beginCopy(id: string, offset: number): Promise<CopyTarget>;
  /** How long it is: rejects when there is no room for so much. */
  copyLength(bytes: number): Promise<void>;
  /** It has come whole. The stream goes on when this resolves. */
  takeCopy(): Promise<void>;
  /** The stream is `id` from now on, and goes on from where it was asked for. Resolves when that is written down. */
  goOn(id: string): Promise<void>;
  /** The stream comes from now on: in order, whole or in pieces. False: no more until `resume`. */
  stream(chunk: Buffer): boolean;
  /** The stream has begun. */
  connected(): void;
  ended(reason: string, isLater: boolean): void;
  note(what: string): void;
}

export interface LinkOptions {
  readonly address: PrimaryAddress;
  readonly tls: ClientTls | undefined;
  readonly introduction: Introduction;
  readonly connect: ConnectPrimary;
  readonly clock: Clock;
  /** Of repl-timeout, asked each time. */
  timeoutMs(): number;
  readonly events: LinkEvents;
}

/** How often the time is looked at, and a sign of life given while a copy is loaded. */
const TICK_MS = 1000;
const LF = 10;
const CR = 13;
const SIGN_OF_LIFE = Buffer.from("\n");
/** Of one line, so that nothing is left over. */
const NO_BYTES = Buffer.alloc(0);

export class PrimaryLink {
  state: LinkState = "connecting";
  receivedBytes = 0;
  /** When something came last, on the monotonic clock. */
  heardMs: number;
  /** Of the copy that is awaited or comes; null: there is none. */
  copy: CopyReader | null = null;
  readonly #options: LinkOptions;
  readonly #handshake: Handshake;
  #socket: PrimarySocket | undefined;
  /** What came, and is not looked at yet: the beginning of a line, or what came while nothing more is wanted. */
  #kept: Buffer = NO_BYTES;
  #target: CopyTarget | null = null;
  /** Something is under way that the bytes behind have to wait for. */
  #isBusy = false;
  #isLoading = false;
  #isPaused = false;
  #isOver = false;
  #tick: Timer | undefined;
  /** When something came last, or could not since nothing was read. */
  #aliveMs: number;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { introduction, events, clock } = options;
    this.#handshake = new Handshake(introduction, (what) => events.note(what));
    this.heardMs = this.#aliveMs = clock.monotonicMs();
  }

  /** Harmless when it is closed meanwhile. */
  open(): void {
    const { address, tls, connect } = this.#options;
    this.#tickLater();
    const events = {
      data: (chunk: Buffer) => this.#receive(chunk),
      closed: (reason: string) => this.#end(reason),
    };
    connect(address, tls, events).then(
      (socket) => this.#connected(socket),
      (error) => this.#end(`cannot connect: ${asKvdbError(error).message}`),
    );
  }

  /** By us: `ended` is not told. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tick?.cancel();
    this.#socket?.close();
    this.#kept = NO_BYTES;
  }

  /** Of the other end, and of this one. */
  get ends(): SocketEnds | undefined {
    return this.#socket;
  }

  send(...commands: readonly (readonly Part[])[]): void {
    for (const parts of commands) this.#socket?.write(encode(parts));
  }

  /** More of the copy, or of the stream, is wanted again. */
  resume(): void {
    if (!this.#isBusy) this.#goOn();
  }

  #connected(socket: PrimarySocket): void {
    if (this.#isOver) {
      socket.close();
      return;
    }
    this.#socket = socket;
    this.state = "handshake";
    this.#alive();
    this.send(...this.#handshake.begin());
  }

  #alive(): void {
    this.#aliveMs = this.#options.clock.monotonicMs();
  }

  #receive(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#alive();
    this.heardMs = this.#aliveMs;
    this.receivedBytes += chunk.length;
    this.#kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    if (!this.#isBusy && !this.#isPaused) this.#goOn();
    else this.#pause();
  }

  /** Looks at what is there, as far as somebody takes it. */
  #goOn(): void {
    let isWanted = true;
    while (isWanted && !this.#isBusy && !this.#isOver && this.#kept.length > 0) {
      if (this.state === "connected") isWanted = this.#stream();
      else if (this.state === "sync") isWanted = this.#copyMore();
      else isWanted = this.#line();
    }
    const waits = this.#isBusy || (!isWanted && this.state !== "handshake");
    const isFull = this.#target?.isFull === true;
    if (waits || isFull) this.#pause();
    else this.#unpause();
  }

  #pause(): void {
    if (this.#isPaused || this.#isOver) return;
    this.#isPaused = true;
    this.#socket?.pause();
  }

  #unpause(): void {
    if (!this.#isPaused || this.#isOver) return;
    this.#isPaused = false;
    this.#socket?.resume();
  }

  // ---- the handshake ----

  /** False: the line is not whole. */
  #line(): boolean {
    const end = this.#kept.indexOf(LF);
    if (end < 0) {
      if (this.#kept.length > MAX_LINE_BYTES) this.#end("it sends a line without an end");
      return false;
    }
    const isReturned = end > 0 && this.#kept[end - 1] === CR;
    const line = this.#kept.toString("latin1", 0, isReturned ? end - 1 : end);
    this.#kept = this.#kept.subarray(end + 1);
    this.#answered(line);
    return true;
  }

  #answered(line: string): void {
    const answered = this.#handshake.line(line);
    switch (answered.kind) {
      case "wait":
        return;
      case "send":
        this.send(...answered.commands);
        return;
      case "full":
        this.#beginCopy(answered.id, answered.offset);
        return;
      case "continue":
        this.#await(this.#options.events.goOn(answered.id), () => this.#begin());
        return;
      case "later":
        this.#end(answered.reason, true);
        return;
      case "failed":
        this.#end(answered.reason);
    }
  }

  /** Bytes wait until it has settled. */
  #await<Result>(work: Promise<Result>, then: (result: Result) => void): void {
    this.#isBusy = true;
    const go = (next: () => void) => {
      this.#isBusy = false;
      if (this.#isOver) return;
      next();
      if (!this.#isBusy) this.#goOn();
    };
    work.then(
      (result) => go(() => then(result)),
      (error) => go(() => this.#end(asKvdbError(error).message)),
    );
  }

  // ---- the copy ----

  #beginCopy(id: string, offset: number): void {
    this.state = "sync";
    this.copy = new CopyReader((bytes) => this.#target?.append(bytes));
    this.#await(this.#options.events.beginCopy(id, offset), (target) => {
      this.#target = target;
    });
  }

  /** False: the disk is slower than the network, or it is over. */
  #copyMore(): boolean {
    const copy = this.copy as CopyReader;
    if (this.#target?.isFull === true) return false;
    const hadBegun = copy.hasBegun;
    const line = hadBegun ? this.#kept : this.#firstLine();
    this.#kept = this.#kept.subarray(copy.push(line));
    if (copy.problem !== "") {
      this.#end(copy.problem);
      return false;
    }
    if (!hadBegun && copy.hasBegun && copy.totalBytes > 0) {
      this.#await(this.#options.events.copyLength(copy.totalBytes), () => {});
    } else if (copy.isWhole) this.#takeCopy();
    return true;
  }

  /** Alone, because what it announces is looked at before anything of the copy is taken. */
  #firstLine(): Buffer {
    const end = this.#kept.indexOf(LF);
    return end < 0 ? this.#kept : this.#kept.subarray(0, end + 1);
  }

  #takeCopy(): void {
    this.#isLoading = true;
    this.#await(
      this.#options.events.takeCopy().finally(() => {
        this.#isLoading = false;
        this.#alive();
      }),
      () => {
        this.copy = null;
        this.#target = null;
        this.#begin();
      },
    );
  }

  // ---- the stream ----

  #begin(): void {
    this.state = "connected";
    this.#options.events.connected();
  }

  #stream(): boolean {
    const chunk = this.#kept;
    this.#kept = NO_BYTES;
    return this.#options.events.stream(chunk);
  }

  // ---- time ----

  #tickLater(): void {
    this.#tick = this.#options.clock.after(TICK_MS, () => this.#look());
  }

  #look(): void {
    const { clock, timeoutMs } = this.#options;
    // It waits for us meanwhile, and must not take us for gone.
    if (this.#isLoading) this.#socket?.write(SIGN_OF_LIFE);
    // While nothing is read nothing can come.
    const waitsForUs = this.#isBusy || this.#isPaused;
    if (waitsForUs) this.#alive();
    else if (clock.monotonicMs() - this.#aliveMs > timeoutMs()) {
      this.#end(`nothing came for ${Math.round(timeoutMs() / 1000)} seconds (${this.#awaited()})`);
    }
    if (!this.#isOver) this.#tickLater();
  }

  #awaited(): string {
    if (this.state === "connecting") return "to connect";
    if (this.state === "handshake") return `an answer to ${this.#handshake.awaited}`;
    return this.state === "sync" ? "the copy" : "the stream";
  }

  #end(reason: string, isLater = false): void {
    if (this.#isOver) return;
    this.close();
    const { events, address } = this.#options;
    events.ended(`${primaryText(address)}: ${reason}`, isLater);
  }
}

function encode(parts: readonly Part[]): Buffer {
  const pieces: Uint8Array[] = [Buffer.from(`*${parts.length}\r\n`)];
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(pieces);
}
