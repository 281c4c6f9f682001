/**
 * A raw RESP client: sends bytes, gives each reply back as the bytes that came. It interprets
 * nothing, so that what is compared is what a client would see.
 *
 * How many replies a pipeline has is not always known (CLIENT REPLY OFF, a wrong server), so each
 * exchange ends with an ECHO of a word used once, and lasts until that word comes back.
 *
 * Invariant: once an exchange ended other than "open", every later one ends the same at once.
 */

import type { Socket } from "bun";
import { toBytes } from "./byte-text.ts";
import { OutgoingBytes } from "./outgoing-bytes.ts";
import { MalformedReply, readReply } from "./resp-reply.ts";
import { encodeArray } from "./step.ts";

/** How the connection stands after an exchange. */
export type Ending = "open" | "closed" | "silent" | "malformed" | "unreachable";

export type Exchange = { readonly replies: readonly Uint8Array[]; readonly ending: Ending };

type Waiting = {
  readonly lastReply: Uint8Array;
  readonly replies: Uint8Array[];
  readonly finish: () => void;
};

/** Replies come within microseconds; five seconds is a loaded machine, more a hung server. */
const REPLY_TIMEOUT_MS = 5_000;

export class RespClient {
  #ending: Ending = "open";
  #received: Uint8Array = new Uint8Array(0);
  #waiting: Waiting | null = null;
  #socket: Socket<undefined> | null = null;
  #exchangeCount = 0;
  readonly #outgoing = new OutgoingBytes();

  /** Connects to 127.0.0.1. A refused connection is an ending ("unreachable"), not an error. */
  static async open(port: number): Promise<RespClient> {
    const client = new RespClient();
    try {
      client.#socket = await client.#connect(port);
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
      client.#ending = "unreachable";
    }
    return client;
  }

  /** Sends all requests at once; resolves with their replies, never rejects. */
  async exchange(requests: readonly Uint8Array[]): Promise<Exchange> {
    const socket = this.#socket;
    if (socket === null || this.#ending !== "open") return { replies: [], ending: this.#ending };
    const mark = `oracle-${++this.#exchangeCount}`;
    const replies: Uint8Array[] = [];
    const finished = new Promise<void>((finish) => {
      this.#waiting = { lastReply: toBytes(`$${mark.length}\r\n${mark}\r\n`), replies, finish };
    });
    const timer = setTimeout(() => this.#end("silent"), REPLY_TIMEOUT_MS);
    this.#outgoing.send(socket, Buffer.concat([...requests, toBytes(encodeArray(["ECHO", mark]))]));
    await finished;
    clearTimeout(timer);
    return { replies, ending: this.#ending };
  }

  close(): void {
    this.#socket?.end();
    this.#end("closed");
  }

  #connect(port: number): Promise<Socket<undefined>> {
    return Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => this.#receive(chunk),
        drain: (socket) => this.#outgoing.flush(socket),
        close: () => this.#end("closed"),
        error: () => this.#end("closed"),
      },
    });
  }

  #receive(chunk: Uint8Array): void {
    const received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    try {
      this.#received = received.subarray(this.#takeReplies(received));
    } catch (cause) {
      if (!(cause instanceof MalformedReply)) throw cause;
      this.#waiting?.replies.push(received);
      this.#end("malformed");
    }
  }

  /** Hands over the whole replies in `received`; answers how many bytes they are. */
  #takeReplies(received: Uint8Array): number {
    let position = 0;
    while (position < received.length && this.#waiting !== null) {
      const reply = readReply(received, position);
      if (reply === null) break;
      const bytes = received.slice(position, reply.end);
      position = reply.end;
      if (Buffer.compare(bytes, this.#waiting.lastReply) === 0) this.#finish();
      else this.#waiting.replies.push(bytes);
    }
    return position;
  }

  #end(ending: Ending): void {
    if (this.#ending === "open") this.#ending = ending;
    if (this.#ending === "silent" || this.#ending === "malformed") this.#socket?.terminate();
    this.#finish();
  }

  #finish(): void {
    this.#waiting?.finish();
    this.#waiting = null;
  }
}
