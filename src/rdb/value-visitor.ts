/**
 * Who is told, step by step, of a value that is read from an RDB: a value of any length passes without being held. Nothing is
 * made for an element on its way; bytes that are told of are good for the length of the call alone.
 */
import type { Span } from "./rdb-input.ts";

export interface ValueVisitor {
  /** The value is the string bytes[start, end). */
  text(bytes: Buffer, start: number, end: number): void;
  /**
   * The value has elements; `type` as entries store it. What follows are the parts of elements in the order of packed-run.ts,
   * `endElement` behind each; there may be no element at all.
   */
  begin(type: number, isTimed: boolean): void;
  /** Element, member, field, a field's value; an item of a stream (stream-elements.ts) or a string that belongs to it. */
  string(bytes: Buffer, start: number, end: number): void;
  /** The same: the digits of an integer. */
  integer(value: number): void;
  /** A member's score, which is a number; a field's deadline in milliseconds since 1970, 0: it stays. */
  number(value: number): void;
  endElement(): void;
  /**
   * Of a stream, when its entries were told; groups follow in the same way. Only now is known what stands in front of them.
   */
  streamHead(head: Span): void;
}
