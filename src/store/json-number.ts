/**
 * Numbers in JSON documents, as their text: which are integers, and arithmetic on them. An integer is computed exactly, up
 * to 64 bits, and stays one with another; all else is computed in doubles and written as RedisJSON does.
 */

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/** Digits that are below 2^63 whatever they are. */
const SURELY_64_BITS = 18;

/** Whether the number counts as an integer: no fraction, no exponent, and within 64 bits, signed or not. */
export function isInteger(text: string): boolean {
  if (!/^-?[0-9]+$/.test(text) || text === "-0") return false;
  if (text.length <= SURELY_64_BITS) return true;
  const value = BigInt(text);
  return value >= INT64_MIN && value <= UINT64_MAX;
}

/** A result, or why there is none: too large an integer, or no number at all. */
export type Outcome =
  | { readonly text: string; readonly value: number | bigint; readonly isDouble: boolean }
  | "overflow"
  | "not finite";

/** Adds or multiplies two numbers of JSON. */
export function compute(left: string, operator: "+" | "*", right: string): Outcome {
  if (SMALL.test(left) && SMALL.test(right)) {
    const outcome = computeSmall(Number(left), operator, Number(right));
    if (outcome !== null) return outcome;
  }
  // -0 is a double only because no integer is so written; as an operand it is the integer that it equals.
  if (isExact(left) && isExact(right)) return computeExactly(BigInt(left), operator, BigInt(right));
  const value = operator === "+" ? Number(left) + Number(right) : Number(left) * Number(right);
  if (!Number.isFinite(value)) return "not finite";
  return { text: formatJsonDouble(value), value, isDouble: true };
}

function isExact(text: string): boolean {
  return /^-?[0-9]+$/.test(text) && text.length <= MAX_EXACT_DIGITS;
}

/** Far more than 64 bits have; an integer of a million digits would cost seconds. */
const MAX_EXACT_DIGITS = 100;

/** Nearly all integers: their sums, and most products, are exact as they are. */
const SMALL = /^-?[0-9]{1,15}$/;

function computeSmall(left: number, operator: "+" | "*", right: number): Outcome | null {
  const value = operator === "+" ? left + right : left * right;
  if (!Number.isSafeInteger(value)) return null;
  // Minus zero times something has no sign as an integer.
  return { text: String(value), value: value + 0, isDouble: false };
}

function computeExactly(left: bigint, operator: "+" | "*", right: bigint): Outcome {
  const value = operator === "+" ? left + right : left * right;
  if (value < INT64_MIN || value > INT64_MAX) return "overflow";
  return { text: String(value), value, isDouble: false };
}

/**
 * A double as RedisJSON writes it: the shortest digits that mean it, always with a fraction or an exponent (2.0, 1e16), and
 * an exponent from 10^16 on and below 10^-5.
 */
export function formatJsonDouble(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa, exponentText] = Math.abs(value).toExponential().split("e");
  const sign = value < 0 ? "-" : "";
  const digits = mantissa.replace(".", "");
  /** Digits before the point, when it is written without an exponent. */
  const before = Number(exponentText) + 1;
  if (before > 16 || before <= -5) return `${sign}${mantissa}e${before - 1}`;
  if (before <= 0) return `${sign}0.${"0".repeat(-before)}${digits}`;
  if (digits.length <= before) return `${sign}${digits.padEnd(before, "0")}.0`;
  return `${sign}${digits.slice(0, before)}.${digits.slice(before)}`;
}
