/**
 * Reads the blocks of a file one after the other, ahead of whoever takes them: the next slice is
 * on its way from the disk and several blocks are being decompressed, both on other threads, while
 * the content of one is used. What cannot be read is a gap; what a gap means is the caller's to
 * say.
 */
import type { OpenFile } from "kvdb";
import {
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  type BlockHeader,
  CODEC_PLAIN,
  CODEC_ZSTD,
  decodeBlockHeader,
  MAX_CONTENT_BYTES,
} from "./block.ts";

const SLICE_BYTES = 1 << 20;
/**
 * Blocks in hand, decompressed or on their way: 1 MiB of content. When they are used up the event
 * loop has its turn, for the next ones come through it: some 8 ms of a start.
 */
const BLOCKS_AHEAD = 16;

/**
 * A shorter payload is decompressed at once: 4 to 30 µs, and the way to a thread and back takes as
 * long.
 */
const SHORT_PAYLOAD_BYTES = 1024;

/** Its content is its own: it may be kept. */
export interface ReadBlock extends BlockHeader {
  readonly content: Buffer;
  /** Where it ends in its file. */
  readonly end: number;
}

/** Bytes of the file that are no intact block. */
export interface Gap {
  readonly content: undefined;
  readonly offset: number;
  readonly end: number;
}

/** Part of the file in memory: `bytes` begins at offset `start`. */
interface Slice {
  readonly bytes: Buffer;
  readonly start: number;
}

type Fetched = { readonly slice: Slice } | { readonly error: unknown };

/** What a block may need of the slice before is copied in front of the next one. */
const FRONT_BYTES = BLOCK_HEADER_BYTES + MAX_CONTENT_BYTES;

export class BlockReader {
  readonly file: OpenFile;
  /** Nothing at or behind it counts. */
  readonly limit: number;
  readonly #salt: number;
  readonly #ahead: Promise<ReadBlock | Gap>[] = [];
  #offset: number;
  #slice: Slice;
  /** The slice behind it, on its way. It never rejects: nobody may be waiting for it. */
  #next: Promise<Fetched> | undefined;
  /** Called with the offset reached. */
  onSlice: (offset: number) => void = () => {};

  constructor(file: OpenFile, start: number, limit: number, salt: number) {
    this.file = file;
    this.limit = limit;
    this.#salt = salt;
    this.#offset = start;
    this.#slice = { bytes: Buffer.alloc(0), start };
  }

  /** undefined behind the last one. */
  async next(): Promise<ReadBlock | Gap | undefined> {
    while (this.#ahead.length < BLOCKS_AHEAD && this.#offset < this.limit) await this.#readOne();
    return this.#ahead.shift();
  }

  /** Resolves when nothing reads from the file any more: it may be closed. */
  async settled(): Promise<void> {
    await this.#next;
  }

  /** Waits for the disk, not for the thread that decompresses. */
  async #readOne(): Promise<void> {
    const offset = this.#offset;
    const header = await this.#intactAt(offset);
    if (header === undefined) {
      const end = await this.#nextIntact(offset + 1);
      this.#ahead.push(Promise.resolve({ content: undefined, offset, end }));
      this.#offset = end;
    } else {
      const end = offset + BLOCK_HEADER_BYTES + header.payloadLength;
      const payload = this.#loaded(offset + BLOCK_HEADER_BYTES, end);
      this.#ahead.push(open(header, payload, end));
      this.#offset = end;
    }
  }

