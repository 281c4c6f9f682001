/** The parts of a command that a program gives, as they are sent. */
import { KvdbError } from "../errors.ts";

export function bytesOf(part: unknown, index: number): string | Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (typeof part === "bigint" || (typeof part === "number" && !Number.isNaN(part))) {
    return String(part);
  }
  if (typeof part === "string" && part.isWellFormed()) return part;
  const found = typeof part === "string" ? "half of a surrogate pair" : typeof part;
  throw new KvdbError("USAGE", `part ${index} of the command: expected a string, found ${found}`);
}
