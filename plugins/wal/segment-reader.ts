/**
 * Reads the groups of one segment, a slice of the file at a time, and searches for the next intact
 * group behind a stretch that cannot be read. It judges nothing: what an unreadable stretch means
 * is segment-recovery.ts's to say.
 */
import type { OpenFile } from "kvdb";
import {
  decodeGroupHeader,
  decodePayload,
  GROUP_HEADER_BYTES,
  GROUP_MAGIC,
  type Group,
  type GroupHeader,
} from "./group.ts";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentIdentity } from "./segment.ts";
import type { SegmentSource } from "./segment-source.ts";

/**
 * One read, and so many bytes of records are replayed before the event loop gets its turn: some 10
 * ms.
 */
const SLICE_BYTES = 1 << 20;

/** The group does not lie in memory whole: `fill` first. */
const NOT_IN_MEMORY = Symbol("not in memory");

export class SegmentReader {
  readonly source: SegmentSource;
  /** Nothing at or behind it counts. It may grow with the file. */
  limit: number;
  readonly #salt: number;
  #buffer = Buffer.allocUnsafeSlow(SLICE_BYTES);
  /** The buffer holds the file's bytes [start, end). */
  #start = 0;
  #end = 0;
  /** Called after each slice with the offset reached. */
  onSlice: (offset: number) => void = () => {};

  constructor(source: SegmentSource, limit: number, salt: number) {
    this.source = source;
    this.limit = limit;
    this.#salt = salt;
  }

  /** The file that the bytes are in. */
  get file(): OpenFile {
    return this.source.file;
  }

  async header(): Promise<SegmentIdentity | undefined> {
    await this.#fill(0, SEGMENT_HEADER_BYTES);
    return decodeSegmentHeader(this.#buffer.subarray(0, this.#end), this.file.path);
  }

  /** What was read may have changed in the file. */
  forget(): void {
    this.#end = this.#start;
  }

  /** Its payload may be missing. */
  async headerAt(offset: number): Promise<GroupHeader | undefined> {
    if (offset + GROUP_HEADER_BYTES > this.limit) return undefined;
    await this.#fill(offset, GROUP_HEADER_BYTES);
    if (this.#end - offset < GROUP_HEADER_BYTES) return undefined;
    return decodeGroupHeader(this.#buffer, offset - this.#start, { offset, salt: this.#salt });
  }

  /** The intact group at `offset`, if it lies in memory already; a promise of it otherwise. */
  groupAt(offset: number): Group | undefined | Promise<Group | undefined> {
    const group = this.#decode(offset);
    return group === NOT_IN_MEMORY ? this.#readGroup(offset) : group;
  }

  /** The first intact group at or behind `from`. */
  async nextGroup(from: number): Promise<Group | undefined> {
    while (from + GROUP_HEADER_BYTES <= this.limit) {
      await this.#fill(from, GROUP_HEADER_BYTES);
      if (this.#end - from < GROUP_HEADER_BYTES) return undefined;
      const loaded = this.#buffer.subarray(from - this.#start, this.#end - this.#start);
      const at = loaded.indexOf(GROUP_MAGIC);
      if (at < 0) {
        // The magic may begin in this slice and end in the next.
        from = this.#end - GROUP_MAGIC.length + 1;
        continue;
      }
      const group = await this.groupAt(from + at);
      if (group !== undefined) return group;
      from += at + 1;
    }
    return undefined;
  }

  /** Where the last byte that is not zero ends, from `from` on; `from` when there is none. */
  async lastUsed(from: number): Promise<number> {
    let last = from;
    for (let offset = from; offset < this.limit; offset = this.#end) {
      await this.#fill(offset, 1);
      if (this.#end <= offset) break;
      for (let at = this.#end - 1; at >= offset; at--) {
        if (this.#buffer[at - this.#start] === 0) continue;
        last = at + 1;
        break;
      }
    }
    return last;
  }

  /** Writes the bytes [start, end) once more, in place: of a segment in a file of its own. */
  async rewrite(start: number, end: number): Promise<void> {
    for (let offset = start; offset < end; offset = this.#end) {
      await this.#fill(offset, 1);
      if (this.#end <= offset) break;
      const stop = Math.min(end, this.#end);
      await this.file.write(this.#buffer, offset - this.#start, stop - this.#start, offset);
    }
  }

  async #readGroup(offset: number): Promise<Group | undefined> {
    // A header first, and then, when the payload is longer than a slice, the whole.
    for (let need = GROUP_HEADER_BYTES; ; need = this.#groupLength(offset)) {
      await this.#fill(offset, need);
      if (this.#end - offset < need) return undefined;
      const group = this.#decode(offset);
      if (group !== NOT_IN_MEMORY) return group;
    }
  }

  #decode(offset: number): Group | undefined | typeof NOT_IN_MEMORY {
    if (offset + GROUP_HEADER_BYTES > this.limit) return undefined;
    if (offset < this.#start || offset + GROUP_HEADER_BYTES > this.#end) return NOT_IN_MEMORY;
    const at = offset - this.#start;
    const header = decodeGroupHeader(this.#buffer, at, { offset, salt: this.#salt });
    if (header === undefined) return undefined;
    const end = offset + GROUP_HEADER_BYTES + header.payloadLength;
    if (end > this.limit) return undefined;
    if (end > this.#end) return NOT_IN_MEMORY;
    const batches = decodePayload(this.#buffer, at + GROUP_HEADER_BYTES, header);
    return batches === undefined ? undefined : { ...header, end, batches };
  }

  /** Of a group whose header is in memory and intact. */
  #groupLength(offset: number): number {
    return GROUP_HEADER_BYTES + this.#buffer.readUInt32LE(offset - this.#start + 4);
  }

  /**
   * Brings [offset, offset + need) into memory, and what fits of the rest; less only at the limit
   * or the file's end.
   */
  async #fill(offset: number, need: number): Promise<void> {
    if (offset >= this.#start && offset + need <= this.#end) return;
    if (need > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(need);
    const length = Math.min(this.#buffer.length, Math.max(0, this.limit - offset));
    const count = await this.source.read(this.#buffer, 0, length, offset);
    this.#start = offset;
    this.#end = offset + count;
    this.onSlice(this.#end);
  }
}