  /** The header of the block at `offset`, whose payload then lies in memory and is intact. */
  async #intactAt(offset: number): Promise<BlockHeader | undefined> {
    await this.#load(offset, offset + BLOCK_HEADER_BYTES);
    const front = this.#loaded(offset, offset + BLOCK_HEADER_BYTES);
    if (front.length < BLOCK_HEADER_BYTES) return undefined;
    const header = decodeBlockHeader(front, 0, { offset, salt: this.#salt });
    if (header === undefined || !isPossible(header)) return undefined;
    const start = offset + BLOCK_HEADER_BYTES;
    const end = start + header.payloadLength;
    if (end > this.limit) return undefined;
    await this.#load(offset, end);
    const payload = this.#loaded(start, end);
    const isWhole = payload.length === header.payloadLength;
    return isWhole && Bun.hash.crc32(payload) === header.payloadCrc ? header : undefined;
  }

  /** Where the first intact block at or behind `from` begins; the limit when there is none. */
  async #nextIntact(from: number): Promise<number> {
    while (from + BLOCK_HEADER_BYTES <= this.limit) {
      await this.#load(from, from + BLOCK_HEADER_BYTES);
      const { bytes, start } = this.#slice;
      const end = start + bytes.length;
      if (end - from < BLOCK_HEADER_BYTES) break;
      const at = bytes.indexOf(BLOCK_MAGIC, from - start);
      if (at < 0) {
        // The magic may begin in this slice and end in the next.
        from = end - BLOCK_MAGIC.length + 1;
        continue;
      }
      from = start + at;
      if ((await this.#intactAt(from)) !== undefined) return from;
      from++;
    }
    return this.limit;
  }

  // ---- slices: offsets only grow ----

  /** The file's bytes [start, end), as far as they lie in memory. */
  #loaded(start: number, end: number): Buffer {
    return this.#slice.bytes.subarray(start - this.#slice.start, end - this.#slice.start);
  }

  /** Brings [start, end) into memory; less only at the limit or the file's end. */
  async #load(start: number, end: number): Promise<void> {
    while (end > this.#slice.start + this.#slice.bytes.length) {
      const sliceEnd = this.#slice.start + this.#slice.bytes.length;
      const fetched = await (this.#next ?? this.#fetch(sliceEnd));
      if ("error" in fetched) throw fetched.error;
      const { bytes } = fetched.slice;
      if (bytes.length === FRONT_BYTES) return;
      const kept = this.#loaded(start, sliceEnd);
      kept.copy(bytes, FRONT_BYTES - kept.length);
      const from = FRONT_BYTES - kept.length;
      this.#slice = { bytes: bytes.subarray(from), start: sliceEnd - kept.length };
      const reached = this.#slice.start + this.#slice.bytes.length;
      this.#next = reached < this.limit ? this.#fetch(reached) : undefined;
      this.onSlice(reached);
    }
  }

  /** The slice that begins at `offset`, with room in front. */
  async #fetch(offset: number): Promise<Fetched> {
    try {
      const length = Math.min(SLICE_BYTES, this.limit - offset);
      const bytes = Buffer.allocUnsafeSlow(FRONT_BYTES + length);
      const count = await this.file.read(bytes, FRONT_BYTES, length, offset);
      return { slice: { bytes: bytes.subarray(0, FRONT_BYTES + count), start: offset } };
    } catch (error) {
      return { error };
    }
  }
}

/** What no writer makes is not read: a length must not decide how much memory is taken. */
function isPossible({ payloadLength, contentLength, codec }: BlockHeader): boolean {
  if (contentLength > MAX_CONTENT_BYTES) return false;
  return codec === CODEC_PLAIN ? payloadLength === contentLength : payloadLength < contentLength;
}

async function open(header: BlockHeader, payload: Buffer, end: number): Promise<ReadBlock | Gap> {
  if (header.codec === CODEC_PLAIN) return { ...header, content: payload, end };
  const gap: Gap = { content: undefined, offset: header.offset, end };
  if (header.codec !== CODEC_ZSTD) return gap;
  try {
    const isShort = payload.length <= SHORT_PAYLOAD_BYTES;
    const content = isShort ? Bun.zstdDecompressSync(payload) : await Bun.zstdDecompress(payload);
    return content.length === header.contentLength ? { ...header, content, end } : gap;
  } catch {
    // Not what was compressed, though its CRC fits: a gap, for the caller to report.
    return gap;
  }
}
