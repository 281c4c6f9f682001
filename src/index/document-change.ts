/** What a change of a document means to an index: the keys that go and those that come. */
import type { KeyChange } from "./contract.ts";

export interface KeyDifference extends KeyChange {
  /** How many keys the document had, and has. */
  readonly before: number;
  readonly after: number;
}

/** Up to so many keys it is quicker to compare each with each than to sort them. */
const FEW = 8;

const SAME_KEY: KeyDifference = { removed: [], added: [], before: 1, after: 1 };

/** `before` and `after`: the keys of a document, each once. */
export function keyDifference(
  before: readonly Uint8Array[],
  after: readonly Uint8Array[],
): KeyDifference {
  if (before.length === 1 && after.length === 1) {
    const isSame = Buffer.compare(before[0] as Uint8Array, after[0] as Uint8Array) === 0;
    return isSame ? SAME_KEY : { removed: before, added: after, before: 1, after: 1 };
  }
  return {
    removed: without(before, after),
    added: without(after, before),
    before: before.length,
    after: after.length,
  };
}

/** Those of `keys` that are not among `others`. */
export function without(
  keys: readonly Uint8Array[],
  others: readonly Uint8Array[],
): readonly Uint8Array[] {
  if (keys.length === 0 || others.length === 0) return keys;
  if (keys.length <= FEW && others.length <= FEW) {
    return keys.filter((key) => !others.some((other) => Buffer.compare(key, other) === 0));
  }
  const sorted = [...others].sort(Buffer.compare);
  return keys.filter((key) => !hasKey(sorted, key));
}

function hasKey(sorted: readonly Uint8Array[], key: Uint8Array): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = Buffer.compare(sorted[middle] as Uint8Array, key);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}
