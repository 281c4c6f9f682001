/**
 * The arguments of this process as bytes. Bun decodes them and puts U+FFFD where they are no UTF-8, so
 * a word in Latin-1 arrives as another one; only the system still has what was typed.
 */
import { isUtf8 } from "node:buffer";
import * as fs from "node:fs";

const AS_THEY_WERE = "/proc/self/cmdline";

/** Where the system does not tell, they are taken as they came. */
export function argumentsAreUtf8(): boolean {
  return !fs.existsSync(AS_THEY_WERE) || isUtf8(fs.readFileSync(AS_THEY_WERE));
}
