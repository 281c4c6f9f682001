/**
 * Writes blocks (block.ts) to a file, in large writes: blocks gather in a buffer until it is worth
 * one. It neither compresses nor syncs; whoever fills the blocks does, each in its own way.
 */
import type { OpenFile } from "kvdb";
import {
  BLOCK_HEADER_BYTES,
  CODEC_PLAIN,
  CODEC_ZSTD,
  encodeBlockHeader,
  MAX_CONTENT_BYTES,
} from "./block.ts";

/** A write costs some 20 µs besides its bytes: at 1 MiB that vanishes. */
const WRITE_BYTES = 1 << 20;

export interface Block {
  readonly kind: number;
  readonly from: number;
  readonly to: number;
  readonly contentLength: number;
  readonly codec: number;
  readonly payload: Uint8Array;
}

/** The better of content and its compressed form: what does not shrink is stored as it is. */
export function payloadOf(content: Uint8Array, compressed: Uint8Array | undefined) {
  return compressed !== undefined && compressed.length < content.length
    ? { codec: CODEC_ZSTD, payload: compressed }
    : { codec: CODEC_PLAIN, payload: content };
}

export class BlockWriter {
  readonly #file: OpenFile;
  readonly #salt: number;
  readonly #buffer = Buffer.allocUnsafeSlow(WRITE_BYTES + MAX_CONTENT_BYTES + BLOCK_HEADER_BYTES);
  #used = 0;
  /** Where in the file the buffer belongs. */
  #flushed = 0;
  /** Of all blocks so far. */
  contentBytes = 0;

  /** `front`: what stands before the first block. */
  constructor(file: OpenFile, salt: number, front: Uint8Array) {
    this.#file = file;
    this.#salt = salt;
    this.#buffer.set(front, 0);
    this.#used = front.length;
  }

  /** Length of the file when all of it is flushed. */
  get size(): number {
    return this.#flushed + this.#used;
  }

  /** Flush before the next block. */
  get isFull(): boolean {
    return this.#used >= WRITE_BYTES;
  }

  /** Copies the payload. */
  add({ kind, from, to, contentLength, codec, payload }: Block): void {
    const header = {
      payloadLength: payload.length,
      contentLength,
      offset: this.size,
      contentBefore: this.contentBytes,
      from,
      to,
      kind,
      codec,
      payloadCrc: Bun.hash.crc32(payload),
    };
    encodeBlockHeader(this.#buffer, this.#used, header, this.#salt);
    this.#buffer.set(payload, this.#used + BLOCK_HEADER_BYTES);
    this.#used += BLOCK_HEADER_BYTES + payload.length;
    this.contentBytes += contentLength;
  }

  async flush(): Promise<void> {
    await this.#file.write(this.#buffer, 0, this.#used, this.#flushed);
    this.#flushed += this.#used;
    this.#used = 0;
  }
}
