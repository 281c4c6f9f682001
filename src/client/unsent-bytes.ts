/** What is to leave through a socket that takes as much as it likes: the rest waits, in order, until it takes more. */
export interface TakingSocket {
  /** How many of the bytes it has taken; below 0: it is no more. */
  write(bytes: Buffer, start: number, count: number): number;
}

export class UnsentBytes {
  #waiting: Buffer[] = [];

  /** Sends the bytes behind those that wait; undefined: nothing is open yet. */
  send(socket: TakingSocket | undefined, bytes: Buffer): void {
    this.#waiting.push(bytes);
    if (this.#waiting.length === 1) this.drain(socket);
  }

  /** The socket takes more, or is open now. */
  drain(socket: TakingSocket | undefined): void {
    while (socket !== undefined && this.#waiting.length > 0) {
      const bytes = this.#waiting[0] as Buffer;
      const taken = socket.write(bytes, 0, bytes.length);
      if (taken < bytes.length) {
        this.#waiting[0] = bytes.subarray(Math.max(0, taken));
        return;
      }
      this.#waiting.shift();
    }
  }

  forget(): void {
    this.#waiting = [];
  }
}
