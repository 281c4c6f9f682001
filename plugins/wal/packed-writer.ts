/**
 * Packs a sealed segment: writes its bytes once more, compressed, into a file beside it. Only what
 * was found intact is packed: a segment in which a group cannot be read stays as it is, for a start
 * to judge. Compression runs on another thread. Durable, its name included, when it resolves; when it
 * rejects no file is left.
 */
import { join } from "node:path";
import { type Files, KvdbError, type OpenFile, type Revision } from "kvdb";
import { plainSource, randomSalt } from "kvdb/persistence";
import { KIND_END, KIND_SEGMENT, MAX_CONTENT_BYTES } from "./block.ts";
import { BlockWriter, payloadOf } from "./block-writer.ts";
import type { PackedEntry, SegmentEntry } from "./manifest.ts";
import { encodePackedHeader, packedName } from "./packed-segment.ts";
import { SEGMENT_HEADER_BYTES, segmentName } from "./segment.ts";
import { SegmentReader } from "./segment-reader.ts";

export interface Packing {
  readonly files: Files;
  readonly folder: string;
  /** Of a sealed segment that is not packed. */
  readonly entry: SegmentEntry;
  /** Of zstd. */
  readonly level: number;
  /** Throws when it is not wanted any more. */
  proceed(): void;
}

export async function packSegment(packing: Packing): Promise<PackedEntry> {
  const { files, folder, entry } = packing;
  const path = join(folder, packedName(entry.number));
  const plain = await files.open(join(folder, segmentName(entry.number)), "read");
  try {
    const packed = await writeFile(packing, plain, path);
    await files.syncFolder(folder);
    return packed;
  } catch (error) {
    await Promise.allSettled([files.remove(path)]); // the next start removes what stays
    throw error;
  } finally {
    await plain.close();
  }
}

async function writeFile(packing: Packing, plain: OpenFile, path: string): Promise<PackedEntry> {
  const file = await packing.files.open(path, "replace");
  try {
    const writer = new PackedWriter(packing, plain, file);
    await writer.run();
    await file.sync();
    return writer.entry;
  } finally {
    await file.close();
  }
}

class PackedWriter {
  readonly #packing: Packing;
  readonly #plain: OpenFile;
  readonly #salt = randomSalt();
  readonly #length: number;
  readonly #blocks: BlockWriter;
  /** The block in hand: [start, end) of the segment, and the revisions of its groups, if any. */
  #start = 0;
  #end = SEGMENT_HEADER_BYTES;
  #from: Revision | undefined;
  #to: Revision = 0;

  constructor(packing: Packing, plain: OpenFile, file: OpenFile) {
    this.#packing = packing;
    this.#plain = plain;
    const { number, salt, firstRevision, bytes = 0 } = packing.entry;
    this.#length = bytes;
    const identity = { number, salt, firstRevision, bytes, packedSalt: this.#salt };
    this.#blocks = new BlockWriter(file, this.#salt, encodePackedHeader(identity));
  }

  get entry(): PackedEntry {
    return { salt: this.#salt, bytes: this.#blocks.size };
  }

  async run(): Promise<void> {
    const { salt, firstRevision } = this.#packing.entry;
    const reader = new SegmentReader(plainSource(this.#plain), this.#length, salt);
    if ((await reader.header()) === undefined) throw this.#unreadable(0);
    for (let offset = SEGMENT_HEADER_BYTES; offset < this.#length; offset = this.#end) {
      const group = await reader.groupAt(offset);
      if (group === undefined) throw this.#unreadable(offset);
      const isFull = group.end - this.#start > MAX_CONTENT_BYTES;
      if (isFull && this.#from !== undefined) await this.#endBlock();
      // A closing group has no record: the last one is before it.
      this.#to = group.firstRevision + group.count - 1;
      this.#from ??= Math.min(group.firstRevision, this.#to);
      this.#end = group.end;
      // What is longer than a block has blocks of its own, all with its revisions.
      while (this.#end - this.#start > MAX_CONTENT_BYTES) {
        await this.#add(this.#start + MAX_CONTENT_BYTES);
      }
    }
    await this.#endBlock();
    const empty = { contentLength: 0, ...payloadOf(Buffer.alloc(0), undefined) };
    this.#blocks.add({ kind: KIND_END, from: firstRevision, to: this.#to, ...empty });
    await this.#blocks.flush();
  }

  async #endBlock(): Promise<void> {
    await this.#add(this.#end);
    this.#from = undefined;
  }

  /** A block with the segment's bytes from where the last one ended up to `end`. */
  async #add(end: number): Promise<void> {
    this.#packing.proceed();
    const length = end - this.#start;
    const content = Buffer.allocUnsafeSlow(length);
    const count = await this.#plain.read(content, 0, length, this.#start);
    if (count < length) throw this.#unreadable(this.#start + count);
    const compressed = await Bun.zstdCompress(content, { level: this.#packing.level });
    const range = { from: this.#from ?? this.#to, to: this.#to };
    const payload = payloadOf(content, compressed);
    this.#blocks.add({ kind: KIND_SEGMENT, ...range, contentLength: length, ...payload });
    this.#start = end;
    if (this.#blocks.isFull) await this.#blocks.flush();
  }

  #unreadable(offset: number): KvdbError {
    return new KvdbError("DAMAGE", `${this.#plain.path}: cannot be read at offset ${offset}`);
  }
}
