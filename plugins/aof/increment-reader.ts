/**
 * Reads the groups of one file, and what else stands at its front. It judges nothing: what an
 * unreadable stretch means is increment-recovery.ts's to say.
 */
import type { RecordBatch } from "kvdb";
import { GroupReader } from "kvdb/persistence";
import {
  type GroupLine,
  MAX_LINE_BYTES,
  OWN_LINE,
  type ReadHead,
  type RecordsLine,
  readFileLine,
  readGroupLine,
} from "./group-line.ts";
import { RecordFrames } from "./record-frames.ts";

/** The group does not lie in memory whole: read first. */
const NOT_IN_MEMORY = Symbol("not in memory");

/** A line that was found intact, and the records behind it, until the next is read. */
export interface Group {
  readonly line: GroupLine;
  /** Where it ends in its file. */
  readonly end: number;
  readonly batches: readonly RecordBatch[];
}

/** bytes[start, end), until the next is read. */
export interface GroupSpan {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export class IncrementReader extends GroupReader<Group> {
  protected readonly mark = OWN_LINE;
  readonly #frames = new RecordFrames();
  /** Begins the checks; of the head, or known from elsewhere. */
  salt = 0;

  async head(): Promise<ReadHead | undefined> {
    await this.fill(0, Math.min(MAX_LINE_BYTES, this.limit));
    return readFileLine(this.buffer, 0, this.end - this.start);
  }

  /** The text behind it may be missing. */
  async lineAt(offset: number): Promise<GroupLine | undefined> {
    await this.fill(offset, Math.min(MAX_LINE_BYTES, this.limit - offset));
    return this.#lineIn(offset);
  }

  /** The text behind an intact line of records, whose checksum fits; undefined: it does not, or it is not all there. */
  async textOf(line: RecordsLine): Promise<GroupSpan | undefined> {
    const end = this.#endOf(line);
    if (end > this.limit) return undefined;
    await this.fill(line.offset, end - line.offset);
    if (this.end < end) return undefined;
    const start = line.offset + line.lineBytes - this.start;
    const span = { bytes: this.buffer, start, end: end - this.start };
    const crc = Bun.hash.crc32(this.buffer.subarray(start, span.end));
    return crc === line.textCrc ? span : undefined;
  }

  groupAt(offset: number): Group | undefined | Promise<Group | undefined> {
    const group = this.#decode(offset);
    return group === NOT_IN_MEMORY ? this.#readGroup(offset) : group;
  }

  /** The bytes at `offset`, at most `length` of them. */
  async bytesAt(offset: number, length: number): Promise<Buffer> {
    await this.fill(offset, Math.min(length, Math.max(0, this.limit - offset)));
    const at = offset - this.start;
    return this.buffer.subarray(at, Math.min(at + length, this.end - this.start));
  }

  async #readGroup(offset: number): Promise<Group | undefined> {
    await this.fill(offset, Math.min(MAX_LINE_BYTES, this.limit - offset));
    const line = this.#lineIn(offset);
    if (line === undefined || this.#endOf(line) > this.limit) return undefined;
    const need = this.#endOf(line) - offset;
    await this.fill(offset, need);
    return this.end - offset < need ? undefined : this.#group(line);
  }

  #lineIn(offset: number): GroupLine | undefined {
    const at = offset - this.start;
    return readGroupLine(this.buffer, at, this.end - this.start, { offset, salt: this.salt });
  }

  #decode(offset: number): Group | undefined | typeof NOT_IN_MEMORY {
    if (offset >= this.limit) return undefined;
    const isThere = offset >= this.start && offset + MAX_LINE_BYTES <= this.end;
    if (!isThere) return NOT_IN_MEMORY;
    const line = this.#lineIn(offset);
    if (line === undefined || this.#endOf(line) > this.limit) return undefined;
    return this.#endOf(line) > this.end ? NOT_IN_MEMORY : this.#group(line);
  }

  #endOf(line: GroupLine): number {
    return line.offset + line.lineBytes + (line.kind === "end" ? 0 : line.textBytes);
  }

  /** All of it is in memory. */
  #group(line: GroupLine): Group | undefined {
    const end = this.#endOf(line);
    if (line.kind === "end") return { line, end, batches: [] };
    const start = line.offset + line.lineBytes - this.start;
    const stop = end - this.start;
    if (Bun.hash.crc32(this.buffer.subarray(start, stop)) !== line.textCrc) return undefined;
    if (line.kind === "part") this.#frames.addPart(line, this.buffer, start, stop);
    else if (!this.#frames.addGroup(line, this.buffer, start, stop)) return undefined;
    return { line, end, batches: this.#frames.batches };
  }
}
