/**
 * A stream of bytes as lines, LF or CR LF, with their numbers. Each byte is looked at once; the mark that some editors put at
 * the beginning of a file is no part of its first line.
 */
import { KvdbError } from "../errors.ts";
import { MAX_BULK_BYTES } from "../limits.ts";

/** The longest value in its longest form, base64 or escapes, and what stands around it. */
const MAX_LINE_BYTES = 2 * MAX_BULK_BYTES - (1 << 20);

const LF = 0x0a;
const CR = 0x0d;
const MARK = Buffer.from("\ufeff");

export interface ByteLine {
  /** Without its line break; with it, as it stands in the file, `whole`. */
  readonly bytes: Buffer;
  readonly whole: Buffer;
  readonly number: number;
}

export class ByteLines {
  readonly #maxBytes: number;
  #open: Buffer[] = [];
  #openBytes = 0;
  #number = 0;

  constructor(maxBytes = MAX_LINE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this chunk, which may be kept. */
  *push(chunk: Uint8Array): Generator<ByteLine> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      yield this.#line(bytes.subarray(start, end + 1));
      start = end + 1;
    }
    if (start === bytes.length) return;
    this.#open.push(bytes.subarray(start));
    this.#openBytes += bytes.length - start;
    if (this.#openBytes > this.#maxBytes) {
      throw new KvdbError("COMMAND", `line ${this.#number + 1}: longer than a line may be`);
    }
  }

  /** A last line without a line break; undefined when there is none. */
  finish(): ByteLine | undefined {
    return this.#openBytes === 0 ? undefined : this.#line(Buffer.alloc(0));
  }

  #line(end: Buffer): ByteLine {
    this.#number++;
    let whole = this.#openBytes === 0 ? end : Buffer.concat([...this.#open, end]);
    this.#open = [];
    this.#openBytes = 0;
    if (this.#number === 1 && whole.indexOf(MARK) === 0) whole = whole.subarray(MARK.length);
    let size = whole.length;
    if (whole[size - 1] === LF) size--;
    if (whole[size - 1] === CR) size--;
    return { bytes: whole.subarray(0, size), whole, number: this.#number };
  }
}

/** Whether there is nothing but spaces and tabs. */
export function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09);
}
