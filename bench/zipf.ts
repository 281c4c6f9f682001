// Keys as a cache sees them: few are asked for often, most hardly ever. The number of the key of
// rank r is drawn with a chance of 1 / r^skew; the same sequence for the same seed.

import { seededRandom } from "../src/platform/random.ts";

export class Zipf {
  private readonly random;
  /** The chance of one of the ranks up to this one. */
  private readonly sums: Float64Array;

  constructor(options: { keys: number; skew: number; seed: number }) {
    this.random = seededRandom(options.seed);
    this.sums = new Float64Array(options.keys);
    let sum = 0;
    for (let rank = 0; rank < options.keys; rank++) {
      sum += 1 / (rank + 1) ** options.skew;
      this.sums[rank] = sum;
    }
  }

  next(): number {
    const total = this.sums[this.sums.length - 1] as number;
    const wanted = ((this.random.next32() >>> 0) / 2 ** 32) * total;
    let low = 0;
    let high = this.sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  below(bound: number): number {
    return this.random.below(bound);
  }
}
