/**
 * The library of regular expressions in linear time, loaded when the first one is compiled: most processes never need it, and
 * `kvdb get` should not pay for it.
 */
import type { RE2JS } from "re2js";

export type LinearRegex = RE2JS;

export function linearRegex(): typeof import("re2js") {
  return require("re2js") as typeof import("re2js");
}
