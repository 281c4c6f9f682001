/**
 * The bytes that one replica is sent, with the means to wait until its connection has taken them: nobody keeps for a slow
 * replica more than is under way.
 */
import type { Client, SendBytes } from "../plugin.ts";

export class ReplicaOutput {
  readonly #client: Client;
  readonly #send: SendBytes;
  #isEnded = false;
  #waiting: (() => void)[] = [];
  sentBytes = 0;

  /** `client` has `beginStream`. */
  constructor(client: Client) {
    this.#client = client;
    this.#send = client.beginStream?.(() => this.#wake()) ?? (() => {});
  }

  /** Bytes that it has not taken yet. */
  get waitingBytes(): number {
    return this.#client.outputBytes();
  }

  /** The bytes must not change until `sent` resolves. */
  send(bytes: Buffer, start: number, end: number): void {
    if (this.#isEnded || start === end) return;
    this.#send(bytes, start, end);
    this.sentBytes += end - start;
  }

  text(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    this.send(bytes, 0, bytes.length);
  }

  /** Resolves when the connection has taken everything, or is gone. */
  async sent(): Promise<void> {
    while (!this.#isEnded && this.waitingBytes > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The connection is gone. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
