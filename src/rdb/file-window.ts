/**
 * The part of a file that a reader of RDB stands in: bytes[at, end) are those that come next. Between entries the next slice is
 * waited for, and the one behind it is on its way meanwhile; within an entry that is longer, more is read at once.
 *
 * Every byte that the reader has gone over is counted into a checksum before it leaves the memory. A length is believed only as
 * far as there is a file: what would end behind its end is RdbDamage, before memory is taken for it.
 */
import type { OpenFile } from "../platform/files.ts";
import { Crc64 } from "./crc64.ts";
import { RdbDamage } from "./rdb-damage.ts";
import { RdbInput } from "./rdb-input.ts";

/** What is read at once: large enough that a system call costs nothing, small enough for the processor's cache. */
const SLICE_BYTES = 1 << 18;

/** A slice in memory, or on its way: the file's bytes from `start` on lie at bytes[front, front + count). */
interface Slice {
  readonly bytes: Buffer;
  readonly start: number;
  readonly count: number;
}

type Fetched = Slice | { readonly error: unknown };

const NO_BYTES = Buffer.alloc(0);

export interface FileRange {
  readonly file: OpenFile;
  readonly start: number;
  readonly end: number;
  /** Default: 256 KiB. Tests take less. */
  readonly sliceBytes?: number;
}

export class FileWindow extends RdbInput {
  readonly checksum = new Crc64();
  readonly #file: OpenFile;
  readonly #fileEnd: number;
  readonly #sliceBytes: number;
  /** When fewer bytes than these are left, the next slice is taken in: a quarter of one. */
  readonly #frontBytes: number;
  /** What is added to an index into `bytes` for its offset in the file. */
  #base: number;
  /** The checksum has all before this index. */
  #summed = 0;
  /** The slice behind the window. It never rejects: nobody may be waiting for it. */
  #next: Promise<Fetched> | undefined;
  /** Buffers that nobody looks at. */
  readonly #spare: Buffer[] = [];
  /** `bytes` is one that may be used again: it came from `advance`. */
  #isReusable = false;

  constructor({ file, start, end, sliceBytes = SLICE_BYTES }: FileRange) {
    super(NO_BYTES, 0, 0);
    this.#file = file;
    this.#fileEnd = end;
    this.#sliceBytes = sliceBytes;
    this.#frontBytes = sliceBytes >> 2;
    this.#base = start;
  }

  /** Offset in the file of what comes next. */
  get offset(): number {
    return this.#base + this.at;
  }

  /** So little is left of the window that `advance` should be called. */
  get isLow(): boolean {
    return this.end - this.at <= this.#frontBytes && this.#base + this.end < this.#fileEnd;
  }

  /** Takes in the next slice. Spans into the window are over then. */
  async advance(): Promise<void> {
    const from = this.#base + this.end;
    const fetched = await (this.#next ?? this.#fetch(from));
    this.#next = undefined;
    if ("error" in fetched) throw fetched.error;
    const slice = fetched.start <= from && from < fetched.start + fetched.count;
    if (slice) this.#take(fetched, from);
    // A long entry has read more than was on its way: then the slice is none of those wanted.
    else if (fetched.count > 0) return this.advance();
    const next = this.#base + this.end;
    // Less than asked for: the file was cut while it was being read. `refill` says so when it matters.
    if (next < this.#fileEnd && fetched.count > 0) this.#next = this.#fetch(next);
  }

  /** Nothing reads from the file any more: it may be closed. */
  async settled(): Promise<void> {
    await this.#next;
  }

  /** The rest of the window is put in front of the slice, which counts from the offset `from` on. */
  #take({ bytes, start, count }: Slice, from: number): void {
    const front = this.#frontBytes + from - start;
    const rest = this.end - this.at;
    this.sum();
    this.bytes.copy(bytes, front - rest, this.at, this.end);
    if (this.#isReusable) this.#spare.push(this.bytes);
    this.#isReusable = true;
    this.#base += this.at - (front - rest);
    this.bytes = bytes;
    this.at = front - rest;
    this.end = this.#frontBytes + count;
    this.#summed = this.at;
  }

  async #fetch(start: number): Promise<Fetched> {
    try {
      const size = this.#frontBytes + this.#sliceBytes;
      const bytes = this.#spare.pop() ?? Buffer.allocUnsafeSlow(size);
      const length = Math.min(this.#sliceBytes, this.#fileEnd - start);
      const count = await this.#file.read(bytes, this.#frontBytes, length, start);
      return { bytes, start, count };
    } catch (error) {
      return { error };
    }
  }

  /** Reads at once, into a buffer of its own: spans into the one before stay as they are. */
  protected override refill(count: number): void {
    const rest = this.end - this.at;
    const position = this.#base + this.end;
    const left = this.#fileEnd - position;
    if (count - rest > left) throw this.#endsTooEarly(count - rest - left);
    const more = Math.min(Math.max(count - rest, this.#sliceBytes), left);
    const bytes = Buffer.allocUnsafeSlow(rest + more);
    this.sum();
    this.bytes.copy(bytes, 0, this.at, this.end);
    const read = this.#file.readNow(bytes, rest, more, position);
    this.#base += this.at;
    this.bytes = bytes;
    this.at = 0;
    this.end = rest + read;
    this.#summed = 0;
    this.#isReusable = false;
    if (this.end < count) throw this.#endsTooEarly(count - this.end);
  }

  /** Whether these bytes come next; nothing is gone over. */
  startsWith(wanted: Buffer): boolean {
    const { length } = wanted;
    if (this.offset + length > this.#fileEnd) return false;
    if (this.at + length > this.end) this.refill(length);
    return this.bytes.compare(wanted, 0, length, this.at, this.at + length) === 0;
  }

  #endsTooEarly(missing: number): RdbDamage {
    this.at = this.end;
    return new RdbDamage(`it ends ${missing} bytes too early`);
  }

  /** Takes into the checksum all that was gone over. */
  sum(): void {
    this.checksum.add(this.bytes, this.#summed, this.at);
    this.#summed = this.at;
  }
}
