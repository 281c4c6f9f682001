/**
 * The ends of ranges of sorted sets as arguments, by score (`5`, `(5`, `-inf`) or by member (`[a`, `(a`, `-`, `+`), and the
 * ranks that a range is of. One object of each kind is filled again for each command.
 */
import { parseFloatText, splitFloatText } from "../store/number-text.ts";
import type { SortedSets } from "../store/sorted-sets.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError } from "./command-error.ts";

const PARENTHESIS = 40;
const BRACKET = 91;
const PLUS = 43;
const MINUS = 45;

/** What a range comes to: `count` members from rank `first` on. */
export interface RankRange {
  first: number;
  count: number;
}

/** From argument `low` to argument `high`, by score. */
export class ScoreBounds {
  #low = 0;
  #isLowOut = false;
  #high = 0;
  #isHighOut = false;

  read(args: Arguments, low: number, high: number): void {
    this.#low = scoreBound(args, low);
    this.#isLowOut = isExclusive(args, low);
    this.#high = scoreBound(args, high);
    this.#isHighOut = isExclusive(args, high);
    if (Number.isNaN(this.#low) || Number.isNaN(this.#high)) {
      throw new CommandError("ERR", "min or max is not a float");
    }
  }

  find(sets: SortedSets, entry: number, found: RankRange): void {
    found.first = sets.countBelow(entry, this.#low, this.#isLowOut);
    const end = sets.countBelow(entry, this.#high, !this.#isHighOut);
    found.count = Math.max(0, end - found.first);
  }
}

function isExclusive(args: Arguments, index: number): boolean {
  return args.size(index) > 0 && args.buffer[args.start[index]] === PARENTHESIS;
}

/** A bound as C's strtod reads it: NaN when it is none. */
function scoreBound(args: Arguments, index: number): number {
  const from = args.start[index] + (isExclusive(args, index) ? 1 : 0);
  const score = parseFloatText(args.buffer, from, args.end[index]);
  if (!Number.isNaN(score)) return score;
  const text = args.buffer.toString("latin1", from, args.end[index]).split("\0", 1)[0] as string;
  if (text === "") return 0;
  return looseNumber(text.replace(/^[ \t\n\v\f\r]+/, ""));
}

/** What a member's score must not be, a bound may: too large or too small for a double. */
function looseNumber(text: string): number {
  const parts = splitFloatText(text);
  if (parts === null) return Number.NaN;
  const bytes = Buffer.from(text, "latin1");
  const score = parseFloatText(bytes, 0, bytes.length);
  if (!Number.isNaN(score) || parts.kind === "infinity") return score;
  const isLarge = parts.digits.length + parts.exponent > 0;
  return (parts.negative ? -1 : 1) * (isLarge ? Number.POSITIVE_INFINITY : 0);
}

/** From argument `low` to argument `high`, by member. */
export class MemberBounds {
  #args = NO_ARGUMENTS;
  #low = 0;
  #high = 0;

  read(args: Arguments, low: number, high: number): void {
    if (!isMemberBound(args, low) || !isMemberBound(args, high)) {
      throw new CommandError("ERR", "min or max not valid string range item");
    }
    this.#args = args;
    this.#low = low;
    this.#high = high;
  }

  find(sets: SortedSets, entry: number, found: RankRange): void {
    found.first = this.#countBelow(sets, entry, this.#low, PARENTHESIS);
    const end = this.#countBelow(sets, entry, this.#high, BRACKET);
    found.count = Math.max(0, end - found.first);
  }

  /** `inclusive`: the sign that counts the member itself as below. */
  #countBelow(sets: SortedSets, entry: number, index: number, inclusive: number): number {
    const { buffer, start, end } = this.#args;
    const from = start[index];
    const sign = buffer[from];
    if (sign === MINUS) return 0;
    if (sign === PLUS) return sets.count(entry);
    return sets.countBelowMember(entry, buffer, from + 1, end[index], sign === inclusive);
  }
}

const NO_ARGUMENTS: Pick<Arguments, "buffer" | "start" | "end"> = {
  buffer: Buffer.alloc(0),
  start: new Int32Array(0),
  end: new Int32Array(0),
};

function isMemberBound(args: Arguments, index: number): boolean {
  const size = args.size(index);
  if (size === 0) return false;
  const sign = args.buffer[args.start[index]];
  if (sign === PLUS || sign === MINUS) return size === 1;
  return sign === BRACKET || sign === PARENTHESIS;
}
