/**
 * Reads the groups of one file of the log, a slice of it at a time, and searches for the next intact one behind a stretch that
 * cannot be read. What a group is, the plugin says. Nothing is judged: what an unreadable stretch means is for who recovers.
 *
 * The invariant: buffer[0, end - start) are the bytes [start, end) of the file as it was written.
 */
import type { OpenFile } from "../platform/files.ts";
import type { LogSource } from "./log-source.ts";

/** One read. So many bytes of records are replayed before the event loop gets its turn: some 10 ms. */
const SLICE_BYTES = 1 << 20;
const NO_BYTES = Buffer.alloc(0);

export abstract class GroupReader<Group> {
  readonly source: LogSource;
  /** Nothing at or behind it counts. It may grow with the file. */
  limit: number;
  /** Called after each slice with the offset reached. */
  onSlice: (offset: number) => void = () => {};
  protected buffer = NO_BYTES;
  protected start = 0;
  protected end = 0;

  constructor(source: LogSource, limit: number) {
    this.source = source;
    this.limit = limit;
  }

  /** What each group begins with. */
  protected abstract readonly mark: Buffer;

  /** The intact group at `offset`, if it lies in memory already; a promise of it otherwise. */
  abstract groupAt(offset: number): Group | undefined | Promise<Group | undefined>;

  /** The file that the bytes are in. */
  get file(): OpenFile {
    return this.source.file;
  }

  /** What was read may have changed in the file. */
  forget(): void {
    this.end = this.start;
  }

  /** The first intact group at or behind `from`. */
  async nextGroup(from: number): Promise<Group | undefined> {
    const { mark } = this;
    let offset = from;
    while (offset + mark.length <= this.limit) {
      await this.fill(offset, mark.length);
      if (this.end - offset < mark.length) return undefined;
      const at = this.buffer.subarray(offset - this.start, this.end - this.start).indexOf(mark);
      if (at < 0) {
        // It may begin in this slice and end in the next.
        offset = this.end - mark.length + 1;
        continue;
      }
      const group = await this.groupAt(offset + at);
      if (group !== undefined) return group;
      offset += at + 1;
    }
    return undefined;
  }

  /** Where the last byte that is not zero ends, from `from` on; `from` when there is none. */
  async lastUsed(from: number): Promise<number> {
    let last = from;
    for (let offset = from; offset < this.limit; offset = this.end) {
      await this.fill(offset, 1);
      if (this.end <= offset) break;
      for (let at = this.end - 1; at >= offset; at--) {
        if (this.buffer[at - this.start] === 0) continue;
        last = at + 1;
        break;
      }
    }
    return last;
  }

  /** Writes the bytes [start, end) once more, in place: of a file that is as it was written. */
  async rewrite(start: number, end: number): Promise<void> {
    for (let offset = start; offset < end; offset = this.end) {
      await this.fill(offset, 1);
      if (this.end <= offset) break;
      const stop = Math.min(end, this.end);
      await this.file.write(this.buffer, offset - this.start, stop - this.start, offset);
    }
  }

  /**
   * Brings [offset, offset + need) into memory, and what fits of the rest; less only at the limit
   * or the file's end.
   */
  protected async fill(offset: number, need: number): Promise<void> {
    if (offset >= this.start && offset + need <= this.end) return;
    const rest = Math.max(0, this.limit - offset);
    // No more than there is: most files are far shorter than a slice.
    const wanted = Math.max(need, Math.min(SLICE_BYTES, rest));
    if (wanted > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(wanted);
    const length = Math.min(this.buffer.length, rest);
    const count = await this.source.read(this.buffer, 0, length, offset);
    this.start = offset;
    this.end = offset + count;
    this.onSlice(this.end);
  }
}
