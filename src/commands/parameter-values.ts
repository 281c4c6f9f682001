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

/** A whole number from `least` to `most`, both included. Throws a CommandError. */
export function readWholeNumber(text: string, least: number, most: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) {
    throw new CommandError("ERR", "argument couldn't be parsed into an integer");
  }
  if (value < least || value > most) {
    throw new CommandError("ERR", `argument must be between ${least} and ${most} inclusive`);
  }
  return value;
}
