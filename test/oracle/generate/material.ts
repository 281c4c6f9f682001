/**
 * The material of generated commands: small pools of keys, values, numbers and times, so that
 * commands of one sequence meet on the same keys and at the same limits.
 *
 * Two rules keep the replies of two right servers equal:
 * - Relative times to live are never used twice in a sequence and are at least 1 000 s. Were they
 *   equal, the millisecond between two commands would decide EXPIRE … GT; were they short, waiting.
 * - No offset makes a server allocate much: an offset is small, or refused.
 */

import type { Random } from "../random.ts";

export type Unit = "seconds" | "milliseconds";

const COMMON_KEYS = ["a", "b", "c", "d"];
const RARE_KEYS = ["", "key:1", "KEY", "k\x00\x01", "\xff\xfe", "a b", "h[a]llo", "\\*", "12"];

const INTEGERS = [
  ...["0", "1", "-1", "2", "-2", "3", "5", "10", "-10", "100", "127", "128", "255", "256"],
  ...["2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296"],
  ...["9007199254740993", "-9007199254740993", "9223372036854775806", "9223372036854775807"],
  ...["-9223372036854775807", "-9223372036854775808"],
];
const NOT_INTEGERS = [
  ...["9223372036854775808", "-9223372036854775809", "18446744073709551615", "1.0", "abc", ""],
  ...[" 1", "1 ", "+1", "-0", "01", "1e3", "0x10", "1\x00", "99999999999999999999999", "-", "--1"],
];
const FLOATS = [
  ...["0", "1", "-1", "0.1", "0.2", "-0.1", "1.5", "3.0", "3.0e3", "1e-3", "5e-10", "1e17", "1e18"],
  ...["3.14159265358979", "1234567.891", "1e20", "-1e20", "1e300", "0.000000000000000001", "-0.0"],
  ...["9007199254740993", "9223372036854775807", "1E2", ".5", "5.", "+5", "0x10"],
];
const NOT_FLOATS = [
  ...["", "abc", " 1", "1 ", "nan", "inf", "-inf", "+infinity", "1e", "1,5"],
  ...["1.5\x00", "0x", "--1"],
];
/** 44 and 45 bytes stand on either side of Redis's limit between embstr and raw. */
const TEXTS = [
  ...["", "abc", "hello world", "ohmytext", "mynewtext", "abcbdab", "bdcaba", "aabbab", "\x00"],
  ...["\xff", "\xff\xf0\x00", "\x00\xff\xf0", "\r\n", "x".repeat(44), "x".repeat(45), "\xaa\x55"],
  ...["\x00".repeat(10), "\xff".repeat(9), "The quick brown fox jumps over the lazy dog, twice"],
];

const PAST_TIMES = ["1", "1000", "1000000000"];
const BAD_TIMES = [
  ...["0", "-1", "abc", "", "1.5", "1 ", "-9223372036854775808", "-9223372036854775", "-10000"],
  ...["99999999999999999999"],
];
/** Too late when counted in seconds or from now. */
const LATE_TIMES = ["9223372036854775807", "9223372036854775800"];
/** From the year 2100 on, all later than any relative time here; none beyond 2^53 ms (NOT_GENERATED). */
const FUTURE_TIMES = {
  seconds: ["4102444800", "4102444801", "9999999999", "9007199254739", "9007199254740"],
  milliseconds: ["4102444800000", "4102444801499", "4102444801500", "9007199254740991"],
} as const satisfies Record<Unit, readonly string[]>;

export class Material {
  readonly random: Random;
  #relativeTimeCount = 0;

  constructor(random: Random) {
    this.random = random;
  }

  key(): string {
    return this.random.pick(this.random.chance(0.85) ? COMMON_KEYS : RARE_KEYS);
  }

  keys(least: number, most: number): string[] {
    return this.list(least, most, () => this.key());
  }

  value(): string {
    const random = this.random;
    return random
      .weighted([
        { weight: 4, make: () => random.pick(INTEGERS) },
        { weight: 2, make: () => random.pick(NOT_INTEGERS) },
        { weight: 2, make: () => random.pick(FLOATS) },
        { weight: 4, make: () => random.pick(TEXTS) },
        { weight: 2, make: () => this.word("ab") },
      ])
      .make();
  }

  /** A random text over a small alphabet: what LCS finds common parts in. */
  word(alphabet: string): string {
    return this.list(0, 14, () => this.random.pick([...alphabet])).join("");
  }

  integer(): string {
    return this.random.pick(this.random.chance(0.85) ? INTEGERS : NOT_INTEGERS);
  }

  float(): string {
    return this.random.pick(this.random.chance(0.85) ? FLOATS : NOT_FLOATS);
  }

  /** A position in a short string: mostly inside it, from either end. */
  index(): string {
    return this.random.chance(0.75) ? String(this.random.integer(-12, 14)) : this.integer();
  }

  /** A time to live counted from now. */
  relativeTime(unit: Unit): string {
    if (this.random.chance(0.12)) return this.random.pick([...BAD_TIMES, ...LATE_TIMES]);
    const seconds = (1_000 + 10 * ++this.#relativeTimeCount) * this.random.pick([1, 1_000]);
    return String(unit === "seconds" ? seconds : seconds * 1_000 + this.random.pick([0, 1, 499]));
  }

  /** A moment since 1970: far ahead, long past, or refused. */
  absoluteTime(unit: Unit): string {
    return this.random.pick(
      this.random.weighted([
        { weight: 7, times: FUTURE_TIMES[unit] },
        { weight: 2, times: PAST_TIMES },
        { weight: 1, times: unit === "seconds" ? [...BAD_TIMES, ...LATE_TIMES] : BAD_TIMES },
      ]).times,
    );
  }

  /** Up to `most` options drawn from the choices: in any order, repeated, contradictory. */
  options(choices: readonly (() => string[])[], most: number): string[] {
    return this.list(0, most, () => this.random.pick(choices)()).flat();
  }

  list<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: this.random.integer(least, most) }, make);
  }

  /** The keyword in upper case, or (a quarter of the time) in lower or mixed case. */
  keyword(word: string): string {
    if (this.random.chance(0.75)) return word;
    if (this.random.chance(0.5)) return word.toLowerCase();
    return [...word].map((c) => (this.random.chance(0.5) ? c.toLowerCase() : c)).join("");
  }
}
