/**
 * The member that a search in an ordered tree is for. A search compares it with a dozen stored members, most of which begin
 * alike (`user:1000…`), so its bytes are made words once, as the stored ones are read, and compared four at a time.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { LONG_KEY } from "./entry.ts";
import { MEMBER_OFFSET } from "./scored-element.ts";

/** Longer members are compared byte by byte from here on. */
const MOST_WORDS = 16;
const MEMBER_WORD = MEMBER_OFFSET >> 2;

export class MemberProbe {
  readonly #ints: Arena["ints"];
  readonly #bytes: Arena["bytes"];
  readonly #words = new Int32Array(MOST_WORDS);
  #wordCount = 0;
  #key: ReadonlyBytes = Buffer.alloc(0);
  #start = 0;
  #size = 0;

  constructor(arena: Arena) {
    this.#ints = arena.ints;
    this.#bytes = arena.bytes;
  }

  /** The member is bytes[start, end), which do not change until the search is over. */
  set(bytes: ReadonlyBytes, start: number, end: number): void {
    this.#key = bytes;
    this.#start = start;
    this.#size = end - start;
    const count = Math.min((end - start) >>> 2, MOST_WORDS);
    this.#wordCount = count;
    for (let i = 0, at = start; i < count; i++, at += 4) {
      this.#words[i] =
        bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    }
  }

  /** Negative, zero or positive: the element's member is before, the same as, or after this one, as memcmp has it. */
  compare(element: number): number {
    const ints = this.#ints[element >>> CHUNK_SHIFT];
    let from = ((element & UNIT_MASK) << 1) + MEMBER_WORD;
    let size = ints[from - MEMBER_WORD] & 255;
    if (size === LONG_KEY) size = ints[from++];
    const shorter = size < this.#size ? size : this.#size;
    const words = this.#words;
    const whole = Math.min(shorter >>> 2, this.#wordCount);
    let i = 0;
    while (i < whole && ints[from + i] === words[i]) i++;
    const stored = this.#bytes[element >>> CHUNK_SHIFT];
    const key = this.#key;
    const at = from << 2;
    for (let j = i << 2; j < shorter; j++) {
      const difference = stored[at + j] - key[this.#start + j];
      if (difference !== 0) return difference;
    }
    return size - this.#size;
  }
}
