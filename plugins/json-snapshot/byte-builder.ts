/**
 * Bytes that grow as they are read: a key, a value. Used again for the next one; the memory of a
 * giant is given back.
 */
const INITIAL_BYTES = 1024;
/** A buffer of up to so many bytes is kept for the next value. */
const KEPT_BYTES = 1 << 20;
/** Below it a loop beats the call of `copy`. */
const SHORT_RUN = 28;

/** More was added than may be. */
export class TooLong extends Error {
  constructor(limit: number) {
    super(`at most ${limit} bytes`);
    this.name = "TooLong";
  }
}

export class ByteBuilder {
  bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  length = 0;
  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  push(byte: number): void {
    if (this.length === this.bytes.length) this.#grow(1);
    this.bytes[this.length++] = byte;
  }

  append(source: Buffer, start: number, end: number): void {
    const count = end - start;
    if (this.length + count > this.bytes.length) this.#grow(count);
    const { bytes, length } = this;
    if (count > SHORT_RUN) source.copy(bytes, length, start, end);
    else for (let i = 0; i < count; i++) bytes[length + i] = source[start + i];
    this.length = length + count;
  }

  /** Makes room for so many bytes more, which whoever asks writes and counts. Answers the length. */
  reserve(count: number): number {
    if (this.length + count > this.bytes.length) this.#grow(count);
    return this.length;
  }

  #grow(count: number): void {
    const needed = this.length + count;
    if (needed > this.limit) throw new TooLong(this.limit);
    const size = Math.min(Math.max(needed, this.bytes.length * 2), this.limit);
    const larger = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  toString(): string {
    return this.bytes.toString("utf8", 0, this.length);
  }
}
