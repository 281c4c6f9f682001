/**
 * Redis's glob patterns over bytes, for KEYS, SCAN, PSUBSCRIBE and permissions. Not path globs: "*"
 * crosses every byte, and there are no braces.
 *
 *   *        any bytes, also none           ?        one byte
 *   [abc]    one of these                   [^abc]   one byte that is none of these
 *   [a-z]    a range, in either order       \x       x itself, also inside [ ]
 *
 * Invariant: the answer is that of redis-server 7.0's stringmatchlen for each pattern and text, its
 * oddities included (they are marked below), in time |pattern| × |text| at worst.
 *
 * Algorithm: atoms (all but "*") take one byte each. At a mismatch only the last "*" takes one byte
 * more. Earlier stars need no second try: what stands between two stars was found as early as
 * possible, and a later find leaves the rest less text.
 */

const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const CLOSE = 93;
const CARET = 94;
const DASH = 45;
const BACKSLASH = 92;

/**
 * Redis gives up when its recursion, one level for each run of "*" that something follows, is
 * deeper than this. We need no such bound; it is here because a pattern must select the same keys.
 */
const MAX_INNER_STARS = 1000;

/**
 * Whether the whole text matches the whole pattern. `ignoreCase` folds A to Z only.
 *
 * Oddity of Redis: the empty text matches nothing but the empty pattern, not even "*". KEYS and
 * SCAN answer the pattern "*" without matching, and so do find the empty key.
 */
export function matchGlob(
  pattern: ArrayLike<number>,
  patternStart: number,
  patternEnd: number,
  text: ArrayLike<number>,
  textStart: number,
  textEnd: number,
  ignoreCase = false,
): boolean {
  if (textStart === textEnd) return patternStart === patternEnd;
  let at = patternStart;
  let textAt = textStart;
  let retryAt = -1; // behind the last "*", or -1
  let retryTextAt = 0;
  let innerStars = 0;
  while (textAt < textEnd) {
    if (at < patternEnd && pattern[at] === STAR) {
      at = skipStars(pattern, at, patternEnd);
      if (at === patternEnd) return true;
      if (++innerStars > MAX_INNER_STARS) return false;
      retryAt = at;
      retryTextAt = textAt;
      continue;
    }
    const next =
      at < patternEnd ? matchAtom(pattern, at, patternEnd, text[textAt], ignoreCase) : -1;
    if (next >= 0) {
      at = next;
      textAt++;
      continue;
    }
    if (retryAt < 0) return false;
    at = retryAt;
    textAt = ++retryTextAt;
  }
  return skipStars(pattern, at, patternEnd) === patternEnd;
}

/** The same of whole buffers. */
export function matchesGlob(pattern: Uint8Array, text: Uint8Array): boolean {
  return matchGlob(pattern, 0, pattern.length, text, 0, text.length);
}

/** Bytes at the start of the pattern that stand for themselves: each match begins with them. */
export function literalPrefix(pattern: ArrayLike<number>, start: number, end: number): number {
  let at = start;
  while (at < end && !isSpecial(pattern[at])) at++;
  return at - start;
}

/** The bytes that each match begins with, those behind a backslash included. */
export function prefixOfMatches(pattern: ArrayLike<number>, start: number, end: number): Buffer {
  const prefix: number[] = [];
  for (let at = start; at < end; at++) {
    // A backslash at the very end stands for itself.
    if (pattern[at] === BACKSLASH && at + 1 < end) at++;
    else if (isSpecial(pattern[at]) && pattern[at] !== BACKSLASH) break;
    prefix.push(pattern[at]);
  }
  return Buffer.from(prefix);
}

/**
 * Whether the pattern matches only the text equal to it, so that a look-up can replace the walk.
 */
export function isLiteral(pattern: ArrayLike<number>, start: number, end: number): boolean {
  return literalPrefix(pattern, start, end) === end - start;
}

function isSpecial(byte: number): boolean {
  return byte === STAR || byte === QUESTION || byte === OPEN || byte === BACKSLASH;
}

function skipStars(pattern: ArrayLike<number>, at: number, end: number): number {
  while (at < end && pattern[at] === STAR) at++;
  return at;
}

/** Matches one byte against the atom at `at`; returns the offset behind the atom, or -1. */
function matchAtom(
  pattern: ArrayLike<number>,
  at: number,
  end: number,
  byte: number,
  ignoreCase: boolean,
): number {
  let expected = pattern[at];
  if (expected === QUESTION) return at + 1;
  if (expected === OPEN) return matchClass(pattern, at + 1, end, byte, ignoreCase);
  // A backslash at the very end stands for itself.
  if (expected === BACKSLASH && at + 1 < end) expected = pattern[++at];
  const same = expected === byte || (ignoreCase && lower(expected) === lower(byte));
  return same ? at + 1 : -1;
}

/**
 * Matches one byte against the class whose "[" is just before `at`; returns the offset behind it,
 * or -1.
 *
 * Oddities of Redis: an unclosed class ends with the pattern; "]" closes at once, so "[]" matches
 * nothing and "[^]" all; but as the end of a range it does not close ("[a-]" is the range from "]"
 * to "a"); escaped bytes keep their case even with `ignoreCase`, and then a range is put in order
 * before its ends are folded.
 */
function matchClass(
  pattern: ArrayLike<number>,
  at: number,
  end: number,
  byte: number,
  ignoreCase: boolean,
): number {
  const negated = at < end && pattern[at] === CARET;
  if (negated) at++;
  let found = false;
  while (at < end && pattern[at] !== CLOSE) {
    if (pattern[at] === BACKSLASH && at + 1 < end) {
      if (pattern[at + 1] === byte) found = true;
      at += 2;
    } else if (at + 2 < end && pattern[at + 1] === DASH) {
      if (inRange(pattern[at], pattern[at + 2], byte, ignoreCase)) found = true;
      at += 3;
    } else {
      if (pattern[at] === byte || (ignoreCase && lower(pattern[at]) === lower(byte))) found = true;
      at++;
    }
  }
  if (found === negated) return -1;
  return at < end ? at + 1 : end;
}

/** Oddity of Redis: bytes are compared as signed, so "[\x01-\xff]" is the range from -1 to 1. */
function inRange(from: number, to: number, byte: number, ignoreCase: boolean): boolean {
  const first = signed(from);
  const last = signed(to);
  const low = Math.min(first, last);
  const high = Math.max(first, last);
  const value = signed(byte);
  if (!ignoreCase) return value >= low && value <= high;
  return lower(value) >= lower(low) && lower(value) <= lower(high);
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
