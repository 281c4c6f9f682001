/**
 * Bytes on their way into a socket. Bun's `write` takes what fits now and buffers nothing; this
 * keeps the rest until the socket drains.
 */

import type { Socket } from "bun";

export class OutgoingBytes {
  #rest: Uint8Array = new Uint8Array(0);

  send<T>(socket: Socket<T>, bytes: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.flush(socket);
  }

  /** To be called from the socket's `drain`. */
  flush<T>(socket: Socket<T>): void {
    if (this.#rest.length === 0) return;
    const taken = socket.write(this.#rest);
    // A closed socket answers -1; its `close` handler tells the owner, the bytes are of no use.
    this.#rest = taken < 0 ? new Uint8Array(0) : this.#rest.subarray(taken);
  }
}
