/**
 * An error reply thrown by a command that nothing was changed by: the gate turns it into the reply. And Redis's texts
 * that many commands share.
 */
import type { Arguments } from "./arguments.ts";

export class CommandError extends Error {
  readonly code: string;

  constructor(code: string, text: string) {
    super(text);
    this.name = "CommandError";
    this.code = code;
  }
}

export const syntaxError = () => new CommandError("ERR", "syntax error");
export const notAnInteger = () =>
  new CommandError("ERR", "value is not an integer or out of range");
export const notAFloat = () => new CommandError("ERR", "value is not a valid float");
export const noSuchKey = () => new CommandError("ERR", "no such key");
export const wrongType = () =>
  new CommandError("WRONGTYPE", "Operation against a key holding the wrong kind of value");

/** An argument as errors quote it: as Redis prints a C string, only what stands before a zero byte; at most `limit` bytes. */
export function shownArgument(
  args: Arguments,
  index: number,
  limit = Number.POSITIVE_INFINITY,
): string {
  const text = args.latin(index);
  const zero = text.indexOf("\0");
  return (zero < 0 ? text : text.slice(0, zero)).slice(0, limit);
}
