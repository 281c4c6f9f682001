/**
 * A run of strings one behind the other: small collections inline in their entry, and the elements of a collection where
 * they leave the engine (plugin.ts, StoredEntry). One form for both, so that a small collection is copied as it is.
 *
 *   string   u8 length, then the bytes; or 255, u32 length, then the bytes (little endian)
 *
 *   list, set      element*
 *   hash           (field value)*
 *   timed hash     (field value f64 deadline in ms since 1970, 0: none)*
 *   sorted set     (member f64 score)*, by score, then by bytes of the member
 *
 *   Example: the hash a → 1, bc → 22:   01 61 01 31  02 62 63 02 32 32
 *
 * A run is read in place; nothing here allocates. Who writes has made room by `Database.splice`.
 */
import { copyBytes, type ReadonlyBytes, sameBytes } from "./arena.ts";

const LONG = 255;
const LONG_BYTES = 5;
/** A number behind a string: a score, a deadline. */
export const NUMBER_BYTES = 8;

/** Bytes that a string of this length takes in a run. */
export function stringSpan(length: number): number {
  return length < LONG ? 1 + length : LONG_BYTES + length;
}

/** Length of the string that begins at `at`. */
export function lengthAt(bytes: ReadonlyBytes, at: number): number {
  const length = bytes[at];
  if (length < LONG) return length;
  return (
    (bytes[at + 1] | (bytes[at + 2] << 8) | (bytes[at + 3] << 16) | (bytes[at + 4] << 24)) >>> 0
  );
}

/** Where the bytes of the string begin that begins at `at`. */
export function contentAt(bytes: ReadonlyBytes, at: number): number {
  return bytes[at] < LONG ? at + 1 : at + LONG_BYTES;
}

/** Where the string ends that begins at `at`. */
export function afterString(bytes: ReadonlyBytes, at: number): number {
  const length = bytes[at];
  return length < LONG ? at + 1 + length : at + LONG_BYTES + lengthAt(bytes, at);
}

/** Writes a string at `at`; answers where it ended. */
export function writeString(
  target: Buffer,
  at: number,
  bytes: ReadonlyBytes,
  start: number,
  end: number,
): number {
  const length = end - start;
  if (length < LONG) target[at++] = length;
  else {
    target[at] = LONG;
    target.writeUInt32LE(length, at + 1);
    at += LONG_BYTES;
  }
  copyBytes(bytes, start, target, at, length);
  return at + length;
}

/**
 * In run[at, end), made of groups of `strings` strings and `tail` further bytes: where the group begins whose first string is
 * bytes[from, to), or -1.
 */
export function findInRun(
  run: ReadonlyBytes,
  at: number,
  end: number,
  strings: 1 | 2,
  tail: number,
  bytes: ReadonlyBytes,
  from: number,
  to: number,
): number {
  const length = to - from;
  // Strings that are alike mostly differ in their last byte, so that is looked at first.
  const last = length === 0 ? 0 : bytes[to - 1];
  while (at < end) {
    const first = run[at];
    if (first >= LONG) {
      const size = lengthAt(run, at);
      if (size === length && sameBytes(run, at + LONG_BYTES, bytes, from, length)) return at;
      at += LONG_BYTES + size;
    } else {
      if (first === length && (run[at + first] === last || first === 0)) {
        if (sameBytes(run, at + 1, bytes, from, length)) return at;
      }
      at += 1 + first;
    }
    if (strings === 2) {
      const second = run[at];
      at += second < LONG ? 1 + second : LONG_BYTES + lengthAt(run, at);
    }
    at += tail;
  }
  return -1;
}

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** The number at `at`, which need not be aligned. */
export function numberAt(bytes: ReadonlyBytes, at: number): number {
  for (let i = 0; i < NUMBER_BYTES; i++) floatBytes[i] = bytes[at + i];
  return float[0];
}

/** Writes a number at `at`; answers where it ended. */
export function writeNumber(target: Buffer, at: number, value: number): number {
  float[0] = value;
  for (let i = 0; i < NUMBER_BYTES; i++) target[at + i] = floatBytes[i];
  return at + NUMBER_BYTES;
}
