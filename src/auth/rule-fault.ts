/** What is wrong with a rule of a user, in Redis's words. */
export type RuleFault = string;

export const SYNTAX_FAULT: RuleFault = "Syntax error";
export const UNKNOWN_FAULT: RuleFault = "Unknown command or category name in ACL";

/** Redis refuses them in names and patterns: its own file could not hold them. Only those of ASCII: others are parts of letters. */
export function hasSpaces(text: string): boolean {
  return /[\t-\r \0]/.test(text);
}
