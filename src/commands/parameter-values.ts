/**
 * Values of CONFIG SET in Redis's spelling, refused in Redis's words: for the `set` of a parameter,
 * be it kvdb's own or a plugin's, so that a client is told the same by all of them.
 */
import { CommandError } from "./command-error.ts";
import { parseMemorySize } from "./memory-size.ts";

/** Bytes: `1048576`, `100mb`; see memory-size.ts. Throws a CommandError. */
export function readMemorySize(text: string): number {
  const bytes = parseMemorySize(text);
  if (bytes === undefined) throw new CommandError("ERR", "argument must be a memory value");
  return bytes;
}

/** Where Redis has no bound but that of its integers, of 64 bits. */
export const NO_BOUND = 2 ** 63;

/** A whole number from `least` to `most`, both included. Throws a CommandError. */
export function readWholeNumber(text: string, least: number, most: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) {
    throw new CommandError("ERR", "argument couldn't be parsed into an integer");
  }
  if (value < least || value > most) {
    const range = `between ${least} and ${showWholeNumber(most)}`;
    throw new CommandError("ERR", `argument must be ${range} inclusive`);
  }
  return value;
}

/** NO_BOUND is the highest of 64 bits, which no double is. */
export function showWholeNumber(value: number): string {
  return value === NO_BOUND ? "9223372036854775807" : String(value);
}

/** Throws a CommandError. */
export function readYesNo(text: string): boolean {
  const word = text.toLowerCase();
  if (word === "yes") return true;
  if (word === "no") return false;
  throw new CommandError("ERR", "argument must be 'yes' or 'no'");
}
