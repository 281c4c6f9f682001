/**
 * A small sorted set where it lies in its entry: run[at, end) of (member f64 score)*, by score, then by bytes of the member
 * (packed-run.ts). Positions in the run and ranks; a run is searched from its front, since it is short. Nothing is written.
 */
import type { ReadonlyBytes } from "./arena.ts";
import { afterString, contentAt, lengthAt, NUMBER_BYTES, numberAt } from "./packed-run.ts";

/** Bytes behind the member. */
export const SCORE_BYTES = NUMBER_BYTES;

export function afterElement(run: ReadonlyBytes, at: number): number {
  return afterString(run, at) + SCORE_BYTES;
}

export function scoreAt(run: ReadonlyBytes, at: number): number {
  return numberAt(run, afterString(run, at));
}

/** Negative, zero or positive: the member of the element at `at` is before, the same as, or after bytes[start, end). */
export function compareMemberAt(
  run: ReadonlyBytes,
  at: number,
  bytes: ReadonlyBytes,
  start: number,
  end: number,
): number {
  const length = lengthAt(run, at);
  const from = contentAt(run, at);
  const shorter = Math.min(length, end - start);
  for (let i = 0; i < shorter; i++) {
    const difference = run[from + i] - bytes[start + i];
    if (difference !== 0) return difference;
  }
  return length - (end - start);
}

/** Where in the run an element with this score and member belongs: the first one that is not before it, or the end. */
export function placeFor(
  run: ReadonlyBytes,
  at: number,
  end: number,
  score: number,
  bytes: ReadonlyBytes,
  start: number,
  to: number,
): number {
  while (at < end) {
    const found = scoreAt(run, at);
    if (found > score) return at;
    if (found === score && compareMemberAt(run, at, bytes, start, to) >= 0) return at;
    at = afterElement(run, at);
  }
  return end;
}

/** How many elements are ahead of offset `place`. */
export function rankAt(run: ReadonlyBytes, at: number, place: number): number {
  let rank = 0;
  for (; at < place; rank++) at = afterElement(run, at);
  return rank;
}

/** Offset of the element of a rank, which exists, or the end for the rank behind the last. */
export function placeOfRank(run: ReadonlyBytes, at: number, rank: number): number {
  for (; rank > 0; rank--) at = afterElement(run, at);
  return at;
}

/** How many elements have a score below this one, or up to this one. */
export function countBelow(
  run: ReadonlyBytes,
  at: number,
  end: number,
  score: number,
  orEqual: boolean,
): number {
  let count = 0;
  for (; at < end; count++) {
    const found = scoreAt(run, at);
    if (found > score || (found === score && !orEqual)) break;
    at = afterElement(run, at);
  }
  return count;
}

/** How many elements, all of one score, have a member before bytes[start, to), or up to it. */
export function countBelowMember(
  run: ReadonlyBytes,
  at: number,
  end: number,
  bytes: ReadonlyBytes,
  start: number,
  to: number,
  orEqual: boolean,
): number {
  let count = 0;
  for (; at < end; count++) {
    const difference = compareMemberAt(run, at, bytes, start, to);
    if (difference > 0 || (difference === 0 && !orEqual)) break;
    at = afterElement(run, at);
  }
  return count;
}
