/**
 * A file that grows at its end: text is gathered in a buffer and written a MiB at a time, and its
 * checksum is taken on the way.
 */
import type { OpenFile } from "kvdb";

const BUFFER_BYTES = 1 << 20;

export class TextOutput {
  /** What is not written yet: bytes[0, length). */
  readonly bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  length = 0;
  crc32 = 0;
  #written = 0;
  readonly #file: OpenFile;
  readonly #proceed: () => void;

  /** `proceed` is called after each write, and may throw. */
  constructor(file: OpenFile, proceed: () => void) {
    this.#file = file;
    this.#proceed = proceed;
  }

  get room(): number {
    return this.bytes.length - this.length;
  }

  get totalBytes(): number {
    return this.#written + this.length;
  }

  /** ASCII, for which there must be room. */
  text(text: string): void {
    this.length += this.bytes.write(text, this.length, "latin1");
  }

  /** Resolves when all is written; the buffer is empty then. */
  async flush(): Promise<void> {
    const { bytes, length } = this;
    if (length === 0) return;
    this.crc32 = Bun.hash.crc32(bytes.subarray(0, length), this.crc32);
    await this.#file.write(bytes, 0, length, this.#written);
    this.#written += length;
    this.length = 0;
    this.#proceed();
  }

  async append(source: Buffer, start: number, end: number): Promise<void> {
    for (let at = start; at < end; ) {
      const count = Math.min(this.room, end - at);
      source.copy(this.bytes, this.length, at, at + count);
      this.length += count;
      at += count;
      if (this.room === 0) await this.flush();
    }
  }

  /** Puts bytes in the place of others that were written; the checksum is the one of before. */
  async patch(text: string, position: number): Promise<void> {
    const bytes = Buffer.from(text, "latin1");
    await this.#file.write(bytes, 0, bytes.length, position);
  }
}
