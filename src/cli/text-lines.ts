/**
 * A stream of bytes as lines of text, LF or CR LF. Each byte is looked at once; bytes that are not
 * UTF-8 are an error with the line's number, because nobody could say what they were meant to be.
 */
import { KvdbError } from "../errors.ts";
import { MAX_BULK_BYTES } from "../limits.ts";

/** A value of the largest size and the command around it; beyond it nobody meant one line. */
const MAX_LINE_BYTES = MAX_BULK_BYTES + 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;

export class TextLines {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The beginning of a line whose end has not come yet. */
  #open: Buffer[] = [];
  #openBytes = 0;
  #number = 0;

  /** The lines that end in this chunk, without their line breaks. The chunk may be kept. */
  *push(chunk: Uint8Array): Generator<string> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      yield this.#line(bytes.subarray(start, end));
      start = end + 1;
    }
    if (start === bytes.length) return;
    this.#open.push(bytes.subarray(start));
    this.#openBytes += bytes.length - start;
    if (this.#openBytes > MAX_LINE_BYTES) {
      throw new KvdbError("COMMAND", `line ${this.#number + 1}: longer than a line may be`);
    }
  }

  /** A last line without a line break; undefined when there is none. */
  finish(): string | undefined {
    return this.#openBytes === 0 ? undefined : this.#line(Buffer.alloc(0));
  }

  #line(end: Buffer): string {
    this.#number++;
    const whole = this.#openBytes === 0 ? end : Buffer.concat([...this.#open, end]);
    this.#open = [];
    this.#openBytes = 0;
    const line = whole.at(-1) === CR ? whole.subarray(0, -1) : whole;
    // At the beginning of a file it is the mark of some editors, no part of the first command.
    const text = this.#decode(line);
    return this.#number === 1 && text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  #decode(line: Buffer): string {
    try {
      return this.#decoder.decode(line);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      const message = `line ${this.#number}: not UTF-8; write such bytes as \\xHH in double quotes`;
      throw new KvdbError("COMMAND", message, { cause });
    }
  }
}
