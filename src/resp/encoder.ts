/**
 * Writes replies as RESP2 or RESP3 into one buffer for the whole turn. The frontend notes which stretch belongs to which
 * connection; what does not fit goes on in a further buffer. Integers and lengths are written digit by digit, since a
 * string per reply would cost more than the command.
 *
 * Invariant: between `begin` and `take` everything written belongs to one session, in order.
 */
import type { ReadonlyBytes } from "../store/arena.ts";
import { formatDouble, integerLength, writeInteger } from "../store/number-text.ts";

const CAPACITY = 1 << 20;
/** Room that every writer of short things may count on without asking: longest header plus CR LF. */
const SLACK = 64;
/** A longer string is copied by the runtime, a shorter one by a loop, which is as fast as the call alone. */
const SHORT_BULK = 24;
/** In a row of strings, up to here: four bytes at a time. */
const SHORT_STRING = 64;

/** A stretch of encoded replies. */
export interface Stretch {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

export class RespEncoder {
  /** The buffer that is written now, and the offset of the next byte. */
  buffer: Buffer = Buffer.allocUnsafeSlow(CAPACITY);
  at = 0;
  #session: { readonly protocol: 2 | 3 } = { protocol: 2 };
  /** Where the session's replies begin in `buffer`. */
  #begin = 0;
  /** Earlier stretches of the session, when one buffer did not do; `#base` bytes in all. */
  #full: Stretch[] = [];
  #base = 0;
  #viewed: Buffer = this.buffer;
  #lastView = viewOf(this.buffer);

  /** What follows belongs to this session. */
  begin(session: { readonly protocol: 2 | 3 }): void {
    this.#session = session;
    this.#begin = this.at;
    this.#base = 0;
    // Whoever wrote before may have been interrupted before its stretches were taken.
    if (this.#full.length > 0) this.#full = [];
  }

  /** Bytes written since `begin`. */
  get pendingBytes(): number {
    return this.#base + this.at - this.#begin;
  }

  /** The stretches before the last one, seldom any; the last one is buffer[lastStart, at). */
  takeFull(): readonly Stretch[] {
    if (this.#full.length === 0) return NONE;
    const full = this.#full;
    this.#full = [];
    return full;
  }
  get lastStart(): number {
    return this.#begin;
  }

  /** The turn's stretches have been sent or copied: start at the front again. */
  reset(): void {
    this.at = 0;
    this.#begin = 0;
    if (this.buffer.length > CAPACITY) this.buffer = Buffer.allocUnsafeSlow(CAPACITY);
  }

  mark(): number {
    return this.pendingBytes;
  }

  rewind(mark: number): void {
    while (mark < this.#base) {
      const last = this.#full.pop() as Stretch;
      this.buffer = last.buffer;
      this.#begin = last.start;
      this.at = last.end;
      this.#base -= last.end - last.start;
    }
    this.at = this.#begin + mark - this.#base;
  }

  /** Makes sure that `bytes` more fit, by going on in a new buffer. */
  #room(bytes: number): void {
    if (this.at + bytes + SLACK <= this.buffer.length) return;
    if (this.at > this.#begin) {
      this.#full.push({ buffer: this.buffer, start: this.#begin, end: this.at });
      this.#base += this.at - this.#begin;
    }
    this.buffer = Buffer.allocUnsafeSlow(Math.max(CAPACITY, bytes + 2 * SLACK));
    this.#begin = 0;
    this.at = 0;
  }

  // ---- replies ----

  ok(): void {
    this.#room(0);
    const buffer = this.buffer;
    const at = this.at;
    buffer[at] = 43;
    buffer[at + 1] = 79;
    buffer[at + 2] = 75;
    buffer[at + 3] = 13;
    buffer[at + 4] = 10;
    this.at = at + 5;
  }

  status(text: string): void {
    this.#line(43, text);
  }

  error(code: string, text: string): void {
    // An error is one line, whatever it quotes: else who sends a line break could forge the next reply.
    // Redis drops those at the end.
    const line = `${code} ${text}`.replace(LINE_BREAKS_AT_END, "").replaceAll(LINE_BREAK, " ");
    this.#line(45, line);
  }

  integer(value: number | bigint): void {
    if (typeof value === "bigint") this.#line(58, value.toString());
    else if (value >= 0 && value < 10) this.#digit(value);
    else this.#header(58, value);
  }

  /** The most frequent integers: whether, how many, the first counts. */
  #digit(value: number): void {
    this.#room(0);
    const buffer = this.buffer;
    const at = this.at;
    buffer[at] = 58;
    buffer[at + 1] = 48 + value;
    buffer[at + 2] = 13;
    buffer[at + 3] = 10;
    this.at = at + 4;
  }

  double(value: number, text?: string): void {
    // Most scores are whole: no text is made for them. Minus zero has a text of its own.
    if (text === undefined && Number.isSafeInteger(value) && !Object.is(value, -0)) {
      this.#wholeDouble(value);
      return;
    }
    const shown = text ?? formatDouble(value);
    this.#room(shown.length);
    if (this.#session.protocol === 2) this.#header(36, shown.length);
    else this.buffer[this.at++] = 44;
    this.#ascii(shown);
    this.#newline();
  }

  #wholeDouble(value: number): void {
    if (this.#session.protocol === 3) {
      this.#header(44, value);
      return;
    }
    this.#header(36, integerLength(value));
    this.at = writeInteger(this.buffer, this.at, value);
    this.#newline();
  }

