/**
 * Who is told, step by step, of a value that is read from an RDB: a value of any length passes without being held. Spans last
 * as long as whoever keeps them.
 */
import type { Span } from "./rdb-input.ts";

export interface ValueVisitor {
  /** The value is a string. */
  text(value: Span): void;
  /** The value has elements; `type` as entries store it. All calls that follow are those of this type. */
  begin(type: number, isTimed: boolean): void;
  /** Of a list or a set; a string of a stream. */
  element(value: Span): void;
  /**
   * Of a stream, when its entries were told by `element`, each as the strings that stream-elements.ts draws; groups follow in
   * the same way. Only now is known what stands in front of them.
   */
  streamHead(head: Span): void;
  /** Of a sorted set. The score is a number. */
  member(member: Span, score: number): void;
  /** Of a hash. Milliseconds since 1970, 0: it stays. */
  field(field: Span, value: Span, deadlineMs: number): void;
}
