/**
 * A raw client that receives at any time: what comes is kept until it is asked for. Where a server has nothing more to send, it
 * has answered a PING with a word used once, which every state of a client allows.
 */
import type { Socket } from "bun";
import { fromBytes, toBytes } from "./byte-text.ts";
import { OutgoingBytes } from "./outgoing-bytes.ts";
import { encodeArray } from "./step.ts";

/** Answers come within microseconds; more than a loaded machine takes is a hung server. */
const TIMEOUT_MS = 10_000;

export class ListeningClient {
  readonly #outgoing = new OutgoingBytes();
  #socket: Socket<undefined> | null = null;
  #received = "";
  #onReceived: () => void = () => {};
  isClosed = false;

  static async open(port: number): Promise<ListeningClient> {
    const client = new ListeningClient();
    client.#socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => client.#receive(fromBytes(chunk)),
        drain: (socket) => client.#outgoing.flush(socket),
        close: () => client.#close(),
      },
    });
    return client;
  }

  send(...words: readonly string[]): void {
    this.#outgoing.send(this.#socket as Socket<undefined>, toBytes(encodeArray([...words])));
  }

  /** Byte text of all that came before the answer to a PING; the answer is taken away. */
  async untilPing(mark: string): Promise<string> {
    this.send("PING", mark);
    const bulk = `$${mark.length}\r\n${mark}\r\n`;
    const deadline = setTimeout(() => this.#onReceived(), TIMEOUT_MS);
    while (!this.#received.includes(bulk)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onReceived = resolve;
      const before = this.#received.length;
      await promise;
      if (this.#received.length === before) throw new Error(`no answer to PING ${mark}`);
    }
    clearTimeout(deadline);
    // What comes behind it stays for the next time.
    const end = this.#received.indexOf(bulk);
    const text = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + bulk.length);
    const pong = "*2\r\n$4\r\npong\r\n";
    return text.endsWith(pong) ? text.slice(0, -pong.length) : text;
  }

  close(): void {
    this.#socket?.end();
  }

  #receive(text: string): void {
    this.#received += text;
    this.#onReceived();
  }

  #close(): void {
    this.isClosed = true;
    this.#onReceived();
  }
}