  boolean(value: boolean): void {
    if (this.#session.protocol === 3) this.#line(35, value ? "t" : "f");
    else this.#header(58, value ? 1 : 0);
  }

  null(): void {
    if (this.#session.protocol === 3) this.#line(95, "");
    else this.#minusOne(36);
  }

  nullArray(): void {
    if (this.#session.protocol === 3) this.#line(95, "");
    else this.#minusOne(42);
  }

  array(count: number): void {
    this.#header(42, count);
  }

  map(count: number): void {
    if (this.#session.protocol === 3) this.#header(37, count);
    else this.#header(42, 2 * count);
  }

  set(count: number): void {
    this.#header(this.#session.protocol === 3 ? 126 : 42, count);
  }

  push(count: number): void {
    this.#header(this.#session.protocol === 3 ? 62 : 42, count);
  }

  text(text: string): void {
    this.bulk(Buffer.from(text), 0, Buffer.byteLength(text));
  }

  verbatim(text: string, format: string): void {
    if (this.#session.protocol === 2) {
      this.text(text);
      return;
    }
    const bytes = Buffer.from(`${format}:${text}`);
    this.#header(61, bytes.length);
    this.#bytes(bytes, 0, bytes.length);
    this.#newline();
  }

  json(bytes: ReadonlyBytes, start: number, end: number): void {
    this.bulk(bytes, start, end);
  }

  bulk(bytes: ReadonlyBytes, start: number, end: number): void {
    const size = end - start;
    this.#room(size);
    const buffer = this.buffer;
    let at = this.at;
    buffer[at] = 36;
    at = writeInteger(buffer, at + 1, size);
    buffer[at] = 13;
    buffer[at + 1] = 10;
    at += 2;
    if (size > SHORT_BULK) bytes.copy(buffer, at, start, end);
    else for (let i = 0; i < size; i++) buffer[at + i] = bytes[start + i];
    at += size;
    buffer[at] = 13;
    buffer[at + 1] = 10;
    this.at = at + 2;
  }

  /**
   * Strings that lie in one buffer: each is bytes[spans[2 * i], spans[2 * i + 1]). Half the time that `bulk` takes for each,
   * since everything stands in locals, and two views serve all of the copying.
   */
  bulks(bytes: ReadonlyBytes, spans: Int32Array, count: number): void {
    const source = viewOf(bytes as Buffer);
    let buffer = this.buffer;
    let target = this.#view();
    let at = this.at;
    for (let i = 0; i < count; i++) {
      const start = spans[2 * i];
      const size = spans[2 * i + 1] - start;
      if (size > SHORT_STRING || at + SHORT_STRING + SLACK > buffer.length) {
        this.at = at;
        this.bulk(bytes, start, start + size);
        at = this.at;
        buffer = this.buffer;
        target = this.#view();
        continue;
      }
      buffer[at++] = 36;
      const tens = (size * 205) >>> 11;
      if (tens > 0) buffer[at++] = 48 + tens;
      buffer[at] = 48 + size - tens * 10;
      buffer[at + 1] = 13;
      buffer[at + 2] = 10;
      at += 3;
      let k = 0;
      for (; k + 4 <= size; k += 4) target.setInt32(at + k, source.getInt32(start + k));
      for (; k < size; k++) buffer[at + k] = bytes[start + k];
      at += size;
      buffer[at] = 13;
      buffer[at + 1] = 10;
      at += 2;
    }
    this.at = at;
  }

  /** Of `buffer`. */
  #view(): DataView {
    if (this.#viewed !== this.buffer) {
      this.#viewed = this.buffer;
      this.#lastView = viewOf(this.buffer);
    }
    return this.#lastView;
  }

  // ---- pieces ----

  /** A type byte, a number, CR LF. */
  #header(type: number, value: number): void {
    this.#room(0);
    const buffer = this.buffer;
    buffer[this.at] = type;
    this.at = writeInteger(buffer, this.at + 1, value);
    this.#newline();
  }

  #minusOne(type: number): void {
    this.#room(0);
    const buffer = this.buffer;
    const at = this.at;
    buffer[at] = type;
    buffer[at + 1] = 45;
    buffer[at + 2] = 49;
    buffer[at + 3] = 13;
    buffer[at + 4] = 10;
    this.at = at + 5;
  }

  /** A line of text that quotes a client's bytes as U+0000 to U+00FF goes out as those bytes; other text as UTF-8. */
  #line(type: number, text: string): void {
    this.#room(text.length * 3);
    const buffer = this.buffer;
    let at = this.at;
    buffer[at++] = type;
    let wide = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      buffer[at + i] = code;
      wide |= code;
    }
    at += wide < 256 ? text.length : buffer.write(text, at, "utf8");
    buffer[at] = 13;
    buffer[at + 1] = 10;
    this.at = at + 2;
  }

  /** The text of a number, for which there is room. */
  #ascii(text: string): void {
    const buffer = this.buffer;
    const at = this.at;
    for (let i = 0; i < text.length; i++) buffer[at + i] = text.charCodeAt(i);
    this.at = at + text.length;
  }

  #bytes(bytes: Buffer, start: number, end: number): void {
    this.#room(end - start);
    bytes.copy(this.buffer, this.at, start, end);
    this.at += end - start;
  }

  #newline(): void {
    this.buffer[this.at] = 13;
    this.buffer[this.at + 1] = 10;
    this.at += 2;
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

const NONE: readonly Stretch[] = [];
const LINE_BREAK = /[\r\n]/g;
const LINE_BREAKS_AT_END = /[\r\n]+$/;
