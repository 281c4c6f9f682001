/**
 * HalfSipHash-1-3 over bytes, 32 bits, with a random key: a table that strangers fill cannot be flooded with chosen
 * keys, for 10 ns more than an unkeyed mix. Plain 32-bit arithmetic; the result is a signed integer. Unrolled by hand,
 * since it runs once per command on the hot path.
 */
import type { ReadonlyBytes } from "./arena.ts";

export function hashBytes(
  key0: number,
  key1: number,
  bytes: ReadonlyBytes,
  start: number,
  end: number,
): number {
  let v0 = key0;
  let v1 = key1;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  const size = end - start;
  let i = start;
  for (const last = start + (size & ~3); i < last; i += 4) {
    const word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  let tail = size << 24;
  const rest = size & 3;
  if (rest > 0) tail |= bytes[i];
  if (rest > 1) tail |= bytes[i + 1] << 8;
  if (rest > 2) tail |= bytes[i + 2] << 16;
  v3 ^= tail;
  for (let round = 0; round < 4; round++) {
    if (round === 1) {
      v0 ^= tail;
      v2 ^= 0xff;
    }
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  return v1 ^ v3;
}
