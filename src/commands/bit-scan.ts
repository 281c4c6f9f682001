/**
 * Counting and searching bits in the bytes of a value, a 32-bit word at a time. Both views show the same memory from its
 * first byte, as `arena.bytes` and `arena.ints` of one chunk do. Bits are numbered as Redis does: the first one is the
 * highest of the first byte.
 */
import type { ReadonlyBytes, ReadonlyNumbers } from "../store/arena.ts";

/** Set bits in bytes[start, end). */
export function countOnes(
  bytes: ReadonlyBytes,
  words: ReadonlyNumbers,
  start: number,
  end: number,
): number {
  let at = start;
  let count = 0;
  while (at < end && (at & 3) !== 0) count += onesOfByte(bytes[at++]);
  const lastWord = end >>> 2;
  let word = at >>> 2;
  if (at < end) {
    count += onesOfWords(words, word, lastWord);
    word = Math.max(word, lastWord);
    at = word << 2;
  }
  while (at < end) count += onesOfByte(bytes[at++]);
  return count;
}

function onesOfByte(byte: number): number {
  const pairs = byte - ((byte >>> 1) & 0x55);
  const nibbles = (pairs & 0x33) + ((pairs >>> 2) & 0x33);
  return (nibbles + (nibbles >>> 4)) & 0x0f;
}

/**
 * Sums bits side by side: each word is folded to 8 counts of at most 4 in nibbles; up to three of them fit a nibble, and
 * two such sums a byte; only then the bytes of a word are added up. This is where BITCOUNT spends its time.
 */
function onesOfWords(words: ReadonlyNumbers, first: number, end: number): number {
  let count = 0;
  let at = first;
  for (; at + 6 <= end; at += 6) {
    const left = foldNibbles(words[at]) + foldNibbles(words[at + 1]) + foldNibbles(words[at + 2]);
    const right =
      foldNibbles(words[at + 3]) + foldNibbles(words[at + 4]) + foldNibbles(words[at + 5]);
    const sums =
      (left & 0x0f0f0f0f) +
      ((left >>> 4) & 0x0f0f0f0f) +
      (right & 0x0f0f0f0f) +
      ((right >>> 4) & 0x0f0f0f0f);
    count += Math.imul(sums, 0x01010101) >>> 24;
  }
  for (; at < end; at++) {
    const nibbles = foldNibbles(words[at]);
    count += Math.imul((nibbles & 0x0f0f0f0f) + ((nibbles >>> 4) & 0x0f0f0f0f), 0x01010101) >>> 24;
  }
  return count;
}

/** The set bits of each nibble, in that nibble. */
function foldNibbles(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  return (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
}

/**
 * The position of the first bit that is `bit` among the bits [first, last] of the value that begins at byte `start`, or
 * -1. Positions may exceed 32 bits.
 */
export function findBit(
  bytes: ReadonlyBytes,
  words: ReadonlyNumbers,
  start: number,
  bit: number,
  first: number,
  last: number,
): number {
  /** Turns the bits that are looked for into ones. */
  const flip = bit === 1 ? 0 : 0xff;
  const firstByte = start + Math.floor(first / 8);
  const end = start + Math.floor(last / 8) + 1;
  let at = firstByte;
  let candidates = (bytes[at] ^ flip) & (0xff >>> (first % 8));
  while (candidates === 0) {
    at++;
    if ((at & 3) === 0) at = skipWords(words, at, end, bit === 1 ? 0 : -1);
    if (at >= end) return -1;
    candidates = bytes[at] ^ flip;
  }
  const found = (at - start) * 8 + Math.clz32(candidates) - 24;
  return found <= last ? found : -1;
}

/** The first byte at `from` or behind it that is not in a word of such bits, or one not before `end`. */
function skipWords(words: ReadonlyNumbers, from: number, end: number, skipped: number): number {
  const last = end >>> 2;
  let word = from >>> 2;
  while (word < last && words[word] === skipped) word++;
  return word << 2;
}
