/**
 * The copy of all data as a primary sends it, cut out of the bytes that come. Nothing is kept of it here.
 *
 *   \n \n \n                            signs of life, while it is being made
 *   $<length>\r\n <length bytes>        of a file that is there
 *   $EOF:<mark>\r\n <bytes> <mark>      while it is being made: 40 bytes that nobody can foresee tell that it is whole
 *
 * Of the second form the last 40 bytes are held back, for they may be the mark.
 */
import { MAX_LINE_BYTES } from "./handshake.ts";

export const MARK_BYTES = 40;
const LF = 10;
const CR = 13;
const MARKED = "$EOF:";

export class CopyReader {
  /** -1: nobody knows. */
  totalBytes = -1;
  /** Of the copy, without its mark. */
  readBytes = 0;
  isWhole = false;
  /** Why this is no copy; empty: it may be one. */
  problem = "";
  #hasBegun = false;
  #line = Buffer.alloc(0);
  #mark: Buffer | null = null;
  /** The last bytes that came, at most as many as a mark has. */
  #held = Buffer.alloc(0);
  readonly #take: (bytes: Buffer) => void;

  /** `take` is handed the copy's bytes in their order; they may be kept. */
  constructor(take: (bytes: Buffer) => void) {
    this.#take = take;
  }

  /** Whether its first line has come. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Answers how many bytes of the chunk are its own: fewer when it is whole, or is none. */
  push(chunk: Buffer): number {
    let at = 0;
    while (!this.#hasBegun && this.problem === "" && at < chunk.length) at = this.#first(chunk, at);
    if (this.#hasBegun && this.problem === "" && !this.isWhole) {
      at += this.#mark === null ? this.#counted(chunk, at) : this.#marked(chunk, at, this.#mark);
    }
    return at;
  }

  #first(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(LF, from);
    const to = end < 0 ? chunk.length : end;
    const line = Buffer.concat([this.#line, chunk.subarray(from, to)]);
    if (line.length > MAX_LINE_BYTES) this.problem = "a line without an end stands for the copy";
    this.#line = end < 0 ? line : Buffer.alloc(0);
    if (end >= 0) this.#begin(line.at(-1) === CR ? line.subarray(0, -1) : line);
    return end < 0 ? to : end + 1;
  }

  #begin(line: Buffer): void {
    if (line.length === 0) return;
    const text = line.toString("latin1");
    if (text.startsWith(MARKED) && text.length === MARKED.length + MARK_BYTES) {
      this.#mark = line.subarray(MARKED.length);
    } else if (/^\$\d{1,15}$/.test(text)) this.totalBytes = Number(text.slice(1));
    else if (text.startsWith("-")) this.problem = `the primary gives up: ${text.slice(1, 200)}`;
    else this.problem = `"${text.slice(0, 80)}" stands for the copy`;
    this.#hasBegun = this.problem === "";
    this.isWhole = this.totalBytes === 0;
  }

  #counted(chunk: Buffer, at: number): number {
    const count = Math.min(chunk.length - at, this.totalBytes - this.readBytes);
    this.#give(chunk.subarray(at, at + count));
    this.isWhole = this.readBytes === this.totalBytes;
    return count;
  }

  /** The stream begins only behind the acknowledgement of the copy, so that the mark stands at the end of what has come. */
  #marked(chunk: Buffer, at: number, mark: Buffer): number {
    const rest = chunk.subarray(at);
    if (rest.length === 0) return 0;
    const end = this.#endOf(rest, mark);
    if (end >= 0) {
      const before = Buffer.concat([this.#held, rest.subarray(0, end)]);
      this.#give(before.subarray(0, before.length - MARK_BYTES));
      this.isWhole = true;
      this.totalBytes = this.readBytes;
      return end;
    }
    this.#hold(rest);
    return rest.length;
  }

  /** Where the mark ends in what has come; -1: it has not. The mark may have begun in what is held. */
  #endOf(rest: Buffer, mark: Buffer): number {
    const seam = Buffer.concat([this.#held, rest.subarray(0, MARK_BYTES)]);
    const inSeam = seam.indexOf(mark);
    if (inSeam >= 0) return inSeam + MARK_BYTES - this.#held.length;
    const found = rest.indexOf(mark);
    return found < 0 ? -1 : found + MARK_BYTES;
  }

  #hold(rest: Buffer): void {
    if (rest.length >= MARK_BYTES) {
      this.#give(this.#held);
      this.#give(rest.subarray(0, rest.length - MARK_BYTES));
      this.#held = Buffer.from(rest.subarray(rest.length - MARK_BYTES));
      return;
    }
    const all = Buffer.concat([this.#held, rest]);
    const surplus = Math.max(0, all.length - MARK_BYTES);
    this.#give(all.subarray(0, surplus));
    this.#held = all.subarray(surplus);
  }

  #give(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.readBytes += bytes.length;
    this.#take(bytes);
  }
}
