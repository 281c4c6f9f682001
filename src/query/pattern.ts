/**
 * Regular expressions of filters: RE2's, which take time in proportion to the text, whatever the
 * expression. So there is no looking ahead or behind and no reference back to a group.
 *
 * Two things differ from MongoDB's PCRE: without `m`, `$` is the very end, not also the place
 * before a last line break; and there is no option `x`.
 */
import { MAX_PATTERN_LENGTH } from "../limits.ts";
import { type LinearRegex, linearRegex } from "./linear-regex.ts";

/**
 * Instructions of a compiled expression: `x{1000}` has as many, and each may cost a step for each
 * character.
 */
const MAX_PROGRAM = 10_000;

const FLAGS = { i: "CASE_INSENSITIVE", m: "MULTILINE", s: "DOTALL" } as const;

/** What is wrong with an expression or its options, for whoever knows where it stands. */
export class PatternProblem extends Error {}

export function compilePattern(source: string, flags: string): LinearRegex {
  if (source.length > MAX_PATTERN_LENGTH) {
    throw new PatternProblem(`a regular expression has at most ${MAX_PATTERN_LENGTH} characters`);
  }
  const { RE2JS } = linearRegex();
  let bits = 0;
  for (const flag of flags) {
    if (!Object.hasOwn(FLAGS, flag)) {
      throw new PatternProblem(
        `unknown option '${flag}' of a regular expression; there are i, m, s`,
      );
    }
    bits |= RE2JS[FLAGS[flag as keyof typeof FLAGS]];
  }
  const pattern = compile(source, bits);
  if (pattern.programSize() > MAX_PROGRAM) {
    throw new PatternProblem("a regular expression that is too large: its repetitions multiply");
  }
  return pattern;
}

function compile(source: string, bits: number): LinearRegex {
  const { RE2JS, RE2JSException } = linearRegex();
  try {
    return RE2JS.compile(source, bits);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const hint = /\(\?<?[=!]/.test(source)
      ? "; there is no looking ahead or behind"
      : /\\[1-9]/.test(source)
        ? "; there are no references back to groups"
        : "";
    throw new PatternProblem(`${error.message}${hint}`);
  }
}

/**
 * The text that everything begins with which the expression finds: what stands literally behind
 * `^`. `isAll`: it asks for nothing else. Empty when there is none, or when a `|` might offer
 * another beginning.
 */
export function literalPrefix(source: string, flags: string): { prefix: string; isAll: boolean } {
  if (!source.startsWith("^") || /[im]/.test(flags) || source.includes("|")) {
    return { prefix: "", isAll: false };
  }
  let prefix = "";
  let at = 1;
  while (at < source.length) {
    const [literal, end] = literalAt(source, at);
    // What is repeated may be missing.
    if (literal === "" || /^[*+?{]/.test(source.slice(end))) break;
    prefix += literal;
    at = end;
  }
  return { prefix, isAll: at === source.length };
}

/** One literal character and the offset behind it; empty when something else stands there. */
function literalAt(source: string, at: number): [literal: string, end: number] {
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
  if (character === "\\") {
    const escaped = source.charAt(at + 1);
    return /[!-/:-@[-`{-~]/.test(escaped) ? [escaped, at + 2] : ["", at];
  }
  return /[.*+?()[\]{}^$]/.test(character) ? ["", at] : [character, at + character.length];
}
