/**
 * The arguments of the command in hand: spans over an input buffer, with typed readers. One object is filled again for
 * each command, so nothing is allocated for a GET or a SET; a command that keeps an argument copies it. Argument 0 is
 * the command's name.
 */
import { parseFloatText, parseInt64, parseInteger } from "../store/number-text.ts";
import { KeyHint } from "../store/prefetch.ts";

const FIRST_CAPACITY = 16;

export class Arguments {
  buffer: Buffer = Buffer.alloc(0);
  start = new Int32Array(FIRST_CAPACITY);
  end = new Int32Array(FIRST_CAPACITY);
  count = 0;
  /** Where the command stands in `buffer` as a RESP array, ready for the journal; rawStart < 0: it does not. */
  rawStart = -1;
  rawEnd = -1;
  /** The hash of the key, when it was worked out ahead (Gate.lookAhead). */
  readonly hint = new KeyHint();

  /** Makes room for `count` spans; what is there stays. */
  reserve(count: number): void {
    if (count <= this.start.length) return;
    const capacity = 2 ** Math.ceil(Math.log2(count));
    this.start = grown(this.start, capacity);
    this.end = grown(this.end, capacity);
  }

  size(index: number): number {
    return this.end[index] - this.start[index];
  }

  /** Whether the argument is this word, in any case. `word` is in upper case, ASCII. */
  is(index: number, word: string): boolean {
    const start = this.start[index];
    if (this.end[index] - start !== word.length) return false;
    for (let i = 0; i < word.length; i++) {
      let byte = this.buffer[start + i];
      if (byte >= 97 && byte <= 122) byte -= 32;
      if (byte !== word.charCodeAt(i)) return false;
    }
    return true;
  }

  /**
   * A 64-bit integer as Redis reads one (no spaces, no leading zeros or plus), NaN when it is none. Beyond 2^53 it is the
   * nearest double, which is right for bounds and overflow checks; arithmetic that must be exact takes `int64`.
   */
  integer(index: number): number {
    return parseInteger(this.buffer, this.start[index], this.end[index]);
  }

  int64(index: number): bigint | null {
    return parseInt64(this.buffer, this.start[index], this.end[index]);
  }

  /** A floating point number, infinities included; NaN when it is none. */
  float(index: number): number {
    return parseFloatText(this.buffer, this.start[index], this.end[index]);
  }

  /** The argument as UTF-8 text. */
  text(index: number): string {
    return this.buffer.toString("utf8", this.start[index], this.end[index]);
  }

  /** The argument byte by byte, as characters U+0000 to U+00FF. */
  latin(index: number): string {
    return this.buffer.toString("latin1", this.start[index], this.end[index]);
  }

  /** A copy. */
  bytes(index: number): Buffer {
    return Buffer.from(this.buffer.subarray(this.start[index], this.end[index]));
  }

  /** A copy of all, with buffers of its own. */
  copy(): Arguments {
    const isRaw = this.rawStart >= 0;
    const from = isRaw ? this.rawStart : this.start[0];
    const copy = new Arguments();
    copy.buffer = Buffer.from(
      this.buffer.subarray(from, isRaw ? this.rawEnd : this.end[this.count - 1]),
    );
    copy.count = this.count;
    copy.reserve(this.count);
    for (let i = 0; i < this.count; i++) {
      copy.start[i] = this.start[i] - from;
      copy.end[i] = this.end[i] - from;
    }
    if (isRaw) {
      copy.rawStart = 0;
      copy.rawEnd = this.rawEnd - from;
    }
    return copy;
  }

  /** Takes arguments that do not come from a RESP stream: a shell, a script, a test. */
  assign(parts: readonly (string | Uint8Array)[]): void {
    const buffers = parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part));
    this.buffer = Buffer.concat(buffers);
    this.count = buffers.length;
    this.reserve(this.count);
    this.rawStart = -1;
    let at = 0;
    buffers.forEach((part, index) => {
      this.start[index] = at;
      at += part.length;
      this.end[index] = at;
    });
  }
}

function grown(array: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}
