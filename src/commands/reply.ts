/**
 * What a command answers, as typed writers: the RESP encoder, the shell, the embedded API and the tests' recorder
 * implement it, so no command prints a protocol byte. Containers announce how many elements follow; the elements are
 * written next, in order.
 */
import type { ReadonlyBytes } from "../store/arena.ts";

export interface Reply {
  ok(): void;
  /** A status of one line: `PONG`. */
  status(text: string): void;
  integer(value: number | bigint): void;
  /** A double: a bulk string in RESP2. `text`: how it is written there, if not as `formatDouble` does. */
  double(value: number, text?: string): void;
  boolean(value: boolean): void;
  /** A string: bytes[start, end), copied before the call returns. */
  bulk(bytes: ReadonlyBytes, start: number, end: number): void;
  /**
   * Many strings that lie in one buffer: string number i is bytes[spans[2 * i], spans[2 * i + 1]). For whom it makes no
   * difference it is missing: `replyStrings`.
   */
  bulks?(bytes: ReadonlyBytes, spans: Int32Array, count: number): void;
  /** The text of a JSON value, bytes[start, end): a string for those who do not tell the two apart. */
  json(bytes: ReadonlyBytes, start: number, end: number): void;
  /** A string from text, as UTF-8. */
  text(text: string): void;
  /** Text for people with its format (`txt`): a bulk string in RESP2. */
  verbatim(text: string, format: string): void;
  null(): void;
  /** The null that stands for a missing array: differs from `null` in RESP2 only. */
  nullArray(): void;
  array(count: number): void;
  /** `count` pairs follow: an array of twice as many in RESP2. */
  map(count: number): void;
  set(count: number): void;
  /** A message of so many elements, which answers no command: an array in RESP2. */
  push(count: number): void;
  /** An error: `code` in capitals, then its text. */
  error(code: string, text: string): void;
  /** Where the reply of the command in hand begins, to take it back with `rewind` when it fails half way. */
  mark(): number;
  rewind(mark: number): void;
}

/** `bulks`, or `bulk` for each. */
export function replyStrings(
  reply: Reply,
  bytes: ReadonlyBytes,
  spans: Int32Array,
  count: number,
): void {
  if (reply.bulks !== undefined) reply.bulks(bytes, spans, count);
  else for (let i = 0; i < count; i++) reply.bulk(bytes, spans[2 * i], spans[2 * i + 1]);
}

/** Strings that are handed over together. */
const ROW = 256;
const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);

/**
 * Strings that a walk meets one after the other, for `replyStrings`: as many at a time as lie in one buffer, which must
 * not change before `end`.
 */
export class StringRow {
  readonly #spans = new Int32Array(2 * ROW);
  #bytes = NO_BYTES;
  #count = 0;

  /** Forgets what a command that failed has left. */
  begin(): void {
    this.#count = 0;
  }

  add(reply: Reply, bytes: ReadonlyBytes, start: number, end: number): void {
    if (this.#count === ROW || bytes !== this.#bytes) {
      this.end(reply);
      this.#bytes = bytes;
    }
    this.#spans[2 * this.#count] = start;
    this.#spans[2 * this.#count + 1] = end;
    this.#count++;
  }

  /** Writes what is still there. */
  end(reply: Reply): void {
    if (this.#count > 0) replyStrings(reply, this.#bytes, this.#spans, this.#count);
    this.#count = 0;
    this.#bytes = NO_BYTES;
  }
}
