/**
 * Keys of a database in byte order, as commands ask for them. Where an index of keys has them in that order it answers
 * (index/key-order.ts); bounds are of the keys themselves, whatever the index makes of them.
 */

/** Keys between two bounds in byte order; null: there is none on that side. */
export interface KeyBounds {
  readonly low: Buffer | null;
  readonly includesLow: boolean;
  readonly high: Buffer | null;
  readonly includesHigh: boolean;
}

export interface KeyOrder {
  /** How many keys are within the bounds. Keys whose time is over count until they are removed. */
  readonly count: number;
  /**
   * Calls `visit` with the entries of the live keys within the bounds, in their order, until it answers false. Nothing may be
   * changed meanwhile.
   */
  walk(reverse: boolean, visit: (entry: number) => boolean): void;
}

export const ALL_KEYS: KeyBounds = { low: null, includesLow: true, high: null, includesHigh: true };

/** The keys that begin with the prefix. */
export function boundsOfPrefix(prefix: Buffer): KeyBounds {
  if (prefix.length === 0) return ALL_KEYS;
  return { low: prefix, includesLow: true, high: behindPrefix(prefix), includesHigh: false };
}

/** The first key in byte order behind all those that begin with the prefix; null: there is none. */
function behindPrefix(prefix: Buffer): Buffer | null {
  let size = prefix.length;
  while (size > 0 && prefix[size - 1] === 0xff) size--;
  if (size === 0) return null;
  const behind = Buffer.from(prefix.subarray(0, size));
  behind[size - 1]++;
  return behind;
}

/** What lies within both. */
export function within(one: KeyBounds, other: KeyBounds): KeyBounds {
  const isLower = isNarrower(other.low, other.includesLow, one.low, one.includesLow, 1);
  const isHigher = isNarrower(other.high, other.includesHigh, one.high, one.includesHigh, -1);
  const { low, includesLow } = isLower ? other : one;
  const { high, includesHigh } = isHigher ? other : one;
  return { low, includesLow, high, includesHigh };
}

/** Whether a bound leaves less than another one. `direction`: 1 for lower bounds, -1 for upper ones. */
function isNarrower(
  bound: Buffer | null,
  isIncluded: boolean,
  other: Buffer | null,
  otherIsIncluded: boolean,
  direction: number,
): boolean {
  if (bound === null) return false;
  if (other === null) return true;
  const order = Buffer.compare(bound, other) * direction;
  return order > 0 || (order === 0 && !isIncluded && otherIsIncluded);
}

export function isWithin(key: Buffer, bounds: KeyBounds): boolean {
  const { low, includesLow, high, includesHigh } = bounds;
  if (low !== null) {
    const order = Buffer.compare(key, low);
    if (order < 0 || (order === 0 && !includesLow)) return false;
  }
  if (high === null) return true;
  const order = Buffer.compare(key, high);
  return order < 0 || (order === 0 && includesHigh);
}

/** Whether every key within the bounds begins with the prefix. */
export function areBehindPrefix(bounds: KeyBounds, prefix: Buffer): boolean {
  if (prefix.length === 0) return true;
  const all = boundsOfPrefix(prefix);
  const { low, high } = within(bounds, all);
  return low === bounds.low && high === bounds.high;
}
