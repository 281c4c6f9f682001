/**
 * The bytes of a segment as it was written out of the blocks of its packed file, which are
 * decompressed as they are read.
 */
import type { OpenFile } from "kvdb";
import type { LogSource, Stretch } from "kvdb/persistence";
import { KIND_END, KIND_SEGMENT } from "./block.ts";
import { BlockReader, type Gap, type ReadBlock } from "./block-reader.ts";
import type { PackedEntry, SegmentEntry } from "./manifest.ts";
import { decodePackedHeader, PACKED_HEADER_BYTES } from "./packed-segment.ts";

/** Contents that are kept for whoever goes back a little: more than a reader's slice. */
const KEPT_PIECES = 32;

/** Part of the segment [from, to), and where it is in the file [start, end). */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  readonly isLost: boolean;
  /** Absent when it is lost, or was dropped to bound the memory. */
  content: Buffer | undefined;
}

export class PackedSource implements LogSource {
  readonly file: OpenFile;
  readonly #entry: SegmentEntry;
  readonly #packed: PackedEntry;
  readonly #blocks: BlockReader;
  /** In order, up to where was read. */
  readonly #pieces: Piece[] = [];
  /** How far they go in the segment. */
  #reached = 0;
  /** What could not be read since the last block that could. */
  #missing: Stretch | undefined;
  readonly #emptyDamage: Stretch[] = [];

  constructor(file: OpenFile, entry: SegmentEntry, packed: PackedEntry) {
    this.file = file;
    this.#entry = entry;
    this.#packed = packed;
    this.#blocks = new BlockReader(file, PACKED_HEADER_BYTES, packed.bytes, packed.salt);
  }

  async read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const at = position + done;
      const piece = await this.#pieceAt(at);
      if (piece === undefined) break;
      const count = Math.min(length - done, piece.to - at);
      const start = offset + done;
      if (piece.isLost) target.fill(0, start, start + count);
      else
        (await this.#contentOf(piece)).copy(
          target,
          start,
          at - piece.from,
          at - piece.from + count,
        );
      done += count;
    }
    return done;
  }

  locate([from, to]: Stretch): Stretch {
    const touched = this.#pieces.filter((piece) => piece.from < to && piece.to > from);
    const first = touched[0];
    const last = touched.at(-1);
    return first === undefined || last === undefined ? [0, 0] : [first.start, last.end];
  }

  /**
   * Once all is read: stretches of the file that cannot be read and hold no byte of the segment
   * (a header, the end).
   */
  async emptyDamage(): Promise<readonly Stretch[]> {
    let hasMore = true;
    while (hasMore) hasMore = await this.#readBlock();
    if (!(await this.#hasHeader())) this.#emptyDamage.unshift([0, PACKED_HEADER_BYTES]);
    const known = this.#packed.damaged ?? [];
    return this.#emptyDamage.filter(
      ([start, end]) => !known.some((stretch) => stretch[0] === start && stretch[1] === end),
    );
  }

  async close(): Promise<void> {
    await this.#blocks.settled();
    await this.file.close();
  }

  async #hasHeader(): Promise<boolean> {
    const bytes = Buffer.alloc(PACKED_HEADER_BYTES);
    const count = await this.file.read(bytes, 0, bytes.length, 0);
    const found = decodePackedHeader(bytes.subarray(0, count), this.file.path);
    const { number, salt, firstRevision, bytes: length } = this.#entry;
    return (
      found?.number === number &&
      found.salt === salt &&
      found.firstRevision === firstRevision &&
      found.bytes === length &&
      found.packedSalt === this.#packed.salt
    );
  }

  async #pieceAt(at: number): Promise<Piece | undefined> {
    while (at >= this.#reached) if (!(await this.#readBlock())) return undefined;
    return this.#pieces.findLast(({ from }) => from <= at);
  }

  /** One that was dropped is read once more. */
  async #contentOf(piece: Piece): Promise<Buffer> {
    if (piece.content !== undefined) return piece.content;
    const { start, end } = piece;
    const block = await new BlockReader(this.file, start, end, this.#packed.salt).next();
    // It was intact a moment ago: now it reads as what is lost.
    return block?.content ?? Buffer.alloc(piece.to - piece.from);
  }

  /** Takes the next block of the file; false behind the last one. */
  async #readBlock(): Promise<boolean> {
    const block = await this.#blocks.next();
    if (block === undefined) {
      if (this.#missing === undefined) return false;
      this.#lose(this.#missing, this.#entry.bytes ?? this.#reached);
      return true;
    }
    if (block.content === undefined) this.#miss(block);
    else this.#take(block);
    return true;
  }

  #take(block: ReadBlock): void {
    const { contentBefore, contentLength, content, offset, end } = block;
    const isExpected = block.kind === KIND_SEGMENT || block.kind === KIND_END;
    const isBehind = this.#missing !== undefined && contentBefore >= this.#reached;
    if (!isExpected || !(isBehind || contentBefore === this.#reached)) {
      this.#miss({ content: undefined, offset, end });
      return;
    }
    if (this.#missing !== undefined) this.#lose(this.#missing, contentBefore);
    if (contentLength === 0) return;
    const to = contentBefore + contentLength;
    this.#pieces.push({ from: contentBefore, to, start: offset, end, isLost: false, content });
    this.#reached = to;
    const dropped = this.#pieces.at(-1 - KEPT_PIECES);
    if (dropped !== undefined) dropped.content = undefined;
  }

  #miss({ offset, end }: Gap): void {
    this.#missing = [this.#missing?.[0] ?? offset, end];
  }

  /** What is missing held the segment's bytes up to `to`; perhaps none. */
  #lose([start, end]: Stretch, to: number): void {
    this.#missing = undefined;
    if (to > this.#reached) {
      this.#pieces.push({ from: this.#reached, to, start, end, isLost: true, content: undefined });
      this.#reached = to;
    } else this.#emptyDamage.push([start, end]);
  }
}
