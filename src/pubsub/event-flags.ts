/**
 * The value of `notify-keyspace-events`: letters for channels (K, E) and classes of events, `A` for all classes but those
 * that are asked for by name alone (n, m). Read as Redis reads it; written as Redis writes it, but for one letter: Redis
 * drops `n` where it writes `A`, so that what CONFIG REWRITE keeps is not what was set. Here it stays.
 */
import { CLASS_BITS } from "./event-names.ts";

/** Channels __keyspace@N__:key and __keyevent@N__:event. */
export const KEYSPACE = 1 << 12;
export const KEYEVENT = 1 << 13;

/** The letters of `A`. */
const ALL_LETTERS = ["g", "$", "l", "s", "h", "z", "x", "e", "t", "d"] as const;
const ALL = ALL_LETTERS.reduce((mask, letter) => mask | CLASS_BITS[letter], 0);

const BITS: ReadonlyMap<string, number> = new Map<string, number>([
  ...Object.entries(CLASS_BITS),
  ["A", ALL],
  ["K", KEYSPACE],
  ["E", KEYEVENT],
]);

/** All letters that there are, in Redis's order. */
export const EVENT_FLAGS = "Ag$lshzxeKEtmdn";

/** Undefined: there is a letter that means nothing. */
export function parseEventFlags(text: string): number | undefined {
  let flags = 0;
  for (const letter of text) {
    const bits = BITS.get(letter);
    if (bits === undefined) return undefined;
    flags |= bits;
  }
  return flags;
}

export function formatEventFlags(flags: number): string {
  const has = (bits: number): boolean => (flags & bits) === bits;
  const classes = has(ALL) ? "A" : ALL_LETTERS.filter((letter) => has(CLASS_BITS[letter])).join("");
  const others = [
    ["n", CLASS_BITS.n],
    ["K", KEYSPACE],
    ["E", KEYEVENT],
    ["m", CLASS_BITS.m],
  ] as const;
  return classes + others.flatMap(([letter, bit]) => (has(bit) ? letter : [])).join("");
}
