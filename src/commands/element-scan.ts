/**
 * What SSCAN and its kin have in common: `key cursor [MATCH pattern] [COUNT count]`, and as answer the next cursor and some
 * elements. A collection that is packed is answered whole.
 */
import type { Arguments } from "./arguments.ts";
import { syntaxError } from "./command-error.ts";
import { patternAt, scanCount } from "./scan.ts";

const DEFAULT_COUNT = 10;

export interface ElementScan {
  readonly count: number;
  /** Its argument; 0: everything matches. */
  readonly pattern: number;
}

export function elementScan(args: Arguments): ElementScan {
  let count = DEFAULT_COUNT;
  let pattern = 0;
  for (let i = 3; i < args.count; i += 2) {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "COUNT")) count = scanCount(args, i + 1);
    else if (args.is(i, "MATCH")) pattern = patternAt(args, i + 1);
    else throw syntaxError();
  }
  return { count, pattern };
}
