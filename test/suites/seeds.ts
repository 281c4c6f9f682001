/**
 * The seeds of a randomised test: the same few in each run, so that a failure repeats; more with KVDB_TEST_LONG; the one
 * of a failure with KVDB_TEST_SEED. A test that uses them shows the seed in its name.
 */
const LONG_FACTOR = 20;

export function seeds(count: number): number[] {
  const chosen = process.env["KVDB_TEST_SEED"];
  if (chosen !== undefined) return [Number(chosen)];
  const factor = process.env["KVDB_TEST_LONG"] === undefined ? 1 : LONG_FACTOR;
  return Array.from({ length: count * factor }, (_, index) => index + 1);
}
