/** A member of a set as bytes[start, end): where it lies, or the text of an integer. Good until the set changes. */
import type { ReadonlyBytes } from "./arena.ts";
import { MAX_INTEGER_BYTES } from "./integer-set.ts";

const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);

export class Member {
  bytes: ReadonlyBytes = NO_BYTES;
  start = 0;
  end = 0;
  handle = 0;
  readonly text = Buffer.alloc(MAX_INTEGER_BYTES);
}
