/**
 * The network between a replica and its primary, as a proxy on the loopback that a test can spoil: connections end, also in
 * the middle of a command, nothing passes any more though both ends believe in it, bytes come one by one.
 *
 * It reads along what the primary answers to PSYNC and counts it: those numbers survive the primary's end, INFO's do not.
 *
 * Invariant: bytes pass in order, or the connection ends; none is dropped, doubled or changed. What one end does not take the
 * other one may not send, but for what a socket buffers: a slow replica is slow for its primary.
 */
import { createServer, connect as dial, type Server, type Socket } from "node:net";

/**
 * - open: all passes
 * - closed: connections end as soon as they begin
 * - silent: connections begin, and stay, but nothing passes: a cable that was pulled
 */
export type Passage = "open" | "closed" | "silent";

/** How often the primary let a replica go on, and how often it began with a copy of everything. */
export interface Copies {
  readonly full: number;
  readonly partial: number;
}

interface Pair {
  readonly replica: Socket;
  readonly primary: Socket;
  /** The beginning of what the primary said, until it has answered PSYNC. */
  words: string | null;
}

/** An answer to PSYNC comes after a handful of short ones. */
const LONGEST_HANDSHAKE = 4096;

export class FrailLink implements AsyncDisposable {
  readonly port: number;
  /** Where the primary listens. */
  readonly target: number;
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  #passage: Passage = "open";
  /** Bytes that are written to the replica at once. */
  #pieceBytes = Number.POSITIVE_INFINITY;
  /** Errors that the primary answered before it let the replica in. */
  readonly refusals: string[] = [];
  #full = 0;
  #partial = 0;
  #bytes = 0;
  #fuse: { left: number; burnt(): void } | null = null;

  private constructor(listener: Server, target: number) {
    this.#listener = listener;
    this.port = (listener.address() as { port: number }).port;
    this.target = target;
  }

  static async open(target: number): Promise<FrailLink> {
    const listener = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const link = new FrailLink(listener, target);
    listener.on("connection", (socket) => link.#join(socket));
    return link;
  }

  get copies(): Copies {
    return { full: this.#full, partial: this.#partial };
  }

  /** What has come from the primary so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get connectionCount(): number {
    return this.#pairs.size;
  }

  /** For connections to come as well, until it is set again. */
  set passage(passage: Passage) {
    this.#passage = passage;
    if (passage === "closed") this.cut();
    for (const pair of this.#pairs) passage === "silent" ? this.#hush(pair) : this.#resume(pair);
  }

  /** Infinity: as they come. */
  set pieceBytes(count: number) {
    this.#pieceBytes = count;
  }

  /** Ends all connections, now. */
  cut(): void {
    for (const pair of [...this.#pairs]) this.#part(pair);
  }

  /** Ends all connections when so many more bytes have passed to the replica, not one more; resolves then. */
  cutAfter(bytes: number): Promise<void> {
    return new Promise((burnt) => {
      this.#fuse = { left: bytes, burnt };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#passage = "closed";
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #join(replica: Socket): void {
    if (this.#passage === "closed") {
      replica.destroy();
      return;
    }
    const primary = dial({ port: this.target, host: "127.0.0.1" });
    const pair: Pair = { replica, primary, words: "" };
    this.#pairs.add(pair);
    for (const socket of [replica, primary]) {
      socket.setNoDelay(true);
      // A connection that could not be made, or was reset, is closed after this.
      socket.on("error", () => this.#part(pair));
      socket.on("close", () => this.#part(pair));
    }
    replica.on("data", (chunk: Buffer) => pass(replica, primary, chunk));
    primary.on("data", (chunk: Buffer) => this.#deliver(pair, chunk));
    if (this.#passage === "silent") this.#hush(pair);
    else this.#resume(pair);
  }

  #part(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.replica.destroy();
    pair.primary.destroy();
  }

  #hush(pair: Pair): void {
    pair.replica.pause();
    pair.primary.pause();
  }

  #resume(pair: Pair): void {
    pair.replica.resume();
    pair.primary.resume();
  }

  #deliver(pair: Pair, chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#listen(pair, chunk);
    const fuse = this.#fuse;
    if (fuse !== null && chunk.length >= fuse.left) {
      this.#fuse = null;
      // end, not destroy: the last bytes arrive, and then nothing.
      pair.replica.end(chunk.subarray(0, fuse.left));
      pair.primary.destroy();
      this.#pairs.delete(pair);
      this.cut();
      fuse.burnt();
      return;
    }
    if (fuse !== null) fuse.left -= chunk.length;
    if (chunk.length <= this.#pieceBytes) pass(pair.primary, pair.replica, chunk);
    else void this.#crumble(pair, chunk);
  }

  /** One piece a turn of the loop, so that each is a packet of its own. */
  async #crumble({ primary, replica }: Pair, chunk: Buffer): Promise<void> {
    primary.pause();
    for (let at = 0; at < chunk.length; ) {
      if (replica.destroyed) return;
      const piece = chunk.subarray(at, at + this.#pieceBytes);
      at += piece.length;
      if (!replica.write(piece)) await new Promise((resolve) => replica.once("drain", resolve));
      else await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.#passage === "open") primary.resume();
  }

  #listen(pair: Pair, chunk: Buffer): void {
    if (pair.words === null) return;
    pair.words += chunk.toString("latin1", 0, LONGEST_HANDSHAKE);
    for (const [line] of chunk.toString("latin1", 0, LONGEST_HANDSHAKE).matchAll(/^-.*/gm)) {
      this.refusals.push(line);
    }
    const answer = /^\+(FULLRESYNC|CONTINUE)[ \r]/m.exec(pair.words)?.[1];
    if (answer === "FULLRESYNC") this.#full++;
    if (answer === "CONTINUE") this.#partial++;
    if (answer !== undefined || pair.words.length > LONGEST_HANDSHAKE) pair.words = null;
  }
}

/** Reading rests until what was written has left. */
function pass(from: Socket, to: Socket, chunk: Uint8Array): void {
  if (to.write(chunk)) return;
  from.pause();
  to.once("drain", () => from.resume());
}
