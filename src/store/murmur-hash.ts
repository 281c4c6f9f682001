/**
 * MurmurHash64A with the seed of Redis's HyperLogLog, in pairs of 32-bit words. Its values are in every stored HyperLogLog,
 * so it must never change; for tables that strangers fill there is hash.ts.
 */
import type { ReadonlyBytes } from "./arena.ts";

const M_HIGH = 0xc6a4a793 | 0;
const M_LOW = 0x5bd1e995;
const M_LOW_HIGH = M_LOW >>> 16;
const M_LOW_LOW = M_LOW & 0xffff;
const SEED = 0xadc83b19 | 0;

/** The hash that was worked out last. */
export const murmur = { high: 0, low: 0 };

let high = 0;
let low = 0;

/** [high, low] *= M, modulo 2^64. */
function multiply(): void {
  const a = low >>> 16;
  const b = low & 0xffff;
  const middle = a * M_LOW_LOW + ((b * M_LOW_LOW) >>> 16);
  const other = b * M_LOW_HIGH + (middle & 0xffff);
  const carried = a * M_LOW_HIGH + (middle >>> 16) + (other >>> 16);
  high = (carried + Math.imul(low, M_HIGH) + Math.imul(high, M_LOW)) | 0;
  low = Math.imul(low, M_LOW);
}

/** Leaves the hash of bytes[start, end) in `murmur`. */
export function murmurHash(bytes: ReadonlyBytes, start: number, end: number): void {
  const size = end - start;
  high = 0;
  low = size;
  multiply();
  let hashHigh = high;
  let hashLow = low ^ SEED;
  let at = start;
  for (const last = start + (size & ~7); at < last; at += 8) {
    low = wordAt(bytes, at);
    high = wordAt(bytes, at + 4);
    multiply();
    low ^= high >>> 15;
    multiply();
    high ^= hashHigh;
    low ^= hashLow;
    multiply();
    hashHigh = high;
    hashLow = low;
  }
  high = hashHigh;
  low = hashLow;
  if (at < end) {
    for (let i = 0; at + i < end; i++) {
      if (i < 4) low ^= bytes[at + i] << (i << 3);
      else high ^= bytes[at + i] << ((i - 4) << 3);
    }
    multiply();
  }
  low ^= high >>> 15;
  multiply();
  murmur.low = low ^ (high >>> 15);
  murmur.high = high;
}

function wordAt(bytes: ReadonlyBytes, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
