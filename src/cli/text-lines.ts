/**
 * A stream of bytes as lines of text. Bytes that are not UTF-8 are an error with the line's number, because nobody could say
 * what they were meant to be.
 */
import { KvdbError } from "../errors.ts";
import { MAX_BULK_BYTES } from "../limits.ts";
import { type ByteLine, ByteLines } from "../transfer/byte-lines.ts";

/** A value of the largest size and the command around it; beyond it nobody meant one line. */
const MAX_LINE_BYTES = MAX_BULK_BYTES + 64 * 1024;

export class TextLines {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #lines = new ByteLines(MAX_LINE_BYTES);

  /** The lines that end in this chunk, without their line breaks. The chunk may be kept. */
  *push(chunk: Uint8Array): Generator<string> {
    for (const line of this.#lines.push(chunk)) yield this.#decode(line);
  }

  /** A last line without a line break; undefined when there is none. */
  finish(): string | undefined {
    const line = this.#lines.finish();
    return line && this.#decode(line);
  }

  #decode({ bytes, number }: ByteLine): string {
    try {
      return this.#decoder.decode(bytes);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      const message = `line ${number}: not UTF-8; write such bytes as \\xHH in double quotes`;
      throw new KvdbError("COMMAND", message, { cause });
    }
  }
}
