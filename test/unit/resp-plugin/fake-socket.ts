/**
 * A socket as Bun's behaves towards its owner, whose other side is the test: it takes as many bytes as the test allows,
 * nothing once it is closed, and `end` and `terminate` close it at once, with the call of `close` before they return.
 */
export interface SocketHandlers {
  open(socket: unknown): void;
  data(socket: unknown, chunk: Buffer): void;
  drain(socket: unknown): void;
  end(socket: unknown): void;
  close(socket: unknown): void;
}

export class FakeSocket {
  data: unknown = null;
  readonly remoteAddress: string;
  readonly remotePort = 50_000;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 6379;
  /** How many of the bytes that are offered the socket takes now. */
  takes: (offered: number) => number = (offered) => offered;
  paused = false;
  /** It was reset, but nobody was told: what is paused learns it from a write that fails. */
  isDead = false;
  /** How it was closed, by this side. */
  closed: "no" | "end" | "terminate" = "no";
  /** Writes that it took nothing or not all of: a `drain` is due. */
  wantsDrain = false;
  #received: Buffer[] = [];
  readonly #handlers: SocketHandlers;

  constructor(handlers: SocketHandlers, remoteAddress: string) {
    this.remoteAddress = remoteAddress;
    this.#handlers = handlers;
    handlers.open(this);
  }

  // ---- what the test does ----

  /** What the client has received since the last call, as byte text. */
  read(): string {
    const text = Buffer.concat(this.#received).toString("latin1");
    this.#received = [];
    return text;
  }

  /** The client's bytes arrive. A paused socket reads nothing: the caller asks first. */
  deliver(chunk: Uint8Array): void {
    if (this.paused) throw new Error("bytes arrive at a paused socket");
    if (this.closed === "no") this.#handlers.data(this, Buffer.from(chunk));
  }

  /** The client has said all it had to say. */
  deliverEnd(): void {
    if (this.paused) throw new Error("an end arrives at a paused socket");
    if (this.closed === "no") this.#handlers.end(this);
  }

  /** There is room again, as far as `takes` allows. */
  drain(): void {
    if (!this.wantsDrain || this.closed !== "no") return;
    this.wantsDrain = false;
    this.#handlers.drain(this);
  }

  /** The client is gone. */
  break(): void {
    this.#close("terminate");
  }

  // ---- what the server calls ----

  write(data: Uint8Array, offset: number, length: number): number {
    if (this.closed !== "no" || this.isDead) return -1;
    const taken = Math.min(length, this.takes(length));
    this.#received.push(Buffer.from(data.subarray(offset, offset + taken)));
    if (taken < length) this.wantsDrain = true;
    return taken;
  }
  end(): void {
    this.#close("end");
  }
  terminate(): void {
    this.#close("terminate");
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  setNoDelay(): boolean {
    return true;
  }
  setKeepAlive(): boolean {
    return true;
  }

  #close(how: "end" | "terminate"): void {
    if (this.closed !== "no") return;
    this.closed = how;
    this.#handlers.close(this);
  }
}
