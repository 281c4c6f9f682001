/** The text that bytes mean as UTF-8, to the letter: a mark at the front stays. */
import { isUtf8 } from "node:buffer";

/** Undefined: they are not UTF-8. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString() : undefined;
}
