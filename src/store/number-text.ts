/**
 * Numbers as text, read from and written into bytes: the integers and doubles of commands, values
 * and scores. Not the 80-bit floats of INCRBYFLOAT (commands/long-double.ts), which share the
 * grammar and the rounding at the end of this file.
 *
 * Invariant: a text is accepted exactly when redis-server 7.0 accepts it, whole, with nothing
 * before or after it; and what an integer writer writes, the integer parser reads back. No string
 * is made for integers and plain decimals.
 */

const ZERO = 48;
const MINUS = 45;
const PLUS = 43;
const DOT = 46;
const LOWER_E = 101;

/** Digits that always fit 32-bit arithmetic, which the JIT compiles without doubles. */
const INT32_DIGITS = 9;
const INT32_SPLIT = 1e9;

/** Digits of the largest int64, 9223372036854775807. */
const INT64_DIGITS = 19;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const INTEGER = /^(?:0|-?[1-9]\d*)$/;

/**
 * Powers of ten that a double holds exactly: with an exact mantissa, one division rounds once, so
 * correctly.
 */
const EXACT_POWERS = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/**
 * Redis's string2ll: an optional "-", then digits without leading zeros; no "+", no space, no "-0";
 * within int64.
 *
 * NaN when the text is not of this form. Beyond ±(2^53 - 1) the nearest double: a caller that must
 * be exact there asks `Number.isSafeInteger` and then `parseInt64`.
 */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return Number.NaN;
  const negative = bytes[start] === MINUS;
  const first = negative ? start + 1 : start;
  const count = end - first;
  if (count <= 0 || count > INT64_DIGITS) return Number.NaN;
  let value = bytes[first] - ZERO;
  if (value < 1 || value > 9) return value === 0 && count === 1 && !negative ? 0 : Number.NaN;
  const headEnd = count > INT32_DIGITS ? first + INT32_DIGITS : end;
  for (let at = first + 1; at < headEnd; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = (value * 10 + digit) | 0;
  }
  if (headEnd !== end) return parseLongInteger(bytes, start, end, value);
  return negative ? -value : value;
}

/** The rest of parseInteger for 10 to 19 digits, the first nine of which are `head`. */
function parseLongInteger(bytes: Uint8Array, start: number, end: number, head: number): number {
  const negative = bytes[start] === MINUS;
  let value = head;
  for (let at = start + (negative ? 1 : 0) + INT32_DIGITS; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  // Rounding never brings a sum back under the bound, so a value under it was exact all the way.
  if (value <= Number.MAX_SAFE_INTEGER) return negative ? -value : value;
  const exact = parseInt64(bytes, start, end);
  return exact === null ? Number.NaN : Number(exact);
}

/**
 * The grammar of `parseInteger`, exact over the whole of int64; null when the text is not of this
 * form.
 */
export function parseInt64(bytes: Uint8Array, start: number, end: number): bigint | null {
  if (end - start > INT64_DIGITS + 1) return null;
  const text = latin1(bytes, start, end);
  if (!INTEGER.test(text)) return null;
  const value = BigInt(text);
  return value >= INT64_MIN && value <= INT64_MAX ? value : null;
}

/**
 * Writes the decimal digits of an integer at `at`; returns the offset behind them. -0 is written as
 * 0; what `parseInteger` had to round, as an int64 that it reads as the same double.
 */
export function writeInteger(target: Uint8Array, at: number, value: number): number {
  // Most are lengths and counts of one digit.
  if (value >= 0 && value < 10) {
    target[at] = ZERO + (value | 0);
    return at + 1;
  }
  if (value < 0) {
    target[at++] = MINUS;
    value = -value;
  }
  if (value < INT32_SPLIT) {
    const end = at + digitCount(value | 0);
    writeDigits(target, at, end, value | 0);
    return end;
  }
  if (value > Number.MAX_SAFE_INTEGER) return writeAscii(target, at, String(nearestInt64(value)));
  const high = quotientByBillion(value);
  const middle = at + digitCount(high);
  writeDigits(target, at, middle, high);
  writeDigits(target, middle, middle + INT32_DIGITS, (value - high * INT32_SPLIT) | 0);
  return middle + INT32_DIGITS;
}

/** The int64 that is nearest to an integer: the double next to the largest one is 2^63, too large itself. */
export function nearestInt64(value: number): bigint {
  const exact = BigInt(value);
  return exact > INT64_MAX ? INT64_MAX : exact < INT64_MIN ? INT64_MIN : exact;
}

function writeAscii(target: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** How many bytes `writeInteger` writes. */
export function integerLength(value: number): number {
  const sign = value < 0 ? 1 : 0;
  const magnitude = value < 0 ? -value : value;
  if (magnitude < INT32_SPLIT) return sign + digitCount(magnitude | 0);
  if (magnitude > Number.MAX_SAFE_INTEGER) return sign + String(nearestInt64(magnitude)).length;
  return sign + digitCount(quotientByBillion(magnitude)) + INT32_DIGITS;
}

/**
 * floor(value / 10^9) of a safe integer. The quotient is under 2^24, where half a unit in the last
 * place is less than the 10^-9 by which it may miss an integer: the division never rounds up to
 * one.
 */
function quotientByBillion(value: number): number {
  return Math.floor(value / INT32_SPLIT) | 0;
}

/**
 * Digits of an integer from 0 to 10^9 - 1. Small numbers are the frequent ones: counts, indexes,
 * small counters.
 */
function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10000) return 4;
  if (value < 100000) return 5;
  if (value < 1000000) return 6;
  if (value < 10000000) return 7;
  return value < 100000000 ? 8 : 9;
}

