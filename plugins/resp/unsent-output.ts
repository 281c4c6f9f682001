/**
 * Output of one connection that its socket did not take: copies, in blocks, so that many small messages for a slow client
 * cost little more than their bytes.
 */

/** A block for what is small; what is larger gets one of its own size. */
const BLOCK_BYTES = 16 * 1024;

/** In the place of a block that has left. */
const SENT: Block = { buffer: Buffer.alloc(0), start: 0, end: 0 };

interface Block {
  readonly buffer: Buffer;
  /** What is in buffer[start, end) waits. */
  start: number;
  end: number;
}

export class UnsentOutput {
  #blocks: Block[] = [];
  /** While they leave: those before it have left. */
  #first = 0;
  bytes = 0;

  /** Memory that they hold besides what waits is bounded by this: so many blocks. */
  get blockCount(): number {
    return this.#blocks.length - this.#first;
  }

  /** Copies buffer[start, end). */
  add(buffer: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    let at = start;
    const last = this.#blocks.at(-1);
    if (last !== undefined) {
      const size = Math.min(end - at, last.buffer.length - last.end);
      buffer.copy(last.buffer, last.end, at, at + size);
      last.end += size;
      at += size;
    }
    if (at === end) return;
    const block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, end - at));
    buffer.copy(block, 0, at, end);
    this.#blocks.push({ buffer: block, start: 0, end: end - at });
  }

  /** Offers it, in order, until `take` takes less than it is offered; below zero: the socket is dead. */
  offer(take: (buffer: Buffer, start: number, size: number) => number): void {
    while (this.#first < this.#blocks.length) {
      const block = this.#blocks[this.#first];
      const size = block.end - block.start;
      const taken = take(block.buffer, block.start, size);
      if (taken < 0) return;
      this.bytes -= taken;
      block.start += taken;
      if (taken < size) break;
      this.#blocks[this.#first++] = SENT;
    }
    this.#forgetSent();
  }

  /** Not at each offer: taking the first of many away is dear. */
  #forgetSent(): void {
    if (this.bytes === 0) this.#blocks = [];
    else if (this.#first > this.#blocks.length >> 1) this.#blocks.splice(0, this.#first);
    else return;
    this.#first = 0;
  }

  drop(): void {
    this.#blocks = [];
    this.#first = 0;
    this.bytes = 0;
  }
}
