/**
 * Reads the groups of one file, a slice at a time, and searches for the next intact one behind a
 * stretch that cannot be read. It judges nothing: what an unreadable stretch means is
 * increment-recovery.ts's to say.
 */
import type { OpenFile, RecordBatch } from "kvdb";
import {
  type GroupLine,
  MAX_LINE_BYTES,
  OWN_LINE,
  type ReadHead,
  type RecordsLine,
  readFileLine,
  readGroupLine,
} from "./group-line.ts";
import type { ActiveIncrement } from "./increment.ts";
import { type IncrementSource, plainSource } from "./increment-source.ts";
import { RecordFrames } from "./record-frames.ts";

/** One read. */
const SLICE_BYTES = 1 << 20;

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

export class IncrementReader {
  readonly source: IncrementSource;
  /** Nothing at or behind it counts. It may grow with the file. */
  limit: number;
  readonly #frames = new RecordFrames();
  #buffer = Buffer.allocUnsafeSlow(SLICE_BYTES);
  /** The buffer holds the bytes [start, end). */
  #start = 0;
  #end = 0;
  /** Begins the checks; of the head, or known from elsewhere. */
  salt = 0;
  /** Called after each slice with the offset reached. */
  onSlice: (offset: number) => void = () => {};

  constructor(source: IncrementSource, limit: number) {
    this.source = source;
    this.limit = limit;
  }

  /** The file that the bytes are in. */
  get file(): OpenFile {
    return this.source.file;
  }

  async head(): Promise<ReadHead | undefined> {
    await this.#fill(0, Math.min(MAX_LINE_BYTES, this.limit));
    return readFileLine(this.#buffer, 0, this.#end - this.#start);
  }

  /** What was read may have changed in the file. */
  forget(): void {
    this.#end = this.#start;
  }

  /** The text behind it may be missing. */
  async lineAt(offset: number): Promise<GroupLine | undefined> {
    await this.#fill(offset, Math.min(MAX_LINE_BYTES, this.limit - offset));
    return this.#lineIn(offset);
  }

  /** The text behind an intact line of records, whose checksum fits; undefined: it does not, or it is not all there. */
  async textOf(line: RecordsLine): Promise<GroupSpan | undefined> {
    const end = this.#endOf(line);
    if (end > this.limit) return undefined;
    await this.#fill(line.offset, end - line.offset);
    if (this.#end < end) return undefined;
    const start = line.offset + line.lineBytes - this.#start;
    const span = { bytes: this.#buffer, start, end: end - this.#start };
    const crc = Bun.hash.crc32(this.#buffer.subarray(start, span.end));
    return crc === line.textCrc ? span : undefined;
  }

  /** The intact group at `offset`, if it lies in memory already; a promise of it otherwise. */
  groupAt(offset: number): Group | undefined | Promise<Group | undefined> {
    const group = this.#decode(offset);
    return group === NOT_IN_MEMORY ? this.#readGroup(offset) : group;
  }

  /** The first intact group at or behind `from`. */
  async nextGroup(from: number): Promise<Group | undefined> {
    while (from + OWN_LINE.length <= this.limit) {
      await this.#fill(from, OWN_LINE.length);
      if (this.#end - from < OWN_LINE.length) return undefined;
      const loaded = this.#buffer.subarray(from - this.#start, this.#end - this.#start);
      const at = loaded.indexOf(OWN_LINE);
      if (at < 0) {
        // The line may begin in this slice and end in the next.
        from = this.#end - OWN_LINE.length + 1;
        continue;
      }
      const group = await this.groupAt(from + at);
      if (group !== undefined) return group;
      from += at + 1;
    }
    return undefined;
  }

  /** The bytes at `offset`, at most `length` of them. */
  async bytesAt(offset: number, length: number): Promise<Buffer> {
    await this.#fill(offset, Math.min(length, Math.max(0, this.limit - offset)));
    const at = offset - this.#start;
    return this.#buffer.subarray(at, Math.min(at + length, this.#end - this.#start));
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

  /** Writes the bytes [start, end) once more, in place: of an increment in a file of its own. */
  async rewrite(start: number, end: number): Promise<void> {
    for (let offset = start; offset < end; offset = this.#end) {
      await this.#fill(offset, 1);
      if (this.#end <= offset) break;
      const stop = Math.min(end, this.#end);
      await this.file.write(this.#buffer, offset - this.#start, stop - this.#start, offset);
    }
  }

  async #readGroup(offset: number): Promise<Group | undefined> {
    await this.#fill(offset, Math.min(MAX_LINE_BYTES, this.limit - offset));
    const line = this.#lineIn(offset);
    if (line === undefined || this.#endOf(line) > this.limit) return undefined;
    const need = this.#endOf(line) - offset;
    await this.#fill(offset, need);
    return this.#end - offset < need ? undefined : this.#group(line);
  }

  #lineIn(offset: number): GroupLine | undefined {
    const at = offset - this.#start;
    return readGroupLine(this.#buffer, at, this.#end - this.#start, { offset, salt: this.salt });
  }

  #decode(offset: number): Group | undefined | typeof NOT_IN_MEMORY {
    if (offset >= this.limit) return undefined;
    const isThere = offset >= this.#start && offset + MAX_LINE_BYTES <= this.#end;
    if (!isThere) return NOT_IN_MEMORY;
    const line = this.#lineIn(offset);
    if (line === undefined || this.#endOf(line) > this.limit) return undefined;
    return this.#endOf(line) > this.#end ? NOT_IN_MEMORY : this.#group(line);
  }

  #endOf(line: GroupLine): number {
    return line.offset + line.lineBytes + (line.kind === "end" ? 0 : line.textBytes);
  }

  /** All of it is in memory. */
  #group(line: GroupLine): Group | undefined {
    const end = this.#endOf(line);
    if (line.kind === "end") return { line, end, batches: [] };
    const start = line.offset + line.lineBytes - this.#start;
    const stop = end - this.#start;
    if (Bun.hash.crc32(this.#buffer.subarray(start, stop)) !== line.textCrc) return undefined;
    if (line.kind === "part") this.#frames.addPart(line, this.#buffer, start, stop);
    else if (!this.#frames.addGroup(line, this.#buffer, start, stop)) return undefined;
    return { line, end, batches: this.#frames.batches };
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

/**
 * The records from what is durable of an increment up to `end`, which left memory before they were
 * durable, as they do in mode `no`. Rejects when one of them cannot be read.
 */
export async function readBack(active: ActiveIncrement, end: number): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  const reader = new IncrementReader(plainSource(active.plain), end);
  reader.salt = active.salt;
  for (let offset = active.durableEnd; offset < end; ) {
    const group = await reader.groupAt(offset);
    if (group === undefined) throw new Error(`no group at offset ${offset}`);
    batches.push(...group.batches.map(copyBatch));
    offset = group.end;
  }
  return batches;
}

/** The reader uses its buffer again. */
function copyBatch(batch: RecordBatch): RecordBatch {
  const bytes = Buffer.from(batch.bytes.subarray(batch.start, batch.end));
  return { ...batch, bytes, start: 0, end: bytes.length };
}