/** Fills [start, end) with the digits of `value`, from the last one backwards, zeros in front. */
function writeDigits(target: Uint8Array, start: number, end: number, value: number): void {
  for (let at = end - 1; at >= start; at--) {
    const rest = (value / 10) | 0;
    target[at] = ZERO + value - rest * 10;
    value = rest;
  }
}

/**
 * Redis's reading of a double (strtod over the whole text): decimals with exponent, C's hexadecimal
 * floats, "inf" and "infinity" in any case and with a sign. Denormals are accepted.
 *
 * NaN when refused: anything else, "nan" in each spelling, a finite text beyond the doubles
 * ("1e400"), and one other than zero that is rounded to zero ("1e-400").
 */
export function parseFloatText(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return Number.NaN;
  const sign = bytes[start];
  const first = sign === MINUS || sign === PLUS ? start + 1 : start;
  let mantissa = 0;
  let pointAt = -1;
  let at = first;
  for (; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit >= 0 && digit <= 9) mantissa = mantissa * 10 + digit;
    else if (bytes[at] === DOT && pointAt < 0) pointAt = at;
    else break;
  }
  const places = pointAt < 0 ? 0 : at - pointAt - 1;
  const digits = at - first - (pointAt < 0 ? 0 : 1);
  const scale = (at < end ? parseExponent(bytes, at, end) : 0) - places;
  const exact = mantissa <= Number.MAX_SAFE_INTEGER && Math.abs(scale) < EXACT_POWERS.length;
  if (digits === 0 || !exact) return parseAnyFloat(latin1(bytes, start, end));
  const value = scale < 0 ? mantissa / EXACT_POWERS[-scale] : mantissa * EXACT_POWERS[scale];
  return sign === MINUS ? -value : value;
}

/**
 * The exponent from its "e" to the end; NaN when it is none, or too long to lead to an exact power
 * of ten.
 */
function parseExponent(bytes: Uint8Array, start: number, end: number): number {
  if ((bytes[start] | 0x20) !== LOWER_E) return Number.NaN;
  const sign = bytes[start + 1];
  const first = sign === MINUS || sign === PLUS ? start + 2 : start + 1;
  if (first >= end || end - first > INT32_DIGITS) return Number.NaN;
  let exponent = 0;
  for (let at = first; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    exponent = exponent * 10 + digit;
  }
  return sign === MINUS ? -exponent : exponent;
}

function parseAnyFloat(text: string): number {
  const parts = splitFloatText(text);
  if (parts === null) return Number.NaN;
  if (parts.kind === "infinity") return parts.negative ? -Infinity : Infinity;
  const value = parts.base === 10 ? Number(text) : doubleFromBinary(parts);
  const outOfRange = !Number.isFinite(value) || (value === 0 && parts.digits !== "");
  return outOfRange ? Number.NaN : value;
}

