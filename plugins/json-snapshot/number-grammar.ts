/**
 * The numbers of JSON (RFC 8259) as a table, so that one may be cut anywhere and read on:
 *
 *   -? (0 | [1-9][0-9]*) (\. [0-9]+)? ([eE] [+-]? [0-9]+)?
 */

// States: what was read last.
const N_MINUS = 1;
const N_ZERO = 2;
const N_WHOLE = 3;
const N_POINT = 4;
const N_FRACTION = 5;
const N_E = 6;
const N_SIGN = 7;
const N_EXPONENT = 8;
/** The number ended before this byte. */
export const NUMBER_ENDS = 0;
/** This byte is wrong. */
export const NUMBER_WRONG = 9;

/** NUMBER_STEPS[state * 256 + byte] is the state behind the byte. */
export const NUMBER_STEPS = numberSteps();

function numberSteps(): Uint8Array {
  const steps = new Uint8Array(10 * 256);
  const allow = (from: readonly number[], bytes: string, to: number): void => {
    for (const state of from) for (const byte of Buffer.from(bytes)) steps[state * 256 + byte] = to;
  };
  for (const unfinished of [N_MINUS, N_POINT, N_E, N_SIGN]) {
    steps.fill(NUMBER_WRONG, unfinished * 256, unfinished * 256 + 256);
  }
  allow([N_MINUS], "0", N_ZERO);
  allow([N_MINUS], "123456789", N_WHOLE);
  allow([N_WHOLE], "0123456789", N_WHOLE);
  allow([N_ZERO, N_WHOLE], ".", N_POINT);
  allow([N_POINT, N_FRACTION], "0123456789", N_FRACTION);
  allow([N_ZERO, N_WHOLE, N_FRACTION], "eE", N_E);
  allow([N_E], "+-", N_SIGN);
  allow([N_E, N_SIGN, N_EXPONENT], "0123456789", N_EXPONENT);
  return steps;
}

/** The state behind the first byte, which is a minus or a digit. */
export function firstStateOfNumber(byte: number): number {
  if (byte === 0x2d) return N_MINUS;
  return byte === 0x30 ? N_ZERO : N_WHOLE;
}
