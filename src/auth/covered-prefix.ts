/**
 * Whether a pattern of keys fits every key that begins with a prefix: what a command must know that reads all of them. A
 * pattern whose last part is a star does when it fits the prefix, because the star takes whatever follows. Where this answers
 * false for one that does all the same (`[a-z]x*` for none), the user is asked for less than he may, never for more.
 */
import { matchGlob } from "../commands/glob.ts";

const [STAR, OPEN, CLOSE, BACKSLASH] = [42, 91, 93, 92] as const;

export function coversPrefix(pattern: Uint8Array, prefix: Uint8Array): boolean {
  if (!endsWithStar(pattern)) return false;
  // The empty text fits no pattern (glob.ts), and only stars fit all keys.
  if (prefix.length === 0) return pattern.every((byte) => byte === STAR);
  return matchGlob(pattern, 0, pattern.length, prefix, 0, prefix.length);
}

/** With one that stands for any bytes: not behind a backslash, not between brackets. */
function endsWithStar(pattern: Uint8Array): boolean {
  let isStar = false;
  for (let at = 0; at < pattern.length; at++) {
    isStar = pattern[at] === STAR;
    if (pattern[at] === BACKSLASH) at++;
    else if (pattern[at] === OPEN) at = endOfClass(pattern, at + 1);
  }
  return isStar;
}

/** Where the bracket closes, as glob.ts reads it; the end if nowhere. */
function endOfClass(pattern: Uint8Array, from: number): number {
  let at = from;
  while (at < pattern.length && pattern[at] !== CLOSE) {
    if (pattern[at] === BACKSLASH && at + 1 < pattern.length) at += 2;
    else if (at + 2 < pattern.length && pattern[at + 1] === DASH) at += 3;
    else at++;
  }
  return at;
}

const DASH = 45;