/** Bits of a double's mantissa, and the exponent of the last bit of its smallest denormal. */
const DOUBLE_BITS = 53;
const DOUBLE_LEAST_EXPONENT = -1074;
const DOUBLE_END_EXPONENT = 1024;

function doubleFromBinary(parts: FiniteFloatText): number {
  const exact = binaryFromHex(parts);
  const { mantissa, exponent } = roundBinary(exact, DOUBLE_BITS, DOUBLE_LEAST_EXPONENT);
  const overflow = mantissa !== 0n && bitLength(mantissa) + exponent > DOUBLE_END_EXPONENT;
  const value = mantissa === 0n ? 0 : overflow ? Infinity : Number(mantissa) * 2 ** exponent;
  return parts.negative ? -value : value;
}

/** Digits of "%.17g": enough to tell any two doubles apart. */
const DOUBLE_DIGITS = 17;

/**
 * A double as redis-server 7.0 replies it: C's "%.17g", with "inf", "-inf" and "nan". So 0.1 is
 * "0.10000000000000001", 1e21 is "1e+21", 1e16 all digits, and minus zero "-0".
 */
export function formatDouble(value: number): string {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? "-0" : String(value);
  if (isShortBinary(value)) return String(value);
  const magnitude = Math.abs(value);
  // In this range both C and JavaScript write 17 digits without an exponent, and with a point.
  if (magnitude >= 1e-4 && magnitude < 1e16 && !mayBeTie(magnitude)) {
    return withoutTrailingZeros(value.toPrecision(DOUBLE_DIGITS));
  }
  if (Number.isNaN(value)) return "nan";
  const sign = value < 0 ? "-" : "";
  if (magnitude === Infinity) return `${sign}inf`;
  const text = seventeenDigits(magnitude);
  const mark = text.indexOf("e");
  const exponent = Number(text.slice(mark + 1));
  const digits = withoutTrailingZeros(text.slice(0, mark)).replace(".", "");
  return sign + placePoint(digits, exponent);
}

/**
 * Halves, quarters and so on: at most 5 + 10 digits are their exact value, so the shortest text,
 * which JavaScript writes, and that of 17 digits are one. Many scores are such numbers, and the
 * long way costs ten times as much.
 */
function isShortBinary(value: number): boolean {
  return value > -1e5 && value < 1e5 && Number.isInteger(value * 1024);
}

/**
 * Cuts the zeros at the end of a text with a point, and the point when nothing is left behind it.
 */
function withoutTrailingZeros(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === ZERO) end--;
  if (text.charCodeAt(end - 1) === DOT) end--;
  return text.slice(0, end);
}

/**
 * Whether the value may lie halfway between two texts of 17 digits, that is have exactly 18 digits,
 * the last one a 5. Such a number n × 10^x has x < 0, or n, odd and over 2^53, would have to fit
 * the mantissa; and x ≥ -25, as the 18 digits of n have a factor 5 for each binary place.
 */
function mayBeTie(magnitude: number): boolean {
  return magnitude < 2 ** 53 && Number.isInteger(magnitude * 2 ** 25);
}

/** More digits than a number that may be a tie has: 16 before the point, 25 behind it. */
const TIE_DIGITS = 41;

/**
 * `magnitude` as d.dddddddddddddddde±x, a tie rounded to the even digit as C does; toExponential
 * rounds it up.
 */
function seventeenDigits(magnitude: number): string {
  const rounded = magnitude.toExponential(DOUBLE_DIGITS - 1);
  if (!mayBeTie(magnitude)) return rounded;
  const exact = magnitude.toExponential(TIE_DIGITS);
  const kept = exact.slice(0, DOUBLE_DIGITS + 1);
  const mark = exact.indexOf("e");
  const isTie = /^50*$/.test(exact.slice(DOUBLE_DIGITS + 1, mark));
  const lastIsEven = Number(kept[DOUBLE_DIGITS]) % 2 === 0;
  return isTie && lastIsEven ? kept + exact.slice(mark) : rounded;
}

