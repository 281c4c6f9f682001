/**
 * Reads the groups of one segment. It judges nothing: what an unreadable stretch means is
 * segment-recovery.ts's to say.
 */
import { GroupReader, type LogSource } from "kvdb/persistence";
import {
  decodeGroupHeader,
  decodePayload,
  GROUP_HEADER_BYTES,
  GROUP_MAGIC,
  type Group,
  type GroupHeader,
} from "./group.ts";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentIdentity } from "./segment.ts";

/** The group does not lie in memory whole: `fill` first. */
const NOT_IN_MEMORY = Symbol("not in memory");

export class SegmentReader extends GroupReader<Group> {
  protected readonly mark = GROUP_MAGIC;
  readonly #salt: number;

  constructor(source: LogSource, limit: number, salt: number) {
    super(source, limit);
    this.#salt = salt;
  }

  async header(): Promise<SegmentIdentity | undefined> {
    await this.fill(0, SEGMENT_HEADER_BYTES);
    return decodeSegmentHeader(this.buffer.subarray(0, this.end), this.file.path);
  }

  /** Its payload may be missing. */
  async headerAt(offset: number): Promise<GroupHeader | undefined> {
    if (offset + GROUP_HEADER_BYTES > this.limit) return undefined;
    await this.fill(offset, GROUP_HEADER_BYTES);
    if (this.end - offset < GROUP_HEADER_BYTES) return undefined;
    return decodeGroupHeader(this.buffer, offset - this.start, { offset, salt: this.#salt });
  }

  groupAt(offset: number): Group | undefined | Promise<Group | undefined> {
    const group = this.#decode(offset);
    return group === NOT_IN_MEMORY ? this.#readGroup(offset) : group;
  }

  async #readGroup(offset: number): Promise<Group | undefined> {
    // A header first, and then, when the payload is longer than a slice, the whole.
    for (let need = GROUP_HEADER_BYTES; ; need = this.#groupLength(offset)) {
      await this.fill(offset, need);
      if (this.end - offset < need) return undefined;
      const group = this.#decode(offset);
      if (group !== NOT_IN_MEMORY) return group;
    }
  }

  #decode(offset: number): Group | undefined | typeof NOT_IN_MEMORY {
    if (offset + GROUP_HEADER_BYTES > this.limit) return undefined;
    if (offset < this.start || offset + GROUP_HEADER_BYTES > this.end) return NOT_IN_MEMORY;
    const at = offset - this.start;
    const header = decodeGroupHeader(this.buffer, at, { offset, salt: this.#salt });
    if (header === undefined) return undefined;
    const end = offset + GROUP_HEADER_BYTES + header.payloadLength;
    if (end > this.limit) return undefined;
    if (end > this.end) return NOT_IN_MEMORY;
    const batches = decodePayload(this.buffer, at + GROUP_HEADER_BYTES, header);
    return batches === undefined ? undefined : { ...header, end, batches };
  }

  /** Of a group whose header is in memory and intact. */
  #groupLength(offset: number): number {
    return GROUP_HEADER_BYTES + this.buffer.readUInt32LE(offset - this.start + 4);
  }
}
