/**
 * A small seeded random generator (mulberry32), so that every generated sequence can be made again
 * from one printed number. Not for secrets, not for statistics.
 *
 * Invariant: the same seed gives the same draws on every machine and in every Bun version; it uses
 * 32-bit integer arithmetic only.
 */

const TWO_TO_32 = 4_294_967_296;

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 up to, but not including, `bound`. */
  below(bound: number): number {
    return Math.floor((this.#next() / TWO_TO_32) * bound);
  }

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True in `probability` of the draws (0 to 1). */
  chance(probability: number): boolean {
    return this.#next() < probability * TWO_TO_32;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError("nothing to pick from");
    return choice;
  }

  /** One of the entries, each as likely as its weight. */
  weighted<T extends { readonly weight: number }>(entries: readonly T[]): T {
    let left = this.below(entries.reduce((sum, entry) => sum + entry.weight, 0));
    for (const entry of entries) {
      left -= entry.weight;
      if (left < 0) return entry;
    }
    throw new RangeError("nothing to pick from");
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  }
}