/** The layout of "%g": `digits` with a point behind the first one, times 10^exponent. */
function placePoint(digits: string, exponent: number): string {
  if (exponent < -4 || exponent >= DOUBLE_DIGITS) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    const power = String(Math.abs(exponent)).padStart(2, "0");
    return `${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${power}`;
  }
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return digits.length > exponent + 1 ? `${whole}.${digits.slice(exponent + 1)}` : whole;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/**
 * A float's text taken apart: digits × base^exponent. `digits` has no leading zeros, so it is ""
 * for zero; they are decimal for base 10 and hexadecimal for base 2.
 */
export interface FiniteFloatText {
  readonly kind: "finite";
  readonly negative: boolean;
  readonly base: 2 | 10;
  readonly digits: string;
  readonly exponent: number;
}

export type FloatText = FiniteFloatText | { readonly kind: "infinity"; readonly negative: boolean };

/**
 * An exponent beyond this is cut to it: more than the longest text has digits, and exact in a
 * double.
 */
const MAX_EXPONENT = 1e12;

// No two neighbours of these patterns can take the same character, so a long text costs one pass.
const DECIMAL = /^(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?$/;
const HEXADECIMAL =
  /^0[xX](?:([\da-fA-F]+)(?:\.([\da-fA-F]*))?|\.([\da-fA-F]+))(?:[pP]([+-]?\d+))?$/;
const INFINITY = /^inf(?:inity)?$/i;

/**
 * The grammar of C's strtod and strtold for the whole text; null when it is not of this form, and
 * for "nan", which Redis refuses wherever it reads a float.
 */
export function splitFloatText(text: string): FloatText | null {
  const negative = text.startsWith("-");
  const body = negative || text.startsWith("+") ? text.slice(1) : text;
  const decimal = DECIMAL.exec(body);
  const match = decimal ?? HEXADECIMAL.exec(body);
  if (match === null) return INFINITY.test(body) ? { kind: "infinity", negative } : null;
  const base = decimal === null ? 2 : 10;
  const fraction = match[2] ?? match[3] ?? "";
  const placesPerDigit = base === 2 ? 4 : 1;
  return {
    kind: "finite",
    negative,
    base,
    digits: ((match[1] ?? "") + fraction).replace(/^0+/, ""),
    exponent: clampedExponent(match[4] ?? "0") - fraction.length * placesPerDigit,
  };
}

function clampedExponent(text: string): number {
  return Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, Number(text)));
}

/** mantissa × 2^exponent, mantissa ≥ 0. */
export interface Binary {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/**
 * Hexadecimal digits read into an integer: 128 bits are more than a double or an 80-bit float
 * keeps, and bound the work. What is cut off can only decide a tie, so one bit that says "not zero"
 * stands for it.
 */
const HEX_DIGITS_READ = 32;

/**
 * The value of a hexadecimal float's text, exact but for a tail that no rounding to 64 bits can
 * see.
 */
export function binaryFromHex(parts: FiniteFloatText): Binary {
  const head = parts.digits.slice(0, HEX_DIGITS_READ);
  const tail = parts.digits.slice(HEX_DIGITS_READ);
  const sticky = /[^0]/.test(tail) ? 1n : 0n;
  const mantissa = (BigInt(`0x0${head}`) << 1n) | sticky;
  return { mantissa, exponent: parts.exponent + tail.length * 4 - 1 };
}

/**
 * Rounds to at most `precision` significant bits, none under 2^leastExponent, a tie to the even
 * neighbour.
 */
export function roundBinary(value: Binary, precision: number, leastExponent: number): Binary {
  const { mantissa, exponent } = value;
  const excess = Math.max(bitLength(mantissa) - precision, leastExponent - exponent);
  if (excess <= 0) return value;
  return { mantissa: shiftRightHalfEven(mantissa, excess), exponent: exponent + excess };
}

/**
 * value / 2^bits for value ≥ 0 and bits > 0, rounded to the nearest integer, a tie to the even one.
 */
export function shiftRightHalfEven(value: bigint, bits: number): bigint {
  const shift = BigInt(bits - 1);
  const twice = value >> shift;
  const kept = twice >> 1n;
  if ((twice & 1n) === 0n) return kept;
  const isTie = twice << shift === value;
  return isTie && (kept & 1n) === 0n ? kept : kept + 1n;
}

/** Significant bits of a value ≥ 0; 0 for zero. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0], 16)) + 28;
}
