/**
 * Input of one connection that waits: for the rest of a command, for its turn, or behind a command that answers later. The
 * first bytes of a buffer that grows by half, so that what comes in pieces is copied seldom. Not what runs it.
 */
import { type Decoder, INCOMPLETE } from "kvdb/resp";

/** Input that makes no whole command yet: Redis's client-query-buffer-limit. Spans are 31-bit offsets into it. */
const MAX_BYTES = 1024 * 1024 * 1024;
const NO_INPUT = Buffer.alloc(0);

export class KeptInput {
  #buffer: Buffer = NO_INPUT;
  bytes = 0;
  /** Of a command that is not whole yet: what the decoder said of where another look begins, and when it pays. */
  #needed = 0;
  #resumeAt = 0;
  #resumeCount = 0;

  /** False: it would be longer than any command may be. */
  append(chunk: Buffer): boolean {
    const bytes = this.bytes + chunk.length;
    if (bytes > MAX_BYTES) return false;
    if (bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.ceil(bytes * 1.5));
      this.#buffer.copy(larger, 0, 0, this.bytes);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.bytes);
    this.bytes = bytes;
    return true;
  }

  /** input[at, limit), ours to keep; a small rest is copied, so that it does not hold a large one in memory. */
  keep(input: Buffer, at: number, limit: number): void {
    const rest = at === 0 ? input : input.subarray(at, limit);
    this.#buffer = limit - at < rest.buffer.byteLength / 2 ? Buffer.from(rest) : rest;
    this.bytes = limit - at;
  }

  /** The buffer whose first `bytes` it is. Nothing is left. */
  take(): Buffer {
    const buffer = this.#buffer;
    this.#buffer = NO_INPUT;
    this.bytes = 0;
    return buffer;
  }

  /** Whether it holds more than the command that was incomplete, as far as it came, or can be refused. */
  isWorthALook(decoder: Decoder, isRestricted: boolean): boolean {
    if (this.bytes === 0 || this.bytes < this.#needed) return false;
    if (this.#resumeAt === 0) return true;
    decoder.restricted = isRestricted;
    decoder.resumeAt = this.#resumeAt;
    decoder.resumeCount = this.#resumeCount;
    if (decoder.skim(this.#buffer, 0, this.bytes) !== INCOMPLETE) return true;
    this.noteProgress(decoder);
    return false;
  }

  /** The decoder has found the command that begins here incomplete. */
  noteProgress(decoder: Decoder): void {
    this.#needed = decoder.needed;
    this.#resumeAt = decoder.resumeAt;
    this.#resumeCount = decoder.resumeCount;
  }

  /** The next look begins at the front. */
  forgetProgress(): void {
    this.#needed = 0;
    this.#resumeAt = 0;
  }
}
