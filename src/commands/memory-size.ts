/**
 * Sizes in Redis's spelling, as in its configuration file: a number of bytes, or a number with a
 * unit. `k` is 1000 and `kb` is 1024, likewise `m`/`mb` and `g`/`gb`; letters may be large or
 * small. Fractions and signs are not allowed.
 */
const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
};

/**
 * The same rule for a JSON Schema, which has no flag for "case does not matter". It also bounds the
 * digits, so that what it lets through is at most 1.08e15 bytes and counted exactly in a double.
 */
export const MEMORY_SIZE_PATTERN =
  "^([0-9]{1,15}[bB]?|[0-9]{1,12}[kK][bB]?|[0-9]{1,9}[mM][bB]?|[0-9]{1,6}[gG][bB]?)$";

/** The same, or a percentage. */
export const MEMORY_SHARE_PATTERN = `${MEMORY_SIZE_PATTERN.slice(0, -2)}|([0-9]|[1-9][0-9]|100)%)$`;

/** Bytes, or undefined when the text is not a size or is beyond what a double counts exactly. */
export function parseMemorySize(text: string): number | undefined {
  const match = /^(\d{1,15})([a-z]*)$/.exec(text.toLowerCase());
  if (match === null) return undefined;
  const unit = UNIT_BYTES[match[2]];
  if (unit === undefined) return undefined;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
