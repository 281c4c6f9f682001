/**
 * Redis's inclusive ranges: two arguments that count from the front, or from the end when negative, brought into a
 * length. One object is filled again for each command.
 */
import type { Arguments } from "./arguments.ts";
import { notAnInteger } from "./command-error.ts";

export class IndexRange {
  /** First and last position; the range is empty when `last` is before `first`. */
  first = 0;
  last = 0;

  /**
   * Reads the positions from arguments `index` and `index + 1`. True when both count from the end and are in the wrong
   * order: GETRANGE and BITCOUNT take that as empty before they bring the positions into the length.
   */
  read(args: Arguments, index: number): boolean {
    this.first = position(args, index);
    this.last = position(args, index + 1);
    if (this.first >= 0 || this.last >= 0 || this.first < this.last) return false;
    if (this.first > this.last) return true;
    // Equal, perhaps only as doubles.
    return (args.int64(index) as bigint) > (args.int64(index + 1) as bigint);
  }

  /** Brings the positions into [0, length); what lies before the front becomes 0, as in Redis. */
  clamp(length: number): void {
    if (this.first < 0) this.first = Math.max(0, length + this.first);
    if (this.last < 0) this.last = Math.max(0, length + this.last);
    if (this.last >= length) this.last = length - 1;
  }

  get isEmpty(): boolean {
    return this.first > this.last;
  }
}

export function position(args: Arguments, index: number): number {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw notAnInteger();
  return value;
}
