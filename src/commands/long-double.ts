/**
 * The 80-bit floats of x86 ("long double") in which Redis computes INCRBYFLOAT and HINCRBYFLOAT:
 * read, added and printed exactly as its server does, so that stored values, replies and the
 * journal agree with it byte for byte. Not for scores, which are doubles (store/number-text.ts).
 *
 * A finite number is an integer times a power of two, in a BigInt:
 *
 *   value = mantissa × 2^exponent      |mantissa| ≤ 2^64, at most 64 significant bits
 *                                      exponent ≥ -16445, |value| < 2^16384
 *   0.1   = 14757395258967641293 × 2^-67
 *
 * Invariant: every value of this module is one that the 80-bit format holds; only parse and add
 * round, each once, to the nearest and from a tie to the even mantissa. Zero has no sign, as no
 * text made here shows it.
 */

import {
  type Binary,
  binaryFromHex,
  bitLength,
  type FiniteFloatText,
  roundBinary,
  shiftRightHalfEven,
  splitFloatText,
} from "../store/number-text.ts";

export type LongDouble =
  | { readonly kind: "finite"; readonly mantissa: bigint; readonly exponent: number }
  | { readonly kind: "infinity"; readonly negative: boolean }
  | { readonly kind: "nan" };

const MANTISSA_BITS = 64;

/** Exponent of the last bit of the smallest denormal. */
const LEAST_EXPONENT = -16445;

/** Finite values are under 2 to this power. */
const END_EXPONENT = 16384;

/**
 * Longest text that Redis reads: its buffer MAX_LONG_DOUBLE_CHARS (5 KiB) less the closing zero
 * byte.
 */
const MAX_TEXT_LENGTH = 5 * 1024 - 1;

/**
 * The largest value is 1.19e4932, and half of the smallest 1.8e-4951: a decimal 0.ddd…d × 10^x with
 * d ≠ 0 in front is too big or rounds to zero when x is outside of these. They bound the powers of
 * ten that are computed.
 */
const MAX_DECIMAL_EXPONENT = 4933;
const MIN_DECIMAL_EXPONENT = -4950;

/**
 * Bits of a quotient: the mantissa's, one to round by, and a spare one, as the divisor's bits are
 * estimated.
 */
const QUOTIENT_BITS = MANTISSA_BITS + 2;

/** Places behind the point that Redis prints: "%.17Lf", then it cuts the trailing zeros. */
const PRINTED_PLACES = 17;
const PRINTED_UNIT = 10n ** BigInt(PRINTED_PLACES);

const ZERO: LongDouble = { kind: "finite", mantissa: 0n, exponent: 0 };

/**
 * Redis's string2ld, that is C's strtold over the whole text: decimals with exponent, hexadecimal
 * floats, "inf" and "infinity". Null ("ERR value is not a valid float") for anything else: "nan",
 * spaces, 5120 bytes and more, a number too big for the format, and one that is not zero but rounds
 * to zero.
 */
export function parseLongDouble(text: string): LongDouble | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  const parts = splitFloatText(text);
  if (parts === null) return null;
  if (parts.kind === "infinity") return parts;
  if (parts.digits === "") return ZERO;
  const value = parts.base === 2 ? round(binaryFromHex(parts)) : roundDecimal(parts);
  if (value.kind !== "finite" || value.mantissa === 0n) return null;
  return parts.negative ? { ...value, mantissa: -value.mantissa } : value;
}

/**
 * The sum, rounded once. Infinity when it leaves the format or an operand is infinite, NaN for
 * opposite infinities: the commands answer both with "ERR increment would produce NaN or Infinity".
 */
export function addLongDouble(a: LongDouble, b: LongDouble): LongDouble {
  if (a.kind === "nan" || b.kind === "nan") return { kind: "nan" };
  if (a.kind === "infinity") {
    return b.kind === "infinity" && a.negative !== b.negative ? { kind: "nan" } : a;
  }
  if (b.kind === "infinity") return b;
  const exponent = Math.min(a.exponent, b.exponent);
  // Exact, and at most 33 000 bits long: the two ends of the format.
  const sum =
    (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  const magnitude = round({ mantissa: sum < 0n ? -sum : sum, exponent });
  if (magnitude.kind === "infinity") return { kind: "infinity", negative: sum < 0n };
  if (magnitude.kind === "nan" || sum >= 0n) return magnitude;
  return { ...magnitude, mantissa: -magnitude.mantissa };
}

/**
 * Redis's LD_STR_HUMAN: all digits before the point, up to 17 behind it without trailing zeros,
 * never an exponent and never "-0". So a value under 5e-18 is printed, and stored, as "0".
 */
export function formatLongDouble(value: LongDouble): string {
  if (value.kind === "nan") return "nan";
  if (value.kind === "infinity") return value.negative ? "-inf" : "inf";
  const magnitude = value.mantissa < 0n ? -value.mantissa : value.mantissa;
  const sign = value.mantissa < 0n ? "-" : "";
  if (value.exponent >= 0) return sign + String(magnitude << BigInt(value.exponent));
  const scaled = shiftRightHalfEven(magnitude * PRINTED_UNIT, -value.exponent);
  if (scaled === 0n) return "0";
  const digits = String(scaled).padStart(PRINTED_PLACES + 1, "0");
  const fraction = digits.slice(-PRINTED_PLACES).replace(/0+$/, "");
  return sign + digits.slice(0, -PRINTED_PLACES) + (fraction === "" ? "" : `.${fraction}`);
}

/** Rounds a value ≥ 0 into the format. */
function round(exact: Binary): LongDouble {
  if (exact.mantissa === 0n) return ZERO;
  const { mantissa, exponent } = roundBinary(exact, MANTISSA_BITS, LEAST_EXPONENT);
  if (mantissa === 0n) return ZERO;
  const nearTheEnd = exponent > END_EXPONENT - MANTISSA_BITS - 1;
  if (nearTheEnd && bitLength(mantissa) + exponent > END_EXPONENT) {
    return { kind: "infinity", negative: false };
  }
  return { kind: "finite", mantissa, exponent };
}

/**
 * Rounds the magnitude of a decimal text; its power of ten is bounded first, and so is the work.
 */
function roundDecimal(parts: FiniteFloatText): LongDouble {
  const scale = parts.exponent;
  const decimalExponent = parts.digits.length + scale;
  if (decimalExponent > MAX_DECIMAL_EXPONENT) return { kind: "infinity", negative: false };
  if (decimalExponent < MIN_DECIMAL_EXPONENT) return ZERO;
  const digits = BigInt(parts.digits);
  if (scale >= 0) return round({ mantissa: digits * powerOfTen(scale), exponent: 0 });
  const divisor = powerOfTen(-scale);
  // Shifted so that the quotient has enough bits; of the remainder only "not zero" matters, and
  // becomes its last bit.
  const shift = QUOTIENT_BITS + Math.ceil(-scale * Math.log2(10));
  const shifted = digits << BigInt(shift);
  const quotient = shifted / divisor;
  const inexact = quotient * divisor === shifted ? 0n : 1n;
  return round({ mantissa: (quotient << 1n) | inexact, exponent: -shift - 1 });
}

/** Amounts and measurements have few places: their powers need not be computed each time. */
const FREQUENT_POWERS = Array.from({ length: 32 }, (_, exponent) => 10n ** BigInt(exponent));

function powerOfTen(exponent: number): bigint {
  return FREQUENT_POWERS[exponent] ?? 10n ** BigInt(exponent);
}
