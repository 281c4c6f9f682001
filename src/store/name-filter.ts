/**
 * Says of a string whether an equal one may have come before: for runs of few strings, in which each would else be compared with
 * all before it. No is certain; yes is a reason to look.
 */
import type { ReadonlyBytes } from "./arena.ts";

/** Bits: of a dozen strings hardly two share one. */
const BITS = 512;

export class NameFilter {
  readonly #words = new Int32Array(BITS >> 5);

  clear(): void {
    this.#words.fill(0);
  }

  /** Takes in bytes[start, end). */
  mayHave(bytes: ReadonlyBytes, start: number, end: number): boolean {
    // Names that are alike mostly differ at their ends: the last bytes count most.
    let hash = end - start;
    for (let at = end > start + 4 ? end - 4 : start; at < end; at++) {
      hash = (Math.imul(hash, 31) + bytes[at]) | 0;
    }
    if (end > start) hash = (Math.imul(hash, 31) + bytes[start]) | 0;
    const bit = (hash ^ (hash >>> 9)) & (BITS - 1);
    const mask = 1 << (bit & 31);
    const word = this.#words[bit >> 5];
    this.#words[bit >> 5] = word | mask;
    return (word & mask) !== 0;
  }
}
