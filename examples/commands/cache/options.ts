/** What follows a word in the commands of the cache: times in milliseconds, and last of all the tags. */
import { type Arguments, CommandError } from "kvdb";

export interface Options {
  /** The time behind a word; 0: it was not given. */
  timeOf(word: string): number;
  readonly tags: readonly Uint8Array[];
}

/** Each hit looks at each tag of its entry: this many cost about as much as the rest of it. */
const MOST_TAGS = 64;
/** Some 31 years. */
const LONGEST_MS = 1e12;

/** Reads `[WORD milliseconds ...] [TAGS tag ...]` from argument `from` on. The first word must be there. */
export function readOptions(args: Arguments, from: number, words: readonly string[]): Options {
  const times = new Map<string, number>();
  let at = from;
  for (; at < args.count && !args.is(at, "TAGS"); at += 2) {
    const word = words.find((one) => args.is(at, one) && !times.has(one));
    if (word === undefined || at + 1 === args.count) throw syntaxError();
    times.set(word, milliseconds(args, at + 1));
  }
  if (!times.has(words[0]) || at + 1 === args.count) throw syntaxError();
  const tags = [];
  while (++at < args.count) tags.push(args.bytes(at));
  if (tags.length > MOST_TAGS) throw new CommandError("ERR", `over ${MOST_TAGS} tags`);
  return { timeOf: (word) => times.get(word) ?? 0, tags };
}

function milliseconds(args: Arguments, index: number): number {
  const value = args.integer(index);
  if (value >= 1 && value <= LONGEST_MS) return value;
  throw new CommandError("ERR", `a time is a whole number from 1 to ${LONGEST_MS}`);
}

function syntaxError(): CommandError {
  return new CommandError("ERR", "syntax error");
}
