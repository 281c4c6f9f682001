/** Many connections at once that say the same, and may never finish it: what attackers and broken clients do. */
import type { Socket } from "bun";

const OPENED_AT_ONCE = 200;

export class Crowd implements Disposable {
  readonly #sockets: Socket[] = [];
  #closed = 0;
  #heardBytes = 0;
  #firstWords = "";

  /** Resolves when all of them are connected. */
  static async open(port: number, count: number): Promise<Crowd> {
    const crowd = new Crowd();
    for (let done = 0; done < count; done += OPENED_AT_ONCE) {
      const size = Math.min(OPENED_AT_ONCE, count - done);
      await Promise.all(Array.from({ length: size }, () => crowd.#connect(port)));
    }
    return crowd;
  }

  async #connect(port: number): Promise<void> {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, bytes) => this.#hear(bytes),
        close: () => {
          this.#closed++;
        },
        // Whoever sends to a connection that the server has ended hears of it here, and by `close`.
        error: () => {},
      },
    });
    this.#sockets.push(socket);
  }

  #hear(bytes: Buffer): void {
    this.#heardBytes += bytes.length;
    if (this.#firstWords === "") this.#firstWords = bytes.toString("latin1");
  }

  /** Each of them sends the bytes, as far as the system takes them. */
  say(bytes: string | Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  /** How many the server has sent home. */
  get closedCount(): number {
    return this.#closed;
  }

  /** Bytes that the server has sent to all of them together. */
  get heardBytes(): number {
    return this.#heardBytes;
  }

  /** What the server has said first, to any of them. */
  get firstWords(): string {
    return this.#firstWords;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.terminate();
  }
}
