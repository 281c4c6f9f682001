/**
 * The ID of a stream's entry: milliseconds and a sequence, 64 bits each, so 128 bits in four words. The words are kept as
 * signed 32-bit integers, which the JIT compares and adds without doubles or bigints; they mean unsigned ones.
 *
 * Invariant: IDs order by milliseconds, then by sequence, both unsigned.
 */

const SIGN = 0x80000000 | 0;
const WORD = 2 ** 32;
/** Up to here two words are one exact number. */
const EXACT_HIGH = 2 ** 21;

export class StreamId {
  msHigh = 0;
  msLow = 0;
  seqHigh = 0;
  seqLow = 0;

  set(msHigh: number, msLow: number, seqHigh: number, seqLow: number): this {
    this.msHigh = msHigh;
    this.msLow = msLow;
    this.seqHigh = seqHigh;
    this.seqLow = seqLow;
    return this;
  }

  copy(from: StreamId): this {
    return this.set(from.msHigh, from.msLow, from.seqHigh, from.seqLow);
  }

  /** Whole numbers below 2^53. */
  setNumbers(ms: number, seq: number): this {
    return this.set(Math.floor(ms / WORD) | 0, ms | 0, Math.floor(seq / WORD) | 0, seq | 0);
  }

  setLeast(): this {
    return this.set(0, 0, 0, 0);
  }

  setGreatest(): this {
    return this.set(-1, -1, -1, -1);
  }

  get isLeast(): boolean {
    return (this.msHigh | this.msLow | this.seqHigh | this.seqLow) === 0;
  }

  get isGreatest(): boolean {
    return (this.msHigh & this.msLow & this.seqHigh & this.seqLow) === -1;
  }

  /** The next ID; false, and nothing changes, when this is the greatest. */
  increment(): boolean {
    if (this.isGreatest) return false;
    this.seqLow = (this.seqLow + 1) | 0;
    if (this.seqLow !== 0) return true;
    this.seqHigh = (this.seqHigh + 1) | 0;
    if (this.seqHigh !== 0) return true;
    this.msLow = (this.msLow + 1) | 0;
    if (this.msLow === 0) this.msHigh = (this.msHigh + 1) | 0;
    return true;
  }

  /** The ID before; false, and nothing changes, when this is the least. */
  decrement(): boolean {
    if (this.isLeast) return false;
    this.seqLow = (this.seqLow - 1) | 0;
    if (this.seqLow !== -1) return true;
    this.seqHigh = (this.seqHigh - 1) | 0;
    if (this.seqHigh !== -1) return true;
    this.msLow = (this.msLow - 1) | 0;
    if (this.msLow === -1) this.msHigh = (this.msHigh - 1) | 0;
    return true;
  }

  /** Like Redis shows it: `1526919030474-55`. */
  toString(): string {
    return `${wordsText(this.msHigh, this.msLow)}-${wordsText(this.seqHigh, this.seqLow)}`;
  }
}

/** Negative, 0 or positive, as for sorting. */
export function compareIds(a: StreamId, b: StreamId): number {
  if (a.msHigh !== b.msHigh) return (a.msHigh ^ SIGN) < (b.msHigh ^ SIGN) ? -1 : 1;
  if (a.msLow !== b.msLow) return (a.msLow ^ SIGN) < (b.msLow ^ SIGN) ? -1 : 1;
  if (a.seqHigh !== b.seqHigh) return (a.seqHigh ^ SIGN) < (b.seqHigh ^ SIGN) ? -1 : 1;
  if (a.seqLow !== b.seqLow) return (a.seqLow ^ SIGN) < (b.seqLow ^ SIGN) ? -1 : 1;
  return 0;
}

/** The same for the four words at words[at]. */
export function compareWords(words: ArrayLike<number>, at: number, id: StreamId): number {
  const msHigh = words[at];
  if (msHigh !== id.msHigh) return (msHigh ^ SIGN) < (id.msHigh ^ SIGN) ? -1 : 1;
  const msLow = words[at + 1];
  if (msLow !== id.msLow) return (msLow ^ SIGN) < (id.msLow ^ SIGN) ? -1 : 1;
  const seqHigh = words[at + 2];
  if (seqHigh !== id.seqHigh) return (seqHigh ^ SIGN) < (id.seqHigh ^ SIGN) ? -1 : 1;
  const seqLow = words[at + 3];
  if (seqLow !== id.seqLow) return (seqLow ^ SIGN) < (id.seqLow ^ SIGN) ? -1 : 1;
  return 0;
}

/** Both are unsigned 64 bits. */
export function isLess(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  if (aHigh !== bHigh) return (aHigh ^ SIGN) < (bHigh ^ SIGN);
  return (aLow ^ SIGN) < (bLow ^ SIGN);
}

/** Two words as a number: exact below 2^53, else NaN. */
export function wordsNumber(high: number, low: number): number {
  const upper = high >>> 0;
  return upper < EXACT_HIGH ? upper * WORD + (low >>> 0) : Number.NaN;
}

function wordsText(high: number, low: number): string {
  const number = wordsNumber(high, low);
  if (!Number.isNaN(number)) return String(number);
  return String((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}
