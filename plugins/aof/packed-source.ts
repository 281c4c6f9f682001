/**
 * The bytes of an increment out of its compressed file (packed-frame.ts). What cannot be read is
 * zeros, in which no group is found: what that means, increment-recovery.ts says.
 */
import type { OpenFile } from "kvdb";
import type { LogSource, Stretch } from "kvdb/persistence";
import { decodeFront, FRONT_BYTES, FRONT_MAGIC, type FrameFront } from "./packed-frame.ts";

const SEARCH_BYTES = 1 << 20;

export class PackedSource implements LogSource {
  readonly file: OpenFile;
  readonly #fronts: readonly FrameFront[];
  readonly #size: number;
  /** The frame that was read last. */
  #content: Uint8Array = new Uint8Array(0);
  #contentFront: FrameFront | undefined;

  private constructor(file: OpenFile, fronts: readonly FrameFront[], size: number) {
    this.file = file;
    this.#fronts = fronts;
    this.#size = size;
  }

  /** Finds its frames; content is not read yet. */
  static async open(file: OpenFile): Promise<PackedSource> {
    const size = await file.size();
    const fronts: FrameFront[] = [];
    for (let offset = 0; offset < size; ) {
      const front = (await frontAt(file, offset)) ?? (await nextFront(file, offset + 1, size));
      if (front === undefined) break;
      const salt = fronts[0]?.salt ?? front.salt;
      if (front.salt === salt) fronts.push(front);
      offset = front.offset + FRONT_BYTES + front.frameBytes;
    }
    return new PackedSource(file, fronts, size);
  }

  /** Of the increment, as far as its file tells. */
  get length(): number {
    const last = this.#fronts.at(-1);
    return last === undefined ? 0 : last.contentOffset + last.contentBytes;
  }

  async read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
    const count = Math.max(0, Math.min(length, this.length - position));
    target.fill(0, offset, offset + count);
    for (const front of this.#fronts) {
      const { contentOffset, contentBytes } = front;
      const start = Math.max(position, contentOffset);
      const end = Math.min(position + count, contentOffset + contentBytes);
      if (start >= end) continue;
      const content = await this.#contentOf(front);
      target.set(
        content.subarray(start - contentOffset, end - contentOffset),
        offset + start - position,
      );
    }
    return count;
  }

  locate([start, end]: Stretch): Stretch {
    const first = this.#fronts.findLast(({ contentOffset }) => contentOffset <= start);
    const behind = this.#fronts.find(({ contentOffset }) => contentOffset >= end);
    return [first?.offset ?? 0, behind?.offset ?? this.#size];
  }

  close(): Promise<void> {
    return this.file.close();
  }

  async #contentOf(front: FrameFront): Promise<Uint8Array> {
    if (this.#contentFront !== front) {
      this.#content = await this.#decompress(front);
      this.#contentFront = front;
    }
    return this.#content;
  }

  /** Zeros when the frame is not what its front says. */
  async #decompress({
    offset,
    frameBytes,
    frameCrc,
    contentBytes,
  }: FrameFront): Promise<Uint8Array> {
    const frame = Buffer.allocUnsafeSlow(frameBytes);
    const count = await this.file.read(frame, 0, frameBytes, offset + FRONT_BYTES);
    if (count < frameBytes || Bun.hash.crc32(frame) !== frameCrc) {
      return new Uint8Array(contentBytes);
    }
    const content = await Bun.zstdDecompress(frame);
    return content.length === contentBytes ? content : new Uint8Array(contentBytes);
  }
}

async function frontAt(file: OpenFile, offset: number): Promise<FrameFront | undefined> {
  const bytes = Buffer.alloc(FRONT_BYTES);
  const count = await file.read(bytes, 0, FRONT_BYTES, offset);
  return count < FRONT_BYTES ? undefined : decodeFront(bytes, 0, offset);
}

/** The first one at or behind `from`. */
async function nextFront(
  file: OpenFile,
  from: number,
  size: number,
): Promise<FrameFront | undefined> {
  const bytes = Buffer.alloc(SEARCH_BYTES);
  for (let offset = from; offset < size; offset += SEARCH_BYTES - FRONT_BYTES) {
    const count = await file.read(bytes, 0, SEARCH_BYTES, offset);
    const read = bytes.subarray(0, count);
    for (let at = read.indexOf(FRONT_MAGIC); at >= 0; at = read.indexOf(FRONT_MAGIC, at + 1)) {
      const front = decodeFront(read, at, offset + at);
      if (front !== undefined) return front;
    }
  }
  return undefined;
}
